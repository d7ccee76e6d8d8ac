package scenario

import (
	"context"
	"fmt"

	"laurel/bench/measure"
	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// Memory is what Laurel's keys take in Redis after ingest was measured, by MEMORY USAGE: with the key, its bookkeeping and what the allocator rounds up.
type Memory struct {
	State    float64 `json:"state_bytes_per_user"`
	Log      float64 `json:"log_bytes_per_activity"`
	Board    float64 `json:"board_bytes_per_member"`
	Sampled  int     `json:"sampled_users"`
	Logged   int     `json:"their_activities"`
	Measured int     `json:"measured_members"`
}

// maxSampled bounds how many users are looked at.
const maxSampled = 500

// benchOrg is the org of the catalog.
const benchOrg = activity.Org("bench")

// measureMemory looks at the keys of some users and at the boards. Every user has been there once at least, and is on the board of all time.
func (b *bench) measureMemory(ctx context.Context) error {
	b.say("memory")
	m := &b.result.Memory
	m.Sampled = min(b.Users, maxSampled)
	var states, logs int64
	for range m.Sampled {
		user := activity.User(userID(b.items.random.IntN(b.Users)))
		state, err := b.memoryOf(ctx, store.StateKey(0, benchOrg, user))
		if err != nil {
			return err
		}
		key := store.LogKey(0, benchOrg, user)
		log, err := b.memoryOf(ctx, key)
		if err != nil {
			return err
		}
		n, err := b.redis.Client.HLen(ctx, string(key)).Result()
		if err != nil {
			return fmt.Errorf("HLEN %s: %w", key, err)
		}
		states, logs, m.Logged = states+state, logs+log, m.Logged+int(n)
	}
	board := store.BoardKey(0, feed.Board{Org: benchOrg, Rule: "points", Label: "all"})
	size, err := b.memoryOf(ctx, board)
	if err != nil {
		return err
	}
	members, err := b.redis.Client.ZCard(ctx, string(board)).Result()
	if err != nil {
		return fmt.Errorf("ZCARD %s: %w", board, err)
	}
	m.Measured = int(members)
	m.State = measure.Ratio(float64(states), float64(m.Sampled))
	m.Log = measure.Ratio(float64(logs), float64(m.Logged))
	m.Board = measure.Ratio(float64(size), float64(members))
	return nil
}

// memoryOf asks for all of a key's elements: a sample of five says little of records of different length.
func (b *bench) memoryOf(ctx context.Context, key store.Key) (int64, error) {
	n, err := b.redis.Client.MemoryUsage(ctx, string(key), 0).Result()
	if err != nil {
		return 0, fmt.Errorf("MEMORY USAGE %s: %w", key, err)
	}
	return n, nil
}
