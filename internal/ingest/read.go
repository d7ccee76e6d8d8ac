package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// State reads a user's state as stored. ErrUserNotFound.
func (s *Service) State(ctx context.Context, org activity.Org, user activity.User) (*progress.State, error) {
	p := s.Store.PartitionOf(org, user)
	docs, err := s.Store.Docs(ctx, []store.Key{store.StateKey(p, org, user)})
	if err != nil {
		return nil, err
	}
	if docs[0].Version == "" {
		return nil, ErrUserNotFound
	}
	return progress.Parse(string(docs[0].Content))
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

// Activity reads one activity of a user's log. ErrActivityNotFound, also for activities that were folded.
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

// Activities lists a user's log, newest first. before continues after the last of an earlier page (its next); "" begins. ErrUserNotFound.
func (s *Service) Activities(ctx context.Context, org activity.Org, user activity.User, limit int, before string) (list []activity.Activity, next string, err error) {
	if _, err := s.State(ctx, org, user); err != nil {
		return nil, "", err
	}
	_, records, err := s.Base(ctx, org, user)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(records, newestFirst)
	if before != "" {
		var last activity.Activity
		at, id, _ := strings.Cut(before, ".")
		ms, _ := strconv.ParseInt(at, 10, 64)
		last.At, last.ID = calendar.Instant(ms), activity.ID(id)
		i, found := slices.BinarySearchFunc(records, last, newestFirst)
		if found {
			i++
		}
		records = records[i:]
	}
	if len(records) > limit {
		records = records[:limit]
		last := &records[limit-1]
		next = strconv.FormatInt(int64(last.At), 10) + "." + string(last.ID)
	}
	return records, next, nil
}

func newestFirst(a, b activity.Activity) int {
	return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID))
}
