package progress_test

import (
	"fmt"
	"strings"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
)

// earningOrg has three wallets, one of which expires, and n achievements, every fourth of which recurs daily.
func earningOrg(t testing.TB, n int) *progress.Plan {
	t.Helper()
	var b strings.Builder
	b.WriteString(`
orgs:
  - id: o
    timezone: UTC
    behaviours: [{name: play, meta: {points: integer}}]
    rules: [{id: points, when: {name: play}, value: {sum: meta.points}, cycles: [week, month, all]}]
    streaks: [{id: daily, when: {name: play}, unit: day, target: 1}]
`)
	if n > 0 {
		b.WriteString(`
    wallets: [{id: xp, categories: true}, {id: coins, decimals: 2, expires: {days: 30}}, {id: gems}]
    awards:
      - {id: play-xp, when: {name: play}, wallet: xp, points: 10, category: loyalty}
      - {id: play-coins, when: {name: play}, wallet: coins, points: "meta.points / 2.0"}
      - {id: play-gems, when: {name: play}, wallet: gems, points: 1}
    levels: [{id: tier, wallet: xp, steps: [{at: 100, name: A}, {at: 1000, name: B}, {at: 10000, name: C}]}]
    achievements:
`)
	}
	for i := range n {
		per := ""
		if i%4 == 3 {
			per = ", per: day"
		}
		fmt.Fprintf(&b, "      - {id: achievement-%d, when: {name: play}, at_least: %d%s, points: [{wallet: gems, points: 5}]}\n", i, 3+i*i*5, per)
	}
	all, err := catalog.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return progress.NewPlan(all[0])
}

// player applies an activity of a known user on each call, between the bytes of a state and those of the next.
func player(t testing.TB, p *progress.Plan, every calendar.Instant) (play func(), state *[]byte) {
	now := calendar.Instant(instant("2026-01-22T12:00:00Z").UnixMilli())
	n := 0
	into := make([]byte, 0, 1<<14)
	return func() {
		n++
		now += every
		acts := []activity.Activity{{ID: activity.ID(fmt.Sprint("a", n)), User: "u", Name: "play", At: now, Received: now, Meta: []byte(`{"points":7}`)}}
		s, err := progress.Parse(string(into))
		if err != nil {
			t.Fatal(err)
		}
		if u := progress.Apply(p, s, acts, now); u.NeedLog || u.Verdicts[0].Err != nil {
			t.Fatalf("%+v", u)
		}
		s.Scheduled = s.Due
		into = s.Append(into[:0])
	}, &into
}

// TestEarned_StateStaysSmall: a year of four activities a day, with three wallets and twenty achievements, five of which recur daily.
func TestEarned_StateStaysSmall(t *testing.T) {
	const sixHours = 6 * 3_600_000
	bare, bareState := player(t, earningOrg(t, 0), sixHours)
	full, fullState := player(t, earningOrg(t, 20), sixHours)
	month := 0
	for i := range 365 * 4 {
		bare()
		full()
		if i == 60*4 {
			month = len(*fullState) - len(*bareState)
		}
	}
	earned := len(*fullState) - len(*bareState)
	t.Logf("after a year %d bytes, of which %d are of what was earned; after two months %d", len(*fullState), earned, month)
	if earned > 1100 || earned > month+month/4 {
		t.Error("that is too much")
	}
}

func BenchmarkApply_Earnings(b *testing.B) {
	for _, n := range []int{0, 1, 5, 20} {
		b.Run(fmt.Sprint(n, " achievements"), func(b *testing.B) {
			play, _ := player(b, earningOrg(b, n), 600_000)
			for range 50 {
				play()
			}
			b.ReportAllocs()
			for b.Loop() {
				play()
			}
		})
	}
}
