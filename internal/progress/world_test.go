package progress_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/internal/progress"
)

// TestMain makes fewer random checks than usual, unless told otherwise: each of them compiles a catalog and folds everything after each step.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "60"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// definitions is the catalog of the property tests, and oracleRules and oracleStreaks are the same once more: all folds, filters, decimals, sums that
// may fall, all cycles, and streaks of all units, zones and ways to join conditions.
const definitions = `
orgs:
  - id: o
    timezone: %s
    week_start: %s
    limits: {max_past: 20d, close_grace: 3d, log_days: 20}
    rules:
      - id: count
        when: {name: a}
        value: count
        cycles: [day, week, month, quarter, year, all, {every: 14d, from: 2026-01-05}, {list: {id: seasons, periods: [
          {id: autumn, start: "2011-12-29T12:00:00Z", end: "2012-01-02T00:00:00Z"},
          {id: spring, start: "2026-03-07T00:00:00Z", end: "2026-03-29T01:30:00Z"},
          {id: summer, start: "2026-04-02T00:00:00Z", end: "2026-11-01T05:00:00Z"}]}}]
      - id: sum
        when: {}
        value: {sum: value}
        decimals: 2
        cycles: [day, week, all]
      - id: falling
        when: {name: [a, b], where: "meta.n < 5"}
        value: {sum: meta.n}
        order: asc
        ties: dense
        cycles: [day, {every: 3d, from: 2026-03-01}, all]
      - {id: best, when: {name: a}, value: {max: meta.n}, cycles: [week, all]}
      - {id: least, when: {name: a}, value: {min: meta.n}, order: asc, cycles: [month, all]}
      - {id: latest, when: {}, value: {last: "meta.n * 2"}, cycles: [day, all]}
      - {id: tags, when: {}, value: {unique: meta.tag}, cycles: [day, all]}
      - {id: lands, when: {name: [a, b]}, value: {sum: meta.n}, order: asc, cycles: [day, month, all], segment_by: user.land}
      - {id: teams, when: {}, value: {unique: meta.tag}, cycles: [week, all], segment_by: user.team}
      - {id: land-count, when: {name: a}, value: count, cycles: [{every: 3d, from: 2026-03-01}], segment_by: user.land}
    streaks:
      - {id: event-day, when: {name: a}, unit: day, timezone: event}
      - {id: event-week, when: {}, unit: week, timezone: event, target: 3, day_start: 3h}
      - {id: user-day, when: {}, unit: day, active_days: [mon, tue, wed, thu, fri], at_risk: 5h}
      - {id: user-1d, when: {name: b}, unit: {every: 1d, from: 2026-01-05}}
      - id: user-week
        all:
          - {when: {name: a}, value: count, at_least: 2}
          - {when: {}, value: {sum: meta.n}, at_least: 3}
        unit: week
        timezone: {user: Asia/Kolkata}
      - {id: apia, when: {name: [a, b]}, unit: day, timezone: Pacific/Apia}
      - {id: apia-4h, when: {name: [a, b]}, unit: day, timezone: Pacific/Apia, day_start: 4h}
      - id: org-month
        any:
          - {when: {}, value: {unique: meta.tag}, at_least: 2}
          - {when: {name: b}, value: {sum: value}, decimals: 1, at_least: 2.5}
          - {when: {name: c}, value: {max: meta.n}, at_least: 4}
        unit: month
        timezone: org
      - id: org-3d
        any:
          - {when: {name: a}, value: count, at_least: 4}
          - {when: {name: b}, value: {sum: meta.n}, at_least: 4}
        unit: {every: 3d, from: 2026-03-01}
        timezone: org
        at_risk: 30h
      - id: sums
        all:
          - {when: {}, value: {sum: meta.n}, at_least: -2}
          - {when: {}, value: {max: value}, at_least: 1}
        unit: day
        timezone: org
` + groupDefinitions + earningDefinitions

func named(names ...string) func(*oracle.Record) bool {
	return func(r *oracle.Record) bool { return slices.Contains(names, r.Name) }
}

