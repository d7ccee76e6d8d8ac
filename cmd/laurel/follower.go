package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/closing"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/registry"
	"laurel/ranking"
	"laurel/ws"
)

// follower passes each change of the store on to what this node derived from it: states, live views, definitions and keys. Definitions
// and keys are read again in run, because a change must not wait for the store.
//
// The start is the first loss: what was read before there was a position to follow from may have changed unseen. From each loss on until definitions and
// keys have been read again the follower is not settled, and the node answers nobody who needs a key.
type follower struct {
	known  *knowledge
	log    zerolog.Logger
	boards *ranking.Boards
	writes *ingest.Service
	hub    *ws.Hub
	closer *closing.Closer

	losses  atomic.Uint64 // of history, the start included
	secret  string        // that signs tokens, as far as run has told
	settles atomic.Uint64 // the number of losses after which everything was read again
	// before is as of when this node was current before the first loss that it has not settled; nil: there is none.
	before atomic.Pointer[time.Time]

	mu    sync.Mutex
	stale map[activity.Org]struct{} // bounded by the number of orgs
	wake  chan struct{}
}

func newFollower(known *knowledge, log zerolog.Logger) *follower {
	f := &follower{known: known, log: log, stale: map[activity.Org]struct{}{}, wake: make(chan struct{}, 1)}
	f.losses.Store(1)
	now := time.Now()
	f.before.Store(&now)
	f.rouse()
	return f
}

// to says who is told of changes. It is called before the first change comes.
func (f *follower) to(boards *ranking.Boards, writes *ingest.Service, hub *ws.Hub, closer *closing.Closer) {
	f.boards, f.writes, f.hub, f.closer = boards, writes, hub, closer
}

// settled says whether definitions and keys in memory are those of the history that is followed.
func (f *follower) settled() bool { return f.settles.Load() == f.losses.Load() }

// staleAfter is the age past which a node says that it may not show everything: to its live views, in /readyz, and in the header Laurel-Stale.
const staleAfter = 2 * time.Second

// age is how long ago this node was last known to show everything that was committed by then, as definitions of then say.
func (f *follower) age() time.Duration {
	if before := f.before.Load(); before != nil {
		return time.Since(*before)
	}
	return f.boards.Age()
}

// lag says whether this node may not show everything, and as of when it did.
func (f *follower) lag(now calendar.Instant) (asOf calendar.Instant, stale bool) {
	age := f.age()
	return now - calendar.Instant(age.Milliseconds()), age > staleAfter
}

// apply is called by the boards for each change, after they have it.
func (f *follower) apply(c feed.Change) {
	f.writes.Follow(c)
	f.hub.Wake(c)
	f.closer.Follow(c)
	f.reload(c.Orgs)
}

// reset is called by the boards when a partition's history was lost.
func (f *follower) reset(partition int) {
	before := time.Now().Add(-f.boards.Age())
	f.mu.Lock()
	f.losses.Add(1)
	f.before.CompareAndSwap(nil, &before)
	f.mu.Unlock()
	f.writes.Forget(partition)
	f.closer.Forget()
	f.rouse()
}

func (f *follower) reload(orgs []activity.Org) {
	if len(orgs) == 0 {
		return
	}
	f.mu.Lock()
	for _, org := range orgs {
		f.stale[org] = struct{}{}
	}
	f.mu.Unlock()
	f.rouse()
}

// rouse has run look for something to do.
func (f *follower) rouse() {
	select {
	case f.wake <- struct{}{}:
	default: // it has been told already
	}
}

// run reads what changed until ctx ends. What cannot be read now is tried again in a second.
func (f *follower) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.wake:
		}
		if err := f.read(ctx); err != nil && ctx.Err() == nil {
			f.log.Error().Err(err).Msg("definitions or keys cannot be read again; trying again")
			if sleep(ctx, time.Second) == nil {
				f.rouse()
			}
		}
	}
}

// read reads everything after a loss, else what changed.
func (f *follower) read(ctx context.Context) error {
	losses := f.losses.Load()
	if f.settles.Load() == losses {
		return f.readStale(ctx)
	}
	if err := f.boards.Following(ctx); err != nil {
		return err
	}
	before := f.known.catalogs.Orgs()
	if err := f.known.again(ctx); err != nil {
		return err
	}
	f.secret = f.known.keys.NewestSecret()
	f.settles.Store(losses)
	f.hub.Recheck()
	// Views of orgs that are gone end, the others may show other definitions.
	f.hub.Wake(feed.Change{Orgs: append(before, f.known.catalogs.Orgs()...)})
	f.mu.Lock()
	if f.settled() { // only now, behind what the views are told of
		f.before.Store(nil)
	}
	f.mu.Unlock()
	f.log.Info().Uint64("losses", losses).Msg("definitions and keys are as the store has them")
	f.rouse() // for what has changed meanwhile
	return nil
}

func (f *follower) readStale(ctx context.Context) error {
	f.mu.Lock()
	orgs := slices.Collect(maps.Keys(f.stale))
	clear(f.stale)
	f.mu.Unlock()
	if len(orgs) == 0 {
		return nil
	}
	if err := f.readOrgs(ctx, orgs); err != nil {
		f.reload(orgs)
		return err
	}
	f.hub.Wake(feed.Change{Orgs: orgs}) // once more: views may have been rendered by the old definitions meanwhile
	return nil
}

func (f *follower) readOrgs(ctx context.Context, orgs []activity.Org) error {
	if err := f.known.keys.Reload(ctx); err != nil {
		return err
	}
	if name := f.known.keys.NewestSecret(); name != f.secret {
		f.secret = name
		f.log.Info().Str("secret", name).Msg("tokens are signed with another secret")
	}
	f.hub.Recheck()
	for _, org := range orgs {
		if _, err := f.known.catalogs.Reload(ctx, org); err != nil && !errors.Is(err, registry.ErrOrgNotFound) {
			return err
		}
	}
	return nil
}
