// Package account is everything that the store keeps of one user, read at one version, and what it ought to amount to. The tools that check a
// store, mend it or move it stand on it; the server decides by internal/ingest.
//
// What is decided once is a user's own: the seal and the base, the log, and in the state the zones, flags, attributes and counters of behaviours. The
// rest of the state, the rows on boards and the deadline follow from it by progress.Rebuild.
package account

import (
	"context"
	"fmt"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/grants"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Account is what is stored of a user.
type Account struct {
	Org       activity.Org
	User      activity.User
	Partition store.Partition
	// Document is the state's document as it is stored, version first; "" if there is none.
	Document string
	// Stored is the state in the document; nil if there is none or it cannot be read.
	Stored *progress.State
	// Expires is when the first of the user's grants expires, 0 for never. It is read only where the state is lost, which says it otherwise.
	Expires calendar.Instant
	// Cold is the base as stored, Base the same taken apart (the zero state for "").
	Cold    string
	Base    *progress.State
	Records []activity.Activity // the log, in no order
	// Fault says why the base or the log cannot be read; nothing can then be made of them.
	Fault error
}

// Read reads an account. A commit may come in between: who needs the parts to be of one moment asks Unchanged afterwards.
func Read(ctx context.Context, s *store.Store, org activity.Org, user activity.User) (*Account, error) {
	p := s.PartitionOf(org, user)
	a := &Account{Org: org, User: user, Partition: p, Base: &progress.State{}}
	texts, err := s.Texts(ctx, []store.Key{store.StateKey(p, org, user), store.ColdKey(p, org, user)})
	if err != nil {
		return nil, err
	}
	log, err := s.Log(ctx, p, org, user)
	if err != nil {
		return nil, err
	}
	a.Document, a.Cold = texts[0], texts[1]
	if len(a.Document) >= store.VersionLen {
		if state, err := progress.Parse(a.Document[store.VersionLen:]); err == nil {
			a.Stored = state
		}
	}
	if a.Stored == nil {
		if a.Expires, err = expiry(ctx, s, store.GrantsKey(p, org, user)); err != nil {
			return nil, err
		}
	}
	a.Records = make([]activity.Activity, 0, len(log))
	for id, record := range log {
		act, err := activity.ParseRecord(user, activity.ID(id), record)
		if err != nil {
			a.Fault = fmt.Errorf("log, activity %q: %w", id, err)
			continue
		}
		a.Records = append(a.Records, act)
	}
	if base, err := progress.Parse(a.Cold); err == nil {
		a.Base = base
	} else {
		a.Fault = fmt.Errorf("base: %w", err)
	}
	return a, nil
}

// expiry is when the first of a user's grants expires; 0 also where they cannot be read.
func expiry(ctx context.Context, s *store.Store, k store.Key) (calendar.Instant, error) {
	hash, err := s.Hash(ctx, k)
	if err != nil {
		return 0, err
	}
	set, err := grants.ParseSet(hash)
	if err != nil {
		return 0, nil // verify names damaged grants
	}
	return set.Next(), nil
}

// Version is that of the state's document, "" if there is none or it is too short to have one.
func (a *Account) Version() store.Version {
	if len(a.Document) < store.VersionLen {
		return ""
	}
	return store.Version(a.Document[:store.VersionLen])
}

// Exists says whether anything is kept of the user but a profile.
func (a *Account) Exists() bool {
	return a.Document != "" || a.Cold != "" || len(a.Records) > 0 || a.Fault != nil
}

// Unchanged says whether no commit has touched the user since the account was read: what was read between the two is then of one moment.
func (a *Account) Unchanged(ctx context.Context, s *store.Store) (bool, error) {
	texts, err := s.Texts(ctx, []store.Key{store.StateKey(a.Partition, a.Org, a.User)})
	if err != nil {
		return false, err
	}
	now := texts[0]
	return now[:min(len(now), store.VersionLen)] == a.Document[:min(len(a.Document), store.VersionLen)], nil
}

// DueMember is the user's member in the set of deadlines.
func (a *Account) DueMember() string { return string(a.Org) + ":" + string(a.User) }
