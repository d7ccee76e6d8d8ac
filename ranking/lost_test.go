package ranking

import (
	"context"
	"errors"
	"testing"
	"time"

	"laurel/internal/feed"
)

// TestBoards_RevisionWhileHistoryIsLost: a commit that ends while its partition is not followed is in the revision that its writer is given.
func TestBoards_RevisionWhileHistoryIsLost(t *testing.T) {
	s := newFakeStore(1, 1, 0)
	b := NewBoards(Options{Source: s})
	f := &follower{b: b, p: b.parts[0]}
	covers := func(when string, id feed.Position) {
		t.Helper()
		if got := b.Revision().marks[0].top; got.Compare(id) < 0 {
			t.Errorf("%s the revision covers %v, the commit is %v", when, got, id)
		}
	}
	connect := func() {
		t.Helper()
		if err := f.connect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.commit(0, put("a", 1))
	connect()
	f.fail(errLost)
	before := s.commit(0, put("a", 2))
	b.ApplyOwn(before)
	covers("while history is lost", before.ID)
	s.mu.Lock()
	s.parts[0].stream = s.parts[0].stream[:1] // as it was when the follower asked for its end, a moment before the commit
	s.mu.Unlock()
	connect()
	covers("when it has just been found again", before.ID)

	f.fail(errLost)
	s.lose(0, 0, "second")
	connect()
	if got := b.Revision().marks[0]; got.epoch != "second" || got.top.Compare(before.ID) >= 0 {
		t.Errorf("in another epoch the revision is %+v", got)
	}
}

// TestBoards_Renew: an epoch ends when commits of it are found to be gone, and only then.
func TestBoards_Renew(t *testing.T) {
	var s *fakeStore
	var renewed []string
	renew := func(_ context.Context, partition int, epoch string) error {
		renewed = append(renewed, epoch)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.parts[partition].epoch = "after " + epoch
		return nil
	}
	node(t, Options{Renew: renew}, func(t *testing.T, store *fakeStore, b *Boards) {
		s = store
		for range 3 {
			b.ApplyOwn(s.commit(0, put("a", 1)))
		}
		r := b.Revision()
		_ = pause(t.Context(), time.Second)
		s.outage(0, 2)
		_ = pause(t.Context(), time.Minute)
		if err := b.WaitFor(t.Context(), r); err != nil || len(renewed) > 0 {
			t.Errorf("after an outage: %v, renewed %v", err, renewed)
		}
		s.lose(0, 1, "")
		s.commit(0, put("b", 1)) // the end of the stream alone does not show it
		_ = pause(t.Context(), time.Minute)
		if err := b.WaitFor(t.Context(), r); !errors.Is(err, ErrEpochChanged) {
			t.Errorf("WaitFor a commit that is gone: %v", err)
		}
		if len(renewed) != 1 || renewed[0] != "first" {
			t.Errorf("renewed %v", renewed)
		}
		if err := b.WaitFor(t.Context(), b.Revision()); err != nil {
			t.Errorf("WaitFor in the new epoch: %v", err)
		}
	})
}

// TestBoards_RevisionFromBeforeTheFirstPosition is of the history that came with it.
func TestBoards_RevisionFromBeforeTheFirstPosition(t *testing.T) {
	s := newFakeStore(1, 1, 0)
	b := NewBoards(Options{Source: s})
	own := s.commit(0, put("a", 1))
	b.ApplyOwn(own)
	r := b.Revision()
	f := &follower{b: b, p: b.parts[0]}
	if err := f.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.WaitFor(t.Context(), r); err != nil || r.marks[0].top != own.ID {
		t.Errorf("WaitFor %+v: %v", r.marks[0], err)
	}
}

func TestBoards_Following(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		if err := b.Following(t.Context()); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewBoards(Options{Source: newFakeStore(1, 1, 0)}).Following(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Boards that do not run: %v", err)
	}
}
