package oracle

import (
	"slices"
	"time"
)

// Commands are what was ordered for one streak of one user, each list in order of At. Periods are known by their first dates, as UTC midnights.
type Commands struct {
	Grants   []Grant
	Restores []Restore
	Targets  []Target
	OptOuts  []OptOut
}

// Grant gives N freezes, of which those count that stay within Freezes.Max. They can cover misses that are decided after At or, if From is set, of that period
// and later ones: in mode event it depends on what was known at At when a miss is decided.
type Grant struct {
	At   time.Time
	From time.Time
	N    int
}

// covers says whether the freezes are there when the miss of a period is decided.
func (g *Grant) covers(period, decided time.Time) bool {
	if !g.From.IsZero() {
		return !g.From.After(period)
	}
	return g.At.Before(decided)
}

// Restore names the periods First to Last.
type Restore struct {
	At          time.Time
	First, Last time.Time
}

// Target is the user's own target for the first condition, from the period From on; N 0 is the rule's.
type Target struct {
	At, From time.Time
	N        int64
}

// OptOut says that the user has no such streak from At on (Out), or has it again.
type OptOut struct {
	At  time.Time
	Out bool
}

// Pause is a range of local dates, both inclusive. From CutAt on, if that is set, it lasts only to CutTo, which may be before From.
type Pause struct {
	At, From, To time.Time
	CutAt, CutTo time.Time
}

// Outage is a time [From, To) in which no streak of the org can be missed, until it is taken back at RemovedAt (zero: it was not).
type Outage struct {
	At, From, To time.Time
	RemovedAt    time.Time
}

// commanded names a streak of a user.
type commanded struct{ user, streak string }

// Commands is where to add what is ordered for a streak.
func (m *Model) Commands(user, streak string) *Commands {
	if m.commands == nil {
		m.commands = map[commanded]*Commands{}
	}
	key := commanded{user, streak}
	if m.commands[key] == nil {
		m.commands[key] = &Commands{}
	}
	return m.commands[key]
}

// orders are all commands that a streak heeds, as known at an instant: later ones are left out, and pauses are as long as known then.
type orders struct {
	Commands
	pauses  []Pause
	outages []Outage
}

func (m *Model) known(user, streak string, at time.Time) orders {
	var o orders
	if c := m.commands[commanded{user, streak}]; c != nil {
		o.Commands = *c
	}
	o.Grants = upTo(at, o.Grants, func(g Grant) time.Time { return g.At })
	o.Restores = upTo(at, o.Restores, func(r Restore) time.Time { return r.At })
	o.Targets = upTo(at, o.Targets, func(t Target) time.Time { return t.At })
	o.OptOuts = upTo(at, o.OptOuts, func(out OptOut) time.Time { return out.At })
	for _, p := range upTo(at, m.Pauses[user], func(p Pause) time.Time { return p.At }) {
		if !p.CutAt.IsZero() && !p.CutAt.After(at) && p.CutTo.Before(p.To) {
			p.To = p.CutTo
		}
		o.pauses = append(o.pauses, p)
	}
	for _, out := range upTo(at, m.Outages, func(o Outage) time.Time { return o.At }) {
		if out.RemovedAt.IsZero() || out.RemovedAt.After(at) {
			o.outages = append(o.outages, out)
		}
	}
	return o
}

// upTo are the commands with an instant at or before one, in order of their instants.
func upTo[C any](at time.Time, all []C, of func(C) time.Time) []C {
	kept := slices.DeleteFunc(slices.Clone(all), func(c C) bool { return of(c).After(at) })
	slices.SortStableFunc(kept, func(a, b C) int { return of(a).Compare(of(b)) })
	return kept
}

// optedOut is what the last such command says.
func (o *orders) optedOut() bool {
	return len(o.OptOuts) > 0 && o.OptOuts[len(o.OptOuts)-1].Out
}

// restores says whether any restore names the period.
func (o *orders) restores(first time.Time) bool {
	return slices.ContainsFunc(o.Restores, func(r Restore) bool { return !first.Before(r.First) && !first.After(r.Last) })
}

// target is what a condition asks for in a period: the user's own target where one is in force, never less than the rule's nor more than its max.
func (v *view) target(condition int, first time.Time) int64 {
	target := v.rule.Conditions[condition].AtLeast
	if condition != 0 || v.rule.MaxTarget == 0 {
		return target
	}
	own := target
	for _, t := range v.Targets {
		if t.From.After(first) {
			continue
		}
		if own = target; t.N != 0 {
			own = t.N
		}
	}
	return max(target, min(own, v.rule.MaxTarget))
}

// paused says whether a pause has a date of the period or an outage overlaps it.
func (v *view) paused(first time.Time) bool {
	if len(v.pauses) == 0 && len(v.outages) == 0 {
		return false
	}
	return v.pausedWithin(first, v.end(v.before(first)), v.end(first))
}

// pausedFor is paused as it is for an activity: for event rules outages are read at its own offset.
func (v *view) pausedFor(first time.Time, a *Record) bool {
	return v.pausedWithin(first, v.endAt(v.before(first), a.At), v.endAt(first, a.At))
}

func (v *view) pausedWithin(first, start, end time.Time) bool {
	next := v.rule.Unit.next(first)
	for _, p := range v.pauses {
		for date := first; date.Before(next); date = date.AddDate(0, 0, 1) {
			if !date.Before(p.From) && !date.After(p.To) {
				return true
			}
		}
	}
	for _, o := range v.outages {
		if o.From.Before(o.To) && o.From.Before(end) && o.To.After(start) {
			return true
		}
	}
	return false
}
