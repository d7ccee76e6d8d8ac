// Package process starts what is measured as processes of its own, on free loopback ports, and ends them: a redis-server, a
// `laurel serve` built from this tree, and the bare HTTP server that is the ceiling of reads.
package process

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"laurel/bench/measure"
)

// Process is a child that has said that it is ready.
type Process struct {
	name string
	cmd  *exec.Cmd
	end  context.CancelFunc
	done chan struct{} // closed when it has ended
	out  *output
}

const (
	startTimeout = time.Minute
	stopTimeout  = 20 * time.Second
)

// start starts a command and waits until ready finds what it looks for in a line of its output. The end of ctx asks the process to end.
func start(ctx context.Context, name string, args []string, stdin []byte, ready func(line string) bool) (*Process, error) {
	alive, end := context.WithCancel(ctx)
	p := &Process{name: name, end: end, done: make(chan struct{}), out: &output{ready: ready, found: make(chan struct{})}}
	p.cmd = exec.CommandContext(alive, args[0], args[1:]...)
	p.cmd.Stdin = bytes.NewReader(stdin)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopTimeout
	if err := p.cmd.Start(); err != nil {
		end()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended is in its output
	}()
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	var reason string
	select {
	case <-p.out.found:
		return p, nil
	case <-p.done:
		reason = "it ended"
	case <-timeout.C:
		reason = "it did not get ready"
	case <-ctx.Done():
		reason = "interrupted"
	}
	p.Stop()
	return nil, fmt.Errorf("start %s: %s; its last words:\n%s", name, reason, p.out.tail())
}

// Stop asks the process to end, insists after a while, and returns when it has ended.
func (p *Process) Stop() {
	p.end()
	<-p.done
}

// CPU is the CPU time that the process has used so far.
func (p *Process) CPU() (time.Duration, error) {
	select {
	case <-p.done:
		return 0, fmt.Errorf("%s has ended; its last words:\n%s", p.name, p.out.tail())
	default:
		return measure.ProcessCPU(p.cmd.Process.Pid)
	}
}

const keptLines = 20

// output cuts what a process prints into lines, looks for one among them, and keeps the last few.
type output struct {
	mu      sync.Mutex
	ready   func(line string) bool // nil once found
	found   chan struct{}
	partial []byte
	last    []string
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = append(o.partial, b...)
	for {
		line, rest, whole := bytes.Cut(o.partial, []byte{'\n'})
		if !whole {
			return len(b), nil
		}
		o.line(string(line))
		o.partial = rest
	}
}

func (o *output) line(text string) {
	if o.last = append(o.last, text); len(o.last) > keptLines {
		o.last = o.last[1:]
	}
	if o.ready != nil && o.ready(text) {
		o.ready = nil
		close(o.found)
	}
}

func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(append(o.last, string(o.partial)), "\n")
}
