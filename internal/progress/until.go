package progress

import (
	"math"

	"laurel/internal/calendar"
	"laurel/internal/rewards"
)

// Until is up to when Derive, of all streak rules of the plan, and DeriveEarned say what they say at now, of which v is the latter: always after now. It may be too early, and is never too
// late. It holds for a state that follows the plan only.
func (s *State) Until(p *Plan, v *rewards.View, now calendar.Instant) calendar.Instant {
	until := calendar.Instant(math.MaxInt64)
	for i, rule := range p.Catalog.Streaks {
		st := s.Streak(rule.ID)
		if st == nil || st.Print != rule.Print {
			st = &StreakState{}
		}
		c := p.Calculus(i, s)
		m := c.At(st.Sealed, st.Marks, st.latest(), now)
		until = min(until, c.Until(&m, st.latest(), now))
	}
	if p.earning == nil {
		return until
	}
	a := p.appliers.Get().(*applier)
	defer a.rest()
	a.plan, a.state, a.now = p, s, now
	x := a.room()
	a.fill(x, a.streakNow())
	return min(until, p.earning.calculus.Until(v, &x.user, a.streakNow()))
}
