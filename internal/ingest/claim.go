package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/profile"
	"laurel/internal/store"
)

// E-mail, username, number and external id are one user's at most. Two users may live in different partitions, which no commit spans, so each value has a claim, a
// document in a partition of its own, and what is true is kept by the order of commits:
//
//	A user who shows a value is named by its claim, as its owner or among those before. At most one user shows a value.
//
// A move is: note on the user what is about to be claimed (so that nothing is left behind that the user does not know of), claim each value, commit the profile,
// let go of what it had before. The writer that commits a profile reads the claims after the user's version: they must name the user alone. Who takes
// a claim from another first writes itself down as owner and the other as one before; then has the other's version moved by a commit (testify), so that
// whatever was decided by the claim as it was comes too late; and then sees whether the other shows the value: if so the claim goes back, else the other is struck
// off. Letting go is the same with nobody as owner. Each step may be the last one that is taken, and may be taken by any node.

// ErrTaken: another user of the org has the value, or is about to (*TakenError).
var ErrTaken = errors.New("the value is another user's")

// errUnclaimed: the user's claim of a value was lost meanwhile.
var errUnclaimed = errors.New("value is not claimed")

// TakenError names the field whose value another user has.
type TakenError struct{ Field string }

// Error implements error.
func (e *TakenError) Error() string { return e.Field + " is another user's" }

// Detail is the text for the client.
func (e *TakenError) Detail() string { return "Another user has this " + e.Field + "." }

// Is makes it an ErrTaken.
func (e *TakenError) Is(target error) bool { return target == ErrTaken }

// step takes a step of a move; tests fail it before or after it was taken.
func (s *Service) step(name string, take func() error) error {
	if s.onStep == nil {
		return take()
	}
	err := s.onStep(name)
	if err == nil {
		err = take()
	}
	if err == nil {
		err = s.onStep(name + " done")
	}
	return err
}

func (s *Service) claimKey(org activity.Org, v profile.Value) (store.Partition, store.Key) {
	p := s.Store.PartitionOfValue(org, v.Field, v.Key)
	return p, store.ClaimKey(p, org, v.Field, v.Key)
}

func (s *Service) readClaim(ctx context.Context, org activity.Org, v profile.Value) (c profile.Claim, version store.Version, err error) {
	_, key := s.claimKey(org, v)
	docs, err := s.Store.Docs(ctx, []store.Key{key})
	if err != nil || docs[0].Version == "" {
		return c, "", err
	}
	if c, err = profile.ParseClaim(docs[0].Content); err != nil {
		return c, "", fmt.Errorf("document %s: %w", key, err)
	}
	return c, docs[0].Version, nil
}

// writeClaim makes a claim what it is to be, or removes one that names nobody, if it is of a version still.
func (s *Service) writeClaim(ctx context.Context, org activity.Org, v profile.Value, expect store.Version, c profile.Claim) (done bool, err error) {
	p, key := s.claimKey(org, v)
	g := store.Group{Org: org, Doc: key, Expect: expect}
	if g.Delete = len(c.Named("")) == 0; !g.Delete {
		if g.Content, err = c.Content(); err != nil {
			return false, err
		}
	}
	err = s.step("claim", func() error {
		r, err := s.Store.Commit(ctx, p, []store.Group{g})
		done = err == nil && r.Outcomes[0].Status == store.Applied
		return err
	})
	return done, err
}

// obtain makes a value's claim name the user alone. What comes after until may not be known to the user any more, so it does not. *TakenError.
func (s *Service) obtain(ctx context.Context, org activity.Org, user activity.User, v profile.Value, until calendar.Instant) error {
	for range maxRounds {
		c, version, err := s.readClaim(ctx, org, v)
		if err != nil || c.IsOf(user) {
			return err
		}
		others := c.Named(user)
		if held, err := s.held(ctx, org, v, others); held || err != nil {
			return errors.Join(err, taken(held, v))
		}
		if s.Clock.Now() > until {
			break
		}
		done, err := s.writeClaim(ctx, org, v, version, profile.Claim{Owner: user, Before: others})
		if err == nil && done && len(others) > 0 {
			err = s.settleClaim(ctx, org, v)
		}
		if err != nil {
			return err
		}
	}
	return ErrConflict
}

