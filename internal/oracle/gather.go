package oracle

import (
	"slices"
	"time"
)

// activity is a record that matches any condition of a streak, with what it gives to each (nil: nothing).
type activity struct {
	*Record
	gives []*item
}

// period is what counts for a period, which is known by its first date.
type period struct {
	first  time.Time
	values []int64
	met    bool
	metAt  time.Time
}

// matching are the records that match any condition, in order of (at, id).
func (m *Model) matching(s *Streak, user string) []activity {
	var all []activity
	for i := range m.Records {
		if m.Records[i].User != user {
			continue
		}
		a := activity{Record: &m.Records[i], gives: make([]*item, len(s.Conditions))}
		matches := false
		for k := range s.Conditions {
			if it, ok := s.Conditions[k].eval(a.Record); ok {
				a.gives[k] = &it
				matches = true
			}
		}
		if matches {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b activity) int { return earlier(item{Record: a.Record}, item{Record: b.Record}) })
	return all
}

// gather lets the activities, which are in order, each count for a period.
func (v *view) gather(activities []activity) {
	byPeriod := map[time.Time][]activity{}
	for _, a := range activities {
		first := v.countsFor(a, byPeriod)
		byPeriod[first] = append(byPeriod[first], a)
	}
	v.periods = map[time.Time]*period{}
	for first, list := range byPeriod {
		v.periods[first] = v.judge(first, list)
	}
}

// countsFor is the period that an activity counts for, when others did already: the earliest before that of its stamp that can still be met, and
// has to be, else that of its stamp.
func (v *view) countsFor(a activity, byPeriod map[time.Time][]activity) time.Time {
	stamp := v.stamp(a.At)
	counts := stamp
	for p := v.before(stamp); !v.exists(p) || a.At.Before(v.deadlineFor(p, a.Record)); p = v.before(p) {
		if v.active(p) && !v.pausedFor(p, a.Record) && !v.judge(p, byPeriod[p]).met {
			counts = p
		}
	}
	return counts
}

// judge folds the activities of one period, which are in order.
func (v *view) judge(first time.Time, list []activity) *period {
	p := &period{first: first, values: make([]int64, len(v.rule.Conditions))}
	met := 0
	for k := range v.rule.Conditions {
		var items []item
		for _, a := range list {
			if a.gives[k] != nil {
				items = append(items, *a.gives[k])
			}
		}
		if len(items) == 0 {
			continue
		}
		fold, target := v.rule.Conditions[k].Fold, v.target(k, first)
		p.values[k], _ = folded(fold, items)
		if p.values[k] < target {
			continue
		}
		metAt := items[0].At
		for n := range items {
			if value, _ := folded(fold, items[:n+1]); value >= target {
				metAt = items[n].At
				break
			}
		}
		met++
		if met == 1 || v.rule.All && metAt.After(p.metAt) || !v.rule.All && metAt.Before(p.metAt) {
			p.metAt = metAt
		}
	}
	p.met = v.rule.All && met == len(v.rule.Conditions) || !v.rule.All && met > 0
	return p
}

func (v *view) metIn(first time.Time) bool {
	p := v.periods[first]
	return p != nil && p.met
}
