package query

import (
	"bytes"
	"context"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/ranking"
)

// Bounds of a live view.
const (
	MaxRows  = 1000 // top
	MaxSpan  = 100  // around
	MaxUsers = 100  // users
)

// Check validates a view before it is subscribed: ErrBadView, ErrRuleNotFound, ErrBadPeriod, ErrPeriodGone, ErrUserNotFound.
func (r *Reader) Check(ctx context.Context, org activity.Org, v View) error {
	if err := v.check(); err != nil {
		return err
	}
	if v.Kind == ViewUser {
		_, err := r.state(ctx, org, v.User)
		return err
	}
	_, err := r.locate(org, v.Rule, v.Period, r.clock.Now())
	return err
}

// check looks at the view alone.
func (v *View) check() error {
	used := View{Kind: v.Kind, Rule: v.Rule, Period: v.Period}
	ok := true
	switch v.Kind {
	case ViewTop:
		used.Limit, ok = v.Limit, v.Limit >= 1 && v.Limit <= MaxRows
	case ViewAround:
		used.User, used.Span, ok = v.User, v.Span, v.User != "" && v.Span >= 0 && v.Span <= MaxSpan
	case ViewUsers:
		used.Users, ok = v.Users, len(v.Users) >= 1 && len(v.Users) <= MaxUsers
	case ViewUser:
		used.Rule, used.Period, used.User, ok = "", "", v.User, v.User != ""
	default:
		return detailed(ErrBadView, "kind is one of top, around, users, user")
	}
	if !ok {
		return detailed(ErrBadView, "top has limit 1 to %d, around a user and span 0 to %d, users 1 to %d users, user a user", MaxRows, MaxSpan, MaxUsers)
	}
	if used.Rule != v.Rule || used.Period != v.Period || used.Limit != v.Limit || used.User != v.User || used.Span != v.Span || len(used.Users) != len(v.Users) {
		return detailed(ErrBadView, "a view of kind %s has a field that belongs to another kind", v.Kind)
	}
	return nil
}

// Render computes a view as of now. If nothing that it shows has changed since the previous frame of the same view, it returns that very frame.
// ranking.ErrLoading: try again at the next tick.
func (r *Reader) Render(ctx context.Context, org activity.Org, v View, previous *Frame) (*Frame, error) {
	if v.Kind == ViewUser {
		return r.renderUser(ctx, org, v.User, previous)
	}
	now := r.clock.Now()
	t, err := r.locate(org, v.Rule, v.Period, now)
	if err != nil {
		return nil, err
	}
	var w *window
	if v.Kind == ViewUsers {
		w, err = r.windowOf(ctx, t, v.Users, now)
	} else {
		w, err = r.rows(ctx, t, now, func(x *ranking.Index) (offset, limit int) { return v.place(x) })
	}
	if err != nil {
		return nil, err
	}
	f := &Frame{AsOf: r.boards.AsOf(), Period: t.period(now), Total: w.Total, Rows: w.Rows, Stamp: w.stamp}
	if previous != nil && same(previous, f) {
		return previous, nil
	}
	return f, nil
}

// place is where the rows of a top or around view are.
func (v *View) place(x *ranking.Index) (offset, limit int) {
	if v.Kind == ViewTop {
		return 0, v.Limit
	}
	at, ok := x.Position(v.User)
	if !ok {
		return 0, 0
	}
	first := max(at-v.Span, 0)
	return first, at + v.Span + 1 - first
}

func (r *Reader) windowOf(ctx context.Context, t *target, users []activity.User, now calendar.Instant) (*window, error) {
	b, err := r.open(ctx, t)
	if err != nil {
		return nil, err
	}
	before, prev, err := r.openBefore(ctx, t, now)
	if err != nil {
		return nil, err
	}
	ranks, w := t.ranksOf(b, users)
	w.Rows = ranks.Rows
	if prev != nil {
		prev.View(func(x *ranking.Index, _ uint64) {
			for i := range w.Rows {
				w.Rows[i].PreviousRank, _ = x.Rank(w.Rows[i].User, ranking.Ties(before.ties))
			}
		})
	}
	return w, nil
}

func same(a, b *Frame) bool {
	if a.Period.Label != b.Period.Label || a.Period.Closed != b.Period.Closed || a.Total != b.Total || len(a.Rows) != len(b.Rows) {
		return false
	}
	for i := range a.Rows {
		if a.Rows[i] != b.Rows[i] {
			return false
		}
	}
	return true
}

func (r *Reader) renderUser(ctx context.Context, org activity.Org, user activity.User, previous *Frame) (*Frame, error) {
	o, err := r.User(ctx, org, user)
	if err != nil {
		return nil, err
	}
	if previous != nil && bytes.Equal(previous.User, o) {
		return previous, nil
	}
	return &Frame{AsOf: r.boards.AsOf(), User: o}, nil
}
