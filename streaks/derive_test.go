package streaks_test

import (
	"cmp"
	"fmt"
	"math"
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

// vary gives a rule and its model the same random terms.
func vary(t *rapid.T, rule *catalog.Streak, model *oracle.Streak) {
	if rapid.Bool().Draw(t, "freezes") {
		rule.Freezes = catalog.Freezes{Max: rapid.IntRange(1, 3).Draw(t, "max"), EarnEvery: rapid.IntRange(0, 3).Draw(t, "earn every")}
		rule.Freezes.Initial = rapid.IntRange(0, rule.Freezes.Max).Draw(t, "initial")
		model.Freezes = oracle.Freezes(rule.Freezes)
	}
	switch rapid.IntRange(0, 3).Draw(t, "on miss") {
	case 2:
		rule.OnMiss, model.OnMiss = catalog.None, "none"
	case 3:
		rule.OnMiss, rule.Decay = catalog.Decay, rapid.IntRange(1, 3).Draw(t, "decay")
		model.OnMiss, model.Decay = "decay", rule.Decay
	}
	if rapid.Bool().Draw(t, "gracious") {
		rule.Grace = time.Duration(rapid.SampledFrom([]int{1, 6, 20}).Draw(t, "grace")) * time.Hour
		model.Grace = rule.Grace
	}
	if rule.Unit.Unit == calendar.Day {
		for range rapid.IntRange(0, 2).Draw(t, "holidays") {
			day := time.Date(2011, 12, rapid.IntRange(22, 38).Draw(t, "holiday"), 0, 0, 0, 0, time.UTC)
			rule.Holidays = append(rule.Holidays, calendar.DateOf(day.Date()))
			model.Holidays = append(model.Holidays, day)
		}
		slices.Sort(rule.Holidays)
	}
	if rapid.Bool().Draw(t, "own targets") {
		rule.MaxTarget = rule.Conditions[0].AtLeast + 2
		model.MaxTarget = rule.MaxTarget
	}
}

// life is a user: activities, changes of zone, and commands.
type life struct {
	model   *oracle.Model
	changes []streaks.ZoneChange
	begin   time.Time
	days    int
	calc    *streaks.Calculus
}

func drawLife(t *rapid.T, org *time.Location) *life {
	l := &life{model: &oracle.Model{Org: oracle.Org{Zone: org, WeekStart: time.Sunday}, Zones: map[string][]oracle.ZoneChange{}, Pauses: map[string][]oracle.Pause{}},
		begin: time.Date(2011, 12, 22, 10, 0, 0, 0, time.UTC), days: 16} // Apia skipped 2011-12-30
	for i := range rapid.IntRange(0, 25).Draw(t, "activities") {
		zone := time.FixedZone("", 3600*rapid.SampledFrom([]int{-10, 0, 1, 14}).Draw(t, "offset"))
		l.model.Records = append(l.model.Records, oracle.Record{ID: fmt.Sprintf("%02d", i), User: "u", At: l.moment(t, "at").In(zone)})
	}
	for _, at := range l.moments(t, "change", 3) {
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

func (l *life) moment(t *rapid.T, name string) time.Time {
	return l.begin.Add(time.Duration(rapid.IntRange(0, l.days*8).Draw(t, name)) * 3 * time.Hour)
}

// moments are up to n instants in order.
func (l *life) moments(t *rapid.T, name string, n int) (at []time.Time) {
	for range rapid.IntRange(0, n).Draw(t, name+"s") {
		at = append(at, l.moment(t, name))
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// dateOf is the first date of a period as the model has it.
func (l *life) dateOf(o calendar.Ordinal) time.Time {
	first, _ := l.calc.Zoning.Dates(o)
	return midnight(first)
}

func midnight(d calendar.Date) time.Time {
	year, month, day := d.Civil()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// command orders something of everything, all of it before anything is looked at.
func (l *life) command(t *rapid.T, rule *catalog.Streak) {
	c, m := &l.calc.Commands, l.model.Commands("u", rule.ID)
	event := rule.ZoneMode == catalog.ZoneEvent
	open := func(at time.Time) calendar.Ordinal { return l.calc.Zoning.Stamp(calendar.InstantOf(at), 0) }
	for range rapid.IntRange(0, 2).Draw(t, "pauses") {
		first, _ := l.calc.Zoning.Dates(open(l.moment(t, "pause")))
		p := streaks.Pause{From: first, To: first + calendar.Date(rapid.IntRange(0, 4).Draw(t, "long"))}
		q := oracle.Pause{From: midnight(p.From), To: midnight(p.To)}
		if rapid.Bool().Draw(t, "cut") {
			p.CutAt, p.CutTo = 1, p.From+calendar.Date(rapid.IntRange(-1, 2).Draw(t, "cut to"))
			q.CutAt, q.CutTo = time.UnixMilli(1), midnight(p.CutTo)
		}
		l.calc.Pauses, l.model.Pauses["u"] = append(l.calc.Pauses, p), append(l.model.Pauses["u"], q)
	}
	for _, from := range l.moments(t, "outage", 1) {
		to := from.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "out")) * time.Hour)
		l.calc.Outages = append(l.calc.Outages, streaks.Outage{From: calendar.InstantOf(from), To: calendar.InstantOf(to)})
		l.model.Outages = append(l.model.Outages, oracle.Outage{From: from, To: to})
	}
	for _, at := range l.moments(t, "grant", 2) {
		latest := streaks.Latest{Period: math.MinInt32}
		n := rapid.IntRange(1, 3).Draw(t, "freezes")
		from := l.calc.GrantedFrom(calendar.InstantOf(at), latest)
		c.Grants = append(c.Grants, streaks.Grant{At: calendar.InstantOf(at), From: from, N: n})
		g := oracle.Grant{At: at, N: n}
		if event { // the model of other modes finds out by itself
			g.From = l.dateOf(from)
		}
		m.Grants = append(m.Grants, g)
	}
	for _, at := range l.moments(t, "restore", 1) {
		r := streaks.Restore{First: open(at), Last: open(at) + calendar.Ordinal(rapid.IntRange(0, 3).Draw(t, "restored"))}
		c.Restores = append(c.Restores, r)
		m.Restores = append(m.Restores, oracle.Restore{First: l.dateOf(r.First), Last: l.dateOf(r.Last)})
	}
	for _, at := range l.moments(t, "target", 2) {
		own := streaks.Target{From: open(at) + 1, N: rapid.Int64Range(0, 5).Draw(t, "own target")}
		c.Targets = append(c.Targets, own)
		m.Targets = append(m.Targets, oracle.Target{From: l.dateOf(own.From), N: own.N})
	}
}

// marks are the life's activities as the calculus takes them, for a rule with one condition that counts.
func (l *life) marks() (marks []streaks.Mark, latest streaks.Latest) {
	records := slices.Clone(l.model.Records)
	slices.SortFunc(records, func(a, b oracle.Record) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	find := func(o calendar.Ordinal) (int, bool) {
		return slices.BinarySearchFunc(marks, o, func(m streaks.Mark, o calendar.Ordinal) int { return cmp.Compare(m.Ordinal, o) })
	}
	for _, r := range records {
		_, seconds := r.At.Zone()
		at, offset := calendar.InstantOf(r.At), int16(seconds/60)
		o := l.calc.PeriodOf(at, offset, func(o calendar.Ordinal) bool { i, found := find(o); return found && marks[i].Met })
		i, found := find(o)
		if !found {
			marks = slices.Insert(marks, i, streaks.Mark{Ordinal: o, Values: []int64{0}})
		}
		if marks[i].Values[0]++; marks[i].Values[0] == l.calc.Target(0, o) {
			marks[i].Met, marks[i].MetAt = true, at
		}
		latest = streaks.Latest{Some: true, Offset: offset, Period: marks[len(marks)-1].Ordinal}
	}
	return marks, latest
}

// instants are when a streak is looked at: anywhere, at activities, and about the ends of periods.
func (l *life) instants(t *rapid.T, open calendar.Ordinal, latest streaks.Latest) []calendar.Instant {
	at := []calendar.Instant{calendar.InstantOf(l.begin.Add(time.Duration(rapid.Int64Range(0, int64(24*time.Hour)*int64(l.days+40)).Draw(t, "now"))))}
	for _, r := range l.model.Records {
		at = append(at, calendar.InstantOf(r.At))
	}
	for o := open - 2; o <= open+2; o++ {
		for _, end := range []calendar.Instant{l.calc.Zoning.End(o, latest.Offset), l.calc.Decided(o, latest.Offset)} {
			at = append(at, end-1, end, end+1)
		}
	}
	return at
}

func TestDerive_EqualsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, err := catalog.Parse([]byte(definitions))
		if err != nil {
			t.Fatal(err)
		}
		org := all[0].Calendar()
		l := drawLife(t, org.Zone)
		model := modelStreaks(t)
		i := rapid.IntRange(0, len(model)-1).Draw(t, "rule")
		rule := all[0].Streaks[i]
		vary(t, rule, &model[i])
		c := &streaks.Calculus{Rule: rule, Zoning: streaks.NewZoning(rule, org, l.changes)}
		l.calc = c
		if rapid.Bool().Draw(t, "commanded") {
			l.command(t, rule)
		}
		marks, latest := l.marks()
		someday := calendar.InstantOf(l.begin.Add(time.Duration(rapid.IntRange(0, l.days).Draw(t, "day")) * 24 * time.Hour))
		for _, now := range l.instants(t, c.Open(marks, latest, someday), latest) {
			if n := len(c.Commands.Grants); n > 0 && now < c.Commands.Grants[n-1].At {
				continue // a calculus knows no commands of the future
			}
			v := c.Derive(streaks.Sum{}, marks, latest, now)
			want := l.model.Streak(&model[i], "u", now.Time())
			got := testenv.StreakView(c, &v)
			got.Past = testenv.StreakEnds(c, c.Ends(streaks.Sum{}, marks, latest, now), latest)
			if diff := gocmp.Diff(want, got, gocmp.Comparer(time.Time.Equal)); diff != "" {
				for _, z := range l.model.Zones["u"] {
					t.Log(z.At, z.Zone)
				}
				for _, r := range l.model.Records {
					t.Log(r)
				}
				t.Logf("%+v", *rule)
				t.Logf("%+v %+v", l.model.Pauses, l.model.Outages)
				t.Logf("%+v", *l.model.Commands("u", rule.ID))
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
	sealed, rest := c.Add(streaks.Sum{}, marks[:cut], latest), slices.Clone(marks)
	for j := range cut {
		rest[j].Summed = true
	}
	if diff := gocmp.Diff(c.At(streaks.Sum{}, marks, latest, now), c.At(sealed, rest, latest, now), cmpopts.IgnoreUnexported(streaks.Moment{}, streaks.Sum{})); diff != "" {
		t.Fatalf("with %d of %d marks summed up (-whole +sealed)\n%s", cut, len(marks), diff)
	}
}
