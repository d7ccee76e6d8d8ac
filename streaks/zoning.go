package streaks

import (
	"math"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// ZoneChange says that from At on a user's zone is another one. An At of 0 says that it always was.
type ZoneChange struct {
	At   calendar.Instant
	Zone *time.Location
}

// Zoning maps instants to the periods of one streak rule for one user. A change of zone counts from the next period: the period
// that was running at the change ends at the later of its ends in the two zones, and no period comes twice. Of several changes in one period it is the latest of all.
type Zoning struct {
	unit calendar.Cycle
	// event: the local date is that of the offset written with the activity.
	event    bool
	dayStart time.Duration
	segments []segment
}

// segment is a stretch of time with one zone: from its start to the next segment's. Ordinals below floor are raised to it.
type segment struct {
	start calendar.Instant
	floor calendar.Ordinal
	cal   *calendar.Calendar
}

const (
	beginning = calendar.Instant(-1 << 62)
	lowest    = calendar.Ordinal(-1 << 31)
)

// NewZoning returns the zoning of rule in an org with the given calendar, for a user with these zone changes (in order of At; nil: the user
// never named a zone). Only rules in mode ZoneUser look at the changes.
func NewZoning(rule *catalog.Streak, org *calendar.Calendar, changes []ZoneChange) *Zoning {
	shared := len(changes) == 0 // by all users without changes
	zone := rule.Zone
	if zone == nil {
		zone = org.Zone
	}
	if rule.ZoneMode == catalog.ZoneUser && len(changes) > 0 && changes[0].At == 0 {
		zone, changes = changes[0].Zone, changes[1:]
	}
	in := func(l *time.Location) *calendar.Calendar {
		return &calendar.Calendar{Zone: l, WeekStart: org.WeekStart, DayStart: rule.DayStart}
	}
	z := &Zoning{unit: rule.Unit, event: rule.ZoneMode == catalog.ZoneEvent, dayStart: rule.DayStart,
		segments: []segment{{beginning, lowest, in(zone)}}}
	if shared {
		z.segments[0].cal = calendar.New(zone, org.WeekStart, rule.DayStart) // worth its table
	}
	if rule.ZoneMode == catalog.ZoneUser {
		for _, c := range changes {
			z.change(c.At, in(c.Zone))
		}
	}
	return z
}

// change appends a segment that starts where the period that runs at the instant ends, by all changes before this one: of several in one period each has its segment, which
// may be empty.
func (z *Zoning) change(at calendar.Instant, to *calendar.Calendar) {
	open := z.Stamp(at, 0)
	last := &z.segments[len(z.segments)-1]
	z.segments = append(z.segments, segment{start: max(last.start, last.cal.PeriodOf(z.unit, open).End), floor: open, cal: to})
}

func (z *Zoning) segmentAt(at calendar.Instant) *segment {
	i := len(z.segments) - 1
	for i > 0 && at < z.segments[i].start {
		i--
	}
	return &z.segments[i]
}

// Stamp is the period that an activity belongs to: the one that holds its at, in the zone in force then, or at the offset (minutes
// east of UTC) it was written with.
func (z *Zoning) Stamp(at calendar.Instant, offset int16) calendar.Ordinal {
	s := z.segmentAt(at)
	if z.event {
		return s.cal.OrdinalOf(z.unit, eventDate(at, offset, z.dayStart))
	}
	return max(s.cal.OrdinalOf(z.unit, s.cal.DateAt(at)), s.floor)
}

// eventDate is the local date at a fixed offset; no zone's rules are asked.
func eventDate(at calendar.Instant, offset int16, dayStart time.Duration) calendar.Date {
	const day = 24 * 60 * 60 * 1000
	ms := int64(at) + int64(offset)*60_000 - dayStart.Milliseconds()
	d := ms / day
	if ms%day < 0 {
		d--
	}
	return calendar.Date(d)
}

// orgOffset stands for the offset of the org's zone, where rules in mode event have nothing else to go by.
const orgOffset = math.MinInt16

// End is the first instant that is past period o; offset (minutes east of UTC) is what rules in mode event are read at.
func (z *Zoning) End(o calendar.Ordinal, offset int16) calendar.Instant {
	switch {
	case z.event && offset == orgOffset:
		return z.segments[0].cal.PeriodOf(z.unit, o).End
	case z.event:
		_, after := z.segments[0].cal.Dates(z.unit, o)
		return calendar.Instant(int64(after)*24*60*60*1000 - int64(offset)*60_000 + z.dayStart.Milliseconds())
	}
	var end calendar.Instant
	for i, s := range z.segments {
		end = max(s.cal.PeriodOf(z.unit, o).End, s.start)
		if i+1 == len(z.segments) || end < z.segments[i+1].start {
			break
		}
	}
	return end
}

// inOldZones calls yield for each change of zone that was in force: with the period that ran at the change, and the first instant past period o by the zone before it.
func (z *Zoning) inOldZones(o calendar.Ordinal, yield func(changed calendar.Ordinal, end calendar.Instant)) {
	for i := 1; i < len(z.segments); i++ {
		yield(z.segments[i].floor, z.segments[i-1].cal.PeriodOf(z.unit, o).End)
	}
}

// nextExisting is the first period after o that any instant is stamped with.
func (z *Zoning) nextExisting(o calendar.Ordinal) calendar.Ordinal {
	for o++; !z.exists(o); o++ {
	}
	return o
}

// Dates are the dates of period o, [first, after).
func (z *Zoning) Dates(o calendar.Ordinal) (first, after calendar.Date) {
	return z.segments[0].cal.Dates(z.unit, o)
}

// Label is the label of period o.
func (z *Zoning) Label(o calendar.Ordinal) string { return z.segments[0].cal.Label(z.unit, o) }

// Parse reads the label of a period, or a date of it. calendar.ErrBadLabel.
func (z *Zoning) Parse(text string) (calendar.Ordinal, error) {
	cal := z.segments[0].cal
	if d, err := calendar.ParseDate(text); err == nil {
		return cal.OrdinalOf(z.unit, d), nil
	}
	return cal.ParseLabel(z.unit, text)
}

// zoneName is the zone in force at an instant; for mode event the offset that is read at, as "+05:30".
func (z *Zoning) zoneName(at calendar.Instant, latest Latest) string {
	if z.event && latest.Some {
		return time.UnixMilli(0).In(time.FixedZone("", int(latest.Offset)*60)).Format("-07:00")
	}
	return z.segmentAt(at).cal.Zone.String()
}

// open is the period that runs at now. In mode event it is read at the offset of the latest activity and is never before the period of one; a user
// without activity is read in the org's zone.
func (z *Zoning) open(now calendar.Instant, latest Latest) calendar.Ordinal {
	switch {
	case !z.event:
		return z.Stamp(now, 0)
	case latest.Some:
		return max(z.Stamp(now, latest.Offset), latest.Period)
	}
	org := z.segments[0].cal
	return org.OrdinalOf(z.unit, org.DateAt(now))
}

// exists says whether any instant is stamped with the period: a zone may skip a date, and so may a user who crosses the date line.
func (z *Zoning) exists(o calendar.Ordinal) bool {
	if z.event || z.unit.Unit != calendar.Day && (z.unit.Unit != calendar.Days || z.unit.N > 1) {
		return true
	}
	for i := range z.segments {
		s := &z.segments[i]
		first, after := s.cal.Dates(z.unit, o)
		from, to := s.cal.StartOf(first), s.cal.StartOf(after)
		switch {
		case o < s.floor:
			continue
		case o == s.floor:
			from = s.start // what comes before it is raised to it
		}
		if i+1 < len(z.segments) {
			to = min(to, z.segments[i+1].start)
		}
		if max(from, s.start) < to {
			return true
		}
	}
	return false
}
