package ingest

import (
	"context"
	"strconv"
	"sync"
	"time"

	"laurel/internal/activity"
	"laurel/internal/store"
)

// A state is folded under one catalog. When another is published, a user's state follows at the user's next activity; the backfill sees to those to whom
// nothing happens: it walks the org's users and has each one decided again, from the log, until all of them follow. Then it writes down which definitions they
// follow, so that no node walks them again. Every node may do so at once: who follows already is passed over, and commits of the same user exclude each other.
// A walk that was cut short begins again, and passes over what had been done.
const (
	backfillEvery = time.Second
	backfillBatch = 256
)

// filled is which definitions the users of each org are known to follow.
type filled struct {
	mu     sync.Mutex
	print  map[activity.Org]uint32
	losses int // how often history was lost
}

// Pending says whether users of the org may not follow its catalog yet: rules that it added or changed are not whole.
func (s *Service) Pending(org activity.Org) bool {
	plan, _, err := s.Plan(org)
	if err != nil {
		return false
	}
	s.filled.mu.Lock()
	defer s.filled.mu.Unlock()
	return s.filled.print[org] != plan.Print()
}

// setFilled notes what was found since the given number of losses; after another one it may not be so any more.
func (s *Service) setFilled(org activity.Org, print uint32, losses int) {
	s.filled.mu.Lock()
	defer s.filled.mu.Unlock()
	if s.filled.losses != losses {
		return
	}
	if s.filled.print == nil {
		s.filled.print = map[activity.Org]uint32{}
	}
	s.filled.print[org] = print
}

// forgetFilled has the next round ask the store again which definitions the users follow.
func (s *Service) forgetFilled() {
	s.filled.mu.Lock()
	defer s.filled.mu.Unlock()
	clear(s.filled.print)
	s.filled.losses++
}

func (s *Service) historiesLost() int {
	s.filled.mu.Lock()
	defer s.filled.mu.Unlock()
	return s.filled.losses
}

func (s *Service) backfill(ctx context.Context) error {
	tick := time.NewTicker(backfillEvery)
	defer tick.Stop()
	for {
		if err := s.backfillAll(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn().Err(err).Msg("boards could not be filled from the logs; trying again")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) backfillAll(ctx context.Context) error {
	for _, org := range s.Registry.Orgs() {
		if !s.Pending(org) {
			continue
		}
		if err := s.backfillOrg(ctx, org); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) backfillOrg(ctx context.Context, org activity.Org) error {
	losses := s.historiesLost()
	plan, _, err := s.Plan(org)
	if err != nil {
		return err
	}
	print := strconv.FormatUint(uint64(plan.Print()), 10)
	docs, err := s.Store.Docs(ctx, []store.Key{store.BackfillKey(org)})
	if err != nil {
		return err
	}
	if string(docs[0].Content) == print {
		s.setFilled(org, plan.Print(), losses)
		return nil
	}
	for _, w := range s.writers {
		if err := w.refillUsers(ctx, org); err != nil {
			return err
		}
	}
	if now, _, err := s.Plan(org); err != nil || now.Print() != plan.Print() {
		return err // the catalog has changed meanwhile; the next round is for that one
	}
	group := store.Group{Org: org, Doc: store.BackfillKey(org), Expect: docs[0].Version, Content: []byte(print)}
	r, err := s.Store.Commit(ctx, 0, []store.Group{group})
	if err != nil || r.Outcomes[0].Status != store.Applied {
		return err // another node was faster: the next round reads what it wrote
	}
	s.setFilled(org, plan.Print(), losses)
	s.Log.Info().Str("org", string(org)).Msg("all users follow the catalog")
	return nil
}

// refillUsers has every user of the org in the partition decided again.
func (w *writer) refillUsers(ctx context.Context, org activity.Org) error {
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		users, next, err := w.Store.Users(ctx, w.partition, org, cursor)
		if err != nil {
			return err
		}
		cursor = next
		for len(users) > 0 {
			n := min(len(users), backfillBatch)
			keys := make([]userKey, n)
			for i, u := range users[:n] {
				keys[i] = userKey{org, u}
			}
			if err := w.decideAgain(ctx, refill, keys); err != nil {
				return err
			}
			users = users[n:]
		}
	}
	return nil
}

// decideRefill decides a user whose state may have been folded under another catalog.
func (w *writer) decideRefill(ctx context.Context, t *task) error {
	if t.attempt.state.Plan == t.plan.Print() {
		return nil
	}
	return w.decideAsOf(ctx, t, w.Clock.Now())
}
