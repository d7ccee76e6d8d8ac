package ranking

import (
	"testing"
	"time"
)

// TestBoards_RegisteredBetweenEarlyAndDirect: a board that is registered when own changes are in, of which the stream still brings the earlier, shows the
// later all the same.
func TestBoards_RegisteredBetweenEarlyAndDirect(t *testing.T) {
	s := newFakeStore(1, 1, 0)
	b := NewBoards(Options{Source: s})
	f := &follower{b: b, p: b.parts[0]}
	if err := f.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	foreign := s.commit(0, put("b", 1))
	first := s.commit(0, put("a", 1))
	b.ApplyOwn(first) // early: the foreign one is not known here yet
	if err := f.apply(&foreign); err != nil {
		t.Fatal(err)
	}
	second := s.commit(0, put("a", 2))
	b.ApplyOwn(second)

	bd := b.register(board0, Descending, time.Now())
	if err := f.apply(&first); err != nil {
		t.Fatal(err)
	}
	if err := f.apply(&second); err != nil {
		t.Fatal(err)
	}
	if err := bd.fill([]Entry{{User: "a", Value: 2}, {User: "b", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	bd.View(func(x *Index, _ uint64) {
		if e, _ := x.Get("a"); e.Value != 2 {
			t.Errorf("the board shows %d, the store has 2", e.Value)
		}
	})
}
