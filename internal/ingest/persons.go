package ingest

import (
	"context"

	"laurel/internal/activity"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Person is what a list says of a user.
type Person struct {
	User            activity.User
	Profile         profile.Record
	Hidden, Blocked bool
}

// Persons reads those users who pass, in their order; who is not there, or was merged, does not. It takes a read of each one's hash, and one of the state of each whom
// pass lets through, which is asked before Hidden and Blocked are known.
func (s *Service) Persons(ctx context.Context, org activity.Org, users []activity.User, pass func(*Person) bool) ([]Person, error) {
	keys := make([]store.Key, len(users))
	for i, u := range users {
		keys[i] = store.ProfileKey(s.Store.PartitionOf(org, u), org, u)
	}
	hashes, err := s.Store.Hashes(ctx, keys)
	if err != nil {
		return nil, err
	}
	var found []Person
	for i, h := range hashes {
		p := Person{User: users[i]}
		if p.Profile, err = profile.Parse(h); err != nil {
			return nil, err
		}
		if pass(&p) {
			found = append(found, p)
		}
	}
	states, err := s.states(ctx, org, found)
	if err != nil {
		return nil, err
	}
	there := found[:0]
	for i, p := range found {
		if state := states[i]; state != nil && state.Merged == "" {
			p.Hidden, p.Blocked = state.Hidden, state.Blocked
			there = append(there, p)
		}
	}
	return there, nil
}

// states reads the states of users, those of a partition together; nil for one who is not there.
func (s *Service) states(ctx context.Context, org activity.Org, of []Person) ([]*progress.State, error) {
	keys, places := map[store.Partition][]store.Key{}, map[store.Partition][]int{}
	for i := range of {
		p := s.Store.PartitionOf(org, of[i].User)
		keys[p], places[p] = append(keys[p], store.StateKey(p, org, of[i].User)), append(places[p], i)
	}
	states := make([]*progress.State, len(of))
	for p := range keys {
		docs, err := s.Store.Docs(ctx, keys[p])
		if err != nil {
			return nil, err
		}
		for j, d := range docs {
			if d.Version == "" {
				continue
			}
			if states[places[p][j]], err = progress.Parse(string(d.Content)); err != nil {
				return nil, err
			}
		}
	}
	return states, nil
}
