package calendar

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var seasons = Cycle{Unit: Listed, ID: "seasons", Windows: []Window{
	{ID: "spring", Start: 1000, End: 2000},
	{ID: "summer", Start: 2000, End: 3000},
	{ID: "winter", Start: 5000, End: 6000},
}}

func every(n int, from Date) Cycle { return Cycle{Unit: Days, N: n, From: from} }

func TestCalendar_PeriodAt(t *testing.T) {
	anchored := every(14, DateOf(2026, 1, 5))
	for _, test := range []struct {
		name      string
		cycle     Cycle
		zone      string
		weekStart time.Weekday
		at        string
		label     string
		start     string
		end       string
	}{
		{"day", Cycle{Unit: Day}, "UTC", 1, "2026-11-21T19:40:00Z", "2026-11-21", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
		{"day of 23 hours", Cycle{Unit: Day}, "Europe/Berlin", 1, "2026-03-29T12:00:00Z", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"day of 25 hours", Cycle{Unit: Day}, "Europe/Berlin", 1, "2026-10-25T12:00:00Z", "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"week", Cycle{Unit: Week}, "UTC", 1, "2026-11-21T19:40:00Z", "2026-W47", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"week 53", Cycle{Unit: Week}, "UTC", 1, "2027-01-03T23:59:59.999Z", "2026-W53", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		{"week 1 begins in December", Cycle{Unit: Week}, "UTC", 1, "2024-12-30T00:00:00Z", "2025-W01", "2024-12-30T00:00:00Z", "2025-01-06T00:00:00Z"},
		{"week from Sunday", Cycle{Unit: Week}, "UTC", 0, "2026-11-22T00:00:00Z", "2026-W47", "2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"},
		{"week 1 from Sunday holds 4 January", Cycle{Unit: Week}, "UTC", 0, "2026-01-04T00:00:00Z", "2026-W01", "2026-01-04T00:00:00Z", "2026-01-11T00:00:00Z"},
		{"week with the skipped date", Cycle{Unit: Week}, "Pacific/Apia", 1, "2011-12-31T00:00:00Z", "2011-W52", "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z"},
		{"month", Cycle{Unit: Month}, "UTC", 1, "2026-11-21T19:40:00Z", "2026-11", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"},
		{"leap month", Cycle{Unit: Month}, "Asia/Kathmandu", 1, "2024-02-29T18:14:59.999Z", "2024-02", "2024-01-31T18:15:00Z", "2024-02-29T18:15:00Z"},
		{"quarter", Cycle{Unit: Quarter}, "UTC", 1, "2026-11-21T19:40:00Z", "2026-Q4", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"year", Cycle{Unit: Year}, "America/New_York", 1, "2027-01-01T04:59:59.999Z", "2026", "2026-01-01T05:00:00Z", "2027-01-01T05:00:00Z"},
		{"every 14 days", anchored, "UTC", 1, "2026-11-21T19:40:00Z", "14d-2026-11-09", "2026-11-09T00:00:00Z", "2026-11-23T00:00:00Z"},
		{"every 14 days before the anchor", anchored, "UTC", 1, "2026-01-04T19:40:00Z", "14d-2025-12-22", "2025-12-22T00:00:00Z", "2026-01-05T00:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCalendar(t, test.zone)
			c.WeekStart = test.weekStart
			got, ok := c.PeriodAt(test.cycle, instant(t, test.at))
			want := Period{Ordinal: got.Ordinal, Label: test.label, Start: instant(t, test.start), End: instant(t, test.end), Bounded: true}
			if diff := cmp.Diff(want, got); !ok || diff != "" {
				t.Errorf("PeriodAt(%s), %v (-want +got):\n%s", test.at, ok, diff)
			}
		})
	}
}

func TestCalendar_PeriodAt_All(t *testing.T) {
	got, ok := newCalendar(t, "UTC").PeriodAt(Cycle{Unit: All}, 12345)
	if diff := cmp.Diff(Period{Label: "all"}, got); !ok || diff != "" {
		t.Errorf("PeriodAt, %v (-want +got):\n%s", ok, diff)
	}
}

func TestCalendar_PeriodAt_Listed(t *testing.T) {
	c := newCalendar(t, "UTC")
	for _, test := range []struct {
		at   Instant
		want string // "" for none
	}{{999, ""}, {1000, "spring"}, {1999, "spring"}, {2000, "summer"}, {2999, "summer"}, {3000, ""}, {4999, ""}, {5000, "winter"}, {5999, "winter"}, {6000, ""}} {
		p, ok := c.PeriodAt(seasons, test.at)
		if p.Label != test.want || ok != (test.want != "") {
			t.Errorf("PeriodAt(%d) = %+v, %v; want %q", test.at, p, ok, test.want)
		}
		if ok && (test.at < p.Start || p.End <= test.at || !p.Bounded) {
			t.Errorf("PeriodAt(%d) = %+v", test.at, p)
		}
	}
}

func TestCalendar_OrdinalZeroHolds1970(t *testing.T) {
	for weekStart := time.Sunday; weekStart <= time.Saturday; weekStart++ {
		c := &Calendar{Zone: time.UTC, WeekStart: weekStart}
		for u := Day; u <= All; u++ {
			if got := c.OrdinalOf(Cycle{Unit: u}, 0); got != 0 {
				t.Errorf("week from %v: the %v of 1970-01-01 is %d", weekStart, u, got)
			}
		}
		if first, _ := c.Dates(Cycle{Unit: Week}, 0); first.Weekday() != weekStart {
			t.Errorf("week from %v begins on %v", weekStart, first.Weekday())
		}
	}
}

// modelWeek finds the week of a date by laying out the weeks of its year from the one that holds 4 January.
func modelWeek(date time.Time, weekStart time.Weekday) string {
	weekOne := func(year int) time.Time {
		first := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
		for first.Weekday() != weekStart {
			first = first.AddDate(0, 0, -1)
		}
		return first
	}
	year := date.Year() + 1
	for weekOne(year).After(date) {
		year--
	}
	week := 1
	for first := weekOne(year); !first.AddDate(0, 0, 7).After(date); first = first.AddDate(0, 0, 7) {
		week++
	}
	return fmt.Sprintf("%04d-W%02d", year, week)
}

// modelLabel names the period that holds a date in words of the time package.
func modelLabel(cy Cycle, date time.Time, weekStart time.Weekday) string {
	switch cy.Unit {
	case Day:
		return date.Format("2006-01-02")
	case Week:
		return modelWeek(date, weekStart)
	case Month:
		return date.Format("2006-01")
	case Quarter:
		return date.Format("2006-Q") + "111222333444"[date.Month()-1:][:1]
	case Year:
		return date.Format("2006")
	}
	return "all"
}

func TestCalendar_LabelsAgreeWithModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		date := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 365*300).Draw(t, "days"))
		cy := Cycle{Unit: Unit(rapid.IntRange(int(Day), int(All)).Draw(t, "unit"))}
		o := c.OrdinalOf(cy, DateOf(date.Date()))
		if got, want := c.Label(cy, o), modelLabel(cy, date, c.WeekStart); got != want {
			t.Errorf("week from %v: the %v of %v is %q, want %q", c.WeekStart, cy, date, got, want)
		}
		if cy.Unit == Week && c.WeekStart == time.Monday {
			year, week := date.ISOWeek()
			if got, want := c.Label(cy, o), fmt.Sprintf("%04d-W%02d", year, week); got != want {
				t.Errorf("the week of %v is %q, ISO 8601 says %q", date, got, want)
			}
		}
	})
}

