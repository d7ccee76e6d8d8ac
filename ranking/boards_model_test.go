package ranking

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
)

const (
	simBoards = 3
	simUsers  = 8
)

// step is one thing that happens in a simulation; what a, b, c mean depends on kind.
type step struct {
	kind    string
	a, b, c int
}

// A wild life loses history so often that few boards live long; in a calm one they see many changes.
var (
	calm = []string{"own", "own", "own", "foreign", "foreign", "foreign", "burst", "open", "open", "wait", "wait", "evict"}
	wild = slices.Concat(calm, []string{"long wait", "trim", "lose", "fail over", "error"})
)

func drawSteps(t *rapid.T) []step {
	kinds := rapid.SampledFrom([][]string{calm, wild}).Draw(t, "life")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			rapid.SampledFrom(kinds).Draw(t, "kind"),
			rapid.IntRange(0, 1000).Draw(t, "a"), rapid.IntRange(0, 1000).Draw(t, "b"), rapid.IntRange(0, 1000).Draw(t, "c"),
		}
	}), 20, 200).Draw(t, "steps")
}

// TestBoards_EqualTheStore: whatever writers, streams, loads, trims, failovers and evictions do to each other, boards are never seen
// without the node's own writes, or older than the revision says or the store was when their load began; and in the end they are what
// the store has. Goroutines of a bubble run in any order, so a found case may need several runs to show again.
func TestBoards_EqualTheStore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawSteps(rt)
		partitions := rapid.IntRange(1, 3).Draw(rt, "partitions")
		slow := rapid.SampledFrom([]time.Duration{2 * time.Millisecond, 10 * time.Millisecond, 40 * time.Millisecond}).Draw(rt, "slow")
		seed := rapid.Uint64().Draw(rt, "seed")
		var err error
		synctest.Test(t, func(*testing.T) { err = simulate(steps, partitions, slow, seed) })
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// sim is a node's Boards on a fakeStore, and what is known to be true of them.
type sim struct {
	store  *fakeStore
	boards *Boards
	opens  sync.WaitGroup

	mu       sync.Mutex
	clock    int64
	own      map[cell]int // the length of the cell's history up to the last own write that ApplyOwn has returned from
	doubtful []bool       // a partition lost commits and its follower has not said so
	told     []feed.Position
	started  []bool
	faults   []error
}

func simulate(steps []step, partitions int, slow time.Duration, seed uint64) error {
	s := &sim{store: newFakeStore(partitions, seed, slow), own: map[cell]int{},
		doubtful: make([]bool, partitions), told: make([]feed.Position, partitions), started: make([]bool, partitions)}
	s.boards = NewBoards(Options{Source: s.store, OnChange: s.onChange, OnReset: s.onReset, IdleAfter: time.Hour, page: 1 + int(seed%5)})
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = s.boards.Run(ctx) })
	_ = pause(ctx, 2*slow)
	for _, st := range steps {
		s.do(ctx, st)
		s.inspectAll()
		_ = pause(ctx, time.Duration((st.a+st.b+st.c)%8)*time.Millisecond)
	}
	s.opens.Wait()
	s.store.heal()
	_ = pause(ctx, time.Minute)
	s.settled(ctx)
	cancel()
	run.Wait()
	return errors.Join(s.faults...)
}

func (s *sim) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Errorf(format, args...))
}

func (s *sim) do(ctx context.Context, st step) {
	p := st.a % len(s.store.parts)
	switch st.kind {
	case "own":
		s.commitOwn(p, s.writes(p, st))
	case "foreign":
		s.store.commit(p, s.writes(p, st))
	case "burst":
		for i := range st.b % 20 {
			s.store.commit(p, s.writes(p, step{"", i, st.c + i, st.b + 7*i}))
		}
	case "open":
		s.opens.Go(func() { s.open(ctx, boardID(st.b)) })
	case "wait":
		_ = pause(ctx, time.Duration(st.b%100)*time.Millisecond)
	case "long wait":
		_ = pause(ctx, time.Duration(st.b)*10*time.Millisecond)
	case "trim":
		s.store.trim(p, st.b%5)
	case "lose":
		s.lose(p, 1+st.b%4, "")
	case "fail over":
		s.lose(p, st.b%4, fmt.Sprint("epoch ", st.c))
	case "error":
		s.store.outage(p, 1+st.b%4)
	case "evict":
		s.boards.evict(time.Now().Add(time.Duration(st.b%3-1) * time.Second).UnixNano())
	}
}

func boardID(n int) feed.Board {
	return feed.Board{Org: "o", Rule: fmt.Sprint("r", n%simBoards), Label: "all"}
}

// simUser is a user of a partition; no user is in two.
func simUser(partition, n int) activity.User {
	return activity.User(fmt.Sprintf("p%d-%d", partition, n%simUsers))
}

// writes are up to four writes to a few cells; the same cell is not written twice in a commit.
func (s *sim) writes(p int, st step) []feed.Write {
	var ws []feed.Write
	seen := map[cell]bool{}
	for i := range 1 + st.b%4 {
		s.clock++
		w := feed.Write{Board: boardID(st.c + i), User: simUser(p, st.b+st.c*i), Value: int64((st.c + i) % 4), Reached: calendar.Instant(s.clock)}
		if (st.b+i)%5 == 0 {
			w.Removed, w.Value, w.Reached = true, 0, 0
		}
		if at := (cell{w.Board, w.User}); !seen[at] {
			seen[at] = true
			ws = append(ws, w)
		}
	}
	return ws
}

