package ranking

import "hash/maphash"

// none stands for "no node" and "no user".
const none = ^uint32(0)

const (
	recChunkBits = 12 // records are allocated 4,096 at a time (32 KiB); the first chunk grows as it needs
	recChunk     = 1 << recChunkBits

	// maxLeaves is how many leaves a record can tell apart: enough for 400 million users.
	maxLeaves = 1<<24 - 1
)

// userRec is what is known of an interned user: where its id lies, how long it is, and which leaf holds its entry. With the
// length here, a row can be read without a look at the id's bytes, which are a cache miss of their own.
type userRec struct {
	ref uint32 // reference into the arena; for a free number: the next free one
	at  uint32 // leaf<<8 | length of the id; unused for a free number
}

// unused is userRec.at of a free number: no leaf has that number.
const unused = none

func (r *userRec) leaf() uint32 { return r.at >> 8 }

// users interns user ids to small numbers. A number is stable while its user is on the board, and used again after. Ids lie in the
// arena, records in chunks, and the table leads from an id to its number.
//
// Invariants: every user in use is found by lookup, and nobody else; n + |free numbers| = numbers.
type users struct {
	mem     *memory
	seed    maphash.Seed
	table   table
	recs    [][]userRec
	numbers uint32 // how many numbers there are
	free    uint32
	n       int
	arena   arena
}

func newUsers(m *memory) users {
	return users{mem: m, seed: maphash.MakeSeed(), free: none, table: newTable(m)}
}

func (t *users) rec(u uint32) *userRec { return &t.recs[u>>recChunkBits][u&(recChunk-1)] }

func (t *users) id(u uint32) string {
	r := t.rec(u)
	return t.arena.get(r.ref, int(r.at&0xff))
}

func (t *users) leafOf(u uint32) uint32 { return t.rec(u).leaf() }

func (t *users) setLeaf(u, leaf uint32) {
	r := t.rec(u)
	r.at = leaf<<8 | r.at&0xff
}

// hash is seeded at random per board: ids come from clients, and with a known hash they could be chosen to collide.
func (t *users) hash(id string) uint32 { return uint32(maphash.String(t.seed, id) >> 32) }

// is says whether u is the number of this id now. u may be any number that ever was in use, or none.
func (t *users) is(u uint32, id string) bool {
	if u == none {
		return false
	}
	r := t.rec(u)
	return r.at != unused && t.arena.get(r.ref, int(r.at&0xff)) == id
}

// lookup finds the number of a user.
func (t *users) lookup(id string) (uint32, bool) {
	h := t.hash(id)
	s := t.table.segment(h)
	for i := s.home(h); s[i] != 0; i = s.after(i) {
		if uint32(s[i]>>32) == h {
			if u := uint32(s[i]) - 1; t.id(u) == id {
				return u, true
			}
		}
	}
	return none, false
}

// add interns an id that is not there yet.
func (t *users) add(id string) uint32 {
	if len(id) > maxID {
		panic("ranking: user id of more than 255 bytes")
	}
	u := t.number()
	*t.rec(u) = userRec{ref: t.arena.write(id), at: uint32(len(id))}
	t.table.insert(t.hash(id), u)
	t.n++
	t.tidy()
	return u
}

// number takes a free number, or makes one.
func (t *users) number() uint32 {
	if u := t.free; u != none {
		t.free = t.rec(u).ref
		return u
	}
	u := t.numbers
	t.numbers++
	t.recs = grow(t.mem, t.recs, recChunk, userRec{})
	return u
}

// remove gives up a user's number and bytes.
func (t *users) remove(u uint32) {
	id, r := t.id(u), t.rec(u)
	t.table.remove(t.hash(id), u)
	t.arena.release(r.ref, len(id))
	*r = userRec{ref: t.free, at: unused}
	t.free = u
	t.n--
	t.tidy()
}

// tidyStep is how many ids one addition or removal moves at most out of sparse chunks of the arena: some microseconds. A chunk becomes sparse by as
// many removals as half of its ids, and is walked in an eighth of its ids' number, so the arena stays below three times its live bytes.
const tidyStep = 8

// tidy moves ids in use out of the first of the chunks that are to be given up.
func (t *users) tidy() {
	for range tidyStep {
		ref, id, ok := t.arena.nextDoomed()
		if !ok {
			return
		}
		if u, found := t.lookup(id); found && t.rec(u).ref == ref {
			t.rec(u).ref = t.arena.write(id)
			t.arena.release(ref, len(id))
		}
	}
}

func (t *users) bytes() int { return t.table.bytes() + t.arena.bytes() + chunkBytes(t.recs) }
