package ranking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// node runs f with Boards that follow a fake store of one partition, in a bubble where time is ours.
func node(t *testing.T, o Options, f func(t *testing.T, s *fakeStore, b *Boards)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newFakeStore(1, 1, time.Millisecond)
		o.Source = s
		b := NewBoards(o)
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() {
			if err := b.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		_ = pause(ctx, time.Second)
		f(t, s, b)
		cancel()
		run.Wait()
	})
}

var board0 = feed.Board{Org: "o", Rule: "r", Label: "all"}

func put(u activity.User, value int64) []feed.Write {
	return []feed.Write{{Board: board0, User: u, Value: value}}
}

func mustOpen(t *testing.T, b *Boards, id feed.Board, o Order) *Board {
	t.Helper()
	bd, err := b.Open(t.Context(), id, o)
	if err != nil {
		t.Fatal(err)
	}
	return bd
}

func first(b *Board) (user activity.User) {
	b.View(func(x *Index, _ uint64) {
		for _, r := range x.Range(nil, 0, 1, Ordinal) {
			user = r.User
		}
	})
	return user
}

func TestBoards_OwnChange(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		bd := mustOpen(t, b, board0, Descending)
		began := bd.Revision()
		if first(bd) != "" || bd.ID() != board0 || bd.Order() != Descending {
			t.Errorf("a board that does not exist is not empty")
		}
		s.commit(0, put("a", 1)) // another node's, not read yet
		before := b.Revision()
		b.ApplyOwn(s.commit(0, put("b", 5)))
		if first(bd) != "b" || bd.Revision() != began+1 {
			t.Errorf("own change is not seen at once: revision went from %d to %d", began, bd.Revision())
		}
		r := b.Revision()
		if r.Equal(before) || r.marks[0].through == r.marks[0].top {
			t.Errorf("revision %+v does not tell that a change before it is missing", r)
		}
		if err := b.WaitFor(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		bd.View(func(x *Index, revision uint64) {
			if x.Len() != 2 || revision != began+2 {
				t.Errorf("%d users, revision %d: the stream's copy of the own change must not count again", x.Len(), revision)
			}
		})
		if got := b.Revision(); got.Equal(r) || got.marks[0].top != r.marks[0].top {
			t.Errorf("revisions %+v then %+v", r, got)
		}
		if at := b.AsOf(); uint64(at) != r.marks[0].top.Ms {
			t.Errorf("as of %d, last change at %d", at, r.marks[0].top.Ms)
		}
	})
}

func TestBoards_OneNodeCoversItsOwnWritesAtOnce(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		for i := range 5 {
			b.ApplyOwn(s.commit(0, put("a", int64(i))))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.WaitFor(ctx, b.Revision()); err != nil {
			t.Errorf("WaitFor after own commits without a gap had to wait: %v", err)
		}
	})
}

func TestBoards_OtherEpoch(t *testing.T) {
	var resets int
	node(t, Options{OnReset: func(int) { resets++ }}, func(t *testing.T, s *fakeStore, b *Boards) {
		b.ApplyOwn(s.commit(0, put("a", 1)))
		bd := mustOpen(t, b, board0, Descending)
		r := b.Revision()
		s.lose(0, 1, "second")
		_ = pause(t.Context(), time.Minute)
		if err := b.WaitFor(t.Context(), r); !errors.Is(err, ErrEpochChanged) {
			t.Errorf("WaitFor a revision of the old epoch: %v", err)
		}
		if resets != 1 || !bd.Dropped() {
			t.Errorf("%d resets, dropped %v", resets, bd.Dropped())
		}
		if bd = mustOpen(t, b, board0, Descending); first(bd) != "" {
			t.Errorf("%q outlived its history", first(bd))
		}
		other := Revision{marks: make([]mark, 2)}
		if err := b.WaitFor(t.Context(), other); !errors.Is(err, ErrEpochChanged) {
			t.Errorf("WaitFor a revision of two partitions: %v", err)
		}
	})
}

