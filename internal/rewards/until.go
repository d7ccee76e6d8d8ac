package rewards

import "laurel/internal/calendar"

// Until is up to when Derive says of u what it says in v, which is as of now: the next date, whose period may be another one of any unit, the end of an attempt at a mission, or, where it
// takes something to have come true just now, no longer than now. It may be too early, and is never too late. What streaks come to is taken as it is in u.
func (c *Calculus) Until(v *View, u *User, now calendar.Instant) calendar.Instant {
	if len(c.Notes(nil, v, u)) > 0 {
		return now + 1
	}
	until := c.calendar.StartOf(c.calendar.DateAt(now) + 1)
	for i := range v.Missions {
		if end := v.Missions[i].Deadline; end > now {
			until = min(until, end)
		}
	}
	return until
}
