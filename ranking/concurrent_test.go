package ranking

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// TestBoard_ReadersSeeWholePages: while large commits make a board grow, shrink and grow again, every page that is read is in order and every user on it
// has the rank that the page says, and what is found piece by piece is of one moment.
func TestBoard_ReadersSeeWholePages(t *testing.T) {
	const users, commits = 6000, 60
	s := newFakeStore(1, 1, time.Microsecond)
	b := NewBoards(Options{Source: s})
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { _ = b.Run(ctx) })
	bd := mustOpen(t, b, board0, Descending)

	var done atomic.Bool
	var readers sync.WaitGroup
	for n := range 3 {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 9))
			last := uint64(0)
			for i := 0; !done.Load(); i++ {
				if err := readPage(bd, r, &last); err != nil {
					t.Error(err)
					return
				}
				if err := findMany(bd, r, users); err != nil {
					t.Error(err)
					return
				}
				_, _ = b.Revision(), b.AsOf()
			}
		})
	}
	r := rand.New(rand.NewPCG(7, 7))
	for n := range commits {
		ws := make([]feed.Write, 0, 500)
		for _, u := range r.Perm(users)[:500] {
			w := feed.Write{Board: board0, User: userID(u), Value: r.Int64N(300), Reached: calendar.Instant(n)}
			if n/10%2 == 1 && u%2 == 0 {
				w = feed.Write{Board: board0, User: userID(u), Removed: true}
			}
			ws = append(ws, w)
		}
		b.ApplyOwn(s.commit(0, ws))
	}
	done.Store(true)
	readers.Wait()
	cancel()
	run.Wait()
	mustCheck(t, bd.index)
	mustRank(t, bd.index)
}

// readPage reads one page of a board and compares it with what the index says of its users.
func readPage(bd *Board, r *rand.Rand, last *uint64) (err error) {
	bd.View(func(x *Index, revision uint64) {
		if revision < *last {
			err = fmt.Errorf("revision %d after %d", revision, *last)
			return
		}
		*last = revision
		rows := x.Range(nil, r.IntN(x.Len()+1), 200, Standard)
		m := model{}
		for i, row := range rows {
			if i > 0 && m.compare(rows[i-1].Entry, row.Entry) >= 0 {
				err = fmt.Errorf("%v stands before %v", rows[i-1], row)
			}
			if rank, _ := x.Rank(row.User, Standard); rank != row.Rank {
				err = fmt.Errorf("%v has rank %d", row, rank)
			}
		}
	})
	return err
}

// findMany finds more users than one piece has: no two of them may have the same ordinal rank.
func findMany(bd *Board, r *rand.Rand, users int) error {
	var ids []activity.User
	for _, u := range r.Perm(users)[:3*findPiece] {
		ids = append(ids, userID(u))
	}
	rows, total := bd.Find(nil, ids, Ordinal)
	if len(rows) != len(ids) {
		return fmt.Errorf("%d rows for %d users", len(rows), len(ids))
	}
	at := map[int]Row{}
	for i, row := range rows {
		if other, taken := at[row.Rank]; row.User != ids[i] || row.Rank > total || row.Rank > 0 && taken {
			return fmt.Errorf("asked for %q: %v of %d, and %v", ids[i], row, total, other)
		}
		at[row.Rank] = row
	}
	return nil
}

