package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/registry"
	"laurel/ws"
)

// follower passes each change of the store on to what this node derived from it: states, live views, definitions and keys. Definitions
// and keys are read again in run, because a change must not wait for the store.
type follower struct {
	catalogs *registry.Registry
	keys     *auth.Keys
	log      zerolog.Logger
	writes   *ingest.Service
	hub      *ws.Hub

	mu    sync.Mutex
	stale map[activity.Org]struct{} // bounded by the number of orgs
	wake  chan struct{}
}

func newFollower(catalogs *registry.Registry, keys *auth.Keys, log zerolog.Logger) *follower {
	return &follower{catalogs: catalogs, keys: keys, log: log, stale: map[activity.Org]struct{}{}, wake: make(chan struct{}, 1)}
}

// to says who is told of changes. It is called before the first change comes.
func (f *follower) to(writes *ingest.Service, hub *ws.Hub) { f.writes, f.hub = writes, hub }

// apply is called by the boards for each change, after they have it.
func (f *follower) apply(c feed.Change) {
	f.writes.Follow(c)
	f.hub.Wake(c)
	f.reload(c.Orgs)
}

// reset is called by the boards when a partition's history was lost.
func (f *follower) reset(partition int) {
	f.writes.Forget(partition)
	f.reload(f.catalogs.Orgs())
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
	select {
	case f.wake <- struct{}{}:
	default: // run has been woken already
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
		f.mu.Lock()
		orgs := slices.Collect(maps.Keys(f.stale))
		clear(f.stale)
		f.mu.Unlock()
		if err := f.read(ctx, orgs); err != nil && ctx.Err() == nil {
			f.log.Error().Err(err).Msg("definitions or keys cannot be read again; trying again")
			if sleep(ctx, time.Second) == nil {
				f.reload(orgs)
			}
		}
	}
}

func (f *follower) read(ctx context.Context, orgs []activity.Org) error {
	if err := f.keys.Reload(ctx); err != nil {
		return err
	}
	for _, org := range orgs {
		if _, err := f.catalogs.Reload(ctx, org); err != nil && !errors.Is(err, registry.ErrOrgNotFound) {
			return err
		}
	}
	f.hub.Wake(feed.Change{Orgs: orgs}) // once more: views may have been rendered by the old definitions meanwhile
	return nil
}
