package account

import (
	"errors"

	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/fold"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// Expected is what an account ought to amount to.
type Expected struct {
	// State is the state that ought to be stored; nil where that cannot be told (Fault), or where there is no such user.
	State *progress.State
	// Places are where the user ought to stand.
	Places []progress.Place
	// Deadline is what ought to be among the deadlines, 0 for none.
	Deadline calendar.Instant
	// Pending: the stored state follows another catalog than the plan's and is taken as it is until the server has brought it along, or it has to be
	// taken as it is because of the Fault.
	Pending bool
	// Overdue: a deadline has passed that no sweeper has come to; streaks and deadline are as of just before it, as they are stored.
	Overdue bool
}

// Expect says what the account ought to amount to under a plan at now.
func (a *Account) Expect(p *progress.Plan, now calendar.Instant) (Expected, error) {
	old := a.Stored
	switch {
	case !a.Exists():
		return Expected{}, nil
	case old != nil && old.Merged != "":
		return a.merged(old, now), nil
	case a.Fault != nil && old == nil:
		return Expected{}, nil
	case a.Fault != nil, old != nil && old.Plan != p.Print():
		return Expected{State: old, Places: progress.Places(p, old, a.Base), Deadline: old.Scheduled, Pending: true}, nil
	case old == nil:
		old = progress.Recover(p, a.Base, a.Records)
		old.Expires = a.Expires
	}
	if at := old.Scheduled; at != 0 && at <= now {
		d, err := a.Rebuilt(p, old, at-1)
		if err != nil {
			return Expected{}, err
		}
		// One that is too early does no harm: a command that came when a grant had expired leaves it to whom the deadline calls.
		if d.Overdue = d.Deadline == 0 || d.Deadline >= at; d.Overdue {
			d.Deadline, d.State.Scheduled = at, at
			return d, nil
		}
	}
	return a.Rebuilt(p, old, now)
}

// merged is what is expected of a user who was merged into another one: to say so and, until the other one has the activities, a deadline.
func (a *Account) merged(old *progress.State, now calendar.Instant) Expected {
	state := &progress.State{Merged: old.Merged, Scheduled: old.Scheduled}
	if len(a.Records) > 0 && state.Scheduled == 0 {
		state.Scheduled = now
	}
	return Expected{State: state, Deadline: state.Scheduled}
}

// Rebuilt is what base and log amount to under a plan at now, with what old says of the user.
func (a *Account) Rebuilt(p *progress.Plan, old *progress.State, now calendar.Instant) (Expected, error) {
	if old.Merged != "" {
		return a.merged(old, now), nil
	}
	next, err := progress.Rebuild(p, old, a.Base, a.Records, now)
	if err != nil && !errors.Is(err, fold.ErrRange) { // what is out of range is passed over by a rule that came after the activities
		return Expected{}, err
	}
	progress.Diff(p, old, next, now, progress.History)
	next.Scheduled = next.Deadline()
	return Expected{State: next, Places: progress.Places(p, next, a.Base), Deadline: next.Scheduled}, nil
}

// Place is where the user ought to stand on a board, nil for nowhere.
func (e *Expected) Place(rule, label string) *progress.Place {
	for i := range e.Places {
		if e.Places[i].Rule == rule && e.Places[i].Label == label {
			return &e.Places[i]
		}
	}
	return nil
}

// Board is the board that a place is on.
func (a *Account) Board(p *progress.Place) feed.Board {
	return feed.Board{Org: a.Org, Rule: p.Rule, Label: p.Label}
}

// Standing is a standing as the store writes it.
func Standing(s progress.Standing) store.Standing {
	return store.Standing{Value: s.Value, Reached: int64(s.Reached)}
}
