package oracle

import (
	"slices"
	"strconv"
	"time"
)

// ZoneChange says that from At on a user wants another zone.
type ZoneChange struct {
	At   time.Time
	Zone *time.Location
}

// stretch is a time with one zone; no period of it lies before the one that ran when it began.
type stretch struct {
	since time.Time
	zone  *time.Location
	floor time.Time
}

// clockwork says which period of one rule an instant belongs to, for one user.
type clockwork struct {
	m         *Model
	rule      *Streak
	stretches []stretch
	latest    *Record                 // the matching activity with the greatest (at, id); nil if there is none
	ends      map[time.Time]time.Time // of periods by their first dates, those found already
	existing  map[time.Time]bool      // whether they exist, as far as asked
}

// clockwork is that of a user with these matching activities, in order.
func (m *Model) clockwork(s *Streak, user string, activities []activity) *clockwork {
	zone := m.Org.Zone
	if s.Zone != nil {
		zone = s.Zone
	}
	k := &clockwork{m: m, rule: s, stretches: []stretch{{zone: zone}}}
	if s.Mode == "user" {
		for _, c := range m.Zones[user] {
			k.change(c)
		}
	}
	if n := len(activities); n > 0 {
		k.latest = activities[n-1].Record
	}
	k.ends, k.existing = map[time.Time]time.Time{}, map[time.Time]bool{}
	return k
}

// change begins a stretch where the period ends that runs at the change, by all changes before it.
func (k *clockwork) change(c ZoneChange) {
	running := k.stamp(c.At)
	k.stretches = append(k.stretches, stretch{since: k.end(running), zone: c.Zone, floor: running})
}

func (k *clockwork) stretchAt(t time.Time) *stretch {
	s := &k.stretches[0]
	for i := range k.stretches {
		if i > 0 && !t.Before(k.stretches[i].since) {
			s = &k.stretches[i]
		}
	}
	return s
}

// stamp is the first date of the period that t belongs to; for event rules at the offset that t carries.
func (k *clockwork) stamp(t time.Time) time.Time {
	if k.rule.Mode == "event" {
		return k.rule.Unit.first(midnight(civil(t).Add(-k.rule.DayStart)), k.m.Org.WeekStart)
	}
	s := k.stretchAt(t)
	p := k.rule.Unit.first(DateIn(t, s.zone, k.rule.DayStart), k.m.Org.WeekStart)
	if p.Before(s.floor) {
		return s.floor
	}
	return p
}

// reading is t with the offset of another time, which is what event rules are read at.
func reading(t, like time.Time) time.Time { return t.In(fixed(like)) }

// fixed is a zone that always has the offset of a time. Its name tells it from others.
func fixed(like time.Time) *time.Location {
	_, offset := like.Zone()
	return time.FixedZone(strconv.Itoa(offset), offset)
}

// runningAt is the period that now is stamped with, for event rules at the offset of the latest activity; without any it is the org's zone that tells the date.
func (k *clockwork) runningAt(now time.Time) time.Time {
	switch {
	case k.rule.Mode != "event":
		return k.stamp(now)
	case k.latest == nil:
		return k.rule.Unit.first(DateIn(now, k.m.Org.Zone, k.rule.DayStart), k.m.Org.WeekStart)
	}
	return k.stamp(reading(now, k.latest.At))
}

func (k *clockwork) zoneName(now time.Time) string {
	switch {
	case k.rule.Mode == "event" && k.latest != nil:
		return k.latest.At.Format("-07:00")
	case k.rule.Mode == "event":
		return k.m.Org.Zone.String()
	}
	return k.stretchAt(now).zone.String()
}

// end is the first instant that belongs to a later period, for event rules at the offset of the latest activity, or in the org's zone without any.
func (k *clockwork) end(first time.Time) time.Time {
	if k.rule.Mode == "event" && k.latest != nil {
		return k.endAt(first, k.latest.At)
	}
	return k.endAt(first, time.Time{})
}

