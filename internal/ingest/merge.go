package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/internal/grants"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// A merge makes everything that one user did another one's. The two may live in different partitions, which no commit spans, so it is a row of commits, each
// of one user, each of which changes nothing when it is made again:
//
//	reserve  on the other: a note that the user is awaited. Until it is settled the other is not folded, merged or deleted
//	depart   on the user: off all boards, Merged; from here on the merge happens. The log stays, and a deadline, by which sweepers carry on
//	absorb   on the other: the log's activities, and the note that the user came
//	finish   on the user: log, profile and deadline go; the state stays and says where to
//
// What stops before depart leaves a note, which counts for nothing when it is old: depart does not come so late. What stops after it is carried on by any
// node. Activities that come for a user who departed are handed to the other's writer.
const (
	departWithin = calendar.Instant(30_000)  // ms from reserve
	awaitedFor   = calendar.Instant(300_000) // more, by what clocks of nodes may differ
)

// Bounds of a log that can be moved: it is one commit.
const (
	maxMoved      = 100_000
	maxMovedBytes = 32 << 20
)

// MergedError says into whom a user was merged.
type MergedError struct{ Into activity.User }

// Error implements error.
func (e *MergedError) Error() string { return "merged into " + string(e.Into) }

// Detail is the text for the client.
func (e *MergedError) Detail() string { return fmt.Sprintf("The user was merged into %q.", e.Into) }

// Is makes it an ErrUserMerged.
func (e *MergedError) Is(target error) bool { return target == ErrUserMerged }

// refusal is an error with a text for the client.
type refusal struct {
	error
	text string
}

// Detail is the text for the client.
func (e *refusal) Detail() string { return e.text }
func (e *refusal) Unwrap() error  { return e.error }

func refuse(err error, format string, args ...any) error {
	return &refusal{err, fmt.Sprintf(format, args...)}
}

// Detail is the text for the client that an error of this package carries, "" if it has none.
func Detail(err error) string {
	var d interface{ Detail() string }
	if !errors.As(err, &d) {
		return ""
	}
	return d.Detail()
}

// What the steps tell those who take them.
var (
	errAwaited  = errors.New("another user is about to be merged into this one")
	errDeparted = errors.New("user is being merged")
)

// merge is what the commands of a merge and of a deletion carry.
type merge struct {
	from, into activity.User
	note       note                // reserve, cancel
	seal       calendar.Instant    // reserve: of the other; depart: no activity may be older
	records    []activity.Activity // absorb: all of from
	grants     grants.Set          // absorb: those of from
	forfeited  map[string]bool     // erase: grants of which nothing is left beside the user
	came       merges              // absorb: who was merged into from before
	known      merges              // erase, bury
	events     store.UserEvents    // erase, bury: of the user, in the outbox before the writer looked
}

// Merge makes everything that a user did another one's: all is then as if both users' activities had been into's. Of an id that both have the one received
// first stays. Zones, attributes and flags of into stay as they are. From then on the user's name stands for into in activities, and everything else answers
// ErrUserMerged. Doing it again changes nothing.
//
// ErrUserNotFound for either, ErrUserMerged for either, ErrSameUser; ErrSealed where the user's history is sealed in part, or reaches back behind into's seal;
// fold.ErrRange, store.ErrTooLarge; ErrConflict while another merge into one of the two is under way. These change nothing. After store.ErrUnavailable or the end
// of ctx the merge may still come about; asking again tells.
func (s *Service) Merge(ctx context.Context, org activity.Org, from, into activity.User) error {
	if from == into {
		return ErrSameUser
	}
	m, err := s.prepareMerge(ctx, org, from, into)
	if err != nil || m == nil {
		return err
	}
	if err := s.depart(ctx, org, m); err != nil {
		return err
	}
	return s.carryOn(ctx, org, from)
}

// prepareMerge looks whether the merge can be, and reserves it; nil where it was begun before.
func (s *Service) prepareMerge(ctx context.Context, org activity.Org, from, into activity.User) (*merge, error) {
	plan, _, err := s.Plan(org)
	if err != nil {
		return nil, err
	}
	other, err := s.State(ctx, org, into)
	if err != nil {
		return nil, err
	}
	user, _, err := s.stored(ctx, org, from)
	switch {
	case err != nil:
		return nil, err
	case user.Merged == into:
		return nil, s.carryOn(ctx, org, from)
	case user.Merged != "":
		return nil, s.nameLast(ctx, org, &MergedError{user.Merged})
	}
	if err := s.checkMerge(ctx, plan, org, from, into, other); err != nil {
		return nil, err
	}
	if _, err := s.settle(ctx, org, from); err != nil {
		return nil, err
	}
	m := &merge{from: from, into: into, note: note{at: s.Clock.Now(), token: rand.Text()}}
	_, err = s.do(ctx, org, into, "", &command{kind: reserve, merge: m})
	return m, err
}

