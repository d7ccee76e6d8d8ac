package testenv

import (
	"context"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/ranking"
)

// BoardSource is a store as boards see it; it implements ranking.Source.
type BoardSource struct{ *store.Store }

// Tail implements ranking.Source.
func (s BoardSource) Tail(ctx context.Context, p int) (feed.Position, error) {
	return s.Store.Tail(ctx, store.Partition(p))
}

// Changes implements ranking.Source.
func (s BoardSource) Changes(ctx context.Context, p int, after feed.Position, most int, block time.Duration) ([]feed.Change, error) {
	return s.Store.Changes(ctx, store.Partition(p), after, most, block)
}

// LoadBoard implements ranking.Source.
func (s BoardSource) LoadBoard(ctx context.Context, p int, b feed.Board, o ranking.Order, yield func(ranking.Entry) error) error {
	return s.Store.LoadBoard(ctx, store.Partition(p), b, o == ranking.Ascending, func(u activity.User, v int64, at calendar.Instant) error {
		return yield(ranking.Entry{User: u, Value: v, Reached: at})
	})
}

// Epoch implements ranking.Source.
func (s BoardSource) Epoch(ctx context.Context, p int) (string, error) {
	return s.Store.Epoch(ctx, store.Partition(p))
}
