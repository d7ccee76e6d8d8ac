package query

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/grants"
	"laurel/internal/rewards"
)

// statObject is how many of something a user has, and how many of them came in the last month; that is nil where it was not asked for, or is sealed.
type statObject struct {
	Total     int64  `json:"total"`
	LastMonth *int64 `json:"last_month,omitempty"`
}

// statsObject counts what a user has. Of kinds that the org does not define there is none.
type statsObject struct {
	Activities   *statObject `json:"activities,omitempty"`
	Ignored      int64       `json:"ignored,omitzero"`       // activities without effect
	Achievements *statObject `json:"achievements,omitempty"` // completions
	Levels       *statObject `json:"levels,omitempty"`       // steps
	Missions     *statObject `json:"missions,omitempty"`     // completed ones
	KPIs         *statObject `json:"kpis,omitempty"`         // targets that are met in the periods of now
	Rewards      *statObject `json:"rewards,omitempty"`      // grants, save those that were bought
	Coupons      *statObject `json:"coupons,omitempty"`      // grants that were bought
	Gifts        *statObject `json:"gifts,omitempty"`        // that were received
}

// MonthBefore is the same time of day a calendar month before now, in the org's zone: on the last day of a month that has none so late.
func MonthBefore(now calendar.Instant, cal *calendar.Calendar) calendar.Instant {
	t := now.Time().In(cal.Zone)
	then := t.AddDate(0, -1, 0)
	if then.Day() != t.Day() { // overflown into this month
		then = time.Date(t.Year(), t.Month(), 0, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), cal.Zone)
	}
	return calendar.InstantOf(then)
}

// stats counts what a user has.
func (m *moment) stats(v *rewards.View, set grants.Set) *statsObject {
	o := m.counts(v)
	if len(m.plan.Catalog.Rewards) > 0 {
		o.countGrants(set, m.now)
	}
	return o
}

// addMonth folds the user's log up to a month ago, and what there is more now has come since; where that is sealed it says only what there is.
func (r *Reader) addMonth(ctx context.Context, o *statsObject, m *moment, user activity.User, set grants.Set) error {
	since := MonthBefore(m.now, m.plan.Calendar())
	then, err := r.past(ctx, m.org, user, m.state, since)
	if err == nil {
		o.gainedSince(then.counts(then.state.DeriveEarned(then.plan, then.now)))
	} else if !errors.Is(err, ErrSealed) {
		return err
	}
	if o.KPIs != nil {
		met := m.kpisMetSince(since)
		o.KPIs.LastMonth = &met
	}
	if o.Rewards != nil {
		o.countGrantsSince(set, m.now, since)
	}
	return nil
}

// counts are the totals of what follows from the user's state, of which v shows what is earned.
func (m *moment) counts(v *rewards.View) *statsObject {
	c := m.plan.Catalog
	o := &statsObject{Activities: &statObject{Total: int64(m.state.Activities)}, Ignored: int64(m.state.Ignored)}
	if len(c.Gifts) > 0 {
		o.Gifts = &statObject{Total: int64(m.state.Gifts)}
	}
	if len(c.Achievements) > 0 {
		o.Achievements = &statObject{}
		for i := range v.Achievements {
			o.Achievements.Total += int64(v.Achievements[i].Times)
		}
	}
	if len(c.Levels) > 0 {
		o.Levels = &statObject{}
		for i := range v.Levels {
			o.Levels.Total += int64(v.Levels[i].Index)
		}
	}
	if len(c.Missions) > 0 {
		o.Missions = &statObject{}
		for i := range v.Missions {
			if v.Missions[i].Status == rewards.Completed {
				o.Missions.Total++
			}
		}
	}
	if len(c.KPIs) > 0 {
		o.KPIs = &statObject{Total: m.kpisMetSince(m.now)}
	}
	return o
}

// gainedSince fills in what there is more than there was. What was undone is no gain.
func (o *statsObject) gainedSince(then *statsObject) {
	for _, pair := range [][2]*statObject{{o.Activities, then.Activities}, {o.Achievements, then.Achievements}, {o.Levels, then.Levels}, {o.Missions, then.Missions}, {o.Gifts, then.Gifts}} {
		if pair[0] != nil {
			gained := max(pair[0].Total-pair[1].Total, 0)
			pair[0].LastMonth = &gained
		}
	}
}

// kpisMetSince counts the targets that are met, one for each period that has not ended at an instant or ended after it.
func (m *moment) kpisMetSince(since calendar.Instant) (n int64) {
	cal := m.plan.Calendar()
	for _, def := range m.plan.Catalog.KPIs {
		rule := m.plan.Catalog.Rules[def.Rule]
		for _, t := range def.Targets {
			for o, more := cal.OrdinalAt(t.Cycle, m.now); more; o, more = cal.Before(t.Cycle, o, 1) {
				if p := cal.PeriodOf(t.Cycle, o); p.Bounded && p.End <= since {
					break
				}
				if tally := m.state.Tally(rule.ID, t.Cycle.Key(), o); tally != nil && tally.Value >= t.Target {
					n++
				}
			}
		}
	}
	return n
}

// countGrants counts what the user was given, and what was bought.
func (o *statsObject) countGrants(set grants.Set, now calendar.Instant) {
	given, bought := countIssued(set, now, math.MinInt64)
	o.Rewards, o.Coupons = &statObject{Total: given}, &statObject{Total: bought}
}

func (o *statsObject) countGrantsSince(set grants.Set, now, since calendar.Instant) {
	given, bought := countIssued(set, now, since)
	o.Rewards.LastMonth, o.Coupons.LastMonth = &given, &bought
}

// countIssued counts what was issued at an instant or later. That it expired makes no difference.
func countIssued(set grants.Set, now, since calendar.Instant) (given, bought int64) {
	for _, g := range set {
		switch {
		case g.Status(now) == grants.None || g.IssuedAt < since:
		case strings.HasPrefix(g.By, couponPrefix):
			bought++
		default:
			given++
		}
	}
	return given, bought
}
