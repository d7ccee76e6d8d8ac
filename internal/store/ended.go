package store

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"

	"laurel/internal/calendar"
)

// Ended gives at most limit members of EndedKey that are to go: those whose time has come, and the earliest of what is more than keep.
func (s *Store) Ended(ctx context.Context, now calendar.Instant, keep, limit int) ([]string, error) {
	key := string(EndedKey())
	there, err := s.client.ZCard(ctx, key).Result()
	if err != nil {
		return nil, unavailable("count ended jobs", err)
	}
	read := s.client.ZRangeByScore(ctx, key, &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(int64(now), 10), Count: int64(limit)})
	if many := min(int(there)-keep, limit); many > 0 {
		read = s.client.ZRange(ctx, key, 0, int64(many)-1)
	}
	names, err := read.Result()
	if err != nil {
		return nil, unavailable("read ended jobs", err)
	}
	return names, nil
}
