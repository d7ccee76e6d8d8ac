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
		first := len(a.conditions)
		for k := range rule.Conditions {
			v, ok, err := rule.Conditions[k].Eval(&a.input)
			if err != nil && !a.sorted {
				return err
			}
			if !ok || err != nil {
				continue
			}
			m := conditionMatch{streak: i, condition: k, value: v}
			if len(a.conditions) > first {
				m.period = a.conditions[first].period
			} else {
				m.period = a.period(i, act)
			}
			if !a.sorted || rule.Conditions[k].Fold == catalog.Unique {
				err = a.checkCondition(&m)
			}
			if err != nil && !a.sorted {
				return err
			}
			if err == nil {
				a.conditions = append(a.conditions, m)
			}
		}
	}
	return nil
}

func (a *applier) checkCondition(m *conditionMatch) error {
	rule := a.plan.Catalog.Streaks[m.streak]
	f := rule.Conditions[m.condition].Fold
	st := a.state.Streak(rule.ID)
	if st == nil || f != catalog.Sum && f != catalog.Unique {
		return nil
	}
	i, found := st.find(m.period)
	if !found || st.isSummed(m.period) { // what the log decides is taken as it is: a condition's sum is shown, and nothing is counted by it
		return nil
	}
	return st.conditions(i, len(rule.Conditions))[m.condition].Check(f, m.value)
}

// period is the period that an activity counts for in the i-th streak rule.
func (a *applier) period(i int, act *activity.Activity) calendar.Ordinal {
	st := a.state.Streak(a.plan.Catalog.Streaks[i].ID)
	return a.calculus(i).PeriodOf(act.At, act.Offset, func(o calendar.Ordinal) bool { return st != nil && st.met(o) })
}

func (st *StreakState) met(o calendar.Ordinal) bool {
	i, found := st.find(o)
	return found && st.Marks[i].Met
}

// addStreak folds the activity at hand into the conditions of one streak that it matches.
func (a *applier) addStreak(matches []conditionMatch, act *activity.Activity) {
	i, o := matches[0].streak, matches[0].period
	rule, c := a.plan.Catalog.Streaks[i], a.calculus(i)
	st := a.state.openStreak(rule)
	if !c.Strict() && !a.sorted && st.Latest.after(act) {
		a.update.NeedLog = true // which period it and those after it count for depends on their order
	}
	met := st.met(o)
	if !a.sorted && (!met || mayFall(rule, matches) || st.readElsewhere(c, act)) {
		a.note(i) // what is about to change
	}
	st.Latest.note(act)
	if st.isSummed(o) {
		a.update.NeedLog = true
		return
	}
	mark := st.open(rule, o)
	conditions := st.conditions(mark, len(rule.Conditions))
	for _, m := range matches {
		x := &conditions[m.condition]
		if !x.add(rule.Conditions[m.condition].Fold, c.Target(m.condition, o), m.value, act, a.sorted) {
			a.update.NeedLog = true
		}
	}
	st.judge(c, mark)
	if is := st.Marks[mark].Met; is != met {
		a.streak(i).turn(o, is)
	}
}

// readElsewhere says whether the activity brings another offset to read now at, as in mode event the latest one does: that moves deadlines, also of what was decided.
func (st *StreakState) readElsewhere(c *streaks.Calculus, act *activity.Activity) bool {
	return c.Rule.ZoneMode == catalog.ZoneEvent && act.Offset != st.Latest.Offset && !st.Latest.after(act)
}

// mayFall says whether a value that is high enough may not be so after the activity at hand.
func mayFall(rule *catalog.Streak, matches []conditionMatch) bool {
	for _, m := range matches {
		switch rule.Conditions[m.condition].Fold {
		case catalog.Min, catalog.Last:
			return true
		case catalog.Sum:
			if m.value.N < 0 {
				return true
			}
		}
	}
	return false
}

