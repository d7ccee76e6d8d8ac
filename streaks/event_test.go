package streaks_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/streaks"
)

// law is a rule with all that a streak may have, twice.
type law struct {
	rule  *catalog.Streak
	model *oracle.Streak
}

func drawLaw(t *rapid.T) law {
	target := rapid.Int64Range(1, 2).Draw(t, "target")
	r := &catalog.Streak{ID: "s", Conditions: []catalog.Condition{{AtLeast: target}}, Unit: calendar.Cycle{Unit: calendar.Day}}
	m := &oracle.Streak{ID: "s", Conditions: []oracle.Condition{{Selector: oracle.Selector{Fold: "count"}, AtLeast: target}}, Unit: oracle.Cycle{Unit: "day"}}
	mode := rapid.IntRange(0, 2).Draw(t, "mode")
	r.ZoneMode = []catalog.ZoneMode{catalog.ZoneOrg, catalog.ZoneUser, catalog.ZoneEvent}[mode]
	m.Mode = []string{"org", "user", "event"}[mode]
	r.ActiveDays = [7]bool{true, true, true, true, true, true, true}
	switch rapid.IntRange(0, 3).Draw(t, "unit") {
	case 0:
		r.Unit.Unit, m.Unit.Unit = calendar.Week, "week"
	case 1:
		r.ActiveDays[time.Saturday], r.ActiveDays[time.Sunday] = false, false
		m.ActiveDays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
		r.Holidays, m.Holidays = []calendar.Date{calendar.DateOf(2011, 12, 26)}, []time.Time{time.Date(2011, 12, 26, 0, 0, 0, 0, time.UTC)}
	}
	r.Grace = rapid.SampledFrom([]time.Duration{0, 0, 6 * time.Hour, 20 * time.Hour}).Draw(t, "grace")
	r.AtRisk = rapid.SampledFrom([]time.Duration{0, 5 * time.Hour, 30 * time.Hour}).Draw(t, "lead")
	r.DayStart = rapid.SampledFrom([]time.Duration{0, 3 * time.Hour}).Draw(t, "day start")
	r.Freezes.Max = rapid.IntRange(0, 3).Draw(t, "max")
	r.Freezes.Initial = rapid.IntRange(0, r.Freezes.Max).Draw(t, "initial")
	r.Freezes.EarnEvery = rapid.IntRange(0, 3).Draw(t, "earn")
	r.OnMiss = rapid.SampledFrom([]catalog.OnMiss{catalog.Reset, catalog.Reset, catalog.Decay, catalog.None}).Draw(t, "on miss")
	r.MaxTarget, r.Decay = rapid.Int64Range(0, 3).Draw(t, "max target"), rapid.IntRange(1, 2).Draw(t, "decay")
	m.Grace, m.AtRisk, m.DayStart, m.MaxTarget, m.Decay = r.Grace, r.AtRisk, r.DayStart, r.MaxTarget, r.Decay
	m.Freezes = oracle.Freezes{Initial: r.Freezes.Initial, EarnEvery: r.Freezes.EarnEvery, Max: r.Freezes.Max}
	m.OnMiss = map[catalog.OnMiss]string{catalog.Reset: "reset", catalog.Decay: "decay", catalog.None: "none"}[r.OnMiss]
	return law{r, m}
}