func taken(is bool, v profile.Value) error {
	if !is {
		return nil
	}
	return &TakenError{v.Field}
}

// held says whether one of the users shows a value, or said just now that it will.
func (s *Service) held(ctx context.Context, org activity.Org, v profile.Value, users []activity.User) (bool, error) {
	keys := make([]store.Key, len(users))
	for i, u := range users {
		keys[i] = store.ProfileKey(s.Store.PartitionOf(org, u), org, u)
	}
	hashes, err := s.Store.Hashes(ctx, keys)
	if err != nil {
		return false, err
	}
	for _, h := range hashes {
		if profile.Shows(h, v) || slices.ContainsFunc(pendingOf(h), func(p pending) bool { return p.Value == v && s.Clock.Now() <= p.at+claimWithin }) {
			return true, nil
		}
	}
	return false, nil
}

// letGo makes the claim of a value name the user no more, unless the user shows it.
func (s *Service) letGo(ctx context.Context, org activity.Org, user activity.User, v profile.Value) error {
	for range maxRounds {
		c, version, err := s.readClaim(ctx, org, v)
		if err != nil || !slices.Contains(c.Named(""), user) {
			return err
		}
		mark := c.Owner == user
		if mark {
			if mark, err = s.writeClaim(ctx, org, v, version, profile.Claim{Before: c.Named("")}); err != nil {
				return err
			}
		}
		// Who did not mark the claim may find that another node gave it back to the user, by what was true before.
		if err = s.settleClaim(ctx, org, v); mark || err != nil {
			return err
		}
	}
	return ErrConflict
}

// settleClaim finds out of whom a claim names as one before whether they show the value.
func (s *Service) settleClaim(ctx context.Context, org activity.Org, v profile.Value) error {
	for range maxRounds {
		c, version, err := s.readClaim(ctx, org, v)
		if err != nil || len(c.Before) == 0 {
			return err
		}
		next := profile.Claim{Owner: c.Owner}
		for _, u := range c.Before {
			has, err := s.testify(ctx, org, u, v)
			if err != nil {
				return err
			}
			if has {
				next.Owner = u
				break
			}
		}
		if done, err := s.writeClaim(ctx, org, v, version, next); done || err != nil {
			return err
		}
	}
	return ErrConflict
}

// testify moves the user's version, and says whether the user shows a value then. Who is merged into another one, or not there, shows nothing and never will by
// what was decided before.
func (s *Service) testify(ctx context.Context, org activity.Org, user activity.User, v profile.Value) (has bool, err error) {
	c := &command{kind: testify, asked: v}
	err = s.step("testify", func() error {
		_, err := s.do(ctx, org, user, "", c)
		return err
	})
	if errors.Is(err, ErrUserNotFound) || errors.Is(err, ErrUserMerged) {
		return false, nil
	}
	return c.shows, err
}

func (w *writer) decideTestify(ctx context.Context, t *task, c *command) error {
	hash, err := w.profileOf(ctx, t)
	if err != nil {
		return err
	}
	c.shows = profile.Shows(hash, c.asked)
	t.attempt.commits, t.attempt.state.Due = true, t.attempt.state.Scheduled
	t.attempt.finishGroup(t, nil)
	return nil
}

// Find is the user who has a value of a field that is unique (profile.Unique). ErrUserNotFound; *ProfileError for what no user can have.
func (s *Service) Find(ctx context.Context, org activity.Org, field, text string) (activity.User, error) {
	key, err := profile.Lookup(field, text)
	if err != nil {
		return "", err
	}
	v := profile.Value{Field: field, Key: key}
	c, _, err := s.readClaim(ctx, org, v)
	if err != nil {
		return "", err
	}
	for _, u := range c.Named("") {
		hash, err := s.Store.Hash(ctx, store.ProfileKey(s.Store.PartitionOf(org, u), org, u))
		if err != nil {
			return "", err
		}
		if !profile.Shows(hash, v) {
			continue
		}
		if state, _, err := s.stored(ctx, org, u); err == nil && state.Merged == "" {
			return u, nil
		} else if err != nil && !errors.Is(err, ErrUserNotFound) {
			return "", err
		}
	}
	return "", ErrUserNotFound
}