func TestBoards_LoadThatTakesLong(t *testing.T) {
	node(t, Options{LoadWait: 10 * time.Millisecond}, func(t *testing.T, s *fakeStore, b *Boards) {
		for i := range 40 {
			s.commit(0, put(activity.User(fmt.Sprint(i)), int64(i)))
		}
		_, err := b.Open(t.Context(), board0, Descending)
		if !errors.Is(err, ErrLoading) {
			t.Fatalf("Open: %v", err)
		}
		if st := b.Stats(); st.Boards != 1 || st.Loading != 1 {
			t.Errorf("%+v", st)
		}
		_ = pause(t.Context(), time.Second)
		if first(mustOpen(t, b, board0, Descending)) != "39" {
			t.Error("the load did not go on")
		}
		st := b.Stats()
		if st.Boards != 1 || st.Loading != 0 || st.Members != 40 || st.Bytes == 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestBoards_LoadThatFails(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		s.outage(0, 1)
		_, err := b.Open(t.Context(), board0, Descending)
		if !errors.Is(err, ErrLoading) || !errors.Is(err, errFake) {
			t.Errorf("Open: %v", err)
		}
		mustOpen(t, b, board0, Descending)
	})
}

func TestBoards_AnotherOrderLoadsAgain(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		s.commit(0, append(put("low", 1), put("high", 9)...))
		if got := first(mustOpen(t, b, board0, Descending)); got != "high" {
			t.Errorf("descending: %q", got)
		}
		if got := first(mustOpen(t, b, board0, Ascending)); got != "low" {
			t.Errorf("ascending: %q", got)
		}
	})
}

func TestBoards_IdleOnesAreDropped(t *testing.T) {
	node(t, Options{IdleAfter: time.Minute}, func(t *testing.T, _ *fakeStore, b *Boards) {
		kept, idle := mustOpen(t, b, board0, Descending), mustOpen(t, b, boardID(1), Descending)
		for range 4 {
			_ = pause(t.Context(), 30*time.Second)
			mustOpen(t, b, board0, Descending)
		}
		if kept.Dropped() || !idle.Dropped() {
			t.Errorf("kept dropped %v, idle dropped %v", kept.Dropped(), idle.Dropped())
		}
	})
}

func TestBoards_AFloodDropsTheLeastUsed(t *testing.T) {
	const most = 32
	node(t, Options{MaxBoards: most}, func(t *testing.T, _ *fakeStore, b *Boards) {
		for i := range 5 * most {
			id := board0
			id.Label = fmt.Sprint(i)
			mustOpen(t, b, board0, Descending)
			_ = pause(t.Context(), time.Millisecond)
			mustOpen(t, b, id, Descending)
		}
		if n := b.Stats().Boards; n > most || n < most/2 {
			t.Errorf("%d boards in memory, at most %d allowed", n, most)
		}
		if b.lookup(board0) == nil {
			t.Error("the board in use was dropped")
		}
	})
}

// TestBoards_StuckStream: while the follower hears nothing, own writes beyond the limit are left to it, and nothing gets lost.
func TestBoards_StuckStream(t *testing.T) {
	node(t, Options{IdleAfter: 24 * time.Hour}, func(t *testing.T, s *fakeStore, b *Boards) {
		bd := mustOpen(t, b, board0, Descending)
		s.mu.Lock()
		s.slow = time.Hour
		s.mu.Unlock()
		s.commit(0, put("start", 1)) // the follower reads it, and waits for the answer
		_ = pause(t.Context(), time.Millisecond)
		ws := make([]feed.Write, 1<<12)
		for round := range int64(40) {
			for i := range ws {
				ws[i] = feed.Write{Board: board0, User: activity.User(fmt.Sprint(i)), Value: round}
			}
			b.ApplyOwn(s.commit(0, slices.Clone(ws)))
		}
		if st := b.Stats(); st.OwnAhead != maxOwn {
			t.Errorf("%d own writes are kept, the limit is %d", st.OwnAhead, maxOwn)
		}
		r := b.Revision()
		s.mu.Lock()
		s.slow = time.Millisecond
		s.mu.Unlock()
		if err := b.WaitFor(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		bd.View(func(x *Index, _ uint64) {
			if e, _ := x.Get("17"); e.Value != 39 || len(bd.own) != 0 {
				t.Errorf("value %d, %d own writes still kept", e.Value, len(bd.own))
			}
		})
		if bd.Dropped() || b.Stats().OwnAhead != 0 {
			t.Errorf("dropped %v, %+v", bd.Dropped(), b.Stats())
		}
	})
}

func TestBoards_Ready(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		if !b.Ready() {
			t.Error("not ready although connected and at the end")
		}
		if NewBoards(Options{Source: s}).Ready() {
			t.Error("ready before Run")
		}
		s.outage(0, 6)
		_ = pause(t.Context(), 1200*time.Millisecond)
		if b.Ready() {
			t.Error("ready although the store is away")
		}
		_ = pause(t.Context(), time.Minute)
		if !b.Ready() {
			t.Error("not ready although the store is back")
		}
	})
}
