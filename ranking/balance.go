package ranking

// makeRoom makes room in a full leaf for an entry at place i and says where that is now: it shares the entries with a sibling
// that has room (leaves are so about four fifths full in the long run, instead of two thirds), or splits the leaf. It splits in the
// middle, but at the board's ends it leaves the full leaf whole: a board that is filled in order, from either end, is packed.
func (x *Index) makeRoom(id uint32, i int) (leafID uint32, place int) {
	l := x.leaf(id)
	switch {
	case i == width && l.next == none:
		return x.splitLeaf(id, i, width)
	case i == 0 && l.prev == none:
		return x.splitLeaf(id, i, 0)
	case l.parent == none:
		return x.splitLeaf(id, i, width/2)
	}
	p := x.inner(l.parent)
	j := p.slot(id)
	switch {
	case j+1 < int(p.n) && p.count[j+1] <= roomy:
	case j > 0 && p.count[j-1] <= roomy:
		j--
		i += int(p.count[j])
	default:
		return x.splitLeaf(id, i, width/2)
	}
	x.shareLeaves(p, j)
	if n := int(p.count[j]); i > n {
		return p.child[j+1], i - n
	}
	return p.child[j], i
}

// splitLeaf moves the entries of a full leaf from place at on to a new leaf behind it, and says where place i is now.
func (x *Index) splitLeaf(id uint32, i, at int) (leafID uint32, place int) {
	right := x.newLeaf()
	l, r := x.leaf(id), x.leaf(right)
	r.prev, r.next = id, l.next
	if l.next != none {
		x.leaf(l.next).prev = right
	}
	l.next = right
	x.moveLeaf(right, 0, id, at, width-at)
	l.n = int32(at)
	l.firsts &= low(at)

	if l.parent == none {
		x.newRoot(branch{l.get(0), id, uint32(at), uint32(ones(l.firsts))})
	} else {
		p := x.inner(l.parent)
		j := p.slot(id)
		p.count[j], p.firsts[j] = uint32(at), uint32(ones(l.firsts))
	}
	x.insertChild(l.parent, x.inner(l.parent).slot(id)+1, branch{r.get(0), right, uint32(r.n), uint32(ones(r.firsts))})
	if i < at || i == at && at < width {
		return id, i
	}
	return right, i - at
}

// moveLeaf copies m entries and their firsts from place i of one leaf to place at, the end or the cleared front, of another, and
// tells the users where they are.
func (x *Index) moveLeaf(to uint32, at int, from uint32, i, m int) {
	dst, src := x.leaf(to), x.leaf(from)
	dst.take(at, &src.keys, i, m)
	dst.firsts |= src.firsts >> uint(i) & low(m) << uint(at)
	dst.n += int32(m)
	for _, u := range dst.user[at : at+m] {
		x.users.setLeaf(u, to)
	}
}

// newRoot puts a root over the present one.
func (x *Index) newRoot(only branch) {
	level := x.height
	id := x.newInner(level + 1)
	in := x.inner(id)
	in.set(0, only)
	in.n = 1
	x.setParent(level, only.child, id)
	x.root, x.height = id, level+1
}

// insertChild puts a node at place i ≥ 1 of an inner node, which is split if it is full: in the middle, or at the board's ends where
// the children come in order, as leaves are. Sums above do not change: what the new child has, a neighbour has lost.
func (x *Index) insertChild(id uint32, i int, b branch) {
	in := x.inner(id)
	if in.n < width {
		x.putChild(id, i, b)
		return
	}
	at := width / 2
	switch first, last := x.edges(id); {
	case last && i == width:
		at = width
	case first && i == 1:
		at = 1
	}
	right := x.newInner(in.level)
	in = x.inner(id) // newInner may have moved it
	x.moveInner(right, 0, id, at, width-at)
	in.n = int32(at)
	if i < at || i == at && at < width {
		x.putChild(id, i, b)
	} else {
		x.putChild(right, i-at, b)
	}

	count, firsts := in.sums()
	if in.parent == none {
		x.newRoot(branch{in.keys.get(0), id, count, firsts})
		in = x.inner(id)
	}
	p := x.inner(in.parent)
	j := p.slot(id)
	p.count[j], p.firsts[j] = count, firsts
	r := x.inner(right)
	count, firsts = r.sums()
	x.insertChild(in.parent, j+1, branch{r.keys.get(0), right, count, firsts})
}

// putChild puts a node at place i of an inner node that has room.
func (x *Index) putChild(id uint32, i int, b branch) {
	in := x.inner(id)
	in.shift(i, int(in.n), 1)
	in.set(i, b)
	in.n++
	x.setParent(in.level-1, b.child, id)
}

// moveInner copies m children from place i of one inner node to place at of another and tells them their parent.
func (x *Index) moveInner(to uint32, at int, from uint32, i, m int) {
	dst, src := x.inner(to), x.inner(from)
	dst.take(at, src, i, m)
	dst.n += int32(m)
	for _, c := range dst.child[at : at+m] {
		x.setParent(dst.level-1, c, to)
	}
}

