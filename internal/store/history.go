package store

import (
	"context"
	"slices"
	"sort"
	"sync"
	"time"

	"laurel/internal/feed"
)

// history is a change stream of the embedded store as its followers read it. The strings are those that the server holds.
//
// Invariants: entries ascend by id; each one's prev is the one before; end is the id of the last one ever added.
type history struct {
	mu      sync.Mutex
	entries []entry
	end     feed.Position
	more    chan struct{} // closed at the next add
}

func newHistory() *history { return &history{more: make(chan struct{})} }

// add appends an entry and keeps the last keep ones.
func (h *history) add(e entry, keep int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = append(h.entries, e)
	if n := len(h.entries) - keep; n > 0 {
		clear(h.entries[:n])
		h.entries = h.entries[n:]
	}
	h.end = e.id
	close(h.more)
	h.more = make(chan struct{})
}

// dropBefore drops the entries before a position, and says how many are left.
func (h *history) dropBefore(first feed.Position) (left int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := sort.Search(len(h.entries), func(i int) bool { return h.entries[i].id.Compare(first) >= 0 })
	clear(h.entries[:n])
	h.entries = h.entries[n:]
	return len(h.entries)
}

func (h *history) setEnd(end feed.Position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.end = end
}

// after gives what is there, and a channel that is closed when there is more.
func (h *history) after(p feed.Position, limit int) (entries []entry, more <-chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := sort.Search(len(h.entries), func(i int) bool { return h.entries[i].id.Compare(p) > 0 })
	if i < len(h.entries) {
		return slices.Clone(h.entries[i:min(i+limit, len(h.entries))]), nil, nil
	}
	if p != h.end {
		return nil, nil, feed.ErrTrimmed
	}
	return nil, h.more, nil
}

// wait gives entries after p, and waits at most block for the first.
func (h *history) wait(ctx context.Context, p feed.Position, limit int, block time.Duration) ([]entry, error) {
	entries, more, err := h.after(p, limit)
	if err != nil || len(entries) > 0 || block <= 0 {
		return entries, err
	}
	t := time.NewTimer(block)
	defer t.Stop()
	select {
	case <-more:
		entries, _, err = h.after(p, limit)
		return entries, err
	case <-t.C:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
