package query

import (
	"context"
	"errors"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/rewards"
)

func (r *Reader) state(ctx context.Context, org activity.Org, user activity.User) (*progress.State, error) {
	s, err := r.ingest.State(ctx, org, user)
	return s, absence(err)
}

// facts reads what the store has of a user. ErrUserNotFound, ErrUserMerged.
func (r *Reader) facts(ctx context.Context, org activity.Org, user activity.User) (*ingest.Facts, *progress.State, error) {
	f, s, err := r.ingest.Facts(ctx, org, user)
	return f, s, absence(err)
}

// absence is an error of the write path as reads name it, if it says that the user is not there.
func absence(err error) error {
	var merged *ingest.MergedError
	switch {
	case errors.Is(err, ingest.ErrUserNotFound):
		return ErrUserNotFound
	case errors.As(err, &merged):
		return detailed(ErrUserMerged, "%s", merged.Detail())
	}
	return err
}

// userObject is GET /v1/users/{user} but for its last member, ranks, which others' activities change too.
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
}

// enrolledObject is a target group that the user is enrolled in.
type enrolledObject struct {
	Group string           `json:"target_group"`
	Since calendar.Instant `json:"since"`
}

// UserWithMonth is AppendUser with what came in the last month; it folds the user's log for that. Errors as there.
func (r *Reader) UserWithMonth(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	facts, state, err := r.facts(ctx, org, user)
	if err != nil {
		return nil, err
	}
	m, err := r.present(ctx, org, user, state)
	if err != nil {
		return nil, err
	}
	o, view := r.userObject(m, user, facts)
	if err := r.addMonth(ctx, o.Stats, m, user, facts.Grants); err != nil {
		return nil, err
	}
	u, err := r.shown(o, m, view, facts)
	if err != nil {
		return nil, err
	}
	return r.appendUser(ctx, nil, org, user, u, m.now)
}

// User is AppendUser to nothing.
func (r *Reader) User(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
	return r.AppendUser(ctx, nil, org, user)
}

// AppendUser appends everything about a user, as a JSON object with its members in a fixed order. It reads the store only where nothing is remembered of the user (shownUser). ErrUserNotFound,
// ErrUserMerged, ranking.ErrLoading.
func (r *Reader) AppendUser(ctx context.Context, b []byte, org activity.Org, user activity.User) ([]byte, error) {
	u, now, err := r.shownNow(ctx, org, user)
	if err != nil {
		return nil, err
	}
	return r.appendUser(ctx, b, org, user, u, now)
}

func (r *Reader) appendUser(ctx context.Context, b []byte, org activity.Org, user activity.User, u *shownUser, now calendar.Instant) ([]byte, error) {
	boards, err := r.currentBoards(org, now)
	if err != nil {
		return nil, err
	}
	b = append(b, u.head...)
	if b, err = r.appendRanks(ctx, b, boards.list, user, u.segments, now); err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

// userObject is what is shown of a user at a moment, and what of it was earned.
func (r *Reader) userObject(m *moment, user activity.User, facts *ingest.Facts) (*userObject, *rewards.View) {
	s := m.state
	o := &userObject{ID: user, CreatedAt: facts.Profile.CreatedAt, Profile: facts.Profile, Hidden: s.Hidden, Blocked: s.Blocked}
	if n := len(s.Zones); n > 0 {
		o.Timezone = s.Zones[n-1].Name
	}
	for _, a := range s.Attributes {
		if o.Attributes == nil {
			o.Attributes = make(map[string]string, len(s.Attributes))
		}
		o.Attributes[a.Name] = a.Value
	}
	v := s.DeriveEarned(m.plan, m.now)
	o.Stats, o.Streaks, o.earnedObject = m.stats(v, facts.Grants), r.showStreaks(m), earned(m, v)
	for _, g := range m.plan.Catalog.TargetGroups {
		if since, some := s.Enrolled(g.ID); some {
			o.Groups = append(o.Groups, enrolledObject{g.ID, since})
		}
	}
	return o, v
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
	s, err := r.state(ctx, org, user)
	if err != nil {
		return nil, err
	}
	plan, _, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	var list []ranked
	if period != "" {
		list, err = r.boardsOf(org, period, now)
	} else if current, failed := r.currentBoards(org, now); failed == nil {
		list = current.list
	} else {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	b, err := r.appendRanks(ctx, []byte(`{"ranks":`), list, user, segmentsIn(plan, s), now)
	return append(b, '}'), err
}
