package progress_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/internal/progress"
)

// TestRebuild_OtherTerms: a rule with other terms (holidays, active days, freezes, the max of own targets) counts the periods before the seal as if it had always had
// them. Lengths and freezes are the model's; when a period was met is known of those after the seal.
func TestRebuild_OtherTerms(t *testing.T) {
	const definition = `orgs: [{id: o, limits: {max_past: 20d, close_grace: 3d, log_days: 20}, streaks: [{id: s, when: {}, unit: day%s}]}]`
	begin := instant("2026-03-02T00:00:00Z") // a Monday
	const day = 24 * time.Hour
	weekdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	terms := []struct {
		text string
		rule oracle.Streak
	}{
		{"", oracle.Streak{}},
		{", user_target: {max: 2}", oracle.Streak{MaxTarget: 2}},
		{", user_target: {max: 3}", oracle.Streak{MaxTarget: 3}},
		{`, user_target: {max: 3}, holidays: ["2026-03-05", "2026-03-18"]`, oracle.Streak{MaxTarget: 3, Holidays: []time.Time{begin.Add(3 * day), begin.Add(16 * day)}}},
		{", active_days: [mon, tue, wed, thu, fri], freezes: {initial: 1, earn_every: 2, max: 2}",
			oracle.Streak{ActiveDays: weekdays, Freezes: oracle.Freezes{Initial: 1, EarnEvery: 2, Max: 2}}},
	}
	plans := make([]*progress.Plan, len(terms))
	for i := range terms {
		all, err := catalog.Parse(fmt.Appendf(nil, definition, terms[i].text))
		if err != nil {
			t.Fatal(err)
		}
		plans[i] = progress.NewPlan(all[0])
		r := &terms[i].rule
		r.ID, r.Mode, r.Unit = "s", "org", oracle.Cycle{Unit: "day"}
		r.Conditions = []oracle.Condition{{Selector: oracle.Selector{Fold: "count"}, AtLeast: 1}}
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		m := &oracle.Model{Org: oracle.Org{Zone: time.UTC, WeekStart: time.Monday}}
		now := begin.Add(40 * day)
		var log []activity.Activity
		for i := range 60 {
			r := oracle.Record{ID: fmt.Sprint(i), User: "u", At: begin.Add(time.Duration(random.IntN(39*24)) * time.Hour)}
			m.Records, log = append(m.Records, r), append(log, activityOf(&r))
		}
		own, from := int64(1+random.IntN(3)), begin.Add(time.Duration(1+random.IntN(20))*day)
		was, is := random.IntN(len(terms)), random.IntN(len(terms))
		state := &progress.State{}
		first := calendar.Instant(from.Add(-day).UnixMilli())
		state, err := state.SetTarget(plans[3], "s", &own, first)
		if err != nil {
			t.Fatal(err)
		}
		if own > 1 {
			m.Commands("u", "s").Targets = []oracle.Target{{At: from.Add(-day), From: from, N: own}}
		}
		seal := calendar.Instant(begin.Add(time.Duration(random.IntN(20*24)) * time.Hour).UnixMilli())
		old, err := progress.Rebuild(plans[was], state, &progress.State{}, log, calendar.Instant(now.UnixMilli()))
		if err != nil {
			t.Fatal(err)
		}
		base, dropped := progress.Fold(plans[was], old, &progress.State{}, log, seal, calendar.Instant(now.UnixMilli()))
		kept := log[:0:0]
		for _, a := range log {
			if a.At >= seal {
				kept = append(kept, a)
			}
		}
		if len(kept)+len(dropped) != len(log) {
			t.Fatalf("%d of %d activities were dropped, %d are left", len(dropped), len(log), len(kept))
		}
		old.Sealed = seal
		if random.IntN(2) == 0 { // the base is folded on under the new terms
			base, _ = progress.Fold(plans[is], old, base, kept, seal, calendar.Instant(now.UnixMilli()))
		}
		next, err := progress.Rebuild(plans[is], old, base, kept, calendar.Instant(now.UnixMilli()))
		if err != nil {
			t.Fatal(err)
		}
		v := next.Derive(plans[is], 0, calendar.Instant(now.UnixMilli()))
		want := m.Streak(&terms[is].rule, "u", now)
		got := fmt.Sprint(v.Run.Length, v.Longest.Length, v.Total, v.Held, v.Used)
		if want := fmt.Sprint(want.Current.Length, want.Longest.Length, want.Total, want.Held, want.Used); got != want {
			t.Fatalf("terms %q, then %q, own target %d from %v, sealed %v: current, longest, total, held, used are %s, the model's %s",
				terms[was].text, terms[is].text, own, from, seal, got, want)
		}
	}
}
