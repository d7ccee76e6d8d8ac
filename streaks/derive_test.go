package streaks_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/internal/testenv"
	"laurel/streaks"
)

const definitions = `
orgs:
  - id: o
    timezone: Pacific/Apia
    week_start: sunday
    streaks:
      - {id: event, when: {}, unit: day, timezone: event, day_start: 5h, at_risk: 6h}
      - {id: user, when: {}, unit: day, at_risk: 9h}
      - {id: weekdays, when: {}, unit: day, active_days: [thu, fri, mon]}
      - {id: fridays, when: {}, unit: day, active_days: [fri], timezone: org}
      - {id: late, when: {}, unit: day, timezone: org, day_start: 23h}
      - {id: single, when: {}, unit: {every: 1d, from: 2012-01-01}}
      - {id: pairs, when: {}, unit: {every: 2d, from: 2011-12-29}, timezone: org, target: 2}
      - {id: weeks, when: {}, unit: week}
      - {id: months, when: {}, unit: month, timezone: Europe/Berlin, target: 3}
`

func modelStreaks(t interface{ Fatal(...any) }) []oracle.Streak {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	count := func(n int64) []oracle.Condition {
		return []oracle.Condition{{Selector: oracle.Selector{Fold: "count"}, AtLeast: n}}
	}
	day := oracle.Cycle{Unit: "day"}
	from := func(n int, y int, m time.Month, d int) oracle.Cycle {
		return oracle.Cycle{Unit: "days", N: n, From: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
	}
	return []oracle.Streak{
		{ID: "event", Conditions: count(1), Unit: day, Mode: "event", DayStart: 5 * time.Hour, AtRisk: 6 * time.Hour},
		{ID: "user", Conditions: count(1), Unit: day, Mode: "user", AtRisk: 9 * time.Hour},
		{ID: "weekdays", Conditions: count(1), Unit: day, Mode: "user", ActiveDays: []time.Weekday{time.Monday, time.Thursday, time.Friday}},
		{ID: "fridays", Conditions: count(1), Unit: day, Mode: "org", ActiveDays: []time.Weekday{time.Friday}},
		{ID: "late", Conditions: count(1), Unit: day, Mode: "org", DayStart: 23 * time.Hour},
		{ID: "single", Conditions: count(1), Unit: from(1, 2012, 1, 1), Mode: "user"},
		{ID: "pairs", Conditions: count(2), Unit: from(2, 2011, 12, 29), Mode: "org"},
		{ID: "weeks", Conditions: count(1), Unit: oracle.Cycle{Unit: "week"}, Mode: "user"},
		{ID: "months", Conditions: count(3), Unit: oracle.Cycle{Unit: "month"}, Mode: "named", Zone: berlin},
	}
}

// life is a user: activities, and changes of zone.
type life struct {
	model   *oracle.Model
	changes []streaks.ZoneChange
	begin   time.Time
	days    int
}

func drawLife(t *rapid.T, org *time.Location) *life {
	l := &life{model: &oracle.Model{Org: oracle.Org{Zone: org, WeekStart: time.Sunday}, Zones: map[string][]oracle.ZoneChange{}},
		begin: time.Date(2011, 12, 22, 10, 0, 0, 0, time.UTC), days: 16} // Apia skipped 2011-12-30
	moment := func(name string) time.Time {
		return l.begin.Add(time.Duration(rapid.IntRange(0, l.days*8).Draw(t, name)) * 3 * time.Hour)
	}
	for i := range rapid.IntRange(0, 25).Draw(t, "activities") {
		zone := time.FixedZone("", 3600*rapid.SampledFrom([]int{-10, 0, 1, 14}).Draw(t, "offset"))
		l.model.Records = append(l.model.Records, oracle.Record{ID: fmt.Sprintf("%02d", i), User: "u", At: moment("at").In(zone)})
	}
	var at []time.Time
	for range rapid.IntRange(0, 3).Draw(t, "changes") {
		at = append(at, moment("change"))
	}
	slices.SortFunc(at, time.Time.Compare)
	for _, at := range at {
		// Over the date line and back: a local date may be no longer than an instant, or three days.
		zone, err := time.LoadLocation(rapid.SampledFrom([]string{"Pacific/Pago_Pago", "Pacific/Honolulu", "Pacific/Kiritimati", "Pacific/Apia", "Europe/Berlin"}).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		l.model.Zones["u"] = append(l.model.Zones["u"], oracle.ZoneChange{At: at, Zone: zone})
		l.changes = append(l.changes, streaks.ZoneChange{At: calendar.InstantOf(at), Zone: zone})
	}
	return l
}

// marks are the life's activities as the calculus takes them, for a rule with one condition that counts.
func (l *life) marks(z *streaks.Zoning, target int64) (marks []streaks.Mark, latest streaks.Latest) {
	records := slices.Clone(l.model.Records)
	slices.SortFunc(records, func(a, b oracle.Record) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	for _, r := range records {
		_, seconds := r.At.Zone()
		at := calendar.InstantOf(r.At)
		o := z.Stamp(at, int16(seconds/60))
		i, found := slices.BinarySearchFunc(marks, o, func(m streaks.Mark, o calendar.Ordinal) int { return cmp.Compare(m.Ordinal, o) })
		if !found {
			marks = slices.Insert(marks, i, streaks.Mark{Ordinal: o, Values: []int64{0}})
		}
		if marks[i].Values[0]++; marks[i].Values[0] == target {
			marks[i].Met, marks[i].MetAt = true, at
		}
		latest = streaks.Latest{Some: true, Offset: int16(seconds / 60), Period: marks[len(marks)-1].Ordinal}
	}
	return marks, latest
}

// instants are when a streak is looked at: anywhere, at activities, and about the ends of periods.
func (l *life) instants(t *rapid.T, z *streaks.Zoning, open calendar.Ordinal, latest streaks.Latest) []calendar.Instant {
	at := []calendar.Instant{calendar.InstantOf(l.begin.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)*int64(l.days+40)).Draw(t, "now"))))}
	for _, r := range l.model.Records {
		at = append(at, calendar.InstantOf(r.At))
	}
	for o := open - 2; o <= open+2; o++ {
		end := z.End(o, latest.Offset)
		at = append(at, end-1, end, end+1)
	}
	return at
}

