package progress

import (
	"math"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/streaks"
)

// Suffixes of the ids of a streak rule's two boards.
const (
	CurrentSuffix = ".current"
	LongestSuffix = ".longest"
)

// evaluateStreaks finds the streak conditions that match and whether all of them can take the activity.
func (a *applier) evaluateStreaks(act *activity.Activity) error {
	a.conditions = a.conditions[:0]
	for i, rule := range a.plan.Catalog.Streaks {
		for k := range rule.Conditions {
			v, ok, err := rule.Conditions[k].Eval(&a.input)
			if err == nil && ok && (!a.sorted || rule.Conditions[k].Fold == catalog.Unique) {
				err = a.checkCondition(i, k, v, act)
			}
			if err != nil && !a.sorted {
				return err
			}
			if !ok || err != nil {
				continue
			}
			a.conditions = append(a.conditions, conditionMatch{i, k, v})
		}
	}
	return nil
}

func (a *applier) checkCondition(streak, condition int, v catalog.Value, act *activity.Activity) error {
	rule := a.plan.Catalog.Streaks[streak]
	f := rule.Conditions[condition].Fold
	st := a.state.Streak(rule.ID)
	if st == nil || f != catalog.Sum && f != catalog.Unique {
		return nil
	}
	o := a.stamp(streak, act)
	m, found := st.find(o)
	if !found || st.isSummed(o) { // what the log decides is taken as it is: a condition's sum is shown, and nothing is counted by it
		return nil
	}
	return st.conditions(m, len(rule.Conditions))[condition].Check(f, v)
}

func (a *applier) stamp(streak int, act *activity.Activity) calendar.Ordinal {
	return a.plan.Calculus(streak, a.state.Zones).Zoning.Stamp(act.At, act.Offset)
}

// addStreak folds the activity at hand into the conditions of one streak that it matches.
func (a *applier) addStreak(matches []conditionMatch, act *activity.Activity) {
	rule := a.plan.Catalog.Streaks[matches[0].streak]
	st := a.state.openStreak(rule)
	o := a.stamp(matches[0].streak, act)
	st.Latest.note(act)
	if st.isSummed(o) {
		a.update.NeedLog = true
		return
	}
	mark := st.open(rule, o)
	conditions := st.conditions(mark, len(rule.Conditions))
	for _, m := range matches {
		c := &conditions[m.condition]
		if !c.add(&rule.Conditions[m.condition], m.value, act, a.sorted) {
			a.update.NeedLog = true
		}
	}
	st.judge(rule, mark)
}

func (s *State) openStreak(rule *catalog.Streak) *StreakState {
	if st := s.Streak(rule.ID); st != nil {
		return st
	}
	s.Streaks = append(s.Streaks, StreakState{ID: rule.ID, Print: rule.Print})
	return &s.Streaks[len(s.Streaks)-1]
}

// open returns the index of the mark of period o, which it makes if there is none.
func (st *StreakState) open(rule *catalog.Streak, o calendar.Ordinal) int {
	i, found := st.find(o)
	if !found {
		n := len(rule.Conditions)
		st.Marks = slices.Insert(st.Marks, i, streaks.Mark{Ordinal: o, Values: make([]int64, n)})
		st.Conditions = slices.Insert(st.Conditions, (i-st.summed())*n, make([]Condition, n)...)
	}
	return i
}

func (l *LatestActivity) note(act *activity.Activity) {
	if act.At > l.At || act.At == l.At && act.ID >= l.ID {
		*l = LatestActivity{At: act.At, ID: act.ID, Offset: act.Offset}
	}
}

// judge derives a mark from its conditions.
func (st *StreakState) judge(rule *catalog.Streak, mark int) {
	m := &st.Marks[mark]
	m.Met, m.MetAt = false, 0
	met := 0
	conditions := st.conditions(mark, len(rule.Conditions))
	for k := range conditions {
		c := &conditions[k]
		m.Values[k] = c.Value
		if !c.Met || c.Value < rule.Conditions[k].AtLeast {
			continue
		}
		met++
		if met == 1 || rule.All == (c.MetAt > m.MetAt) {
			m.MetAt = c.MetAt
		}
	}
	m.Met = met > 0 && (!rule.All || met == len(conditions))
	if !m.Met {
		m.MetAt = 0
	}
}

