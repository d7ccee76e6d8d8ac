package ranking

import "strings"

// arenaChunk is how many bytes of ids lie together. A reference has 16 bits for the place in a chunk.
const arenaChunk = 1 << 16

// maxID is the longest id in bytes: its length is kept in one byte.
const maxID = 255

// arena holds the bytes of user ids, each behind a byte with its length. Bytes that were written are never changed, so the
// strings handed out stay valid and equal for as long as somebody holds them, whatever happens to the board: a Row may
// outlive the lock it was read under, and no id is copied to read it. (Reusing the bytes of a removed id in place would
// save the moves below, and would change strings in the hands of readers.)
//
// A closed chunk of which more than half is dead is doomed: its ids in use are written again elsewhere, a few at a time, and then
// it is forgotten.
//
// Invariants: live[c] = Σ 1+len(id) over the ids in use whose reference lies in chunk c; a closed chunk that is sparse is in doomed, once.
type arena struct {
	text   []string // the chunks; text[cur] is the written part of open
	live   []int32
	free   []uint32 // numbers of chunks that hold nothing
	cur    uint32
	open   strings.Builder
	doomed []uint32 // chunks to give up; of the first, the ids before walked are done
	walked int
}

// get is the id of n bytes at ref. It does not read them.
func (a *arena) get(ref uint32, n int) string {
	at := int(ref&0xffff) + 1
	return a.text[ref>>16][at : at+n]
}

// write adds an id and gives its reference.
func (a *arena) write(id string) uint32 {
	if len(a.text) == 0 || a.open.Len()+1+len(id) > arenaChunk {
		a.next()
	}
	ref := a.cur<<16 | uint32(a.open.Len())
	a.open.WriteByte(byte(len(id)))
	a.open.WriteString(id)
	a.text[a.cur] = a.open.String()
	a.live[a.cur] += int32(1 + len(id))
	return ref
}

// next closes the open chunk and opens another.
func (a *arena) next() {
	last, any := a.cur, len(a.text) > 0
	a.open.Reset()
	if any { // a board that has filled a chunk will fill another; a small one grows as it needs
		a.open.Grow(arenaChunk)
	}
	if k := len(a.free); k > 0 {
		a.cur, a.free = a.free[k-1], a.free[:k-1]
	} else {
		a.cur = uint32(len(a.text))
		a.text, a.live = append(a.text, ""), append(a.live, 0)
	}
	if any && a.sparse(last) {
		a.doomed = append(a.doomed, last)
	}
}

// release gives up the id of n bytes at ref.
func (a *arena) release(ref uint32, n int) {
	c := ref >> 16
	was := a.sparse(c)
	a.live[c] -= int32(1 + n)
	if c != a.cur && !was && a.sparse(c) {
		a.doomed = append(a.doomed, c)
	}
}

// sparse says that more than half of a chunk is dead.
func (a *arena) sparse(chunk uint32) bool { return int(a.live[chunk])*2 < len(a.text[chunk]) }

// nextDoomed is the next id, in use or not, of the chunks to give up.
func (a *arena) nextDoomed() (ref uint32, id string, ok bool) {
	for len(a.doomed) > 0 {
		c := a.doomed[0]
		if text := a.text[c]; a.walked < len(text) {
			ref = c<<16 | uint32(a.walked)
			id = a.get(ref, int(text[a.walked]))
			a.walked += 1 + len(id)
			return ref, id, true
		}
		a.text[c] = "" // strings into it stay valid
		a.free = append(a.free, c)
		a.doomed, a.walked = a.doomed[1:], 0
	}
	return 0, "", false
}

func (a *arena) bytes() int {
	n := a.open.Cap() - a.open.Len() + cap(a.text)*16 + cap(a.live)*4 + (cap(a.free)+cap(a.doomed))*4
	for _, s := range a.text {
		n += len(s)
	}
	return n
}
