package progress

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/streaks"
)

// Cause says what changed a user.
type Cause uint8

// The causes. What History changes, an import or a merge, makes no events; those of Restoring say so.
const (
	Doing Cause = iota
	History
	Restoring
)

// CauseOf is what activities are the cause of that are imported, all of them or none.
func CauseOf(acts []activity.Activity) Cause {
	if len(acts) > 0 && !slices.ContainsFunc(acts, func(a activity.Activity) bool { return !a.Imported }) {
		return History
	}
	return Doing
}

// Event is what became true of a user's streak or, with Earned set, of what the user earned.
type Event struct {
	At     calendar.Instant
	Rule   string // or wallet, level, achievement, mission
	Period string // label
	streaks.Event
	Earned *EarnedEvent
}

// runningStreak is a streak of the plan during an Apply or Diff.
type runningStreak struct {
	calculus *streaks.Calculus
	// before is before the changes that are told of together, if noted; after is after them.
	before, after streaks.Moment
	noted         bool
	turned        streaks.Turned // since then
}

func (a *applier) streak(i int) *runningStreak {
	if len(a.streaks) == 0 {
		a.streaks = slices.Grow(a.streaks, len(a.plan.Catalog.Streaks))[:len(a.plan.Catalog.Streaks)]
	}
	return &a.streaks[i]
}

// calculus is that of the i-th streak rule for the user as the state has it.
func (a *applier) calculus(i int) *streaks.Calculus {
	r := a.streak(i)
	if r.calculus == nil {
		r.calculus = a.plan.Calculus(i, a.state)
	}
	return r.calculus
}

// look goes on with another state of the user.
func (a *applier) look(s *State) {
	a.state = s
	for i := range a.streaks {
		a.streaks[i].calculus = nil
	}
}

// streakNow is the instant that streaks are decided at: what has been told does not become untrue by another node's slower clock.
func (a *applier) streakNow() calendar.Instant { return max(a.now, a.state.Told) }

// note takes down what the i-th streak is before it changes.
func (a *applier) note(i int) {
	r := a.streak(i)
	if r.noted || a.why == History {
		return
	}
	r.noted = true
	st := a.state.Streak(a.plan.Catalog.Streaks[i].ID)
	if st == nil {
		st = &StreakState{}
	}
	r.before = a.calculus(i).At(st.Sealed, st.Marks, st.latest(), a.streakNow())
}

// noteAll takes down what the streaks are that were folded under the plan's definitions.
func (a *applier) noteAll() {
	for i, rule := range a.plan.Catalog.Streaks {
		if st := a.state.Streak(rule.ID); st != nil && st.Print == rule.Print && st.Terms == rule.Terms || st == nil && (a.state.Plan == 0 || a.state.Plan == a.plan.print) {
			a.note(i)
		}
	}
}

// turn takes down that a period is met which was not, or the other way round.
func (r *runningStreak) turn(o calendar.Ordinal, met bool) {
	if !r.noted {
		return
	}
	to, from := &r.turned.Met, &r.turned.Unmet
	if !met {
		to, from = from, to
	}
	if i, there := slices.BinarySearch(*from, o); there { // and back
		*from = slices.Delete(*from, i, i+1)
	} else if i, there := slices.BinarySearch(*to, o); !there {
		*to = slices.Insert(*to, i, o)
	}
}

// turnAll takes down what is met otherwise than in another state of the streaks, as far back as both have it.
func (a *applier) turnAll(old *State) {
	for i, rule := range a.plan.Catalog.Streaks {
		r := a.streak(i)
		if !r.noted {
			continue
		}
		st, was := orNone(a.state.Streak(rule.ID)), orNone(old.Streak(rule.ID))
		for j := range st.Marks {
			if m := &st.Marks[j]; m.Met && !was.met(m.Ordinal) && m.Ordinal >= was.known() {
				r.turn(m.Ordinal, true)
			}
		}
		for j := range was.Marks {
			if m := &was.Marks[j]; m.Met && !st.met(m.Ordinal) && m.Ordinal >= st.known() {
				r.turn(m.Ordinal, false)
			}
		}
	}
}

