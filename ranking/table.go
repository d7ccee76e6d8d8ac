package ranking

const (
	segmentBits = 11
	segmentSize = 1 << segmentBits // words of a segment that is not the only one: 16 KiB
	firstSize   = 8                // words of an empty table
)

// table leads from a hash to the numbers of the users who have it. It grows in small steps, because it does so under the lock of a
// board: it is a directory of segments (extendible hashing), and one that is full is split in two, which costs some ten microseconds
// however large the board is. The directory, which doubles when the board has, has 24 bytes for 800 to 1,600 users. (A
// table in one piece took 10 ms for a million users each time that it grew, and 100 ms for ten million.)
//
// The first bits of a hash choose the segment, its last 16 the place in it. A segment has open addressing with linear probing. A slot is
// hash<<32 | number+1, 0 where empty.
//
// Invariants: dir[h>>shift] is the segment of hash h, and len(dir) = 2^(32-shift); a segment of depth d has the hashes with the same first d bits, and
// 2^(32-shift-d) places of the directory; no segment is more than 13/16 full.
type table struct {
	mem      *memory
	dir      []segment
	shift    uint32
	segments int     // beside the first
	spare    segment // that was split, to be one of the next two
}

// segment has its own figures in its first word, so that all places of the directory that name it see the same: used<<8 | depth.
type segment []uint64

func newTable(m *memory) table {
	return table{mem: m, dir: []segment{make(segment, firstSize)}, shift: 32}
}

func (t *table) segment(h uint32) segment { return t.dir[uint64(h)>>t.shift] }

func (s segment) used() int     { return int(s[0] >> 8) }
func (s segment) depth() uint32 { return uint32(s[0] & 0xff) }

// home is where a slot with this hash belongs, and after the place behind another, the first behind the last.
func (s segment) home(h uint32) int { return 1 + int(h&0xffff)*(len(s)-1)>>16 }

func (s segment) after(i int) int {
	if i++; i < len(s) {
		return i
	}
	return 1
}

// place puts a slot where its hash wants it, or behind.
func (s segment) place(slot uint64) {
	i := s.home(uint32(slot >> 32))
	for s[i] != 0 {
		i = s.after(i)
	}
	s[i] = slot
	s[0] += 1 << 8
}

func (t *table) insert(h, u uint32) {
	s := t.segment(h)
	for (s.used()+1)*16 > 13*(len(s)-1) {
		t.grow(h)
		s = t.segment(h)
	}
	s.place(uint64(h)<<32 | uint64(u+1))
}

// grow makes room in the segment of a hash: the only one grows by half until it has the full size; then segments are split.
func (t *table) grow(h uint32) {
	s := t.segment(h)
	if len(s) < segmentSize {
		larger := make(segment, min(len(s)+len(s)/2, segmentSize))
		for _, slot := range s[1:] {
			if slot != 0 {
				larger.place(slot)
			}
		}
		t.dir[0] = larger
		return
	}
	if s.depth() == 32-t.shift {
		t.double()
	}
	t.split(h, s)
}

// double gives every segment twice as many places in the directory.
func (t *table) double() {
	dir := make([]segment, 2*len(t.dir))
	for i, s := range t.dir {
		dir[2*i], dir[2*i+1] = s, s
	}
	t.dir, t.shift = dir, t.shift-1
}

// split shares the slots of the segment of h between two, by the next bit of their hashes.
func (t *table) split(h uint32, s segment) {
	depth := s.depth() + 1
	if depth > 32 {
		panic("ranking: more than a thousand users with one hash")
	}
	t.segments++
	var halves [2]segment
	for i := range halves {
		halves[i] = t.newSegment()
		halves[i][0] = uint64(depth)
	}
	for _, slot := range s[1:] {
		if slot != 0 {
			halves[slot>>(64-depth)&1].place(slot)
		}
	}
	places := 1 << (32 - t.shift - depth) // of one half
	from := int(uint64(h)>>t.shift) &^ (2*places - 1)
	for i := range 2 * places {
		t.dir[from+i] = halves[i/places]
	}
	t.spare = s
}

// newSegment is one of full size that is empty.
func (t *table) newSegment() segment {
	if s := t.spare; s != nil {
		t.spare = nil
		clear(s)
		return s
	}
	return array[uint64](t.mem, segmentSize)
}

// remove empties the slot of u and moves those behind it up, so that no probe ends too early and no tombstone is needed.
func (t *table) remove(h, u uint32) {
	s := t.segment(h)
	hole := s.home(h)
	for uint32(s[hole]) != u+1 {
		hole = s.after(hole)
	}
	for i := s.after(hole); s[i] != 0; i = s.after(i) {
		home := s.home(uint32(s[i] >> 32))
		if s.distance(home, i) >= s.distance(hole, i) { // home is at the hole or before it
			s[hole] = s[i]
			hole = i
		}
	}
	s[hole] = 0
	s[0] -= 1 << 8
}

// distance is how many steps lead from one place to another.
func (s segment) distance(from, to int) int {
	if from <= to {
		return to - from
	}
	return to - from + len(s) - 1
}

func (t *table) bytes() int {
	return len(t.dir)*24 + (t.segments*segmentSize+len(t.dir[0])+len(t.spare))*8
}