func (s *sim) commitOwn(p int, ws []feed.Write) {
	c := s.store.commit(p, ws)
	s.boards.ApplyOwn(c)
	s.mu.Lock()
	s.store.mu.Lock()
	for _, w := range ws {
		at := cell{w.Board, w.User}
		s.own[at] = len(s.store.parts[p].history[at])
	}
	s.store.mu.Unlock()
	s.mu.Unlock()
}

// inspectAll looks at every board that is in memory and whole.
func (s *sim) inspectAll() {
	for n := range simBoards {
		if b := s.boards.lookup(boardID(n)); b != nil && b.isReady() {
			s.inspect(b, s.floor(b.ID(), false))
		}
	}
}

func (s *sim) lose(p, n int, epoch string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.lose(p, n, epoch)
	s.doubtful[p] = true
	for at, k := range s.own {
		s.own[at] = min(k, s.known(at))
	}
}

// known is the length of a cell's history.
func (s *sim) known(at cell) int {
	n := 0
	for _, p := range s.store.parts {
		n += len(p.history[at])
	}
	return n
}

// floor is, for each cell of a board, the oldest version that may be seen from now on: own writes and what the revision covers, or for
// all true everything.
func (s *sim) floor(id feed.Board, all bool) map[cell]int {
	r := s.boards.Revision()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	f := map[cell]int{}
	for n, p := range s.store.parts {
		for at, h := range p.history {
			if at.board != id {
				continue
			}
			f[at] = s.own[at]
			for i, v := range h {
				if all || p.stream[v.at-1].ID.Compare(r.marks[n].through) <= 0 {
					f[at] = max(f[at], i+1)
				}
			}
		}
	}
	return f
}

func (s *sim) open(ctx context.Context, id feed.Board) {
	floor := s.floor(id, s.boards.lookup(id) == nil)
	b, err := s.boards.Open(ctx, id, Descending)
	switch {
	case err == nil:
		s.inspect(b, floor)
	case !errors.Is(err, ErrLoading):
		s.fault("Open: %v", err)
	}
}

// inspect finds cells of a board that are older than they may be.
func (s *sim) inspect(b *Board, floor map[cell]int) {
	seen := rowsOf(b)
	s.mu.Lock()
	doubtful := slices.Contains(s.doubtful, true)
	s.mu.Unlock()
	if doubtful || b.Dropped() {
		return
	}
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	for at, least := range floor {
		var h []version
		for _, p := range s.store.parts {
			h = append(h, p.history[at]...)
		}
		if least = min(least, len(h)); least == 0 {
			continue
		}
		if !slices.ContainsFunc(h[least-1:], func(v version) bool { return v.standing == seen[at.user] }) {
			s.fault("board %s shows %s as %v; it may be one of %v", b.id.Rule, at.user, seen[at.user], h[least-1:])
		}
	}
}

func rowsOf(b *Board) map[activity.User]standing {
	rows := map[activity.User]standing{}
	b.View(func(x *Index, _ uint64) {
		for _, r := range x.Range(nil, 0, x.Len(), Ordinal) {
			rows[r.User] = standing{true, r.Value, r.Reached}
		}
	})
	return rows
}

// onChange checks that each change comes once and in order, unless a reset came between.
func (s *sim) onChange(c feed.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started[c.Partition] && c.Prev != s.told[c.Partition] {
		s.faults = append(s.faults, fmt.Errorf("partition %d: change %v follows %v, was told %v", c.Partition, c.ID, c.Prev, s.told[c.Partition]))
	}
	s.started[c.Partition], s.told[c.Partition] = true, c.ID
}

func (s *sim) onReset(p int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started[p], s.doubtful[p] = false, false
}

// settled checks, after everything has come to rest, that boards are what the store has and that nothing is kept that is over.
func (s *sim) settled(ctx context.Context) {
	if !s.boards.Ready() {
		s.fault("not ready at the end")
	}
	if err := s.boards.WaitFor(ctx, s.boards.Revision()); err != nil {
		s.fault("WaitFor the present: %v", err)
	}
	for n := range simBoards {
		b, err := s.boards.Open(ctx, boardID(n), Descending)
		if err != nil {
			s.fault("Open at the end: %v", err)
			continue
		}
		want := map[activity.User]standing{}
		for _, p := range s.store.parts {
			for at := range maps.Keys(p.history) {
				if v := p.now(at); at.board == b.id && v.on {
					want[at.user] = v
				}
			}
		}
		if d := cmp.Diff(want, rowsOf(b), cmp.AllowUnexported(standing{})); d != "" {
			s.fault("board %s at the end: %s", b.id.Rule, d)
		}
		if err := b.index.check(); err != nil {
			s.fault("board %s: %v", b.id.Rule, err)
		}
		if len(b.own) > 0 || b.touched != nil {
			s.fault("board %s still keeps %d own writes, touched %v", b.id.Rule, len(b.own), b.touched)
		}
	}
	for i, b := range s.boards.list {
		if b.place != i || s.boards.boards[b.id] != b || len(s.boards.list) != len(s.boards.boards) {
			s.fault("place %d of %d boards in memory: board %s thinks %d", i, len(s.boards.boards), b.id.Rule, b.place)
		}
	}
	for _, p := range s.boards.parts {
		if len(p.own) > 0 || p.ownWrites != 0 {
			s.fault("partition %d still keeps %d own changes of %d writes", p.n, len(p.own), p.ownWrites)
		}
	}
}
