package calendar

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// oddZones have had clocks that change at midnight or a minute after, by half an hour, by a day, twice around Ramadan, or by
// two hours, and offsets of a quarter of an hour; the last ones are plain.
var oddZones = []string{
	"Pacific/Apia", "Pacific/Kiritimati", "Pacific/Kwajalein", "Australia/Lord_Howe", "Africa/Casablanca", "Antarctica/Troll",
	"Antarctica/Casey", "Asia/Kathmandu", "America/St_Johns", "America/Goose_Bay", "America/Santiago", "Asia/Beirut",
	"America/Sao_Paulo", "Asia/Gaza", "Europe/Dublin", "Europe/Berlin", "America/New_York", "UTC",
}

var dayStarts = []time.Duration{0, time.Minute, 30 * time.Minute, time.Hour, 90 * time.Minute, 2*time.Hour + 30*time.Minute, 4 * time.Hour,
	12 * time.Hour, 23 * time.Hour, 23*time.Hour + 59*time.Minute}

// The model walks through time a minute a step and reads nothing but the wall clock of each.

// modelDay returns the number of the date that the wall clock shows at t, for days that begin at dayStart.
func modelDay(t time.Time, loc *time.Location, dayStart time.Duration) int {
	local := t.In(loc)
	year, month, day := local.Date()
	hour, minute, second := local.Clock()
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	if clock < dayStart {
		day--
	}
	return int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// modelWarmUp is how long the model walks before it believes that it has seen the latest date.
const modelWarmUp = 60 * time.Hour

// checkAgainstModel compares every minute of [from, to) with the model.
func checkAgainstModel(t rapid.TB, c *Calendar, from, to time.Time) {
	t.Helper()
	ms := func(t time.Time) Instant { return Instant(t.UnixMilli()) }
	start := from.Add(-modelWarmUp).Truncate(time.Minute)
	latest := modelDay(start, c.Zone, c.DayStart)
	for at := start; at.Before(to); at = at.Add(time.Minute) {
		before := latest
		latest = max(latest, modelDay(at, c.Zone, c.DayStart))
		if at.Before(from) {
			continue
		}
		if got := c.DateAt(ms(at)); got != Date(latest) {
			t.Fatalf("%v, day start %v: DateAt(%v) = %v, want %v", c.Zone, c.DayStart, at, got, Date(latest))
		}
		if latest == before {
			continue
		}
		if got := c.DateAt(ms(at) - 1); got != Date(before) {
			t.Fatalf("%v, day start %v: DateAt(1 ms before %v) = %v, want %v", c.Zone, c.DayStart, at, got, Date(before))
		}
		for d := before + 1; d <= latest; d++ {
			if got := c.StartOf(Date(d)); got != ms(at) {
				t.Fatalf("%v, day start %v: StartOf(%v) = %v, want %v", c.Zone, c.DayStart, Date(d), got, at)
			}
			if got, want := c.Exists(Date(d)), d == latest; got != want {
				t.Fatalf("%v, day start %v: Exists(%v) = %v, want %v", c.Zone, c.DayStart, Date(d), got, want)
			}
		}
	}
}

// changesOf lists, to within some hours, when the zone's clock changed between 1970 and 2090, and the ends of the years.
var changesOf = func() func(zone *time.Location) []time.Time {
	var mu sync.Mutex
	known := map[string][]time.Time{}
	return func(zone *time.Location) []time.Time {
		mu.Lock()
		defer mu.Unlock()
		if found := known[zone.String()]; found != nil {
			return found
		}
		found := []time.Time{time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC), time.Date(2044, 12, 31, 12, 0, 0, 0, time.UTC)}
		last := time.Unix(0, 0).In(zone)
		for at := last; at.Year() < 2090; at = at.Add(12 * time.Hour) {
			_, before := last.Zone()
			if _, offset := at.Zone(); offset != before {
				found = append(found, at)
			}
			last = at
		}
		known[zone.String()] = found
		return found
	}
}()

func TestCalendar_AgreesWithMinuteModelAroundChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCalendar(t)
		changes := changesOf(c.Zone)
		at := changes[rapid.IntRange(0, len(changes)-1).Draw(t, "change")]
		checkAgainstModel(t, c, at.Add(-36*time.Hour), at.Add(36*time.Hour))
	})
}

