package progress_test

import (
	"fmt"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
)

// TestApply_AllocatesLittle: what an activity of a known user costs between the bytes of a state and those of the next, with three boards and a streak.
func TestApply_AllocatesLittle(t *testing.T) {
	all, err := catalog.Parse([]byte(`
orgs:
  - id: o
    timezone: UTC
    behaviours: [{name: play, meta: {points: integer}}]
    rules: [{id: points, when: {name: play}, value: {sum: meta.points}, cycles: [week, month, all]}]
    streaks: [{id: daily, when: {name: play}, unit: day, target: 1}]
`))
	if err != nil {
		t.Fatal(err)
	}
	p := progress.NewPlan(all[0])
	now := calendar.Instant(instant("2026-11-22T12:00:00Z").UnixMilli())
	n := 0
	var state string
	into := make([]byte, 0, 1024)
	apply := func() {
		n++
		acts := []activity.Activity{{ID: activity.ID(fmt.Sprint("a", n)), User: "u", Name: "play", At: now + calendar.Instant(n), Received: now, Meta: []byte(`{"points":7}`)}}
		s, err := progress.Parse(state)
		if err != nil {
			t.Fatal(err)
		}
		u := progress.Apply(p, s, acts, now+calendar.Instant(n))
		if n > 1 && len(u.Boards) != 3 || u.Verdicts[0].Err != nil {
			t.Fatalf("%+v", u)
		}
		into = s.Append(into[:0])
		state = string(into)
	}
	const own, budget = 4, 4 + unpooled // own: the test's id, activity and state
	if got := testing.AllocsPerRun(200, apply); got > own+budget {
		t.Errorf("%v allocations an activity, the budget is %d", got-own, budget)
	} else {
		t.Logf("%v of %d", got-own, budget)
	}
}
