package catalog

import (
	"slices"
	"strconv"
	"time"

	"laurel/internal/calendar"
)

func (b *builder) streak(src *streakSource, p path) *Streak {
	s := &Streak{
		ID:       src.ID,
		Number:   src.Number,
		Name:     src.Name,
		DayStart: time.Duration(src.DayStart),
		Grace:    time.Duration(src.Grace),
		AtRisk:   time.Duration(src.AtRisk),
		Restore:  time.Duration(src.RestoreWindow),
		OnMiss:   src.OnMiss.OnMiss,
		Decay:    src.OnMiss.Decay,
	}
	if src.Unit != nil {
		s.Unit, _ = b.cycle(src.Unit, p.to("unit"))
	}
	b.conditions(s, src, p)
	b.userTarget(s, src, p.to("user_target"))
	s.setActive(src.ActiveDays)
	b.holidays(s, src.Holidays, p.to("holidays"))
	b.streakZone(s, src.Timezone, p.to("timezone"))
	b.lengths(s, p)
	b.freezes(s, src.Freezes, p.to("freezes"))
	b.milestones(s, src.Milestones, p.to("milestones"))
	s.Print, s.Terms = s.print(b.catalog).sum(), s.terms().sum()
	return s
}

// conditions reads when with a target, or any, or all. Of several, which is a structural fault, each is still checked.
func (b *builder) conditions(s *Streak, src *streakSource, p path) {
	if src.When != nil {
		target := int64(1)
		override(&target, src.Target)
		s.Conditions = append(s.Conditions, Condition{Selector: b.selector(src.When, nil, 0, p), AtLeast: target})
	}
	for i, c := range src.Any {
		if c != nil {
			s.Conditions = append(s.Conditions, b.condition(c, p.to("any", i)))
		}
	}
	for i, c := range src.All {
		if c != nil {
			s.All = true
			s.Conditions = append(s.Conditions, b.condition(c, p.to("all", i)))
		}
	}
}

func (b *builder) condition(src *conditionSource, p path) Condition {
	c := Condition{Selector: b.selector(src.When, src.Value, src.Decimals, p)}
	if src.AtLeast == nil {
		return c
	}
	at := p.to("at_least")
	var fits bool
	if c.AtLeast, fits = b.amount(*src.AtLeast, c.Decimals, at); fits && c.AtLeast < 1 && (c.Fold == Count || c.Fold == Unique) {
		b.report.at(at, "%s is always at least that much: the least is 1", c.Fold)
	}
	return c
}

func plainNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// setActive takes the active weekdays; none named: all. They are of unit day: in a longer unit every day is active.
func (s *Streak) setActive(days []string) {
	named := slices.DeleteFunc(slices.Clone(days), func(d string) bool { return d == "" || s.Unit.Unit != calendar.Day })
	for d := range s.ActiveDays {
		s.ActiveDays[d] = len(named) == 0
	}
	for _, word := range named {
		s.ActiveDays[weekday(word, time.Sunday)] = true
	}
}

// holidays takes the dates that are inactive. As active weekdays, they are of unit day: in a longer unit each is only checked. They are too few to
// leave no active day after them.
func (b *builder) holidays(s *Streak, dates []string, p path) {
	for i, text := range dates {
		date, err := calendar.ParseDate(text)
		switch {
		case text == "": // a fault of its own
		case err != nil:
			b.report.at(p.to(i), "there is no date %s", text)
		case s.Unit.Unit == calendar.Day:
			s.Holidays = append(s.Holidays, date)
		}
	}
	slices.Sort(s.Holidays)
}

// userTarget takes how high users may raise the target, which beside any and all, a structural fault, there is none.
func (b *builder) userTarget(s *Streak, src *streakSource, p path) {
	if src.UserTarget == nil || src.UserTarget.Max == 0 || src.When == nil {
		return
	}
	s.MaxTarget = src.UserTarget.Max
	if target := s.Conditions[0].AtLeast; s.MaxTarget < target {
		b.report.at(p.to("max"), "%d is less than target, which is %d: users may only raise it", s.MaxTarget, target)
	}
}

func (b *builder) streakZone(s *Streak, src streakZoneSource, p path) {
	switch src.Word {
	case "", "user":
		s.ZoneMode = ZoneUser
		s.Zone = b.zone(src.User, p.to("user"))
	case "org":
		s.ZoneMode = ZoneOrg
	case "event":
		s.ZoneMode = ZoneEvent
	default:
		s.ZoneMode = ZoneNamed
		s.Zone = b.zone(src.Word, p)
	}
}

// lengths checks the durations that depend on others: with a grace as long as a period, one activity could count for two periods before; with a lead
// longer than there is time to meet a period, it would begin before the period does.
func (b *builder) lengths(s *Streak, p path) {
	if s.DayStart >= day {
		b.report.at(p.to("day_start"), "a day starts within its 24 hours")
	}
	if s.Unit.Unit == 0 {
		return
	}
	limit := shortest(s.Unit)
	if s.Grace >= limit {
		b.report.at(p.to("grace"), "the grace must be shorter than a period, which may have %s", inDays(limit))
	} else if s.AtRisk > limit+s.Grace {
		b.report.at(p.to("at_risk"), "the lead must not be longer than a period with its grace, which may have %s", inDays(limit+s.Grace))
	}
}

// milestones checks that no length has two events: not both every time and once.
func (b *builder) milestones(s *Streak, src []*milestoneSource, p path) {
	type length struct{ at, every int }
	seen := map[length]int{}
	for i, m := range src {
		if m == nil {
			continue
		}
		if first, dup := taken(seen, length{m.At, m.Every}, i); dup {
			b.report.at(p.to(i), "this is what milestone %d says", first)
		}
		s.Milestones = append(s.Milestones, Milestone{At: m.At, Every: m.Every, OncePerRun: m.Once == "run"})
	}
}

func (b *builder) freezes(s *Streak, src freezesSource, p path) {
	s.Freezes = Freezes{Initial: src.Initial, EarnEvery: src.EarnEvery, Max: src.Initial}
	override(&s.Freezes.Max, src.Max)
	if s.Freezes.Initial > s.Freezes.Max {
		b.report.at(p.to("initial"), "%d freezes are more than max, which is %d", s.Freezes.Initial, s.Freezes.Max)
	}
}
