package ingest

import (
	"context"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/grants"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Facts are what the store has of a user but for the log and what is summed up of it. They are immutable.
type Facts struct {
	// Version is that of the state; profile and grants are of it or newer.
	Version store.Version
	// Content is the state as progress.Parse reads it.
	Content string
	Profile profile.Record
	Grants  grants.Set
}

// Facts reads what the store has of a user now, and gives the state besides. It takes two reads of the store. ErrUserNotFound, ErrUserMerged.
func (s *Service) Facts(ctx context.Context, org activity.Org, user activity.User) (*Facts, *progress.State, error) {
	p := s.Store.PartitionOf(org, user)
	docs, err := s.Store.Docs(ctx, []store.Key{store.StateKey(p, org, user)})
	if err != nil {
		return nil, nil, err
	}
	state, err := s.parsed(org, user, &docs[0])
	if err != nil {
		return nil, nil, err
	}
	if state.Merged != "" {
		return nil, nil, s.nameLast(ctx, org, &MergedError{state.Merged})
	}
	f := &Facts{Version: docs[0].Version, Content: string(docs[0].Content)}
	hashes, err := s.Store.Hashes(ctx, []store.Key{store.ProfileKey(p, org, user), store.GrantsKey(p, org, user)})
	if err != nil {
		return nil, nil, err
	}
	if f.Profile, err = profile.Parse(hashes[0]); err != nil {
		return nil, nil, err
	}
	f.Grants, err = grants.ParseSet(hashes[1])
	return f, state, err
}

// Watch has drop called with the users of every change of the store: those that this node commits before anybody is told that they are, and then all as they are followed. forget
// is called where that could miss some. Call it before anything is remembered of users that they are to be told of.
func (s *Service) Watch(drop func([]feed.UserVersion), forget func()) {
	for {
		have := s.watchers.Load()
		var more []watcher
		if have != nil {
			more = append(more, *have...)
		}
		more = append(more, watcher{drop, forget})
		if s.watchers.CompareAndSwap(have, &more) {
			return
		}
	}
}

// watching are those who watch.
func (s *Service) watching() []watcher {
	if list := s.watchers.Load(); list != nil {
		return *list
	}
	return nil
}

type watcher struct {
	drop   func([]feed.UserVersion)
	forget func()
}

func (s *Service) tell(users []feed.UserVersion) {
	if len(users) == 0 {
		return
	}
	for _, w := range s.watching() {
		w.drop(users)
	}
}
