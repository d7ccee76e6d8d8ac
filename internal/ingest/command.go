package ingest

import (
	"context"
	"errors"
	"slices"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// command is a change of a user that is no new activity. It goes through the same writer, alone in its group.
type command struct {
	kind   commandKind
	reason string             // reject
	change UserChange         // setUser
	merge  *merge             // what follows unblock
	given  *activity.Transfer // credit
	order  order              // ordered
	why    progress.Cause
	asked  profile.Value // testify: whether the user shows it
	shows  bool          // the answer
	grants grantCommand  // granted, vouch
	result *activity.Activity
	err    error // the command's own answer, as opposed to the store's
}

type commandKind uint8

const (
	reject commandKind = iota + 1
	restore
	setUser
	ordered
	sweep  // nothing but the time has changed
	refill // nothing but the definitions may have changed
	enlist // and the user may not be in the list of users yet
	hide
	unhide
	block
	unblock
	erase
	reserve
	cancel
	depart
	absorb
	finish
	bury
	testify
	credit
	vouch
	granted
)

// isUpkeep says whether nobody asked for the command; c may be nil, for an activity.
func (c *command) isUpkeep() bool {
	return c != nil && (c.kind == sweep || c.kind == refill || c.kind == enlist)
}

// Reject takes an activity back: the state becomes what it would have been, had it never come. Doing it again changes nothing. It returns
// the activity as it stands then. ErrUserNotFound, ErrActivityNotFound, ErrSealed, fold.ErrRange (a sum would leave the exact range without it), and the errors of
// progress.State.CheckReject.
func (s *Service) Reject(ctx context.Context, org activity.Org, user activity.User, id activity.ID, reason string) (*activity.Activity, error) {
	return s.do(ctx, org, user, id, &command{kind: reject, reason: reason})
}

// Restore brings a rejected activity back, to what it was before. Doing it again changes nothing. Errors as Reject, and those of progress.State.CheckRestore.
func (s *Service) Restore(ctx context.Context, org activity.Org, user activity.User, id activity.ID) (*activity.Activity, error) {
	return s.do(ctx, org, user, id, &command{kind: restore})
}

// UserChange is what SetUser changes; a nil field stays as it is.
type UserChange struct {
	// Name and Picture are what is shown of the user: text of up to 128 bytes, an http or https URL of up to 1,024; "" removes it.
	Name, Picture *string
	// Profile is what else becomes of it.
	Profile profile.Change
	// Attributes are what rules may read of the user, by name ([a-z][a-z0-9_]{0,31}): up to 128 bytes of text; nil removes one. The others stay,
	// unless ReplaceAttributes is set. A user has at most MaxAttributes.
	Attributes        map[string]*string
	ReplaceAttributes bool
	// Zone is the IANA name of the user's zone from now on; it counts from the next period of each streak.
	Zone *string
	// Create makes a user who is not there, also in orgs where activities may not.
	Create bool

	token string    // of a move of unique values, whose own notes go
	notes []pending // what is about to be claimed: nothing else is changed of a user who is there
	ended []string  // notes that go
}

// SetUser changes what is known of a user. ErrUserNotFound for a user who is not there (without Create); ErrBadZone; *ProfileError; ErrTaken (*TakenError)
// for a unique value of another user; ErrConflict where others kept moving the same value, and ask again.
func (s *Service) SetUser(ctx context.Context, org activity.Org, user activity.User, c UserChange) error {
	if c.Zone != nil {
		if _, err := time.LoadLocation(*c.Zone); err != nil || *c.Zone == "" || *c.Zone == "Local" {
			return ErrBadZone
		}
	}
	_, entry, err := s.Plan(org)
	if err != nil {
		return err
	}
	change, err := c.checked(entry.Catalog.Fields)
	if err != nil {
		return err
	}
	if change.moves() {
		return s.move(ctx, org, user, change)
	}
	return s.change(ctx, org, user, change)
}

func (s *Service) do(ctx context.Context, org activity.Org, user activity.User, id activity.ID, c *command) (*activity.Activity, error) {
	if _, _, err := s.Plan(org); err != nil {
		return nil, err
	}
	r := &request{org: org, outcomes: make([]Outcome, 1), done: make(chan struct{})}
	r.waiting.Store(1)
	u := &unit{request: r, org: org, activity: activity.Activity{ID: id, User: user}, command: c}
	if !s.writer(org, user).queue.push(asked, []*unit{u}) {
		return nil, ErrOverloaded
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := r.failed(); err != nil {
		return nil, err
	}
	return c.result, s.nameLast(ctx, org, c.err)
}

func (u *unit) settleCommand(a *attempt) {
	u.command.result, u.command.err = a.done.Activity, a.err
	u.request.settled()
}

// decideCommand decides the task's first unit, a command.
func (w *writer) decideCommand(ctx context.Context, t *task) error {
	c := t.units[0].command
	t.attempt.group = w.emptyGroup(t)
	if c.kind == setUser && t.attempt.state.Merged == "" {
		return w.decideUser(ctx, t, &c.change)
	}
	if t.version == "" {
		t.attempt.err = ErrUserNotFound
		return nil
	}
	if into := t.attempt.state.Merged; into != "" {
		return w.decideMerged(ctx, t, c, into)
	}
	switch c.kind {
	case ordered:
		return w.decideOrder(ctx, t, c.order, c.why)
	case sweep:
		return w.decideSweep(ctx, t)
	case refill:
		return w.decideRefill(ctx, t)
	case enlist:
		return w.decideEnlist(ctx, t)
	case hide, unhide:
		return w.decideHidden(ctx, t, c.kind == hide)
	case block, unblock:
		w.decideBlocked(t, c.kind == block)
		return nil
	case erase:
		return w.decideErase(ctx, t)
	case testify:
		return w.decideTestify(ctx, t, c)
	case vouch:
		return w.decideVouch(ctx, t, c)
	case granted:
		return w.decideGranted(ctx, t, c)
	case bury:
		return nil // a new user by the old name
	case reserve, cancel, depart, absorb, finish:
		return w.decideMerge(ctx, t, c)
	case credit:
		return w.decideCredit(ctx, t, c.given)
	}
	return w.decideStatus(ctx, t, c)
}

// decideUser creates a user or changes what is known of one.
func (w *writer) decideUser(ctx context.Context, t *task, c *UserChange) error {
	a := &t.attempt
	if t.version == "" && !c.Create {
		a.err = ErrUserNotFound
		return nil
	}
	attributes, err := c.attributes(a.state.Attributes)
	if err != nil {
		a.err = err
		return nil
	}
	have, next, err := w.changedProfile(ctx, t, c)
	if err != nil || a.err != nil {
		return err
	}
	written := w.profileWrites(t, have, next)
	changed := len(written) > 0 || !slices.Equal(attributes, a.state.Attributes)
	a.state.Attributes = attributes
	now := w.Clock.Now()
	switch {
	case t.version == "":
		if c.Zone != nil {
			a.state.Zones = []progress.ZoneChange{{Name: *c.Zone}} // a user who begins with it never had another one
		}
		err = w.decideAsOf(ctx, t, now)
	case c.Zone != nil && len(c.notes) == 0 && a.state.Zone() != *c.Zone:
		// An activity may lie after the change already.
		err = w.decideOrder(ctx, t, func(s *progress.State, _ *progress.Plan, now calendar.Instant) (*progress.State, error) {
			next, err := s.ChangeZone(*c.Zone, now)
			if err == nil {
				next.Attributes = attributes
			}
			return next, err
		}, progress.Doing)
	case changed:
		err = w.decideAsOf(ctx, t, now)
	}
	if a.err != nil {
		return nil
	}
	w.noteCreation(t)
	a.group.Writes = append(a.group.Writes, written...)
	a.group.ProfileChanged = have[profile.Name] != next[profile.Name] || have[profile.Picture] != next[profile.Picture]
	return err
}

// changedProfile is the user's hash before and after a change; a.err where it cannot be.
func (w *writer) changedProfile(ctx context.Context, t *task, c *UserChange) (have, next map[string]string, err error) {
	if c.Profile.IsZero() && len(c.notes) == 0 && len(c.ended) == 0 {
		return nil, nil, nil
	}
	if have, err = w.profileOf(ctx, t); err != nil {
		return nil, nil, err
	}
	next, err = c.Profile.Apply(have)
	if wrong := (*ProfileError)(nil); errors.As(err, &wrong) {
		t.attempt.err = wrong
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, p := range c.notes {
		next[p.name] = p.note()
	}
	for _, name := range c.ended {
		delete(next, name)
	}
	if ok, err := w.claimed(ctx, t, c, have, next); err != nil || !ok {
		t.attempt.err = errUnclaimed
		return nil, nil, err
	}
	return have, next, nil
}

// decideAsOf decides a user to whom no activity came, but time.
func (w *writer) decideAsOf(ctx context.Context, t *task, now calendar.Instant) error {
	a := &t.attempt
	update := progress.Apply(t.plan, a.state, nil, now)
	a.take(&update)
	a.commits = true
	if update.NeedLog {
		if err := w.decideByLog(ctx, t, nil, 0, now); err != nil {
			return err
		}
	}
	a.finishGroup(t, nil)
	return nil
}

// decideStatus rejects or restores: the log with the changed record, folded anew.
func (w *writer) decideStatus(ctx context.Context, t *task, c *command) error {
	a := &t.attempt
	old, base, records, err := w.history(ctx, t)
	if err != nil {
		return err
	}
	id := t.units[0].activity.ID
	i := slices.IndexFunc(records, func(r activity.Activity) bool { return r.ID == id })
	switch {
	case i < 0 && old.Sealed > 0:
		// Folded records leave no id behind: it may never have been there, but what was is sealed.
		a.err = ErrSealed
	case i < 0:
		a.err = ErrActivityNotFound
	case records[i].At < old.Sealed:
		a.err = ErrSealed
	}
	if a.err != nil {
		return nil
	}
	if a.err = c.allowed(old, records, i); a.err != nil {
		return nil
	}
	changed := c.apply(&records[i])
	a.done.Activity = &records[i]
	if !changed {
		return nil
	}
	now := w.Clock.Now()
	if a.err = t.turn(&records[i], now); a.err != nil {
		a.done.Activity = nil
		return nil
	}
	next, err := progress.Rebuild(t.plan, old, base, records, now)
	if err != nil {
		a.err, a.done.Activity = err, nil
		return nil
	}
	update := progress.Diff(t.plan, old, next, now, progress.Doing)
	a.take(&update)
	a.state, a.commits = next, true
	log := a.group.AbsentIn
	a.granting.note(&records[i])
	a.finishGroup(t, nil)
	a.group.Writes = append(a.group.Writes,
		store.Op{Kind: store.OpHSet, Key: log, Args: []string{string(id), string(records[i].AppendRecord(nil))}})
	return nil
}

// allowed says why the record may not be rejected, or restored, nil if it may.
func (c *command) allowed(s *progress.State, records []activity.Activity, i int) error {
	if c.kind == reject {
		return s.CheckReject(records, i)
	}
	return s.CheckRestore(records, i)
}

// apply changes the record's status and says whether that was a change.
func (c *command) apply(r *activity.Activity) bool {
	rejected := r.Status == activity.Rejected
	switch {
	case c.kind == reject && !rejected:
		r.Status, r.Reason = activity.Rejected, c.reason
	case c.kind == restore && rejected && r.WasIgnored:
		r.Status, r.Reason = activity.Ignored, ""
	case c.kind == restore && rejected:
		r.Status, r.Reason = activity.Accepted, ""
	default:
		return false
	}
	return true
}
