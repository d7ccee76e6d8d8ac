// Package fold makes one number of many activities: the folds count, sum, max, min, last and unique, with the instant at which the number was
// reached. Leaderboards and streak conditions both fold by it.
//
// A Tally is a value of a commutative monoid (but for the range check): adding activities one by one in any order, or merging
// tallies of disjoint sets of activities, gives the same tally. That is what makes late, shuffled and replayed input come out the
// same (the set law). What a tally cannot do is forget an activity: taking one back means folding the others again.
package fold

import (
	"errors"
	"slices"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// What an Add may refuse; the tally is then unchanged.
var (
	ErrRange         = errors.New("value would leave ±2^53")
	ErrTooManyValues = errors.New("too many different values in one period")
)

// Tally is the fold of a set of activities of one user in one period. The zero value is the fold of none.
//
// Reached is, by fold (DESIGN §3.5): count and sum, the latest at of the activities that make up the value, where a summand of 0 does not move it
// (nothing but zeros: the earliest at); unique, the latest of each value's first at; max and min, the earliest at that gave the value; last,
// the at of the greatest (at, id).
type Tally struct {
	Value   int64
	Reached calendar.Instant
	// Some is false for the fold of no activity at all.
	Some bool
	// Nonzero says, for sum, that Reached is of a summand other than 0.
	Nonzero bool
	// ID is, for last, the id of the activity that gave the value.
	ID activity.ID
	// Set is, for unique, the values in ascending order.
	Set []Distinct
}

// Distinct is one value of a unique fold and when it was first seen.
type Distinct struct {
	Value string
	First calendar.Instant
}

// Check says whether v could be added.
func (t *Tally) Check(f catalog.Fold, v catalog.Value) error {
	switch f {
	case catalog.Sum:
		if n := t.Value + v.N; n > catalog.MaxExact || n < -catalog.MaxExact {
			return ErrRange
		}
	case catalog.Unique:
		if len(t.Set) >= catalog.MaxUnique {
			if _, found := t.find(v.S); !found {
				return ErrTooManyValues
			}
		}
	}
	return nil
}

// Add folds one activity into the tally, without a range check.
func (t *Tally) Add(f catalog.Fold, v catalog.Value, at calendar.Instant, id activity.ID) {
	one := Tally{Value: v.N, Reached: at, Some: true}
	switch f {
	case catalog.Count:
		one.Value = 1
	case catalog.Sum:
		one.Nonzero = v.N != 0
	case catalog.Last:
		one.ID = id
	case catalog.Unique:
		t.insert(Distinct{v.S, at})
		t.sumUp()
		return
	}
	t.Merge(f, &one)
}

// Merge folds in the tally of another set of activities. o is not changed, but may be shared afterwards.
func (t *Tally) Merge(f catalog.Fold, o *Tally) {
	switch {
	case !o.Some:
	case !t.Some:
		*t = *o
		t.Set = slices.Clone(o.Set)
	case f == catalog.Count:
		t.Value += o.Value
		t.Reached = max(t.Reached, o.Reached)
	case f == catalog.Sum:
		t.Value += o.Value
		t.mergeSumReached(o)
	case f == catalog.Unique:
		for _, d := range o.Set {
			t.insert(d)
		}
		t.sumUp()
	case t.yieldsTo(f, o):
		t.Value, t.Reached, t.ID = o.Value, o.Reached, o.ID
	}
}

func (t *Tally) mergeSumReached(o *Tally) {
	switch {
	case t.Nonzero && o.Nonzero:
		t.Reached = max(t.Reached, o.Reached)
	case o.Nonzero:
		t.Nonzero, t.Reached = true, o.Reached
	case !t.Nonzero:
		t.Reached = min(t.Reached, o.Reached)
	}
}

// yieldsTo says whether o's value replaces t's, for the folds that pick one activity.
func (t *Tally) yieldsTo(f catalog.Fold, o *Tally) bool {
	switch f {
	case catalog.Max:
		return o.Value > t.Value || o.Value == t.Value && o.Reached < t.Reached
	case catalog.Min:
		return o.Value < t.Value || o.Value == t.Value && o.Reached < t.Reached
	default:
		return o.Reached > t.Reached || o.Reached == t.Reached && o.ID > t.ID
	}
}

func (t *Tally) find(v string) (int, bool) {
	return slices.BinarySearchFunc(t.Set, v, func(d Distinct, v string) int { return strings.Compare(d.Value, v) })
}

func (t *Tally) insert(d Distinct) {
	i, found := t.find(d.Value)
	if found {
		t.Set[i].First = min(t.Set[i].First, d.First)
		return
	}
	t.Set = slices.Insert(t.Set, i, d)
}

// sumUp derives a unique tally's value and instant from its set.
func (t *Tally) sumUp() {
	t.Some = true
	t.Value = int64(len(t.Set))
	t.Reached = t.Set[0].First
	for _, d := range t.Set {
		t.Reached = max(t.Reached, d.First)
	}
}

// NthFirst is the instant at which a unique tally came to n different values; n must be 1 to len(Set).
func (t *Tally) NthFirst(n int) calendar.Instant {
	firsts := make([]calendar.Instant, len(t.Set))
	for i, d := range t.Set {
		firsts[i] = d.First
	}
	slices.Sort(firsts)
	return firsts[n-1]
}
