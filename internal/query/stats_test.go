package query

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

const statDefinitions = `
orgs:
  - id: o
    limits: {max_past: 60d, close_grace: 60d, log_days: %d}
    rules:
      - {id: scores, when: {name: score}, value: count, cycles: [day, week, all]}
    wallets: [{id: xp}]
    awards: [{id: score-xp, when: {name: score}, wallet: xp, points: 10}]
    levels: [{id: tier, wallet: xp, steps: [{at: 100, name: A}, {at: 200, name: B}, {at: 300, name: C}, {at: 400, name: D}]}]
    achievements:
      - {id: daily, when: {name: score}, at_least: 2, per: day}
      - {id: some, when: {name: score}, at_least: 15}
    missions: [{id: first, needs: [{achievement: some}]}]
    kpis: [{id: k, rule: scores, targets: {week: 3}}]
    target_groups: [{id: players, cycle: week, rules: [scores]}]
`

// countedUser is what the test reads of a user.
type countedUser struct {
	Stats  map[string]map[string]int
	Groups []struct {
		Group string    `json:"target_group"`
		Since time.Time `json:"since"`
	} `json:"target_groups"`
}

func (g *rig) counted(month bool) (u countedUser) {
	g.t.Helper()
	read := g.User
	if month {
		read = g.UserWithMonth
	}
	b, err := read(g.t.Context(), org, "ann")
	must(g.t, err)
	must(g.t, json.Unmarshal(b, &u))
	return u
}

// TestUser_Stats compares what is counted of a user with a count of what was sent.
func TestUser_Stats(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	g := newRig(t)
	g.publish(fmt.Sprintf(statDefinitions, 120))
	zone := time.UTC
	now, err := time.Parse(time.RFC3339, noon)
	must(t, err)
	since := now.In(zone).AddDate(0, -1, 0)
	days, weeks, total, recent := map[string][2]int{}, map[string]int{}, 0, 0
	first := now
	for i := range 40 {
		at := now.Add(-time.Duration(r.IntN(58*24)) * time.Hour)
		g.send("ann 1 " + at.Format(time.RFC3339))
		if r.IntN(4) == 0 {
			_, err := g.ingest.Reject(t.Context(), org, "ann", activity.ID(fmt.Sprint("a", i+1)), "")
			must(t, err)
			continue
		}
		total++
		day := days[at.In(zone).Format(time.DateOnly)]
		if day[0]++; !at.After(since) {
			day[1]++
		} else {
			recent++
		}
		days[at.In(zone).Format(time.DateOnly)] = day
		y, w := at.In(zone).ISOWeek()
		weeks[fmt.Sprintf("%d-%02d", y, w)]++
		if at.Before(first) {
			first = at
		}
	}
	daily, dailyThen := 0, 0
	for _, n := range days {
		if n[0] >= 2 {
			daily++
		}
		if n[1] >= 2 {
			dailyThen++
		}
	}
	one := func(is bool) int { return map[bool]int{true: 1}[is] }
	then := total - recent
	kpis := 0
	for monday := now.In(zone).AddDate(0, 0, -5); monday.AddDate(0, 0, 7).After(since); monday = monday.AddDate(0, 0, -7) {
		y, w := monday.ISOWeek()
		kpis += one(weeks[fmt.Sprintf("%d-%02d", y, w)] >= 3)
	}
	y, w := now.In(zone).ISOWeek()
	count := func(total, month int) map[string]int { return map[string]int{"total": total, "last_month": month} }
	some, someThen := one(total >= 15), one(then >= 15)
	want := map[string]map[string]int{
		"activities":   count(total, recent),
		"achievements": count(daily+some, daily+some-dailyThen-someThen),
		"levels":       count(min(total/10, 4), min(total/10, 4)-min(then/10, 4)),
		"missions":     count(some, some-someThen),
		"kpis":         count(one(weeks[fmt.Sprintf("%d-%02d", y, w)] >= 3), kpis),
	}
	got := g.counted(true)
	if diff := gocmp.Diff(want, got.Stats); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, s := range want {
		delete(s, "last_month")
	}
	if diff := gocmp.Diff(want, g.counted(false).Stats); diff != "" {
		t.Errorf("totals alone (-want +got)\n%s", diff)
	}
	if len(got.Groups) != 1 || got.Groups[0].Group != "players" || !got.Groups[0].Since.Equal(first) {
		t.Errorf("groups %v, since %v", got.Groups, first)
	}
}

func TestMonthBefore(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	cal := &calendar.Calendar{Zone: zone}
	for now, want := range map[string]string{
		"2026-11-22T12:00:00+01:00": "2026-10-22T12:00:00+02:00", "2026-03-31T08:00:00+02:00": "2026-02-28T08:00:00+01:00", "2026-01-01T00:30:00+01:00": "2025-12-01T00:30:00+01:00",
		"2024-03-30T08:00:00+01:00": "2024-02-29T08:00:00+01:00", "2026-04-29T02:30:00+02:00": "2026-03-29T03:30:00+02:00",
	} {
		if got := MonthBefore(instant(t, now), cal); got != instant(t, want) {
			t.Errorf("%s: %v, want %s", now, got, want)
		}
	}
}
