package ranking

import (
	"testing"
	"time"

	"laurel/internal/feed"
)

// drop removes a board as a commit of retention does.
func (s *fakeStore) drop(partition int, board feed.Board) feed.Change {
	c := s.commit(partition, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[partition]
	c.Dropped = []feed.Board{board}
	p.stream[len(p.stream)-1] = c
	for at, h := range p.history {
		if at.board == board {
			p.history[at] = append(h, version{standing{}, len(p.stream)})
		}
	}
	return c
}

// TestBoards_Dropped: a board that retention removed leaves memory, whoever removed it, and who asks again finds it empty.
func TestBoards_Dropped(t *testing.T) {
	kept := feed.Board{Org: "o", Rule: "r", Label: "kept"}
	for _, own := range []bool{true, false} {
		node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
			s.commit(0, append(put("a", 1), feed.Write{Board: kept, User: "a", Value: 1}))
			gone, stays := mustOpen(t, b, board0, Descending), mustOpen(t, b, kept, Descending)
			if b.Stats().Members != 2 {
				t.Fatalf("%+v", b.Stats())
			}
			c := s.drop(0, board0)
			if own {
				b.ApplyOwn(c)
			} else {
				_ = pause(t.Context(), 2*time.Second)
			}
			if !gone.Dropped() || stays.Dropped() || b.Stats().Members != 1 {
				t.Errorf("own %v: dropped %v, the other %v, %+v", own, gone.Dropped(), stays.Dropped(), b.Stats())
			}
			if again := mustOpen(t, b, board0, Descending); first(again) != "" {
				t.Errorf("own %v: the board came back with %s", own, first(again))
			}
		})
	}
}
