package progress_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/internal/progress"
)

// TestProgress_LateInSummedPeriods is TestProgress_EqualsTheModel over months, with most activities late by days or weeks: into periods that are summed up in
// the state, between them, and before them.
func TestProgress_LateInSummedPeriods(t *testing.T) {
	s := &scene{"months", instant("2026-03-05T00:00:00Z"), 28, []string{"UTC", "America/New_York"}, []string{"America/New_York", "Asia/Tokyo"}, []int{0, -300, 120}}
	rapid.Check(t, func(t *rapid.T) {
		u := newUser(t, s)
		for i := range rapid.IntRange(4, 12).Draw(t, "steps") {
			u.committed = false
			u.now = u.now.Add(time.Duration(rapid.IntRange(0, 12*24).Draw(t, "hours")) * time.Hour)
			if rapid.IntRange(0, 5).Draw(t, "step") == 0 {
				u.toggle()
				u.check()
				continue
			}
			imported := rapid.IntRange(0, 2).Draw(t, "imported") == 0
			late := 19 * 24
			if imported {
				late = 60 * 24
			}
			batch := make([]oracle.Record, rapid.IntRange(1, 6).Draw(t, "batch"))
			for k := range batch {
				batch[k] = drawRecord(t, s, i*10+k)
				batch[k].At = u.now.Add(-time.Duration(rapid.IntRange(0, late).Draw(t, "late")) * time.Hour).In(batch[k].At.Location())
				batch[k].Imported = imported
			}
			u.submit(batch)
			u.check()
		}
	})
}

// threeYears lets a user do something once or more a day for three years, but for days of rest, as ingest does: a log of 90 days, folded once a day. It returns the
// state's size at its greatest in the last year, and the state at the end.
func threeYears(t *testing.T, c *catalog.Catalog, rests func(day int) bool) (largest int, last *progress.State) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	p := progress.NewPlan(c)
	horizon, _ := c.SealHorizon()
	const day = calendar.Instant(24 * 60 * 60 * 1000)
	state, base := "", ""
	var log []activity.Activity
	parse := func(content string) *progress.State {
		s, err := progress.Parse(content)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	begin := calendar.Instant(instant("2023-11-22T00:00:00Z").UnixMilli())
	for n := range 3 * 365 {
		times := 1 + random.IntN(3)
		if rests(n) {
			times = 0
		}
		for range times {
			now := begin + calendar.Instant(n)*day + calendar.Instant(random.Int64N(int64(day)))
			act := activity.Activity{ID: activity.ID(fmt.Sprintf("%016x", random.Uint64())), User: "u", Name: "play", At: now, AtGiven: true, Received: now,
				Meta: fmt.Appendf(nil, `{"points":%d}`, 1+random.IntN(100))}
			s := parse(state)
			u := progress.Apply(p, s, []activity.Activity{act}, now)
			log = append(log, act)
			if u.Verdicts[0].Err != nil {
				t.Fatal(u.Verdicts[0].Err)
			}
			if u.NeedLog {
				t.Fatalf("day %d: an activity of today needs the log", n)
			}
			s.Scheduled = s.Due
			state = string(s.Append(nil))
			if n >= 2*365 {
				largest = max(largest, len(state))
			}
		}
		now := begin + calendar.Instant(n+1)*day
		seal := now - calendar.Instant(horizon.Milliseconds())
		old := parse(state)
		progress.Apply(p, old, nil, now) // what time alone does
		b, dropped := progress.Fold(p, old, parse(base), log, seal, now)
		base, log = string(b.Append(nil)), log[len(dropped):]
		sealed := *old
		sealed.Sealed = seal
		next, err := progress.Rebuild(p, &sealed, parse(base), log, now)
		if err != nil {
			t.Fatal(err)
		}
		if changes := progress.Diff(p, old, next, now, progress.History).Boards; len(changes) > 0 {
			t.Fatalf("day %d: folding changed %+v", n, changes)
		}
		next.Scheduled = next.Due
		state = string(next.Append(nil))
	}
	return largest, parse(state)
}

// TestState_IsSmallAfterThreeYears: each commit reads, writes and sends the state of its users.
func TestState_IsSmallAfterThreeYears(t *testing.T) {
	const source = `
orgs:
  - id: o
    timezone: UTC
    behaviours: [{name: play, meta: {points: integer}}]
    rules: [%s]
    streaks: [{id: daily, when: {name: play}, unit: day, target: 1, %s}]
`
	const whole = "at_risk: 4h, freezes: {initial: 0, earn_every: 30, max: 2}, milestones: [{at: 7}, {every: 30, once: run}]"
	never := func(int) bool { return false }
	// Three gaps that two freezes do not cover, and in the last weeks two days that they do.
	lapses := func(day int) bool {
		return day >= 100 && day < 110 || day >= 300 && day < 310 || day >= 600 && day < 610 || day == 1080 || day == 1084
	}
	for _, c := range []struct {
		name, rules, streak string
		rests               func(day int) bool
		used                int // freezes
		budget              int
	}{
		{"streak alone", "", "", never, 0, 300},
		{"streak with freezes and at_risk", "", whole, never, 0, 300},
		{"the same, lost three times, two freezes used", "", whole, lapses, 2, 300},
		{"streak and week, month, all", "{id: points, when: {name: play}, value: {sum: meta.points}, cycles: [week, month, all]}", "", never, 0, 500},
		{"streak and day, week, month, year, all", "{id: points, when: {name: play}, value: {sum: meta.points}, cycles: [day, week, month, year, all]}", "", never, 0, 1000},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := catalog.Parse(fmt.Appendf(nil, source, c.rules, c.streak))
			if err != nil {
				t.Fatal(err)
			}
			got, last := threeYears(t, all[0], c.rests)
			if got > c.budget {
				t.Errorf("the state takes %d bytes, its budget is %d", got, c.budget)
			} else {
				t.Logf("%d of %d bytes", got, c.budget)
			}
			v := last.Derive(progress.NewPlan(all[0]), 0, calendar.Instant(instant("2026-11-21T12:00:00Z").UnixMilli()))
			if gap := c.used > 0; v.Used != c.used || gap != (v.Lost.Length > 0) {
				t.Errorf("%d freezes used, %d lost before", v.Used, v.Lost.Length)
			}
		})
	}
}