// order draws commands at instants up to now, for the model and the calculus.
func (l *life) order(t *rapid.T, c *streaks.Calculus, org *calendar.Calendar, now time.Time) {
	hours := int(now.Sub(l.begin) / time.Hour)
	moment := func(what string) time.Time {
		return l.begin.Add(time.Duration(rapid.IntRange(0, max(0, hours)).Draw(t, what)) * time.Hour)
	}
	date := func(what string) time.Time {
		return l.begin.Add(-10*time.Hour).AddDate(0, 0, rapid.IntRange(0, l.days+3).Draw(t, what))
	}
	dateOf := func(t time.Time) calendar.Date { return calendar.DateOf(t.Date()) }
	ordinal := func(t time.Time) calendar.Ordinal { return org.OrdinalOf(c.Rule.Unit, dateOf(t)) }
	firstOf := func(t time.Time) time.Time {
		d, _ := c.Zoning.Dates(ordinal(t))
		return t.AddDate(0, 0, int(d)-int(dateOf(t)))
	}
	var at []time.Time
	for range rapid.IntRange(0, 5).Draw(t, "commands") {
		at = append(at, moment("ordered"))
	}
	slices.SortFunc(at, time.Time.Compare)
	model := l.model.Commands("u", "s")
	for i, at := range at {
		when := calendar.InstantOf(at)
		switch rapid.IntRange(0, 5).Draw(t, "command") {
		case 0:
			if c.Rule.ZoneMode == catalog.ZoneEvent {
				continue // what it can cover was decided at the offset of that time
			}
			n := rapid.IntRange(1, 3).Draw(t, "granted")
			model.Grants = append(model.Grants, oracle.Grant{At: at, N: n})
			c.Commands.Grants = append(c.Commands.Grants, streaks.Grant{At: when, N: n}) // From is not known before the activities are
		case 1:
			first, last := firstOf(date("first")), firstOf(date("last"))
			model.Restores = append(model.Restores, oracle.Restore{At: at, First: first, Last: last})
			c.Commands.Restores = append(c.Commands.Restores, streaks.Restore{At: when, First: ordinal(first), Last: ordinal(last)})
		case 2:
			from, n := firstOf(at.Truncate(24*time.Hour).AddDate(0, 0, 8)), rapid.Int64Range(0, 3).Draw(t, "own")
			model.Targets = append(model.Targets, oracle.Target{At: at, From: from, N: n})
			c.Commands.Targets = append(c.Commands.Targets, streaks.Target{At: when, From: ordinal(from), N: n})
		case 3:
			out := rapid.Bool().Draw(t, "out")
			model.OptOuts = append(model.OptOuts, oracle.OptOut{At: at, Out: out})
			c.Commands.OptOuts = append(c.Commands.OptOuts, streaks.OptOut{At: when, Out: out})
		case 4:
			p := oracle.Pause{At: at, From: date("from"), To: date("to")}
			q := streaks.Pause{ID: uint32(i), At: when, From: dateOf(p.From), To: dateOf(p.To)}
			if p.To.Before(p.From) {
				continue // is no pause
			}
			if rapid.Bool().Draw(t, "cut") {
				p.CutAt, p.CutTo = at, date("cut to")
				q.CutAt, q.CutTo = when, dateOf(p.CutTo)
			}
			l.model.Pauses["u"] = append(l.model.Pauses["u"], p)
			c.Pauses = append(c.Pauses, q)
		case 5:
			o := oracle.Outage{At: at, From: moment("begin"), To: moment("end")}
			if !o.From.Before(o.To) {
				continue // is no outage
			}
			l.model.Outages = append(l.model.Outages, o)
			c.Outages = append(c.Outages, streaks.Outage{ID: fmt.Sprint(i), At: when, From: calendar.InstantOf(o.From), To: calendar.InstantOf(o.To)})
		}
	}
}

// TestPassed_EqualsTheModel: what time alone brings, step by step, is what the model finds.
func TestPassed_EqualsTheModel(t *testing.T) {
	org := calendar.New(location(t, "Pacific/Apia"), time.Sunday, 0)
	rapid.Check(t, func(t *rapid.T) {
		l, law := drawLife(t, org.Zone), drawLaw(t)
		c := &streaks.Calculus{Rule: law.rule, Zoning: streaks.NewZoning(law.rule, org, l.changes)}
		l.calc = c
		from := l.begin.AddDate(0, 0, l.days)
		l.order(t, c, org, from)
		marks, latest := l.marks()
		for i := range c.Commands.Grants {
			c.Commands.Grants[i].From = c.GrantedFrom(c.Commands.Grants[i].At, latest)
		}
		to := from.AddDate(0, 0, rapid.IntRange(1, 25).Draw(t, "days"))
		var got, want []string
		now := calendar.InstantOf(from)
		before := c.At(streaks.Sum{}, marks, latest, now)
		for {
			now = c.Next(&before, marks, latest, now)
			if now == 0 || now > calendar.InstantOf(to) {
				break
			}
			after := c.At(streaks.Sum{}, marks, latest, now)
			for _, e := range c.Passed(&before, &after, streaks.Sum{}, marks, latest) {
				got = append(got, fmt.Sprint(e.Type, " ", now, " ", c.Zoning.Label(e.Period), " ", e.Returned))
			}
			before = after
		}
		told := l.model.Events(law.model, "u", from, to)
		for _, e := range told {
			want = append(want, fmt.Sprint("streak.", e.Type, " ", calendar.InstantOf(e.At), " ", e.Period, " ", e.Returned))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			l.log(t, law)
			t.Fatalf("after %v (-model +streaks)\n%s", from, diff)
		}
	})
}

