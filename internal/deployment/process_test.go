package deployment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"laurel/internal/testenv"
)

const (
	key       = "sk_test_0123456789"
	nodeCount = 3
	// patience bounds every wait for something that must happen.
	patience = 2 * time.Minute
	poll     = 10 * time.Millisecond
)

// build makes the program, without the race detector, whatever the test has.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "laurel")
	if out, err := exec.Command("go", "build", "-o", binary, "laurel/cmd/laurel").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// process is one laurel process. Its methods are for the test's own goroutine, except what reads addresses.
type process struct {
	t           *testing.T
	name        string
	args        []string
	base, admin string
	log         string // path
	told        int64  // the log's length when it was launched
	cmd         *exec.Cmd
	ended       chan struct{}
	stopped     atomic.Bool // it cannot answer now
}

// deployment is several processes on one store.
type deployment struct {
	t          *testing.T
	redis      *testenv.Redis   // nil on a cluster
	cluster    *testenv.Cluster // nil on one server
	partitions int
	nodes      []*process
}

// deploy starts a server and the processes on it, with a change stream so short that whoever is away for a moment misses its beginning.
func deploy(t *testing.T, binary string, partitions int) *deployment {
	t.Helper()
	d := &deployment{t: t, partitions: partitions, redis: testenv.StartRedis(t, "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0",
		"--stream-node-max-entries", "8")}
	d.launch(binary, d.redis.URL(), "--partitions", strconv.Itoa(partitions))
	return d
}

// launch starts the processes, with more settings than those that they always have.
func (d *deployment) launch(binary, url string, args ...string) {
	d.t.Helper()
	t := d.t
	dir := t.TempDir()
	file := filepath.Join(dir, "catalog.yaml")
	if err := os.WriteFile(file, []byte(definitions), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range nodeCount {
		p := &process{t: t, name: "node " + strconv.Itoa(i), log: filepath.Join(dir, strconv.Itoa(i)+".log")}
		p.args = []string{binary, "serve", "--redis", url, "--catalog", file,
			"--bootstrap-key", key, "--changes-bytes", "32768", "--log-format", "json", "--data-dir", dir, "--drain-delay", "0s"}
		p.args = append(p.args, args...)
		d.nodes = append(d.nodes, p)
		t.Cleanup(p.end)
		for p.address(freeAddress(t), freeAddress(t)); !p.launch(); p.address(freeAddress(t), freeAddress(t)) {
		}
	}
	d.awaitReady()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *process) address(public, private string) {
	p.base, p.admin = "http://"+public, "http://"+private
}

// start starts the process where it was before. Others may be using its ports for a moment.
func (p *process) start() {
	p.t.Helper()
	eventually(p.t, p.name+" cannot have its addresses back", func() error {
		if !p.launch() {
			return fmt.Errorf("%s or %s is taken", p.base, p.admin)
		}
		return nil
	})
}

// launch starts the process and waits until it listens. It returns false where somebody else has one of its addresses.
func (p *process) launch() bool {
	p.t.Helper()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	before, err := out.Stat()
	if err != nil {
		p.t.Fatal(err)
	}
	p.told = before.Size()
	cmd := exec.Command(p.args[0], append(slices.Clone(p.args[1:]), "--listen", p.base[len("http://"):], "--admin-listen", p.admin[len("http://"):])...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	p.cmd, p.ended = cmd, ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended is in its log
	}()
	if !p.listens() {
		return false
	}
	p.stopped.Store(false)
	return true
}

// listens waits until the process says that it is up, or has ended as somebody else is at its addresses.
func (p *process) listens() (up bool) {
	p.t.Helper()
	eventually(p.t, p.name+" does not come up", func() error {
		ended := false
		select {
		case <-p.ended:
			ended = true
		default:
		}
		text, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		text = text[p.told:]
		up = bytes.Contains(text, []byte("laurel is up"))
		if ended && !bytes.Contains(text, []byte("address already in use")) {
			p.t.Fatalf("%s ended:\n%s", p.name, text)
		}
		if !up && !ended {
			return errors.New("it runs")
		}
		return nil
	})
	return up
}

// end kills the process, and shows its log where the test failed.
func (p *process) end() {
	if p.ended == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	<-p.ended
	if p.t.Failed() {
		text, err := os.ReadFile(p.log)
		p.t.Logf("log of %s (%v):\n%s", p.name, err, text[max(0, len(text)-8<<10):])
	}
}

func (p *process) signal(s os.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil && s != syscall.SIGKILL {
		p.t.Errorf("%s: %v: %v", p.name, s, err)
	}
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	p.stopped.Store(true)
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// pause freezes the process with everything that it holds; resume lets it go on.
func (p *process) pause() {
	p.stopped.Store(true)
	p.signal(syscall.SIGSTOP)
}

func (p *process) resume() {
	p.signal(syscall.SIGCONT)
	p.stopped.Store(false)
}

// losses is how often the process noticed that history was lost.
func (p *process) losses() int {
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return bytes.Count(text, []byte(`"lost":true`))
}

func (p *process) ready() bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience/4)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.admin+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// awaitReady waits until every node says that it is.
func (d *deployment) awaitReady() {
	d.t.Helper()
	for _, p := range d.nodes {
		eventually(d.t, p.name+" is not ready", func() error {
			if !p.ready() {
				return fmt.Errorf("/readyz of %s is not ok", p.name)
			}
			return nil
		})
	}
}

// eventually asks until there is no error.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}