// checkMerge folds what would be one log. What it finds may be otherwise a moment later: the steps look for themselves at what must not be.
func (s *Service) checkMerge(ctx context.Context, plan *progress.Plan, org activity.Org, from, into activity.User, other *progress.State) error {
	_, moved, err := s.Base(ctx, org, from)
	if err != nil {
		return err
	}
	base, records, err := s.Base(ctx, org, into)
	if err != nil {
		return err
	}
	size := 0
	for i := range moved {
		size += len(moved[i].ID) + len(moved[i].Name) + len(moved[i].Meta) + len(moved[i].Reason)
	}
	if len(moved) > maxMoved || size > maxMovedBytes {
		return fmt.Errorf("merge of %d activities: %w", len(moved), store.ErrTooLarge)
	}
	all, _, _ := union(records, moved)
	_, err = progress.Rebuild(plan, other, base, all, s.Clock.Now())
	return err
}

// depart takes the step from which on the merge happens. Where it is certain that it does not, the reservation is taken back.
func (s *Service) depart(ctx context.Context, org activity.Org, m *merge) error {
	_, err := s.do(ctx, org, m.from, "", &command{kind: depart, merge: m})
	if err == nil || errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
		return err
	}
	if _, undone := s.do(ctx, org, m.into, "", &command{kind: cancel, merge: m}); undone != nil {
		s.Log.Warn().Err(undone).Str("org", string(org)).Str("user", string(m.into)).Msg("the note of a merge that was refused stays until it is old")
	}
	return err
}

// carryOn finishes a merge that was begun; nil where there is none.
func (s *Service) carryOn(ctx context.Context, org activity.Org, from activity.User) error {
	m, err := s.underWay(ctx, org, from)
	if err != nil || m == nil {
		return err
	}
	// Who was merged itself since, or deleted, awaited nobody any more: the user has come.
	if _, err := s.do(ctx, org, m.into, "", &command{kind: absorb, merge: m}); err != nil && !errors.Is(err, ErrUserMerged) && !errors.Is(err, ErrUserNotFound) {
		return fmt.Errorf("merge of user %q into %q of org %s: %w", from, m.into, org, err)
	}
	if err := s.disclaimDeparted(ctx, org, from); err != nil {
		return err
	}
	_, err = s.do(ctx, org, from, "", &command{kind: finish, merge: m})
	return err
}

// underWay reads what a user who departed brings along; nil for one who did not, or has arrived.
func (s *Service) underWay(ctx context.Context, org activity.Org, from activity.User) (*merge, error) {
	for range maxRounds {
		user, version, err := s.stored(ctx, org, from)
		if err != nil || user.Merged == "" || user.Scheduled == 0 {
			return nil, err
		}
		m := &merge{from: from, into: user.Merged}
		if _, m.records, err = s.Base(ctx, org, from); err != nil {
			return nil, err
		}
		if m.came, err = s.merges(ctx, org, from); err != nil {
			return nil, err
		}
		if m.grants, err = s.Grants(ctx, org, from); err != nil {
			return nil, err
		}
		// All of it is what the user departed with, if nobody has finished meanwhile.
		if _, again, err := s.stored(ctx, org, from); err != nil || again == version {
			return m, err
		}
	}
	return nil, ErrConflict
}

// decideMerged decides a command for a user who was merged.
func (w *writer) decideMerged(ctx context.Context, t *task, c *command, into activity.User) error {
	a := &t.attempt
	underWay := a.state.Scheduled != 0
	switch {
	case c.kind == refill, c.kind == enlist:
	case c.kind == depart && c.merge.into == into:
	case c.kind == sweep && underWay, c.kind == bury && underWay:
		a.err = errDeparted
	case c.kind == sweep:
	case c.kind == bury:
		if _, named := c.merge.known[into]; named || into == c.merge.into {
			return w.remove(ctx, t)
		}
	case c.kind == finish && underWay:
		a.state = &progress.State{Merged: into, Scheduled: a.state.Scheduled}
		a.commits = true
		a.group.Writes, a.group.ProfileChanged = w.removals(t), true
		a.finishGroup(t, nil)
	case c.kind == finish:
	default:
		a.err = &MergedError{into}
	}
	return nil
}

// decideMerge decides a step of a merge for a user who is still its own.
func (w *writer) decideMerge(ctx context.Context, t *task, c *command) error {
	if c.kind == depart {
		return w.decideDepart(ctx, t, c.merge)
	}
	m, err := w.merges(ctx, t.key.org, t.key.user)
	if err != nil {
		return err
	}
	switch c.kind {
	case reserve:
		w.decideReserve(t, c.merge, m)
	case cancel:
		if m[c.merge.from] == c.merge.note {
			w.write1(t, store.Op{Kind: store.OpHDel, Key: w.mergedKey(t), Args: []string{string(c.merge.from)}})
		}
	case absorb:
		return w.decideAbsorb(ctx, t, c.merge, m)
	}
	return nil
}

func (w *writer) mergedKey(t *task) store.Key {
	return store.MergedKey(w.partition, t.key.org, t.key.user)
}

