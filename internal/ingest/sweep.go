package ingest

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Streaks end without an activity. Reads compare with now and need no timer; the streak boards and events do. Each partition has one deadline a user in
// {n}:due, that of the next thing that time alone does to the user's streaks, kept by the same commits that move it. A sweeper hands the users whose
// deadline has passed to the writer, page by page and without a pause while there are more, and the writer decides them again as of now, in turn with what
// clients ask for. However many nodes sweep, one commit wins and the others find nothing to do.
const (
	sweepEvery  = 250 * time.Millisecond // looks for deadlines, at least: one may be sooner than what was the first
	sweepGather = 20 * time.Millisecond  // after a look, at least: deadlines that come one by one are decided together
	sweepPage   = 4096                   // users at a time
	sweepCalm   = 4 * time.Second        // between looks, while the store fails, at most
)

// sweeper keeps the streaks of one partition up to the time.
type sweeper struct {
	*writer
	lag atomic.Int64 // ms, of the earliest deadline that has passed
}

func (w *sweeper) run(ctx context.Context) error {
	timer := time.NewTimer(sweepEvery)
	defer timer.Stop()
	calm := sweepEvery
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		pause, err := w.look(ctx)
		switch {
		case err == nil:
			calm = sweepEvery
		case ctx.Err() == nil:
			w.Log.Warn().Err(err).Int("partition", int(w.partition)).Msg("deadlines could not be swept")
			if pause == 0 {
				pause, calm = calm, min(2*calm, sweepCalm)
			}
		}
		timer.Reset(pause)
	}
}

// look decides those whose deadline has passed, if anybody's has, and says when to look again; with an error and nobody decided it leaves that to the caller.
func (w *sweeper) look(ctx context.Context) (pause time.Duration, err error) {
	first, err := w.Store.Due(ctx, w.partition, math.MaxInt64, 1)
	if err != nil {
		return 0, err
	}
	now := w.Clock.Now()
	switch {
	case len(first) == 0:
		w.lag.Store(0)
		return sweepEvery, nil
	case first[0].At > now:
		w.lag.Store(0)
		return max(sweepGather, min(sweepEvery, time.Duration(first[0].At-now)*time.Millisecond)), nil
	}
	decided, err := w.sweep(ctx)
	switch {
	case decided > 0 && err == nil:
		return sweepGather, nil
	case decided > 0 || err == nil:
		return sweepEvery, err
	}
	return 0, err
}

// sweep decides everyone whose deadline has passed, and says how many that were. While a page is decided the next one is read, behind it. Those who cannot be
// decided stay in the list and are passed over.
func (w *sweeper) sweep(ctx context.Context) (decided int, err error) {
	stay := 0
	settle := func(page *redecision) {
		failed, e := w.settle(ctx, page)
		decided, stay, err = decided+page.size-failed, stay+failed, errors.Join(err, e)
	}
	page := w.redecide(sweep, nil)
	for more := true; more && !errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil; {
		var next *redecision
		// Those of this page leave the list meanwhile: a few may be passed over, and come with a later page.
		next, more, err = w.page(ctx, stay+page.waiting(), err)
		settle(page)
		page = next
	}
	settle(page)
	if stay == 0 && err == nil {
		w.lag.Store(0)
	}
	return decided, err
}

// page begins to decide a page of those whose deadline has passed, without the first skip. more says that it is full; before is added to its error.
func (w *sweeper) page(ctx context.Context, skip int, before error) (page *redecision, more bool, err error) {
	now := w.Clock.Now()
	due, err := w.Store.DueAfter(ctx, w.partition, now, skip, sweepPage)
	if len(due) > 0 {
		w.lag.Store(int64(now - due[0].At)) // in order; those that are being decided aside
	}
	users := make([]userKey, 0, len(due))
	for _, d := range due {
		org, user, ok := strings.Cut(d.Member, ":")
		if _, _, err := w.Plan(activity.Org(org)); err == nil && ok { // else: an org that was removed
			users = append(users, userKey{activity.Org(org), activity.User(user)})
		}
	}
	page = w.redecide(sweep, users)
	page.size = len(due)
	return page, len(due) == sweepPage, errors.Join(before, err)
}

