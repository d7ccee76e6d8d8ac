package streaks

import (
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// Calculus counts one rule's streak for one user.
type Calculus struct {
	Rule     *catalog.Streak
	Zoning   *Zoning
	Pauses   []Pause
	Outages  []Outage
	Commands Commands
}

// Latest is the user's latest matching activity, by (at, id); the zero value is none.
type Latest struct {
	Some   bool
	Offset int16            // minutes east of UTC
	Period calendar.Ordinal // the greatest period of any activity
}

// offset is what rules in mode event are read at.
func (l Latest) offset() int16 {
	if !l.Some {
		return orgOffset
	}
	return l.Offset
}

// bridgedBack is how many periods before its stamp one may be for which an activity counts: one, and two dates that the user's zone skipped.
const bridgedBack = 3

// PeriodOf is the period that an activity counts for: that of its stamp, or the earliest one before it that still could be met then and is not. met says
// whether a period is met by the activities before this one.
func (c *Calculus) PeriodOf(at calendar.Instant, offset int16, met func(calendar.Ordinal) bool) calendar.Ordinal {
	stamp := c.Zoning.Stamp(at, offset)
	if c.Strict() {
		return stamp
	}
	for o := stamp - bridgedBack; o < stamp; o++ {
		if c.lacks(o, at, offset) && !met(o) {
			return o
		}
	}
	return stamp
}

// Open is the period that runs now: the stamp of now (for rules in mode event read at the offset of the user's latest matching activity, without one in the
// org's zone, and never before the latest period), or an earlier one that can still be met and is not. marks are in order of Ordinal.
func (c *Calculus) Open(marks []Mark, latest Latest, now calendar.Instant) calendar.Ordinal {
	open := c.Zoning.open(now, latest)
	if c.Strict() {
		return open
	}
	for o := open - bridgedBack; o < open; o++ {
		if c.Zoning.event && latest.Some && o < latest.Period {
			continue
		}
		if c.lacks(o, now, latest.offset()) && !metIn(marks, o) {
			return o
		}
	}
	return open
}

// Strict says that nothing can be met after its end: the period that an activity counts for does not depend on others.
func (c *Calculus) Strict() bool { return c.Rule.Grace == 0 && len(c.Zoning.segments) == 1 }

// lacks says whether a period that is over wants to be met still.
func (c *Calculus) lacks(o calendar.Ordinal, now calendar.Instant, offset int16) bool {
	return c.required(o) && c.Decided(o, offset) > now && !c.paused(o, offset)
}

func metIn(marks []Mark, o calendar.Ordinal) bool {
	for i := len(marks) - 1; i >= 0 && marks[i].Ordinal >= o; i-- {
		if marks[i].Ordinal == o {
			return marks[i].Met
		}
	}
	return false
}

// Decided is the first instant at which a period cannot be met any more; offset (minutes east of UTC) is what rules in mode event are read at. The first period that
// must be met after a change of zone can be met as long as it could have been in the old zone, if that is later, and until the end of the period after it at
// most: no change of zone makes a running deadline come earlier.
func (c *Calculus) Decided(o calendar.Ordinal, offset int16) calendar.Instant {
	end := c.Zoning.End(o, offset)
	c.Zoning.inOldZones(o, func(changed calendar.Ordinal, old calendar.Instant) {
		if old > end && c.firstAfter(changed, o) {
			end = max(end, min(old, c.Zoning.End(c.Zoning.nextExisting(o), offset)))
		}
	})
	return end + calendar.Instant(c.Rule.Grace.Milliseconds())
}

// firstAfter says whether o is the first period after another that must be met.
func (c *Calculus) firstAfter(other, o calendar.Ordinal) bool {
	for p := other + 1; p < o; p++ {
		if c.required(p) {
			return false
		}
	}
	return o > other && c.required(o)
}

// required says whether a period must be met: it is active and exists in the user's zone.
func (c *Calculus) required(o calendar.Ordinal) bool { return c.active(o) && c.Zoning.exists(o) }

// active says whether a period counts: its weekday is active and it is no holiday.
func (c *Calculus) active(o calendar.Ordinal) bool {
	if c.Rule.Unit.Unit != calendar.Day {
		return true
	}
	d := calendar.Date(o)
	if len(c.Rule.Holidays) > 0 {
		if _, holiday := slices.BinarySearch(c.Rule.Holidays, d); holiday {
			return false
		}
	}
	return c.Rule.ActiveDays[d.Weekday()]
}

// paused says whether a period cannot be missed: a pause of the user has a date of it, or an outage overlaps it.
func (c *Calculus) paused(o calendar.Ordinal, offset int16) bool {
	p, x := c.pausedBy(o, offset)
	return p != nil || x != nil
}

func (c *Calculus) pausedBy(o calendar.Ordinal, offset int16) (*Pause, *Outage) {
	if len(c.Pauses) > 0 {
		first, after := c.Zoning.Dates(o)
		for i := range c.Pauses {
			if p := &c.Pauses[i]; max(p.From, first) <= min(p.Until(), after-1) {
				return p, nil
			}
		}
	}
	for i := range c.Outages {
		if x := &c.Outages[i]; x.RemoveAt == 0 && x.From < c.Zoning.End(o, offset) && x.To > c.Zoning.End(o-1, offset) {
			return nil, x
		}
	}
	return nil, nil
}

func (c *Calculus) restored(o calendar.Ordinal) bool {
	return slices.ContainsFunc(c.Commands.Restores, func(r Restore) bool { return r.First <= o && o <= r.Last })
}

// OptedOut says whether the user wants no such streak.
func (c *Calculus) OptedOut() bool {
	n := len(c.Commands.OptOuts)
	return n > 0 && c.Commands.OptOuts[n-1].Out
}

// Target is what the rule's k-th condition has to come to in a period, scaled: the rule's target, or the user's own within what the rule allows.
func (c *Calculus) Target(k int, o calendar.Ordinal) int64 {
	least := c.Rule.Conditions[k].AtLeast
	if c.Rule.MaxTarget == 0 {
		return least
	}
	own := least
	for _, t := range c.Commands.Targets {
		if t.From <= o {
			own = t.N
		}
	}
	return max(least, min(own, c.Rule.MaxTarget))
}

// nextRequired is the first period after o that must be met and can be missed. A user whose pauses never end does not exist: they are bounded.
func (c *Calculus) nextRequired(o calendar.Ordinal, offset int16) calendar.Ordinal {
	for o++; !c.required(o) || c.paused(o, offset); o++ {
	}
	return o
}

// GrantedFrom is the first period that can still be met at an instant: what is granted then can cover a miss of it.
func (c *Calculus) GrantedFrom(now calendar.Instant, latest Latest) calendar.Ordinal {
	open := c.Zoning.open(now, latest)
	for o := open - bridgedBack; o < open; o++ {
		if c.Zoning.exists(o) && c.Decided(o, latest.offset()) > now && (!c.Zoning.event || o >= latest.Period) {
			return o
		}
	}
	return open
}
