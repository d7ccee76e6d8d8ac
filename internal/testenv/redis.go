// Package testenv is what tests of several packages stand on: real servers (subprocesses on free ports of the loopback interface, which end with the
// test), the link between boards and a store, and views put into the model's terms.
package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// startTimeout bounds how long a server may take until it answers, or until it ends.
const startTimeout = time.Minute

// portTries is how often a start is tried again that found its port taken.
const portTries = 20

// Redis is a redis-server, or another of Servers, of one test. Its methods are for the test's own goroutine.
type Redis struct {
	Addr string // host:port, the same after a restart
	Dir  string // where its files are

	t    reporter
	args []string
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{} // closed when the process has ended
}

// reporter is what of testing.TB a server needs.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	TempDir() string
}

// StartRedis starts a redis-server with more settings, each a flag or a value ("--appendonly", "yes"), and ends it with the test. Without settings it
// keeps nothing on disk. A machine without redis-server fails the test: a test that is skipped is one that nobody runs.
func StartRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	return StartServer(t, "redis-server", args...)
}

// StartServer is StartRedis for one of Servers.
func StartServer(t testing.TB, program string, args ...string) *Redis {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%s is not on the PATH, and this test needs one: install it (redis-server: apt-get install redis-server, brew install redis), 7.0 or later", program)
	}
	r := &Redis{t: t, Dir: t.TempDir()}
	t.Cleanup(func() {
		r.checkCommands(t)
		r.Kill()
	})
	// Between finding a free port and using it another process may take it: then try another.
	for try := 0; ; try++ {
		port := freePort(t)
		r.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		r.args = append([]string{path, "--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", r.Dir, "--save", "", "--daemonize", "no"}, args...)
		err := r.start()
		if err == nil {
			return r
		}
		if try == portTries || !r.portTaken() {
			t.Fatalf("start %s: %v\n%s", program, err, r.out.String())
		}
	}
}

// URL is what a client connects to.
func (r *Redis) URL() string { return "redis://" + r.Addr }

// Pid is the server's process id.
func (r *Redis) Pid() int { return r.cmd.Process.Pid }

// Kill ends the server as kill -9 does, and waits until it has ended. It does nothing if the server does not run.
func (r *Redis) Kill() {
	if r.cmd == nil {
		return
	}
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.t.Errorf("kill redis-server: %v", err)
	}
	<-r.done
	r.cmd = nil
}

// Restart starts the server again on the same port and directory, after a Kill if it still runs. Where a connection of somebody else has the port, that is
// waited for: it does not take long.
func (r *Redis) Restart() {
	r.t.Helper()
	r.Kill()
	tick := time.NewTicker(startTimeout / portTries)
	defer tick.Stop()
	for try := 0; ; try++ {
		err := r.start()
		if err == nil {
			return
		}
		if try == portTries || !r.portTaken() {
			r.t.Fatalf("restart redis-server: %v\n%s", err, r.out.String())
		}
		<-tick.C
	}
}

// portTaken says whether the server ended because somebody else has its port.
func (r *Redis) portTaken() bool { return strings.Contains(r.out.String(), "in use") }

// start starts the process and waits until it answers.
func (r *Redis) start() error {
	r.out.Reset()
	cmd := exec.Command(r.args[0], r.args[1:]...)
	cmd.Stdout, cmd.Stderr = &r.out, &r.out
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	r.cmd, r.done = cmd, done
	go func() {
		defer close(done)
		cmd.Wait() //nolint:errcheck // how it ended is in its output
	}()
	if err := r.await(); err != nil {
		r.Kill()
		return err
	}
	return nil
}

func (r *Redis) await() error {
	client := redis.NewClient(&redis.Options{Addr: r.Addr, MaxRetries: -1, Protocol: 2, DisableIdentity: true, DialerRetries: 1})
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.done:
			return errors.New("it ended")
		case <-ctx.Done():
			return fmt.Errorf("no answer within %v", startTimeout)
		case <-tick.C:
			// The directory tells our server from another one that took the port.
			dir, err := client.ConfigGet(ctx, "dir").Result()
			if err == nil && sameDir(dir["dir"], r.Dir) && client.Ping(ctx).Err() == nil {
				return nil
			}
		}
	}
}

func sameDir(a, b string) bool {
	if real, err := filepath.EvalSymlinks(b); err == nil {
		b = real
	}
	return a == b
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
