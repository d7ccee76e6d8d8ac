package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Item is one item of a request. With Err set the item itself was malformed: it is reported and not applied.
type Item struct {
	Activity activity.Activity // ID "": one is made; AtGiven false: it happened at At, or now where that is 0
	Err      *ItemError
}

// ItemError says why an item was refused, for the client.
type ItemError struct{ Code, Detail, Field string }

// Error implements error.
func (e *ItemError) Error() string { return e.Code + ": " + e.Detail }

// Statuses of an outcome; "" means that the store failed before it was known.
const (
	StatusAccepted  = "accepted"
	StatusDuplicate = "duplicate"
	StatusRejected  = "rejected"
	StatusIgnored   = "ignored"
)

// Outcome is what became of one item.
type Outcome struct {
	ID     activity.ID
	Status string
	Err    *ItemError // for rejected
	// Activity is as recorded, for accepted, duplicate and ignored.
	Activity *activity.Activity
	// ClosedFor are the periods in which an accepted activity came too late to count.
	ClosedFor []progress.Unreached
	// Effects are there when asked for and accepted.
	Effects *Effects
}

// Report is what became of a request.
type Report struct {
	Outcomes                                []Outcome // one an item, in order
	Accepted, Duplicates, Rejected, Ignored int
	Durability                              store.Durability
	Revision                                string
}

// SubmitOptions say how a request is to be taken.
type SubmitOptions struct {
	Import  string // id of an open import, "" for live activities
	Effects bool   // report each accepted item's effects
}

