package catalog

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// one parses a source of one org.
func one(t testing.TB, source string) *Catalog {
	t.Helper()
	catalogs, err := Parse([]byte(source))
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return catalogs[0]
}

func date(t testing.TB, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func compareCatalogs() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreUnexported(Catalog{}, Selector{}, Earning{}),
		cmpopts.IgnoreFields(Catalog{}, "Source", "Hash"),
		cmpopts.IgnoreFields(Rule{}, "Print"),
		cmpopts.IgnoreFields(Wallet{}, "Print"),
		cmpopts.IgnoreFields(Achievement{}, "Print"),
		cmpopts.IgnoreFields(Streak{}, "Print", "Terms"),
		cmp.Comparer(func(a, b *time.Location) bool {
			return (a == nil) == (b == nil) && (a == nil || a.String() == b.String())
		}),
	}
}

func TestParse_DesignExample(t *testing.T) {
	everyDay := [7]bool{true, true, true, true, true, true, true}
	commits := Selector{Names: []string{"commit"}, Fold: Count}
	added := Selector{Names: []string{"commit"}, Fold: Sum}
	want := &Catalog{
		Org: "git", Number: 50711, Zone: time.UTC, WeekStart: time.Monday, AutoCreate: true, Leaderboards: true,
		Limits: Limits{MaxPast: 35 * day, MaxFuture: 5 * time.Minute, CloseGrace: 35 * day, LogDays: 90, Segments: 500},
		Behaviours: map[string]*Behaviour{"commit": {
			Name: "commit", CapPer: calendar.Cycle{Unit: calendar.Day}, CapCount: 1000,
			Meta: map[string]MetaType{"added": Integer, "deleted": Integer, "files": Integer, "language": String},
		}},
		Rules: []*Rule{
			{ID: "commits", Selector: commits, Cycles: []calendar.Cycle{
				{Unit: calendar.Day}, {Unit: calendar.Week}, {Unit: calendar.Month}, {Unit: calendar.Year}, {Unit: calendar.All},
			}},
			{ID: "lines", Selector: added, Ties: Standard, Keep: map[string]int{"week": 26}, Cycles: []calendar.Cycle{
				{Unit: calendar.Week}, {Unit: calendar.All}, {Unit: calendar.Days, N: 14, From: date(t, "1970-01-05")},
			}},
		},
		Streaks: []*Streak{
			{
				ID: "daily-commit", Conditions: []Condition{{Selector: commits, AtLeast: 1}},
				Unit: calendar.Cycle{Unit: calendar.Day}, ActiveDays: everyDay, ZoneMode: ZoneEvent,
			},
			{
				ID: "weekly-regular", Conditions: []Condition{{Selector: commits, AtLeast: 3}, {Selector: added, AtLeast: 500}},
				Unit: calendar.Cycle{Unit: calendar.Week}, ActiveDays: everyDay, ZoneMode: ZoneUser,
				DayStart: 4 * time.Hour, Grace: 6 * time.Hour, AtRisk: 4 * time.Hour, Restore: 3 * day,
				Freezes: Freezes{EarnEvery: 4, Max: 2}, Milestones: []Milestone{{At: 7}, {Every: 30, OncePerRun: true}},
			},
		},
	}
	got := one(t, example)
	if diff := cmp.Diff(want, got, compareCatalogs()); diff != "" {
		t.Errorf("catalog (-want +got):\n%s", diff)
	}
	if horizon, ok := got.SealHorizon(); !ok || horizon != 90*day {
		t.Errorf("SealHorizon = %v, %v", horizon, ok)
	}
	if c, ok := got.Rule("lines").Cycle("14d"); !ok || c.N != 14 {
		t.Errorf("Cycle(14d) = %v, %v", c, ok)
	}
	if got.Rule("none") != nil || got.Streak("lines") != nil || got.Streak("daily-commit") == nil {
		t.Error("Rule or Streak finds the wrong one")
	}
}

