package ranking

import (
	"math/bits"
	"sync/atomic"
	"unsafe"
)

const (
	width   = 64            // entries of a leaf, children of an inner node; one bit an entry in leaf.firsts
	minimum = 24            // below it a node is filled up or merged, unless it has no sibling
	roomy   = width * 3 / 4 // two siblings that fit into this many are merged; the rest is room for the next insertions

	leafChunkBits = 8 // leaves are allocated 256 at a time (330 KB); the first chunk grows as it needs
	leafChunk     = 1 << leafChunkBits

	innerChunkBits = 4 // inner nodes: 16 at a time (34 KB)
	innerChunk     = 1 << innerChunkBits
)

// keys are entries side by side, values in sortable form. A search reads the values only, unless they are equal.
type keys struct {
	user    [width]uint32
	value   [width]int64
	reached [width]int64
}

// key is one entry of keys.
type key struct {
	value, reached int64
	user           uint32
}

func (k *keys) get(i int) key { return key{k.value[i], k.reached[i], k.user[i]} }

func (k *keys) set(i int, e key) { k.value[i], k.reached[i], k.user[i] = e.value, e.reached, e.user }

// shift moves the entries [from,to) by d places.
func (k *keys) shift(from, to, d int) {
	copy(k.value[from+d:to+d], k.value[from:to])
	copy(k.reached[from+d:to+d], k.reached[from:to])
	copy(k.user[from+d:to+d], k.user[from:to])
}

// take copies m entries of src from place i on to place at.
func (k *keys) take(at int, src *keys, i, m int) {
	copy(k.value[at:at+m], src.value[i:i+m])
	copy(k.reached[at:at+m], src.reached[i:i+m])
	copy(k.user[at:at+m], src.user[i:i+m])
}

// leaf holds entries in order. What a rank needs of it, the head and the users, lies together.
type leaf struct {
	// firsts has bit i set iff entry i is the first of the whole board with its value. It says nothing about where leaves
	// begin, so it moves with the entry, and sums of it compose over nodes without a look at their borders.
	firsts     uint64
	n          int32
	parent     uint32
	prev, next uint32
	was        uint32 // in its parent, when it was last looked for there: see slotOf
	keys
}

// inner holds nodes of the level below. Everything in it is exact:
// keys[i] = first entry below child[i], count[i] = entries below it, firsts[i] = Σ firsts below it.
type inner struct {
	keys
	child  [width]uint32
	count  [width]uint32
	firsts [width]uint32
	n      int32
	level  int32 // 1: the children are leaves
	parent uint32
	was    uint32 // as leaf.was
}

// branch is one child of an inner node.
type branch struct {
	key
	child, count, firsts uint32
}

func (in *inner) set(i int, b branch) {
	in.keys.set(i, b.key)
	in.child[i], in.count[i], in.firsts[i] = b.child, b.count, b.firsts
}

func (in *inner) shift(from, to, d int) {
	in.keys.shift(from, to, d)
	copy(in.child[from+d:to+d], in.child[from:to])
	copy(in.count[from+d:to+d], in.count[from:to])
	copy(in.firsts[from+d:to+d], in.firsts[from:to])
}

func (in *inner) take(at int, src *inner, i, m int) {
	in.keys.take(at, &src.keys, i, m)
	copy(in.child[at:at+m], src.child[i:i+m])
	copy(in.count[at:at+m], src.count[i:i+m])
	copy(in.firsts[at:at+m], src.firsts[i:i+m])
}

// slot is the place of a child.
func (in *inner) slot(child uint32) int {
	i := indexOf(in.child[:in.n], child)
	if i < 0 {
		panic("ranking: a node is not among its parent's children")
	}
	return i
}

// slotOf is slot, and looks first where the child was the last time. Every rank and every update asks at each level, and a child seldom moves: only when
// a sibling before it is split or goes. Readers, who share a lock, write was too; whatever is in it, it is checked.
func (in *inner) slotOf(child uint32, was *uint32) int {
	if i := atomic.LoadUint32(was); i < uint32(in.n) && in.child[i&(width-1)] == child {
		return int(i)
	}
	i := in.slot(child)
	atomic.StoreUint32(was, uint32(i))
	return i
}

// indexOf is the place of n in a list, -1 if it is not there. Every rank looks for four numbers among some thirty, so four are compared a turn.
func indexOf(list []uint32, n uint32) int {
	i := 0
	for ; i+4 <= len(list); i += 4 {
		four := list[i : i+4 : i+4]
		switch n {
		case four[0]:
			return i
		case four[1]:
			return i + 1
		case four[2]:
			return i + 2
		case four[3]:
			return i + 3
		}
	}
	for ; i < len(list); i++ {
		if list[i] == n {
			return i
		}
	}
	return -1
}

