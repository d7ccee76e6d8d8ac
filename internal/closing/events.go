package closing

import (
	"context"
	"sync"
	"time"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

const (
	// eventPage is how many events of all orgs are read at once, and eventPages how many such pages for one answer.
	eventPage  = 1000
	eventPages = 20
	// pollEvery is how long a wait for events goes on without being woken.
	pollEvery = 5 * time.Second
)

// Events gives at most limit events of an org after a position, oldest first, and the position to go on from; it waits at most wait for the first. After the
// zero position it begins with the oldest that is kept. store.ErrEventsGone if some after the position were trimmed.
func (c *Closer) Events(ctx context.Context, org activity.Org, after feed.Position, limit int, wait time.Duration) (events []store.Event, next feed.Position, err error) {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for next = after; ; {
		came, ended := c.news.next()
		events, next, err = c.page(ctx, org, next, limit)
		if err != nil || len(events) > 0 || ended {
			return events, next, err
		}
		select {
		case <-came:
		case <-poll.C:
		case <-deadline.C:
			return nil, next, nil
		case <-ctx.Done():
			return nil, next, ctx.Err()
		}
	}
}

// page reads on until there are limit events of the org, no more of any, or enough was read for one answer.
func (c *Closer) page(ctx context.Context, org activity.Org, after feed.Position, limit int) (events []store.Event, next feed.Position, err error) {
	next = after
	for range eventPages {
		read, err := c.Store.Events(ctx, 0, next, eventPage)
		if err != nil {
			return nil, after, err
		}
		for i := range read {
			next = read[i].ID
			if read[i].Org != org {
				continue
			}
			if events = append(events, read[i]); len(events) == limit {
				return events, next, nil
			}
		}
		if len(read) < eventPage {
			break
		}
	}
	return events, next, nil
}

// Follow wakes those who wait for events: any change of an org may have appended some. For the boards' OnChange.
func (c *Closer) Follow(change feed.Change) {
	if len(change.Orgs) > 0 {
		c.news.tell()
	}
}

// Forget has everything looked at again: the store may have lost what was done. For the boards' OnReset.
func (c *Closer) Forget() { c.losses.Add(1) }

// news wakes whoever waits.
type news struct {
	mu    sync.Mutex
	came  chan struct{}
	ended bool
}

func newNews() *news { return &news{came: make(chan struct{})} }

// next is closed when there is news after the call; ended says that there will be none.
func (n *news) next() (came <-chan struct{}, ended bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.came, n.ended
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.ended {
		close(n.came)
		n.came = make(chan struct{})
	}
}

func (n *news) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.ended {
		close(n.came)
		n.ended = true
	}
}
