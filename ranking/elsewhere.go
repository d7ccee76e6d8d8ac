package ranking

import (
	"slices"
	"sync/atomic"
	"weak"

	"laurel/internal/activity"
)

// Elsewhere finds the places that the users of one board have on another. It is memory that can be used again; its zero value is ready. It is not safe for
// concurrent use.
//
// Rows are shown with the ranks of their users on the board of the period before, which hardly changes any more, while to find twenty users at random on
// a large board takes as long as all else that a read does. So a board remembers, by its own numbers of its users, which places they had on the other board and in
// which state of it. As long as that is its state they have them: one look in place of a dozen, each of which would wait for memory.
type Elsewhere struct {
	places  []Place
	missing []int // indexes of places that are not known
	users   []activity.User
	found   []Row
}

// Place is a user's rank, 0 for none, and value on a board.
type Place struct {
	Rank  int
	Value int64
}

// Find gives the places on other of the users of rows, which were read from b. It says what other.Find says, and all of it is of one moment. The slice is
// good until the next call.
func (e *Elsewhere) Find(b, other *Board, rows []Row, t Ties) []Place {
	e.places = slices.Grow(e.places[:0], len(rows))[:len(rows)]
	state := other.stateNow()
	b.recall(memoKey{other.self, t, state >> 32}, uint32(state), rows, e)
	if len(e.missing) > 0 && e.find(other, rows, t) != state {
		e.missing = e.missing[:0]
		for i := range rows { // what is known is of another moment than what was found
			e.missing = append(e.missing, i)
		}
		state = e.find(other, rows, t)
	}
	if len(e.missing) > 0 {
		b.remember(memoKey{other.self, t, state >> 32}, uint32(state), rows, e)
	}
	return e.places
}

// find looks for those who are missing, and tells in which state of the board.
func (e *Elsewhere) find(other *Board, rows []Row, t Ties) (state uint64) {
	e.users = e.users[:0]
	for _, i := range e.missing {
		e.users = append(e.users, rows[i].User)
	}
	e.found, _, state = other.findIn(e.found[:0], e.users, t)
	for n, i := range e.missing {
		e.places[i] = Place{e.found[n].Rank, e.found[n].Value}
	}
	return state
}

// memo has what a board remembers of another one. It takes 16 bytes a user, in chunks that are made when one of their users is remembered.
type memo struct {
	memoKey
	chunks []atomic.Pointer[memoChunk]
}

// memoKey is what a whole memo is about. A state is kept in two parts: era, and beside each place the rest.
type memoKey struct {
	of   weak.Pointer[Board] // a board that was dropped is not kept for it
	ties Ties
	era  uint64
}

// memoChunk has the places of as many numbers as a chunk of records has.
type memoChunk [recChunk]memoPlace

// memoPlace is a place that is remembered. Readers share a lock and may write at a time, so who writes takes it first: value belongs to tag as long as tag is
// what it was.
type memoPlace struct {
	tag   atomic.Uint64 // state<<32 | rank+1; nothing: nothing is known; taken: being written
	value atomic.Int64
}

const (
	nothing = 0
	taken   = 1 << 32 // of no rank
)

func (m *memoPlace) get(state uint32) (p Place, ok bool) {
	tag := m.tag.Load()
	p = Place{int(uint32(tag)) - 1, m.value.Load()}
	return p, p.Rank >= 0 && uint32(tag>>32) == state && m.tag.Load() == tag
}

// put does nothing where another is writing.
func (m *memoPlace) put(state uint32, p Place) {
	if tag := m.tag.Load(); tag != taken && m.tag.CompareAndSwap(tag, taken) {
		m.value.Store(p.Value)
		m.tag.Store(uint64(state)<<32 | uint64(p.Rank+1))
	}
}

// recall fills in the places that are remembered of a state, and lists the others.
func (b *Board) recall(k memoKey, state uint32, rows []Row, e *Elsewhere) {
	e.missing = e.missing[:0]
	b.mu.RLock()
	defer b.mu.RUnlock()
	m := b.index.memo.Load()
	known := m != nil && m.memoKey == k
	if known {
		m.touch(rows)
	}
	for i := range rows {
		if known && b.index.users.is(rows[i].number, string(rows[i].User)) {
			if at := m.at(rows[i].number); at != nil {
				if p, ok := at.get(state); ok {
					e.places[i] = p
					continue
				}
			}
		}
		e.missing = append(e.missing, i)
	}
}

// remember keeps the places of those who were missing.
func (b *Board) remember(k memoKey, state uint32, rows []Row, e *Elsewhere) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	m := b.index.memo.Load()
	if m == nil || m.memoKey != k || len(m.chunks) < len(b.index.users.recs) {
		m = b.index.newMemo(k, m)
	}
	for _, i := range e.missing {
		if u := rows[i].number; b.index.users.is(u, string(rows[i].User)) {
			m.make(u).put(state, e.places[i])
		}
	}
}

// newMemo makes room for all numbers that there are; what is remembered of the same is kept. Of two that are made at a time one is lost, and what it has
// is looked up again.
func (x *Index) newMemo(k memoKey, last *memo) *memo {
	m := &memo{memoKey: k, chunks: make([]atomic.Pointer[memoChunk], len(x.users.recs))}
	if last != nil && last.memoKey == k {
		for i := range last.chunks {
			m.chunks[i].Store(last.chunks[i].Load())
		}
	}
	x.memo.Store(m)
	return m
}

// at is where a number's place is kept, nil where there is no chunk for it.
func (m *memo) at(number uint32) *memoPlace {
	if c := number >> recChunkBits; int(c) < len(m.chunks) {
		if chunk := m.chunks[c].Load(); chunk != nil {
			return &chunk[number&(recChunk-1)]
		}
	}
	return nil
}

// touch reads the places of rows, whoever has their numbers now: together they take hardly longer than one.
func (m *memo) touch(rows []Row) {
	var sum uint64
	for i := range rows {
		if at := m.at(rows[i].number); at != nil {
			sum += at.tag.Load()
		}
	}
	touched(sum)
}

// make is at, and makes the chunk.
func (m *memo) make(number uint32) *memoPlace {
	c := &m.chunks[number>>recChunkBits]
	if c.Load() == nil {
		c.CompareAndSwap(nil, new(memoChunk))
	}
	return &c.Load()[number&(recChunk-1)]
}

// forget is told of a number that stands for another user from now on.
func (x *Index) forget(number uint32) {
	if m := x.memo.Load(); m != nil {
		if at := m.at(number); at != nil {
			at.tag.Store(nothing) // under the lock, which no reader shares
		}
	}
}

func (m *memo) bytes() int {
	if m == nil {
		return 0
	}
	n := len(m.chunks)
	for i := range m.chunks {
		if m.chunks[i].Load() != nil {
			n += 2 * recChunk
		}
	}
	return 8 * n
}
