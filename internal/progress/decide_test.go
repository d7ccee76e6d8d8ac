package progress_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/progress"
	"laurel/streaks"
)

func planOf(t *testing.T, definition string) *progress.Plan {
	t.Helper()
	all, err := catalog.Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	return progress.NewPlan(all[0])
}

const limited = `
orgs:
  - id: o
    limits: {max_past: 20d}
    behaviours:
      - {name: run, cool_off: 1h, meta: {km: number}}
      - {name: walk, cap: {per: day, count: 2}}
    rules:
      - {id: all, when: {}, value: count, cycles: [all]}
`

var begin = calendar.InstantOf(date("2026-03-10"))

const hour = calendar.Instant(60 * 60 * 1000)

func at(name string, hours float64) activity.Activity {
	i := begin + calendar.Instant(hours*float64(hour))
	return activity.Activity{ID: activity.ID(fmt.Sprint(name, hours)), User: "u", Name: name, At: i, AtGiven: true, Received: i}
}

// outcome is a verdict in a word.
func outcome(v progress.Verdict) string {
	if v.Err != nil {
		return v.Err.Error()
	}
	return strings.TrimSpace(v.Status.String() + " " + v.Reason)
}

func TestApply_CoolOffAndCap(t *testing.T) {
	p := planOf(t, limited)
	s := &progress.State{}
	tests := []struct {
		name string
		hour float64
		want string
	}{
		{"run", 10, "accepted"},
		{"run", 10.5, "ignored cool_off"},
		{"run", 9.5, "ignored cool_off"}, // late, and too near on the other side
		{"run", 11, "accepted"},
		{"run", 2, "accepted"}, // late, and far from any other
		{"walk", 1, "accepted"},
		{"walk", 23, "accepted"},
		{"walk", 12, "ignored cap"},
		{"walk", 25, "accepted"},
		{"swim", 1, progress.ErrUnknownBehaviour.Error()},
	}
	accepted := int64(0)
	for _, tt := range tests {
		u := progress.Apply(p, s, []activity.Activity{at(tt.name, tt.hour)}, begin+30*hour)
		if got := outcome(u.Verdicts[0]); got != tt.want {
			t.Errorf("%s at %v h: %s, want %s", tt.name, tt.hour, got, tt.want)
		}
		if tt.want == "accepted" {
			accepted++
		}
		// What is decided is decided on the bytes that are stored, too.
		var err error
		if s, err = progress.Parse(string(s.Append(nil))); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Tally("all", "all", 0); got.Value != accepted {
		t.Errorf("%d count, %d were accepted", got.Value, accepted)
	}
	imported := at("run", 10.25)
	imported.Imported = true
	if u := progress.Apply(p, s, []activity.Activity{imported}, begin+30*hour); outcome(u.Verdicts[0]) != "accepted" {
		t.Errorf("imported history is taken as it was: %+v", u.Verdicts[0])
	}
}

const sums = `
orgs:
  - id: o
    limits: {max_past: 20d}
    rules:
      - {id: count, when: {}, value: count, cycles: [all]}
      - {id: sum, when: {}, value: {sum: value}, cycles: [day, all]}
`

func worth(hours, value float64) activity.Activity {
	a := at("a", hours)
	a.Value, a.HasValue = value, true
	return a
}

func TestApply_RefusesWholeWhatLeavesTheRange(t *testing.T) {
	p := planOf(t, sums)
	s := &progress.State{}
	acts := []activity.Activity{worth(1, catalog.MaxExact), worth(2, 1), worth(3, -5), worth(30, 6), worth(31, 5), worth(32, 1e300)}
	u := progress.Apply(p, s, acts, begin+40*hour)
	want := []error{nil, fold.ErrRange, nil, fold.ErrRange, nil, catalog.ErrRange}
	for i, v := range u.Verdicts {
		if !errors.Is(v.Err, want[i]) || want[i] == nil && v.Err != nil {
			t.Errorf("activity %d: %v, want %v", i, v.Err, want[i])
		}
	}
	if got := s.Tally("count", "all", 0).Value; got != 3 {
		t.Errorf("the other rule counts %d, want 3: a refused activity counts nowhere", got)
	}
	// Without what balances it the sum would be out of range: that undo is refused, and what the state would be is told all the same.
	records := []activity.Activity{acts[0], acts[2], acts[4]}
	records[1].Status = activity.Rejected
	next, err := progress.Rebuild(p, s, &progress.State{}, records, begin+40*hour)
	if !errors.Is(err, fold.ErrRange) {
		t.Errorf("rebuild: %v", err)
	}
	if got := next.Tally("sum", "all", 0).Value; got != catalog.MaxExact {
		t.Errorf("the sum is %d, want what fits in (at, id) order", got)
	}
}

// TestStreak_AtTheBeginningOfTime: 1970-01-01T00:00:00Z is an instant like any other.
func TestStreak_AtTheBeginningOfTime(t *testing.T) {
	p := planOf(t, `{orgs: [{id: o, streaks: [{id: s, when: {}, unit: day, timezone: org}]}]}`)
	s := &progress.State{}
	first := activity.Activity{ID: "1", User: "u", Name: "a", AtGiven: true, Imported: true}
	if u := progress.Apply(p, s, []activity.Activity{first}, 5*hour); u.Verdicts[0].Err != nil || u.NeedLog {
		t.Fatalf("%+v", u)
	}
	s, err := progress.Parse(string(s.Append(nil)))
	if err != nil {
		t.Fatal(err)
	}
	if v := s.Derive(p, 0, 5*hour); v.Run.Length != 1 || !v.Period.Met {
		t.Errorf("%+v", v)
	}
}

// TestCondition_EqualInstants: of activities at one instant the ids decide when a sum that may fall came to its target.
func TestCondition_EqualInstants(t *testing.T) {
	p := planOf(t, `{orgs: [{id: o, streaks: [{id: s, any: [{when: {}, value: {sum: value}, at_least: 3}], unit: day, timezone: org}]}]}`)
	acts := []activity.Activity{worth(1, 2), worth(1, 1), worth(1, -1), worth(2, 1), worth(2, 1)}
	for i, id := range []activity.ID{"d", "b", "c", "a", "f"} {
		acts[i].ID = id
	}
	now := begin + 5*hour
	want, err := progress.Rebuild(p, &progress.State{}, nil, acts, now)
	if err != nil {
		t.Fatal(err)
	}
	progress.Diff(p, &progress.State{}, want, now, progress.History)
	permute(acts, func(order []activity.Activity) {
		s := &progress.State{}
		for i := range order {
			if u := progress.Apply(p, s, order[i:i+1], now); u.NeedLog {
				old := s
				s, _ = progress.Rebuild(p, old, nil, order[:i+1], now)
				progress.Diff(p, old, s, now, progress.History)
			}
		}
		got := s.Derive(p, 0, now)
		if diff := cmp.Diff(want.Derive(p, 0, now), got, cmpopts.IgnoreUnexported(streaks.Sum{}, streaks.Moment{})); diff != "" {
			t.Errorf("in the order %v (-sorted +arrived)\n%s", ids(order), diff)
		}
	})
}

func ids(acts []activity.Activity) (out []activity.ID) {
	for _, a := range acts {
		out = append(out, a.ID)
	}
	return out
}

// permute calls see with every order of acts.
func permute(acts []activity.Activity, see func([]activity.Activity)) {
	var walk func(n int)
	walk = func(n int) {
		if n == len(acts) {
			see(append([]activity.Activity(nil), acts...))
			return
		}
		for i := n; i < len(acts); i++ {
			acts[n], acts[i] = acts[i], acts[n]
			walk(n + 1)
			acts[n], acts[i] = acts[i], acts[n]
		}
	}
	walk(0)
}

// TestPlan_GrownList: a window that is added is filled from the log, and nothing else changes.
func TestPlan_GrownList(t *testing.T) {
	const lists = `{orgs: [{id: o, rules: [{id: r, when: {}, value: count, cycles: [{list: {id: seasons, periods: [%s]}}]}]}]}`
	spring := `{id: spring, start: 2026-03-01, end: 2026-04-01}`
	before := planOf(t, fmt.Sprintf(lists, spring))
	after := planOf(t, fmt.Sprintf(lists, spring+`, {id: summer, start: 2026-05-20, end: 2026-07-01}`))
	s := &progress.State{}
	acts := []activity.Activity{at("a", 1), at("b", 90*24)}
	acts[0].Imported, acts[1].Imported = true, true
	now := begin + 91*24*hour
	if u := progress.Apply(before, s, acts, now); len(u.Boards) != 1 {
		t.Fatalf("%+v", u)
	}
	kept := *s
	if u := progress.Apply(after, s, nil, now); !u.NeedLog {
		t.Error("the change went unnoticed")
	}
	next, err := progress.Rebuild(after, &kept, nil, acts, now)
	if err != nil {
		t.Fatal(err)
	}
	changes := progress.Diff(after, &kept, next, now, progress.History).Boards
	if len(changes) != 1 || changes[0].Label != "summer" || changes[0].Old.Some || changes[0].New.Value != 1 {
		t.Errorf("%+v", changes)
	}
	if next.Oldest == 0 {
		t.Error("the rebuilt state does not know how far its log goes back")
	}
}

// TestRebuild_UndefinedAndBack: what stands on a board that a catalog no longer defines is taken off when one defines it again.
func TestRebuild_UndefinedAndBack(t *testing.T) {
	const org = `{orgs: [{id: o, rules: [%s], streaks: [{id: k, when: {}, unit: day}]}]}`
	both := planOf(t, fmt.Sprintf(org, `{id: r, when: {}, value: count, cycles: [day, all]}, {id: q, when: {}, value: count, cycles: [all]}`))
	less := planOf(t, fmt.Sprintf(org, `{id: r, when: {}, value: count, cycles: [day]}`))
	acts := []activity.Activity{at("a", 1)}
	s := &progress.State{}
	progress.Apply(both, s, acts, begin+2*hour)

	acts = append(acts, at("b", 2))
	without, err := progress.Rebuild(less, s, nil, acts, begin+3*hour)
	if err != nil {
		t.Fatal(err)
	}
	progress.Diff(less, s, without, begin+3*hour, progress.History)
	without, err = progress.Parse(string(without.Append(nil)))
	if err != nil {
		t.Fatal(err)
	}
	back, err := progress.Rebuild(both, without, nil, acts, begin+4*hour)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range progress.Diff(both, without, back, begin+4*hour, progress.History).Boards {
		if c.Label == "all" && (c.Rule == "r" || c.Rule == "q") {
			n++
			if !c.Old.Some || c.Old.Value != 1 || c.New.Value != 2 {
				t.Errorf("%+v", c)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d boards were brought up to date, want 2", n)
	}
}
