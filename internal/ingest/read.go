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

// Recorded reads those of some activities that are in a user's log.
func (s *Service) Recorded(ctx context.Context, org activity.Org, user activity.User, ids []activity.ID) ([]activity.Activity, error) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	records, err := s.Store.LogRecords(ctx, s.Store.PartitionOf(org, user), org, user, names)
	if err != nil {
		return nil, err
	}
	list := make([]activity.Activity, 0, len(ids))
	for i, record := range records {
		if record == "" {
			continue
		}
		a, err := activity.ParseRecord(user, ids[i], record)
		if err != nil {
			return nil, fmt.Errorf("log of user %q of org %s, activity %q: %w", user, org, ids[i], err)
		}
		list = append(list, a)
	}
	return list, nil
}

// Place is where something stands in a listing by instants and ids.
type Place struct {
	At calendar.Instant
	ID activity.ID
}

// ActivityQuery says which of a user's activities are listed, and in what order; the zero value all of them, newest first.
type ActivityQuery struct {
	Order func(a, b *activity.Activity) int // of no two that differ in ids is it 0
	Pass  func(*activity.Activity) bool
	Limit int
	After *activity.Activity // the last of the page before, as far as Order looks at it
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
	order := q.Order
	if order == nil {
		order = newestFirst
	}
	records = slices.DeleteFunc(records, func(a activity.Activity) bool {
		return q.Pass != nil && !q.Pass(&a) || q.After != nil && order(&a, q.After) <= 0
	})
	slices.SortFunc(records, func(a, b activity.Activity) int { return order(&a, &b) })
	if len(records) > q.Limit {
		return records[:q.Limit], true, nil
	}
	return records, false, nil
}

func newestFirst(a, b *activity.Activity) int {
	return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID))
}
