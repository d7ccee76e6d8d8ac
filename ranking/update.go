package ranking

import (
	"runtime"

	"laurel/internal/activity"
)

// Upsert puts a user on the board, or moves the user to another value. O(log n); no allocation for a user who is there,
// but for the growth of the index, amortised. A user id is at most 255 bytes (the server's limit is 128); a longer one panics.
func (x *Index) Upsert(e Entry) {
	defer runtime.KeepAlive(x)
	q := x.probe(e)
	u, ok := x.users.lookup(q.id)
	x.put(&q, u, ok, none)
}

// put puts q, who is u if known, on the board or moves it. target may be a leaf where it may belong.
func (x *Index) put(q *probe, u uint32, known bool, target uint32) {
	if !known {
		u = x.users.add(q.id)
		x.forget(u)
		x.insert(q, u, target)
		return
	}
	id := x.users.leafOf(u)
	l := x.leaf(id)
	i := l.find(u)
	if l.value[i] == q.value && l.reached[i] == q.reached {
		return
	}
	if x.height == 0 || x.surrounds(l, q) {
		x.moveWithin(id, i, q)
		return
	}
	x.remove(id, i)
	x.insert(q, u, target)
}

// surrounds says whether q belongs between two entries of a leaf.
func (x *Index) surrounds(l *leaf, q *probe) bool {
	return l.n > 0 && !x.isAfter(&l.keys, 0, q) && x.isAfter(&l.keys, int(l.n)-1, q)
}

// Remove takes a user off the board and says whether the user was on it. O(log n).
func (x *Index) Remove(u activity.User) bool {
	defer runtime.KeepAlive(x)
	n, ok := x.users.lookup(string(u))
	if ok {
		x.drop(n)
	}
	return ok
}

// drop takes u off the board.
func (x *Index) drop(u uint32) {
	id := x.users.leafOf(u)
	x.remove(id, x.leaf(id).find(u))
	x.users.remove(u)
}

// descend is the leaf where q belongs.
func (x *Index) descend(q *probe) uint32 {
	id := x.root
	for level := x.height; level > 0; level-- {
		id = x.below(id, q)
	}
	return id
}

// below is the child of an inner node where q belongs.
func (x *Index) below(id uint32, q *probe) uint32 {
	in := x.inner(id)
	return in.child[max(x.upper(&in.keys, int(in.n), q)-1, 0)]
}

// insert puts u, who has no entry, at its place. target may be a leaf that was right some updates ago, in use since or not: if q lies
// between its entries now, it is right.
func (x *Index) insert(q *probe, u, target uint32) {
	id := target
	if id == none || !x.surrounds(x.leaf(id), q) {
		id = x.descend(q)
	}
	l := x.leaf(id)
	i := x.upper(&l.keys, int(l.n), q)
	if l.n == width {
		id, i = x.makeRoom(id, i)
		l = x.leaf(id)
	}
	l.shift(i, int(l.n), 1)
	l.set(i, key{q.value, q.reached, u})
	l.n++
	x.users.setLeaf(u, id)
	was := ones(l.firsts)
	l.firsts = openBit(l.firsts, i, 0)
	x.markFirsts(l, i, i+1)
	x.climb(id, 1, ones(l.firsts)-was, i == 0)
}

// remove takes entry i out of a leaf. The user stays interned.
func (x *Index) remove(id uint32, i int) {
	l := x.leaf(id)
	l.shift(i+1, int(l.n), -1)
	l.n--
	was := ones(l.firsts)
	l.firsts = closeBit(l.firsts, i)
	if l.n == 0 && x.height > 0 {
		x.climb(id, -1, -was, false)
		next := l.next
		x.unlink(id)
		x.removeChild(l.parent, x.inner(l.parent).slot(id))
		x.markFirst(next)
		return
	}
	x.markFirsts(l, i, i)
	x.climb(id, -1, ones(l.firsts)-was, i == 0)
	if l.n < minimum {
		x.refillLeaf(id)
	}
}

// moveWithin moves entry i of a leaf to where q belongs in the same leaf. Nothing but the order inside the leaf, its firsts and
// perhaps its first key change, so most moves of a board of one leaf, or by a little, touch a few cache lines only.
func (x *Index) moveWithin(id uint32, i int, q *probe) {
	l := x.leaf(id)
	to := x.upper(&l.keys, int(l.n), q)
	u, was := l.user[i], ones(l.firsts)
	if to > i {
		to-- // the entry itself was among those before q
		l.shift(i+1, to+1, -1)
	} else {
		l.shift(to, i, 1)
	}
	l.set(to, key{q.value, q.reached, u})
	l.firsts = openBit(closeBit(l.firsts, i), to, 0)
	x.markFirsts(l, min(i, to), max(i, to)+1)
	if d := ones(l.firsts) - was; d != 0 || i == 0 || to == 0 {
		x.climb(id, 0, d, true)
	}
}

// markFirsts sets the firsts of entries from to to of a leaf after a change there. Where to is past the leaf's end, the entry
// meant is the first of the next leaf.
func (x *Index) markFirsts(l *leaf, from, to int) {
	for i := from; i <= to && i < int(l.n); i++ {
		l.firsts &^= 1 << uint(i)
		if x.isFirst(l, i) {
			l.firsts |= 1 << uint(i)
		}
	}
	if to >= int(l.n) {
		x.markFirst(l.next)
	}
}

// markFirst sets the first of entry 0 of a leaf, and counts the difference above it.
func (x *Index) markFirst(id uint32) {
	if id == none {
		return
	}
	l := x.leaf(id)
	first := x.isFirst(l, 0)
	switch was := l.firsts&1 == 1; {
	case first && !was:
		l.firsts |= 1
		x.climb(id, 0, 1, false)
	case !first && was:
		l.firsts &^= 1
		x.climb(id, 0, -1, false)
	}
}

// isFirst says whether entry i is the first of the board with its value. Entries of equal value are neighbours.
func (x *Index) isFirst(l *leaf, i int) bool {
	if i > 0 {
		return l.value[i-1] != l.value[i]
	}
	if l.prev == none {
		return true
	}
	p := x.leaf(l.prev)
	return p.value[p.n-1] != l.value[0]
}

// climb tells the nodes above a leaf that its count and its firsts changed by so much and, with rekey, that its first key did.
func (x *Index) climb(id uint32, count, firsts int, rekey bool) {
	l := x.leaf(id)
	child := id
	for p, was := l.parent, &l.was; p != none; {
		in := x.inner(p)
		i := in.slotOf(child, was)
		in.count[i] += uint32(count)
		in.firsts[i] += uint32(firsts)
		if rekey {
			in.keys.set(i, l.get(0))
			rekey = i == 0
		}
		child, p, was = p, in.parent, &in.was
	}
}
