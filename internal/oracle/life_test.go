package oracle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"laurel/internal/oracle"
)

// Tests play in November 2026, whose 2nd is a Monday. "03T10:00" is a UTC time of it, "03T10:00+09:00" one with an offset, "03" a date.

func at(s string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, "2026-11-"+s); err == nil {
			return t
		}
	}
	panic("no time: " + s)
}

func zone(name string) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return l
}

// daily is a rule that asks for target activities a day, in the org's zone.
func daily(target int64, with ...func(*oracle.Streak)) *oracle.Streak {
	s := &oracle.Streak{ID: "s", Mode: "org", Unit: oracle.Cycle{Unit: "day"}, Conditions: []oracle.Condition{{Selector: oracle.Selector{Fold: "count"}, AtLeast: target}}}
	for _, set := range with {
		set(s)
	}
	return s
}

func grace(hours int) func(*oracle.Streak) {
	return func(s *oracle.Streak) { s.Grace = time.Duration(hours) * time.Hour }
}

func lead(hours int) func(*oracle.Streak) {
	return func(s *oracle.Streak) { s.AtRisk = time.Duration(hours) * time.Hour }
}

func freezes(initial, earnEvery, most int) func(*oracle.Streak) {
	return func(s *oracle.Streak) { s.Freezes = oracle.Freezes{Initial: initial, EarnEvery: earnEvery, Max: most} }
}

func decay(n int) func(*oracle.Streak) {
	return func(s *oracle.Streak) { s.OnMiss, s.Decay = "decay", n }
}

func none(s *oracle.Streak)    { s.OnMiss = "none" }
func event(s *oracle.Streak)   { s.Mode = "event" }
func user(s *oracle.Streak)    { s.Mode = "user" }
func weekly(s *oracle.Streak)  { s.Unit.Unit = "week" }
func holiday(s *oracle.Streak) { s.Holidays = []time.Time{at("03")} }
func raised(s *oracle.Streak)  { s.MaxTarget = 3 }
func workdays(s *oracle.Streak) {
	s.ActiveDays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
}

// model is user u of a UTC org, with activities at the times named; "×3" after one says how many.
func model(did string, orders ...func(*oracle.Model)) *oracle.Model {
	m := &oracle.Model{Org: oracle.Org{Zone: time.UTC, WeekStart: time.Monday}, Zones: map[string][]oracle.ZoneChange{}, Pauses: map[string][]oracle.Pause{}}
	for i, s := range strings.Fields(did) {
		when, times, several := strings.Cut(s, "×")
		n := 1
		if several {
			fmt.Sscan(times, &n)
		}
		for k := range n {
			m.Records = append(m.Records, oracle.Record{ID: fmt.Sprintf("%02d-%d", i, k), User: "u", At: at(when)})
		}
	}
	for _, order := range orders {
		order(m)
	}
	return m
}

func grant(when string, n int) func(*oracle.Model) {
	return func(m *oracle.Model) {
		c := m.Commands("u", "s")
		c.Grants = append(c.Grants, oracle.Grant{At: at(when), N: n})
	}
}

func restore(when, first, last string) func(*oracle.Model) {
	return func(m *oracle.Model) {
		c := m.Commands("u", "s")
		c.Restores = append(c.Restores, oracle.Restore{At: at(when), First: at(first), Last: at(last)})
	}
}

func target(when, from string, n int64) func(*oracle.Model) {
	return func(m *oracle.Model) {
		c := m.Commands("u", "s")
		c.Targets = append(c.Targets, oracle.Target{At: at(when), From: at(from), N: n})
	}
}

func optOut(when string, out bool) func(*oracle.Model) {
	return func(m *oracle.Model) {
		c := m.Commands("u", "s")
		c.OptOuts = append(c.OptOuts, oracle.OptOut{At: at(when), Out: out})
	}
}

func pause(when, from, to string) func(*oracle.Model) {
	return func(m *oracle.Model) {
		m.Pauses["u"] = append(m.Pauses["u"], oracle.Pause{At: at(when), From: at(from), To: at(to)})
	}
}

func cut(when, to string) func(*oracle.Model) {
	return func(m *oracle.Model) {
		last := &m.Pauses["u"][len(m.Pauses["u"])-1]
		last.CutAt, last.CutTo = at(when), at(to)
	}
}

func outage(when, from, to string) func(*oracle.Model) {
	return func(m *oracle.Model) {
		m.Outages = append(m.Outages, oracle.Outage{At: at(when), From: at(from), To: at(to)})
	}
}

func removed(when string) func(*oracle.Model) {
	return func(m *oracle.Model) { m.Outages[len(m.Outages)-1].RemovedAt = at(when) }
}

func moves(when, name string) func(*oracle.Model) {
	return func(m *oracle.Model) {
		m.Zones["u"] = append(m.Zones["u"], oracle.ZoneChange{At: at(when), Zone: zone(name)})
	}
}

func short(t time.Time) string { return t.UTC().Format("02T15:04") }

// summary is "current/longest/total state history", then what is not zero: freezes as "held/used", the deadline, until when it lives, what was lost,
// the values if any is above 1. The history has a letter a period: met, frozen, paused, restored, inactive, open, and x for missed.
func summary(v *oracle.View) string {
	var b, values strings.Builder
	fmt.Fprintf(&b, "%d/%d/%d %s ", v.Current.Length, v.Longest.Length, v.Total, v.State)
	several := false
	for _, p := range v.History {
		letter := p.Status[:1]
		if p.Status == "missed" {
			letter = "x"
		}
		b.WriteString(letter)
		fmt.Fprintf(&values, " %d", p.Values[0])
		several = several || p.Values[0] > 1
	}
	if v.Held != 0 || v.Used != 0 {
		fmt.Fprintf(&b, " freezes %d/%d", v.Held, v.Used)
	}
	if !v.Deadline.IsZero() {
		fmt.Fprintf(&b, " due %s dies %s", short(v.Deadline), short(v.DiesAt))
	}
	if v.Lost.Length > 0 {
		fmt.Fprintf(&b, " lost %d at %s", v.Lost.Length, short(v.Lost.At))
	}
	if several {
		b.WriteString(" values" + values.String())
	}
	return b.String()
}

// lives are cases of what is shown.
type lives []struct {
	name string
	rule *oracle.Streak
	m    *oracle.Model
	now  string
	want string
}

func (all lives) run(t *testing.T) {
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			v := c.m.Streak(c.rule, "u", at(c.now))
			if got := summary(&v); got != c.want {
				t.Errorf("at %s\ngot  %s\nwant %s", c.now, got, c.want)
			}
		})
	}
}
