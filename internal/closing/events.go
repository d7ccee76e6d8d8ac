package closing

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// readPause is how long a wait that was woken in vain leaves the store alone: others' events may come by the thousand.
const readPause = 50 * time.Millisecond

// EventQuery says which events are read. Org is needed.
type EventQuery struct {
	Org activity.Org
	// After is the Next of an answer before; "": the oldest that is kept.
	After string
	// Types are those asked for: whole, or ending in a dot for all that begin so. None: all.
	Types []string
	// User is whose events are read; "": everybody's.
	User activity.User
	// Users lets events come that are of a user.
	Users bool
	Limit int // at most so many
}

// Event is an event by its id, which stays the same for good: "ms-seq", its place in the outbox; "partition.ms-seq" where there are several partitions.
type Event struct {
	ID   string
	User activity.User // "" for an event of no user
	Body []byte        // a JSON object with members
	At   time.Time     // when it was appended, by the store's clock
}

// AppendJSON appends the event as clients see it: its body with the id before.
func (e *Event) AppendJSON(b []byte) []byte {
	b = append(append(b, `{"id":"`...), e.ID...)
	return append(append(b, `",`...), e.Body[1:]...)
}

// EventPage is an answer.
type EventPage struct {
	Events []Event
	// Next is where to go on. Where there are several partitions it is opaque: a position in the outbox of each.
	Next string
}

// Events gives events of an org, and waits at most wait for the first. Where it read much that the query is not for, the answer may be empty before that. Who goes on from each answer's Next sees each event that the query is for exactly once.
//
// The events of one partition, and so of one user, come in the order in which they were committed; those of several by time, then by partition, as far as they
// were there when they were read. store.ErrEventsGone if some after the cursor were trimmed; ErrBadCursor.
func (c *Closer) Events(ctx context.Context, q EventQuery, wait time.Duration) (EventPage, error) {
	at, err := parseCursor(q.After, c.Store.Partitions())
	if err != nil {
		return EventPage{}, err
	}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	poll := time.NewTicker(c.PollEvery)
	defer poll.Stop()
	for {
		came, ended := c.news.next()
		events, more, err := c.page(ctx, &q, at)
		if err != nil || len(events) > 0 || more || ended {
			return EventPage{events, at.String()}, err
		}
		select {
		case <-came:
			err = pause(ctx, readPause)
		case <-poll.C:
		case <-deadline.C:
			return EventPage{nil, at.String()}, nil
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			return EventPage{}, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// page reads on until there are as many events as asked for, no more of any, or enough was read for one answer (there may be more then), and moves the cursor.
func (c *Closer) page(ctx context.Context, q *EventQuery, at cursor) (events []Event, more bool, err error) {
	partitions := make([]store.Partition, 0, len(at))
	if q.User != "" {
		partitions = append(partitions, c.Store.PartitionOf(q.Org, q.User))
	} else {
		for p := range at {
			partitions = append(partitions, store.Partition(p))
		}
	}
	m := newMerge(c.Store, partitions, at)
	for len(events) < q.Limit {
		e, err := m.next(ctx)
		if err != nil {
			return nil, false, err
		}
		if e == nil {
			break
		}
		if q.wants(e) {
			events = append(events, Event{eventID(e, len(at)), e.User, e.Body, time.UnixMilli(int64(e.ID.Ms))})
		}
	}
	for i := range m.parts {
		m.parts[i].note(at)
	}
	return events, m.spent, nil
}

// note moves the cursor on. A partition that had nothing yet is left at the least position there is instead of none, so that who comes back late is told what was
// trimmed meanwhile.
func (p *part) note(at cursor) {
	if at[p.number] = p.at; len(at) > 1 && p.ended && p.at == (feed.Position{}) && len(p.page) == 0 {
		at[p.number] = feed.Position{Seq: 1}
	}
}

// wants says whether an event is asked for.
func (q *EventQuery) wants(e *store.Event) bool {
	switch {
	case e.Org != q.Org || e.User != "" && !q.Users || q.User != "" && e.User != q.User:
		return false
	case len(q.Types) == 0:
		return true
	}
	var has struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(e.Body, &has); err != nil {
		return false
	}
	return slices.ContainsFunc(q.Types, func(t string) bool {
		return t == has.Type || strings.HasSuffix(t, ".") && strings.HasPrefix(has.Type, t)
	})
}

// Follow wakes those who wait for events: any change of an org may have appended some. For the boards' OnChange.
func (c *Closer) Follow(change feed.Change) {
	if len(change.Orgs)+len(change.Events) > 0 {
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
