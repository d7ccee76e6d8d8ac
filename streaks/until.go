package streaks

import (
	"math"

	"laurel/internal/calendar"
)

// Until is up to when Derive says of the same what it says at now, which m is as of: the first instant after now at which the open period may be another one, a deadline comes near,
// or another zone is in force. It may be too early, and is never too late.
func (c *Calculus) Until(m *Moment, latest Latest, now calendar.Instant) calendar.Instant {
	until := calendar.Instant(math.MaxInt64)
	note := func(at calendar.Instant) {
		if at > now {
			until = min(until, at)
		}
	}
	note(c.Zoning.nextDate(now, latest))
	for i := range c.Zoning.segments {
		note(c.Zoning.segments[i].start)
	}
	if open := c.Zoning.open(now, latest); !c.Strict() {
		for o := open - bridgedBack; o < open; o++ {
			note(c.Decided(o, latest.offset())) // from then on it does not lack any more
		}
	}
	if m.Mortal() && c.Rule.AtRisk > 0 {
		note(m.Deadline - calendar.Instant(c.Rule.AtRisk.Milliseconds()))
	}
	return until
}

// nextDate is when the unit's period of the date at now ends, where dates are read that way from now on.
func (z *Zoning) nextDate(now calendar.Instant, latest Latest) calendar.Instant {
	if z.event && latest.Some {
		return z.End(z.Stamp(now, latest.Offset), latest.Offset)
	}
	cal := z.segmentAt(now).cal
	_, after := cal.Dates(z.unit, cal.OrdinalOf(z.unit, cal.DateAt(now)))
	return cal.StartOf(after)
}
