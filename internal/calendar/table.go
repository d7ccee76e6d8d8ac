package calendar

import (
	"math"
	"sort"
	"time"
)

// The years that a table covers: DateAt looks back from 1970 a little, and what lies after is rare enough to be slow.
const (
	tableStart Instant = -2 * maxOffset
	tableEnd   Instant = 3_155_760_000 * secondMS // 2070-01-01
)

// table holds a zone's offsets between tableStart and tableEnd. The time package keeps the later years of a zone as a rule in
// text, which it parses on every question (some hundred ns for a date), and whether this year is such a one depends on how
// the machine's zone files were written. The table answers ten times as fast (BenchmarkDateAt), for 16 bytes a change of the clock.
type table struct {
	zone *time.Location
	rows []row // in order of until, neighbours with different offsets; the last until ≥ tableEnd
}

// row is a time of constant offset that begins where the row before ends.
type row struct{ until, offset Instant }

// New returns a calendar that has the offsets of its zone at hand from 1970 to 2069. It takes some 0.1 ms and 3 KB, so it is
// for calendars that are kept.
func New(zone *time.Location, weekStart time.Weekday, dayStart time.Duration) *Calendar {
	t := &table{zone: zone}
	for at := tableStart; at < tableEnd; {
		offset, until := stretchOf(zone, at)
		if last := len(t.rows) - 1; last >= 0 && t.rows[last].offset == offset {
			t.rows[last].until = until
		} else {
			t.rows = append(t.rows, row{until: until, offset: offset})
		}
		at = until
	}
	return &Calendar{Zone: zone, WeekStart: weekStart, DayStart: dayStart, table: t}
}

// stretch does what stretchOf does, for tableStart ≤ i < tableEnd.
func (t *table) stretch(i Instant) (offset, until Instant) {
	n := sort.Search(len(t.rows), func(n int) bool { return i < t.rows[n].until })
	return t.rows[n].offset, t.rows[n].until
}

// stretchOf returns the zone's offset at i in milliseconds, and an instant after i up to which it stays so. That need not be
// the next change of the clock: past the table of a zone file the time package stops at the end of the year (and in a leap
// year a day before it). Where the stretch began is not asked, since there that package may skip over a change.
func stretchOf(zone *time.Location, i Instant) (offset, until Instant) {
	t := time.Unix(floorDiv(int64(i), secondMS), 0).In(zone)
	_, seconds := t.Zone()
	_, end := t.ZoneBounds()
	if end.IsZero() { // the zone never changes again
		return Instant(seconds) * secondMS, math.MaxInt64
	}
	until = Instant(end.Unix()) * secondMS
	for until <= i {
		until += dayMS
	}
	return Instant(seconds) * secondMS, until
}
