package ingest

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Streaks end without an activity. Reads compare with now and need no timer; the streak boards do. Each partition has one deadline a user in
// {n}:due, that of the user's first running streak to end, kept by the same commits that move it. A sweeper hands the users whose
// deadline has passed to the writer, which decides them again as of now. However many nodes sweep, one commit wins and the others find nothing to do.
const (
	sweepEvery   = 250 * time.Millisecond
	sweepBatch   = 512
	sweepBatches = 20 // in one go: users who cannot be decided must not keep it busy for ever
)

// sweeper brings the streak boards of one partition up to the time.
type sweeper struct {
	*writer
	lag atomic.Int64 // ms, of the earliest deadline that has passed
}

func (w *sweeper) run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := w.sweep(ctx); err != nil && ctx.Err() == nil {
			w.Log.Warn().Err(err).Int("partition", int(w.partition)).Msg("deadlines could not be swept")
		}
	}
}

// sweep decides everyone whose deadline has passed.
func (w *sweeper) sweep(ctx context.Context) error {
	for range sweepBatches {
		now := w.Clock.Now()
		due, err := w.Store.Due(ctx, w.partition, now, sweepBatch)
		if err != nil {
			return err
		}
		if len(due) == 0 {
			w.lag.Store(0)
			return nil
		}
		w.lag.Store(int64(now - due[0].At)) // earliest first
		if err := w.sweepUsers(ctx, due); err != nil {
			return err
		}
		if len(due) < sweepBatch {
			return nil
		}
	}
	return nil
}

func (w *sweeper) sweepUsers(ctx context.Context, due []store.DueItem) error {
	var users []userKey
	for _, d := range due {
		org, user, ok := strings.Cut(d.Member, ":")
		if _, _, err := w.Plan(activity.Org(org)); err == nil && ok { // else: an org that was removed
			users = append(users, userKey{activity.Org(org), activity.User(user)})
		}
	}
	departed, err := w.decideAgain(ctx, sweep, users)
	for _, u := range departed {
		err = errors.Join(err, w.carryOn(ctx, u.org, u.user))
	}
	return err
}

// decideAgain hands users to whom nothing came to the writer, and waits until they are decided. ErrOverloaded when the queue is full. It returns those
// whose merge is under way: that is not for the writer alone.
func (w *writer) decideAgain(ctx context.Context, why commandKind, users []userKey) (departed []userKey, err error) {
	if len(users) == 0 {
		return nil, nil
	}
	r := &request{outcomes: make([]Outcome, len(users)), done: make(chan struct{})}
	r.waiting.Store(int64(len(users)))
	units := make([]*unit, len(users))
	for i, u := range users {
		units[i] = &unit{request: r, index: i, org: u.org, activity: activity.Activity{User: u.user}, command: &command{kind: why}}
	}
	if !w.queue.push(units) {
		return nil, ErrOverloaded
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for i, u := range units {
		if errors.Is(u.command.err, errDeparted) {
			departed = append(departed, users[i])
		}
	}
	return departed, r.failed()
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
	if s.Due == s.Scheduled {
		return store.Op{}, false
	}
	s.Scheduled = s.Due
	member := t.dueMember()
	key := store.DueKey(t.partition)
	if s.Due == 0 {
		return store.Op{Kind: store.OpZRem, Key: key, Args: []string{member}}, true
	}
	return store.Op{Kind: store.OpZAdd, Key: key, Args: []string{strconv.FormatInt(int64(s.Due), 10), member}}, true
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
