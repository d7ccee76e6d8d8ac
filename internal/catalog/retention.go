package catalog

import (
	"maps"
	"sort"

	"laurel/internal/calendar"
)

// Kept names, by rule and cycle (by Cycle.Key), the first period that is kept: those before it are gone, their boards removed for good. Cycles of
// which every period is kept are not in it. The zero value keeps all. Values of this type are not changed once built.
type Kept map[string]map[string]calendar.Ordinal

// Gone says whether a period is one that is no longer kept.
func (k Kept) Gone(rule, cycle string, o calendar.Ordinal) bool {
	first, some := k[rule][cycle]
	return some && o < first
}

// Join keeps what both keep: of each cycle the later first period. What is gone in either is gone in it, so that joining in any order, any number of
// times, comes to the same.
func (k Kept) Join(other Kept) Kept {
	if other.Within(k) {
		return k
	}
	joined := Kept{}
	for _, from := range []Kept{k, other} {
		for rule, cycles := range from {
			if joined[rule] == nil {
				joined[rule] = map[string]calendar.Ordinal{}
			}
			for cycle, first := range cycles {
				if was, some := joined[rule][cycle]; !some || first > was {
					joined[rule][cycle] = first
				}
			}
		}
	}
	return joined
}

// Within says whether everything that is gone in k is gone in other.
func (k Kept) Within(other Kept) bool {
	for rule, cycles := range k {
		for cycle, first := range cycles {
			if there, some := other[rule][cycle]; !some || there < first {
				return false
			}
		}
	}
	return true
}

// Equal says whether both keep the same.
func (k Kept) Equal(other Kept) bool {
	return maps.EqualFunc(k, other, func(a, b map[string]calendar.Ordinal) bool { return maps.Equal(a, b) })
}

// Kept is what the rules keep once every period with end + close_grace ≤ closed is closed.
func (c *Catalog) Kept(closed calendar.Instant) Kept {
	k := Kept{}
	for _, r := range c.Rules {
		for _, cy := range r.Cycles {
			first, some := c.FirstKept(r, cy, closed)
			if !some {
				continue
			}
			if k[r.ID] == nil {
				k[r.ID] = map[string]calendar.Ordinal{}
			}
			k[r.ID][cy.Key()] = first
		}
	}
	return k
}

// FirstKept is the first period of a rule's cycle that is kept once every period with end + close_grace ≤ closed is closed: the earliest of the last
// Rule.Keep closed ones. some is false where all are kept.
func (c *Catalog) FirstKept(r *Rule, cy calendar.Cycle, closed calendar.Instant) (first calendar.Ordinal, some bool) {
	keep := r.Keep[cy.Key()]
	if keep == 0 {
		return 0, false
	}
	ended := closed - calendar.Instant(c.Limits.CloseGrace.Milliseconds())
	open, ok := c.calendar.OrdinalAt(cy, ended)
	if !ok { // between listed periods: the next one, which may not be listed yet, is the first that is not closed
		open = calendar.Ordinal(sort.Search(len(cy.Windows), func(n int) bool { return cy.Windows[n].End > ended }))
	}
	return c.calendar.Before(cy, open, keep)
}
