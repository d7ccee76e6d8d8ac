package progress_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
)

const retained = `
orgs:
  - id: o
    limits: {max_past: 2d, close_grace: 0s, log_days: 5}
    rules:
      - {id: runs, when: {}, value: count, cycles: [day, all], keep: {day: 8}}
`

// TestRetention_GoneHasNoTallyAndNoRow: whatever comes in whatever order, is folded, taken back or rebuilt, days that are gone are in no state, no base and no
// change of a board, and the others and all count as if nothing were gone.
func TestRetention_GoneHasNoTallyAndNoRow(t *testing.T) {
	all, err := catalog.Parse([]byte(retained))
	if err != nil {
		t.Fatal(err)
	}
	c := all[0]
	rapid.Check(t, func(t *rapid.T) {
		r := retention{t: t, state: &progress.State{}, base: &progress.State{}, boards: map[string]int64{}, days: map[calendar.Ordinal]int64{}}
		for day := range calendar.Ordinal(30) {
			now := begin + calendar.Instant(day)*24*hour
			first, _ := c.FirstKept(c.Rules[0], c.Rules[0].Cycles[0], now)
			r.first = max(r.first, first) // of a later catalog that keeps more it would be less
			r.plan = progress.NewPlanOf(c, catalog.Kept{"runs": {"day": r.first}}, nil)
			for range rapid.IntRange(0, 2).Draw(t, "batches") {
				r.submit(now)
			}
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				r.rebuild(now)
			case 1:
				r.fold(now)
			}
			r.check(c)
		}
	})
}

type retention struct {
	t           *rapid.T
	plan        *progress.Plan
	first       calendar.Ordinal // the first day that is kept
	state, base *progress.State
	log         []activity.Activity
	boards      map[string]int64
	days        map[calendar.Ordinal]int64 // how many activities each day has
	all         int64
}

func (r *retention) submit(now calendar.Instant) {
	acts := make([]activity.Activity, rapid.IntRange(1, 4).Draw(r.t, "size"))
	for i := range acts {
		back := rapid.IntRange(0, 24*12).Draw(r.t, "hours back")
		acts[i] = at(fmt.Sprint(now, " ", len(r.log), " ", i), 0)
		acts[i].At, acts[i].Received, acts[i].Imported = now-calendar.Instant(back)*hour, now, true
	}
	update := progress.Apply(r.plan, r.state, acts, now)
	for i, v := range update.Verdicts {
		if v.Err != nil { // before the seal
			continue
		}
		day := calendar.Ordinal(acts[i].At / (24 * hour))
		if gone := day < r.first; gone != (len(v.ClosedFor) == 1) {
			r.t.Fatalf("day %d, first kept %d: closed for %v", day, r.first, v.ClosedFor)
		}
		r.log = append(r.log, acts[i])
		r.days[day]++
		r.all++
	}
	r.apply(update.Boards)
	r.holdsNothingGone(r.state)
}

func (r *retention) apply(changes []progress.BoardChange) {
	for _, c := range changes {
		if r.boards[c.Label] != c.Old.Value {
			r.t.Fatalf("%s: from %d, but there is %d", c.Label, c.Old.Value, r.boards[c.Label])
		}
		r.boards[c.Label] = c.New.Value
		if day, err := r.plan.Calendar().ParseLabel(calendar.Cycle{Unit: calendar.Day}, c.Label); err == nil && day < r.first {
			r.t.Fatalf("a row of %s, which is gone", c.Label)
		}
	}
}

// rebuild takes one back, if there are some.
func (r *retention) rebuild(now calendar.Instant) {
	if len(r.log) > 0 {
		i := rapid.IntRange(0, len(r.log)-1).Draw(r.t, "rejected")
		r.days[calendar.Ordinal(r.log[i].At/(24*hour))]--
		r.all--
		r.log = append(r.log[:i:i], r.log[i+1:]...)
	}
	next, err := progress.Rebuild(r.plan, r.state, r.base, r.log, now)
	if err != nil {
		r.t.Fatal(err)
	}
	r.apply(progress.Diff(r.plan, r.state, next, now, progress.History).Boards)
	r.state = next
	r.holdsNothingGone(next)
}

func (r *retention) fold(now calendar.Instant) {
	seal := now - 5*24*hour
	if seal < r.state.Sealed {
		return
	}
	base, dropped := progress.Fold(r.plan, r.state, r.base, r.log, seal, now)
	kept := r.log[:0]
	for _, a := range r.log {
		if a.At >= seal {
			kept = append(kept, a)
		}
	}
	if len(r.log)-len(kept) != len(dropped) {
		r.t.Fatalf("%d folded, %d dropped", len(r.log)-len(kept), len(dropped))
	}
	r.log, r.base = kept, base
	sealed := *r.state
	sealed.Sealed = seal
	next, err := progress.Rebuild(r.plan, &sealed, base, r.log, now)
	if err != nil {
		r.t.Fatal(err)
	}
	r.apply(progress.Diff(r.plan, r.state, next, now, progress.History).Boards)
	r.state = next
	r.holdsNothingGone(next)
	r.holdsNothingGone(base)
}

// holdsNothingGone checks a state or a base that has just been written.
func (r *retention) holdsNothingGone(s *progress.State) {
	for _, rule := range s.Rules {
		for _, cy := range rule.Cycles {
			if cy.Key == "day" && len(cy.Periods) > 0 && cy.Periods[0].Ordinal < r.first {
				r.t.Fatalf("the tally of day %d is there, kept are those from %d on", cy.Periods[0].Ordinal, r.first)
			}
		}
	}
}

func (r *retention) check(c *catalog.Catalog) {
	want, got := map[string]int64{}, maps.Clone(r.boards)
	for day, n := range r.days {
		if day >= r.first {
			want[c.Calendar().Label(calendar.Cycle{Unit: calendar.Day}, day)] = n
		}
	}
	want["all"] = r.all
	maps.DeleteFunc(got, func(label string, n int64) bool {
		day, err := c.Calendar().ParseLabel(calendar.Cycle{Unit: calendar.Day}, label)
		return n == 0 || err == nil && day < r.first // its board was dropped
	})
	maps.DeleteFunc(want, func(_ string, n int64) bool { return n == 0 })
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Fatalf("boards (-model +changes)\n%s", diff)
	}
}
