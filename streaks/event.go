package streaks

import (
	"iter"
	"slices"

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

// Passed lists what time alone did between two moments, the later one of which is the first after the earlier at which it did something: each decision in order of
// periods (several can fall on one instant where a zone was changed), then the pause, then the danger. marks and latest are the same at both, and so is
// sealed, which is what they continue.
func (c *Calculus) Passed(before, after *Moment, sealed Sum, marks []Mark, latest Latest) (events []Event) {
	w := c.walkFrom(sealed, latest.offset())
	w.step = func(o calendar.Ordinal, was, is Sum) {
		switch {
		case o < before.Open || o == before.Open && before.met: // decided before
		case is.Total > was.Total: // a period began in which there was something already
			events = append(events, c.Changed(&Moment{Sum: was}, &Moment{Sum: is}, Turned{Met: []calendar.Ordinal{o}}, false)...)
		default:
			events = appendMissed(events, o, was, is)
		}
	}
	w.until(marks, after.Open)
	events = append(events, flips(before, after)...)
	if after.State == AtRisk && (before.State != AtRisk || before.Due != after.Due) {
		events = append(events, Event{Type: InDanger, Period: after.Due, Deadline: after.Deadline, Current: after.Run.Length, Previous: before.Run.Length})
	}
	return events
}

// appendMissed appends what the miss of a period did.
func appendMissed(events []Event, o calendar.Ordinal, was, is Sum) []Event {
	e := Event{Period: o, Current: is.Run.Length, Previous: was.Run.Length}
	switch {
	case is.Run.Length == 0:
		e.Type, e.Returned = WasLost, was.Used-is.Used
	case is.Used > was.Used:
		e.Type, e.Held = WasFrozen, is.Held
	case is.Run.Length < was.Run.Length:
		e.Type = Decayed
	default:
		return events // it was paused, restored, or misses do nothing
	}
	return append(events, e)
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

// Turned are the periods that are met since a moment, or not met any more, each in order and as far as they are known.
type Turned struct{ Met, Unmet []calendar.Ordinal }

// Changed lists what activities and commands did at one instant; restored says that a restore is among the commands.
func (c *Calculus) Changed(before, after *Moment, turned Turned, restored bool) (events []Event) {
	d := difference{Calculus: c, before: before, after: after, from: before.Run.Length}
	d.met, d.unmet = c.within(&after.Run, turned.Met), c.within(&before.Run, turned.Unmet)
	d.takenBack()
	d.returned(restored)
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
	met, unmet    []calendar.Ordinal // periods of the run that are met since, of the run before that are not any more
	from          int                // the length that the run goes on from
	events        []Event
}

func (d *difference) tell(e Event) {
	e.Current, e.Previous = d.after.Run.Length, d.from
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

// within are those of some periods that can count for a run.
func (c *Calculus) within(r *Run, some []calendar.Ordinal) []calendar.Ordinal {
	if r.Length == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(some), func(o calendar.Ordinal) bool { return o < r.First || o > r.Last || !c.active(o) })
}

// takenBack tells of the periods that are not met any more; what else falls with the last of them is told with it.
func (d *difference) takenBack() {
	rest := max(d.after.Run.Length-len(d.met), 0)
	for i, o := range d.unmet[max(0, len(d.unmet)-maxSteps):] {
		e := Event{Type: Undone, Undone: growth(d.from), Period: o, Previous: d.from, Current: max(d.from-1, 0)}
		if i == min(len(d.unmet), maxSteps)-1 {
			e.Current = min(e.Current, rest)
		}
		d.events = append(d.events, e)
		d.from = e.Current
	}
}

// returned tells of a length that came back without a period that was met: what had ended or decayed counts again.
func (d *difference) returned(restored bool) {
	lost, is := &d.before.Lost, d.after.Run.Length
	without := is - len(d.met)
	e := Event{Type: Undone, Undone: WasLost, Period: lost.Missed, Current: max(without, min(is, 1)), Previous: d.from}
	switch {
	case d.revived() && restored:
		e.Type, e.Undone, e.Period = WasRestored, "", lost.Last
	case d.revived():
	case without <= d.from:
		return
	case d.Rule.OnMiss == catalog.Decay:
		e.Undone, e.Period = Decayed, d.after.Run.Last
	}
	d.events = append(d.events, e)
	d.from = e.Current
}

// lengths tells how the current run grew or shrank.
func (d *difference) lengths() {
	is, was := &d.after.Run, &d.before.Run
	switch grew := is.Length - d.from; {
	case grew > maxSteps:
		d.tell(Event{Type: growth(is.Length), Period: is.Last})
	case grew > 0:
		for i, o := range d.met[len(d.met)-grew:] {
			n := d.from + i + 1
			d.events = append(d.events, Event{Type: growth(n), Period: o, Current: n, Previous: n - 1})
		}
	case grew < 0 && d.after.Total < d.before.Total: // by a period that is not known
		d.undo(growth(d.from), was.Last)
	case grew < 0 && d.after.Lost != d.before.Lost:
		d.tell(Event{Type: WasLost, Period: d.after.Lost.Missed, Returned: max(0, d.before.Used-d.after.Used)})
	case grew < 0:
		d.tell(Event{Type: Decayed, Period: is.Last})
	}
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
	for o := range d.frozenOnly(d.after, d.before) {
		d.tell(Event{Type: WasFrozen, Period: o, Held: d.after.Held})
	}
	if d.after.Run.Length == 0 && d.before.Run.Length > 0 {
		return // what came back is told with the loss
	}
	for o := range d.frozenOnly(d.before, d.after) {
		d.undo(WasFrozen, o)
	}
}

// frozenOnly are the frozen periods of one moment that are not those of another, as far back as both remember them.
func (d *difference) frozenOnly(of, other *Moment) iter.Seq[calendar.Ordinal] {
	return func(yield func(calendar.Ordinal) bool) {
		for _, b := range of.Bridged {
			if b.Status == Frozen && b.Ordinal > d.after.Open-HistoryLen && !slices.Contains(other.Bridged, b) && !yield(b.Ordinal) {
				return
			}
		}
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
