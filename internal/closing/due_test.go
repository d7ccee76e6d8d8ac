package closing

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
)

const dueDefinition = `
orgs:
  - id: o
    timezone: %s
    week_start: %s
    limits: {max_past: 1d, close_grace: %s, log_days: 90}
    rules:
      - {id: a, when: {}, value: count, cycles: [day, {every: 3d, from: 2026-01-01}, all]}
      - id: b
        when: {}
        value: count
        cycles:
          - week
          - month
          - list:
              id: l
              periods:
                - {id: l1, start: "%s", end: "%s"}
                - {id: l2, start: "%s", end: "%s"}
`

// TestDue_EqualsSteppingThroughTime: however often somebody looks, the periods come once each, in order, at the instants at which the labels of a clock that is
// stepped by quarters of an hour, grace later, come to an end.
func TestDue_EqualsSteppingThroughTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begin := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), 7, 0, 0, 0, time.UTC)
		end := begin.AddDate(0, 0, rapid.IntRange(1, 45).Draw(t, "days"))
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}).Draw(t, "zone")
		start := rapid.SampledFrom([]time.Weekday{time.Monday, time.Sunday}).Draw(t, "week start")
		grace := time.Duration(rapid.SampledFrom([]int{0, 1, 30}).Draw(t, "grace")) * time.Hour
		m, cycles, c := dueModel(t, begin, zone, start, grace)

		e := ends{}
		e.begin(c, calendar.InstantOf(begin))
		var got []string
		for now := begin; now.Before(end); {
			now = now.Add(time.Duration(rapid.IntRange(1, 4000).Draw(t, "minutes")) * time.Minute).Truncate(15 * time.Minute)
			if now.After(end) {
				now = end
			}
			for more := true; more; {
				var list []ending
				var next calendar.Instant
				list, next, more = e.due(c, calendar.InstantOf(now), rapid.IntRange(1, 5).Draw(t, "batch"), func(string) bool { return false })
				for _, p := range list {
					got = append(got, fmt.Sprint(p.at, " ", p.rule.ID, " ", p.period.Label))
					e.set(p.rule, p.cycle, p.period.End)
				}
				if !more && next <= calendar.InstantOf(now) {
					t.Fatalf("next is %v, now %v", next, now)
				}
			}
			if by := closedBy(c, calendar.InstantOf(now)); len(got) > 0 && got[len(got)-1][:24] > by.String() {
				t.Fatalf("%s closed, but closed by %v", got[len(got)-1], by)
			}
		}
		want := stepped(m, cycles, begin.Add(-grace), end.Add(-grace), grace)
		if !slices.IsSortedFunc(got, func(a, b string) int { return slices.Compare([]byte(a[:24]), []byte(b[:24])) }) {
			t.Fatalf("out of order: %v", got)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("closed (-model +due)\n%s", diff)
		}
	})
}

// dueModel makes a catalog, and the same for the oracle.
func dueModel(t *rapid.T, begin time.Time, zone string, start time.Weekday, grace time.Duration) (m *oracle.Model, cycles map[string][]oracle.Cycle, c *catalog.Catalog) {
	at := func(hours int) time.Time {
		return begin.Add(time.Duration(hours) * time.Hour).Truncate(15 * time.Minute)
	}
	windows := []oracle.Window{{ID: "l1", Start: at(-9), End: at(30)}, {ID: "l2", Start: at(30 + rapid.IntRange(0, 50).Draw(t, "gap")), End: at(100)}}
	text := func(t time.Time) string { return t.Format(time.RFC3339) }
	word := map[time.Weekday]string{time.Monday: "monday", time.Sunday: "sunday"}[start]
	all, err := catalog.Parse(fmt.Appendf(nil, dueDefinition, zone, word, fmt.Sprintf("%dh", int(grace.Hours())),
		text(windows[0].Start), text(windows[0].End), text(windows[1].Start), text(windows[1].End)))
	if err != nil {
		t.Fatal(err)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	cycles = map[string][]oracle.Cycle{
		"a": {{Unit: "day"}, {Unit: "days", N: 3, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"b": {{Unit: "week"}, {Unit: "month"}, {Unit: "listed", Windows: windows}},
	}
	return &oracle.Model{Org: oracle.Org{Zone: loc, WeekStart: start, CloseGrace: grace}}, cycles, all[0]
}

// stepped are the ends after from and up to to, sorted.
func stepped(m *oracle.Model, cycles map[string][]oracle.Cycle, from, to time.Time, grace time.Duration) (list []string) {
	const step = 15 * time.Minute
	for rule, all := range cycles {
		for _, cy := range all {
			was, there := m.Label(cy, from)
			for at := from.Add(step); !at.After(to); at = at.Add(step) {
				label, some := m.Label(cy, at)
				if there && (!some || label != was) {
					list = append(list, fmt.Sprint(calendar.InstantOf(at.Add(grace)), " ", rule, " ", was))
				}
				was, there = label, some
			}
		}
	}
	slices.Sort(list)
	return list
}
