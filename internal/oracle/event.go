package oracle

import (
	"slices"
	"time"
)

// Event is what time alone brings about.
type Event struct {
	Type     string // at_risk, frozen, lost, decayed, paused, resumed
	At       time.Time
	Period   string // the one missed; at_risk: the one to be met; paused and resumed: the open one
	Length   int    // lost: what was lost; else the length then
	Returned int    // lost: freezes that came back
}

// Events are those of time in (from, to] for a streak, if nothing is done after from: it looks at the streak before and at each instant at which
// anything can change.
func (m *Model) Events(s *Streak, user string, from, to time.Time) []Event {
	known := m.known(user, s.ID, from)
	if known.optedOut() {
		return nil
	}
	var events []Event
	for _, t := range m.view(s, user, known, from).turns(to) {
		before, after := m.view(s, user, known, t.Add(-time.Millisecond)), m.view(s, user, known, t)
		events = append(events, before.upTo(after)...)
	}
	return events
}

// turns are the ends, deadlines and leads in (now, to], in order.
func (v *view) turns(to time.Time) []time.Time {
	p := v.open
	for range 3 {
		p = v.before(p)
	}
	var all []time.Time
	for ; !v.end(p).After(to) || !v.deadline(p).Add(-v.rule.AtRisk).After(to); p = v.rule.Unit.next(p) {
		for _, t := range []time.Time{v.end(p), v.deadline(p), v.deadline(p).Add(-v.rule.AtRisk)} {
			if t.After(v.now) && !t.After(to) {
				all = append(all, t)
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// upTo are the events between two instants of which the second is the one that matters: what was decided since, then the pause, then the risk.
func (v *view) upTo(after *view) []Event {
	var events []Event
	for _, d := range after.log[len(v.log):] {
		events = append(events, Event{d.kind, after.now, after.label(d.period), d.length, d.returned})
	}
	if !after.runs {
		return events
	}
	is, was := after.show(), v.show()
	switch {
	case is.State == "paused" && was.State != "paused":
		events = append(events, Event{Type: "paused", At: after.now, Period: after.label(after.open), Length: after.length})
	case is.State != "paused" && was.State == "paused":
		events = append(events, Event{Type: "resumed", At: after.now, Period: after.label(after.open), Length: after.length})
	}
	if is.State == "at_risk" && (was.State != "at_risk" || !was.Deadline.Equal(is.Deadline)) {
		events = append(events, Event{Type: "at_risk", At: after.now, Period: after.label(after.due()), Length: after.length})
	}
	return events
}
