package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// note says of a user that it was merged into the one whose hash has the note (came), or was about to be, at an instant.
type note struct {
	came  bool
	at    calendar.Instant
	token string // tells one attempt from another
}

// merges are the notes of a user's hash.
type merges map[activity.User]note

const noteCame = "came"

func (n note) String() string {
	if n.came {
		return noteCame
	}
	return strconv.FormatInt(int64(n.at), 10) + " " + n.token
}

func parseNote(s string) (note, error) {
	if s == noteCame {
		return note{came: true}, nil
	}
	at, token, _ := strings.Cut(s, " ")
	ms, err := strconv.ParseInt(at, 10, 64)
	return note{at: calendar.Instant(ms), token: token}, err
}

// fresh says whether the user may still depart.
func (n note) fresh(now calendar.Instant) bool {
	return n.token != "" && now < n.at+awaitedFor
}

// set is the write that adds notes.
func (m merges) set(k store.Key, notes map[activity.User]note) store.Op {
	op := store.Op{Kind: store.OpHSet, Key: k}
	for u, n := range notes {
		op.Args = append(op.Args, string(u), n.String())
	}
	return op
}

// merges reads who was merged into a user, and who was about to be.
func (s *Service) merges(ctx context.Context, org activity.Org, user activity.User) (merges, error) {
	hash, err := s.Store.Hash(ctx, store.MergedKey(s.Store.PartitionOf(org, user), org, user))
	if err != nil {
		return nil, err
	}
	m := make(merges, len(hash))
	for u, text := range hash {
		if m[activity.User(u)], err = parseNote(text); err != nil {
			return nil, fmt.Errorf("merges of user %q of org %s: %w", user, org, err)
		}
	}
	return m, nil
}

// awaited says whether somebody is about to be merged into the task's user.
func (w *writer) awaited(ctx context.Context, t *task) (bool, error) {
	m, err := w.merges(ctx, t.key.org, t.key.user)
	for from, n := range m {
		if n.came {
			continue
		}
		if n.fresh(w.Clock.Now()) {
			return true, nil
		}
		departed, err := w.departed(ctx, t.key.org, from, t.key.user)
		if departed || err != nil {
			return departed, err
		}
	}
	return false, err
}

func (s *Service) departed(ctx context.Context, org activity.Org, from, into activity.User) (bool, error) {
	user, _, err := s.stored(ctx, org, from)
	if errors.Is(err, ErrUserNotFound) {
		return false, nil
	}
	return err == nil && user.Merged == into && user.Scheduled != 0, err
}

// settle carries on the merges into a user that were begun, and returns all. ErrConflict while one may still begin.
func (s *Service) settle(ctx context.Context, org activity.Org, user activity.User) (merges, error) {
	m, err := s.merges(ctx, org, user)
	if err != nil {
		return nil, err
	}
	carried := false
	for from, n := range m {
		if n.came {
			continue
		}
		departed, err := s.departed(ctx, org, from, user)
		switch {
		case err != nil:
			return nil, err
		case departed:
			if err := s.carryOn(ctx, org, from); err != nil {
				return nil, err
			}
			carried = true
		case n.fresh(s.Clock.Now()):
			return nil, ErrConflict
		}
	}
	if carried {
		return s.merges(ctx, org, user)
	}
	return m, nil
}

// stored reads a user's state as it stands, also that of one who was merged. ErrUserNotFound.
func (s *Service) stored(ctx context.Context, org activity.Org, user activity.User) (*progress.State, store.Version, error) {
	docs, err := s.Store.Docs(ctx, []store.Key{store.StateKey(s.Store.PartitionOf(org, user), org, user)})
	if err != nil {
		return nil, "", err
	}
	state, err := s.parsed(org, user, &docs[0])
	return state, docs[0].Version, err
}

// parsed is the state of a user's document. ErrUserNotFound.
func (s *Service) parsed(org activity.Org, user activity.User, d *store.Doc) (*progress.State, error) {
	if d.Version == "" {
		return nil, ErrUserNotFound
	}
	state, err := progress.Parse(string(d.Content))
	if err != nil {
		err = fmt.Errorf("state of user %q of org %s: %w", user, org, err)
	}
	return state, err
}

// last follows a merged user's name to the user for whom it stands.
func (s *Service) last(ctx context.Context, org activity.Org, user activity.User) (activity.User, error) {
	for {
		state, _, err := s.stored(ctx, org, user)
		switch {
		case errors.Is(err, ErrUserNotFound):
			return user, nil
		case err != nil:
			return "", err
		case state.Merged == "":
			return user, nil
		}
		user = state.Merged // never back: a user to whom somebody is about to come does not depart
	}
}

// nameLast makes a MergedError name the last of several users who were merged one into the other.
func (s *Service) nameLast(ctx context.Context, org activity.Org, err error) error {
	var merged *MergedError
	if !errors.As(err, &merged) {
		return err
	}
	into, failed := s.last(ctx, org, merged.Into)
	return cmp.Or(failed, error(&MergedError{into}))
}
