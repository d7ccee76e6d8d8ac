package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/store"
	"laurel/streaks"
)

// Limits of outages.
const (
	// MaxOutages is how many an org may have that were not taken back and still reach what can be counted anew.
	MaxOutages = 100
	// MaxOutagesKept is how many an org may have at all: none is ever forgotten, because what was counted with it says so.
	MaxOutagesKept = 1000
	// MaxOutage is the longest one, MaxOutageAhead how far ahead one may end.
	MaxOutage      = 90 * 24 * time.Hour
	MaxOutageAhead = 365 * 24 * time.Hour
	// MaxReason bounds an outage's reason, in bytes.
	MaxReason = 256
)

// What Declare and Withdraw may answer beside ErrOrgNotFound and the errors of the store.
var (
	// ErrBadOutage: the outage itself is not acceptable; always as an *OutageError.
	ErrBadOutage = errors.New("not an acceptable outage")
	// ErrOutageSealed: it begins before what can still be counted anew.
	ErrOutageSealed = errors.New("outage is sealed")
	// ErrTooManyOutages: the org is at MaxOutages or MaxOutagesKept.
	ErrTooManyOutages = errors.New("too many outages")
	// ErrOutageNotFound: the org has none with this id.
	ErrOutageNotFound = errors.New("no such outage")
)

// OutageError says what is wrong with an outage.
type OutageError struct {
	Err    error  // ErrBadOutage, ErrOutageSealed
	Field  string // from, to, reason
	Detail string // for the client
}

// Error implements error.
func (e *OutageError) Error() string { return e.Err.Error() + ": " + e.Field + ": " + e.Detail }

// Unwrap returns Err.
func (e *OutageError) Unwrap() error { return e.Err }

// Declare adds an outage, whose ID must be new and whose At is now, and returns what this node then works with. When it returns, no commit computed without
// the outage applies any more. Where the store fails in between it may come to be declared nevertheless: Entry.Outages says so. Nodes that declare at the same
// moment may pass the limits by as many as they are. *OutageError, ErrTooManyOutages; errors as Reload.
func (r *Registry) Declare(ctx context.Context, org activity.Org, o streaks.Outage) (*Entry, error) {
	e, err := r.Reload(ctx, org)
	if err != nil {
		return nil, err
	}
	if err := e.checkOutage(&o); err != nil {
		return nil, fmt.Errorf("declare outage of org %s: %w", org, err)
	}
	return r.join(ctx, org, fence{Outages: []streaks.Outage{o}})
}

// Withdraw takes an outage back as of at, which is now; doing it twice is fine. ErrOutageNotFound; ErrOutageSealed if the outage begins before what can
// still be counted anew; errors as Reload.
func (r *Registry) Withdraw(ctx context.Context, org activity.Org, id string, at calendar.Instant) (*Entry, error) {
	e, err := r.Reload(ctx, org)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(e.Outages, func(o streaks.Outage) bool { return o.ID == id })
	switch {
	case i < 0:
		return nil, ErrOutageNotFound
	case e.Outages[i].RemoveAt != 0:
		return e, nil
	case e.Outages[i].From < e.countsFrom(at):
		return nil, fmt.Errorf("withdraw outage %s of org %s: %w", id, org, ErrOutageSealed)
	}
	o := e.Outages[i]
	o.RemoveAt = max(at, 1) // 0 says that it was not taken back
	return r.join(ctx, org, fence{Outages: []streaks.Outage{o}})
}

// countsFrom is the earliest instant from which on everything can be counted anew at now: before it activities may be folded away.
func (e *Entry) countsFrom(now calendar.Instant) calendar.Instant {
	horizon, sealing := e.Catalog.SealHorizon()
	if !sealing {
		return 0
	}
	return now - calendar.Instant(horizon.Milliseconds())
}

// checkOutage says what is against declaring an outage.
func (e *Entry) checkOutage(o *streaks.Outage) error {
	bad := func(field, detail string) error { return &OutageError{ErrBadOutage, field, detail} }
	switch {
	case o.To <= o.From:
		return bad("to", "An outage ends after it begins.")
	case o.To-o.From > calendar.Instant(MaxOutage.Milliseconds()):
		return bad("to", "An outage lasts 90 days at most.")
	case o.To-o.At > calendar.Instant(MaxOutageAhead.Milliseconds()):
		return bad("to", "An outage ends at most 365 days from now.")
	case len(o.Reason) > MaxReason:
		return bad("reason", "A reason has 256 bytes at most.")
	}
	from := e.countsFrom(o.At)
	if o.From < from {
		return &OutageError{ErrOutageSealed, "from", "Streaks can be counted anew from " + from.String() + " on; what was before stays as it is."}
	}
	matters := 0
	for _, other := range e.Outages {
		if other.RemoveAt == 0 && other.To > from {
			matters++
		}
	}
	if matters >= MaxOutages || len(e.Outages) >= MaxOutagesKept {
		return ErrTooManyOutages
	}
	return nil
}

// joinOutages is what both lists say: the union by id, in which one that is taken back in either is taken back, at the earlier instant.
func joinOutages(a, b []streaks.Outage) []streaks.Outage {
	if len(a) == 0 {
		return b
	}
	all := slices.Concat(a, b)
	// Of one id, a removal comes first, and the earlier one before the later: as an unsigned number, 0 - 1 is greater than any other.
	slices.SortFunc(all, func(x, y streaks.Outage) int {
		return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.ID, y.ID), cmp.Compare(uint64(x.RemoveAt-1), uint64(y.RemoveAt-1)))
	})
	return slices.CompactFunc(all, func(x, y streaks.Outage) bool { return x.ID == y.ID })
}

// Edition names what the states of all users of an org are to follow.
type Edition string

// edition of a catalog document and outages. Neither comes back: a document that is written again has another version, and outages are only added and taken
// back. Without outages it is the document's version alone.
func edition(catalog store.Version, outages []streaks.Outage) Edition {
	if len(outages) == 0 {
		return Edition(catalog)
	}
	h := fnv.New64a()
	for _, o := range outages {
		fmt.Fprintln(h, o.ID, int64(o.RemoveAt))
	}
	return Edition(fmt.Sprintf("%s.%016x", catalog, h.Sum64()))
}
