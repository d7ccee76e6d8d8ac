package ingest

import (
	"context"
	"errors"
	"maps"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/profile"
	"laurel/internal/store"
)

// Delete removes a user, everyone who was merged into that user, and all that the store has of them: states, logs, profiles, deadlines, and every row of every
// board, and their events, also those that nobody has read yet. What names them in the change stream goes within the hour (store.Options.ChangesAge). An activity that comes later begins a new user.
// ErrUserNotFound, ErrUserMerged.
func (s *Service) Delete(ctx context.Context, org activity.Org, user activity.User) error {
	for range maxRounds {
		m, err := s.settle(ctx, org, user)
		if err != nil {
			return err
		}
		// The names that lead to the user go first: if the rest does not come about, they begin new users, and the deletion can be asked for again.
		for _, from := range slices.Sorted(maps.Keys(m)) {
			if err := s.bury(ctx, org, from, &merge{into: user, known: m}); err != nil {
				return err
			}
		}
		events, err := s.findEvents(ctx, org, user)
		if err != nil {
			return err
		}
		if err := s.disclaim(ctx, org, user); err != nil {
			return err
		}
		forfeited, err := s.forfeit(ctx, org, user)
		if err != nil {
			return err
		}
		_, err = s.do(ctx, org, user, "", &command{kind: erase, merge: &merge{known: m, events: events, forfeited: forfeited}})
		if !errors.Is(err, errAwaited) {
			return err
		}
	}
	return ErrConflict
}

// bury removes what is left of a user who was merged.
func (s *Service) bury(ctx context.Context, org activity.Org, from activity.User, m *merge) error {
	for {
		events, err := s.findEvents(ctx, org, from)
		if err != nil {
			return err
		}
		_, err = s.do(ctx, org, from, "", &command{kind: bury, merge: &merge{into: m.into, known: m.known, events: events}})
		switch {
		case errors.Is(err, ErrUserNotFound):
			return nil
		case !errors.Is(err, errDeparted):
			return err
		}
		if err := s.carryOn(ctx, org, from); err != nil {
			return err
		}
	}
}

// findEvents looks through the outbox for a user's events, so that the writer has only to look at what has come since.
func (s *Service) findEvents(ctx context.Context, org activity.Org, user activity.User) (store.UserEvents, error) {
	return s.Store.FindEvents(ctx, s.Store.PartitionOf(org, user), org, user, store.UserEvents{})
}

// decideErase deletes a user to whom nobody is about to be merged, and of whose names none is left.
func (w *writer) decideErase(ctx context.Context, t *task) error {
	a := &t.attempt
	m, err := w.merges(ctx, t.key.org, t.key.user)
	if err != nil {
		return err
	}
	if !maps.Equal(m, t.units[0].command.merge.known) {
		a.err = errAwaited
		return nil
	}
	hash, err := w.profileOf(ctx, t)
	if err != nil {
		return err
	}
	if len(profile.ValuesOf(hash)) > 0 || len(pendingOf(hash)) > 0 {
		a.err = errAwaited // a claim may name the user
		return nil
	}
	if done, err := w.forfeited(ctx, t, t.units[0].command.merge.forfeited); !done || err != nil {
		a.err = errAwaited // a stock or a code may name the user
		return err
	}
	old, base, _, err := w.history(ctx, t)
	if err != nil {
		return err
	}
	if err := w.vanish(ctx, t, old, base); err != nil {
		return err
	}
	a.group.Boards = append(boardWrites(t.key, a.boards), append(a.strays, unlisting(t))...)
	return w.remove(ctx, t)
}

// remove has the user's document deleted, and all keys beside it, and the user's events. Those are all that there are: an event that came after they were
// looked for came with another version of the document, and the deletion is decided again.
func (w *writer) remove(ctx context.Context, t *task) error {
	found, err := w.Store.FindEvents(ctx, w.partition, t.key.org, t.key.user, t.units[0].command.merge.events)
	if err != nil {
		return err
	}
	events, err := w.Store.RemoveEvents(ctx, w.partition, found)
	if err != nil {
		return err
	}
	a := &t.attempt
	a.commits = true
	a.group.Delete, a.group.ProfileChanged = true, true
	a.group.Writes = append(append(a.group.Writes, w.removals(t)...), store.Op{Kind: store.OpZRem, Key: store.DueKey(w.partition), Args: []string{t.dueMember()}})
	a.group.Writes = append(a.group.Writes, events...)
	return nil
}

// removals delete what is kept of a user beside the state.
func (w *writer) removals(t *task) []store.Op {
	p, org, user := w.partition, t.key.org, t.key.user
	var ops []store.Op
	for _, k := range []store.Key{store.LogKey(p, org, user), store.ColdKey(p, org, user), store.ProfileKey(p, org, user), store.MergedKey(p, org, user),
		store.GrantsKey(p, org, user)} {
		ops = append(ops, store.Op{Kind: store.OpDel, Key: k})
	}
	return ops
}
