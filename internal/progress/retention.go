package progress

import (
	"math"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/streaks"
)

// Retention: a period that is gone (catalog.Kept) has no tally and no row. What is gone is part of the plan, and the plan is made from the same fence that
// a commit names: once the fence says that a period is gone, no commit that applies writes a row of it, so that its board can be removed for good.

// NewPlanOf makes a catalog ready for an org of which some periods are gone, and which has outages (in order of At, then ID; not to be changed).
func NewPlanOf(c *catalog.Catalog, kept catalog.Kept, outages []streaks.Outage) *Plan {
	p := NewPlan(c)
	if len(outages) > 0 {
		p.outages = outages
		for _, c := range p.calculi {
			c.Outages = outages
		}
		p.print, p.boards = fingerprint(p), boardPrints(p)
	}
	for i := range p.rules {
		r := &p.rules[i]
		for _, k := range r.cycles {
			first, some := kept[r.ID][p.keys[k]]
			if !some {
				continue
			}
			if r.first == nil {
				r.first = slices.Repeat([]calendar.Ordinal{math.MinInt32}, len(p.cycles))
			}
			r.first[k] = first
		}
	}
	return p
}

// AsOf is a plan of the same definitions that knows the org's outages as they were known at an instant.
func (p *Plan) AsOf(at calendar.Instant) *Plan { return p.knowing(p.outagesAsOf(at)) }

// outagesAsOf are the outages as they were known at an instant.
func (p *Plan) outagesAsOf(at calendar.Instant) (known []streaks.Outage) {
	for _, o := range p.outages {
		if o.At > at {
			continue
		}
		if o.RemoveAt > at {
			o.RemoveAt = 0
		}
		known = append(known, o)
	}
	return known
}

// knowing is a plan of the same definitions that knows these outages.
func (p *Plan) knowing(known []streaks.Outage) *Plan {
	if slices.Equal(known, p.outages) {
		return p
	}
	return NewPlanOf(p.Catalog, nil, known)
}

// gone says whether the rule no longer keeps a period of a cycle.
func (r *rulePlan) gone(cycle int, o calendar.Ordinal) bool {
	return r.first != nil && o < r.first[cycle]
}

// Unreached is a period in which an activity does not count any more, because it came after the period's close, or because the period is gone.
type Unreached struct{ Rule, Label string }

// reaches says whether the activity at hand counts in a period of a rule that it matches.
func (a *applier) reaches(r *rulePlan, cycle int, o calendar.Ordinal, act *activity.Activity) bool {
	return !r.gone(cycle, o) && !a.plan.closedFor(cycle, o, act)
}

// dropGone drops the tallies of periods that are gone.
func (s *State) dropGone(p *Plan) {
	for i := range s.Rules {
		rs := &s.Rules[i]
		r := p.ruleOf(rs.ID)
		if r == nil || r.first == nil {
			continue
		}
		for _, k := range r.cycles {
			c := rs.cycle(p.keys[k])
			if c == nil || len(c.Periods) == 0 || !r.gone(k, c.Periods[0].Ordinal) {
				continue
			}
			n, _ := c.find(r.first[k])
			c.Periods = c.Periods[n:]
		}
	}
}