func TestDerive_EqualsTheModel(t *testing.T) {
	all, err := catalog.Parse([]byte(definitions))
	if err != nil {
		t.Fatal(err)
	}
	org := all[0].Calendar()
	rapid.Check(t, func(t *rapid.T) {
		l := drawLife(t, org.Zone)
		model := modelStreaks(t)
		i := rapid.IntRange(0, len(model)-1).Draw(t, "rule")
		rule := all[0].Streaks[i]
		c := &streaks.Calculus{Rule: rule, Zoning: streaks.NewZoning(rule, org, l.changes)}
		marks, latest := l.marks(c.Zoning, rule.Conditions[0].AtLeast)
		someday := calendar.InstantOf(l.begin.Add(time.Duration(rapid.IntRange(0, l.days).Draw(t, "day")) * 24 * time.Hour))
		for _, now := range l.instants(t, c.Zoning, c.Open(marks, latest, someday), latest) {
			v := c.Derive(streaks.Sum{}, marks, latest, now)
			want := l.model.Streak(&model[i], "u", now.Time())
			if diff := gocmp.Diff(want, testenv.StreakView(c, &v), gocmp.Comparer(time.Time.Equal)); diff != "" {
				for _, z := range l.model.Zones["u"] {
					t.Log(z.At, z.Zone)
				}
				for _, r := range l.model.Records {
					t.Log(r)
				}
				t.Fatalf("%s at %v (-model +view)\n%s", rule.ID, now, diff)
			}
			checkSealing(t, c, marks, latest, now)
		}
	})
}

// checkSealing: what is summed up of the past counts as the past itself.
func checkSealing(t *rapid.T, c *streaks.Calculus, marks []streaks.Mark, latest streaks.Latest, now calendar.Instant) {
	open := c.Open(marks, latest, now)
	cut := 0
	for cut < len(marks) && marks[cut].Ordinal < open {
		cut++
	}
	if cut == 0 {
		return
	}
	cut = rapid.IntRange(1, cut).Draw(t, "cut")
	sealed := c.Add(streaks.Sum{}, marks[:cut], latest)
	if diff := gocmp.Diff(c.At(streaks.Sum{}, marks, latest, now), c.At(sealed, marks[cut:], latest, now), cmpopts.IgnoreUnexported(streaks.Moment{}, streaks.Sum{})); diff != "" {
		t.Fatalf("with %d of %d marks summed up (-whole +sealed)\n%s", cut, len(marks), diff)
	}
}
