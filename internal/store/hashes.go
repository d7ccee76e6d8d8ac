package store

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Hashes gives whole hashes (profiles) in the order of keys, an empty map for one that is not there. The keys may be of any partitions; the hashes
// need not be of one moment.
func (s *Store) Hashes(ctx context.Context, keys []Key) ([]map[string]string, error) {
	out := make([]map[string]string, 0, len(keys))
	for len(keys) > 0 {
		page := keys[:min(len(keys), readPage)]
		keys = keys[len(page):]
		found, err := s.driver.hashes(ctx, page)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (r *remote) hashes(ctx context.Context, keys []Key) ([]map[string]string, error) {
	replies := make([]*redis.MapStringStringCmd, len(keys))
	pipe := r.client.Pipeline()
	for i, k := range keys {
		replies[i] = pipe.HGetAll(ctx, string(k))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, unavailable("read hashes", err)
	}
	out := make([]map[string]string, len(keys))
	for i, reply := range replies {
		out[i] = reply.Val()
	}
	return out, nil
}

// hashes asks the memory itself: the pipe to it has no buffer, so that a pipeline and its answers would wait for each other.
func (e *embedded) hashes(_ context.Context, keys []Key) ([]map[string]string, error) {
	out := make([]map[string]string, len(keys))
	for i, k := range keys {
		reply, err := e.mem.do("HGETALL", string(k))
		if err != nil {
			return nil, err
		}
		words, _ := reply.([]any)
		out[i] = make(map[string]string, len(words)/2)
		for j := 0; j+1 < len(words); j += 2 {
			name, _ := words[j].(string)
			out[i][name], _ = words[j+1].(string)
		}
	}
	return out, nil
}