func n(r *oracle.Record) (float64, bool) { f, ok := r.Meta["n"].(float64); return f, ok }

func value(r *oracle.Record) (float64, bool) { return r.Value, r.HasValue }

func tag(r *oracle.Record) (string, bool) {
	v, ok := r.Meta["tag"]
	return fmt.Sprintf("%T %v", v, v), ok && v != nil
}

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func cyclesOf(units ...string) []oracle.Cycle {
	var cs []oracle.Cycle
	for _, u := range units {
		cs = append(cs, oracle.Cycle{Unit: u})
	}
	return cs
}

func every(days int, from string) oracle.Cycle {
	return oracle.Cycle{Unit: "days", N: days, From: date(from)}
}

func oracleRules() []oracle.Rule {
	seasons := oracle.Cycle{Unit: "listed", Windows: []oracle.Window{
		{ID: "autumn", Start: instant("2011-12-29T12:00:00Z"), End: instant("2012-01-02T00:00:00Z")},
		{ID: "spring", Start: instant("2026-03-07T00:00:00Z"), End: instant("2026-03-29T01:30:00Z")},
		{ID: "summer", Start: instant("2026-04-02T00:00:00Z"), End: instant("2026-11-01T05:00:00Z")},
	}}
	few := func(r *oracle.Record) bool { f, ok := n(r); return ok && f < 5 && named("a", "b")(r) }
	double := func(r *oracle.Record) (float64, bool) { f, ok := n(r); return f * 2, ok }
	return []oracle.Rule{
		{ID: "count", Selector: oracle.Selector{Match: named("a"), Fold: "count"},
			Cycles: append(cyclesOf("day", "week", "month", "quarter", "year", "all"), every(14, "2026-01-05"), seasons)},
		{ID: "sum", Selector: oracle.Selector{Fold: "sum", Number: value, Decimals: 2}, Cycles: cyclesOf("day", "week", "all")},
		{ID: "falling", Selector: oracle.Selector{Match: few, Fold: "sum", Number: n}, Ascending: true,
			Cycles: append(cyclesOf("day", "all"), every(3, "2026-03-01"))},
		{ID: "best", Selector: oracle.Selector{Match: named("a"), Fold: "max", Number: n}, Cycles: cyclesOf("week", "all")},
		{ID: "least", Selector: oracle.Selector{Match: named("a"), Fold: "min", Number: n}, Ascending: true, Cycles: cyclesOf("month", "all")},
		{ID: "latest", Selector: oracle.Selector{Fold: "last", Number: double}, Cycles: cyclesOf("day", "all")},
		{ID: "tags", Selector: oracle.Selector{Fold: "unique", Text: tag}, Cycles: cyclesOf("day", "all")},
		{ID: "lands", Selector: oracle.Selector{Match: named("a", "b"), Fold: "sum", Number: n}, Ascending: true, Cycles: cyclesOf("day", "month", "all")},
		{ID: "teams", Selector: oracle.Selector{Fold: "unique", Text: tag}, Cycles: cyclesOf("week", "all")},
		{ID: "land-count", Selector: oracle.Selector{Match: named("a"), Fold: "count"}, Cycles: []oracle.Cycle{every(3, "2026-03-01")}},
	}
}

// segmentedBy are the rules that are segmented, and by what.
var segmentedBy = map[string]string{"lands": "land", "teams": "team", "land-count": "land"}

// segments are the values that attributes have.
var segments = []string{"AT", "DE", "x.y-z_9"}

// withSegments are rules and the boards of their segments.
func withSegments(rules []oracle.Rule) []oracle.Rule {
	all := slices.Clone(rules)
	for _, r := range rules {
		if by := segmentedBy[r.ID]; by != "" {
			for _, s := range segments {
				all = append(all, r.Segment(by, s))
			}
		}
	}
	return all
}

