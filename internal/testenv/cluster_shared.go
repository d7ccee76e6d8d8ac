package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// Shared is a cluster that many tests of a package use one after the other, because a start takes seconds. The zero value has not started.
type Shared struct {
	Program string // of its servers; "" = redis-server

	turn    sync.Mutex // held by the test that has it
	start   sync.Once
	cluster *Cluster
	err     error
	own     *ownReporter
}

// Cluster is the cluster, empty, for one test alone: another one that runs at the same time waits for its end. It starts with the first call. A test
// calls it once.
func (s *Shared) Cluster(t testing.TB) *Cluster {
	t.Helper()
	s.turn.Lock()
	t.Cleanup(s.turn.Unlock)
	s.start.Do(func() {
		s.own = &ownReporter{}
		if s.own.dir, s.err = os.MkdirTemp("", "laurel-cluster-"); s.err == nil {
			s.cluster, s.err = startCluster(s.own, ClusterOptions{Program: s.Program})
		}
	})
	if s.err != nil {
		t.Fatalf("start cluster: %v", s.err)
	}
	s.cluster.Flush()
	t.Cleanup(func() { s.cluster.checkCommands(t) })
	return s.cluster
}

// Main is m, and ends the cluster after the tests. For TestMain.
func (s *Shared) Main(m interface{ Run() int }) interface{ Run() int } { return &ending{m, s} }

type ending struct {
	m interface{ Run() int }
	s *Shared
}

func (e *ending) Run() int {
	defer e.s.end()
	return e.m.Run()
}

func (s *Shared) end() {
	if s.cluster != nil {
		s.cluster.end()
	}
	if s.own != nil {
		_ = os.RemoveAll(s.own.dir)
	}
}

// ownReporter stands for a test where there is none. What fails here fails all tests.
type ownReporter struct {
	dir   string
	count int
}

func (*ownReporter) Helper() {}

func (*ownReporter) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (*ownReporter) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (r *ownReporter) TempDir() string {
	r.count++
	dir := filepath.Join(r.dir, strconv.Itoa(r.count))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		panic(err)
	}
	return dir
}
