package query

import (
	"slices"
	"sync"

	"laurel/internal/activity"
	"laurel/ranking"
)

// room is memory for the rows of an answer, and for what is looked up on the way to them. The zero value has none and grows. (A window of 21 rows takes
// 4 KB: with that much new memory for every read, each would wait for memory that no cache holds, and push the boards out of it.)
type room struct {
	rows   []Row
	found  []ranking.Row // on whichever board was asked last
	sorted []ranking.Row
	order  []uint64
	before ranking.Elsewhere
	user   [1]activity.User
	home   *rooms // nil: of nobody
}

// expect forgets what was found and makes room for n rows.
func (m *room) expect(n int) { m.found = slices.Grow(m.found[:0], n) }

// sort brings what was found into board order. A rank and a place, 32 bits each, are sorted in a third of the time that rows take; only equal ranks need a
// look at the rows.
func (m *room) sort() {
	m.order = m.order[:0]
	for i := range m.found {
		m.order = append(m.order, uint64(m.found[i].Rank)<<32|uint64(i))
	}
	slices.Sort(m.order)
	m.sorted = slices.Grow(m.sorted[:0], len(m.found))
	for _, o := range m.order {
		m.sorted = append(m.sorted, m.found[uint32(o)])
	}
	m.found, m.sorted = m.sorted, m.found
	for rest := m.found; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Rank == rest[0].Rank {
			n++
		}
		slices.SortFunc(rest[:n], boardOrder)
		rest = rest[n:]
	}
}

// Release gives back the memory that the rows of an answer are in: nothing of the answer may be used after it. An answer that is not released is collected as
// anything else is.
func (m *room) Release() {
	if m != nil && m.home != nil {
		m.home.pool.Put(m)
	}
}

// rooms lends rooms. What waits there keeps the ids that were last shown from being collected, until the pool is emptied by the collector.
type rooms struct{ pool sync.Pool }

func (r *rooms) get() *room {
	if m, ok := r.pool.Get().(*room); ok {
		return m
	}
	return &room{home: r}
}
