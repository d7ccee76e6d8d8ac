package oracle

import (
	"fmt"
	"time"
)

const day = 24 * time.Hour

// civil is the wall clock of t in its location, read as if on a UTC clock.
func civil(t time.Time) time.Time {
	y, mo, d := t.Date()
	h, mi, s := t.Clock()
	return time.Date(y, mo, d, h, mi, s, t.Nanosecond(), time.UTC)
}

// midnight is the date of a wall clock.
func midnight(wall time.Time) time.Time {
	y, mo, d := wall.Date()
	return time.Date(y, mo, d, 0, 0, 0, 0, time.UTC)
}

// DateIn is the local date in force at t: the greatest that the zone's clocks have shown up to then, as a UTC midnight. A
// clock that is put back over midnight does not return to the date before.
func DateIn(t time.Time, zone *time.Location, dayStart time.Duration) time.Time {
	at := t.In(zone)
	date := midnight(civil(at).Add(-dayStart))
	for {
		start, _ := at.ZoneBounds()
		if start.IsZero() || t.Sub(start) > 3*day {
			return date
		}
		at = start.Add(-time.Millisecond).In(zone) // the latest that the clock showed before it was put back
		if before := midnight(civil(at).Add(-dayStart)); before.After(date) {
			date = before
		}
	}
}

type startKey struct {
	zone     string
	dayStart time.Duration
	date     int64 // Unix
}

// dateStart is the first instant at which the local date is date or later: found by halving, since the date never goes back.
func (m *Model) dateStart(date time.Time, zone *time.Location, dayStart time.Duration) time.Time {
	key := startKey{zone.String(), dayStart, date.Unix()}
	if start, ok := m.starts[key]; ok {
		return start
	}
	start := search(date.Add(-2*day), date.Add(3*day), func(t time.Time) bool { return !DateIn(t, zone, dayStart).Before(date) })
	if m.starts == nil {
		m.starts = map[startKey]time.Time{}
	}
	m.starts[key] = start
	return start
}

// search is the first millisecond in (low, high] at which reached holds; it must hold at high, and stay so once it does.
func search(low, high time.Time, reached func(time.Time) bool) time.Time {
	lo, hi := low.UnixMilli(), high.UnixMilli()
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		if reached(time.UnixMilli(mid)) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return time.UnixMilli(hi)
}

// first is the first date of the period that holds a date.
func (c Cycle) first(date time.Time, weekStart time.Weekday) time.Time {
	switch c.Unit {
	case "day":
		return date
	case "week":
		for date.Weekday() != weekStart {
			date = date.AddDate(0, 0, -1)
		}
		return date
	case "month":
		return date.AddDate(0, 0, 1-date.Day())
	case "quarter":
		for date.Day() != 1 || date.Month()%3 != 1 {
			date = date.AddDate(0, 0, -1)
		}
		return date
	case "year":
		return date.AddDate(0, 0, 1-date.YearDay())
	case "days":
		n := int(date.Sub(c.From) / day)
		return date.AddDate(0, 0, -((n%c.N + c.N) % c.N))
	}
	panic("no dates in " + c.Unit)
}

// next is the first date of the period after the one that begins on first.
func (c Cycle) next(first time.Time) time.Time {
	switch c.Unit {
	case "day":
		return first.AddDate(0, 0, 1)
	case "week":
		return first.AddDate(0, 0, 7)
	case "month":
		return first.AddDate(0, 1, 0)
	case "quarter":
		return first.AddDate(0, 3, 0)
	case "year":
		return first.AddDate(1, 0, 0)
	}
	return first.AddDate(0, 0, c.N)
}

// label names the period that begins on first.
func (c Cycle) label(first time.Time, weekStart time.Weekday) string {
	switch c.Unit {
	case "day":
		return first.Format("2006-01-02")
	case "week":
		return weekLabel(first, weekStart)
	case "month":
		return first.Format("2006-01")
	case "quarter":
		return fmt.Sprintf("%04d-Q%d", first.Year(), 1+(first.Month()-1)/3)
	case "year":
		return first.Format("2006")
	}
	return fmt.Sprintf("%dd-%s", c.N, first.Format("2006-01-02"))
}

// weekLabel counts from the week that holds 4 January.
func weekLabel(first time.Time, weekStart time.Weekday) string {
	if weekStart == time.Monday {
		year, week := first.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week)
	}
	week := Cycle{Unit: "week"}
	for year := first.Year() + 1; ; year-- {
		one := week.first(time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC), weekStart)
		if one.After(first) {
			continue
		}
		n := 1
		for ; one.Before(first); one = one.AddDate(0, 0, 7) {
			n++
		}
		return fmt.Sprintf("%04d-W%02d", year, n)
	}
}

// Label names the period of a board's cycle that holds t; false between listed periods.
func (m *Model) Label(c Cycle, t time.Time) (string, bool) {
	switch c.Unit {
	case "all":
		return "all", true
	case "listed":
		for _, w := range c.Windows {
			if !t.Before(w.Start) && t.Before(w.End) {
				return w.ID, true
			}
		}
		return "", false
	}
	return c.label(c.first(DateIn(t, m.Org.Zone, 0), m.Org.WeekStart), m.Org.WeekStart), true
}

// periodEnd is the end of the period that holds t.
func (m *Model) periodEnd(c Cycle, t time.Time) time.Time {
	if c.Unit == "listed" {
		for _, w := range c.Windows {
			if !t.Before(w.Start) && t.Before(w.End) {
				return w.End
			}
		}
	}
	return m.dateStart(c.next(c.first(DateIn(t, m.Org.Zone, 0), m.Org.WeekStart)), m.Org.Zone, 0)
}