// TestBoard_LargeChange: a commit's writes come in groups, with the lock released between, and the revision moves with the last.
func TestBoard_LargeChange(t *testing.T) {
	const writes = 2*together + 1
	b := NewBoards(Options{Source: newFakeStore(1, 1, 0)})
	bd := newBoard(board0, Descending, 1, time.Now())
	p := b.parts[0]
	c := feed.Change{ID: feed.Position{Ms: 1}}
	for i := range writes {
		c.Writes = append(c.Writes, feed.Write{Board: board0, User: userID(i), Value: int64(i)})
		p.next = append(p.next, int32(i+1))
	}
	p.next[writes-1] = -1
	changed := false
	var steps []string
	began := bd.Revision()
	for i := int32(0); i >= 0; {
		i = bd.applySome(&c, i, p, streamed, &changed)
		bd.View(func(x *Index, revision uint64) { steps = append(steps, fmt.Sprint(x.Len(), "@", revision-began)) })
	}
	if got, want := fmt.Sprint(steps), fmt.Sprintf("[%d@0 %d@0 %d@1]", together, 2*together, writes); got != want {
		t.Errorf("users@revision were %s, want %s", got, want)
	}
}

// TestBoards_ReadersTakeNoLockOfWriters: what every read asks is answered while a commit is being applied and booked. It hangs where a lock is taken.
func TestBoards_ReadersTakeNoLockOfWriters(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		mustOpen(t, b, board0, Descending)
		b.ApplyOwn(s.commit(0, put("a", 1)))
		p := b.parts[0]
		p.applying.Lock()
		p.mu.Lock()
		defer p.applying.Unlock()
		defer p.mu.Unlock()
		if b.Revision().marks[0].through == (feed.Position{}) || b.AsOf() == 0 || !b.Ready() {
			t.Error("the change is not shown")
		}
		if first(mustOpen(t, b, board0, Descending)) != "a" {
			t.Error("the board does not have the change")
		}
	})
}

// TestBoards_SkipsWhatCameDirectly: the stream's copy of an own change that came in order costs no board anything, and no book is kept for it.
func TestBoards_SkipsWhatCameDirectly(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		bd := mustOpen(t, b, board0, Descending)
		for i := range 5 {
			b.ApplyOwn(s.commit(0, put("a", int64(i))))
			if len(bd.own) != 0 {
				t.Fatal("a change without a gap before it was booked by user")
			}
		}
		state := bd.state
		_ = pause(t.Context(), time.Minute)
		if b.Stats().OwnAhead != 0 || bd.state != state {
			t.Errorf("%+v, state %d after %d: the follower applied them again", b.Stats(), bd.state, state)
		}
		s.commit(0, put("b", 1))
		b.ApplyOwn(s.commit(0, put("a", 9))) // now there is a gap
		if len(bd.own) != 1 {
			t.Errorf("%d users are booked", len(bd.own))
		}
	})
}

// TestBoards_BookedBeforeDirect: of two own changes of a user the first came early. A board that was registered between them has no book of the
// first, so the second has to be booked too, or the stream's copy of the first would overwrite it for good.
func TestBoards_BookedBeforeDirect(t *testing.T) {
	b := NewBoards(Options{Source: newFakeStore(1, 1, 0)})
	p := b.parts[0]
	p.restart("first", feed.Position{})
	f := &follower{b: b, p: p}
	change := func(n uint64, u activity.User, value int64) feed.Change {
		return feed.Change{ID: feed.Position{Ms: n}, Prev: feed.Position{Ms: n - 1}, Writes: put(u, value)}
	}
	follow := func(c feed.Change) {
		if err := f.apply(&c); err != nil {
			t.Fatal(err)
		}
	}
	other, early, late := change(1, "other", 1), change(2, "a", 2), change(3, "a", 3)
	b.ApplyOwn(early)
	follow(other)
	bd := b.register(board0, Descending, time.Now())
	b.ApplyOwn(late)
	follow(early)
	follow(late)
	bd.View(func(x *Index, _ uint64) {
		if e, _ := x.Get("a"); e.Value != 3 {
			t.Errorf("the board shows %d, the last commit wrote 3", e.Value)
		}
	})
	if len(bd.own) != 0 || p.early != 0 {
		t.Errorf("%d users booked, %d changes", len(bd.own), p.early)
	}
	b.ApplyOwn(change(4, "a", 4))
	if len(bd.own) != 0 {
		t.Error("after all was followed, a change in order is booked by user")
	}
}
