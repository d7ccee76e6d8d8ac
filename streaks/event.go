package streaks

import (
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// EventType says what became true of a streak.
type EventType string

// The types.
const (
	Started      EventType = "streak.started"
	Extended     EventType = "streak.extended"
	InDanger     EventType = "streak.at_risk"
	WasFrozen    EventType = "streak.frozen"
	WasLost      EventType = "streak.lost"
	Decayed      EventType = "streak.decayed"
	FreezeEarned EventType = "streak.freeze_earned"
	WasPaused    EventType = "streak.paused"
	Resumed      EventType = "streak.resumed"
	WasRestored  EventType = "streak.restored"
	Reached      EventType = "streak.milestone"
	Record       EventType = "streak.record"
	Undone       EventType = "streak.undone"
)

// Event is what became true of a streak.
type Event struct {
	Type EventType
	// Undone is, of type Undone, what is no longer so.
	Undone EventType
	Period calendar.Ordinal // that it is about
	// Current is the length from now on, Previous what it was.
	Current, Previous int
	// Held freezes, of types WasFrozen and FreezeEarned; Returned ones, of type WasLost; Milestone, the length of one that was reached.
	Held, Returned, Milestone int
	Deadline                  calendar.Instant // of type InDanger
}

// maxSteps bounds the events of one change: a history that comes all at once is told of as one step.
const maxSteps = 31

// Passed lists what time alone did between two moments of the same marks, the later one of which is the first after the earlier at which it did something.
func (c *Calculus) Passed(before, after *Moment, marks []Mark) (events []Event) {
	was, is := before.Run.Length, after.Run.Length
	tell := func(e Event) { e.Current, e.Previous = is, was; events = append(events, e) }
	if after.Used > before.Used {
		tell(Event{Type: WasFrozen, Period: before.Due, Held: after.Held})
	}
	switch {
	case is == 0 && was > 0:
		tell(Event{Type: WasLost, Period: after.Lost.Missed, Returned: before.Used - after.Used})
	case after.Total > before.Total: // a period began in which there was something already
		return append(events, c.Changed(before, after, marks, false)...)
	case is < was:
		tell(Event{Type: Decayed, Period: before.Due})
	}
	events = append(events, flips(before, after)...)
	if after.State == AtRisk && (before.State != AtRisk || before.Due != after.Due) {
		tell(Event{Type: InDanger, Period: after.Due, Deadline: after.Deadline})
	}
	return events
}

// flips are the events of a running streak that comes under a pause, or out of it.
func flips(before, after *Moment) []Event {
	e := Event{Period: after.Open, Current: after.Run.Length, Previous: before.Run.Length}
	switch {
	case after.Run.Length == 0:
		return nil
	case after.State == StatePaused && before.State != StatePaused:
		e.Type = WasPaused
	case after.State != StatePaused && before.State == StatePaused:
		e.Type = Resumed
	default:
		return nil
	}
	return []Event{e}
}

// Changed lists what activities and commands did at one instant; marks are those after it. restored says that a restore is among them.
func (c *Calculus) Changed(before, after *Moment, marks []Mark, restored bool) (events []Event) {
	d := difference{Calculus: c, before: before, after: after, marks: marks}
	if d.revived() {
		if restored {
			d.tell(Event{Type: WasRestored, Period: after.Run.Last})
		} else {
			d.undo(WasLost, before.Lost.Last)
		}
	}
	d.lengths()
	d.freezes()
	d.events = append(d.events, flips(before, after)...)
	d.longest()
	for _, m := range c.Rule.Milestones {
		d.milestone(m)
	}
	return d.events
}

// difference is the difference between two moments on its way into events.
type difference struct {
	*Calculus
	before, after *Moment
	marks         []Mark
	events        []Event
}

func (d *difference) tell(e Event) {
	e.Current, e.Previous = d.after.Run.Length, d.before.Run.Length
	d.events = append(d.events, e)
}

func (d *difference) undo(what EventType, period calendar.Ordinal) {
	d.tell(Event{Type: Undone, Undone: what, Period: period})
}

// revived says whether the run goes on that was lost before.
func (d *difference) revived() bool {
	lost, is, was := d.before.Lost, d.after.Run, d.before.Run
	return lost.Length > 0 && is.Length > 0 && is.First <= lost.Last && (was.Length == 0 || was.First > lost.Last)
}

// lengths tells how the current run grew or shrank.
func (d *difference) lengths() {
	is, was := d.after.Run, d.before.Run
	met := d.after.Total - d.before.Total
	switch {
	case met > 0 && is.Length-was.Length == met && met <= maxSteps:
		for i, o := range d.lastMet(met) {
			n := was.Length + i + 1
			d.events = append(d.events, Event{Type: growth(n), Period: o, Current: n, Previous: n - 1})
		}
	case met > 0 && is.Length > was.Length:
		d.tell(Event{Type: growth(is.Length), Period: is.Last})
	case met < 0 && is.Length < was.Length:
		d.undo(growth(was.Length), was.Last)
	case met == 0 && is.Length == 0 && was.Length > 0:
		d.tell(Event{Type: WasLost, Period: was.Last, Returned: d.before.Used - d.after.Used})
	case met == 0 && is.Length < was.Length:
		d.tell(Event{Type: Decayed, Period: is.Last})
	case met == 0 && is.Length > was.Length && was.Length > 0 && is.First == was.First:
		d.undo(Decayed, is.Last)
	}
}

// lastMet are the last n met periods of the run, in order.
func (d *difference) lastMet(n int) []calendar.Ordinal {
	out := make([]calendar.Ordinal, n)
	for i := len(d.marks) - 1; i >= 0 && n > 0; i-- {
		if m := &d.marks[i]; m.Met && m.Ordinal <= d.after.Run.Last && d.active(m.Ordinal) {
			n--
			out[n] = m.Ordinal
		}
	}
	return out[n:]
}

// growth is the event of a run that became n long.
func growth(n int) EventType {
	if n == 1 {
		return Started
	}
	return Extended
}

func (d *difference) freezes() {
	if n := d.after.Earned - d.before.Earned; n > 0 {
		d.tell(Event{Type: FreezeEarned, Period: d.after.Run.Last, Held: d.after.Held})
	} else if n < 0 {
		d.undo(FreezeEarned, d.before.Run.Last)
	}
	lost := d.after.Run.Length == 0 && d.before.Run.Length > 0
	if n := d.after.Used - d.before.Used; n > 0 {
		d.tell(Event{Type: WasFrozen, Period: d.after.Run.Last, Held: d.after.Held})
	} else if n < 0 && !lost {
		d.undo(WasFrozen, d.after.Run.Last)
	}
}

// longest tells of a record: once, when a run passes the longest of those before it.
func (d *difference) longest() {
	is, was := d.after.Longest, d.before.Longest
	switch {
	case is.Length > was.Length && was.Length > 0 && is.First != was.First && is.Length == d.after.Run.Length:
		d.tell(Event{Type: Record, Period: is.Last})
	case is.Length < was.Length && is.Length > 0 && is.First != was.First:
		d.undo(Record, was.Last)
	}
}

func (d *difference) milestone(m catalog.Milestone) {
	from, to := d.before.Longest.Length, d.after.Longest.Length
	if m.OncePerRun {
		from, to = d.before.Run.Length, d.after.Run.Length
		if d.revived() {
			from = max(from, d.before.Lost.Length)
		} else if d.after.Run.First > d.before.Run.Last {
			from = 0 // another run
		}
	}
	for n := next(m, min(from, to)); n > 0 && n <= max(from, to); n = next(m, n) {
		if from < to {
			d.tell(Event{Type: Reached, Period: d.after.Run.Last, Milestone: n})
		} else if d.after.Total < d.before.Total {
			d.tell(Event{Type: Undone, Undone: Reached, Period: d.before.Run.Last, Milestone: n})
		}
		if len(d.events) > 4*maxSteps {
			return
		}
	}
}

// next is the first length above n that a milestone is at, 0 for none.
func next(m catalog.Milestone, n int) int {
	switch {
	case m.Every > 0:
		return (n/m.Every + 1) * m.Every
	case m.At > n:
		return m.At
	}
	return 0
}
