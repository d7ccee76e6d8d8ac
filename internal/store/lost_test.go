package store_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// proxy stands between a client and a server and breaks one connection when it is told to.
type proxy struct {
	t      *testing.T
	l      net.Listener
	target string
	lose   atomic.Int32 // what to do to the next script call
	ends   sync.WaitGroup
}

// What a proxy does to a script call.
const (
	loseNothing int32 = iota
	loseReply
	loseRequest
)

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, l: l, target: target}
	p.ends.Add(1)
	go p.accept()
	t.Cleanup(func() {
		l.Close()
		p.ends.Wait()
	})
	return p
}

func (p *proxy) accept() {
	defer p.ends.Done()
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.ends.Add(2)
		var drop atomic.Bool
		go p.requests(client, server, &drop)
		go p.replies(client, server, &drop)
	}
}

func (p *proxy) requests(client, server net.Conn, drop *atomic.Bool) {
	defer p.ends.Done()
	defer server.Close()
	b := make([]byte, 1<<20)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		if bytes.Contains(b[:n], []byte("EVALSHA")) {
			switch p.lose.Swap(loseNothing) {
			case loseReply:
				drop.Store(true)
			case loseRequest:
				client.Close()
				return
			}
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

func (p *proxy) replies(client, server net.Conn, drop *atomic.Bool) {
	defer p.ends.Done()
	defer client.Close()
	b := make([]byte, 1<<20)
	for {
		n, err := server.Read(b)
		if err != nil || drop.Load() {
			return
		}
		if _, err := client.Write(b[:n]); err != nil {
			return
		}
	}
}

// appendTo is a group that sets a user's document and leaves a trace that shows whether it was applied more than once.
func appendTo(u activity.User, expect store.Version) store.Group {
	g := write(u, expect, "x")
	g.Writes = []store.Op{{Kind: store.OpAppend, Key: store.OutboxKey(0), Args: []string{"user", string(u)}}}
	g.Events = [][]byte{[]byte(`{"type":"streak.started","user":"` + u + `"}`)}
	g.Boards = []store.BoardWrite{place(weekly(1), u, nil, &store.Standing{Value: 1, Reached: 2})}
	return g
}

func TestCommit_LostReplyIsAppliedOnce(t *testing.T) {
	server := testenv.StartRedis(t)
	p := newProxy(t, server.Addr)
	h := open(t, store.Options{URL: "redis://" + p.l.Addr().String()})
	ctx := context.Background()
	for name, lose := range map[string]int32{"reply": loseReply, "request": loseRequest} {
		t.Run(name, func(t *testing.T) {
			if err := h.Client().Del(ctx, string(store.OutboxKey(0)), string(state("ann")), string(state("bob"))).Err(); err != nil {
				t.Fatal(err)
			}
			other := h.commit(write("other", h.doc(state("other")).Version, "")) // the server now knows the script
			p.lose.Store(lose)
			r := h.commit(appendTo("ann", ""), appendTo("eve", "AAAAAAAA"), appendTo("bob", ""))
			if p.lose.Load() != loseNothing {
				t.Fatal("the proxy saw no script call")
			}
			wants(t, r, store.Applied, store.Stale, store.Applied)
			if n, err := h.Client().XLen(ctx, string(store.OutboxKey(0))).Result(); n != 4 || err != nil {
				t.Errorf("%d appended, %v; want a write and an event of each", n, err)
			}
			if diff := cmp.Diff([]feed.Change{r.Change}, h.changes(other.Position)); diff != "" {
				t.Errorf("the result's change against the stream (-want +got):\n%s", diff)
			}
			if r.Change.Prev != other.Position || len(r.Change.Users) != 2 || r.Position != h.tail() {
				t.Errorf("change %+v after %v", r.Change, other.Position)
			}
		})
	}
}

func TestCommit_SurvivesScriptFlushAndRestart(t *testing.T) {
	server := testenv.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	h := open(t, store.Options{URL: server.URL()})
	first := h.commit(write("ann", "", "1"))
	if first.Durability != store.Fsync {
		t.Errorf("durability %q; want fsync", first.Durability)
	}
	if err := h.Client().ScriptFlush(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
	second := h.commit(write("ann", first.Version, "2"))
	wants(t, second, store.Applied)
	server.Kill()
	if _, err := h.Commit(context.Background(), 0, []store.Group{write("bob", "", "")}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("without a server: %v; want ErrUnavailable", err)
	}
	if _, err := h.Docs(context.Background(), []store.Key{state("ann")}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("read without a server: %v; want ErrUnavailable", err)
	}
	server.Restart()
	third := h.commit(write("ann", second.Version, "3"))
	wants(t, third, store.Applied)
	if third.Change.Prev != second.Position {
		t.Errorf("the chain breaks over a restart: %v; want %v", third.Change.Prev, second.Position)
	}
}

func TestDurability_IsTheServersOwn(t *testing.T) {
	for level, args := range map[store.Durability][]string{
		store.Memory: nil, store.EverySec: {"--appendonly", "yes"}, store.Fsync: {"--appendonly", "yes", "--appendfsync", "always"},
	} {
		h := open(t, store.Options{URL: testenv.StartRedis(t, args...).URL()})
		if got := h.Durability(context.Background()); got != level {
			t.Errorf("%v: %q; want %q", args, got, level)
		}
	}
}

func TestCommit_HalfWayFailureIsErrVerify(t *testing.T) {
	h := open(t, store.Options{URL: testenv.StartRedis(t).URL()})
	if err := h.Client().Set(context.Background(), string(store.BoardKey(0, weekly(1))), "not a board", 0).Err(); err != nil {
		t.Fatal(err)
	}
	before := h.tail()
	_, err := h.Commit(context.Background(), 0, []store.Group{appendTo("ann", "")})
	if !errors.Is(err, store.ErrVerify) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("error %v; want ErrVerify", err)
	}
	if d := h.doc(state("ann")); d.Version != "" || h.tail() != before {
		t.Errorf("the document %+v or the stream says that the commit was done", d)
	}
}

func TestOpen_RefusesWhatItCannotUse(t *testing.T) {
	for _, url := range []string{"redis-cluster://a:1,b:2", "http://x", "redis://127.0.0.1:1"} {
		if s, err := store.Open(context.Background(), store.Options{URL: url}); err == nil {
			t.Errorf("%s: opened", url)
			s.Close()
		}
	}
}

func TestEpoch_IsAnotherAfterTheServerLostEverything(t *testing.T) {
	server := testenv.StartRedis(t)
	h := open(t, store.Options{URL: server.URL()})
	ctx := context.Background()
	at := h.commit(write("ann", "", "")).Position
	before, err := h.Epoch(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	server.Restart()
	if _, err := h.Changes(ctx, 0, at, 10, 0); !errors.Is(err, feed.ErrTrimmed) {
		t.Errorf("changes of a lost history: %v; want ErrTrimmed", err)
	}
	after, err := h.Epoch(ctx, 0)
	if err != nil || after == "" || after == before {
		t.Errorf("epoch %q, %v; before it was %q", after, err, before)
	}
}
