package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// OutboxKeep is roughly how many entries the outbox of a partition keeps: the events of a user in a commit are one.
const OutboxKeep = 100_000

// outboxChunk is how many entries are read at once.
const outboxChunk = 256

// Fields of an outbox entry.
const (
	eventOrg  = "o"
	eventUser = "u" // not there in an event of no user
	eventBody = "e"
)

// ErrEventsGone says that events after the asked position were trimmed.
var ErrEventsGone = errors.New("events after the position are no longer kept")

// Event is something that became true with the commit that appended it to the outbox.
type Event struct {
	Partition Partition
	ID        feed.Position // in the partition's outbox: the entry's is that of its last event, and those just before it are the others'
	Org       activity.Org
	User      activity.User // "" for an event of no user
	Body      []byte        // a JSON object with members
}

// AppendEvent is the write that appends an event of an org, and of no user, to the outbox: JSON in one line. Its group is one of partition 0 with a guarding document.
func AppendEvent(org activity.Org, body []byte) Op {
	return Op{Kind: OpAppend, Key: OutboxKey(0), Args: []string{eventOrg, string(org), eventBody, string(body)}, Keep: OutboxKeep}
}

// eventsOp is the write of a group's events.
func eventsOp(p Partition, g *Group) Op {
	return Op{Kind: opEvents, Key: OutboxKey(p), Args: []string{string(g.Org), string(g.User), string(bytes.Join(g.Events, []byte("\n")))}}
}

// checkEvents refuses events that could be told twice, of nobody, or in no form that readers expect.
func (c *prepared) checkEvents(g *Group) error {
	if len(g.Events) > 0 && (g.User == "" || g.Doc == "" || g.Delete) {
		return fmt.Errorf("commit: events of user %q need a user who stays, and a guarding document", g.User)
	}
	for _, body := range g.Events {
		if n := len(body); n <= len("{}") || body[0] != '{' || body[n-1] != '}' || bytes.IndexByte(body, '\n') >= 0 {
			return fmt.Errorf("commit: an event of user %q is not a JSON object with members in one line: %q", g.User, body)
		}
		c.carry(len(g.Org) + len(g.User) + len(body))
	}
	return nil
}

// Events gives at most limit events of all orgs in a partition after a position, oldest first; after the zero position, from the oldest that is kept.
// ErrEventsGone if some after the position were trimmed.
func (s *Store) Events(ctx context.Context, p Partition, after feed.Position, limit int) ([]Event, error) {
	if err := s.checkPartition(p); err != nil {
		return nil, err
	}
	events, err := s.eventsAfter(ctx, p, after, limit)
	if err != nil {
		return nil, err
	}
	if after == (feed.Position{}) {
		return events, nil
	}
	// Looked up after the read: what is the oldest now was not trimmed then.
	from, err := s.eventsFrom(ctx, p, 1)
	if err == nil && after.Compare(from) < 0 {
		err = ErrEventsGone
	}
	return events, err
}

// eventsFrom is a position after which nothing was trimmed: that of the entry at a place, counted from the oldest, in an outbox as long as one that is trimmed;
// of a shorter one, what the last removal of entries left as that; else zero.
func (s *Store) eventsFrom(ctx context.Context, p Partition, place int) (from feed.Position, err error) {
	pipe := s.client.Pipeline()
	size := pipe.XLen(ctx, string(OutboxKey(p)))
	removed := pipe.HGet(ctx, string(MetaKey(p)), metaEvents)
	_, _ = pipe.Exec(ctx) // each reply has its own error
	n, err := size.Result()
	noted, err2 := removed.Result()
	if errors.Is(err2, redis.Nil) {
		err2 = nil
	}
	if err := errors.Join(err, err2); err != nil {
		return from, unavailable("read events", err)
	}
	if noted != "" {
		if from, err = feed.ParsePosition(noted); err != nil {
			return from, err
		}
	}
	if n < OutboxKeep {
		return from, nil
	}
	oldest, err := s.outbox(ctx, p, feed.Position{}, place)
	if err != nil || len(oldest) == 0 {
		return from, err
	}
	if first := oldest[len(oldest)-1].first(); first.Compare(from) > 0 {
		from = first
	}
	return from, nil
}

// eventsAfter gives at most limit events of the outbox after a position, which may be one inside of an entry.
func (s *Store) eventsAfter(ctx context.Context, p Partition, after feed.Position, limit int) (events []Event, err error) {
	through := after
	for len(events) < limit {
		n := min(limit-len(events), outboxChunk)
		entries, err := s.outbox(ctx, p, through, n)
		if err != nil {
			return nil, err
		}
		for i := range entries {
			through = entries[i].id
			events = entries[i].events(p, events)
		}
		for len(events) > 0 && events[0].ID.Compare(after) <= 0 {
			events = events[1:] // of the entry that the position is in
		}
		if len(entries) < n {
			break
		}
	}
	return events[:min(len(events), limit)], nil
}

// outboxEntry is an entry of an outbox: events of one user, or one of no user.
type outboxEntry struct {
	id     feed.Position
	org    activity.Org
	user   activity.User
	bodies string // in a line each
}

// outbox gives at most limit entries of a partition's outbox after a position, oldest first.
func (s *Store) outbox(ctx context.Context, p Partition, after feed.Position, limit int) (entries []outboxEntry, err error) {
	err = s.driver.stream(ctx, OutboxKey(p), after, limit, func(e streamEntry) error {
		entries = append(entries, outboxEntry{e.id, activity.Org(e.field(eventOrg)), activity.User(e.field(eventUser)), e.field(eventBody)})
		return nil
	})
	return entries, err
}

// first is the place of the entry's first event.
func (e *outboxEntry) first() feed.Position {
	return feed.Position{Ms: e.id.Ms, Seq: e.id.Seq - uint64(strings.Count(e.bodies, "\n"))}
}

// events appends the entry's events to others.
func (e *outboxEntry) events(p Partition, to []Event) []Event {
	at := e.first()
	for body := range strings.SplitSeq(e.bodies, "\n") {
		to = append(to, Event{Partition: p, ID: at, Org: e.org, User: e.user, Body: []byte(body)})
		at.Seq++
	}
	return to
}

// EventsEnd is a position in a partition's outbox that is before all events to come, and behind those that are there. Who goes on from it is told if
// something was trimmed meanwhile, also where nothing was there yet.
func (s *Store) EventsEnd(ctx context.Context, p Partition) (feed.Position, error) {
	if err := s.checkPartition(p); err != nil {
		return feed.Position{}, err
	}
	last, err := s.client.XRevRangeN(ctx, string(OutboxKey(p)), "+", "-", 1).Result()
	if err != nil {
		return feed.Position{}, unavailable("read the end of events", err)
	}
	if len(last) == 0 {
		return feed.Position{Seq: 1}, nil
	}
	return feed.ParsePosition(last[0].ID)
}
