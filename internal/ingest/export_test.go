package ingest

import (
	"context"
	"crypto/rand"
	"errors"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// MergeSteps are the steps of Merge, each of which may be the last one that is taken.
func (s *Service) MergeSteps(ctx context.Context, org activity.Org, from, into activity.User) []func() error {
	var m *merge
	step := func(kind commandKind, user activity.User) func() error {
		return func() error {
			under, err := s.underWay(ctx, org, from)
			if err == nil && under != nil {
				_, err = s.do(ctx, org, user, "", &command{kind: kind, merge: under})
			}
			return err
		}
	}
	return []func() error{
		func() (err error) { m, err = s.prepareMerge(ctx, org, from, into); return err },
		func() error { return s.depart(ctx, org, m) },
		step(absorb, into),
		step(finish, from),
	}
}

// Absorb is the third step of a merge by what a node has read now.
func (s *Service) Absorb(ctx context.Context, org activity.Org, from, into activity.User) (func() error, error) {
	m, err := s.underWay(ctx, org, from)
	return func() error {
		_, err := s.do(ctx, org, into, "", &command{kind: absorb, merge: m})
		return err
	}, err
}

// SweepNow does what the sweepers do at their next tick.
func (s *Service) SweepNow(ctx context.Context) error {
	for _, w := range s.sweepers {
		if _, err := w.sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}

// BackfillNow does what the backfill does at its next tick.
func (s *Service) BackfillNow(ctx context.Context, org activity.Org) error {
	return s.backfillOrg(ctx, org)
}

// LookFilled does what the backfill does first: it reads what the users follow.
func (s *Service) LookFilled(ctx context.Context, org activity.Org) error {
	f, err := s.readFilling(ctx, org)
	if err == nil {
		s.setFilled(org, f.followed(), s.historiesLost())
	}
	return err
}

// SaveWalk writes down how far a walk for the org's catalog has come.
func (s *Service) SaveWalk(ctx context.Context, org activity.Org, partition, done int) error {
	f, err := s.readFilling(ctx, org)
	if err != nil {
		return err
	}
	e, _ := s.Registry.Get(org)
	f.Walk = &walk{Edition: e.Edition, Partition: partition, Done: done}
	_, err = s.saveFilling(ctx, e.Edition, f)
	return err
}

// WalkOn walks on from what is written down, and says how many users that were in all.
func (s *Service) WalkOn(ctx context.Context, org activity.Org) (done int, err error) {
	f, err := s.readFilling(ctx, org)
	if err != nil {
		return 0, err
	}
	f.Edition = ""
	e, _ := s.Registry.Get(org)
	err = s.walkUsers(ctx, e.Edition, f)
	return f.Walk.Done, err
}

// OnStep sets, before the service runs, what every step of pumps and of moves of unique values passes by.
func (s *Service) OnStep(f func(name string) error) { s.onStep = f }

// PumpNow does what the pumps do at their next look.
func (s *Service) PumpNow(ctx context.Context) error {
	for _, p := range s.pumps {
		if err := p.pass(ctx); err != nil {
			return err
		}
	}
	return nil
}

// StoreUserImport stores an import of users as a node left it that had decided rows and was alive at an instant.
func (s *Service) StoreUserImport(ctx context.Context, org activity.Org, rows []UserRow, done int, alive calendar.Instant) (Import, error) {
	i := Import{ID: rand.Text(), Kind: ImportUsers, State: ImportRunning, Rows: len(rows), Done: done, Alive: alive}
	return i, storeJob(ctx, s, org, i, rows)
}

// WorkOffJobs does what the worker does at its next tick.
func (s *Service) WorkOffJobs(ctx context.Context) error {
	return errors.Join(s.workOffJobs(ctx), s.removeEnded(ctx))
}

// SettleOld does what the keeper of stocks does at its next tick.
func (s *Service) SettleOld(ctx context.Context) error { return s.settleOld(ctx) }