func TestCalendar_PeriodLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, cy := drawCalendar(t), drawCycle(t)
		i := drawInstant(t, c.Zone)
		p, ok := c.PeriodAt(cy, i)
		if !ok || i < p.Start || p.End <= i || !p.Bounded {
			t.Fatalf("PeriodAt(%v, %v) = %+v, %v", cy.Key(), i, p, ok)
		}
		for _, at := range []Instant{p.Start, p.End - 1} {
			if o, _ := c.OrdinalAt(cy, at); o != p.Ordinal {
				t.Errorf("OrdinalAt(%v) = %d, want %d", at, o, p.Ordinal)
			}
		}
		next := c.PeriodOf(cy, p.Ordinal+1)
		if next.Start != p.End {
			t.Errorf("%v ends at %v, %v begins at %v", p.Label, p.End, next.Label, next.Start)
		}
		if after, _ := c.PeriodAt(cy, p.End); after.Ordinal != p.Ordinal+1 && next.Start != next.End {
			t.Errorf("after %v comes %v, want %v", p.Label, after.Label, next.Label)
		}
		first, after := c.Dates(cy, p.Ordinal)
		if c.OrdinalOf(cy, first) != p.Ordinal || c.OrdinalOf(cy, after-1) != p.Ordinal || c.OrdinalOf(cy, after) != p.Ordinal+1 {
			t.Errorf("Dates(%v) = %v, %v", p.Label, first, after)
		}
		if o, err := c.ParseLabel(cy, p.Label); o != p.Ordinal || err != nil {
			t.Errorf("ParseLabel(%q) = %d, %v; want %d", p.Label, o, err, p.Ordinal)
		}
	})
}

