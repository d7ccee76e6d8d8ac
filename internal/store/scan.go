package store

import (
	"context"

	"github.com/redis/go-redis/v9"
)

func (r *remote) scan(ctx context.Context, _ Partition, cursor uint64, match string, count int64) (keys []string, next uint64, err error) {
	return r.client.Scan(ctx, cursor, match, count).Result()
}

func (r *remote) walk(ctx context.Context, _ int, match string, count int64, yield func([]string) error) error {
	return walkServer(ctx, r.client, match, count, yield)
}

func (e *embedded) scan(ctx context.Context, _ Partition, cursor uint64, match string, count int64) (keys []string, next uint64, err error) {
	return e.client.Scan(ctx, cursor, match, count).Result()
}

func (e *embedded) walk(ctx context.Context, _ int, match string, count int64, yield func([]string) error) error {
	return walkServer(ctx, e.client, match, count, yield)
}

// walkServer gives all keys of one server that match.
func walkServer(ctx context.Context, server redis.Cmdable, match string, count int64, yield func([]string) error) error {
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		keys, next, err := server.Scan(ctx, cursor, match, count).Result()
		if err != nil {
			return unavailable("walk keys", err)
		}
		if err := yield(keys); err != nil {
			return err
		}
		cursor = next
	}
	return nil
}
