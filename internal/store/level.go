package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// levelAge is how long a durability that was read is believed.
const levelAge = time.Second

// levelCache holds the server's durability, so that a commit costs one round trip.
type levelCache struct {
	mu    sync.Mutex
	level Durability
	read  time.Time
	stale atomic.Bool
}

func (l *levelCache) forget() { l.stale.Store(true) }

func (r *remote) durability(ctx context.Context) Durability {
	l := &r.level
	l.mu.Lock()
	level, fresh := l.level, l.level != "" && time.Since(l.read) < levelAge && !l.stale.Load()
	l.mu.Unlock()
	if fresh {
		return level
	}
	l.stale.Store(false)
	level = r.readLevel(ctx)
	l.mu.Lock()
	l.level, l.read = level, time.Now()
	l.mu.Unlock()
	return level
}

func (r *remote) readLevel(ctx context.Context) Durability {
	config, err := r.client.ConfigGet(ctx, "append*").Result()
	switch {
	case err != nil || config["appendonly"] != "yes":
		return Memory
	case config["appendfsync"] == "always":
		return Fsync
	case config["appendfsync"] == "everysec":
		return EverySec
	default:
		return Memory
	}
}
