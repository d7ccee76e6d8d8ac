package ranking

import "strings"

// arenaChunk is how many bytes of ids lie together. A reference has 16 bits for the place in a chunk.
const arenaChunk = 1 << 16

// maxID is the longest id in bytes: its length is kept in one byte.
const maxID = 255

// arena holds the bytes of user ids, each behind a byte with its length. Bytes that were written are never changed, so the
// strings handed out stay valid and equal for as long as somebody holds them, whatever happens to the board: a Row may
// outlive the lock it was read under, and no id is copied to read it. (Reusing the bytes of a removed id in place would
// save the evacuation below, and would change strings in the hands of readers.)
//
// Invariant, for every chunk c: live[c] = Σ 1+len(id) over the ids in use whose reference lies in c.
type arena struct {
	text []string // the chunks; text[cur] is the written part of open
	live []int32
	free []uint32 // numbers of chunks that hold nothing
	cur  uint32
	open strings.Builder
}

// get is the id at ref.
func (a *arena) get(ref uint32) string {
	s := a.text[ref>>16][ref&0xffff:]
	return s[1 : 1+int(s[0])]
}

// fits says whether an id of n bytes still goes into the open chunk.
func (a *arena) fits(n int) bool {
	return len(a.text) > 0 && a.open.Len()+1+n <= arenaChunk
}

// next closes the open chunk and opens another.
func (a *arena) next() {
	large := len(a.text) > 0
	a.open.Reset()
	if large { // a board that has filled a chunk will fill another; a small one grows as it needs
		a.open.Grow(arenaChunk)
	}
	if k := len(a.free); k > 0 {
		a.cur, a.free = a.free[k-1], a.free[:k-1]
		return
	}
	a.cur = uint32(len(a.text))
	a.text, a.live = append(a.text, ""), append(a.live, 0)
}

// add writes an id into the open chunk, which has room for it.
func (a *arena) add(id string) uint32 {
	ref := a.cur<<16 | uint32(a.open.Len())
	a.open.WriteByte(byte(len(id)))
	a.open.WriteString(id)
	a.text[a.cur] = a.open.String()
	a.live[a.cur] += int32(1 + len(id))
	return ref
}

// release gives up the id at ref.
func (a *arena) release(ref uint32) {
	a.live[ref>>16] -= int32(1 + len(a.get(ref)))
}

// sparse says that a closed chunk is worth evacuating: more than half of it is dead.
func (a *arena) sparse(chunk uint32) bool {
	return chunk != a.cur && a.text[chunk] != "" && int(a.live[chunk])*2 < len(a.text[chunk])
}

// drop forgets a chunk that holds no id in use. Strings into it stay valid.
func (a *arena) drop(chunk uint32) {
	a.text[chunk] = ""
	a.free = append(a.free, chunk)
}

func (a *arena) bytes() int {
	n := a.open.Cap() - a.open.Len() + cap(a.text)*16 + cap(a.live)*4 + cap(a.free)*4
	for _, s := range a.text {
		n += len(s)
	}
	return n
}
