package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Bounds of the wait for replicas. While they do not answer in time commits go on, a little slower: each says what it has survived to.
const (
	copyWait      = time.Second
	copyWaitAgain = 20 * time.Millisecond // after one that was in vain, until one is not
)

// copies has the replicas confirm commits. The zero value asks for none.
type copies struct {
	want   int // how many replicas must have a commit
	missed atomic.Bool
}

// run runs a command of the script, and says whether the replicas have what is there after it: what it wrote, and what an earlier try wrote, also on another
// connection, since WAIT waits for everything up to the connection's last command.
func (c *copies) run(ctx context.Context, server *redis.Client, words []any) (reply any, replicated bool, err error) {
	if c.want == 0 {
		reply, err = server.Do(ctx, words...).Result()
		return reply, false, err
	}
	wait := copyWait
	if c.missed.Load() {
		wait = copyWaitAgain
	}
	pipe := server.Pipeline() // WAIT is about its own connection's writes, and a pipeline has one
	done := pipe.Do(ctx, words...)
	have := pipe.Do(ctx, "WAIT", c.want, wait.Milliseconds())
	_, _ = pipe.Exec(ctx) // each reply has its own error
	if reply, err = done.Result(); err != nil {
		return nil, false, err
	}
	n, waitErr := have.Int()
	var answered redis.Error
	if waitErr != nil && !errors.As(waitErr, &answered) {
		return nil, false, waitErr // the server went while it waited: what its replica has now, only another try can tell
	}
	replicated = waitErr == nil && n >= c.want
	c.missed.Store(!replicated)
	return reply, replicated, nil
}