// add folds one value into a condition; sorted says that activities come in (at, id) order. It returns false where MetAt cannot be known without the
// other activities of the period: the activity is not the latest, and its place in (at, id) order may move the moment at which the target was reached.
func (c *Condition) add(rule *catalog.Condition, v catalog.Value, act *activity.Activity, sorted bool) (known bool) {
	before, last := c.Tally.Value, c.LastAt
	some := c.Some
	c.Tally.Add(rule.Fold, v, act.At, act.ID)
	c.LastAt = max(c.LastAt, act.At)
	switch rule.Fold {
	case catalog.Unique:
		if c.Value >= rule.AtLeast {
			c.meet(c.NthFirst(int(max(rule.AtLeast, 1))))
		}
		return true
	case catalog.Max:
		if v.N >= rule.AtLeast && (!c.Met || act.At < c.MetAt) {
			c.meet(act.At)
		}
		return true
	}
	c.Negative = c.Negative || rule.Fold == catalog.Sum && v.N < 0
	inOrder := sorted || !some || act.At > last || act.At == last && !c.Negative
	switch {
	case c.Negative && !inOrder:
		return false
	case c.Met:
		return sorted || act.At >= c.MetAt || c.first(rule, act)
	case c.Value < rule.AtLeast || some && before >= rule.AtLeast:
		return true
	case inOrder || rule.Fold == catalog.Count:
		c.meet(c.LastAt)
		return true
	}
	return c.first(rule, act)
}

// first handles an activity that met the target all by itself, earlier than it was met before.
func (c *Condition) first(rule *catalog.Condition, act *activity.Activity) bool {
	if rule.Fold == catalog.Count && rule.AtLeast <= 1 {
		c.meet(act.At)
		return true
	}
	return false
}

func (c *Condition) meet(at calendar.Instant) { c.Met, c.MetAt = true, at }

// showStreaks brings the streaks' boards up to now, and finds the next deadline.
func (a *applier) showStreaks() {
	a.state.Due = 0
	for i := range a.plan.Catalog.Streaks {
		a.showStreak(i)
	}
}

func (a *applier) showStreak(i int) {
	rule := a.plan.Catalog.Streaks[i]
	st := a.state.Streak(rule.ID)
	if st == nil {
		return
	}
	c := a.plan.Calculus(i, a.state.Zones)
	open := c.Open(a.now, st.latest())
	l := c.Count(st.Sealed, st.Marks, open)
	current := c.Current(l, open)
	if current.Length > 0 {
		if due := c.Deadline(current, open, st.Latest.Offset); a.state.Due == 0 || due < a.state.Due {
			a.state.Due = due
		}
	}
	show := Shown{Current: lengthStanding(current), Longest: lengthStanding(l.Longest)}
	if !a.state.shown() {
		show = Shown{}
	}
	a.showLength(rule, CurrentSuffix, st.Shown.Current, show.Current)
	a.showLength(rule, LongestSuffix, st.Shown.Longest, show.Longest)
	st.Shown = show
	a.trimStreak(i, st)
}

func lengthStanding(r streaks.Run) Standing {
	if r.Length == 0 {
		return Standing{}
	}
	return Standing{Some: true, Value: int64(r.Length), Reached: r.Reached}
}

func (a *applier) showLength(rule *catalog.Streak, suffix string, before, after Standing) {
	if before != after {
		a.update.Boards = append(a.update.Boards, lengthChange(rule.ID+suffix, before, after))
	}
}

func lengthChange(board string, before, after Standing) BoardChange {
	return BoardChange{Rule: board, Label: "all", Cycle: calendar.Cycle{Unit: calendar.All}, Old: before, New: after}
}

func (st *StreakState) latest() streaks.Latest {
	l := streaks.Latest{Some: st.Latest.ID != "", Offset: st.Latest.Offset, Period: math.MinInt32}
	if n := len(st.Marks); n > 0 {
		l.Period = st.Marks[n-1].Ordinal
	} else if st.Sealed.Last.Length > 0 {
		l.Period = st.Sealed.Last.Last
	}
	return l
}

// Derive is what is shown of the i-th streak rule of the plan at now. A user who never did anything for it gets the view of no streak, and so does
// one whose state was folded under another definition of the rule: its marks have other conditions.
func (s *State) Derive(p *Plan, i int, now calendar.Instant) streaks.View {
	rule := p.Catalog.Streaks[i]
	st := s.Streak(rule.ID)
	if st == nil || st.Print != rule.Print {
		st = &StreakState{}
	}
	return p.Calculus(i, s.Zones).Derive(st.Sealed, st.Marks, st.latest(), now)
}
