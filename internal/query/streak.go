package query

import (
	"context"
	"errors"
	"slices"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/streaks"
)

// Streaks reads a user's streaks, as a JSON object: now, or as of an instant, by the activities up to it as they are known now, and what was ordered
// until then. ErrUserNotFound, ErrUserMerged; ErrSealed for an instant before the seal.
func (r *Reader) Streaks(ctx context.Context, org activity.Org, user activity.User, at *calendar.Instant) ([]byte, error) {
	m, err := r.currentOr(ctx, org, user, at)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Streaks []streakObject `json:"streaks"`
	}{r.showStreaks(m)}, json.Deterministic(true))
}

// Streak reads one of Streaks. Errors as there; progress.ErrStreakNotFound.
func (r *Reader) Streak(ctx context.Context, org activity.Org, user activity.User, rule string, at *calendar.Instant) ([]byte, error) {
	m, err := r.currentOr(ctx, org, user, at)
	if err != nil {
		return nil, err
	}
	i, err := streakOf(m.plan, rule)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r.showStreak(m, i), json.Deterministic(true))
}

// Freezes are how many freezes of a streak rule a user holds, and may hold. Errors as Streak.
func (r *Reader) Freezes(ctx context.Context, org activity.Org, user activity.User, rule string) (held, most int, err error) {
	m, err := r.current(ctx, org, user)
	if err != nil {
		return 0, 0, err
	}
	i, err := streakOf(m.plan, rule)
	if err != nil {
		return 0, 0, err
	}
	v := m.state.Derive(m.plan, i, m.now)
	return v.Held, m.plan.Catalog.Streaks[i].Freezes.Max, nil
}

// Pauses are a user's, in order of the instants at which they were made. ErrUserNotFound, ErrUserMerged.
func (r *Reader) Pauses(ctx context.Context, org activity.Org, user activity.User) ([]streaks.Pause, error) {
	s, err := r.state(ctx, org, user)
	if err != nil {
		return nil, err
	}
	return s.Pauses, nil
}

// streakOf is the place of a streak rule in the catalog.
func streakOf(p *progress.Plan, rule string) (int, error) {
	i := slices.IndexFunc(p.Catalog.Streaks, func(s *catalog.Streak) bool { return s.ID == rule })
	if i < 0 {
		return 0, progress.ErrStreakNotFound
	}
	return i, nil
}

// moment is a user at an instant.
type moment struct {
	org   activity.Org
	plan  *progress.Plan
	entry *registry.Entry // that the plan is of
	state *progress.State
	now   calendar.Instant
	// folded: the state is not the stored one, as that does not follow the plan.
	folded bool
}

// moment reads a user: now (nil), or as of an instant.
func (r *Reader) moment(ctx context.Context, org activity.Org, user activity.User, at *calendar.Instant) (*moment, error) {
	s, err := r.state(ctx, org, user)
	if err != nil {
		return nil, err
	}
	if at == nil {
		return r.present(ctx, org, user, s)
	}
	return r.past(ctx, org, user, s, *at)
}

// present is a user as of now. Who was decided under other definitions, and waits for the backfill, is folded anew: a state does not tell what those would have made of it.
func (r *Reader) present(ctx context.Context, org activity.Org, user activity.User, s *progress.State) (*moment, error) {
	plan, entry, err := r.ingest.Plan(org)
	m := &moment{org: org, plan: plan, entry: entry, state: s, now: r.clock.Now()}
	if err != nil || s.Follows(plan) {
		return m, err
	}
	base, records, err := r.ingest.Base(ctx, org, user)
	if err != nil {
		return nil, err
	}
	return m, m.fold(base, records)
}

// fold makes the moment's state anew of all that there is of the user.
func (m *moment) fold(base *progress.State, records []activity.Activity) (err error) {
	m.folded = true
	m.state, err = progress.Rebuild(m.plan, m.state, base, records, m.now)
	if errors.Is(err, fold.ErrRange) {
		err = nil // a sum that a later activity brought back into the range, or of a rule that passes over what it cannot take
	}
	return err
}

// past folds the activities up to an instant anew, by what was ordered until then.
func (r *Reader) past(ctx context.Context, org activity.Org, user activity.User, s *progress.State, at calendar.Instant) (*moment, error) {
	if at < s.Sealed {
		return nil, detailed(ErrSealed, "history before %s is sealed", s.Sealed)
	}
	plan, entry, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	base, records, err := r.ingest.Base(ctx, org, user)
	if err != nil {
		return nil, err
	}
	known := records[:0]
	for i := range records {
		if records[i].At <= at {
			known = append(known, records[i])
		}
	}
	m := &moment{org: org, plan: plan.AsOf(at), entry: entry, state: s.AsOf(at), now: at}
	return m, m.fold(base, known)
}

// streakObject is a streak on the wire (DESIGN §4.2).
type streakObject struct {
	Rule           string           `json:"rule"`
	Current        int              `json:"current"`
	Longest        int              `json:"longest"`
	LongestSpan    *span            `json:"longest_span,omitempty"`
	TotalPeriods   int              `json:"total_periods"`
	State          streaks.State    `json:"state"`
	Unit           string           `json:"unit"`
	Timezone       string           `json:"timezone"`
	Started        string           `json:"started,omitempty"`
	LastExtendedAt calendar.Instant `json:"last_extended_at,omitzero"`
	Deadline       calendar.Instant `json:"deadline,omitzero"`
	DiesAt         calendar.Instant `json:"dies_at,omitzero"`
	Target         *Score           `json:"target,omitempty"` // the user's own
	OptedOut       bool             `json:"opted_out,omitzero"`
	Pending        bool             `json:"pending,omitzero"` // the rule changed, and this user was not counted anew yet
	Lost           *lostObject      `json:"lost,omitempty"`
	Period         periodObject     `json:"period"`
	Freezes        freezesObject    `json:"freezes"`
	History        []historyObject  `json:"history"`
	Since          calendar.Instant `json:"since,omitzero"` // of a preview: what it cannot see is before
}

