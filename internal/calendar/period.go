package calendar

import (
	"sort"
	"time"
)

// OrdinalAt returns the period that holds i. ok is false where none does, which only happens between listed periods.
func (c *Calendar) OrdinalAt(cy Cycle, i Instant) (o Ordinal, ok bool) {
	switch cy.Unit {
	case All:
		return 0, true
	case Listed:
		n := sort.Search(len(cy.Windows), func(n int) bool { return cy.Windows[n].Start > i }) - 1
		if n < 0 || i >= cy.Windows[n].End {
			return 0, false
		}
		return Ordinal(n), true
	}
	return c.OrdinalOf(cy, c.DateAt(i)), true
}

// OrdinalOf returns the period that holds the date. It panics for listed periods, whose bounds are instants.
func (c *Calendar) OrdinalOf(cy Cycle, d Date) Ordinal {
	switch cy.Unit {
	case Day:
		return Ordinal(d)
	case Week:
		return Ordinal(floorDiv(int64(d-c.firstWeek()), 7))
	case Month, Quarter, Year:
		year, month, _ := d.Civil()
		return Ordinal(floorDiv(int64((year-1970)*12+int(month)-1), int64(cy.Unit.months())))
	case All:
		return 0
	case Days:
		return Ordinal(floorDiv(int64(d)-int64(cy.From), int64(cy.N)))
	}
	panic("calendar: " + cy.Unit.String() + " periods are not made of dates")
}

// Dates returns the dates of a period, [first, after), whether or not the zone skipped some. It panics for All and Listed.
func (c *Calendar) Dates(cy Cycle, o Ordinal) (first, after Date) {
	switch cy.Unit {
	case Day:
		return Date(o), Date(o) + 1
	case Week:
		first = c.firstWeek() + Date(o)*7
		return first, first + 7
	case Month, Quarter, Year:
		n := cy.Unit.months()
		month := time.Month(int(o)*n + 1) // DateOf carries months over into years
		return DateOf(1970, month, 1), DateOf(1970, month+time.Month(n), 1)
	case Days:
		first = cy.From + Date(int(o)*cy.N)
		return first, first + Date(cy.N)
	}
	panic("calendar: " + cy.Unit.String() + " periods are not made of dates")
}

// firstWeek returns the first date of the week that holds 1970-01-01, a Thursday.
func (c *Calendar) firstWeek() Date {
	return -Date((time.Thursday - c.WeekStart + 7) % 7)
}

// months returns the length of a unit that is made of whole months.
func (u Unit) months() int {
	switch u {
	case Month:
		return 1
	case Quarter:
		return 3
	}
	return 12
}

// PeriodOf returns the period with this ordinal. A period whose every date was skipped by the zone has Start = End.
func (c *Calendar) PeriodOf(cy Cycle, o Ordinal) Period {
	switch cy.Unit {
	case All:
		return Period{Label: All.String()}
	case Listed:
		w := cy.Windows[o]
		return Period{Ordinal: o, Label: w.ID, Start: w.Start, End: w.End, Bounded: true}
	}
	first, after := c.Dates(cy, o)
	return Period{Ordinal: o, Label: c.Label(cy, o), Start: c.StartOf(first), End: c.StartOf(after), Bounded: true}
}

// PeriodAt returns the period that holds i. ok is false where none does, which only happens between listed periods.
func (c *Calendar) PeriodAt(cy Cycle, i Instant) (p Period, ok bool) {
	o, ok := c.OrdinalAt(cy, i)
	if !ok {
		return Period{}, false
	}
	return c.PeriodOf(cy, o), true
}

// Before returns the period n ≥ 0 periods before o, counting only periods that some instant belongs to; n = 0 is o itself. ok is
// false where there is none: before All, before the first listed period, or so far back that labels end (year 1). The cost
// does not grow with n, but with the number of times that the zone's clock changed in between.
func (c *Calendar) Before(cy Cycle, o Ordinal, n int) (earlier Ordinal, ok bool) {
	switch {
	case n <= 0:
		return o, n == 0
	case cy.Unit == All:
		return 0, false
	}
	earliest := int64(0)
	if cy.Unit != Listed {
		earliest = int64(c.OrdinalOf(cy, DateOf(1, time.January, 1))) + 1
	}
	for n > 0 {
		if int64(n) > int64(o)-earliest {
			return 0, false
		}
		passed := o
		o -= Ordinal(n)
		n = c.skipped(cy, o, passed)
	}
	return o, true
}

// skipped counts the periods in [from, to) that the zone skipped.
func (c *Calendar) skipped(cy Cycle, from, to Ordinal) int {
	if cy.Unit != Day && (cy.Unit != Days || cy.N > 2*maxOffset/dayMS) {
		return 0 // no clock was ever put forward far enough to skip such a period
	}
	first, _ := c.Dates(cy, from)
	after, _ := c.Dates(cy, to)
	count := 0
	end := c.StartOf(after)
	offset, until := c.stretch(c.StartOf(first) - 1) // -1: the period itself may have been skipped at its start
	for until <= end {
		next, nextUntil := c.stretch(until)
		if next-offset >= dayMS { // less cannot skip a date
			before, now := c.DateAt(until-1), c.DateAt(until)
			for o := c.OrdinalOf(cy, before); o < c.OrdinalOf(cy, now); o++ {
				if from <= o && o < to && !c.exists(cy, o) {
					count++
				}
			}
		}
		offset, until = next, nextUntil
	}
	return count
}

// exists says whether some instant belongs to a period that is made of dates.
func (c *Calendar) exists(cy Cycle, o Ordinal) bool {
	first, after := c.Dates(cy, o)
	return c.StartOf(first) < c.StartOf(after)
}
