package streaks

import (
	"laurel/internal/calendar"
)

// State of a streak as shown.
type State string

// The states; the first that holds is shown. Those of pauses and freezes (DESIGN §3.6) are not among them: there is no command yet that makes one.
const (
	Broken State = "broken"  // there was a run, the current length is 0
	None   State = "none"    // there never was one
	AtRisk State = "at_risk" // the open period is unmet and its deadline near
	Active State = "active"
)

// PeriodStatus of a period in the history.
type PeriodStatus string

// The statuses of DESIGN §4.2, without those of freezes, pauses and restores.
const (
	Met      PeriodStatus = "met"
	Missed   PeriodStatus = "missed"
	Inactive PeriodStatus = "inactive"
	Open     PeriodStatus = "open"
)

// HistoryLen is how many periods a view's history goes back, the open one included.
const HistoryLen = 30

// View is a streak as of an instant.
type View struct {
	Current, Longest Run
	Total            int
	State            State
	Zone             string
	// Started is the first met period of the current run; valid when Current.Length > 0.
	Started calendar.Ordinal
	// LastExtendedAt is the at that met the last met period, 0 for none.
	LastExtendedAt calendar.Instant
	// Deadline is when the streak ends unless its open period is met, DiesAt the same with freezes counted; valid when Current.Length > 0.
	Deadline, DiesAt calendar.Instant
	Period           PeriodView   // the open one
	History          []PeriodView // oldest first, ends with the open period
}

// PeriodView is one period of a streak. Values are scaled by their conditions' decimals.
type PeriodView struct {
	Ordinal calendar.Ordinal
	Status  PeriodStatus
	Values  []int64
	Met     bool
}

// Derive computes what is shown of a streak at now. marks are in order of Ordinal.
func (c Calculus) Derive(sealed Sealed, marks []Mark, latest Latest, now calendar.Instant) View {
	open := c.Open(now, latest)
	l := c.Count(sealed, marks, open)
	v := View{
		Current: c.Current(l, open), Longest: l.Longest, Total: l.Total,
		LastExtendedAt: l.Last.Reached, Zone: c.Zoning.zoneName(now, latest),
	}
	v.History = c.history(marks, open)
	v.Period = v.History[len(v.History)-1]
	if v.Current.Length > 0 {
		v.Started = v.Current.First
		v.Deadline = c.Deadline(v.Current, open, latest.Offset)
		v.DiesAt = v.Deadline
	}
	v.State = c.state(&v, l, now)
	return v
}

// Deadline is when a current run ends: with the end of the open period, or of the next active one where the open one is met or does not count.
func (c Calculus) Deadline(current Run, open calendar.Ordinal, offset int16) calendar.Instant {
	due := open
	if current.Last >= open || !c.active(open) {
		due = c.next(open)
	}
	return c.Zoning.End(due, offset)
}

func (c Calculus) state(v *View, l Lengths, now calendar.Instant) State {
	switch {
	case v.Current.Length == 0 && l.Last.Length > 0:
		return Broken
	case v.Current.Length == 0:
		return None
	case !v.Period.Met && c.Rule.AtRisk > 0 && int64(v.Deadline-now) <= c.Rule.AtRisk.Milliseconds():
		return AtRisk
	}
	return Active
}

// history lists the periods that end with the open one, from the first mark that is held on, at most HistoryLen.
func (c Calculus) history(marks []Mark, open calendar.Ordinal) []PeriodView {
	first := open
	if len(marks) > 0 {
		first = min(max(marks[0].Ordinal, open-HistoryLen+1), open)
	}
	h := make([]PeriodView, 0, open-first+1)
	i := 0
	for o := first; o <= open; o++ {
		for i < len(marks) && marks[i].Ordinal < o {
			i++
		}
		p := PeriodView{Ordinal: o, Values: make([]int64, len(c.Rule.Conditions))}
		if i < len(marks) && marks[i].Ordinal == o {
			p.Values, p.Met = marks[i].Values, marks[i].Met
		}
		p.Status = c.status(p.Met, o, open)
		if o == open || c.Zoning.exists(o) {
			h = append(h, p)
		}
	}
	return h
}

func (c Calculus) status(met bool, o, open calendar.Ordinal) PeriodStatus {
	switch {
	case !c.active(o):
		return Inactive
	case met:
		return Met
	case o == open:
		return Open
	}
	return Missed
}
