package oracle

import "time"

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
	// latest is the matching activity with the greatest (at, id); nil if there is none. newest is the latest stamped period.
	latest *Record
	newest time.Time
}

func (m *Model) clockwork(s *Streak, user string, items [][]item) *clockwork {
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
	for _, list := range items {
		for _, it := range list {
			if k.latest == nil || earlier(item{Record: k.latest}, it) <= 0 {
				k.latest = it.Record
			}
			if p := k.stamp(it.At); p.After(k.newest) {
				k.newest = p
			}
		}
	}
	return k
}

// change begins a stretch where the period ends that runs at the change. One that has not begun yet is replaced.
func (k *clockwork) change(c ZoneChange) {
	last := &k.stretches[len(k.stretches)-1]
	if len(k.stretches) > 1 && c.At.Before(last.since) {
		last.zone = c.Zone
		return
	}
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

// reading is t with the offset that event rules are read at; without any activity it is the org's zone that tells the date.
func (k *clockwork) reading(t time.Time) time.Time {
	if k.latest != nil {
		return t.In(k.latest.At.Location())
	}
	return t.In(k.m.Org.Zone)
}

func (k *clockwork) openAt(now time.Time) time.Time {
	if k.rule.Mode != "event" {
		return k.stamp(now)
	}
	if k.latest == nil {
		return k.rule.Unit.first(DateIn(now, k.m.Org.Zone, k.rule.DayStart), k.m.Org.WeekStart)
	}
	open := k.stamp(k.reading(now))
	if k.newest.After(open) {
		return k.newest
	}
	return open
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

// end is the first instant that belongs to a later period.
func (k *clockwork) end(first time.Time) time.Time {
	next := k.rule.Unit.next(first)
	if k.rule.Mode != "event" && len(k.stretches) == 1 {
		return k.m.dateStart(next, k.stretches[0].zone, k.rule.DayStart)
	}
	return search(first.Add(-3*day), next.Add(4*day), func(t time.Time) bool {
		if k.rule.Mode == "event" {
			t = k.reading(t)
		}
		return k.stamp(t).After(first)
	})
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
	return k.end(k.before(first)).Before(k.end(first))
}

// active says whether the period counts.
func (k *clockwork) active(first time.Time) bool {
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
