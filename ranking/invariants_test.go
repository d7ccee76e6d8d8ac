package ranking

import (
	"fmt"
	"math/bits"
)

// check verifies the invariants of the package comment by walking the whole tree, and says what is wrong.
func (x *Index) check() error {
	w := walker{x: x, prev: none}
	count, _, err := w.node(x.height, x.root, none, true, true)
	if err != nil {
		return err
	}
	if int(count) != x.Len() || x.users.n != x.Len() {
		return fmt.Errorf("%d entries, %d users, Len %d", count, x.users.n, x.Len())
	}
	if w.prev != none && x.leaf(w.prev).next != none {
		return fmt.Errorf("the last leaf has a next")
	}
	if x.height > 0 && x.inner(x.root).n < 2 {
		return fmt.Errorf("the root has one child")
	}
	if got, want := int(w.leaves)+len(x.freeLeaf), int(x.nLeaves); got != want {
		return fmt.Errorf("%d leaves in use or free, %d allocated", got, want)
	}
	if got, want := w.inners+len(x.freeInner), int(x.nInners); got != want {
		return fmt.Errorf("%d inner nodes in use or free, %d allocated", got, want)
	}
	return x.users.check()
}

type walker struct {
	x      *Index
	prev   uint32 // the leaf before
	last   *key   // the entry before
	leaves uint32
	inners int
}

func (w *walker) node(level int32, id, parent uint32, first, last bool) (count, firsts uint32, err error) {
	if got := w.x.parentOf(level, id); got != parent {
		return 0, 0, fmt.Errorf("level %d node %d: parent %d, want %d", level, id, got, parent)
	}
	if level == 0 {
		return w.leaf(id, first || last)
	}
	w.inners++
	in := w.x.inner(id)
	if in.level != level || in.n < 1 || in.n < minimum && !first && !last {
		return 0, 0, fmt.Errorf("inner %d of level %d has level %d and %d children", id, level, in.level, in.n)
	}
	for i := range int(in.n) {
		begin := w.last
		c, f, err := w.node(level-1, in.child[i], id, first && i == 0, last && i == int(in.n)-1)
		if err != nil {
			return 0, 0, err
		}
		if c != in.count[i] || f != in.firsts[i] {
			return 0, 0, fmt.Errorf("inner %d child %d: count %d firsts %d, has %d %d", id, i, in.count[i], in.firsts[i], c, f)
		}
		if want := w.firstKey(level-1, in.child[i]); in.keys.get(i) != want {
			return 0, 0, fmt.Errorf("inner %d key %d: %v, first entry below is %v (after %v)", id, i, in.keys.get(i), want, begin)
		}
		count, firsts = count+c, firsts+f
	}
	return count, firsts, nil
}

func (w *walker) firstKey(level int32, id uint32) key {
	for ; level > 0; level-- {
		id = w.x.inner(id).child[0]
	}
	return w.x.leaf(id).get(0)
}

func (w *walker) leaf(id uint32, edge bool) (count, firsts uint32, err error) {
	l := w.x.leaf(id)
	w.leaves++
	if l.prev != w.prev || w.prev != none && w.x.leaf(w.prev).next != id {
		return 0, 0, fmt.Errorf("leaf %d is not linked to %d", id, w.prev)
	}
	w.prev = id
	if l.parent != none && (l.n < 1 || l.n < minimum && !edge) {
		return 0, 0, fmt.Errorf("leaf %d has %d entries", id, l.n)
	}
	if l.firsts&^low(int(l.n)) != 0 {
		return 0, 0, fmt.Errorf("leaf %d has firsts past its end", id)
	}
	for i := range int(l.n) {
		k := l.get(i)
		if w.last != nil && !w.ascends(*w.last, k) {
			return 0, 0, fmt.Errorf("leaf %d entry %d: %v after %v", id, i, k, *w.last)
		}
		if first := w.last == nil || w.last.value != k.value; first != (l.firsts>>i&1 == 1) {
			return 0, 0, fmt.Errorf("leaf %d entry %d: first of its value is %v, bit says otherwise", id, i, first)
		}
		if got := w.x.users.leafOf(k.user); got != id {
			return 0, 0, fmt.Errorf("user %d is in leaf %d, record says %d", k.user, id, got)
		}
		w.last = &k
	}
	return uint32(l.n), uint32(bits.OnesCount64(l.firsts)), nil
}