func TestCalendar_AgreesWithMinuteModelOnKnownOddDays(t *testing.T) {
	for _, day := range []struct{ zone, date, why string }{
		{"Pacific/Apia", "2011-12-30", "the date was skipped"},
		{"Pacific/Kiritimati", "1994-12-31", "the date was skipped"},
		{"Pacific/Kwajalein", "1993-08-21", "the date was skipped"},
		{"Australia/Lord_Howe", "2026-04-05", "half an hour back"},
		{"Australia/Lord_Howe", "2026-10-04", "half an hour forward"},
		{"Africa/Casablanca", "2026-02-15", "back for Ramadan"},
		{"Africa/Casablanca", "2026-03-22", "forward after Ramadan"},
		{"Antarctica/Troll", "2026-03-29", "two hours forward"},
		{"Antarctica/Troll", "2026-10-25", "two hours back"},
		{"Antarctica/Casey", "2010-03-05", "three hours back"},
		{"Asia/Kathmandu", "1986-01-01", "a quarter of an hour forward"},
		{"America/St_Johns", "2010-11-07", "a minute after midnight, back over it"},
		{"America/St_Johns", "1988-04-03", "two hours forward, a minute after midnight"},
		{"America/Goose_Bay", "2010-11-07", "a minute after midnight, back over it"},
		{"America/Goose_Bay", "2010-03-14", "a minute after midnight, forward"},
		{"America/Santiago", "2026-04-05", "at midnight, back over it"},
		{"America/Santiago", "2026-09-06", "over midnight"},
		{"Asia/Beirut", "2026-03-29", "over midnight"},
		{"Asia/Beirut", "2026-10-25", "at midnight, back over it"},
		{"America/Sao_Paulo", "2018-11-04", "over midnight"},
		{"America/Sao_Paulo", "2019-02-17", "at midnight, back over it"},
		{"Europe/Berlin", "2024-02-29", "leap day"},
	} {
		t.Run(fmt.Sprint(day.zone, "/", day.date), func(t *testing.T) {
			for _, dayStart := range dayStarts {
				c := newCalendar(t, day.zone)
				c.DayStart = dayStart
				noon, err := time.Parse(time.DateOnly+" 15", day.date+" 12")
				if err != nil {
					t.Fatal(err)
				}
				checkAgainstModel(t, c, noon.Add(-30*time.Hour), noon.Add(30*time.Hour))
			}
		})
	}
}

func TestNew_AnswersLikeALiteral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		quick := drawCalendar(t)
		literal := &Calendar{Zone: quick.Zone, WeekStart: quick.WeekStart, DayStart: quick.DayStart}
		quick = New(quick.Zone, quick.WeekStart, quick.DayStart)
		i := drawInstant(t, quick.Zone)
		if got, want := quick.DateAt(i), literal.DateAt(i); got != want {
			t.Errorf("DateAt(%v) = %v, the literal says %v", i, got, want)
		}
		d := literal.DateAt(i) + Date(rapid.IntRange(-2, 2).Draw(t, "days"))
		if got, want := quick.StartOf(d), literal.StartOf(d); got != want {
			t.Errorf("StartOf(%v) = %v, the literal says %v", d, got, want)
		}
	})
}

func TestCalendar_CopyWithAnotherZoneForgetsTheTable(t *testing.T) {
	c := *newCalendar(t, "Pacific/Apia")
	c.Zone = time.FixedZone("", -3*60*60)
	if got, want := c.StartOf(DateOf(2026, 11, 21)), instant(t, "2026-11-21T03:00:00Z"); got != want {
		t.Errorf("StartOf = %v, want %v", got, want)
	}
}

func drawCalendar(t *rapid.T) *Calendar {
	zone, err := time.LoadLocation(rapid.SampledFrom(oddZones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	weekStart := time.Weekday(rapid.IntRange(0, 6).Draw(t, "weekStart"))
	dayStart := rapid.SampledFrom(dayStarts).Draw(t, "dayStart")
	if rapid.Bool().Draw(t, "literal") {
		return &Calendar{Zone: zone, WeekStart: weekStart, DayStart: dayStart}
	}
	return New(zone, weekStart, dayStart)
}

// drawInstant draws an instant from 1970 to 2090, half of them near a change of the zone's clock.
func drawInstant(t *rapid.T, zone *time.Location) Instant {
	if rapid.Bool().Draw(t, "anywhere") {
		return Instant(rapid.Int64Range(0, 120*365*24*60*60*1000).Draw(t, "instant"))
	}
	changes := changesOf(zone)
	at := changes[rapid.IntRange(0, len(changes)-1).Draw(t, "change")]
	const threeDays = 3 * 24 * 60 * 60 * 1000
	return max(0, Instant(at.UnixMilli()+rapid.Int64Range(-threeDays, threeDays).Draw(t, "ms from it")))
}