// write1 commits one write under the user's state, which stays as it is.
func (w *writer) write1(t *task, op store.Op) {
	a := &t.attempt
	a.commits, a.state.Due = true, a.state.Scheduled
	a.group.Writes = append(a.group.Writes, op)
	a.finishGroup(t, nil)
}

func (w *writer) decideReserve(t *task, c *merge, m merges) {
	if n := m[c.from]; n.fresh(w.Clock.Now()) {
		t.attempt.err = ErrConflict
		return
	}
	c.seal = t.attempt.state.Sealed
	w.write1(t, m.set(w.mergedKey(t), map[activity.User]note{c.from: c.note}))
}

func (w *writer) decideDepart(ctx context.Context, t *task, c *merge) error {
	a := &t.attempt
	awaited, err := w.awaited(ctx, t)
	if err != nil {
		return err
	}
	now := w.Clock.Now()
	moving, err := w.moving(ctx, t)
	if err != nil {
		return err
	}
	if awaited || moving || now > c.note.at+departWithin {
		a.err = ErrConflict
		return nil
	}
	old, base, records, err := w.history(ctx, t)
	if err != nil {
		return err
	}
	if a.err = movable(old, records, c); a.err != nil {
		return nil
	}
	if err := w.vanish(ctx, t, old, base); err != nil {
		return err
	}
	a.strays = append(a.strays, unlisting(t))
	a.state = &progress.State{Merged: c.into, Due: now, Scheduled: old.Scheduled}
	a.finishGroup(t, nil)
	return nil
}

// movable says why a user cannot be merged, nil if it can.
func movable(s *progress.State, records []activity.Activity, c *merge) error {
	if s.Sealed > 0 {
		return refuse(ErrSealed, "What %q did before %s is sealed: it cannot be moved to another user any more.", c.from, s.Sealed)
	}
	for i := range records {
		if records[i].At < c.seal {
			return refuse(ErrSealed, "Activity %q of %q is of %s, and what %q did before %s is sealed.", records[i].ID, c.from, records[i].At, c.into, c.seal)
		}
	}
	return nil
}

// decideAbsorb takes over what another user brings along.
func (w *writer) decideAbsorb(ctx context.Context, t *task, c *merge, m merges) error {
	a := &t.attempt
	if m[c.from].came {
		return nil
	}
	// What was read of the user may be old: if others have brought the user here since, and this one was deleted then, nothing of it may come back.
	if departed, err := w.departed(ctx, t.key.org, c.from, t.key.user); err != nil || !departed {
		return err
	}
	old, base, records, err := w.history(ctx, t)
	if err != nil {
		return err
	}
	named(c.records)
	all, moved, lost := union(records, c.records)
	old.NoteMoved(t.plan, moved)
	now := w.Clock.Now()
	next, err := progress.Rebuild(t.plan, old, base, all, now)
	if err != nil && !errors.Is(err, fold.ErrRange) { // looked for before; nothing can be refused any more
		return err
	}
	update := progress.Diff(t.plan, old, next, now, progress.History)
	a.take(&update)
	a.state, a.commits = next, true
	if len(c.grants) > 0 {
		a.granting.absorbed = &absorbed{c.from, c.grants}
	}
	notes := map[activity.User]note{c.from: {came: true}}
	for u, n := range c.came {
		if n.came {
			notes[u] = n
		}
	}
	a.group.Writes = append(a.group.Writes, m.set(w.mergedKey(t), notes))
	t.takeBack(lost)
	if len(moved) > 0 {
		op := store.Op{Kind: store.OpHSet, Key: a.group.AbsentIn}
		for i := range moved {
			op.Args = append(op.Args, string(moved[i].ID), string(moved[i].AppendRecord(nil)))
		}
		a.group.Writes = append(a.group.Writes, op)
	}
	a.finishGroup(t, nil)
	return nil
}

// union joins two logs. Of two records of one id the one received first stays, of two received at once the one that is there; moved are those that
// come in, lost those that do not stay.
func union(records, more []activity.Activity) (all, moved, lost []activity.Activity) {
	at := make(map[activity.ID]int, len(records))
	for i := range records {
		at[records[i].ID] = i
	}
	all = append(all, records...)
	for _, r := range more {
		i, both := at[r.ID]
		switch {
		case !both:
			all = append(all, r)
		case r.Received < all[i].Received:
			lost = append(lost, all[i])
			all[i] = r
		default:
			lost = append(lost, r)
			continue
		}
		moved = append(moved, r)
	}
	return all, moved, lost
}

// forward hands the activities that come first to the writer of the user into whom theirs was merged.
func (w *writer) forward(ctx context.Context, t *task, into activity.User) error {
	into, err := w.last(ctx, t.key.org, into)
	if err != nil {
		return err
	}
	var us []*unit
	for len(t.units) > 0 && t.units[0].command == nil {
		u := *t.units[0] // a copy: the queue knows whom the lane works on by the unit
		u.activity.User = into
		us, t.units = append(us, &u), t.units[1:]
	}
	if !w.writer(t.key.org, into).queue.push(asked, us) {
		for _, u := range us {
			u.fail(ErrOverloaded)
		}
	}
	return nil
}