func (w *walker) ascends(a, b key) bool {
	if a.value != b.value {
		return a.value < b.value
	}
	if a.reached != b.reached {
		return a.reached < b.reached
	}
	return w.x.users.id(a.user) < w.x.users.id(b.user)
}

func (t *users) check() error {
	if err := t.table.check(); err != nil {
		return err
	}
	live := make([]int32, len(t.arena.live))
	used := 0
	seen := map[uint32]bool{}
	for i, s := range t.table.dir {
		if i > 0 && &s[0] == &t.table.dir[i-1][0] {
			continue
		}
		for _, slot := range s[1:] {
			if slot == 0 {
				continue
			}
			used++
			u := uint32(slot) - 1
			if seen[u] {
				return fmt.Errorf("user %d has two slots", u)
			}
			seen[u] = true
			if got, ok := t.lookup(t.id(u)); !ok || got != u || !t.is(u, t.id(u)) {
				return fmt.Errorf("lookup of user %d (%q) finds %d, %v", u, t.id(u), got, ok)
			}
			live[t.rec(u).ref>>16] += int32(1 + len(t.id(u)))
		}
	}
	if used != t.n {
		return fmt.Errorf("%d slots used for %d users", used, t.n)
	}
	free := 0
	for u := t.free; u != none; u = t.rec(u).ref {
		if t.rec(u).at != unused {
			return fmt.Errorf("free number %d looks used", u)
		}
		free++
	}
	if t.n+free != int(t.numbers) {
		return fmt.Errorf("%d users and %d free numbers, %d numbers", t.n, free, t.numbers)
	}
	return t.arena.check(live)
}

func (t *table) check() error {
	bits := 32 - t.shift
	if len(t.dir) != 1<<bits {
		return fmt.Errorf("directory of %d places for %d bits", len(t.dir), bits)
	}
	segments := 0
	for i := 0; i < len(t.dir); segments++ {
		s := t.dir[i]
		if len(s) > segmentSize || len(s) < segmentSize && len(t.dir) > 1 || s.depth() > bits {
			return fmt.Errorf("segment of %d words and depth %d in a directory of %d", len(s), s.depth(), len(t.dir))
		}
		used := 0
		for _, slot := range s[1:] {
			if slot != 0 {
				used++
				if &t.segment(uint32(slot >> 32))[0] != &s[0] {
					return fmt.Errorf("hash %x lies in segment %d", slot>>32, i)
				}
			}
		}
		if used != s.used() || used*16 > 13*(len(s)-1) {
			return fmt.Errorf("segment %d has %d slots in use, says %d of %d", i, used, s.used(), len(s)-1)
		}
		for end := i + 1<<(bits-s.depth()); i < end; i++ {
			if &t.dir[i][0] != &s[0] {
				return fmt.Errorf("place %d of the directory has another segment than the places before", i)
			}
		}
	}
	if segments != t.segments+1 {
		return fmt.Errorf("%d segments, counted %d", segments, t.segments+1)
	}
	return nil
}

// check compares with the live bytes of each chunk, counted from the users.
func (a *arena) check(live []int32) error {
	total, bytes := 0, 0
	doomed := map[uint32]bool{}
	for _, c := range a.doomed {
		if doomed[c] {
			return fmt.Errorf("chunk %d is doomed twice", c)
		}
		doomed[c] = true
	}
	for c := range live {
		if live[c] != a.live[c] {
			return fmt.Errorf("chunk %d has %d live bytes, counted %d", c, live[c], a.live[c])
		}
		if uint32(c) != a.cur && a.sparse(uint32(c)) != doomed[uint32(c)] {
			return fmt.Errorf("chunk %d of %d bytes, %d of them live: doomed is %v", c, len(a.text[c]), live[c], doomed[uint32(c)])
		}
		total, bytes = total+int(live[c]), bytes+len(a.text[c])
	}
	if bytes > 3*total+2*arenaChunk {
		return fmt.Errorf("arena holds %d bytes for %d live ones", bytes, total)
	}
	return nil
}
