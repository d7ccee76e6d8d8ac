package ingest

import (
	"context"
	"errors"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/internal/progress"
)

// alone says whether the unit is decided in a round of its own: what it moves is decided against all that came before.
func (u *unit) alone() bool { return u.activity.Kind != activity.Behaviour }

// decideKind decides an activity of another kind than behaviour, and writes what was decided on it. refused says why it is not taken. Should the user be written between the reads that
// this makes, the commit that depends on them is stale and decided again.
func (w *writer) decideKind(ctx context.Context, t *task, act *activity.Activity, now calendar.Instant) (refused, err error) {
	if act.Kind == activity.Behaviour {
		return nil, nil
	}
	facts, err := w.facts(ctx, t, act)
	if err != nil {
		return nil, err
	}
	made, err := progress.Decide(t.plan, t.attempt.state, act, facts, now)
	if errors.Is(err, progress.ErrNeedLog) {
		whole, read := w.whole(ctx, t, now)
		if read != nil {
			return nil, read
		}
		made, err = progress.Decide(t.plan, whole, act, facts, now)
	}
	act.Decided = made
	return err, nil
}

// whole is the state that the user's whole log comes to.
func (w *writer) whole(ctx context.Context, t *task, now calendar.Instant) (*progress.State, error) {
	old, base, records, err := w.history(ctx, t)
	if err != nil {
		return nil, err
	}
	whole, err := progress.Rebuild(t.plan, old, base, records, now)
	if err != nil && !errors.Is(err, fold.ErrRange) {
		return nil, err
	}
	return whole, nil
}

// facts gathers what deciding an activity needs beside the state.
func (w *writer) facts(ctx context.Context, t *task, act *activity.Activity) (f progress.Facts, err error) {
	m, err := progress.ReadMeta(act)
	if err != nil {
		return f, nil // Decide says so
	}
	switch {
	case m.Of == "" || t.version == "":
	case m.Action == progress.Refund:
		if err = w.refundFacts(ctx, t, act.Kind, m.Of, &f); err != nil {
			return f, err
		}
	default:
		if f.Of, err = w.Activity(ctx, t.key.org, t.key.user, m.Of); err != nil && !errors.Is(err, ErrActivityNotFound) {
			return f, err
		}
	}
	if m.To == "" {
		return f, nil
	}
	err = w.receiver(ctx, t, m.To, &f)
	return f, err
}

// refundFacts gathers what the log says of the debit that a refund is of, and whether its coupon was used.
func (w *writer) refundFacts(ctx context.Context, t *task, kind activity.Kind, of activity.ID, f *progress.Facts) error {
	_, records, err := w.Base(ctx, t.key.org, t.key.user)
	if err != nil {
		return err
	}
	if f.NoteRefund(records, of); kind == activity.Coupon {
		f.Unissued, err = w.unissued(ctx, t, of, w.Clock.Now())
	}
	return err
}

// receiver finds out who the user is that something is given to. A gift makes nobody.
func (w *writer) receiver(ctx context.Context, t *task, to activity.User, f *progress.Facts) error {
	state, _, err := w.stored(ctx, t.key.org, to)
	if err == nil && state.Merged != "" {
		to, err = w.last(ctx, t.key.org, to)
	}
	if errors.Is(err, ErrUserNotFound) {
		return nil
	}
	f.ToFound, f.ToSelf = err == nil, to == t.key.user
	return err
}
