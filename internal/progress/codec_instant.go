package progress

import (
	"encoding/binary"

	"laurel/internal/calendar"
)

// Instants are most of a state, and most of them stand in it more than once: an activity is the last of its day for a rule and of its week for another, and meets a streak's condition. So
// each is written once, as the difference to the instant before, and named by its number after that. Lists that name the same activities name them in the same order: a number is
// the difference to the one that follows the last that was named.
//
// The first byte of an instant says what it is: below instantFar that difference, in zigzag; or one of the following; or, from instantNear on, together with three more bytes the
// difference to the instant before in zigzag, which is enough for twelve days.
const (
	instantFar  = 0x40 // and a varint: the difference of numbers
	instantNew  = 0x41 // and a varint: the difference to the instant before
	instantNear = 0x80

	instantNearBits  = 31
	instantShortBits = 14 // below that a varint is shorter
)

// seenRoom is for how many instants no memory is asked for: an array, as a slice of one would have encoder and decoder leave the stack.
const seenRoom = 128

// seen are the instants of a state so far, each once, and which of them is likely to come next.
type seen struct {
	first [seenRoom]calendar.Instant
	more  []calendar.Instant
	n     int
	next  int
}

func (s *seen) add(i calendar.Instant) {
	if s.n < seenRoom {
		s.first[s.n] = i
	} else {
		s.more = append(s.more, i)
	}
	s.n++
}

func (s *seen) at(n int) calendar.Instant {
	if n < seenRoom {
		return s.first[n]
	}
	return s.more[n-seenRoom]
}

// follows says whether an instant is the n-th after the one that is likely to come next.
func (s *seen) follows(n int, i calendar.Instant) bool {
	return s.next+n < s.n && s.at(s.next+n) == i
}

// places finds instants in a list again: a table of numbers + 1 by hash, in which a later one takes the place of an earlier one of the same hash. What it does not find is written
// again, so it may forget.
type places struct {
	first [2 * seenRoom]uint32
	more  []uint32 // instead of first, for lists that are longer
}

func (p *places) slot(i calendar.Instant) *uint32 {
	h := uint64(i) * 0x9e3779b97f4a7c15 >> 32
	if p.more != nil {
		return &p.more[h%uint64(len(p.more))]
	}
	return &p.first[h%(2*seenRoom)]
}

func (p *places) find(s *seen, i calendar.Instant) (int, bool) {
	n := int(*p.slot(i)) - 1
	return n, n >= 0 && s.at(n) == i
}

// add notes the last of the list.
func (p *places) add(s *seen) {
	if s.n > max(len(p.first), len(p.more)/2) {
		p.more = make([]uint32, 4*s.n)
		for n := range s.n {
			*p.slot(s.at(n)) = uint32(n + 1)
		}
	}
	*p.slot(s.at(s.n - 1)) = uint32(s.n)
}

func zigzag(i int64) uint64   { return uint64(i<<1) ^ uint64(i>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

func (e *encoder) instant(i calendar.Instant) {
	if e.seen.follows(0, i) {
		e.refer(e.seen.next)
	} else if n, found := e.places.find(&e.seen, i); found {
		e.refer(n)
	} else {
		e.newInstant(zigzag(int64(i - e.last)))
		e.seen.add(i)
		e.places.add(&e.seen)
	}
	e.last = i
}

func (e *encoder) refer(n int) {
	if step := zigzag(int64(n - e.seen.next)); step < instantFar {
		e.byte(byte(step))
	} else {
		e.byte(instantFar)
		e.uint(step)
	}
	e.seen.next = n + 1
}

func (e *encoder) newInstant(step uint64) {
	if step < 1<<instantShortBits || step >= 1<<instantNearBits {
		e.byte(instantNew)
		e.uint(step)
		return
	}
	e.b = binary.BigEndian.AppendUint32(e.b, instantNear<<24|uint32(step))
}

func (d *decoder) instant() calendar.Instant {
	if d.format < stateFormat {
		d.last += calendar.Instant(d.int())
		return d.last
	}
	switch c := d.byte(); {
	case c < instantFar:
		d.referred(unzigzag(uint64(c)))
	case c == instantFar:
		d.referred(d.int())
	case c == instantNew:
		d.last += calendar.Instant(d.int())
		d.seen.add(d.last)
	case c < instantNear || len(d.s) < 3:
		d.bad, d.s = true, ""
	default:
		step := uint64(c&^instantNear)<<24 | uint64(d.s[0])<<16 | uint64(d.s[1])<<8 | uint64(d.s[2])
		d.s = d.s[3:]
		d.last += calendar.Instant(unzigzag(step))
		d.seen.add(d.last)
	}
	return d.last
}

func (d *decoder) referred(step int64) {
	n := int64(d.seen.next) + step
	if n < 0 || n >= int64(d.seen.n) {
		d.bad, d.s = true, ""
		return
	}
	d.last, d.seen.next = d.seen.at(int(n)), int(n)+1
}
