package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/profile"
	"laurel/internal/store"
)

const (
	claimWithin = calendar.Instant(30_000)  // ms from a note to its claims
	claimKnown  = calendar.Instant(300_000) // for so long nobody else ends what a note began: more than claimWithin, by what clocks of nodes may differ
)

// pending is a note of a claim that may name the user, beside those of what the profile shows: a field of its hash. The name has a token of the move and the
// field of the value, the rest when the move began (0: it is over) and the value.
type pending struct {
	name, token string
	at          calendar.Instant
	profile.Value
}

func (p *pending) note() string { return strconv.FormatInt(int64(p.at), 10) + " " + p.Key }

func newPending(token string, at calendar.Instant, v profile.Value) pending {
	return pending{profile.NotePrefix + token + ":" + v.Field, token, at, v}
}

// pendingOf are the notes of a hash, in order of name.
func pendingOf(hash map[string]string) (all []pending) {
	for name, note := range hash {
		rest, is := strings.CutPrefix(name, profile.NotePrefix)
		if !is {
			continue
		}
		token, field, _ := strings.Cut(rest, ":")
		at, key, _ := strings.Cut(note, " ")
		ms, _ := strconv.ParseInt(at, 10, 64) // what is no number is over
		all = append(all, pending{name, token, calendar.Instant(ms), profile.Value{Field: field, Key: key}})
	}
	slices.SortFunc(all, func(a, b pending) int { return strings.Compare(a.name, b.name) })
	return all
}

// underWay says whether the move that made the note may still claim.
func (p *pending) underWay(now calendar.Instant) bool { return p.at != 0 && now <= p.at+claimKnown }

// unshown are the values that the hash does not show.
func unshown(hash map[string]string, vs []profile.Value) (rest []profile.Value) {
	for _, v := range vs {
		if !profile.Shows(hash, v) {
			rest = append(rest, v)
		}
	}
	return rest
}

// moves says whether a change may claim values or let them go.
func (c *UserChange) moves() bool {
	return slices.ContainsFunc(profile.Unique(), func(field string) bool { _, named := c.Profile.Texts[field]; return named })
}

// move commits a change that gives the user unique values, or takes some away.
func (s *Service) move(ctx context.Context, org activity.Org, user activity.User, change *UserChange) error {
	change.token = rand.Text()
	err := errUnclaimed
	for round := 0; round < maxRounds && errors.Is(err, errUnclaimed); round++ { // again where another move came between
		err = s.tryMove(ctx, org, user, change)
	}
	if errors.Is(err, errUnclaimed) {
		err = ErrConflict
	}
	if err != nil && !errors.Is(err, ErrTaken) && !errors.Is(err, ErrConflict) {
		return err
	}
	if left := s.tidy(ctx, org, user, change.token); left != nil {
		s.Log.Warn().Err(left).Str("org", string(org)).Str("user", string(user)).Msg("claims of a user are left to be taken back later")
	}
	return err
}

// tryMove notes what the user does not show yet, claims it, and commits the change. errUnclaimed where that was not all, or was lost meanwhile.
func (s *Service) tryMove(ctx context.Context, org activity.Org, user activity.User, change *UserChange) error {
	hash, err := s.profileHash(ctx, org, user)
	if err != nil {
		return err
	}
	wanted := unshown(hash, profile.ValuesOf(change.Profile.Texts))
	if len(wanted) == 0 {
		return s.commitChange(ctx, org, user, change)
	}
	if err := s.free(ctx, org, user, wanted); err != nil {
		return err
	}
	began := s.Clock.Now()
	noting := &UserChange{Create: change.Create, Zone: change.Zone}
	for _, v := range wanted {
		noting.notes = append(noting.notes, newPending(change.token, began, v))
	}
	if err := s.step("note", func() error { return s.change(ctx, org, user, noting) }); err != nil {
		return err
	}
	for _, v := range wanted {
		if err := s.obtain(ctx, org, user, v, began+claimWithin); err != nil {
			return err
		}
	}
	return s.commitChange(ctx, org, user, change)
}

// free looks whether values are another user's before anything is written. *TakenError.
func (s *Service) free(ctx context.Context, org activity.Org, user activity.User, vs []profile.Value) error {
	for _, v := range vs {
		c, _, err := s.readClaim(ctx, org, v)
		if err != nil {
			return err
		}
		if held, err := s.held(ctx, org, v, c.Named(user)); held || err != nil {
			return errors.Join(err, taken(held, v))
		}
	}
	return nil
}

