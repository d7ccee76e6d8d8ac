package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
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

// get gives the level, and reads it where it is not known or old.
func (l *levelCache) get(read func() Durability) Durability {
	l.mu.Lock()
	level, fresh := l.level, l.level != "" && time.Since(l.read) < levelAge && !l.stale.Load()
	l.mu.Unlock()
	if fresh {
		return level
	}
	l.stale.Store(false)
	level = read()
	l.mu.Lock()
	l.level, l.read = level, time.Now()
	l.mu.Unlock()
	return level
}

func (r *remote) durability(ctx context.Context) Durability {
	return r.level.get(func() Durability { return serverLevel(ctx, r.client) })
}

// serverLevel is what a server's own configuration says.
func serverLevel(ctx context.Context, server redis.Cmdable) Durability {
	config, err := server.ConfigGet(ctx, "append*").Result()
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

// durabilities are the levels, weakest first.
var durabilities = []Durability{Memory, EverySec, Fsync, Replicated}

// Compare is negative where d is weaker than o, positive where it is stronger, else 0.
func (d Durability) Compare(o Durability) int {
	return slices.Index(durabilities, d) - slices.Index(durabilities, o)
}
