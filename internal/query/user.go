package query

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/streaks"
)

func (r *Reader) state(ctx context.Context, org activity.Org, user activity.User) (*progress.State, error) {
	s, err := r.ingest.State(ctx, org, user)
	var merged *ingest.MergedError
	switch {
	case errors.Is(err, ingest.ErrUserNotFound):
		return nil, ErrUserNotFound
	case errors.As(err, &merged):
		return nil, detailed(ErrUserMerged, "%s", merged.Detail())
	}
	return s, err
}

// userObject is GET /v1/users/{user}.
type userObject struct {
	ID         activity.User     `json:"id"`
	Timezone   string            `json:"timezone,omitempty"`
	Profile    profile.Profile   `json:"profile,omitzero"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Hidden     bool              `json:"hidden,omitzero"`
	Blocked    bool              `json:"blocked,omitzero"`
	Streaks    []streakObject    `json:"streaks"`
	Ranks      []BoardRank       `json:"ranks"`
}

// User reads everything about a user, as a JSON object with its members in a fixed order. ErrUserNotFound, ErrUserMerged, ranking.ErrLoading.
func (r *Reader) User(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	s, err := r.state(ctx, org, user)
	if err != nil {
		return nil, err
	}
	o := userObject{ID: user, Hidden: s.Hidden, Blocked: s.Blocked}
	if n := len(s.Zones); n > 0 {
		o.Timezone = s.Zones[n-1].Name
	}
	shown, err := r.ingest.Profiles(ctx, org, []activity.User{user})
	if err != nil {
		return nil, err
	}
	o.Profile = shown[0]
	for _, a := range s.Attributes {
		if o.Attributes == nil {
			o.Attributes = make(map[string]string, len(s.Attributes))
		}
		o.Attributes[a.Name] = a.Value
	}
	if o.Streaks, err = r.streaks(org, s, r.clock.Now()); err != nil {
		return nil, err
	}
	if o.Ranks, err = r.userRanks(ctx, org, user, ""); err != nil {
		return nil, err
	}
	return json.Marshal(o, json.Deterministic(true))
}

// UserRanks reads a user's places on all current boards, or on those of a period, as a JSON object. ErrUserNotFound, ErrUserMerged, ErrBadPeriod, ranking.ErrLoading.
func (r *Reader) UserRanks(ctx context.Context, org activity.Org, user activity.User, period string) ([]byte, error) {
	if _, err := r.state(ctx, org, user); err != nil {
		return nil, err
	}
	ranks, err := r.userRanks(ctx, org, user, period)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Ranks []BoardRank `json:"ranks"`
	}{ranks})
}

// Streaks reads a user's streaks, as a JSON object: now, or as of an instant, by the activities up to it as they are known now. ErrUserNotFound, ErrUserMerged;
// ErrSealed for an instant before the seal.
func (r *Reader) Streaks(ctx context.Context, org activity.Org, user activity.User, at *calendar.Instant) ([]byte, error) {
	s, err := r.state(ctx, org, user)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	if at != nil {
		now = *at
		if s, err = r.stateAt(ctx, org, user, s, now); err != nil {
			return nil, err
		}
	}
	list, err := r.streaks(org, s, now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Streaks []streakObject `json:"streaks"`
	}{list})
}

// Activities lists a user's log, newest first. before is the next of an earlier page, "" for the first; next is "" at the end. ErrUserNotFound,
// ErrBadCursor.
func (r *Reader) Activities(ctx context.Context, org activity.Org, user activity.User, limit int, before string) (list []activity.Activity, next string, err error) {
	var from *ingest.Place
	if before != "" {
		if from, err = parseLogCursor(r.sealer, org, user, before); err != nil {
			return nil, "", err
		}
	}
	list, more, err := r.ingest.Activities(ctx, org, user, limit, from)
	if errors.Is(err, ingest.ErrUserNotFound) {
		err = ErrUserNotFound
	}
	if more {
		last := &list[len(list)-1]
		next = logCursor(r.sealer, org, user, ingest.Place{At: last.At, ID: last.ID})
	}
	return list, next, err
}

// stateAt folds the activities up to an instant anew.
func (r *Reader) stateAt(ctx context.Context, org activity.Org, user activity.User, s *progress.State, at calendar.Instant) (*progress.State, error) {
	if at < s.Sealed {
		return nil, detailed(ErrSealed, "history before %s is sealed", s.Sealed)
	}
	plan, _, err := r.ingest.Plan(org)
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
	then := *s
	then.Zones = nil
	for _, z := range s.Zones {
		if z.At <= at {
			then.Zones = append(then.Zones, z)
		}
	}
	state, err := progress.Rebuild(plan, &then, base, known, at)
	if errors.Is(err, fold.ErrRange) {
		err = nil // a sum that a later activity brought back into the range; no streak shows it
	}
	return state, err
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
	Period         periodObject     `json:"period"`
	Freezes        freezesObject    `json:"freezes"`
	History        []historyObject  `json:"history"`
}

type span struct {
	Start string `json:"start"`
	End   string `json:"end"`
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

// streaks shows every streak rule of the org for a user.
func (r *Reader) streaks(org activity.Org, s *progress.State, now calendar.Instant) ([]streakObject, error) {
	plan, entry, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	list := make([]streakObject, 0, len(entry.Catalog.Streaks))
	for i := range entry.Catalog.Streaks {
		v := s.Derive(plan, i, now)
		list = append(list, show(plan.Calculus(i, s), &v))
	}
	return list, nil
}

func show(c *streaks.Calculus, v *streaks.View) streakObject {
	label := c.Zoning.Label
	o := streakObject{
		Rule: c.Rule.ID, Current: v.Run.Length, Longest: v.Longest.Length, TotalPeriods: v.Total,
		State: v.State, Unit: c.Rule.Unit.String(), Timezone: v.Zone, LastExtendedAt: v.LastExtendedAt(),
		Deadline: v.Deadline, DiesAt: v.DiesAt, Freezes: freezesObject{Held: v.Held, Used: v.Used, Max: c.Rule.Freezes.Max},
	}
	if v.Longest.Length > 0 {
		o.LongestSpan = &span{label(v.Longest.First), label(v.Longest.Last)}
	}
	if v.Run.Length > 0 {
		o.Started = label(v.Run.First)
	}
	value, target, all := conditions(c, &v.Period)
	o.Period = periodObject{Label: label(v.Period.Ordinal), Value: value, Target: target, Met: v.Period.Met, Conditions: all}
	o.History = make([]historyObject, len(v.History))
	for i := range v.History {
		p := &v.History[i]
		value, target, all := conditions(c, p)
		o.History[i] = historyObject{Period: label(p.Ordinal), Status: p.Status, Value: value, Target: target, Conditions: all}
	}
	return o
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
