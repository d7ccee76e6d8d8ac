package query

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/progress"
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
	CreatedAt  calendar.Instant  `json:"created_at,omitzero"`
	Timezone   string            `json:"timezone,omitempty"`
	Profile    profile.Record    `json:"profile,omitzero"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Hidden     bool              `json:"hidden,omitzero"`
	Blocked    bool              `json:"blocked,omitzero"`
	Stats      *statsObject      `json:"stats"`
	Groups     []enrolledObject  `json:"target_groups,omitempty"`
	Streaks    []streakObject    `json:"streaks"`
	earnedObject
	Ranks []BoardRank `json:"ranks"`
}

// enrolledObject is a target group that the user is enrolled in.
type enrolledObject struct {
	Group string           `json:"target_group"`
	Since calendar.Instant `json:"since"`
}

// UserWithMonth is User with what came in the last month; it folds the user's log for that. Errors as User.
func (r *Reader) UserWithMonth(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	return r.user(ctx, org, user, true)
}

// User reads everything about a user, as a JSON object with its members in a fixed order. ErrUserNotFound, ErrUserMerged, ranking.ErrLoading.
func (r *Reader) User(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	return r.user(ctx, org, user, false)
}

func (r *Reader) user(ctx context.Context, org activity.Org, user activity.User, month bool) ([]byte, error) {
	s, err := r.state(ctx, org, user)
	if err != nil {
		return nil, err
	}
	o := userObject{ID: user, Hidden: s.Hidden, Blocked: s.Blocked}
	if n := len(s.Zones); n > 0 {
		o.Timezone = s.Zones[n-1].Name
	}
	if o.Profile, err = r.ingest.Profile(ctx, org, user); err != nil {
		return nil, err
	}
	o.CreatedAt = o.Profile.CreatedAt
	for _, a := range s.Attributes {
		if o.Attributes == nil {
			o.Attributes = make(map[string]string, len(s.Attributes))
		}
		o.Attributes[a.Name] = a.Value
	}
	m, err := r.present(ctx, org, user, s)
	if err != nil {
		return nil, err
	}
	v := m.state.DeriveEarned(m.plan, m.now)
	o.Streaks, o.earnedObject = r.showStreaks(m), earned(m, v)
	if o.Stats, err = r.stats(ctx, m, v, user, month); err != nil {
		return nil, err
	}
	for _, g := range m.plan.Catalog.TargetGroups {
		if since, some := m.state.Enrolled(g.ID); some {
			o.Groups = append(o.Groups, enrolledObject{g.ID, since})
		}
	}
	if o.Ranks, err = r.userRanks(ctx, org, user, ""); err != nil {
		return nil, err
	}
	return json.Marshal(o, json.Deterministic(true))
}

// FindUser reads everything about the user who has a value of a unique field (profile.Unique). ErrUserNotFound, *ParamError, ranking.ErrLoading.
func (r *Reader) FindUser(ctx context.Context, org activity.Org, field, text string) ([]byte, error) {
	user, err := r.Find(ctx, org, field, text)
	if err != nil {
		return nil, err
	}
	object, err := r.User(ctx, org, user)
	if errors.Is(err, ErrUserMerged) { // just now
		err = ErrUserNotFound
	}
	return object, err
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
