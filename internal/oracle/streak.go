package oracle

import (
	"slices"
	"time"
)

// Streak is a streak rule.
type Streak struct {
	ID         string
	All        bool // conditions are joined by all; else by any
	Conditions []Condition
	Unit       Cycle
	ActiveDays []time.Weekday // nil: all
	Mode       string         // org, user, named, event
	Zone       *time.Location // named: that zone; user: of users without one (nil: the org's)
	DayStart   time.Duration
	AtRisk     time.Duration
}

// Condition holds in a period where its fold is AtLeast (scaled) or more.
type Condition struct {
	Selector
	AtLeast int64
}

// Span is a run of met periods, by the labels of its first and last. The zero value is none.
type Span struct {
	Length      int
	First, Last string
	Reached     time.Time // the at of the activity that met the last one
}

// Period is one period of a streak.
type Period struct {
	Label, Status string // met, missed, inactive, open
	Values        []int64
	Met           bool
}

// View is a user's streak at an instant.
type View struct {
	Current, Longest         Span
	Total                    int
	State                    string // broken, none, at_risk, active
	Zone                     string
	LastExtendedAt, Deadline time.Time
	History                  []Period // oldest first, at most 30; the last is the open one
}

// period is what a user did in a period, which is known by its first date.
type period struct {
	first  time.Time
	values []int64
	met    bool
	metAt  time.Time
}

// view is a computation of one View.
type view struct {
	*clockwork
	periods map[time.Time]*period // those with any matching activity
	open    time.Time
}

// Streak computes a user's streak as shown at now.
func (m *Model) Streak(s *Streak, user string, now time.Time) View {
	items := m.matching(s, user)
	v := &view{clockwork: m.clockwork(s, user, items)}
	v.periods = v.gather(items)
	v.open = v.openAt(now)
	out := View{Zone: v.zoneName(now)}
	v.lengths(&out)
	v.current(&out)
	v.history(&out)
	v.state(&out, now)
	return out
}

// matching are the records that match each condition.
func (m *Model) matching(s *Streak, user string) [][]item {
	items := make([][]item, len(s.Conditions))
	for i := range m.Records {
		if m.Records[i].User != user {
			continue
		}
		for k := range s.Conditions {
			if it, ok := s.Conditions[k].eval(&m.Records[i]); ok {
				items[k] = append(items[k], it)
			}
		}
	}
	for k := range items {
		slices.SortFunc(items[k], earlier)
	}
	return items
}

func (v *view) gather(items [][]item) map[time.Time]*period {
	byPeriod := map[time.Time][][]item{}
	for k := range items {
		for _, it := range items[k] {
			first := v.stamp(it.At)
			if byPeriod[first] == nil {
				byPeriod[first] = make([][]item, len(items))
			}
			byPeriod[first][k] = append(byPeriod[first][k], it)
		}
	}
	periods := map[time.Time]*period{}
	for first, lists := range byPeriod {
		periods[first] = v.judge(first, lists)
	}
	return periods
}

// judge folds the activities of one period, those of each condition in (at, id) order.
func (v *view) judge(first time.Time, lists [][]item) *period {
	p := &period{first: first, values: make([]int64, len(lists))}
	met := 0
	for k, list := range lists {
		if len(list) == 0 {
			continue
		}
		c := &v.rule.Conditions[k]
		p.values[k], _ = folded(c.Fold, list)
		if p.values[k] < c.AtLeast {
			continue
		}
		metAt := list[0].At
		for n := range list {
			if value, _ := folded(c.Fold, list[:n+1]); value >= c.AtLeast {
				metAt = list[n].At
				break
			}
		}
		met++
		if met == 1 || v.rule.All && metAt.After(p.metAt) || !v.rule.All && metAt.Before(p.metAt) {
			p.metAt = metAt
		}
	}
	p.met = v.rule.All && met == len(lists) || !v.rule.All && met > 0
	return p
}

func (v *view) metIn(first time.Time) bool {
	p := v.periods[first]
	return p != nil && p.met
}

// spanOf is the run of n periods that ends with last, going back over active periods.
func (v *view) spanTo(last time.Time) Span {
	s := Span{Last: v.label(last), Reached: v.periods[last].metAt}
	first := last
	for p := last; v.metIn(p); p = v.activeBefore(p) {
		s.Length++
		first = p
	}
	s.First = v.label(first)
	return s
}

// lengths fills in what goes over all time: each met period up to the open one is asked how long the run is that it ends.
func (v *view) lengths(out *View) {
	var met []time.Time
	for first, p := range v.periods {
		if p.met && v.active(first) && !first.After(v.open) {
			met = append(met, first)
		}
	}
	slices.SortFunc(met, time.Time.Compare)
	out.Total = len(met)
	for i, first := range met {
		// Only the last period of a run can end the longest one.
		if i+1 < len(met) && v.activeBefore(met[i+1]).Equal(first) {
			continue
		}
		if s := v.spanTo(first); s.Length > out.Longest.Length {
			out.Longest = s
		}
	}
	if len(met) > 0 {
		out.LastExtendedAt = v.periods[met[len(met)-1]].metAt
	}
}

// current fills in the run that ends in the open period, where that is met, else in the last active one before it.
func (v *view) current(out *View) {
	counts := v.active(v.open)
	last := v.open
	if !counts || !v.metIn(v.open) {
		last = v.activeBefore(v.open)
	}
	if !v.metIn(last) {
		return
	}
	out.Current = v.spanTo(last)
	due := v.open
	if !counts || v.metIn(v.open) {
		due = v.activeAfter(v.open)
	}
	out.Deadline = v.end(due)
}

// history lists existing periods from the first with an activity to the open one, 30 at most.
func (v *view) history(out *View) {
	first := v.open
	for p := range v.periods {
		if p.Before(first) {
			first = p
		}
	}
	var all []Period
	n := 0
	for p := v.open; !p.Before(first) && n < 30; p = v.before(p) {
		n++
		if !p.Equal(v.open) && !v.exists(p) {
			continue
		}
		all = append(all, v.show(p))
	}
	slices.Reverse(all)
	out.History = all
}

func (v *view) show(first time.Time) Period {
	p := Period{Label: v.label(first), Values: make([]int64, len(v.rule.Conditions)), Met: v.metIn(first)}
	if had := v.periods[first]; had != nil {
		p.Values = had.values
	}
	switch {
	case !v.active(first):
		p.Status = "inactive"
	case p.Met:
		p.Status = "met"
	case first.Equal(v.open):
		p.Status = "open"
	default:
		p.Status = "missed"
	}
	return p
}

func (v *view) state(out *View, now time.Time) {
	switch {
	case out.Current.Length == 0 && out.Total > 0:
		out.State = "broken"
	case out.Current.Length == 0:
		out.State = "none"
	case v.rule.AtRisk > 0 && !v.metIn(v.open) && out.Deadline.Sub(now) <= v.rule.AtRisk:
		out.State = "at_risk"
	default:
		out.State = "active"
	}
}
