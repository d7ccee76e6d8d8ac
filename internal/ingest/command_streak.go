package ingest

import (
	"context"
	"errors"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/internal/progress"
	"laurel/streaks"
)

// order is a command about a user's streaks: from the state as it is (the plan in force, now) it makes the state with the command in it, or the same
// state where there is nothing to do. It may be called more than once.
type order func(s *progress.State, p *progress.Plan, now calendar.Instant) (*progress.State, error)

// GrantFreezes gives a user n freezes of a streak rule, as far as the rule's max allows: that many are granted. ErrUserNotFound, ErrUserMerged and the
// errors of progress.State.GrantFreezes.
func (s *Service) GrantFreezes(ctx context.Context, org activity.Org, user activity.User, rule string, n int) (granted int, err error) {
	err = s.order(ctx, org, user, progress.Doing, func(st *progress.State, p *progress.Plan, now calendar.Instant) (next *progress.State, err error) {
		next, granted, err = st.GrantFreezes(p, rule, n, now)
		return next, err
	})
	return granted, err
}

// RestoreStreak brings back the streak that a user lost last; reason is kept with it. Errors as GrantFreezes, of progress.State.RestoreStreak.
func (s *Service) RestoreStreak(ctx context.Context, org activity.Org, user activity.User, rule, reason string) error {
	return s.order(ctx, org, user, progress.Restoring, func(st *progress.State, p *progress.Plan, now calendar.Instant) (*progress.State, error) {
		return st.RestoreStreak(p, rule, reason, now)
	})
}

// StreakChange is what SetStreak changes; what is not set stays as it is.
type StreakChange struct {
	SetTarget bool
	Target    *int64 // scaled; nil takes the user's own target back
	OptedOut  *bool
}

// SetStreak changes what a user wants of a streak. Errors as GrantFreezes, of progress.State.SetTarget and OptOut.
func (s *Service) SetStreak(ctx context.Context, org activity.Org, user activity.User, rule string, c StreakChange) error {
	return s.order(ctx, org, user, progress.Doing, func(st *progress.State, p *progress.Plan, now calendar.Instant) (*progress.State, error) {
		next, err := st, error(nil)
		if c.SetTarget {
			if next, err = st.SetTarget(p, rule, c.Target, now); err != nil {
				return nil, err
			}
		}
		if c.OptedOut == nil {
			return next, nil
		}
		return next.OptOut(p, rule, *c.OptedOut, now)
	})
}

// Pause pauses all streaks of a user from one local date to another, both inclusive. Errors as GrantFreezes, of progress.State.Pause.
func (s *Service) Pause(ctx context.Context, org activity.Org, user activity.User, from, to calendar.Date) (pause streaks.Pause, err error) {
	err = s.order(ctx, org, user, progress.Doing, func(st *progress.State, p *progress.Plan, now calendar.Instant) (next *progress.State, err error) {
		next, pause, err = st.Pause(p, from, to, now)
		return next, err
	})
	return pause, err
}

// Unpause ends a pause. Errors as GrantFreezes, of progress.State.Unpause.
func (s *Service) Unpause(ctx context.Context, org activity.Org, user activity.User, id uint32) error {
	return s.order(ctx, org, user, progress.Doing, func(st *progress.State, p *progress.Plan, now calendar.Instant) (*progress.State, error) {
		return st.Unpause(p, id, now)
	})
}

func (s *Service) order(ctx context.Context, org activity.Org, user activity.User, why progress.Cause, o order) error {
	_, err := s.do(ctx, org, user, "", &command{kind: ordered, order: o, why: why})
	return err
}

// decideOrder decides an order on the user's whole log: a command may move what was derived from it.
func (w *writer) decideOrder(ctx context.Context, t *task, o order, why progress.Cause) error {
	a := &t.attempt
	old, base, records, err := w.history(ctx, t)
	if err != nil {
		return err
	}
	now, current := w.Clock.Now(), old
	if old.Plan != t.plan.Print() { // what it says of streaks is of other definitions
		if current, err = progress.Rebuild(t.plan, old, base, records, now); err != nil && !errors.Is(err, fold.ErrRange) {
			return err
		}
	}
	with, err := o(current, t.plan, now)
	if a.err = err; err != nil || with == current {
		return nil
	}
	next, err := progress.Rebuild(t.plan, with, base, records, now)
	if err != nil && !errors.Is(err, fold.ErrRange) {
		return err
	}
	update := progress.Diff(t.plan, old, next, now, why)
	a.take(&update)
	a.state, a.commits = next, true
	a.finishGroup(t, nil)
	return nil
}

// StartMission starts a mission for a user. Errors as GrantFreezes, of progress.State.StartMission.
func (s *Service) StartMission(ctx context.Context, org activity.Org, user activity.User, mission string) error {
	return s.order(ctx, org, user, progress.Doing, func(st *progress.State, p *progress.Plan, now calendar.Instant) (*progress.State, error) {
		return st.StartMission(p, mission, now)
	})
}