func (s *Service) commitChange(ctx context.Context, org activity.Org, user activity.User, c *UserChange) error {
	return s.step("commit", func() error { return s.change(ctx, org, user, c) })
}

func (s *Service) change(ctx context.Context, org activity.Org, user activity.User, c *UserChange) error {
	_, err := s.do(ctx, org, user, "", &command{kind: setUser, change: *c})
	return err
}

func (s *Service) profileHash(ctx context.Context, org activity.Org, user activity.User) (map[string]string, error) {
	return s.Store.Hash(ctx, store.ProfileKey(s.Store.PartitionOf(org, user), org, user))
}

// tidy takes back what claims the user has of values that it does not show, save those of moves under way, the own one apart.
func (s *Service) tidy(ctx context.Context, org activity.Org, user activity.User, own string) error {
	hash, err := s.profileHash(ctx, org, user)
	if err != nil {
		return err
	}
	all, now := pendingOf(hash), s.Clock.Now()
	busy := func(p pending) bool { return p.token != own && p.underWay(now) }
	var done []string
	for _, p := range all {
		if busy(p) {
			continue
		}
		// What another move under way notes too, that one takes back.
		if !profile.Shows(hash, p.Value) && !slices.ContainsFunc(all, func(q pending) bool { return q.Value == p.Value && busy(q) }) {
			if err := s.letGo(ctx, org, user, p.Value); err != nil {
				return err
			}
		}
		done = append(done, p.name)
	}
	if len(done) == 0 {
		return nil
	}
	err = s.step("forget", func() error { return s.change(ctx, org, user, &UserChange{ended: done}) })
	if errors.Is(err, ErrUserNotFound) {
		return nil
	}
	return err
}

// disclaim takes all unique values and claims from a user who is about to be deleted. ErrConflict while a move is under way.
func (s *Service) disclaim(ctx context.Context, org activity.Org, user activity.User) error {
	hash, err := s.profileHash(ctx, org, user)
	if err != nil {
		return err
	}
	if len(profile.ValuesOf(hash)) > 0 {
		none := &UserChange{token: rand.Text(), Profile: profile.Change{Texts: map[string]string{}}}
		for _, field := range profile.Unique() {
			none.Profile.Texts[field] = ""
		}
		if err := s.commitChange(ctx, org, user, none); err != nil {
			return err
		}
	}
	if len(profile.ValuesOf(hash)) == 0 && len(pendingOf(hash)) == 0 {
		return nil
	}
	return s.tidy(ctx, org, user, "")
}

// disclaimDeparted takes all claims from a user who was merged into another one, and so shows nothing.
func (s *Service) disclaimDeparted(ctx context.Context, org activity.Org, user activity.User) error {
	hash, err := s.profileHash(ctx, org, user)
	if err != nil {
		return err
	}
	vs := profile.ValuesOf(hash)
	for _, p := range pendingOf(hash) {
		vs = append(vs, p.Value)
	}
	for _, v := range vs {
		if err := s.letGo(ctx, org, user, v); err != nil {
			return err
		}
	}
	return nil
}

// claimed says whether a profile may become another one: every value that it did not have is claimed, as of after the user's version was read. What
// it has no more it notes, so that the claim is let go.
func (w *writer) claimed(ctx context.Context, t *task, c *UserChange, have, next map[string]string) (bool, error) {
	fresh := unshown(have, profile.ValuesOf(next))
	if len(fresh) > 0 && t.version == "" {
		return false, nil // there is no version that would have to move
	}
	for _, v := range fresh {
		if claim, _, err := w.readClaim(ctx, t.key.org, v); err != nil || !claim.IsOf(t.key.user) {
			return false, err
		}
	}
	for _, p := range pendingOf(next) {
		if p.token == c.token {
			delete(next, p.name)
		}
	}
	for _, v := range unshown(next, profile.ValuesOf(have)) {
		p := newPending(rand.Text(), 0, v)
		next[p.name] = p.note()
	}
	if w.onStep != nil {
		return true, w.onStep("decided")
	}
	return true, nil
}

// moving says whether the task's user may still claim values.
func (w *writer) moving(ctx context.Context, t *task) (bool, error) {
	hash, err := w.profileOf(ctx, t)
	now := w.Clock.Now()
	return slices.ContainsFunc(pendingOf(hash), func(p pending) bool { return p.underWay(now) }), err
}