func (s *State) openStreak(rule *catalog.Streak) *StreakState {
	if st := s.Streak(rule.ID); st != nil {
		return st
	}
	s.Streaks = append(s.Streaks, StreakState{ID: rule.ID, Print: rule.Print, Terms: rule.Terms})
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

// uncommanded says that nothing was ordered for the streak.
func (st *StreakState) uncommanded() bool {
	c := &st.Commands
	return len(c.Grants) == 0 && len(c.Restores) == 0 && len(c.Targets) == 0 && len(c.OptOuts) == 0
}

// after says whether the activity comes before the latest one.
func (l *LatestActivity) after(act *activity.Activity) bool {
	return l.ID != "" && (act.At < l.At || act.At == l.At && act.ID < l.ID)
}

func (l *LatestActivity) note(act *activity.Activity) {
	if !l.after(act) {
		*l = LatestActivity{At: act.At, ID: act.ID, Offset: act.Offset}
	}
}

// judge derives a mark from its conditions.
func (st *StreakState) judge(calculus *streaks.Calculus, mark int) {
	rule, m := calculus.Rule, &st.Marks[mark]
	m.Met, m.MetAt = false, 0
	met := 0
	conditions := st.conditions(mark, len(rule.Conditions))
	for k := range conditions {
		c := &conditions[k]
		m.Values[k] = c.Value
		if !c.Met || c.Value < calculus.Target(k, m.Ordinal) {
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

// add folds one value into a condition that is met at least; sorted says that activities come in (at, id) order. It returns false where MetAt cannot be known without the
// other activities of the period: the activity is not the latest, and its place in (at, id) order may move the moment at which the target was reached.
func (c *Condition) add(f catalog.Fold, least int64, v catalog.Value, act *activity.Activity, sorted bool) (known bool) {
	before, last := c.Tally.Value, c.LastAt
	some := c.Some
	c.Tally.Add(f, v, act.At, act.ID)
	c.LastAt = max(c.LastAt, act.At)
	switch f {
	case catalog.Unique:
		if c.Value >= least {
			c.meet(c.NthFirst(int(max(least, 1))))
		}
		return true
	case catalog.Max:
		if v.N >= least && (!c.Met || act.At < c.MetAt) {
			c.meet(act.At)
		}
		return true
	}
	c.Negative = c.Negative || f == catalog.Sum && v.N < 0
	inOrder := sorted || !some || act.At > last || act.At == last && !c.Negative
	switch {
	case c.Negative && !inOrder:
		return false
	case c.Met:
		return sorted || act.At >= c.MetAt || c.first(f, least, act)
	case c.Value < least || some && before >= least:
		return true
	case inOrder || f == catalog.Count:
		c.meet(c.LastAt)
		return true
	}
	return c.first(f, least, act)
}

// first handles an activity that met the target all by itself, earlier than it was met before.
func (c *Condition) first(f catalog.Fold, least int64, act *activity.Activity) bool {
	if f == catalog.Count && least <= 1 {
		c.meet(act.At)
		return true
	}
	return false
}

func (c *Condition) meet(at calendar.Instant) { c.Met, c.MetAt = true, at }

// showStreaks brings the streaks' boards up to now, tells what became of them, and finds when time changes something.
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
	c, now := a.calculus(i), a.streakNow()
	m := &a.streak(i).after
	*m = c.At(st.Sealed, st.Marks, st.latest(), now)
	a.tellChanged(i, st)
	if due := c.Next(m, st.Marks, st.latest(), now); due != 0 && (a.state.Due == 0 || due < a.state.Due) {
		a.state.Due = due
	}
	show := Shown{Current: lengthStanding(m.Run), Longest: lengthStanding(m.Longest)}
	if !a.state.shown() || c.OptedOut() {
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
	} else if st.Sealed.Run.Length > 0 {
		l.Period = st.Sealed.Run.Last
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
	return p.Calculus(i, s).Derive(st.Sealed, st.Marks, st.latest(), now)
}