// known is the first period of which the marks say whether it is met: those of earlier ones are forgotten.
func (st *StreakState) known() calendar.Ordinal {
	if st.summed() > 0 {
		return st.Marks[0].Ordinal
	}
	return math.MinInt32
}

// tellChanged tells what became of a streak since it was noted.
func (a *applier) tellChanged(i int, st *StreakState) {
	r := a.streak(i)
	if !r.noted || r.calculus.OptedOut() {
		return
	}
	for _, e := range r.calculus.Changed(&r.before, &r.after, r.turned, a.why == Restoring) {
		a.tell(r.calculus, a.streakNow(), e)
	}
}

func (a *applier) tell(c *streaks.Calculus, at calendar.Instant, e streaks.Event) {
	a.update.Events = append(a.update.Events, Event{At: at, Rule: c.Rule.ID, Period: c.Zoning.Label(e.Period), Event: e})
}

// passTime tells what time alone did to the streaks since it was last told of, in order.
func (a *applier) passTime() {
	due := a.state.Scheduled
	if due == 0 || due > a.now || a.state.Merged != "" {
		return
	}
	told := a.state.Told
	for i, rule := range a.plan.Catalog.Streaks {
		st := a.state.Streak(rule.ID)
		if st == nil || st.Print != rule.Print {
			continue
		}
		c, latest := a.calculus(i), st.latest()
		at := max(due-1, a.state.Told)
		before := c.At(st.Sealed, st.Marks, latest, at)
		for next := c.Next(&before, st.Marks, latest, at); next != 0 && next <= a.now; next = c.Next(&before, st.Marks, latest, next) {
			after := c.At(st.Sealed, st.Marks, latest, next)
			for _, e := range c.Passed(&before, &after, st.Sealed, st.Marks, latest) {
				if st.repeats(&e) {
					continue
				}
				a.tell(c, next, e)
			}
			before, told = after, max(told, next)
		}
	}
	told = a.passEarnings(max(due-1, a.state.Told), told)
	slices.SortStableFunc(a.update.Events, func(x, y Event) int { return cmp.Compare(x.At, y.At) })
	a.state.Told = told
}

// repeats says whether an event was told already, and remembers it where that matters: a deadline that a change of zone or other terms put off comes near twice.
func (st *StreakState) repeats(e *streaks.Event) bool {
	if e.Type != streaks.InDanger {
		return false
	}
	is := Warning{true, e.Period}
	told := st.Warned == is
	st.Warned = is
	return told
}

// AppendJSON appends the event of a user as customers read it (docs/STREAKS.md).
func (e *Event) AppendJSON(b []byte, user activity.User) []byte {
	kind := string(e.Type)
	if e.Earned != nil {
		kind = string(e.Earned.Type)
	}
	b = append(append(append(b, `{"type":"`...), kind...), `","at":"`...)
	b = append(e.At.AppendFormat(b), `","user":`...)
	b, _ = jsontext.AppendQuote(b, user) // ids are valid UTF-8
	if e.Earned != nil {
		return append(e.Earned.appendJSON(b, e), '}')
	}
	b = append(append(append(b, `,"rule":"`...), e.Rule...), `","period":"`...)
	b = append(append(b, e.Period...), '"')
	if e.Undone != "" {
		b = append(append(append(b, `,"undone":"`...), e.Undone...), '"')
	}
	number := func(name string, n int) {
		b = append(append(append(b, `,"`...), name...), `":`...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	number("current", e.Current)
	number("previous", e.Previous)
	switch e.Type {
	case streaks.WasLost:
		number("length", e.Previous)
		number("freezes_returned", e.Returned)
	case streaks.WasFrozen, streaks.FreezeEarned:
		number("held", e.Held)
	case streaks.InDanger:
		b = append(e.Deadline.AppendFormat(append(b, `,"deadline":"`...)), '"')
	}
	if e.Milestone > 0 {
		number("milestone", e.Milestone)
	}
	return append(b, '}')
}
