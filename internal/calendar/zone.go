package calendar

import (
	"math"
	"time"
	_ "time/tzdata" // a container without zone files must not change where a day begins
)

// maxOffset is more than any zone is ahead of or behind UTC: the zone format ends at 24:59:59, the world at 15:56:08.
const maxOffset = 25 * hourMS

// How a boundary is found. Let wall(i) = i + the zone's offset at i, and W(d) = midnight of d + DayStart, both read as if on
// a UTC clock. A date begins at the first i with wall(i) ≥ W(d). So the date in force at i follows from the greatest wall(j)
// of all j ≤ i, not from wall(i): the two differ after a clock went back. No wall(j) from more than 2·maxOffset before i is
// greater than wall(i), and no i further than maxOffset before W(d) can reach it, so a short walk forward over stretches of
// constant offset answers both, exactly, whatever the zone did.

// DateAt returns the local date in force at i: the greatest d with StartOf(d) ≤ i. It never decreases as i grows: a clock that
// falls back over midnight does not return to the earlier date.
func (c *Calendar) DateAt(i Instant) Date {
	at := i - 2*maxOffset
	offset, until := c.stretch(at)
	greatest := i + offset
	if until <= i {
		greatest = c.greatestWall(i, offset, until)
	}
	return Date(floorDiv(int64(greatest-c.dayStart()), dayMS))
}

// greatestWall returns the greatest wall clock reading up to i, where the stretch that ends at until ≤ i has the given offset.
func (c *Calendar) greatestWall(i, offset, until Instant) Instant {
	greatest := Instant(math.MinInt64)
	for until <= i {
		greatest = max(greatest, until-1+offset) // a stretch is latest at its last millisecond
		offset, until = c.stretch(until)
	}
	return max(greatest, i+offset)
}

// StartOf returns the first instant at which the local date is d or later.
func (c *Calendar) StartOf(d Date) Instant {
	wall := Instant(d)*dayMS + c.dayStart()
	at := wall - maxOffset
	for {
		offset, until := c.stretch(at)
		if start := max(at, wall-offset); start < until {
			return start
		}
		at = until
	}
}

// Exists says whether d was ever the local date: false where the zone skipped it.
func (c *Calendar) Exists(d Date) bool {
	return c.StartOf(d) < c.StartOf(d+1)
}

func (c *Calendar) dayStart() Instant { return Instant(c.DayStart / time.Millisecond) }

// stretch returns the zone's offset at i in milliseconds, and an instant after i up to which it stays so.
func (c *Calendar) stretch(i Instant) (offset, until Instant) {
	if t := c.table; t != nil && t.zone == c.Zone && tableStart <= i && i < tableEnd {
		return t.stretch(i)
	}
	return stretchOf(c.Zone, i)
}
