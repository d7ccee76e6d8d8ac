package ranking

import "hash/maphash"

// none stands for "no node" and "no user".
const none = ^uint32(0)

// userRec is what is known of an interned user: where its id lies and which leaf holds its entry.
type userRec struct {
	id   uint32 // reference into the arena
	leaf uint32 // for a free number: the next free one
}

// users interns user ids to small numbers. A number is stable while its user is on the board, and used again after.
//
// The table has open addressing with linear probing. A slot is hash<<32 | number+1, 0 where empty. Its place is hash·len/2³²:
// places ascend with hashes, so that a larger table is filled almost in sequence, and any length will do, so that the table
// can grow by half where powers of two would leave it half empty. The hash is seeded at random per board: ids come from clients,
// and with a known hash they could be chosen to collide.
//
// Invariants: every user in use is found by lookup; n·16 ≤ 13·len(slots); n + |free numbers| = len(recs).
type users struct {
	seed  maphash.Seed
	slots []uint64
	recs  []userRec
	free  uint32
	n     int
	arena arena
}

func newUsers() users {
	return users{seed: maphash.MakeSeed(), free: none}
}

func (t *users) id(u uint32) string { return t.arena.get(t.recs[u].id) }

func (t *users) hash(id string) uint32 { return uint32(maphash.String(t.seed, id) >> 32) }

// lookup finds the number of a user.
func (t *users) lookup(id string) (uint32, bool) {
	if t.n == 0 {
		return none, false
	}
	h := t.hash(id)
	for i := t.home(h); ; i = t.after(i) {
		s := t.slots[i]
		if s == 0 {
			return none, false
		}
		if uint32(s>>32) == h {
			if u := uint32(s) - 1; t.id(u) == id {
				return u, true
			}
		}
	}
}

// add interns an id that is not there yet.
func (t *users) add(id string) uint32 {
	if len(id) > maxID {
		panic("ranking: user id of more than 255 bytes")
	}
	if (t.n+1)*16 > 13*len(t.slots) {
		t.grow()
	}
	u := t.free
	if u != none {
		t.free = t.recs[u].leaf
	} else {
		u = uint32(len(t.recs))
		t.recs = append(t.recs, userRec{})
	}
	t.recs[u] = userRec{id: t.write(id), leaf: none}
	t.place(uint64(t.hash(id))<<32 | uint64(u+1))
	t.n++
	return u
}

// home is where a slot with this hash belongs, and after the place behind another, the first behind the last.
func (t *users) home(hash uint32) int { return int(uint64(hash) * uint64(len(t.slots)) >> 32) }

func (t *users) after(i int) int {
	if i++; i < len(t.slots) {
		return i
	}
	return 0
}

// place puts a slot where its hash wants it, or behind.
func (t *users) place(s uint64) {
	i := t.home(uint32(s >> 32))
	for t.slots[i] != 0 {
		i = t.after(i)
	}
	t.slots[i] = s
}

// grow makes the table half as large again: O(n), about 10 ns a user, amortised over the users added since the last time.
func (t *users) grow() {
	old := t.slots
	t.slots = make([]uint64, max(8, len(old)+len(old)/2))
	for _, s := range old {
		if s != 0 {
			t.place(s)
		}
	}
}

// remove gives up a user's number and bytes.
func (t *users) remove(u uint32) {
	t.unplace(u)
	ref := t.recs[u].id
	t.recs[u].leaf, t.free = t.free, u
	t.n--
	t.arena.release(ref)
	if c := ref >> 16; t.arena.sparse(c) {
		t.evacuate(c)
	}
}

// unplace empties the slot of u and moves those behind it up, so that no probe ends too early and no tombstone is needed.
func (t *users) unplace(u uint32) {
	hole := t.home(t.hash(t.id(u)))
	for uint32(t.slots[hole]) != u+1 {
		hole = t.after(hole)
	}
	for i := t.after(hole); t.slots[i] != 0; i = t.after(i) {
		home := t.home(uint32(t.slots[i] >> 32))
		if t.distance(home, i) >= t.distance(hole, i) { // home is at the hole or before it
			t.slots[hole] = t.slots[i]
			hole = i
		}
	}
	t.slots[hole] = 0
}

// distance is how many steps lead from one place to another.
func (t *users) distance(from, to int) int {
	if from <= to {
		return to - from
	}
	return to - from + len(t.slots)
}

// write puts the bytes of an id into the arena.
func (t *users) write(id string) uint32 {
	if t.arena.fits(len(id)) {
		return t.arena.add(id)
	}
	last := t.arena.cur
	t.arena.next()
	ref := t.arena.add(id)
	if int(last) < len(t.arena.text) && t.arena.sparse(last) {
		t.evacuate(last)
	}
	return ref
}

// evacuate moves the ids in use out of a sparse chunk. It costs one lookup for each of at most 64 KiB of ids, and moves
// fewer bytes than have died there, so removals stay O(1) amortised and the arena below twice its live bytes and a chunk.
func (t *users) evacuate(chunk uint32) {
	text := t.arena.text[chunk]
	for at := 0; at < len(text); at += 1 + int(text[at]) {
		id := text[at+1 : at+1+int(text[at])]
		if u, ok := t.lookup(id); ok && t.recs[u].id == chunk<<16|uint32(at) {
			t.recs[u].id = t.write(id)
		}
	}
	t.arena.live[chunk] = 0
	t.arena.drop(chunk)
}

func (t *users) bytes() int { return cap(t.slots)*8 + cap(t.recs)*8 + t.arena.bytes() }
