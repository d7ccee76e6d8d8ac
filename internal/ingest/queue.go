package ingest

import "sync"

// queue holds work for the lanes of one partition, in order of arrival, each kind up to a limit of units. A user is in the hands of one lane at a time; others'
// work overtakes that of a user who is being worked on, never that of the same user and kind.
//
// What somebody waits for and what time and new definitions bring wait apart, and while there is both, batches are taken from the two in turn: neither a
// million deadlines nor a flood of activities keeps the other waiting for longer than a batch. Of a user's units in both, either may come first.
type queue struct {
	limit   int
	changed *sync.Cond // of mu: work came, a user became free, or the queue was closed

	mu     sync.Mutex
	work   [2]backlog // by class
	next   class      // whose turn it is
	busy   map[userKey]struct{}
	closed bool
}

// class is a kind of work.
type class int

const (
	asked   class = iota // activities and commands
	upkeep               // deadlines and backfill
	classes = 2
)

// backlog is units that wait.
type backlog []*unit

func newQueue(limit int) *queue {
	q := &queue{limit: limit, busy: map[userKey]struct{}{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// push appends all of us or, where that would exceed the limit or the queue is closed, none. A queue that is empty takes any number.
func (q *queue) push(of class, us []*unit) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.work[of]); q.closed || n > 0 && n+len(us) > q.limit {
		return false
	}
	q.work[of] = append(q.work[of], us...)
	if of == upkeep {
		q.changed.Broadcast() // it is work for every lane
	} else {
		q.changed.Signal()
	}
	return true
}

// take waits for work on users that nobody is working on and removes a batch of one class of it; their users are the caller's until done. After close it
// hands out what is left, and then nothing.
func (q *queue) take() []*unit {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for range classes {
			of := q.next
			q.next = (q.next + 1) % classes
			if us := q.work[of].takeFree(maxBatch, q.busy); len(us) > 0 {
				return us
			}
		}
		if q.closed && len(q.work[asked])+len(q.work[upkeep]) == 0 {
			return nil
		}
		q.changed.Wait()
	}
}

// lookAhead bounds, in batches, how far take looks past users who are being worked on.
const lookAhead = 4

// takeFree removes up to n units of users who are not busy, and makes them that.
func (b *backlog) takeFree(n int, busy map[userKey]struct{}) []*unit {
	work := *b
	var taken, passed []*unit
	seen := 0
	for seen < min(len(work), lookAhead*n) && len(taken) < n {
		u := work[seen]
		seen++
		if _, is := busy[u.key()]; is {
			passed = append(passed, u)
		} else {
			taken = append(taken, u)
		}
	}
	for _, u := range taken {
		busy[u.key()] = struct{}{}
	}
	start := seen - len(passed)
	copy(work[start:], passed)
	clear(work[:start])
	if *b = work[start:]; len(*b) == 0 {
		*b = nil // lets go of the array, which only ever moves on
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

// len is how many units of a class wait.
func (q *queue) len(of class) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.work[of])
}
