package ranking

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// Board is an Index that readers and the appliers of changes share. A handle is meant for one request or one tick: a board that was
// dropped (idle, or history was lost) keeps answering with what it had, and Dropped tells. Open is cheap; ask again.
type Board struct {
	id    feed.Board
	order Order

	revision atomic.Uint64
	members  atomic.Int64
	used     atomic.Int64 // when it was last asked for, in Unix nanoseconds
	parts    atomic.Int32 // partitions that are not loaded yet
	// since has, for each partition, the number of the follower's read during which the load ended; until then the greatest number.
	since []atomic.Int64

	ready   chan struct{} // closed when the board is whole
	gone    chan struct{} // closed when Boards has dropped it
	failure error         // why, if a load failed; written before gone is closed

	mu    sync.RWMutex
	index *Index
	// own has the users whose last write came from ApplyOwn and whose change the follower has not passed yet.
	own map[activity.User]feed.Position
	// touched has the users that a change has written, or removed, since the load began: a loaded row of theirs may be older. nil once ready.
	touched map[activity.User]struct{}
}

func newBoard(id feed.Board, o Order, partitions int, now time.Time) *Board {
	b := &Board{
		id: id, order: o,
		ready: make(chan struct{}), gone: make(chan struct{}),
		index:   NewIndex(o),
		own:     make(map[activity.User]feed.Position),
		touched: make(map[activity.User]struct{}),
		since:   make([]atomic.Int64, partitions),
	}
	b.used.Store(now.UnixNano())
	b.parts.Store(int32(partitions))
	for p := range b.since {
		b.since[p].Store(math.MaxInt64)
	}
	return b
}

// ID names the board.
func (b *Board) ID() feed.Board { return b.id }

// Order is the order that the board was opened with.
func (b *Board) Order() Order { return b.order }

// Revision grows by one with every applied change that touched this board. It is a counter of this handle, not comparable between
// nodes or loads.
func (b *Board) Revision() uint64 { return b.revision.Load() }

// View calls f with the index and its revision under the read lock. f must not keep x, nor do I/O, nor call View; the rows
// and user ids that it reads may be kept.
func (b *Board) View(f func(x *Index, revision uint64)) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	f(b.index, b.revision.Load())
}

// Dropped says that the board no longer follows the store.
func (b *Board) Dropped() bool { return closed(b.gone) }

func (b *Board) isReady() bool { return closed(b.ready) }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// apply applies the writes of one change, chained by next from first on (-1 ends), under one lock.
func (b *Board) apply(c *feed.Change, first int32, next []int32, own bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := false
	for i := first; i >= 0; i = next[i] {
		w := &c.Writes[i]
		if b.admits(w.User, c.ID, own) {
			b.write(w)
			changed = true
		}
	}
	if changed {
		b.members.Store(int64(b.index.Len()))
		b.revision.Add(1)
	}
}

// admits says whether a write is news, and keeps the book of own writes. An own write is applied ahead of the stream, so
// what the stream then still has for that user, up to and with that change itself, is older or the same.
func (b *Board) admits(u activity.User, at feed.Position, own bool) bool {
	ahead, pending := b.own[u]
	switch {
	case own && pending && at.Compare(ahead) <= 0:
		return false
	case own:
		b.own[u] = at
		return true
	case pending && at.Compare(ahead) < 0:
		return false
	case pending:
		delete(b.own, u)
		return at != ahead
	default:
		return true
	}
}

func (b *Board) write(w *feed.Write) {
	if b.touched != nil {
		b.touched[w.User] = struct{}{}
	}
	if w.Removed {
		b.index.Remove(w.User)
		return
	}
	b.index.Upsert(Entry{User: w.User, Value: w.Value, Reached: w.Reached})
}

// errGone ends the load of a board that was dropped meanwhile.
var errGone = errors.New("board was dropped")

// fill takes rows that were loaded, save those of users that a change has touched since the load began.
func (b *Board) fill(rows []Entry) error {
	if b.Dropped() {
		return errGone
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range rows {
		if _, newer := b.touched[e.User]; !newer {
			b.index.Upsert(e)
		}
	}
	b.members.Store(int64(b.index.Len()))
	return nil
}

// loaded notes that one partition is loaded and followed; with the last one the board is ready.
func (b *Board) loaded() {
	if b.parts.Add(-1) > 0 {
		return
	}
	b.mu.Lock()
	b.touched = nil
	b.mu.Unlock()
	close(b.ready)
}