// endAt is the end of a period, for event rules at the offset of a time.
func (k *clockwork) endAt(first, like time.Time) time.Time {
	next := k.rule.Unit.next(first)
	switch {
	case k.rule.Mode == "event" && k.latest == nil:
		return k.m.dateStart(next, k.m.Org.Zone, k.rule.DayStart)
	case k.rule.Mode == "event":
		return k.m.dateStart(next, fixed(like), k.rule.DayStart)
	case len(k.stretches) == 1:
		return k.m.dateStart(next, k.stretches[0].zone, k.rule.DayStart)
	}
	end, ok := k.ends[first]
	if !ok {
		end = search(first.Add(-3*day), next.Add(4*day), func(t time.Time) bool { return k.stamp(t).After(first) })
		if k.ends != nil { // nil while changes of zone are still to come
			k.ends[first] = end
		}
	}
	return end
}

// deadline is until when a period can be met: its end, later if a change of zone extends it, and the grace. For event rules it is read at the offset of the
// latest activity.
func (k *clockwork) deadline(first time.Time) time.Time {
	return k.extended(first, k.end(first)).Add(k.rule.Grace)
}

// deadlineFor is the deadline as it is for an activity: for event rules at its own offset.
func (k *clockwork) deadlineFor(first time.Time, a *Record) time.Time {
	return k.extended(first, k.endAt(first, a.At)).Add(k.rule.Grace)
}

// extended is the end of a period, or its end in the zone before, if it is the first one after the period in which the zone was changed. That is never later
// than the end of the period that follows.
func (k *clockwork) extended(first, end time.Time) time.Time {
	if k.rule.Mode == "event" {
		return end
	}
	extended := end
	for i := 1; i < len(k.stretches); i++ {
		if !k.activeAfter(k.stretches[i].floor).Equal(first) {
			continue
		}
		old := k.m.dateStart(k.rule.Unit.next(first), k.stretches[i-1].zone, k.rule.DayStart)
		limit := k.end(k.existingAfter(first))
		if old.After(limit) {
			old = limit
		}
		if old.After(extended) {
			extended = old
		}
	}
	return extended
}

func (k *clockwork) label(first time.Time) string {
	return k.rule.Unit.label(first, k.m.Org.WeekStart)
}

// before is the period before one, whether it counts or not.
func (k *clockwork) before(first time.Time) time.Time {
	return k.rule.Unit.first(first.AddDate(0, 0, -1), k.m.Org.WeekStart)
}

// exists says whether any instant belongs to the period.
func (k *clockwork) exists(first time.Time) bool {
	if k.rule.Mode == "event" || k.rule.Unit.Unit != "day" && (k.rule.Unit.Unit != "days" || k.rule.Unit.N > 1) {
		return true // nothing skips more than a date
	}
	exists, known := k.existing[first]
	if !known {
		exists = k.end(k.before(first)).Before(k.end(first))
		if k.existing != nil { // nil while changes of zone are still to come
			k.existing[first] = exists
		}
	}
	return exists
}

func (k *clockwork) existingAfter(first time.Time) time.Time {
	for first = k.rule.Unit.next(first); !k.exists(first); first = k.rule.Unit.next(first) {
	}
	return first
}

// active says whether the period is required: it exists, and its day is an active one.
func (k *clockwork) active(first time.Time) bool {
	if k.rule.Unit.Unit == "day" && slices.ContainsFunc(k.rule.Holidays, first.Equal) {
		return false
	}
	if k.rule.Unit.Unit == "day" && k.rule.ActiveDays != nil {
		named := false
		for _, d := range k.rule.ActiveDays {
			named = named || d == first.Weekday()
		}
		if !named {
			return false
		}
	}
	return k.exists(first)
}

func (k *clockwork) activeBefore(first time.Time) time.Time {
	for first = k.before(first); !k.active(first); first = k.before(first) {
	}
	return first
}

func (k *clockwork) activeAfter(first time.Time) time.Time {
	for first = k.rule.Unit.next(first); !k.active(first); first = k.rule.Unit.next(first) {
	}
	return first
}
