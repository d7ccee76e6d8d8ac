package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// State reads a user's state as stored. ErrUserNotFound, ErrUserMerged.
func (s *Service) State(ctx context.Context, org activity.Org, user activity.User) (*progress.State, error) {
	state, _, err := s.stored(ctx, org, user)
	if err == nil && state.Merged != "" {
		return nil, s.nameLast(ctx, org, &MergedError{state.Merged})
	}
	return state, err
}

// Base reads what a user's sealed activities amount to, and all activities in the log, in no order.
func (s *Service) Base(ctx context.Context, org activity.Org, user activity.User) (*progress.State, []activity.Activity, error) {
	p := s.Store.PartitionOf(org, user)
	cold, err := s.Store.Text(ctx, store.ColdKey(p, org, user))
	if err != nil {
		return nil, nil, err
	}
	base, err := progress.Parse(cold)
	if err != nil {
		return nil, nil, fmt.Errorf("base of user %q of org %s: %w", user, org, err)
	}
	log, err := s.Store.Log(ctx, p, org, user)
	if err != nil {
		return nil, nil, err
	}
	records := make([]activity.Activity, 0, len(log))
	for id, record := range log {
		a, err := activity.ParseRecord(user, activity.ID(id), record)
		if err != nil {
			return nil, nil, fmt.Errorf("log of user %q of org %s, activity %q: %w", user, org, id, err)
		}
		records = append(records, a)
	}
	return base, records, nil
}

// Activity reads one activity of a user's log. ErrActivityNotFound, also for activities that were folded; ErrUserMerged.
func (s *Service) Activity(ctx context.Context, org activity.Org, user activity.User, id activity.ID) (*activity.Activity, error) {
	p := s.Store.PartitionOf(org, user)
	records, err := s.Store.LogRecords(ctx, p, org, user, []string{string(id)})
	if err != nil {
		return nil, err
	}
	if records[0] == "" {
		if _, err := s.State(ctx, org, user); err != nil {
			return nil, err
		}
		return nil, ErrActivityNotFound
	}
	a, err := activity.ParseRecord(user, id, records[0])
	return &a, err
}

// Place is where an activity stands in its user's log, newest first.
type Place struct {
	At calendar.Instant
	ID activity.ID
}

// ActivityQuery says which of a user's activities are listed, and in what order; the zero value all of them, newest first.
type ActivityQuery struct {
	Oldest bool // first
	Pass   func(*activity.Activity) bool
	Limit  int
	After  *Place // the last of the page before
}

// Activities lists a user's log. more says that there is another page. ErrUserNotFound.
func (s *Service) Activities(ctx context.Context, org activity.Org, user activity.User, q ActivityQuery) (list []activity.Activity, more bool, err error) {
	if _, err := s.State(ctx, org, user); err != nil {
		return nil, false, err
	}
	_, records, err := s.Base(ctx, org, user)
	if err != nil {
		return nil, false, err
	}
	order := newestFirst
	if q.Oldest {
		order = func(a, b activity.Activity) int { return newestFirst(b, a) }
	}
	records = slices.DeleteFunc(records, func(a activity.Activity) bool {
		return q.Pass != nil && !q.Pass(&a) || q.After != nil && order(a, activity.Activity{At: q.After.At, ID: q.After.ID}) <= 0
	})
	slices.SortFunc(records, order)
	if len(records) > q.Limit {
		return records[:q.Limit], true, nil
	}
	return records, false, nil
}

func newestFirst(a, b activity.Activity) int {
	return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID))
}
