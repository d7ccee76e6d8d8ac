package store

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// Text gives a plain string without a version, "" if there is none.
func (s *Store) Text(ctx context.Context, k Key) (string, error) {
	v, err := s.client.Get(ctx, string(k)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", unavailable("read "+string(k), err)
	}
	return v, nil
}
