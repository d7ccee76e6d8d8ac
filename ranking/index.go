package ranking

import (
	"math/bits"
	"runtime"
	"sync/atomic"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// Index is one board's users in order: by value (which end first: Order), of equal values by who reached it first, then by
// the bytes of the user id. It is a counted B-tree in arrays beside a table of users; the package comment has its layout,
// invariants and costs. It is not safe for concurrent use; Board is.
type Index struct {
	order Order
	nodes
	root   uint32
	height int32 // the root's level; 0 where it is a leaf
	users  users
	memo   atomic.Pointer[memo] // of ranks on another board; see Elsewhere
}

// NewIndex returns an empty index.
func NewIndex(order Order) *Index {
	m := new(memory)
	x := &Index{order: order, nodes: nodes{mem: m}, users: newUsers(m)}
	x.root = x.newLeaf()
	l := x.leaf(x.root)
	l.parent, l.prev, l.next = none, none, none
	return x
}

// Len is how many users are on the board.
func (x *Index) Len() int { return x.users.n }

// Get is the entry of u.
func (x *Index) Get(u activity.User) (Entry, bool) {
	defer runtime.KeepAlive(x)
	l, i, ok := x.find(u)
	if !ok {
		return Entry{}, false
	}
	return x.entry(l, i), true
}

// Position is where u stands in ordinal order, counted from 0.
func (x *Index) Position(u activity.User) (int, bool) {
	defer runtime.KeepAlive(x)
	l, i, ok := x.find(u)
	if !ok {
		return 0, false
	}
	return x.before(x.users.leafOf(l.user[i])) + i, true
}

// Rank is the rank of u, counted from 1, over the whole board. It costs O(log n) for all three ways to number ties.
func (x *Index) Rank(u activity.User, t Ties) (int, bool) {
	defer runtime.KeepAlive(x)
	l, i, ok := x.find(u)
	if !ok {
		return 0, false
	}
	return x.rankAt(x.users.leafOf(l.user[i]), i, t), true
}

// number gives entry i of l its rank, where before entries and firsts first-of-their-values come before l.
func (x *Index) number(t Ties, l *leaf, i, before, firsts int) int {
	upTo := l.firsts & (low(i) | 1<<uint(i))
	switch t {
	case Dense:
		return firsts + ones(upTo)
	case Standard:
		if upTo != 0 {
			return before + bits.Len64(upTo)
		}
		return x.first(firsts) + 1
	default:
		return before + i + 1
	}
}

// Range appends up to limit rows from the given place on (0 is the first) in ordinal order, with ranks over the whole
// board. Offsets past the end and limits of 0 or less give none; a negative offset is 0. It costs O(log n + limit), and allocates
// only to grow dst.
func (x *Index) Range(dst []Row, offset, limit int, t Ties) []Row {
	defer runtime.KeepAlive(x)
	offset = max(offset, 0)
	if limit <= 0 || offset >= x.Len() {
		return dst
	}
	id, i, firsts := x.at(offset)
	return x.walk(dst, spot{x.leaf(id), i, offset, firsts}, limit, t)
}

// Around appends the row of u, and up to n rows before it and n after it, in ordinal order, with ranks over the whole board. own is the place of u's row among
// those appended. A negative n is 0. It costs O(log n + rows).
func (x *Index) Around(dst []Row, u activity.User, n int, t Ties) (rows []Row, own int, ok bool) {
	defer runtime.KeepAlive(x)
	l, i, ok := x.find(u)
	if !ok {
		return dst, 0, false
	}
	begin, firsts := x.bothBefore(x.users.leafOf(l.user[i])) // of the leaf
	place := begin + i
	from, to := max(place-max(n, 0), 0), min(place+max(n, 0)+1, x.Len())
	for begin > from {
		l = x.leaf(l.prev)
		begin, firsts = begin-int(l.n), firsts-ones(l.firsts)
	}
	return x.walk(dst, spot{l, from - begin, from, firsts}, to-from, t), place - from, true
}

// spot is a place of the board: entry i of a leaf, before which there are so many firsts.
type spot struct {
	*leaf
	i, place, firsts int
}

// walk appends limit rows, one at least, from a spot on.
func (x *Index) walk(dst []Row, s spot, limit int, t Ties) []Row {
	l, i, place := s.leaf, s.i, s.place
	x.touchIDs(l, i, limit)
	rank := x.number(t, l, i, place-i, s.firsts)
	for {
		dst = append(dst, Row{Rank: rank, Entry: x.entry(l, i), number: l.user[i]})
		place, i = place+1, i+1
		if limit--; limit == 0 {
			return dst
		}
		if i == int(l.n) {
			if l.next == none {
				return dst
			}
			l, i = x.leaf(l.next), 0
			x.touchIDs(l, i, limit)
		}
		switch first := l.firsts>>uint(i)&1 == 1; {
		case t == Dense && first:
			rank++
		case t == Ordinal, t == Standard && first:
			rank = place + 1
		}
	}
}

// After is how many entries come before or at e in ordinal order, which is the place of the first entry after it. e need
// not be on the board: a cursor stays good when its user has moved away.
func (x *Index) After(e Entry) int {
	defer runtime.KeepAlive(x)
	q := x.probe(e)
	before, id := 0, x.root
	for level := x.height; level > 0; level-- {
		in := x.inner(id)
		j := max(x.upper(&in.keys, int(in.n), &q)-1, 0)
		for i := range in.count[:j] {
			before += int(in.count[i])
		}
		id = in.child[j]
	}
	l := x.leaf(id)
	return before + x.upper(&l.keys, int(l.n), &q)
}

// MemoryBytes is what the index takes, roughly, ids included.
func (x *Index) MemoryBytes() int {
	return x.nodes.bytes() + x.users.bytes() + x.mem.spare() + x.memo.Load().bytes()
}

// entry is entry i of l as readers see it.
func (x *Index) entry(l *leaf, i int) Entry {
	return Entry{
		User:    activity.User(x.users.id(l.user[i])),
		Value:   x.order.sortable(l.value[i]),
		Reached: calendar.Instant(l.reached[i]),
	}
}

// find is the leaf and the place in it of u.
func (x *Index) find(u activity.User) (*leaf, int, bool) {
	n, ok := x.users.lookup(string(u))
	if !ok {
		return nil, 0, false
	}
	l := x.leaf(x.users.leafOf(n))
	return l, l.find(n), true
}

// rankAt is the rank of entry i of a leaf.
func (x *Index) rankAt(id uint32, i int, t Ties) int {
	if t == Ordinal {
		return x.before(id) + i + 1
	}
	before, firsts := x.bothBefore(id)
	return x.number(t, x.leaf(id), i, before, firsts)
}

// find is the place of a user. Reading 256 bytes in sequence is cheaper than a search that compares keys.
func (l *leaf) find(u uint32) int {
	i := indexOf(l.user[:l.n], u)
	if i < 0 {
		panic("ranking: a user is not in its leaf")
	}
	return i
}

// before counts the entries in the leaves before a leaf. It climbs: what comes before a node in its parent is a sum over an array, and no key is
// compared.
func (x *Index) before(id uint32) (count int) {
	l := x.leaf(id)
	for p, was := l.parent, &l.was; p != none; {
		in := x.inner(p)
		count += int(sum(in.count[:in.slotOf(id, was)]))
		id, p, was = p, in.parent, &in.was
	}
	return count
}

// bothBefore counts the firsts too.
func (x *Index) bothBefore(id uint32) (count, firsts int) {
	l := x.leaf(id)
	for p, was := l.parent, &l.was; p != none; {
		in := x.inner(p)
		slot := in.slotOf(id, was)
		count += int(sum(in.count[:slot]))
		firsts += int(sum(in.firsts[:slot]))
		id, p, was = p, in.parent, &in.was
	}
	return count, firsts
}

// at is the leaf and the place in it of the entry at a place of the board, and how many firsts come before the leaf.
func (x *Index) at(place int) (id uint32, i, firsts int) {
	id = x.root
	for level := x.height; level > 0; level-- {
		in := x.inner(id)
		j := 0
		for ; place >= int(in.count[j]); j++ {
			place -= int(in.count[j])
			firsts += int(in.firsts[j])
		}
		id = in.child[j]
	}
	return id, place, firsts
}

// first is the place of the n-th entry that is the first of its value; n counts from 1.
func (x *Index) first(n int) int {
	id, before := x.root, 0
	for level := x.height; level > 0; level-- {
		in := x.inner(id)
		j := 0
		for ; n > int(in.firsts[j]); j++ {
			n -= int(in.firsts[j])
			before += int(in.count[j])
		}
		id = in.child[j]
	}
	b := x.leaf(id).firsts
	for ; n > 1; n-- {
		b &= b - 1
	}
	return before + bits.TrailingZeros64(b)
}
