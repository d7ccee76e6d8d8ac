package ranking

import (
	"runtime"
	"sync/atomic"

	"laurel/internal/activity"
)

// A large index is not bound by what it computes but by memory that is not in the cache: a slot of the table, a record, an id, a leaf, one after
// the other, each at a random place, some hundred nanoseconds together before the first comparison. The processor can wait for many
// places at once, if it is told of them soon enough. So a batch goes through the steps together: first the slots of all its users, then
// their records, then the leaves; what each step reads is independent of what else it reads. Then the work is done one by one, and finds what it
// needs in the cache. A few dozen together are enough to hide the waiting, and their leaves fit into the cache.

// together is how many users go through the steps at a time.
const together = 32

// Update is one step of a batch: an entry to put on the board or, if Removed, a user to take off.
type Update struct {
	Entry
	Removed bool
}

// Apply does Upsert and Remove in the order of us. On a board that is larger than the processor's cache it takes a half to a third of the time that
// single calls take.
func (x *Index) Apply(us []Update) {
	defer runtime.KeepAlive(x)
	var b batch
	for len(us) > 0 {
		n := min(len(us), together)
		x.applyTogether(us[:n], &b)
		us = us[n:]
	}
}

func (x *Index) applyTogether(us []Update, b *batch) {
	for i := range us {
		b.id[i] = string(us[i].User)
	}
	b.n = len(us)
	x.users.locate(b)
	x.touchLeaves(b)
	x.touchTargets(us, b)
	for i := range us {
		u, known := b.user[i], true
		if !x.users.is(u, b.id[i]) {
			u, known = x.users.lookup(b.id[i])
		}
		switch {
		case !us[i].Removed:
			x.put(&b.probe[i], u, known, b.target[i])
		case known:
			x.drop(u)
		}
	}
}

// Find appends a row for each of users to dst, ranked over the whole board; one who is not on the board has rank 0. For many users it takes a fraction of
// the time of single calls of Get and Rank.
func (x *Index) Find(dst []Row, users []activity.User, t Ties) []Row {
	defer runtime.KeepAlive(x)
	var b batch
	for len(users) > 0 {
		n := min(len(users), together)
		dst = x.findTogether(dst, users[:n], t, &b)
		users = users[n:]
	}
	return dst
}

func (x *Index) findTogether(dst []Row, users []activity.User, t Ties, b *batch) []Row {
	x.settle(users, b)
	x.touchEntries(b)
	x.touchParents(b)
	for i, u := range b.user[:b.n] {
		if u == none {
			dst = append(dst, Row{Entry: Entry{User: users[i]}, number: none})
			continue
		}
		l := x.leaf(b.leaf[i])
		dst = append(dst, Row{Rank: x.rankAt(b.leaf[i], b.place[i], t), Entry: x.entry(l, b.place[i]), number: u})
	}
	return dst
}

// settle finds users for certain, and where their entries are; user is none for those who are not on the board.
func (x *Index) settle(users []activity.User, b *batch) {
	for i, u := range users {
		b.id[i] = string(u)
	}
	b.n = len(users)
	x.users.locate(b)
	x.touchUsers(b)
	for i, id := range b.id[:b.n] {
		if !x.users.is(b.user[i], id) {
			u, ok := x.users.lookup(id) // another user has the same hash
			if b.user[i] = u; !ok {
				continue
			}
			b.leaf[i] = x.users.leafOf(u)
		}
		b.place[i] = x.leaf(b.leaf[i]).find(b.user[i])
	}
}

// batch is what is known of some users: hints only, to be checked before use.
type batch struct {
	n      int
	id     [together]string
	hash   [together]uint32
	user   [together]uint32 // the first with the hash, or none
	leaf   [together]uint32 // of user; for none some leaf
	place  [together]int    // in leaf; only settle knows it
	probe  [together]probe
	target [together]uint32 // where the new entry belongs
}