func TestCalendar_BeforeCountsOnlyPeriodsThatWere(t *testing.T) {
	skips := []struct{ zone, date string }{{"Pacific/Apia", "2011-12-30"}, {"Pacific/Kiritimati", "1994-12-31"}, {"Pacific/Kwajalein", "1993-08-21"}, {"Europe/Berlin", "2026-03-29"}}
	rapid.Check(t, func(t *rapid.T) {
		skip := rapid.SampledFrom(skips).Draw(t, "skip")
		zone, err := time.LoadLocation(skip.zone)
		if err != nil {
			t.Fatal(err)
		}
		c := &Calendar{Zone: zone, WeekStart: time.Monday, DayStart: rapid.SampledFrom(dayStarts).Draw(t, "dayStart")}
		cy := drawCycle(t)
		d, err := ParseDate(skip.date)
		if err != nil {
			t.Fatal(err)
		}
		o := c.OrdinalOf(cy, d+Date(rapid.IntRange(0, 20).Draw(t, "days after")))
		want := o
		for n := range 40 {
			if got, ok := c.Before(cy, o, n); got != want || !ok {
				t.Fatalf("%s: Before(%v, %d) = %v, %v; want %v", skip.zone, c.Label(cy, o), n, c.Label(cy, got), ok, c.Label(cy, want))
			}
			for exists := false; !exists; {
				want--
				p := c.PeriodOf(cy, want)
				exists = p.Start < p.End
			}
		}
	})
}

func TestCalendar_Before_SkippedDate(t *testing.T) {
	c := newCalendar(t, "Pacific/Apia")
	for _, cy := range []Cycle{{Unit: Day}, every(1, DateOf(2011, 12, 30))} {
		for _, test := range []struct{ day, n, want int }{{31, 1, 29}, {31, 2, 28}, {32, 1, 31}, {32, 2, 29}, {30, 1, 29}, {29, 1, 28}} {
			got, ok := c.Before(cy, c.OrdinalOf(cy, DateOf(2011, 12, test.day)), test.n)
			if want := c.OrdinalOf(cy, DateOf(2011, 12, test.want)); got != want || !ok {
				t.Errorf("%d before December %d is %v, %v; want %v", test.n, test.day, c.Label(cy, got), ok, c.Label(cy, want))
			}
		}
	}
}