type span struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

// lostObject is the streak that was lost last.
type lostObject struct {
	pastObject
	RestorableUntil calendar.Instant `json:"restorable_until,omitzero"`
}

type pastObject struct {
	Length int              `json:"length"`
	Start  string           `json:"start"`
	End    string           `json:"end"`
	At     calendar.Instant `json:"at"`
}

type periodObject struct {
	Label      string            `json:"label"`
	Value      Score             `json:"value"`
	Target     Score             `json:"target"`
	Met        bool              `json:"met"`
	Conditions []conditionObject `json:"conditions,omitempty"`
}

type historyObject struct {
	Period     string               `json:"period"`
	Status     streaks.PeriodStatus `json:"status"`
	Value      Score                `json:"value"`
	Target     Score                `json:"target"`
	Conditions []conditionObject    `json:"conditions,omitempty"`
}

type conditionObject struct {
	Value  Score `json:"value"`
	Target Score `json:"target"`
}

type freezesObject struct {
	Held int `json:"held"`
	Used int `json:"used"`
	Max  int `json:"max"`
}

func (r *Reader) showStreaks(m *moment) []streakObject {
	list := make([]streakObject, len(m.plan.Catalog.Streaks))
	for i := range list {
		list[i] = r.showStreak(m, i)
	}
	return list
}

func (r *Reader) showStreak(m *moment, i int) streakObject {
	v := m.state.Derive(m.plan, i, m.now)
	o := streakShown(m.plan.Calculus(i, m.state), &v, m.now)
	o.Pending = m.state.Plan != m.plan.Print() && r.ingest.Pending(m.org, o.Rule+progress.CurrentSuffix)
	return o
}

func streakShown(c *streaks.Calculus, v *streaks.View, now calendar.Instant) streakObject {
	label := c.Zoning.Label
	o := streakObject{
		Rule: c.Rule.ID, Current: v.Run.Length, Longest: v.Longest.Length, TotalPeriods: v.Total,
		State: v.State, Unit: c.Rule.Unit.String(), Timezone: v.Zone, LastExtendedAt: v.LastExtendedAt(),
		Deadline: v.Deadline, DiesAt: v.DiesAt, Freezes: freezesObject{Held: v.Held, Used: v.Used, Max: c.Rule.Freezes.Max},
		OptedOut: v.OptedOut, Target: ownTarget(c), Lost: showLost(c, v, now),
	}
	if v.Longest.Length > 0 {
		o.LongestSpan = &span{label(v.Longest.First), label(v.Longest.Last)}
	}
	if v.Run.Length > 0 {
		o.Started = label(v.Run.First)
	}
	value, target, all := conditions(c, &v.Period)
	o.Period = periodObject{Label: label(v.Period.Ordinal), Value: value, Target: target, Met: v.Period.Met, Conditions: all}
	o.History = showHistory(c, v.History)
	return o
}

// ownTarget is what the user wants, nil where that is what the rule does. It may be in force from the next period on only.
func ownTarget(c *streaks.Calculus) *Score {
	n := len(c.Commands.Targets)
	if n == 0 || c.Commands.Targets[n-1].N == 0 || c.Rule.MaxTarget == 0 {
		return nil
	}
	return &Score{c.Commands.Targets[n-1].N, c.Rule.Conditions[0].Decimals}
}

func showLost(c *streaks.Calculus, v *streaks.View, now calendar.Instant) *lostObject {
	if v.Lost.Length == 0 {
		return nil
	}
	o := &lostObject{pastObject: showPast(c, &v.Lost, v.LostAt)}
	if until := v.LostAt + calendar.Instant(c.Rule.Restore.Milliseconds()); c.Rule.Restore > 0 && now <= until {
		o.RestorableUntil = until
	}
	return o
}

func showPast(c *streaks.Calculus, e *streaks.Ended, at calendar.Instant) pastObject {
	return pastObject{Length: e.Length, Start: c.Zoning.Label(e.First), End: c.Zoning.Label(e.Last), At: at}
}

func showHistory(c *streaks.Calculus, periods []streaks.PeriodView) []historyObject {
	list := make([]historyObject, len(periods))
	for i := range periods {
		p := &periods[i]
		value, target, all := conditions(c, p)
		list[i] = historyObject{Period: c.Zoning.Label(p.Ordinal), Status: p.Status, Value: value, Target: target, Conditions: all}
	}
	return list
}

// conditions gives the first condition's value and target, and all of them where there are several.
func conditions(c *streaks.Calculus, p *streaks.PeriodView) (value, target Score, all []conditionObject) {
	for k := range c.Rule.Conditions {
		d := c.Rule.Conditions[k].Decimals
		all = append(all, conditionObject{Score{p.Values[k], d}, Score{p.Targets[k], d}})
	}
	value, target = all[0].Value, all[0].Target
	if len(all) == 1 {
		all = nil
	}
	return value, target, all
}