// edges says whether an inner node is the first or the last of its level.
func (x *Index) edges(id uint32) (first, last bool) {
	first, last = true, true
	for p := x.inner(id).parent; p != none; p = x.inner(p).parent {
		in := x.inner(p)
		first = first && in.child[0] == id
		last = last && in.child[in.n-1] == id
		id = p
	}
	return first, last
}

// unlink takes a leaf out of the chain of leaves.
func (x *Index) unlink(id uint32) {
	l := x.leaf(id)
	if l.prev != none {
		x.leaf(l.prev).next = l.next
	}
	if l.next != none {
		x.leaf(l.next).prev = l.prev
	}
}

// removeChild takes the child at place i, which has no entries any more, from an inner node and frees it. Nodes that are left
// without children go too, and roots with one child.
func (x *Index) removeChild(id uint32, i int) {
	in := x.inner(id)
	x.free(in.level-1, in.child[i])
	in.shift(i+1, int(in.n), -1)
	in.n--
	if in.n == 0 {
		x.removeChild(in.parent, x.inner(in.parent).slot(id))
		return
	}
	if i == 0 {
		x.rekey(id)
	}
	if id == x.root {
		x.shrink()
	} else if in.n < minimum {
		x.refillInner(id)
	}
}

// rekey tells the nodes above an inner node that its first key changed.
func (x *Index) rekey(id uint32) {
	first := x.inner(id).keys.get(0)
	for p := x.inner(id).parent; p != none; p = x.inner(p).parent {
		j := x.inner(p).slot(id)
		x.inner(p).keys.set(j, first)
		if j > 0 {
			return
		}
		id = p
	}
}

// shrink takes away roots that have one child.
func (x *Index) shrink() {
	for x.height > 0 && x.inner(x.root).n == 1 {
		old := x.root
		x.height--
		x.root = x.inner(old).child[0]
		x.setParent(x.height, x.root, none)
		x.free(x.height+1, old)
	}
}

// siblings are the places in their parent of a node and its right neighbour, or its left one if it has no right one.
func (x *Index) siblings(parent, id uint32) (p *inner, left, right int, ok bool) {
	if parent == none || x.inner(parent).n < 2 {
		return nil, 0, 0, false
	}
	p = x.inner(parent)
	left = min(p.slot(id), int(p.n)-2)
	return p, left, left + 1, true
}

// refillLeaf merges a leaf that has become small with a sibling, or shares the sibling's entries with it.
func (x *Index) refillLeaf(id uint32) {
	p, j, k, ok := x.siblings(x.leaf(id).parent, id)
	if !ok {
		return
	}
	a, b := p.child[j], p.child[k]
	l, r := x.leaf(a), x.leaf(b)
	if n := int(l.n + r.n); n <= roomy {
		x.moveLeaf(a, int(l.n), b, 0, int(r.n))
		p.count[j], p.firsts[j] = uint32(l.n), uint32(ones(l.firsts))
		x.unlink(b)
		x.removeChild(l.parent, k)
		return
	}
	x.shareLeaves(p, j)
}

// shareLeaves evens out the entries of children j and j+1 of an inner node, which are not empty.
func (x *Index) shareLeaves(p *inner, j int) {
	a, b := p.child[j], p.child[j+1]
	l, r := x.leaf(a), x.leaf(b)
	if m := int(r.n-l.n) / 2; m > 0 {
		x.moveLeaf(a, int(l.n), b, 0, m)
		r.shift(m, int(r.n), -m)
		r.n -= int32(m)
		r.firsts >>= uint(m)
	} else if m = -m; m > 0 {
		r.shift(0, int(r.n), m)
		r.firsts <<= uint(m)
		l.n -= int32(m)
		x.moveLeaf(b, 0, a, int(l.n), m)
		l.firsts &= low(int(l.n))
	}
	p.set(j, branch{l.get(0), a, uint32(l.n), uint32(ones(l.firsts))})
	p.set(j+1, branch{r.get(0), b, uint32(r.n), uint32(ones(r.firsts))})
}

// refillInner does the same for an inner node.
func (x *Index) refillInner(id uint32) {
	p, j, k, ok := x.siblings(x.inner(id).parent, id)
	if !ok {
		return
	}
	a, b := p.child[j], p.child[k]
	l, r := x.inner(a), x.inner(b)
	if n := int(l.n + r.n); n <= roomy {
		x.moveInner(a, int(l.n), b, 0, int(r.n))
		p.count[j], p.firsts[j] = l.sums()
		x.removeChild(l.parent, k)
		return
	}
	if m := int(r.n-l.n) / 2; m > 0 {
		x.moveInner(a, int(l.n), b, 0, m)
		r.shift(m, int(r.n), -m)
		r.n -= int32(m)
	} else if m = -m; m > 0 {
		r.shift(0, int(r.n), m)
		l.n -= int32(m)
		x.moveInner(b, 0, a, int(l.n), m)
	}
	p.count[j], p.firsts[j] = l.sums()
	p.keys.set(k, r.keys.get(0))
	p.count[k], p.firsts[k] = r.sums()
}
