package deployment

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// move takes the deployment from the cluster into one process, and from there to a cluster with more partitions, by laurel export and import. All show what the
// model says, and laurel verify finds nothing. The clients are at rest.
func (s *stage) move() {
	s.t.Helper()
	s.l.hold.Lock()
	defer s.l.hold.Unlock()
	k := s.l.w.snapshot()
	url := s.d.cluster.URL()
	dir := s.t.TempDir()
	s.carry([]string{"--redis", url}, []string{"--data-dir", dir})
	alone := &process{t: s.t, name: "alone", log: filepath.Join(dir, "log")}
	alone.args = []string{s.binary(), "serve", "--data-dir", dir, "--log-format", "json", "--drain-delay", "0s"}
	s.t.Cleanup(alone.end)
	for alone.address(freeAddress(s.t), freeAddress(s.t)); !alone.launch(); alone.address(freeAddress(s.t), freeAddress(s.t)) {
	}
	s.shows("in one process", k, alone)
	alone.kill()
	for _, p := range s.d.nodes {
		p.kill()
	}
	s.d.cluster.Flush()
	s.carry([]string{"--data-dir", dir}, []string{"--redis", url, "--partitions", "40"})
	for _, p := range s.d.nodes {
		p.start()
	}
	s.d.awaitReady()
	s.shows("on 40 partitions", k, s.d.nodes...)
}

// binary is the program that the nodes run.
func (s *stage) binary() string { return s.d.nodes[0].args[0] }

// carry exports one store into another, and has it verified there.
func (s *stage) carry(from, to []string) {
	s.t.Helper()
	dump := s.laurel(nil, append([]string{"export"}, from...)...)
	s.laurel(dump, append([]string{"import", "-"}, to...)...)
	verified := s.laurel(nil, append([]string{"verify"}, to...)...)
	s.t.Logf("%d bytes from %s to %s: %s", len(dump), from, to, bytes.TrimSpace(verified))
}

// laurel runs a command of the program to its end.
func (s *stage) laurel(stdin []byte, args ...string) []byte {
	s.t.Helper()
	cmd := exec.Command(s.binary(), args...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = bytes.NewReader(stdin), &out, &said, os.Environ()
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("laurel %s: %v\n%s%s", args, err, said.Bytes(), out.Bytes())
	}
	return out.Bytes()
}

// shows compares boards and logs on some nodes with the model.
func (s *stage) shows(where string, k known, nodes ...*process) {
	s.t.Helper()
	for _, p := range nodes {
		eventually(s.t, where+": "+p.name, func() error {
			err := s.compare(p, k.boards(time.Now()))
			if err == nil {
				err = logDifference(k.logs(), func(user string) (map[string]string, error) {
					return readLog(user, func() *process { return p })
				})
			}
			if err == nil {
				err = balanceDifference(k.balances(), func() *process { return p })
			}
			return err
		})
	}
}

// anyNode is one of the nodes.
func (s *stage) anyNode() *process { return s.d.nodes[s.rng.IntN(nodeCount)] }

// balanceDifference says whose wallet does not hold what it must.
func balanceDifference(want map[string]float64, choose func() *process) error {
	for user, sum := range want {
		a, err := once(context.Background(), choose(), "GET", userPath(user)+"/wallets", "")
		if err != nil {
			return err
		}
		var got struct{ Wallets []struct{ Balance float64 } }
		if err := a.into(&got); err != nil || a.Status != 200 || len(got.Wallets) != 1 || got.Wallets[0].Balance != sum {
			return fmt.Errorf("%s has %d %s, not %v: %w", user, a.Status, a.Body, sum, err)
		}
	}
	return nil
}
