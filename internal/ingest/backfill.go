package ingest

import (
	"context"
	"sync"
	"time"

	"laurel/internal/activity"
	"laurel/internal/profile"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// A state is folded under one catalog and the outages of the org. When another is published, or outages change, a user's state follows at the user's next activity; the backfill sees to those to whom
// nothing happens: it walks the org's users and has each one decided again, from the log, until all of them follow. Then it writes down which publication they
// follow, so that no node walks them again. (Which one, and not which definitions: those may have been others in between, and some users follow them.) Every node may do so at once: who follows already is passed over, and commits of the same user exclude each other.
//
// Users who were there before there was a list of users come into it by the same walk (enlist), once in an org's life: each in a commit of the user's own, so
// nobody comes in who is deleted meanwhile, and who is made meanwhile is in it from the commit on that makes the user.
//
// How far a walk has come is written down now and then, and one that was cut short goes on from there. The embedded store gives all users of a partition at
// once: there it goes on from the partition's beginning, and passes over what had been done.
const (
	backfillEvery = time.Second
	backfillBatch = 256
	// saveEvery is after how many users the walk is written down.
	saveEvery = 2048
)

// filled is which definitions the users of each org are known to follow.
type filled struct {
	mu     sync.Mutex
	of     map[activity.Org]followed
	losses int // how often history was lost
}

// followed is what every user follows: an edition, and the prints of its boards.
type followed struct {
	edition registry.Edition
	boards  map[string]uint32
	listed  bool // everyone is in the list of users
}

// Pending says whether users of the org may not follow the definition of a board's rule yet: it was added or changed, and is not whole. A board's rule is that of
// feed.Board.
func (s *Service) Pending(org activity.Org, rule string) bool {
	plan, e, err := s.Plan(org)
	if err != nil {
		return false
	}
	have := s.followed(org)
	return have.edition != e.Edition && have.boards[rule] != plan.BoardPrint(rule)
}

// Backfill is how many users of the org have been made to follow its catalog, while that goes on. Errors of the store.
func (s *Service) Backfill(ctx context.Context, org activity.Org) (done int, running bool, err error) {
	_, e, err := s.Plan(org)
	if err != nil || s.followed(org).edition == e.Edition {
		return 0, false, nil
	}
	f, err := s.readFilling(ctx, org)
	if err != nil || f.Walk == nil || f.Walk.Edition != e.Edition {
		return 0, err == nil, err
	}
	return f.Walk.Done, true, nil
}

// Listed says whether everyone is in the list of the org's users; only those who were there before there was one may not be.
func (s *Service) Listed(org activity.Org) bool { return s.followed(org).listed }

// follows says whether nothing is left to be done for a publication of the org.
func (s *Service) follows(org activity.Org, e *registry.Entry) bool {
	have := s.followed(org)
	return have.listed && have.edition == e.Edition
}

func (s *Service) followed(org activity.Org) followed {
	s.filled.mu.Lock()
	defer s.filled.mu.Unlock()
	return s.filled.of[org]
}

// setFilled notes what was found since the given number of losses; after another one it may not be so any more.
func (s *Service) setFilled(org activity.Org, have followed, losses int) {
	s.filled.mu.Lock()
	defer s.filled.mu.Unlock()
	if s.filled.losses != losses {
		return
	}
	if s.filled.of == nil {
		s.filled.of = map[activity.Org]followed{}
	}
	s.filled.of[org] = have
}

// forgetFilled has the next round ask the store again which definitions the users follow.
func (s *Service) forgetFilled() {
	s.filled.mu.Lock()
	defer s.filled.mu.Unlock()
	clear(s.filled.of)
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
		if e, ok := s.Registry.Get(org); !ok || s.follows(org, e) {
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
	plan, e, err := s.Plan(org)
	if err != nil {
		return err
	}
	f, err := s.readFilling(ctx, org)
	if err != nil {
		return err
	}
	s.setFilled(org, f.followed(), losses)
	if f.isDone(e.Edition) {
		return nil
	}
	if err := s.walkUsers(ctx, e.Edition, f); err != nil {
		return err
	}
	f.Edition, f.Boards, f.Walk, f.Listed = e.Edition, plan.BoardPrints(), nil, true
	if saved, err := s.saveFilling(ctx, e.Edition, f); err != nil || !saved {
		return err // another node was faster, or the catalog has changed meanwhile: the next round reads what is there
	}
	s.setFilled(org, f.followed(), losses)
	s.Log.Info().Str("org", string(org)).Msg("all users follow the catalog")
	return nil
}

// walkUsers has every user of the org decided again, from where a walk for the same edition was cut short.
func (s *Service) walkUsers(ctx context.Context, edition registry.Edition, f *filling) error {
	if f.Walk == nil || f.Walk.Edition != edition || !f.Listed && !f.Walk.Lists {
		f.Walk = &walk{Edition: edition, Lists: !f.Listed}
	}
	saved := f.Walk.Done
	for f.Walk.Partition < len(s.writers) && !f.isDone(edition) { // else another node has come to the end
		next, err := s.writers[f.Walk.Partition].refillPage(ctx, f)
		if err != nil {
			return err
		}
		if f.Walk.Cursor = next; next == 0 {
			f.Walk.Partition++
		}
		if f.Walk.Done-saved < saveEvery {
			continue
		}
		if _, err := s.saveFilling(ctx, edition, f); err != nil {
			return err
		}
		saved = f.Walk.Done
	}
	return nil
}

// refillPage has a page of users decided again, and says where the next one begins; 0: there is none.
func (w *writer) refillPage(ctx context.Context, f *filling) (next uint64, err error) {
	users, next, err := w.Store.Users(ctx, w.partition, f.org, f.Walk.Cursor)
	if err != nil {
		return 0, err
	}
	why := refill
	if f.Walk.Lists {
		why = enlist
	}
	for len(users) > 0 {
		n := min(len(users), backfillBatch)
		keys := make([]userKey, n)
		for i, u := range users[:n] {
			keys[i] = userKey{f.org, u}
		}
		if err := w.redecide(why, keys).wait(ctx); err != nil {
			return 0, err
		}
		f.Walk.Done += n
		users = users[n:]
	}
	return next, nil
}

// decideRefill decides a user whose state may have been folded under another catalog.
func (w *writer) decideRefill(ctx context.Context, t *task) error {
	if t.attempt.state.Plan == t.plan.Print() {
		return nil
	}
	return w.decideAsOf(ctx, t, w.Clock.Now())
}

// decideEnlist is decideRefill for a user who may not be in the list of users.
func (w *writer) decideEnlist(ctx context.Context, t *task) error {
	if err := w.decideRefill(ctx, t); err != nil {
		return err
	}
	hash, err := w.profileOf(ctx, t)
	if err != nil {
		return err
	}
	a := &t.attempt
	if !a.commits {
		a.commits, a.state.Due = true, a.state.Scheduled
		a.finishGroup(t, nil)
	}
	a.group.Boards = append(a.group.Boards, Listing(t.key.org, t.key.user, profile.Created(hash)))
	return nil
}

// Listing is a user's row in the list of users. A user has one at most: its member is made of the user alone.
func Listing(org activity.Org, user activity.User, created int64) store.BoardWrite {
	return store.BoardWrite{Board: profile.Directory(org), User: user, New: &store.Standing{Value: created}, Ascending: true}
}

// unlisting takes the task's user off the list of users.
func unlisting(t *task) store.BoardWrite {
	return store.BoardWrite{Board: profile.Directory(t.key.org), User: t.key.user, Old: &store.Standing{}, Ascending: true}
}