// Submit stores activities and returns when all are decided and stored. Errors: registry.ErrOrgNotFound, ErrOverloaded, ErrImportNotFound and
// ErrImportClosed (nothing is stored); store.ErrUnavailable and ErrConflict (the report holds the outcomes that are known).
func (s *Service) Submit(ctx context.Context, org activity.Org, items []Item, o SubmitOptions) (Report, error) {
	began := time.Now()
	if _, _, err := s.Plan(org); err != nil {
		return Report{}, err
	}
	if o.Import != "" {
		if err := s.checkOpen(ctx, org, o.Import); err != nil {
			return Report{}, err
		}
	}
	r := &request{org: org, options: o, outcomes: make([]Outcome, len(items)), done: make(chan struct{})}
	if err := s.enqueue(r, items); err != nil {
		return Report{}, err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
	err := r.failed()
	if o.Effects {
		s.rankEffects(ctx, r)
	}
	report := r.report()
	report.Revision = s.Boards.Revision().String()
	if report.Durability == "" {
		report.Durability = s.Store.Durability(ctx)
	}
	s.count(&report, time.Since(began))
	if f := s.Metrics.Org; f != nil {
		f(string(org), len(items))
	}
	if o.Import != "" {
		err = errors.Join(err, s.noteImport(ctx, org, o.Import, &report))
	}
	return report, err
}

// request is a Submit on its way.
type request struct {
	org      activity.Org
	options  SubmitOptions
	outcomes []Outcome
	effects  []pendingEffects
	waiting  atomic.Int64 // units not settled yet
	done     chan struct{}
	err      atomic.Pointer[error]
	failures atomic.Int64 // units without an outcome
	durable  atomic.Pointer[store.Durability]
}

// unit is one activity or one command on its way through a writer.
type unit struct {
	request  *request
	index    int // of its item
	org      activity.Org
	activity activity.Activity
	command  *command // nil for an activity
}

func (u *unit) key() userKey { return userKey{u.org, u.activity.User} }

func (s *Service) enqueue(r *request, items []Item) error {
	now := s.Clock.Now()
	byWriter := make([][]*unit, len(s.writers))
	units := make([]unit, len(items))
	n := 0
	for i := range items {
		act := &items[i].Activity
		r.outcomes[i].ID = act.ID
		if items[i].Err != nil {
			r.outcomes[i].Status, r.outcomes[i].Err = StatusRejected, items[i].Err
			continue
		}
		u := &units[i]
		*u = unit{request: r, index: i, org: r.org, activity: *act}
		u.activity.Received = now
		u.activity.Imported = r.options.Import != ""
		if !act.AtGiven && act.At == 0 {
			u.activity.At = now
		}
		if act.ID == "" {
			u.activity.ID = activity.ID(rand.Text())
			r.outcomes[i].ID = u.activity.ID
		}
		p := s.Store.PartitionOf(r.org, act.User)
		if (act.Kind == activity.Gift || act.Kind == activity.Bounty) && s.pumps[p].full() {
			return ErrOverloaded
		}
		byWriter[p] = append(byWriter[p], u)
		n++
	}
	if r.options.Effects {
		r.effects = make([]pendingEffects, len(items))
	}
	r.waiting.Store(int64(n))
	if n == 0 {
		close(r.done)
		return nil
	}
	return s.push(r, byWriter)
}

// push hands the units to their writers. Where a later partition's queue is full, what an earlier one took is still done, and the rest is
// reported as not known: the caller sends it again.
func (s *Service) push(r *request, byWriter [][]*unit) error {
	pushed := false
	for p, us := range byWriter {
		if len(us) == 0 {
			continue
		}
		if s.writers[p].queue.push(asked, us) {
			pushed = true
			continue
		}
		if !pushed {
			return ErrOverloaded
		}
		for _, u := range us {
			u.fail(ErrOverloaded)
		}
	}
	return nil
}

func (u *unit) settle(o Outcome) {
	o.ID = u.activity.ID
	u.request.outcomes[u.index] = o
	u.request.settled()
}

func (u *unit) fail(err error) {
	u.request.err.CompareAndSwap(nil, &err)
	u.request.failures.Add(1)
	u.request.settled()
}

func (r *request) settled() {
	if r.waiting.Add(-1) == 0 {
		close(r.done)
	}
}

func (r *request) failed() error {
	if err := r.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (r *request) report() Report {
	rep := Report{Outcomes: r.outcomes}
	for i := range r.outcomes {
		switch r.outcomes[i].Status {
		case StatusAccepted:
			rep.Accepted++
		case StatusDuplicate:
			rep.Duplicates++
		case StatusRejected:
			rep.Rejected++
		case StatusIgnored:
			rep.Ignored++
		}
	}
	if d := r.durable.Load(); d != nil {
		rep.Durability = *d
	}
	return rep
}

// noteDurability keeps the weakest of the durabilities of a request's commits.
func (r *request) noteDurability(d store.Durability) {
	for {
		was := r.durable.Load()
		if was != nil && was.Compare(d) <= 0 || r.durable.CompareAndSwap(was, &d) {
			return
		}
	}
}

func (s *Service) count(r *Report, d time.Duration) {
	if f := s.Metrics.Activities; f != nil {
		for _, c := range []struct {
			result string
			n      int
		}{{StatusAccepted, r.Accepted}, {StatusDuplicate, r.Duplicates}, {StatusRejected, r.Rejected}, {StatusIgnored, r.Ignored}} {
			if c.n > 0 {
				f(c.result, c.n)
			}
		}
	}
	if f := s.Metrics.Ingest; f != nil {
		f(d)
	}
}

// itemError puts a refusal into the client's terms.
func itemError(err error, act *activity.Activity) *ItemError {
	if refused := (*progress.Refusal)(nil); errors.As(err, &refused) {
		return &ItemError{refused.Code, refused.Detail, refused.Field}
	}
	switch {
	case errors.Is(err, progress.ErrTooOld):
		return &ItemError{"too_old", "at is further back than this org accepts, or before the user's sealed history", "at"}
	case errors.Is(err, progress.ErrInFuture):
		return &ItemError{"in_future", "at lies too far in the future", "at"}
	case errors.Is(err, progress.ErrUnknownBehaviour):
		return &ItemError{"unknown_behaviour", "the org declares its behaviours, and " + act.Name + " is none of them", "name"}
	case errors.Is(err, fold.ErrTooManyValues):
		return &ItemError{"too_many_values", "a rule keeps at most 10,000 different values per user and period", "meta"}
	case errors.Is(err, fold.ErrRange), errors.Is(err, catalog.ErrRange):
		return &ItemError{"value_out_of_range", "a rule's value would leave ±2^53", "value"}
	case errors.Is(err, ErrOutOfStock):
		return &ItemError{"out_of_stock", "nothing is left of this reward", "name"}
	case errors.Is(err, ErrUserNotFound):
		return &ItemError{"user_not_found", "the org does not know this user and does not create users", "user"}
	}
	return &ItemError{"refused", "the activity cannot be stored", ""}
}
