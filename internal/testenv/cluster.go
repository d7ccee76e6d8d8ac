package testenv

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// slots is how many hash slots a cluster has.
const slots = 16384

// nodeTimeout is after how long the servers of a cluster take one of them for dead.
const nodeTimeout = 1500 * time.Millisecond

// Cluster is a Redis or Valkey cluster of one test: some masters with an even share of the slots each, and some replicas of each of them. Its methods
// are for the test's own goroutine.
type Cluster struct {
	Nodes   []*Member // the first ones are those that begin as masters
	masters int
	t       reporter
}

// Member is a server of a cluster.
type Member struct {
	*Redis
	ID string // by which the cluster knows it

	client *redis.Client
}

// ClusterOptions say what cluster to start. The zero value is three masters of redis-server that keep nothing on disk, without replicas.
type ClusterOptions struct {
	Program  string   // "" = redis-server
	Masters  int      // 0 = 3
	Replicas int      // of each master
	Args     []string // more settings, each a flag or a value
}

// StartCluster starts a cluster on free ports of the loopback interface, and ends it with the test.
func StartCluster(t testing.TB, o ClusterOptions) *Cluster {
	t.Helper()
	c, err := startCluster(t, o)
	if c != nil {
		t.Cleanup(func() {
			c.checkCommands(t)
			c.end()
		})
	}
	if err != nil {
		t.Fatalf("start cluster: %v", err)
	}
	return c
}

// startCluster returns what it started also where it fails.
func startCluster(t reporter, o ClusterOptions) (*Cluster, error) {
	if o.Program == "" {
		o.Program = "redis-server"
	}
	if o.Masters == 0 {
		o.Masters = 3
	}
	path, err := exec.LookPath(o.Program)
	if err != nil {
		return nil, fmt.Errorf("%s is not on the PATH, and this test needs one: %w", o.Program, err)
	}
	// Between finding free ports and using them another process may take one: then all are chosen anew.
	for try := 0; ; try++ {
		c := &Cluster{masters: o.Masters, t: t}
		taken, err := c.launch(path, t.TempDir(), &o)
		if err == nil {
			return c, c.await(c.settled)
		}
		if c.end(); !taken || try == portTries {
			return nil, err
		}
	}
}

// launch starts the servers, which find in their directories a description of the whole cluster: so they need not get to know each other first.
func (c *Cluster) launch(path, dir string, o *ClusterOptions) (taken bool, err error) {
	ports, err := freePorts(2 * o.Masters * (1 + o.Replicas))
	if err != nil {
		return false, err
	}
	for i := range len(ports) / 2 {
		m := &Member{Redis: &Redis{t: c.t, Dir: filepath.Join(dir, strconv.Itoa(i)), Addr: "127.0.0.1:" + ports[2*i]}, ID: newID()}
		m.args = append([]string{path, "--bind", "127.0.0.1", "--port", ports[2*i], "--cluster-port", ports[2*i+1], "--dir", m.Dir, "--save", "", "--daemonize", "no",
			"--cluster-enabled", "yes", "--cluster-node-timeout", strconv.FormatInt(nodeTimeout.Milliseconds(), 10),
			"--cluster-allow-replica-migration", "no", "--repl-diskless-sync-delay", "0"}, o.Args...)
		m.client = redis.NewClient(&redis.Options{Addr: m.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true, DialerRetries: 1,
			DialTimeout: time.Second, ReadTimeout: 2 * time.Second})
		c.Nodes = append(c.Nodes, m)
	}
	for i, m := range c.Nodes {
		if err := os.MkdirAll(m.Dir, 0o750); err != nil {
			return false, err
		}
		if err := os.WriteFile(filepath.Join(m.Dir, "nodes.conf"), []byte(c.describe(i, ports)), 0o600); err != nil {
			return false, err
		}
	}
	for _, m := range c.Nodes {
		if err := m.start(); err != nil {
			return m.portTaken(), fmt.Errorf("%w\n%s", err, m.out.String())
		}
	}
	return false, nil
}

// describe is the cluster as a server writes it down for itself.
func (c *Cluster) describe(self int, ports []string) string {
	var b strings.Builder
	for i, m := range c.Nodes {
		master := i % c.masters
		flags, of, own := "master", "-", ""
		if i == master {
			own = fmt.Sprintf(" %d-%d", master*slots/c.masters, (master+1)*slots/c.masters-1)
		} else {
			flags, of = "slave", c.Nodes[master].ID
		}
		if i == self {
			flags = "myself," + flags
		}
		fmt.Fprintf(&b, "%s %s@%s %s %s 0 0 %d connected%s\n", m.ID, m.Addr, ports[2*i+1], flags, of, master+1, own)
	}
	fmt.Fprintf(&b, "vars currentEpoch %d lastVoteEpoch 0\n", c.masters)
	return b.String()
}

func newID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

func freePorts(n int) (ports []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() //nolint:revive // all are held until the last is found, so that they differ
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

// URL is what a client connects to.
func (c *Cluster) URL() string {
	addresses := make([]string, c.masters)
	for i := range addresses {
		addresses[i] = c.Nodes[i].Addr
	}
	return "redis-cluster://" + strings.Join(addresses, ",")
}

func (c *Cluster) end() {
	for _, m := range c.Nodes {
		m.Kill()
		_ = m.client.Close()
	}
}

func (c *Cluster) checkCommands(t reporter) {
	t.Helper()
	for _, m := range c.Nodes {
		m.checkCommands(t)
	}
}

// Pause freezes the server with everything that it holds, as a machine without time does; Resume lets it go on.
func (m *Member) Pause() { m.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (m *Member) Resume() { m.signal(syscall.SIGCONT) }

func (m *Member) signal(s syscall.Signal) {
	m.t.Helper()
	if err := m.cmd.Process.Signal(s); err != nil {
		m.t.Errorf("%v: %v", s, err)
	}
}

// Await waits until every slot is served, every server that runs knows all that run, and every replica that runs has what its master has.
func (c *Cluster) Await() {
	c.t.Helper()
	if err := c.await(c.settled); err != nil {
		c.t.Fatalf("cluster: %v", err)
	}
}

// await asks until there is no error.
func (c *Cluster) await(done func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := done(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", startTimeout, err)
		case <-tick.C:
		}
	}
}

func (c *Cluster) settled(ctx context.Context) error {
	for _, m := range c.Nodes {
		if m.cmd == nil {
			continue
		}
		info, err := m.client.ClusterInfo(ctx).Result()
		if err == nil && !strings.Contains(info, "cluster_state:ok") {
			err = errors.New("its cluster is not whole")
		}
		if err == nil {
			err = m.linked(ctx)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.Addr, err)
		}
	}
	return nil
}

// linked says whether a replica is up to date.
func (m *Member) linked(ctx context.Context) error {
	info, err := m.client.Info(ctx, "replication").Result()
	if err == nil && strings.Contains(info, "role:slave") && !strings.Contains(info, "master_link_status:up") {
		err = errors.New("it is not linked to its master")
	}
	return err
}

// Flush removes everything from all masters.
func (c *Cluster) Flush() {
	c.t.Helper()
	for _, m := range c.Nodes {
		if m.cmd == nil || !m.IsMaster() {
			continue
		}
		if err := m.client.FlushAll(context.Background()).Err(); err != nil {
			c.t.Fatalf("flush %s: %v", m.Addr, err)
		}
	}
}
