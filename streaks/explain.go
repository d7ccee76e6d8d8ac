package streaks

import "laurel/internal/calendar"

// Exemption is why a period is not required, "" if it is.
type Exemption string

// The exemptions.
const (
	OffDay     Exemption = "weekday"      // its weekday is not active
	Holiday    Exemption = "holiday"      // its date is one
	NoSuchDate Exemption = "no_such_date" // the user's zone skipped it
)

// Explained is a period with all that it is decided by.
type Explained struct {
	PeriodView
	Start, End calendar.Instant // the period is stamped on what is in [Start, End)
	Until      calendar.Instant // the first instant at which it cannot be met any more
	Zone       string           // in force then
	Exempt     Exemption
	MetAt      calendar.Instant // valid where Met
	Pause      *Pause           // of the user, nil for none
	Outage     *Outage          // of the org, nil for none
	// Running: a streak went on before the period. Length is that of the streak after it; Ended what ended with it, of which Returned freezes came back; Decayed what
	// the miss took off; Held the freezes that were left.
	Running                          bool
	Length, Ended, Returned, Decayed int
	Held                             int
}

// Explain explains the periods from first to last, which is not after the open one. marks are all that there are, none of them summed.
func (c *Calculus) Explain(marks []Mark, latest Latest, now calendar.Instant, first, last calendar.Ordinal) []Explained {
	m := c.At(Sum{}, marks, latest, now)
	all := make([]Explained, 0, last-first+1)
	for o := first; o <= last; o++ {
		all = append(all, c.explain(&m, marks, latest, o))
	}
	w := c.walkFrom(Sum{}, latest.offset())
	w.step = func(o calendar.Ordinal, was, is Sum) {
		if o >= first && o <= last {
			all[o-first].decided(&was, &is)
		}
	}
	w.until(marks, m.Open)
	return all
}

func (c *Calculus) explain(m *Moment, marks []Mark, latest Latest, o calendar.Ordinal) Explained {
	offset := latest.offset()
	e := Explained{PeriodView: c.History(m, marks, latest, o, o)[0], Start: c.Zoning.End(o-1, offset), End: c.Zoning.End(o, offset), Until: c.Decided(o, offset), Exempt: c.exempt(o)}
	e.Zone = c.Zoning.zoneName(e.End-1, latest)
	e.Pause, e.Outage = c.pausedBy(o, offset)
	if e.Exempt != "" {
		e.Status = Inactive
	}
	for i := range marks {
		if marks[i].Ordinal == o {
			e.MetAt = marks[i].MetAt
		}
	}
	return e
}

// decided takes over what became of the streak with the period.
func (e *Explained) decided(was, is *Sum) {
	e.Running, e.Length, e.Held = was.Run.Length > 0, is.Run.Length, is.Held
	switch {
	case is.Run.Length == 0:
		e.Ended, e.Returned = is.Lost.Length, was.Used-is.Used
	case is.Run.Length < was.Run.Length:
		e.Decayed = was.Run.Length - is.Run.Length
	}
}

func (c *Calculus) exempt(o calendar.Ordinal) Exemption {
	switch {
	case !c.Zoning.exists(o):
		return NoSuchDate
	case c.active(o):
		return ""
	case !c.Rule.ActiveDays[calendar.Date(o).Weekday()]:
		return OffDay
	}
	return Holiday
}
