package ranking

import (
	"slices"
	"sync/atomic"
	"weak"

	"laurel/internal/activity"
)

// Elsewhere finds the ranks that the users of one board have on another. It is memory that can be used again; its zero value is ready. It is not safe for
// concurrent use.
//
// Rows are shown with the ranks of their users on the board of the period before, which hardly changes any more, while to find twenty users at random on
// a large board takes as long as all else that a read does. So a board remembers, by its own numbers of its users, which ranks they had on the other board and in
// which state of it. As long as that is its state they have them: one look in place of a dozen, each of which would wait for memory.
type Elsewhere struct {
	ranks   []int
	missing []int // places in ranks that are not known
	users   []activity.User
	found   []Row
}

// Ranks gives the ranks on other of the users of rows, which were read from b; 0 for one who is not there. It says what other.Find says, and all of it is of
// one moment. The slice is good until the next call.
func (e *Elsewhere) Ranks(b, other *Board, rows []Row, t Ties) []int {
	e.ranks = slices.Grow(e.ranks[:0], len(rows))[:len(rows)]
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
	return e.ranks
}

// find looks for those who are missing, and tells in which state of the board.
func (e *Elsewhere) find(other *Board, rows []Row, t Ties) (state uint64) {
	e.users = e.users[:0]
	for _, i := range e.missing {
		e.users = append(e.users, rows[i].User)
	}
	e.found, _, state = other.findIn(e.found[:0], e.users, t)
	for n, i := range e.missing {
		e.ranks[i] = e.found[n].Rank
	}
	return state
}

// memo has what a board remembers of another one. It takes 8 bytes a user, in chunks that are made when one of their users is remembered.
type memo struct {
	memoKey
	chunks []atomic.Pointer[memoChunk]
}

// memoKey is what a whole memo is about. A state is kept in two parts: era, and beside each rank the rest.
type memoKey struct {
	of   weak.Pointer[Board] // a board that was dropped is not kept for it
	ties Ties
	era  uint64
}

// memoChunk has, for each of as many numbers as a chunk of records has, state<<32 | rank+1; 0 where nothing is known.
type memoChunk [recChunk]atomic.Uint64

// recall fills in the ranks that are remembered of a state, and lists the others.
func (b *Board) recall(k memoKey, state uint32, rows []Row, e *Elsewhere) {
	e.missing = e.missing[:0]
	b.mu.RLock()
	defer b.mu.RUnlock()
	m := b.index.memo.Load()
	known := m != nil && m.memoKey == k
	for i := range rows {
		if known && b.index.users.is(rows[i].number, string(rows[i].User)) {
			if at := m.at(rows[i].number); at != nil {
				if v := at.Load(); uint32(v) != 0 && uint32(v>>32) == state {
					e.ranks[i] = int(uint32(v) - 1)
					continue
				}
			}
		}
		e.missing = append(e.missing, i)
	}
}

// remember keeps the ranks of those who were missing.
func (b *Board) remember(k memoKey, state uint32, rows []Row, e *Elsewhere) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	m := b.index.memo.Load()
	if m == nil || m.memoKey != k || len(m.chunks) < len(b.index.users.recs) {
		m = b.index.newMemo(k, m)
	}
	for _, i := range e.missing {
		if u := rows[i].number; b.index.users.is(u, string(rows[i].User)) {
			m.make(u).Store(uint64(state)<<32 | uint64(e.ranks[i]+1))
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

// at is where a number's rank is kept, nil where there is no chunk for it.
func (m *memo) at(number uint32) *atomic.Uint64 {
	if c := number >> recChunkBits; int(c) < len(m.chunks) {
		if chunk := m.chunks[c].Load(); chunk != nil {
			return &chunk[number&(recChunk-1)]
		}
	}
	return nil
}

// make is at, and makes the chunk.
func (m *memo) make(number uint32) *atomic.Uint64 {
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
			at.Store(0)
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
			n += recChunk
		}
	}
	return 8 * n
}