func oracleStreaks(t interface{ Fatal(...any) }) []oracle.Streak {
	zone := func(name string) *time.Location {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	count := func(least int64, names ...string) oracle.Condition {
		c := oracle.Condition{Selector: oracle.Selector{Fold: "count"}, AtLeast: least}
		if len(names) > 0 {
			c.Match = named(names...)
		}
		return c
	}
	numbers := func(fold string, of func(*oracle.Record) (float64, bool), least int64, names ...string) oracle.Condition {
		c := count(least, names...)
		c.Fold, c.Number = fold, of
		return c
	}
	tenths := numbers("sum", value, 25, "b")
	tenths.Decimals = 1
	tags := count(2)
	tags.Fold, tags.Text = "unique", tag
	week := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	unit := func(u string) oracle.Cycle { return oracle.Cycle{Unit: u} }
	return []oracle.Streak{
		{ID: "event-day", Conditions: []oracle.Condition{count(1, "a")}, Unit: unit("day"), Mode: "event"},
		{ID: "event-week", Conditions: []oracle.Condition{count(3)}, Unit: unit("week"), Mode: "event", DayStart: 3 * time.Hour},
		{ID: "user-day", Conditions: []oracle.Condition{count(1)}, Unit: unit("day"), Mode: "user", ActiveDays: week, AtRisk: 5 * time.Hour},
		{ID: "user-1d", Conditions: []oracle.Condition{count(1, "b")}, Unit: every(1, "2026-01-05"), Mode: "user"},
		{ID: "user-week", All: true, Conditions: []oracle.Condition{count(2, "a"), numbers("sum", n, 3)}, Unit: unit("week"),
			Mode: "user", Zone: zone("Asia/Kolkata")},
		{ID: "apia", Conditions: []oracle.Condition{count(1, "a", "b")}, Unit: unit("day"), Mode: "named", Zone: zone("Pacific/Apia")},
		{ID: "apia-4h", Conditions: []oracle.Condition{count(1, "a", "b")}, Unit: unit("day"), Mode: "named", Zone: zone("Pacific/Apia"), DayStart: 4 * time.Hour},
		{ID: "org-month", Conditions: []oracle.Condition{tags, tenths, numbers("max", n, 4, "c")}, Unit: unit("month"), Mode: "org"},
		{ID: "org-3d", Conditions: []oracle.Condition{count(4, "a"), numbers("sum", n, 4, "b")}, Unit: every(3, "2026-03-01"), Mode: "org", AtRisk: 30 * time.Hour},
		{ID: "sums", All: true, Conditions: []oracle.Condition{numbers("sum", n, -2), numbers("max", value, 1)}, Unit: unit("day"), Mode: "org"},
	}
}

// scene is a stretch of time in which a calendar does something that goes wrong easily.
type scene struct {
	name        string
	begin       time.Time
	days        int
	orgs, users []string // zones
	offsets     []int    // minutes east
}

func scenes() []scene {
	return []scene{
		{"spring forward", instant("2026-03-05T00:00:00Z"), 28, []string{"UTC", "America/New_York", "Europe/Berlin"}, []string{"America/New_York", "Europe/London", "Asia/Tokyo"}, []int{0, -240, -300, 60, 120}},
		{"fall back", instant("2026-10-20T00:00:00Z"), 20, []string{"America/Havana", "Europe/Berlin"}, []string{"America/Havana", "Pacific/Auckland"}, []int{0, -240, -300, 780}},
		{"skipped date", instant("2011-12-26T00:00:00Z"), 9, []string{"Pacific/Apia", "UTC"}, []string{"Pacific/Apia", "Pacific/Honolulu", "Pacific/Kiritimati"}, []int{-600, 840, 0}},
		{"new year", instant("2020-12-27T00:00:00Z"), 12, []string{"Asia/Kolkata", "UTC"}, []string{"Pacific/Pago_Pago", "Pacific/Kiritimati", "UTC"}, []int{330, -660, 840}},
	}
}

// compile makes the catalog of the property tests for an org.
func compile(t interface{ Fatal(...any) }, zone string, weekStart time.Weekday) (*catalog.Catalog, oracle.Org) {
	source := fmt.Sprintf(definitions, zone, strings.ToLower(weekStart.String()))
	all, err := catalog.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return all[0], oracle.Org{Zone: loc, WeekStart: weekStart, CloseGrace: 3 * 24 * time.Hour}
}

// drawRecord makes an activity. Few different instants, values and ids make ties and repetitions common.
func drawRecord(t *rapid.T, s *scene, i int) oracle.Record {
	const slot = 90 * time.Minute
	at := s.begin.Add(time.Duration(rapid.IntRange(0, s.days*16-1).Draw(t, "slot")) * slot)
	if rapid.IntRange(0, 3).Draw(t, "odd") == 0 {
		at = at.Add(-time.Millisecond)
	}
	offset := rapid.SampledFrom(s.offsets).Draw(t, "offset")
	r := oracle.Record{
		ID:   fmt.Sprintf("%c%d", 'a'+rune(rapid.IntRange(0, 25).Draw(t, "letter")), i),
		User: "u", Name: rapid.SampledFrom([]string{"a", "a", "b", "c"}).Draw(t, "name"),
		At:   at.In(time.FixedZone("", offset*60)),
		Meta: map[string]any{},
	}
	if r.HasValue = rapid.Bool().Draw(t, "has value"); r.HasValue {
		r.Value = rapid.SampledFrom([]float64{0, 1, 2.5, -1.005, 1.005, -3}).Draw(t, "value")
	}
	switch k := rapid.IntRange(-4, 7).Draw(t, "n"); k {
	case 7:
		r.Meta["n"] = "seven"
	case 6:
	default:
		r.Meta["n"] = float64(k)
	}
	if k := rapid.IntRange(0, 5).Draw(t, "tag"); k > 0 {
		r.Meta["tag"] = []any{nil, "x", "y", "1", 1.0, true}[k]
	}
	r.Attributes = map[string]string{}
	for _, name := range []string{"land", "team"} {
		if k := rapid.IntRange(0, len(segments)).Draw(t, name); k > 0 {
			r.Attributes[name] = segments[k-1]
		}
	}
	return r
}

func activityOf(r *oracle.Record) activity.Activity {
	_, seconds := r.At.Zone()
	a := activity.Activity{
		ID: activity.ID(r.ID), User: activity.User(r.User), Name: r.Name, Value: r.Value, HasValue: r.HasValue,
		At: calendar.Instant(r.At.UnixMilli()), Offset: int16(seconds / 60), AtGiven: true,
		Received: calendar.Instant(r.Received.UnixMilli()), Imported: r.Imported,
	}
	kindOf(r, &a)
	if len(r.Meta) > 0 {
		a.Meta, _ = json.Marshal(r.Meta) // of strings, numbers and booleans with keys in order
	}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		a.Attributes = append(a.Attributes, activity.Attribute{Name: name, Value: r.Attributes[name]})
	}
	if r.Rejected {
		a.Status = activity.Rejected
	}
	return a
}

func standingOf(v int64, reached time.Time) progress.Standing {
	return progress.Standing{Some: true, Value: v, Reached: calendar.Instant(reached.UnixMilli())}
}

func TestCatalog_MatchesTheModel(t *testing.T) {
	c, _ := compile(t, "UTC", time.Monday)
	rules, streaks := oracleRules(), oracleStreaks(t)
	if len(rules) != len(c.Rules) || len(streaks) != len(c.Streaks) {
		t.Fatalf("the model has %d rules and %d streaks, the catalog %d and %d", len(rules), len(streaks), len(c.Rules), len(c.Streaks))
	}
	for i, r := range rules {
		if c.Rules[i].ID != r.ID || len(c.Rules[i].Cycles) != len(r.Cycles) || c.Rules[i].Decimals != r.Decimals || c.Rules[i].Ascending != r.Ascending ||
			c.Rules[i].SegmentBy != segmentedBy[r.ID] {
			t.Errorf("rule %s differs from the model's", r.ID)
		}
	}
	for i, s := range streaks {
		if c.Streaks[i].ID != s.ID || len(c.Streaks[i].Conditions) != len(s.Conditions) {
			t.Errorf("streak %s differs from the model's", s.ID)
		}
	}
}
