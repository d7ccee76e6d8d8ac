package ranking

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// Board is an Index that readers and the appliers of changes share. A handle is meant for one request or one tick: a board that was
// dropped (idle, or history was lost) keeps answering with what it had, and Dropped tells. Open is cheap; ask again.
type Board struct {
	id    feed.Board
	order Order
	self  weak.Pointer[Board]

	revision atomic.Uint64
	members  atomic.Int64
	used     atomic.Int64 // when it was last asked for, in Unix nanoseconds
	place    int          // in Boards.list; guarded by Boards.mu
	parts    atomic.Int32 // partitions that are not loaded yet
	// since has, for each partition, the number of the follower's read during which the load ended; until then the greatest number.
	since []atomic.Int64

	ready   chan struct{} // closed when the board is whole
	gone    chan struct{} // closed when Boards has dropped it
	failure error         // why, if a load failed; written before gone is closed

	mu    sync.RWMutex
	index *Index
	state uint64 // grows whenever index may have changed, also in the middle of a change
	// own has the users whose last write came early, and whose change the follower has not passed yet.
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
	b.self = weak.Make(b)
	b.revision.Store(uint64(rand.Int64())) // far from where it would begin again
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

// Revision grows by one with every applied change that touched this board, at its last write. It begins anywhere, so that equal ones mean the same rows,
// save those of a change that is being applied, whatever the node and however often the board was loaded.
func (b *Board) Revision() uint64 { return b.revision.Load() }

// View calls f with the index and its revision under the read lock. f must not keep x, nor do I/O, nor call View; the rows
// and user ids that it reads may be kept.
func (b *Board) View(f func(x *Index, revision uint64)) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	f(b.index, b.revision.Load())
}

// findPiece is how many users Find looks for under one lock: some tens of microseconds on a large board.
const findPiece = 4 * together

// Find appends a row for each of users to dst as Index.Find does, and tells how many are on the board. All of it is of one moment, but the
// lock is not held all the time: where the board changes meanwhile Find starts again, and after a few times it does hold it.
func (b *Board) Find(dst []Row, users []activity.User, t Ties) (rows []Row, total int) {
	rows, total, _ = b.findIn(dst, users, t)
	return rows, total
}

// findIn is Find, and tells in which state of the board.
func (b *Board) findIn(dst []Row, users []activity.User, t Ties) (rows []Row, total int, state uint64) {
	for range 3 {
		if rows, total, state, ok := b.findInPieces(dst, users, t); ok {
			return rows, total, state
		}
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.index.Find(dst, users, t), b.index.Len(), b.state
}

func (b *Board) findInPieces(dst []Row, users []activity.User, t Ties) (rows []Row, total int, state uint64, ok bool) {
	n := min(len(users), findPiece)
	dst, total, state = b.findSome(dst, users[:n], t)
	for users = users[n:]; len(users) > 0; users = users[n:] {
		n = min(len(users), findPiece)
		var now uint64
		if dst, total, now = b.findSome(dst, users[:n], t); now != state {
			return nil, 0, 0, false
		}
	}
	return dst, total, state, true
}

func (b *Board) findSome(dst []Row, users []activity.User, t Ties) (rows []Row, total int, state uint64) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.index.Find(dst, users, t), b.index.Len(), b.state
}

func (b *Board) stateNow() uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.state
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

// origin says how a change came.
type origin uint8

const (
	streamed origin = iota // by the stream
	direct                 // from this node; every change before it is in
	early                  // from this node, and changes before it are not known here yet
)

// chain is the list of one board's writes in a change, from first on by partition.next; -1 ends it.
type chain struct{ first, last int32 }

// apply applies a chain of writes of one change, some together under one lock. The revision moves with the last of them, so that who has
// seen a part of a change reads again.
func (b *Board) apply(c *feed.Change, writes chain, p *partition, from origin) {
	changed := false
	for i := writes.first; i >= 0; {
		i = b.applySome(c, i, p, from, &changed)
	}
}

// applySome applies at most together writes under one lock and gives the place of the next one.
func (b *Board) applySome(c *feed.Change, i int32, p *partition, from origin, changed *bool) int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	us := p.updates[:0]
	for n := 0; i >= 0 && n < together; i, n = p.next[i], n+1 {
		w := &c.Writes[i]
		if !b.admits(w.User, c.ID, from) {
			continue
		}
		if b.touched != nil {
			b.touched[w.User] = struct{}{}
		}
		us = append(us, Update{Entry{User: w.User, Value: w.Value, Reached: w.Reached}, w.Removed})
	}
	b.index.Apply(us)
	b.state++
	b.members.Store(int64(b.index.Len()))
	if *changed = *changed || len(us) > 0; *changed && i < 0 {
		b.revision.Add(1)
	}
	return i
}

// admits says whether a write is news, and keeps the book of own writes. A write that came early is applied before the
// stream's, so what the stream then still has for that user, up to and with that commit itself, is older or the same.
func (b *Board) admits(u activity.User, at feed.Position, from origin) bool {
	if from != early && len(b.own) == 0 {
		return true
	}
	booked, pending := b.own[u]
	switch {
	case from != streamed && pending && at.Compare(booked) <= 0:
		return false
	case from == early:
		b.own[u] = at
		return true
	case from == streamed && pending && at.Compare(booked) < 0:
		return false
	case from == streamed && pending:
		delete(b.own, u)
		return at != booked
	default:
		return true
	}
}

// errGone ends the load of a board that was dropped meanwhile.
var errGone = errors.New("board was dropped")

// fill takes rows that were loaded, save those of users that a change has touched since the load began.
func (b *Board) fill(rows []Entry) error {
	if b.Dropped() {
		return errGone
	}
	var scratch [together]Update
	for len(rows) > 0 {
		n := min(len(rows), together)
		b.fillSome(rows[:n], scratch[:0])
		rows = rows[n:]
	}
	return nil
}

func (b *Board) fillSome(rows []Entry, us []Update) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range rows {
		if len(b.touched) > 0 {
			if _, newer := b.touched[e.User]; newer {
				continue
			}
		}
		us = append(us, Update{Entry: e})
	}
	b.index.Apply(us)
	b.state++
	b.members.Store(int64(b.index.Len()))
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
