package streaks

import (
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// Mark is what a user did in one period.
type Mark struct {
	Ordinal calendar.Ordinal
	// Summed says that the Sealed beside the marks has the period already: the mark is kept to be shown. Summed marks come first.
	Summed bool
	// Values are the values of the rule's conditions, scaled, in their order.
	Values []int64
	// Met says that the condition holds, MetAt is the at of the activity that met it, in (at, id) order; it is not kept where Summed.
	Met   bool
	MetAt calendar.Instant
}

// Run is an unbroken row of met periods. The zero value is no run.
type Run struct {
	First, Last calendar.Ordinal
	Length      int              // met active periods
	Reached     calendar.Instant // the at that brought the length: MetAt of Last
}

// Sealed sums up the first periods: those before the seal, which nothing can change any more, and those whose marks say so.
type Sealed struct {
	Total         int // periods met
	Longest, Last Run // the earliest of the longest runs; the latest run
}

// Lengths is what counting marks gives.
type Lengths struct {
	Total         int
	Longest, Last Run
}

// Calculus counts one rule's streak for one user.
type Calculus struct {
	Rule   *catalog.Streak
	Zoning *Zoning
}

// Count goes over marks (in order of Ordinal) up to and including period upto. The greatest current length over time is the length of the
// longest run; of equal ones the earliest counts.
func (c Calculus) Count(sealed Sealed, marks []Mark, upto calendar.Ordinal) Lengths {
	l := Lengths(sealed)
	for i := range marks {
		m := &marks[i]
		if m.Ordinal > upto {
			break
		}
		if m.Summed || !m.Met || !c.active(m.Ordinal) {
			continue
		}
		l.Total++
		if l.Last.Length == 0 || c.missed(l.Last.Last, m.Ordinal) {
			l.Last = Run{First: m.Ordinal}
		}
		l.Last.Last, l.Last.Reached = m.Ordinal, m.MetAt
		l.Last.Length++
		if l.Last.Length > l.Longest.Length {
			l.Longest = l.Last
		}
	}
	return l
}

// Current is the run that lives in period open: the last one, unless a period was missed since. The zero Run if there is none.
func (c Calculus) Current(l Lengths, open calendar.Ordinal) Run {
	if l.Last.Length == 0 || c.missed(l.Last.Last, open) {
		return Run{}
	}
	return l.Last
}

// Open is the period that runs now. For rules in mode event it is read at the offset of the user's latest matching activity (none: in the org's
// zone), and is never before the latest stamped period.
func (c Calculus) Open(now calendar.Instant, latest Latest) calendar.Ordinal {
	return c.Zoning.open(now, latest)
}

// Latest is the user's latest matching activity, by (at, id); the zero value is none.
type Latest struct {
	Some   bool
	Offset int16            // minutes east of UTC
	Period calendar.Ordinal // the greatest stamped period, of any activity
}

// active says whether a period counts: its weekday is active and it exists in the user's zone.
func (c Calculus) active(o calendar.Ordinal) bool {
	if c.Rule.Unit.Unit == calendar.Day && !c.Rule.ActiveDays[calendar.Date(o).Weekday()] {
		return false
	}
	return c.Zoning.exists(o)
}

// missed says whether an active period lies strictly between a and b. Of seven days one at least is active, and no zone
// skips two dates in a row, so a wider gap need not be walked.
func (c Calculus) missed(a, b calendar.Ordinal) bool {
	if b-a > 16 {
		return true
	}
	for o := a + 1; o < b; o++ {
		if c.active(o) {
			return true
		}
	}
	return false
}

// next is the first active period after o.
func (c Calculus) next(o calendar.Ordinal) calendar.Ordinal {
	for o++; !c.active(o); o++ {
	}
	return o
}