func TestCalendar_Before_Ends(t *testing.T) {
	c := newCalendar(t, "Europe/Berlin")
	today := c.OrdinalOf(Cycle{Unit: Day}, DateOf(2026, 11, 21))
	for _, test := range []struct {
		name   string
		cycle  Cycle
		from   Ordinal
		n      int
		want   Ordinal
		wantOK bool
	}{
		{"all, itself", Cycle{Unit: All}, 0, 0, 0, true},
		{"all, none before", Cycle{Unit: All}, 0, 1, 0, false},
		{"listed", seasons, 2, 2, 0, true},
		{"listed, none before the first", seasons, 2, 3, 0, false},
		{"negative", Cycle{Unit: Day}, today, -1, today, false},
		{"before 1970", Cycle{Unit: Day}, today, int(today) + 1, -1, true},
		{"before labels begin", Cycle{Unit: Day}, today, 800_000, 0, false},
		{"beyond an ordinal", Cycle{Unit: Day}, today, 1 << 62, 0, false},
		{"weeks before labels begin", Cycle{Unit: Week}, 0, 110_000, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := c.Before(test.cycle, test.from, test.n); got != test.want || ok != test.wantOK {
				t.Errorf("Before(%d) = %d, %v; want %d, %v", test.n, got, ok, test.want, test.wantOK)
			}
		})
	}
}

func TestCalendar_ParseLabel_Refuses(t *testing.T) {
	labels := map[Unit][]string{
		Day:     {"2026-02-30", "2026-02-29", "2011-12-30", "2026-2-03", "2026-W47", "2026-11", "02026-11-21", "0000-01-01", "today", " 2026-11-21"},
		Week:    {"2026-W54", "2026-W00", "2025-W53", "2026-W7", "2026-w47", "2026-47", "2026W47", "02026-W47", "2026-W047", "2026-Q4", "2026-W4x"},
		Month:   {"2026-13", "2026-00", "2026-1", "2026", "2026-11-21", "2026-W47", "2026-1 "},
		Quarter: {"2026-Q5", "2026-Q0", "2026-q4", "2026-4", "2026-Q04", "2026"},
		Year:    {"26", "02026", "0000", "20x6", "2026-", "+202", "all"},
		All:     {"", "All", "2026", "ALL", "all~1"},
		Days:    {"14d-2026-01-06", "7d-2026-01-05", "14d-2026-02-30", "014d-2026-01-05", "2026-01-05", "14d2026-01-05", "14d-", "14d"},
		Listed:  {"", "autumn", "Spring", "2026"},
	}
	c := newCalendar(t, "Pacific/Apia")
	for unit, bad := range labels {
		cy := Cycle{Unit: unit}
		switch unit {
		case Days:
			cy = every(14, DateOf(2026, 1, 5))
		case Listed:
			cy = seasons
		}
		for _, label := range append(bad, "", "nonsense", "2026-11-21T00:00:00Z") {
			if o, err := c.ParseLabel(cy, label); !errors.Is(err, ErrBadLabel) {
				t.Errorf("%v: ParseLabel(%q) = %d, %v; want ErrBadLabel", cy, label, o, err)
			}
		}
	}
}

func TestCalendar_ParseLabel_OneDaySkipped(t *testing.T) {
	c := newCalendar(t, "Pacific/Apia")
	oneDay, twoDays := every(1, DateOf(2011, 12, 1)), every(2, DateOf(2011, 12, 30))
	if _, err := c.ParseLabel(oneDay, "1d-2011-12-30"); !errors.Is(err, ErrBadLabel) {
		t.Errorf("1d-2011-12-30: %v; want ErrBadLabel", err)
	}
	if _, err := c.ParseLabel(twoDays, "2d-2011-12-30"); err != nil { // the second of the two dates was
		t.Errorf("2d-2011-12-30: %v", err)
	}
}

func TestCalendar_ParseLabel_Listed(t *testing.T) {
	c := newCalendar(t, "UTC")
	for n, w := range seasons.Windows {
		if o, err := c.ParseLabel(seasons, w.ID); o != Ordinal(n) || err != nil {
			t.Errorf("ParseLabel(%q) = %d, %v; want %d", w.ID, o, err, n)
		}
	}
}