// settle waits until a page is decided, and says how many of it were not.
func (w *sweeper) settle(ctx context.Context, page *redecision) (failed int, err error) {
	if err = page.wait(ctx); ctx.Err() != nil {
		return page.size, err
	}
	for _, u := range page.departed() {
		err = errors.Join(err, w.carryOn(ctx, u.org, u.user))
	}
	return page.size - len(page.units) + int(page.request.failures.Load()), err
}

// redecision is users to whom nothing came, on their way through the writer.
type redecision struct {
	request *request
	units   []unit
	size    int // what it was made of: its units, and what gave none
}

// redecide hands users to the writer. Where its queue is full all of them have failed, by ErrOverloaded.
func (w *writer) redecide(why commandKind, users []userKey) *redecision {
	r := &request{outcomes: make([]Outcome, len(users)), done: make(chan struct{})}
	r.waiting.Store(int64(len(users)))
	d := &redecision{request: r, units: make([]unit, len(users)), size: len(users)}
	if len(users) == 0 {
		close(r.done)
		return d
	}
	units, commands := make([]*unit, len(users)), make([]command, len(users))
	for i, u := range users {
		commands[i].kind = why
		d.units[i] = unit{request: r, index: i, org: u.org, activity: activity.Activity{User: u.user}, command: &commands[i]}
		units[i] = &d.units[i]
	}
	if !w.queue.push(upkeep, units) {
		for _, u := range units {
			u.fail(ErrOverloaded)
		}
	}
	return d
}

// waiting is how many are not decided yet.
func (d *redecision) waiting() int { return int(d.request.waiting.Load()) }

// wait waits until all are decided; the error is that of the first who could not be.
func (d *redecision) wait(ctx context.Context) error {
	select {
	case <-d.request.done:
		return d.request.failed()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// departed are those whose merge is under way, which is not for the writer alone.
func (d *redecision) departed() (users []userKey) {
	for i := range d.units {
		if errors.Is(d.units[i].command.err, errDeparted) {
			users = append(users, d.units[i].key())
		}
	}
	return users
}

// decideSweep decides a user to whom nothing happened but time.
func (w *writer) decideSweep(ctx context.Context, t *task) error {
	now := w.Clock.Now()
	if at := t.attempt.state.Scheduled; at == 0 || at > now {
		return nil // another node was faster
	}
	return w.decideAsOf(ctx, t, now)
}

// dueMember names the task's user in {n}:due.
func (t *task) dueMember() string { return string(t.key.org) + ":" + string(t.key.user) }

// schedule is the write that makes the user's stored deadline the state's, if it is not.
func (t *task) schedule(s *progress.State) (store.Op, bool) {
	due := s.Deadline()
	if due == s.Scheduled {
		return store.Op{}, false
	}
	s.Scheduled = due
	member := t.dueMember()
	key := store.DueKey(t.partition)
	if due == 0 {
		return store.Op{Kind: store.OpZRem, Key: key, Args: []string{member}}, true
	}
	return store.Op{Kind: store.OpZAdd, Key: key, Args: []string{strconv.FormatInt(int64(due), 10), member}}, true
}

// Deadlines is how many users have a running streak, and how far behind the earliest passed deadline is.
func (s *Service) Deadlines(ctx context.Context) (n int64, lag time.Duration, err error) {
	for i, w := range s.writers {
		c, err := s.Store.Deadlines(ctx, w.partition)
		if err != nil {
			return 0, 0, err
		}
		n += c
		lag = max(lag, time.Duration(s.sweepers[i].lag.Load())*time.Millisecond)
	}
	return n, lag, nil
}
