package ingest

import (
	"context"
	"sync"
)

// queue holds work for one writer, in order of arrival, up to a limit of activities.
type queue struct {
	limit int
	more  chan struct{} // holds a token while work may wait
	mu    struct {
		sync.Mutex
		work []*unit
	}
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, more: make(chan struct{}, 1)}
}

// push appends all of us or, where that would exceed the limit, none. A queue that is empty takes any number.
func (q *queue) push(us []*unit) bool {
	q.mu.Lock()
	if n := len(q.mu.work); n > 0 && n+len(us) > q.limit {
		q.mu.Unlock()
		return false
	}
	q.mu.work = append(q.mu.work, us...)
	q.mu.Unlock()
	q.wake()
	return true
}

func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// take removes up to n units; it waits for the first one. After ctx has ended it hands out what is left and then nothing.
func (q *queue) take(ctx context.Context, n int) []*unit {
	for {
		if us := q.takeNow(n); len(us) > 0 {
			return us
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			return q.takeNow(n)
		}
	}
}

func (q *queue) takeNow(n int) []*unit {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.mu.work))
	us := q.mu.work[:n:n]
	if q.mu.work = q.mu.work[n:]; len(q.mu.work) > 0 {
		q.wake()
	} else {
		q.mu.work = nil
	}
	return us
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.mu.work)
}