func TestCalendar_LabelFormsShowLabels(t *testing.T) {
	c := newCalendar(t, "UTC")
	now := Instant(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixMilli())
	cycles := []Cycle{every(14, DateOf(2026, 1, 5)), every(3, 0)}
	for u := Day; u <= All; u++ {
		cycles = append(cycles, Cycle{Unit: u})
	}
	for _, cy := range cycles {
		words := strings.Fields(c.LabelForms(cy, now))
		if o, err := c.ParseLabel(cy, words[len(words)-1]); err != nil {
			t.Errorf("%v: the example in %q is no label", cy, c.LabelForms(cy, now))
		} else if p := c.PeriodOf(cy, o); p.Bounded && (now < p.Start || p.End <= now) {
			t.Errorf("%v: the example in %q is not the current period", cy, c.LabelForms(cy, now))
		}
	}
	if got, want := c.LabelForms(seasons, now), "one of spring, summer, winter"; got != want {
		t.Errorf("LabelForms(seasons) = %q, want %q", got, want)
	}
	many := Cycle{Unit: Listed, ID: "rounds"}
	for n := range 100 {
		many.Windows = append(many.Windows, Window{ID: fmt.Sprint("round", n)})
	}
	if got := c.LabelForms(many, now); len(got) > 200 || !strings.Contains(got, "round99") {
		t.Errorf("LabelForms of 100 periods = %q", got)
	}
}

func TestCycle_Names(t *testing.T) {
	for _, test := range []struct {
		cycle     Cycle
		name, key string
	}{
		{Cycle{Unit: Day}, "day", "day"},
		{Cycle{Unit: Week}, "week", "week"},
		{Cycle{Unit: Month}, "month", "month"},
		{Cycle{Unit: Quarter}, "quarter", "quarter"},
		{Cycle{Unit: Year}, "year", "year"},
		{Cycle{Unit: All}, "all", "all"},
		{every(14, DateOf(2026, 1, 5)), "14d", "14d@2026-01-05"},
		{seasons, "seasons", "seasons"},
	} {
		if got := test.cycle.String(); got != test.name {
			t.Errorf("String() = %q, want %q", got, test.name)
		}
		if got := test.cycle.Key(); got != test.key {
			t.Errorf("Key() = %q, want %q", got, test.key)
		}
		u, ok := ParseUnit(test.name)
		if simple := test.cycle.Unit <= All; ok != simple || ok && u != test.cycle.Unit {
			t.Errorf("ParseUnit(%q) = %v, %v", test.name, u, ok)
		}
	}
}

func FuzzParseLabel(f *testing.F) {
	for _, s := range []string{"2026-11-21", "2026-W53", "2026-02", "2026-Q4", "2026", "all", "14d-2026-01-05", "2d-2011-12-30", "1d-2011-12-30", "spring", "2026-W54"} {
		f.Add(s)
	}
	c := newCalendar(f, "Pacific/Apia")
	f.Fuzz(func(t *testing.T, s string) {
		cycles := []Cycle{seasons, every(14, DateOf(2026, 1, 5)), every(2, DateOf(2011, 12, 30)), every(1, 0)}
		for u := Day; u <= All; u++ {
			cycles = append(cycles, Cycle{Unit: u})
		}
		named := 0
		for _, cy := range cycles {
			o, err := c.ParseLabel(cy, s)
			if err != nil {
				continue
			}
			named++
			p := c.PeriodOf(cy, o)
			if p.Label != s || p.Bounded && p.Start >= p.End {
				t.Errorf("%v: ParseLabel(%q) = %+v", cy, s, p)
			}
		}
		if named > 1 {
			t.Errorf("%q is a label of %d cycles", s, named)
		}
	})
}

// drawCycle draws a cycle whose periods are made of dates.
func drawCycle(t *rapid.T) Cycle {
	unit := rapid.SampledFrom([]Unit{Day, Week, Month, Quarter, Year, Days}).Draw(t, "unit")
	if unit != Days {
		return Cycle{Unit: unit}
	}
	n := rapid.SampledFrom([]int{1, 2, 3, 7, 14, 100}).Draw(t, "n")
	return every(n, Date(rapid.IntRange(0, 30000).Draw(t, "from")))
}
