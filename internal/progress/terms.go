package progress

import (
	"slices"

	"laurel/internal/catalog"
	"laurel/streaks"
)

// takeTerms brings the streaks of a base, whose commands are known, under the terms of the plan.
func (s *State) takeTerms(p *Plan) {
	for i, rule := range p.Catalog.Streaks {
		if st := s.Streak(rule.ID); st != nil && st.Terms != rule.Terms {
			*st = *st.underTerms(p.Calculus(i, s))
		}
	}
}

// underTerms is a copy of a base's streak that was folded under other terms of its rule. What they may have changed of a period is the user's target, and with it
// whether the period is met, which its values tell still. When it was met they do not where the target was not reached then: that is the last moment at which
// it can have been.
func (st *StreakState) underTerms(c *streaks.Calculus) *StreakState {
	out := *st
	out.Terms = c.Rule.Terms
	out.Marks = slices.Clone(st.Marks)
	out.Conditions = make([]Condition, len(st.Conditions))
	n := len(c.Rule.Conditions)
	for i := range st.Conditions {
		x := st.Conditions[i].clone()
		x.aim(c.Rule.Conditions[i%n].Fold, c.Target(i%n, st.Marks[st.summed()+i/n].Ordinal))
		out.Conditions[i] = x
	}
	for i := out.summed(); i < len(out.Marks); i++ {
		out.judge(c, i)
	}
	return &out
}

// aim gives a condition another target.
func (c *Condition) aim(f catalog.Fold, least int64) {
	switch reached := c.Some && c.Value >= least; {
	case c.Met && !reached && !c.Negative && f != catalog.Min && f != catalog.Last: // those may have fallen since they came to the target
		c.Met, c.MetAt = false, 0
	case c.Met || !reached:
	case f == catalog.Unique:
		c.meet(c.NthFirst(int(max(least, 1))))
	default:
		c.meet(c.LastAt)
	}
}
