package ingest

import "sync"

// queue holds work for the lanes of one partition, in order of arrival, up to a limit of units. A user is in the hands of one lane at a time; others'
// work overtakes that of a user who is being worked on, never that of the same user.
type queue struct {
	limit   int
	changed *sync.Cond // of mu: work came, a user became free, or the queue was closed

	mu     sync.Mutex
	work   []*unit
	busy   map[userKey]struct{}
	closed bool
}

func newQueue(limit int) *queue {
	q := &queue{limit: limit, busy: map[userKey]struct{}{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// push appends all of us or, where that would exceed the limit or the queue is closed, none. A queue that is empty takes any number.
func (q *queue) push(us []*unit) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.work); q.closed || n > 0 && n+len(us) > q.limit {
		return false
	}
	q.work = append(q.work, us...)
	q.changed.Signal()
	return true
}

// take waits for work on users that nobody is working on and removes up to n units of it; their users are the caller's until done. After close it
// hands out what is left, and then nothing.
func (q *queue) take(n int) []*unit {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		us := q.takeFreeLocked(n)
		if len(us) > 0 || q.closed && len(q.work) == 0 {
			return us
		}
		q.changed.Wait()
	}
}

// lookAhead bounds, in batches, how far take looks past users who are being worked on.
const lookAhead = 4

func (q *queue) takeFreeLocked(n int) []*unit {
	var taken, passed []*unit
	seen := 0
	for seen < min(len(q.work), lookAhead*n) && len(taken) < n {
		u := q.work[seen]
		seen++
		if _, busy := q.busy[u.key()]; busy {
			passed = append(passed, u)
		} else {
			taken = append(taken, u)
		}
	}
	for _, u := range taken {
		q.busy[u.key()] = struct{}{}
	}
	start := seen - len(passed)
	copy(q.work[start:], passed)
	clear(q.work[:start])
	q.work = q.work[start:]
	if len(q.work) == 0 {
		q.work = nil // lets go of the array, which only ever moves on
	}
	return taken
}

// done frees the users of units that were taken.
func (q *queue) done(us []*unit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, u := range us {
		delete(q.busy, u.key())
	}
	q.changed.Broadcast()
}

// close lets take return when nothing is left.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.work)
}