// locate finds users by their hashes.
func (t *users) locate(b *batch) {
	for i, id := range b.id[:b.n] {
		b.hash[i] = t.hash(id)
	}
	var sum uint64
	for _, h := range b.hash[:b.n] { // as short as it can be: the processor looks ahead over so many instructions, not over so many turns
		s := t.table.segment(h)
		sum += s[s.home(h)]
	}
	touched(sum)
	for i, h := range b.hash[:b.n] {
		b.user[i] = t.table.candidate(h)
	}
	var refs [together]uint32
	for i, u := range b.user[:b.n] {
		b.leaf[i], refs[i] = 0, none
		if u != none {
			r := t.rec(u)
			b.leaf[i], refs[i] = r.leaf(), r.ref
		}
	}
	sum = 0
	for _, ref := range refs[:b.n] {
		if ref != none {
			sum += uint64(t.arena.text[ref>>16][ref&0xffff])
		}
	}
	touched(sum)
}

// candidate is the first user with a hash, or none.
func (t *table) candidate(h uint32) uint32 {
	s := t.segment(h)
	for i := s.home(h); s[i] != 0; i = s.after(i) {
		if uint32(s[i]>>32) == h {
			return uint32(s[i]) - 1
		}
	}
	return none
}

// touchUsers reads the heads and the users of leaves.
func (x *Index) touchUsers(b *batch) {
	var sum uint64
	for _, id := range b.leaf[:b.n] {
		l := x.leaf(id)
		sum += l.firsts
		for i := 0; i < width; i += line / 4 {
			sum += uint64(l.user[i])
		}
	}
	touched(sum)
}

// touchEntries reads the rest of the entries that settle found.
func (x *Index) touchEntries(b *batch) {
	var sum uint64
	for i, u := range b.user[:b.n] {
		if u != none {
			l := x.leaf(b.leaf[i])
			sum += uint64(l.value[b.place[i]]) + uint64(l.reached[b.place[i]])
		}
	}
	touched(sum)
}

// touchParents reads what a rank needs of the nodes above the leaves that settle found: where each leaf was the last time, and the counts before.
func (x *Index) touchParents(b *batch) {
	if x.height == 0 {
		return
	}
	var sum uint64
	for i, u := range b.user[:b.n] {
		if u == none {
			continue
		}
		l := x.leaf(b.leaf[i])
		in, was := x.inner(l.parent), atomic.LoadUint32(&l.was)&(width-1)
		sum += uint64(in.child[was]) + uint64(in.n)
		for ; was < width; was -= line / 4 { // ends below 0
			sum += uint64(in.count[was])
		}
	}
	touched(sum)
}

// touchIDs reads where the ids of at most n entries of a leaf from place i on lie, and then the ids, for who writes the rows: half of a long range's time, if each
// row waits for its own.
func (x *Index) touchIDs(l *leaf, i, n int) {
	var refs [width]uint32
	users := l.user[i:min(int(l.n), i+n)]
	for j, u := range users {
		refs[j] = x.users.rec(u).ref
	}
	var sum uint64
	for _, ref := range refs[:len(users)] {
		sum += uint64(x.users.arena.text[ref>>16][ref&0xffff])
	}
	touched(sum)
}

// touchLeaves reads what a move needs of the leaves that users leave.
func (x *Index) touchLeaves(b *batch) {
	var sum uint64
	for _, id := range b.leaf[:b.n] {
		sum += x.leaf(id).touch()
	}
	touched(sum)
}

// touchTargets finds the leaves where entries belong, and reads them.
func (x *Index) touchTargets(us []Update, b *batch) {
	for i := range us {
		b.probe[i], b.target[i] = x.probe(us[i].Entry), x.root
	}
	for level := x.height; level > 0; level-- {
		for i := range us {
			b.target[i] = x.below(b.target[i], &b.probe[i])
		}
	}
	var sum uint64
	for _, id := range b.target[:b.n] {
		sum += x.leaf(id).touch()
	}
	touched(sum)
}

// line is the size of a cache line in bytes.
const line = 64

// touch reads one word of each cache line of a leaf.
func (l *leaf) touch() uint64 {
	sum := l.firsts
	for i := 0; i < width; i += line / 4 {
		sum += uint64(l.user[i])
	}
	for i := 0; i < width; i += line / 8 {
		sum += uint64(l.value[i]) + uint64(l.reached[i])
	}
	return sum
}

// touched keeps the compiler from leaving out what was read for the cache's sake.
//
//go:noinline
func touched(uint64) {}
