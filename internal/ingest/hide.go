package ingest

import (
	"context"
	"errors"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/fold"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Hide takes a user off every board until Unhide. What the user does goes on counting: Unhide brings back the rows that would be there, had the
// user never been hidden. Doing it again changes nothing. ErrUserNotFound, ErrUserMerged.
func (s *Service) Hide(ctx context.Context, org activity.Org, user activity.User) error {
	return s.flag(ctx, org, user, hide)
}

// Unhide puts a hidden user back on all boards that are still kept. Errors as Hide.
func (s *Service) Unhide(ctx context.Context, org activity.Org, user activity.User) error {
	return s.flag(ctx, org, user, unhide)
}

// Block makes every activity of the user that arrives from now on, imported ones too, be stored as ignored; that is recorded with it and stays so after
// Unblock. What was there before stays as it is. Doing it again changes nothing. Errors as Hide.
func (s *Service) Block(ctx context.Context, org activity.Org, user activity.User) error {
	return s.flag(ctx, org, user, block)
}

// Unblock lets the user's activities count again. Errors as Hide.
func (s *Service) Unblock(ctx context.Context, org activity.Org, user activity.User) error {
	return s.flag(ctx, org, user, unblock)
}

func (s *Service) flag(ctx context.Context, org activity.Org, user activity.User, kind commandKind) error {
	_, err := s.do(ctx, org, user, "", &command{kind: kind})
	return err
}

// decideBlocked sets or clears Blocked; nothing else of the state changes.
func (w *writer) decideBlocked(t *task, blocked bool) {
	a := &t.attempt
	if a.state.Blocked == blocked {
		return
	}
	a.state.Blocked, a.state.Due, a.commits = blocked, a.state.Scheduled, true
	a.finishGroup(t, nil)
}

func (w *writer) decideHidden(ctx context.Context, t *task, hidden bool) error {
	if t.attempt.state.Hidden == hidden {
		return nil
	}
	old, base, records, err := w.history(ctx, t)
	if err != nil {
		return err
	}
	if !hidden {
		old.Hidden = false
		return w.appear(t, old, base, records)
	}
	if err := w.vanish(ctx, t, old, base); err != nil {
		return err
	}
	old.Hidden = true
	now := w.Clock.Now()
	next, err := progress.Rebuild(t.plan, old, base, records, now)
	if err != nil && !errors.Is(err, fold.ErrRange) {
		return err
	}
	update := progress.Diff(t.plan, old, next, now, progress.Doing)
	t.attempt.events, t.attempt.granting.due = update.Events, update.Grants // no board shows the user
	t.attempt.state = next
	t.attempt.finishGroup(t, nil)
	return nil
}

// vanish puts into the attempt what takes the user off all boards. It commits nothing by itself.
func (w *writer) vanish(ctx context.Context, t *task, old, base *progress.State) error {
	a := &t.attempt
	a.commits = true
	a.boards = progress.TakeOff(t.plan, old, base)
	known := map[feed.Board]bool{}
	for i := range a.boards {
		known[feed.Board{Org: t.key.org, Rule: a.boards[i].Rule, Label: a.boards[i].Label}] = true
	}
	for _, stray := range progress.Strays(t.plan, old, base) {
		boards, err := w.Store.BoardsOf(ctx, w.partition, t.key.org, stray.Rule)
		if err != nil {
			return err
		}
		for _, b := range boards {
			if !known[b] {
				w.takeOffStray(t, b, stray.Standings)
			}
		}
	}
	return nil
}

// takeOffStray takes the user off a board of which neither the order nor the period is known: whichever of the standings it is that stands there.
func (w *writer) takeOffStray(t *task, b feed.Board, standings []progress.Standing) {
	a := &t.attempt
	a.strays = append(a.strays, store.BoardWrite{Board: b, User: t.key.user, Old: storeStanding(standings[0])})
	op := store.Op{Kind: store.OpZRem, Key: store.BoardKey(w.partition, b)}
	for _, s := range standings {
		for _, ascending := range []bool{false, true} {
			op.Args = append(op.Args, store.Member(*storeStanding(s), ascending, t.key.user))
		}
	}
	a.group.Writes = append(a.group.Writes, op)
}

// appear decides a user who was on no board and is from now on.
func (w *writer) appear(t *task, old, base *progress.State, records []activity.Activity) error {
	a := &t.attempt
	now := w.Clock.Now()
	next, err := progress.Rebuild(t.plan, old, base, records, now)
	if err != nil && !errors.Is(err, fold.ErrRange) {
		return err
	}
	update := progress.PutBack(t.plan, next, base, now)
	a.take(&update)
	a.state, a.commits = next, true
	a.finishGroup(t, nil)
	return nil
}