func (l *life) log(t *rapid.T, law law) {
	for _, r := range l.model.Records {
		t.Log(r.ID, r.At)
	}
	t.Logf("%+v\nzones %v\npauses %v\noutages %v\ncommands %+v", *law.model, l.model.Zones, l.model.Pauses, l.model.Outages, *l.model.Commands("u", "s"))
}

// TestDerive_PauseCutBeforeItBegan: one within a week that has no day left does not pause the week.
func TestDerive_PauseCutBeforeItBegan(t *testing.T) {
	rule := &catalog.Streak{ID: "s", Conditions: []catalog.Condition{{AtLeast: 1}}, Unit: calendar.Cycle{Unit: calendar.Week}}
	wednesday := calendar.DateOf(2026, time.November, 18)
	c := &streaks.Calculus{Rule: rule, Zoning: streaks.NewZoning(rule, calendar.New(time.UTC, time.Monday, 0), nil),
		Pauses: []streaks.Pause{{At: 1, From: wednesday, To: wednesday + 3, CutAt: 2, CutTo: wednesday - 1}}}
	v := c.Derive(streaks.Sum{}, nil, streaks.Latest{}, instant(t, "2026-11-19T12:00:00Z"))
	if v.State != streaks.None || v.Period.Status != streaks.Open {
		t.Errorf("the week is %s, the streak %s; want open and none", v.Period.Status, v.State)
	}
}

// TestChanged_LateActivityShortens: a late activity that spends the only freeze earlier ends a streak, or leaves less of it, and that is told.
func TestChanged_LateActivityShortens(t *testing.T) {
	rule := &catalog.Streak{ID: "s", Conditions: []catalog.Condition{{AtLeast: 1}}, Unit: calendar.Cycle{Unit: calendar.Day},
		ActiveDays: [7]bool{true, true, true, true, true, true, true}, Freezes: catalog.Freezes{Initial: 1, Max: 1}}
	c := &streaks.Calculus{Rule: rule, Zoning: streaks.NewZoning(rule, calendar.New(time.UTC, time.Monday, 0), nil)}
	first := c.Zoning.Stamp(instant(t, "2026-11-02T12:00:00Z"), 0)
	at := func(now string, days ...int) (streaks.Moment, []streaks.Mark) {
		var marks []streaks.Mark
		for _, d := range days {
			marks = append(marks, streaks.Mark{Ordinal: first + calendar.Ordinal(d), Values: []int64{1}, Met: true, MetAt: 1})
		}
		return c.At(streaks.Sum{}, marks, streaks.Latest{Some: true, Period: marks[len(marks)-1].Ordinal}, instant(t, now)), marks
	}
	for name, test := range map[string]struct {
		now         string
		days        []int
		late        []int
		want        streaks.EventType
		current, to int
	}{
		// The 4th was met, the 5th frozen. With the 2nd, the freeze goes on the 3rd, and the 5th ends the streak.
		"ends it":           {"2026-11-06T12:00:00Z", []int{2}, []int{0, 2}, streaks.WasLost, 1, 0},
		"leaves less of it": {"2026-11-06T12:00:00Z", []int{2, 4}, []int{0, 2, 4}, streaks.WasLost, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := at(test.now, test.days...)
			after, _ := at(test.now, test.late...)
			if before.Run.Length != test.current || after.Run.Length != test.to {
				t.Fatalf("length %d, then %d", before.Run.Length, after.Run.Length)
			}
			events := c.Changed(&before, &after, streaks.Turned{Met: []calendar.Ordinal{first}}, false)
			if len(events) == 0 || events[0].Type != test.want || events[0].Previous != test.current || events[0].Current != test.to {
				t.Errorf("told %+v", events)
			}
		})
	}
}
