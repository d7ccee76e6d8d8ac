package closing

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// never is later than every instant.
const never calendar.Instant = math.MaxInt64

// ends says, by rule and cycle (by Cycle.Key), up to which end all periods are closed and done.
type ends map[string]map[string]calendar.Instant

// ending is the end of one period of a rule's cycle.
type ending struct {
	rule   *catalog.Rule
	cycle  calendar.Cycle
	period calendar.Period
	at     calendar.Instant // when it closes
}

func graceOf(c *catalog.Catalog) calendar.Instant {
	return calendar.Instant(c.Limits.CloseGrace.Milliseconds())
}

// begin gives the cycles that the ends lack those that have closed by now, and forgets what the catalog does not define: periods that closed before a rule was
// seen are none of its own. It says whether that changed anything.
func (e ends) begin(c *catalog.Catalog, now calendar.Instant) (changed bool) {
	for id := range e {
		r := c.Rule(id)
		for key := range e[id] {
			if r == nil || !slices.ContainsFunc(r.Cycles, func(cy calendar.Cycle) bool { return cy.Key() == key }) {
				delete(e[id], key)
				changed = true
			}
		}
		if len(e[id]) == 0 {
			delete(e, id)
		}
	}
	for _, r := range c.Rules {
		for _, cy := range r.Cycles {
			if _, known := e[r.ID][cy.Key()]; known || cy.Unit == calendar.All {
				continue
			}
			e.set(r, cy, lastEnd(c.Calendar(), cy, now-graceOf(c)))
			changed = true
		}
	}
	return changed
}

func (e ends) set(r *catalog.Rule, cy calendar.Cycle, end calendar.Instant) {
	if e[r.ID] == nil {
		e[r.ID] = map[string]calendar.Instant{}
	}
	e[r.ID][cy.Key()] = end
}

// lastEnd is the latest end of a period of a cycle at or before an instant, 0 for none.
func lastEnd(cal *calendar.Calendar, cy calendar.Cycle, at calendar.Instant) calendar.Instant {
	if cy.Unit != calendar.Listed {
		p, _ := cal.PeriodAt(cy, at)
		return p.Start // periods of dates follow each other without a gap
	}
	n := sort.Search(len(cy.Windows), func(n int) bool { return cy.Windows[n].End > at })
	if n == 0 {
		return 0
	}
	return cy.Windows[n-1].End
}

// closedBy is the latest instant up to now at which a period of any rule closes, 0 for none: all nodes whose clocks have passed it come to the same.
func closedBy(c *catalog.Catalog, now calendar.Instant) (latest calendar.Instant) {
	for _, r := range c.Rules {
		for _, cy := range r.Cycles {
			if cy.Unit == calendar.All {
				continue
			}
			if end := lastEnd(c.Calendar(), cy, now-graceOf(c)); end > 0 {
				latest = max(latest, end+graceOf(c))
			}
		}
	}
	return latest
}

// due are the first limit periods that close after the ends and up to now, in order of their instants, and then of the catalog; next is when the first one
// after all of those that are due closes. more says that there are others up to now. Rules that are pending wait until they are whole; next is
// then now.
func (e ends) due(c *catalog.Catalog, now calendar.Instant, limit int, pending func(rule string) bool) (list []ending, next calendar.Instant, more bool) {
	next = never
	for _, r := range c.Rules {
		if pending(r.ID) {
			next = min(next, now)
			continue
		}
		for _, cy := range r.Cycles {
			if cy.Unit == calendar.All {
				continue
			}
			n := 0
			for p := range after(c.Calendar(), cy, e[r.ID][cy.Key()]) {
				at := p.End + graceOf(c)
				if at > now {
					next = min(next, at)
					break
				}
				list = append(list, ending{r, cy, p, at})
				if n++; n > limit { // one more than is asked for, to know that there is one
					break
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b ending) int { return cmp.Compare(a.at, b.at) })
	if len(list) > limit {
		return list[:limit], now, true
	}
	return list, next, false
}

// after gives the periods of a cycle that end after an instant, in order. Dates that the zone skipped are none.
func after(cal *calendar.Calendar, cy calendar.Cycle, end calendar.Instant) func(yield func(calendar.Period) bool) {
	return func(yield func(calendar.Period) bool) {
		if cy.Unit == calendar.Listed {
			first := sort.Search(len(cy.Windows), func(n int) bool { return cy.Windows[n].End > end })
			for o := first; o < len(cy.Windows) && yield(cal.PeriodOf(cy, calendar.Ordinal(o))); o++ {
			}
			return
		}
		o, _ := cal.OrdinalAt(cy, end)
		for ; ; o++ {
			if p := cal.PeriodOf(cy, o); p.Start < p.End && !yield(p) {
				return
			}
		}
	}
}
