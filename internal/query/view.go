package query

import (
	"bytes"
	"context"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
	"laurel/ranking"
)

// Bounds of a live view.
const (
	MaxRows  = 1000 // top, range
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
	_, err := r.With(v.show()).locate(org, v.Rule, v.Period, r.clock.Now())
	return err
}

// FieldProfile in View.Fields asks for profiles.
const FieldProfile = "profile"

// Board is what stands for the rule in the name of the board that the view shows.
func (v *View) Board() string { return progress.SegmentBoard(v.Rule, v.Segment) }

// show is what the view's rows show.
func (v *View) show() Show { return Show{Segment: v.Segment, Profiles: v.Profiles()} }

// Profiles says whether the view's rows show profiles.
func (v *View) Profiles() bool { return slices.Contains(v.Fields, FieldProfile) }

// check looks at the view alone.
func (v *View) check() error {
	used := View{Kind: v.Kind, Rule: v.Rule, Period: v.Period}
	ok := true
	switch v.Kind {
	case ViewTop:
		used.Limit, ok = v.Limit, v.Limit >= 1 && v.Limit <= MaxRows
	case ViewRange:
		used.From, used.To, ok = v.From, v.To, v.From >= 1 && v.From <= v.To && v.To-v.From < MaxRows
	case ViewAround:
		used.User, used.Span, ok = v.User, v.Span, v.User != "" && v.Span >= 0 && v.Span <= MaxSpan
	case ViewUsers:
		used.Users, ok = v.Users, len(v.Users) >= 1 && len(v.Users) <= MaxUsers
	case ViewUser:
		used.Rule, used.Period, used.User, ok = "", "", v.User, v.User != ""
	default:
		return detailed(ErrBadView, "kind is one of top, range, around, users, user")
	}
	if i := slices.IndexFunc(v.Fields, func(f string) bool { return f != FieldProfile }); i >= 0 {
		return detailed(ErrBadView, "fields may hold profile, not %q", v.Fields[i])
	}
	if v.Kind == ViewUser && (v.Segment != "" || len(v.Fields) > 0) {
		return detailed(ErrBadView, "a view of a user has neither segment nor fields")
	}
	if !ok {
		return detailed(ErrBadView, "top has limit 1 to %d, range from and to of at most %d rows, around a user and span 0 to %d, users 1 to %d users, user a user",
			MaxRows, MaxRows, MaxSpan, MaxUsers)
	}
	if used.Rule != v.Rule || used.Period != v.Period || used.Limit != v.Limit || used.User != v.User || used.Span != v.Span || used.From != v.From || used.To != v.To || len(used.Users) != len(v.Users) {
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
	r = r.With(v.show())
	now := r.clock.Now()
	t, err := r.locate(org, v.Rule, v.Period, now)
	if err != nil {
		return nil, err
	}
	b, err := r.openBoth(ctx, t, now)
	if err != nil {
		return nil, err
	}
	stamp := b.stamp(now)
	if previous != nil && previous.stamp == stamp {
		return previous, nil
	}
	asOf := r.boards.AsOf() // before the rows are read, as the stamp: they may be newer than it says, never older
	w := b.window(&v)
	if err := r.addProfiles(ctx, org, w.Rows); err != nil {
		return nil, err
	}
	f := &Frame{AsOf: asOf, Period: t.period(now), Total: w.Total, Rows: w.Rows, stamp: stamp}
	if previous != nil && same(previous, f) {
		return previous, nil
	}
	return f, nil
}

// stamp is what a frame was made from: frames of one view with equal stamps are equal.
type stamp struct {
	catalog                    *catalog.Catalog // how ties are numbered may change without any row
	board, prev                *ranking.Board
	revision, previousRevision uint64
	profiles                   uint64
	label                      string
	closed                     bool
}

// stamp is taken before the rows are read: they may be newer than it says, never older.
func (t *boards) stamp(now calendar.Instant) stamp {
	s := stamp{catalog: t.catalog, board: t.board, prev: t.prev, revision: t.board.Revision(), label: t.label, closed: t.closed(now),
		profiles: t.profiles}
	if t.prev != nil {
		s.previousRevision = t.prev.Revision()
	}
	return s
}

func (t *boards) window(v *View) *window {
	if v.Kind != ViewUsers {
		return t.rows(v.place)
	}
	ranks := t.ranksOf(t.board, v.Users, &room{}) // the frame keeps it
	t.addPrevious(ranks.room)
	return &window{Total: ranks.Total, Rows: ranks.Rows}
}

// place is where the rows of a top, range or around view are.
func (v *View) place(x *ranking.Index) (offset, limit int) {
	switch v.Kind {
	case ViewTop:
		return 0, v.Limit
	case ViewRange:
		return v.From - 1, v.To - v.From + 1
	}
	at, ok := x.Position(v.User)
	if !ok {
		return 0, 0
	}
	first := max(at-v.Span, 0)
	return first, at + v.Span + 1 - first
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
	asOf := r.boards.AsOf()
	o, err := r.User(ctx, org, user)
	if err != nil {
		return nil, err
	}
	if previous != nil && bytes.Equal(previous.User, o) {
		return previous, nil
	}
	return &Frame{AsOf: asOf, User: o}, nil
}
