package streaks

import (
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// State of a streak as shown.
type State string

// The states; the first that holds is shown.
const (
	StatePaused State = "paused"  // the open period is
	StateFrozen State = "frozen"  // the last required period was covered by a freeze, the open one is unmet
	Broken      State = "broken"  // there was a run, the current length is 0
	None        State = "none"    // there never was one
	AtRisk      State = "at_risk" // the open period is unmet and its deadline near
	Active      State = "active"
)

// PeriodStatus of a period in the history.
type PeriodStatus string

// The statuses.
const (
	Met      PeriodStatus = "met"
	Frozen   PeriodStatus = "frozen"
	Paused   PeriodStatus = "paused"
	Restored PeriodStatus = "restored"
	Missed   PeriodStatus = "missed"
	Inactive PeriodStatus = "inactive"
	Open     PeriodStatus = "open"
)

// HistoryLen is how many periods a view's history goes back, the open one included.
const HistoryLen = 30

// Moment is a streak as of an instant, without its history.
type Moment struct {
	Sum
	Open  calendar.Ordinal
	State State
	// Due is the period whose miss would be the next, and Deadline when that is decided; valid where Mortal.
	Due      calendar.Ordinal
	Deadline calendar.Instant

	met bool // the open period is
}

// LastExtendedAt is the at that met the last met period, 0 for none.
func (m *Moment) LastExtendedAt() calendar.Instant {
	if m.Run.Length > 0 {
		return m.Run.Reached
	}
	return m.Lost.Reached
}

// Mortal says whether a miss would do something to the current run.
func (m *Moment) Mortal() bool { return m.Deadline != 0 }

// At decides a streak as of now. marks are in order of Ordinal; the summed ones of them are in sealed.
func (c *Calculus) At(sealed Sum, marks []Mark, latest Latest, now calendar.Instant) Moment {
	w := c.walkFrom(sealed, latest.offset())
	open := c.Open(marks, latest, now)
	w.until(marks, open)
	m := Moment{Sum: w.Sum, Open: open, met: metIn(marks, open)}
	paused := c.paused(open, latest.offset())
	if m.Run.Length > 0 && c.Rule.OnMiss != catalog.None {
		m.Due = open
		if m.met || paused || !c.required(open) {
			m.Due = c.nextRequired(open, latest.offset())
		}
		m.Deadline = c.Decided(m.Due, latest.offset())
	}
	m.State = c.state(&m, paused, now)
	return m
}

func (c *Calculus) state(m *Moment, paused bool, now calendar.Instant) State {
	switch {
	case c.OptedOut():
		return None
	case paused:
		return StatePaused
	case m.frozen && !m.met:
		return StateFrozen
	case m.Run.Length == 0 && m.Total > 0:
		return Broken
	case m.Run.Length == 0:
		return None
	case !m.met && m.Mortal() && c.Rule.AtRisk > 0 && int64(m.Deadline-now) <= c.Rule.AtRisk.Milliseconds():
		return AtRisk
	}
	return Active
}

// View is a streak as of an instant.
type View struct {
	Moment
	Zone string
	// DiesAt is when the current run ends if nothing is done any more, with the freezes held; valid where Mortal.
	DiesAt calendar.Instant
	// LostAt is when the run ended that was lost last, 0 for none.
	LostAt calendar.Instant
	// Period is the open one; History ends with it, oldest first.
	Period   PeriodView
	History  []PeriodView
	OptedOut bool
}

// PeriodView is one period of a streak. Values and targets are scaled by their conditions' decimals.
type PeriodView struct {
	Ordinal calendar.Ordinal
	Status  PeriodStatus
	Values  []int64
	Targets []int64
	Met     bool
}

// Derive computes what is shown of a streak at now. marks are in order of Ordinal.
func (c *Calculus) Derive(sealed Sum, marks []Mark, latest Latest, now calendar.Instant) View {
	v := View{Moment: c.At(sealed, marks, latest, now), Zone: c.Zoning.zoneName(now, latest), OptedOut: c.OptedOut()}
	if v.OptedOut {
		v.Moment = Moment{Open: v.Open, State: v.State}
		marks = nil
	}
	first := v.Open
	if len(marks) > 0 {
		first = min(max(marks[0].Ordinal, v.Open-HistoryLen+1), v.Open)
	}
	v.History = c.History(&v.Moment, marks, latest, first, v.Open)
	v.Period = v.History[len(v.History)-1]
	if v.Lost.Length > 0 {
		v.LostAt = c.EndedAt(&v.Lost, latest)
	}
	if v.Mortal() {
		v.DiesAt = c.diesAt(&v.Moment, latest.offset())
	}
	return v
}

// diesAt walks on over the periods that the freezes and the length would last.
func (c *Calculus) diesAt(m *Moment, offset int16) calendar.Instant {
	misses := m.Held
	if c.Rule.OnMiss == catalog.Decay {
		misses += (m.Run.Length - 1) / c.Rule.Decay
	}
	due := m.Due
	for range misses {
		due = c.nextRequired(due, offset)
	}
	return c.Decided(due, offset)
}

// History shows the periods from first to last, which is not after the open one: those that exist, and the last. m is of the same marks.
func (c *Calculus) History(m *Moment, marks []Mark, latest Latest, first, last calendar.Ordinal) []PeriodView {
	h := make([]PeriodView, 0, last-first+1)
	i, b := 0, 0
	for o := first; o <= last; o++ {
		for i < len(marks) && marks[i].Ordinal < o {
			i++
		}
		for b < len(m.Bridged) && m.Bridged[b].Ordinal < o {
			b++
		}
		p := PeriodView{Ordinal: o}
		if i < len(marks) && marks[i].Ordinal == o {
			p.Values, p.Met = marks[i].Values, marks[i].Met
		} else {
			p.Values = make([]int64, len(c.Rule.Conditions))
		}
		p.Targets = make([]int64, len(c.Rule.Conditions))
		for k := range p.Targets {
			p.Targets[k] = c.Target(k, o)
		}
		bridge := PeriodStatus("")
		if b < len(m.Bridged) && m.Bridged[b].Ordinal == o {
			bridge = m.Bridged[b].Status
		}
		p.Status = c.status(p.Met, bridge, o, m.Open, latest.offset())
		if o == last || c.Zoning.exists(o) {
			h = append(h, p)
		}
	}
	return h
}

func (c *Calculus) status(met bool, bridge PeriodStatus, o, open calendar.Ordinal, offset int16) PeriodStatus {
	switch {
	case !c.active(o):
		return Inactive
	case met:
		return Met
	case c.paused(o, offset):
		return Paused
	case o == open:
		return Open
	case bridge != "":
		return bridge
	}
	return Missed
}

// EndedAt is when a run ended: with the decision of the miss.
func (c *Calculus) EndedAt(e *Ended, latest Latest) calendar.Instant {
	return c.Decided(e.Missed, latest.offset())
}

// Ends lists the runs that ended, in order.
func (c *Calculus) Ends(sealed Sum, marks []Mark, latest Latest, now calendar.Instant) (ends []Ended) {
	w := c.walkFrom(sealed, latest.offset())
	w.step = func(_ calendar.Ordinal, was, is Sum) {
		if was.Run.Length > 0 && is.Run.Length == 0 {
			ends = append(ends, is.Lost)
		}
	}
	w.until(marks, c.Open(marks, latest, now))
	return ends
}

// Next is the first instant after now at which time alone changes something: a miss is decided, the lead of a deadline begins, a pause begins or ends for a running
// streak, or a period begins that has activities already. 0 for never.
func (c *Calculus) Next(m *Moment, marks []Mark, latest Latest, now calendar.Instant) calendar.Instant {
	if c.OptedOut() {
		return 0
	}
	next := calendar.Instant(0)
	note := func(i calendar.Instant) {
		if i > now && (next == 0 || i < next) {
			next = i
		}
	}
	if n := len(marks); n > 0 && marks[n-1].Ordinal > m.Open {
		note(c.Decided(m.Open, latest.offset()))
		note(c.Zoning.End(m.Open, latest.offset()))
	}
	if m.Run.Length == 0 {
		return next
	}
	if m.Mortal() {
		note(m.Deadline)
		if c.Rule.AtRisk > 0 {
			lead := m.Deadline - calendar.Instant(c.Rule.AtRisk.Milliseconds())
			if m.met {
				lead = max(lead, c.Zoning.End(m.Open, latest.offset()))
			}
			note(lead)
		}
	}
	c.noteFlip(m, latest.offset(), note)
	return next
}

// flipsAhead is how many periods ahead a pause is looked for where no deadline comes before it: a pause begins within a year, and is no longer than one.
const flipsAhead = 2 * 366

// noteFlip notes when the streak comes under a pause, or out of one.
func (c *Calculus) noteFlip(m *Moment, offset int16, note func(calendar.Instant)) {
	if len(c.Pauses) == 0 && len(c.Outages) == 0 {
		return
	}
	now, last := c.paused(m.Open, offset), m.Open+flipsAhead
	if m.Mortal() {
		last = m.Due // whatever comes then is looked at again
	}
	for o := m.Open; o < last; o++ {
		if c.Zoning.exists(o+1) && c.paused(o+1, offset) != now {
			note(c.Zoning.End(o, offset))
			note(c.Decided(o, offset)) // while it lacks, the open period is still o
			return
		}
	}
}