// sum adds up a list, four at a time: no addition waits for the one before.
func sum(list []uint32) uint32 {
	var a, b, c, d uint32
	for ; len(list) >= 4; list = list[4:] {
		a += list[0]
		b += list[1]
		c += list[2]
		d += list[3]
	}
	for _, n := range list {
		a += n
	}
	return a + b + c + d
}

// sums are the entries and the firsts below the node.
func (in *inner) sums() (count, firsts uint32) {
	for i := range in.count[:in.n] {
		count += in.count[i]
		firsts += in.firsts[i]
	}
	return count, firsts
}

// low has the lowest i bits set.
func low(i int) uint64 { return 1<<uint(i) - 1 }

// openBit inserts a bit at place i, and closeBit takes one out.
func openBit(b uint64, i int, bit uint64) uint64 { return b&low(i) | bit<<uint(i) | b&^low(i)<<1 }
func closeBit(b uint64, i int) uint64            { return b&low(i) | b>>1&^low(i) }

// nodes allocates the nodes of one tree and takes them back. Nodes are named by number; a pointer to one is good until the
// next allocation.
type nodes struct {
	mem       *memory
	leaves    [][]leaf
	nLeaves   uint32
	freeLeaf  []uint32
	inners    [][]inner
	nInners   uint32
	freeInner []uint32
}

func (ns *nodes) leaf(id uint32) *leaf { return &ns.leaves[id>>leafChunkBits][id&(leafChunk-1)] }

func (ns *nodes) inner(id uint32) *inner { return &ns.inners[id>>innerChunkBits][id&(innerChunk-1)] }

func (ns *nodes) newLeaf() uint32 {
	if k := len(ns.freeLeaf); k > 0 {
		id := ns.freeLeaf[k-1]
		ns.freeLeaf = ns.freeLeaf[:k-1]
		*ns.leaf(id) = leaf{}
		return id
	}
	if ns.nLeaves == maxLeaves {
		panic("ranking: a board of more users than an index can hold")
	}
	id := ns.nLeaves
	ns.nLeaves++
	ns.leaves = grow(ns.mem, ns.leaves, leafChunk, leaf{})
	return id
}

func (ns *nodes) newInner(level int32) uint32 {
	if k := len(ns.freeInner); k > 0 {
		id := ns.freeInner[k-1]
		ns.freeInner = ns.freeInner[:k-1]
		*ns.inner(id) = inner{level: level, parent: none}
		return id
	}
	id := ns.nInners
	ns.nInners++
	ns.inners = grow(ns.mem, ns.inners, innerChunk, inner{level: level, parent: none})
	return id
}

// grow appends v to the last of the chunks, or to another one. Nothing that is there moves, save in the first chunk, which grows as it needs so
// that a small board is small.
func grow[T any](m *memory, chunks [][]T, size int, v T) [][]T {
	last := len(chunks) - 1
	switch {
	case last < 0:
		return [][]T{{v}}
	case len(chunks[last]) == size:
		return append(chunks, append(array[T](m, size)[:0], v))
	case len(chunks[last]) == cap(chunks[last]): // the first
		larger := make([]T, len(chunks[last]), min(2*cap(chunks[last]), size))
		copy(larger, chunks[last])
		chunks[last] = larger
	}
	chunks[last] = append(chunks[last], v)
	return chunks
}

// parentOf and setParent work on a node of the given level; leaves are of level 0.
func (ns *nodes) parentOf(level int32, id uint32) uint32 {
	if level == 0 {
		return ns.leaf(id).parent
	}
	return ns.inner(id).parent
}

func (ns *nodes) setParent(level int32, id, parent uint32) {
	if level == 0 {
		ns.leaf(id).parent = parent
		return
	}
	ns.inner(id).parent = parent
}

func (ns *nodes) free(level int32, id uint32) {
	if level == 0 {
		ns.leaf(id).n = 0 // who still knows the number sees that nothing belongs here
		ns.freeLeaf = append(ns.freeLeaf, id)
		return
	}
	ns.freeInner = append(ns.freeInner, id)
}

func (ns *nodes) bytes() int {
	return chunkBytes(ns.inners) + chunkBytes(ns.leaves) + (cap(ns.freeLeaf)+cap(ns.freeInner))*4
}

// chunkBytes is what chunks take: all but the first are of one size.
func chunkBytes[T any](chunks [][]T) int {
	var v T
	n := cap(chunks) * 24
	if len(chunks) > 0 {
		n += (cap(chunks[0]) + (len(chunks)-1)*cap(chunks[len(chunks)-1])) * int(unsafe.Sizeof(v))
	}
	return n
}

func ones(b uint64) int { return bits.OnesCount64(b) }
