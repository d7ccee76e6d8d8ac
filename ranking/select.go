package ranking

import "math"

// Ahead is how many entries have a value that ranks before v. v need not be on the board. O(log n), as everything here.
func (x *Index) Ahead(v int64) int {
	return x.After(Entry{Value: v, Reached: math.MinInt64}) // no user's id is "", so no entry of v is at or before this one
}

// Through is how many entries have a value that ranks before v or is v: the place where one would stand who came to v after all others.
func (x *Index) Through(v int64) int {
	s := x.order.sortable(v)
	if s == math.MaxInt64 {
		return x.Len()
	}
	return x.Ahead(x.order.sortable(s + 1))
}

// RankOf is the rank that a newcomer would get who came to v now, after all others.
func (x *Index) RankOf(v int64, t Ties) int {
	ahead := x.Ahead(v)
	switch {
	case t == Ordinal:
		return x.Through(v) + 1
	case t == Standard || ahead == 0:
		return ahead + 1
	}
	return x.RankAt(ahead-1, t) + 1
}

// RankAt is the rank of the entry at a place, 0 ≤ place < Len.
func (x *Index) RankAt(place int, t Ties) int {
	if t == Ordinal {
		return place + 1
	}
	var one [1]Row
	return x.Range(one[:0], place, 1, t)[0].Rank
}
