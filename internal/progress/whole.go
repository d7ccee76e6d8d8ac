package progress

import (
	"math"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/streaks"
)

// Whole is one streak of a user with every period as it is: nothing of it is summed up. It is what reads of the past are made from; the write path never needs it.
type Whole struct {
	Calculus *streaks.Calculus
	// Given is what the activities gave that are known one by one, in (at, id) order: those since Sealed.
	Given  []Given
	Sealed calendar.Instant
	// Based: what was before Sealed is counted too. It is not where the base was folded under another definition of the rule.
	Based bool
	state *StreakState
	metBy map[calendar.Ordinal]activity.ID
}

// Given is what an activity gave to a streak.
type Given struct {
	At     calendar.Instant
	ID     activity.ID
	Period calendar.Ordinal // that it counts for
	Stamp  calendar.Ordinal
	Values []*catalog.Value // by condition; nil where it does not match
}

// Past is a streak that ended, and when.
type Past struct {
	streaks.Ended
	At calendar.Instant
}

// Whole makes the i-th streak of the plan from the user's base and records, in any order, and from the commands of the state.
func (s *State) Whole(p *Plan, i int, base *State, records []activity.Activity) *Whole {
	rule := p.Catalog.Streaks[i]
	all := &State{Plan: p.print, Sealed: s.Sealed, Zones: s.Zones, Pauses: s.Pauses}
	all.takeCommands(p, s)
	based := s.Sealed == 0
	if from := base.Streak(rule.ID); from != nil && from.Print == rule.Print {
		all.continueStreak(p, i, from, math.MinInt64)
		based = true
	}
	w := &Whole{Based: based, Calculus: p.Calculus(i, all), Sealed: s.Sealed, state: all.openStreak(rule), metBy: map[calendar.Ordinal]activity.ID{}}
	a := applier{plan: p, state: all, sorted: true}
	for _, act := range inOrder(records) {
		if act.Counts() && act.At >= s.Sealed {
			a.evaluate(act)
			g := w.gives(a.conditions, i, act)
			a.add(act)
			w.state = all.Streak(rule.ID) // which moves as others are opened
			w.take(g)
		}
	}
	return w
}

// gives is what an evaluated activity gives to the streak, nil for nothing.
func (w *Whole) gives(conditions []conditionMatch, streak int, act *activity.Activity) *Given {
	var g *Given
	for _, m := range conditions {
		if m.streak != streak {
			continue
		}
		if g == nil {
			g = &Given{At: act.At, ID: act.ID, Period: m.period, Stamp: w.Calculus.Zoning.Stamp(act.At, act.Offset), Values: make([]*catalog.Value, len(w.Calculus.Rule.Conditions))}
		}
		value := m.value
		g.Values[m.condition] = &value
	}
	return g
}

func (w *Whole) take(g *Given) {
	if g == nil {
		return
	}
	w.Given = append(w.Given, *g)
	if _, met := w.metBy[g.Period]; !met && w.state.met(g.Period) {
		w.metBy[g.Period] = g.ID
	}
}

// MetBy is the activity that met a period, "" where it is not known any more.
func (w *Whole) MetBy(o calendar.Ordinal) activity.ID { return w.metBy[o] }

// Bounds are the first period with an activity, or the open one where there is none, and the one that is open at now.
func (w *Whole) Bounds(now calendar.Instant) (first, open calendar.Ordinal) {
	open = w.Calculus.Open(w.state.Marks, w.state.latest(), now)
	if len(w.state.Marks) > 0 {
		first = min(w.state.Marks[0].Ordinal, open)
		return first, open
	}
	return open, open
}

// View is what is shown of the streak at now.
func (w *Whole) View(now calendar.Instant) streaks.View {
	return w.Calculus.Derive(streaks.Sum{}, w.state.Marks, w.state.latest(), now)
}

// History shows the periods from first to last, which is not after the open one.
func (w *Whole) History(now calendar.Instant, first, last calendar.Ordinal) []streaks.PeriodView {
	m := w.Calculus.At(streaks.Sum{}, w.state.Marks, w.state.latest(), now)
	return w.Calculus.History(&m, w.state.Marks, w.state.latest(), first, last)
}

// Past lists the streaks that ended, in order.
func (w *Whole) Past(now calendar.Instant) []Past {
	ends := w.Calculus.Ends(streaks.Sum{}, w.state.Marks, w.state.latest(), now)
	list := make([]Past, len(ends))
	for i := range ends {
		list[i] = Past{ends[i], w.Calculus.EndedAt(&ends[i], w.state.latest())}
	}
	return list
}

// Explain explains the periods from first to last, which is not after the open one.
func (w *Whole) Explain(now calendar.Instant, first, last calendar.Ordinal) []streaks.Explained {
	return w.Calculus.Explain(w.state.Marks, w.state.latest(), now, first, last)
}