// TestParse_OtherForms reads what the design's example does not show.
func TestParse_OtherForms(t *testing.T) {
	c := one(t, `orgs:
  - id: club
    timezone: Europe/Paris
    week_start: sunday
    users: {auto_create: false}
    limits: {log_days: forever, max_past: 1d12h, close_grace: 0s}
    rules:
      - id: seasons
        when: {kind: point}
        value: {max: value}
        decimals: 2
        order: asc
        ties: dense
        keep: {season: 2, 2d: 1}
        cycles:
          - {every: 2d, from: 2026-01-05}
          - list:
              id: season
              periods:
                - {id: summer, start: 2026-06-01, end: "2026-09-01T00:00:00+02:00"}
                - {id: spring, start: 2026-03-01, end: 2026-06-01}
      - id: tags
        when: {name: [visit, share]}
        value: {unique: 'meta["the tag"]'}
        cycles: [quarter]
      - {id: everything, when: {}, cycles: [all]}
    streaks:
      - {id: a, when: {}, unit: day, active_days: [sat, sun], timezone: {user: Asia/Tokyo}, on_miss: {decay: 3}, target: 5, freezes: {initial: 2}}
      - {id: b, when: {}, unit: {every: 3d, from: 2026-02-01}, timezone: America/New_York, on_miss: none}
      - {id: c, unit: month, timezone: org, all: [{when: {kind: gift}, value: {max: value}, decimals: 1, at_least: 2.5}], restore_window: 120d}
`)
	paris := c.Calendar()
	start := func(s string) calendar.Instant { return paris.StartOf(date(t, s)) }
	rule := c.Rule("seasons")
	want := []calendar.Cycle{
		{Unit: calendar.Days, N: 2, From: date(t, "1970-01-01")},
		{Unit: calendar.Listed, ID: "season", Windows: []calendar.Window{
			{ID: "spring", Start: start("2026-03-01"), End: start("2026-06-01")},
			{ID: "summer", Start: start("2026-06-01"), End: start("2026-09-01")},
		}},
	}
	if diff := cmp.Diff(want, rule.Cycles); diff != "" {
		t.Errorf("cycles (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"season": 2, "2d@1970-01-01": 1}, rule.Keep); diff != "" {
		t.Errorf("keep (-want +got):\n%s", diff)
	}
	if !rule.Ascending || rule.Ties != Dense || rule.Decimals != 2 || rule.Fold != Max || rule.Kind != activity.Point || rule.AnyKind {
		t.Errorf("rule = %+v", rule)
	}
	if !c.Rule("everything").AnyKind || c.Rule("tags").AnyKind || len(c.Rule("tags").Names) != 2 {
		t.Error("AnyKind belongs to a when without kind and name")
	}
	a, b, m := c.Streak("a"), c.Streak("b"), c.Streak("c")
	if a.ActiveDays != [7]bool{time.Saturday: true, time.Sunday: true} || a.OnMiss != Decay || a.Decay != 3 || a.Conditions[0].AtLeast != 5 {
		t.Errorf("a = %+v", a)
	}
	if a.ZoneMode != ZoneUser || a.Zone.String() != "Asia/Tokyo" || a.Freezes != (Freezes{Initial: 2, Max: 2}) {
		t.Errorf("a = %+v", a)
	}
	if b.ZoneMode != ZoneNamed || b.Zone.String() != "America/New_York" || b.OnMiss != None || b.Unit.N != 3 {
		t.Errorf("b = %+v", b)
	}
	if m.ZoneMode != ZoneOrg || !m.All || m.Conditions[0].AtLeast != 25 {
		t.Errorf("c = %+v", m)
	}
	if c.AutoCreate || c.WeekStart != time.Sunday || c.Limits.MaxPast != 36*time.Hour || c.Limits.LogDays != Forever {
		t.Errorf("org = %+v", c)
	}
	if _, ok := c.SealHorizon(); ok {
		t.Error("log_days: forever has a horizon")
	}
}

func TestParse_HolidaysAndUserTarget(t *testing.T) {
	c := one(t, `orgs:
  - id: x
    streaks:
      - {id: day, when: {}, unit: day, holidays: [2027-01-01, 2026-12-25, 2026-12-26], target: 2, user_target: {max: 50}}
      - {id: week, when: {}, unit: week, holidays: [2026-12-25]}
      - {id: same, when: {}, unit: {every: 1d, from: 2026-01-01}, holidays: [2026-12-25], active_days: [mon], user_target: {max: 1}}
      - {id: most, when: {}, unit: day, holidays: [`+dates(1000)+`], grace: 12h, at_risk: 36h, freezes: {initial: 100, max: 100}}
`)
	want := []calendar.Date{date(t, "2026-12-25"), date(t, "2026-12-26"), date(t, "2027-01-01")}
	if s := c.Streak("day"); !slices.Equal(s.Holidays, want) || s.MaxTarget != 50 || s.Conditions[0].AtLeast != 2 {
		t.Errorf("day = %+v", s)
	}
	if s := c.Streak("week"); s.Holidays != nil || s.MaxTarget != 0 {
		t.Errorf("week = %+v", s)
	}
	if s := c.Streak("same"); s.Holidays != nil || s.ActiveDays != c.Streak("week").ActiveDays || s.MaxTarget != 1 {
		t.Errorf("periods of one day are not days: %+v", s)
	}
	if s := c.Streak("most"); len(s.Holidays) != 1000 || s.AtRisk != 36*time.Hour || s.Freezes != (Freezes{Initial: 100, Max: 100}) {
		t.Errorf("most = %+v", s)
	}
}

// What the lengths depend on is in Terms, and not in Print, which would have every user's marks folded again.
func TestTerms_ChangeWithWhatLengthsDependOn(t *testing.T) {
	base := "orgs: [{id: x, streaks: [{id: s, when: {}, unit: day}]}]"
	streak := func(more string) *Streak {
		return one(t, strings.Replace(base, "unit: day", "unit: day"+more, 1)).Streaks[0]
	}
	first := streak("")
	for _, more := range []string{", holidays: [2026-12-25]", ", user_target: {max: 2}", ", active_days: [mon]", ", freezes: {max: 1}", ", on_miss: none",
		", on_miss: {decay: 2}", ", restore_window: 1d", ", at_risk: 1h"} {
		if s := streak(more); s.Terms == first.Terms || s.Print != first.Print {
			t.Errorf("%s leaves the terms, or changes the print", more)
		}
	}
	if s := streak(", milestones: [{at: 3}], holidays: []"); s.Terms != first.Terms || s.Print != first.Print {
		t.Error("milestones or no holidays change the terms or the print")
	}
}

// What can be restored is not sealed: the longest of all restore windows is in the horizon, beside the org's own limits.
func TestCatalog_SealHorizon_LongestRestoreWindow(t *testing.T) {
	for source, want := range map[string]time.Duration{
		`orgs: [{id: x, streaks: [{id: s, when: {}, unit: day, restore_window: 200d}]}]`: 200 * day,
		`orgs: [{id: x, streaks: [{id: a, when: {}, unit: day, restore_window: 91d}, {id: s, when: {}, unit: week, restore_window: 120d12h},
			{id: z, when: {}, unit: day}]}]`: 120*day + 12*time.Hour,
		`orgs: [{id: x, limits: {log_days: 150}, streaks: [{id: s, when: {}, unit: day, restore_window: 120d}]}]`: 150 * day,
		`orgs: [{id: x, limits: {log_days: 1}, streaks: [{id: s, when: {}, unit: day, restore_window: 9d}]}]`:     35 * day,
	} {
		if horizon, ok := one(t, source).SealHorizon(); !ok || horizon != want {
			t.Errorf("SealHorizon of %s = %v, %v", source, horizon, ok)
		}
	}
}

func TestDefault_Parses(t *testing.T) {
	c := one(t, string(Default()))
	if c.Org != "git" || c.Rule("commits") == nil || c.Rule("lines").Ties != Standard || c.Streak("daily-commit").ZoneMode != ZoneEvent {
		t.Errorf("default = %+v", c)
	}
}

func TestParse_HashKnowsOnlyTheDefinition(t *testing.T) {
	flow := `{"orgs":[{"rules":[{"cycles":["day"],"when":{},"id":"r","decimals":0}],"id":"x"}]}`
	block := "# a comment\norgs:\n- id: \"x\"\n  rules:\n  - id: r\n    decimals: 0.0\n    when: {}\n    cycles:\n    - &d day\n"
	a, b := one(t, flow), one(t, block)
	if a.Hash != b.Hash || string(a.Source) != string(b.Source) || len(a.Hash) != 64 {
		t.Errorf("one definition has two hashes:\n%s\n%s", a.Source, b.Source)
	}
	if other := one(t, strings.Replace(flow, "day", "week", 1)); other.Hash == a.Hash {
		t.Error("two definitions have one hash")
	}
	again, err := ParseOrg(a.Source)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash != a.Hash || again.Rule("r").Print != a.Rule("r").Print {
		t.Error("Source does not round-trip")
	}
}

// TestParse_JSON has what YAML would refuse: tabs, and a character outside the first plane as two escapes.
func TestParse_JSON(t *testing.T) {
	c := one(t, "{\n\t\"orgs\": [\n\t\t{\"id\": \"x\",\n\t\t\"behaviours\": [{\"name\": \"\\ud83d\\ude00\"}]}]}")
	if c.Behaviours["😀"] == nil {
		t.Errorf("behaviours = %v", c.Behaviours)
	}
}

func TestPrint_ChangesWithWhatNumbersDependOn(t *testing.T) {
	base := "orgs: [{id: x, behaviours: [{name: a, meta: {n: integer}}, {name: b}], rules: [{id: r, when: {name: a, where: 'meta.n<5'}, value: {sum: meta.n}, cycles: [day], ties: dense}], streaks: [{id: s, when: {}, unit: day, timezone: user}]}]"
	rulePrint := func(old, new string) uint32 { return one(t, strings.Replace(base, old, new, 1)).Rules[0].Print }
	streakPrint := func(old, new string) uint64 {
		s := one(t, strings.Replace(base, old, new, 1)).Streaks[0]
		return uint64(s.Print)<<32 | uint64(s.Terms)
	}
	first, firstStreak := rulePrint("", ""), streakPrint("", "")
	for _, same := range [][2]string{{"meta.n<5", "(meta.n   <  5)"}, {"[day]", "[week]"}, {"dense", "standard"}, {"id: r", "id: q"}, {"{name: b}", "{name: c}"}} {
		if rulePrint(same[0], same[1]) != first {
			t.Errorf("%v changes the print", same)
		}
	}
	for _, other := range [][2]string{{"<5", "<6"}, {"sum", "max"}, {"n: integer", "n: number"}, {"name: a, where", "where"}, {"ties", "decimals: 1, ties"}} {
		if rulePrint(other[0], other[1]) == first {
			t.Errorf("%v leaves the print", other)
		}
	}
	for _, other := range [][2]string{{"timezone: user", "timezone: {user: UTC}"}, {"unit: day", "unit: week"}, {"unit: day", "unit: day, target: 2"}, {"unit: day", "unit: day, grace: 1h"}, {"unit: day", "unit: day, at_risk: 1h"}} {
		if streakPrint(other[0], other[1]) == firstStreak {
			t.Errorf("%v leaves the streak's print", other)
		}
	}
	if streakPrint("unit: day", "unit: day, milestones: [{at: 3}]") != firstStreak {
		t.Error("milestones change the streak's print")
	}
}
