package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"laurel/internal/feed"
)

// ErrUnavailable says that the store could not be reached or did not answer. Of a commit nothing is known: it may have been applied, now or later.
var ErrUnavailable = errors.New("store is unavailable")

// ErrVerify says that a commit failed half-way, because a key holds what it should not: Redis does not undo. The users of its groups still have
// their old versions, and want verifying. It is an ErrUnavailable too.
var ErrVerify = fmt.Errorf("%w: a commit failed half-way", ErrUnavailable)

// Tries and pauses of a commit whose reply did not come.
const (
	commitTries = 3
	retryPause  = 50 * time.Millisecond // doubled each time
)

// answer is what a driver says of one try at a commit.
type answer struct {
	id, prev feed.Position // of the change entry; zero if no group was applied by this try
	failed   map[int]Outcome
	// replicated: as many replicas as are wanted have it.
	replicated bool
}

// Commit applies those groups whose checks hold, each whole or not at all, and says what became of each. They are applied in one atomic step: no reader
// sees a part of it. The result's outcomes stand in the order of groups; Durability is what the acknowledged writes have survived to.
//
// A reply that is lost is asked for again with the same version, so that no group is applied twice, a few times and while ctx lasts. For a group without a
// document there is nothing to recognise it by: its writes are then repeated, which does no harm (appends are refused there), or its Absent fields
// are found to exist.
//
// Errors: ErrUnavailable, ErrVerify, ErrTooLarge, and plain errors for groups that make no sense (a document that guards two groups, a key of
// another partition, a value beyond ±2^53); those write nothing. The groups must not be changed during the call and may be after it. Commit may be
// called concurrently.
func (s *Store) Commit(ctx context.Context, p Partition, groups []Group) (Result, error) {
	if err := s.checkPartition(p); err != nil {
		return Result{}, err
	}
	version := s.versions.next()
	if len(groups) == 0 {
		return Result{Version: version, Durability: s.Durability(ctx)}, nil
	}
	c, err := prepare(p, version, groups)
	if err != nil {
		return Result{}, err
	}
	a, err := s.driver.commit(ctx, c)
	if err != nil {
		return Result{}, fmt.Errorf("commit of %d groups to partition %d: %w", len(groups), p, err)
	}
	r, err := s.result(ctx, c, a)
	if err != nil {
		return Result{}, fmt.Errorf("commit of %d groups to partition %d: %w", len(groups), p, err)
	}
	return r, nil
}

// result puts an answer into the words of the caller.
func (s *Store) result(ctx context.Context, c *prepared, a answer) (Result, error) {
	r := Result{Version: c.version, Outcomes: make([]Outcome, len(c.groups)), Durability: s.Durability(ctx)}
	if a.replicated {
		r.Durability = Replicated
	}
	applied := false
	for i := range c.groups {
		o, failed := a.failed[i]
		if !failed {
			o = Outcome{Status: Applied}
			applied = true
		}
		r.Outcomes[i] = o
	}
	if !applied {
		return r, nil
	}
	if a.id == (feed.Position{}) {
		// All that applied did so in an earlier try, whose entry we look for.
		id, prev, err := s.driver.entryOf(ctx, c)
		if err != nil {
			return r, err
		}
		a.id, a.prev = id, prev
	}
	r.Change = c.change(func(group int) bool { return r.Outcomes[group].Status == Applied })
	r.Change.ID, r.Change.Prev, r.Position = a.id, a.prev, a.id
	return r, nil
}

func (s *Store) checkPartition(p Partition) error {
	if p < 0 || int(p) >= s.partitions {
		return fmt.Errorf("partition %d is not one of %d", p, s.partitions)
	}
	return nil
}

// pause waits before the next try; false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
