package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"laurel/internal/config"
	"laurel/internal/testenv"
)

// cable is a TCP connection to a server that can be cut (connections end, new ones are refused) or that loses everything for a while.
type cable struct {
	t      *testing.T
	target string
	l      net.Listener
	ended  sync.WaitGroup

	mu    sync.Mutex
	moved *sync.Cond
	cut   bool
	held  bool
	ends  map[net.Conn]struct{}
}

func newCable(t *testing.T, target string) *cable {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{t: t, target: target, l: l, ends: map[net.Conn]struct{}{}}
	c.moved = sync.NewCond(&c.mu)
	c.ended.Go(c.accept)
	t.Cleanup(func() {
		l.Close()
		c.set(true, false)
		c.ended.Wait()
	})
	return c
}

func (c *cable) accept() {
	for {
		near, err := c.l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.target)
		if err != nil {
			near.Close()
			continue
		}
		c.mu.Lock()
		if c.cut {
			near.Close()
			far.Close()
		}
		c.ends[near], c.ends[far] = struct{}{}, struct{}{}
		c.mu.Unlock()
		c.ended.Go(func() { c.carry(near, far) })
		c.ended.Go(func() { c.carry(far, near) })
	}
}

// carry copies until an end is closed; what is under way while the cable is held comes when it is let go.
func (c *cable) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		c.mu.Lock()
		for c.held {
			c.moved.Wait()
		}
		c.mu.Unlock()
		if err == nil {
			_, err = to.Write(b[:n])
		}
		if err != nil {
			return
		}
	}
}

func (c *cable) set(cut, held bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut, c.held = cut, held
	if cut {
		for end := range c.ends {
			end.Close()
		}
		clear(c.ends)
	}
	c.moved.Broadcast()
}

// TestServe_ANodeThatIsCutOffSaysSo: a node that cannot reach the store keeps its sockets, shows what it has and says that this may be old; when the store is
// there again, so is everything that was missed, and only then the node is fresh.
func TestServe_ANodeThatIsCutOffSaysSo(t *testing.T) {
	server := testenv.StartRedis(t)
	line := newCable(t, server.Addr)
	cfg := testConfig(t)
	cfg.Redis, cfg.Partitions = config.Secret(server.URL()), 2
	here := startNode(t, cfg)
	cfg = testConfig(t)
	cfg.Redis = config.Secret("redis://" + line.l.Addr().String())
	there := startNode(t, cfg)
	here.post("/v1/activities", `{"user":"ada","name":"commit","meta":{"added":1}}`)
	signal := func(s syscall.Signal) {
		if err := syscall.Kill(server.Pid(), s); err != nil {
			t.Error(err)
		}
	}
	top := map[string]any{"kind": "top", "rule": "commits", "period": "all"}
	s := there.dial(testKey, nil)
	s.expect("welcome")
	s.send(map[string]any{"type": "subscribe", "id": "a", "view": top})
	total := s.expect("snapshot").Total
	stream := there.stream("kind=top&rule=commits&period=all")
	stream.expect("snapshot")
	for i, way := range []struct {
		name       string
		spoil, fix func()
		write      bool // another node can commit meanwhile
	}{
		{"its packets are lost", func() { line.set(false, true) }, func() { line.set(false, false) }, true},
		{"its connections are cut", func() { line.set(true, false) }, func() { line.set(false, false) }, true},
		{"the store is frozen", func() { signal(syscall.SIGSTOP) }, func() { signal(syscall.SIGCONT) }, false},
	} {
		t.Run(way.name, func(t *testing.T) {
			way.spoil()
			if way.write {
				here.post("/v1/activities", fmt.Sprintf(`{"user":"user %d","name":"commit","meta":{"added":1}}`, i))
				total++
			}
			s.expect("stale")
			stream.expect("stale")
			s.send(map[string]any{"type": "subscribe", "id": way.name, "view": top})
			if late := s.expect("snapshot"); way.write && late.Total != total-1 {
				t.Errorf("%d are shown of %d", late.Total, total-1)
			}
			s.expect("stale")
			status, _, header := do(t, "GET", there.base+"/v1/leaderboards/commits/all", "")
			if at, err := time.Parse(time.RFC3339, header.Get("Laurel-Stale")); status != 200 || err != nil || time.Since(at) < staleAfter {
				t.Errorf("a read is answered %d, Laurel-Stale %v (%v)", status, at, err)
			}
			if status, text := readiness(t, there.admin+"/readyz"); status != 503 {
				t.Errorf("/readyz: %d %s", status, text)
			}
			way.fix()
			heals := []string{"fresh"}
			if way.write {
				heals = []string{"delta", "fresh"}
			}
			for id, messages := range healing(s, 2) {
				var kinds []string
				for _, m := range messages {
					kinds = append(kinds, m.Type)
					if m.Type == "delta" && m.Total != total {
						t.Errorf("the delta of %q brings %d of %d", id, m.Total, total)
					}
				}
				if !slices.Equal(kinds, heals) {
					t.Errorf("%q heals by %q", id, kinds)
				}
			}
			if way.write {
				stream.expect("delta")
			}
			stream.expect("fresh")
			if status, text := readiness(t, there.admin+"/readyz"); status != 200 {
				t.Errorf("/readyz: %d %s", status, text)
			}
			s.send(map[string]any{"type": "unsubscribe", "id": way.name})
		})
	}
}

// healing returns, by subscription, what comes until so many are fresh.
func healing(s *socket, subscriptions int) map[string][]frame {
	came := map[string][]frame{}
	for fresh := 0; fresh < subscriptions; {
		m, err := s.next()
		if err != nil {
			s.t.Fatalf("waiting for fresh views: %v", err)
		}
		came[m.ID] = append(came[m.ID], m)
		if m.Type == "fresh" {
			fresh++
		}
	}
	return came
}

func readiness(t *testing.T, url string) (int, string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}
