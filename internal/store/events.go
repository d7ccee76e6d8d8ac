package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// OutboxKeep is roughly how many events the outbox of a partition keeps.
const OutboxKeep = 100_000

// Fields of an outbox entry.
const (
	eventOrg  = "o"
	eventUser = "u" // not there in an event of no user
	eventBody = "e"
)

// ErrEventsGone says that events after the asked position were trimmed.
var ErrEventsGone = errors.New("events after the position are no longer kept")

// Event is an entry of an outbox: something that became true with the commit that appended it.
type Event struct {
	Partition Partition
	ID        feed.Position // in the partition's outbox
	Org       activity.Org
	User      activity.User // "" for an event of no user
	Body      []byte        // a JSON object with members
}

// AppendEvent is the write that appends an event of an org, and of no user, to the outbox. Its group is one of partition 0 with a guarding document.
func AppendEvent(org activity.Org, body []byte) Op { return eventOp(0, org, "", body) }

func eventOp(p Partition, org activity.Org, user activity.User, body []byte) Op {
	args := make([]string, 0, 6)
	args = append(args, eventOrg, string(org))
	if user != "" {
		args = append(args, eventUser, string(user))
	}
	return Op{Kind: OpAppend, Key: OutboxKey(p), Args: append(args, eventBody, string(body)), Keep: OutboxKeep}
}

// checkEvents refuses events that could be told twice, of nobody, or in no form that readers expect.
func (c *prepared) checkEvents(g *Group) error {
	if len(g.Events) > 0 && (g.User == "" || g.Doc == "" || g.Delete) {
		return fmt.Errorf("commit: events of user %q need a user who stays, and a guarding document", g.User)
	}
	for _, body := range g.Events {
		if n := len(body); n <= len("{}") || body[0] != '{' || body[n-1] != '}' {
			return fmt.Errorf("commit: an event of user %q is not a JSON object with members: %q", g.User, body)
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
	events, err := s.outbox(ctx, p, after, limit)
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
	if first := oldest[len(oldest)-1].ID; first.Compare(from) > 0 {
		from = first
	}
	return from, nil
}

// outbox gives at most limit entries of a partition's outbox after a position, oldest first.
func (s *Store) outbox(ctx context.Context, p Partition, after feed.Position, limit int) ([]Event, error) {
	var events []Event
	err := s.driver.stream(ctx, OutboxKey(p), after, limit, func(e streamEntry) error {
		events = append(events, Event{Partition: p, ID: e.id, Org: activity.Org(e.field(eventOrg)), User: activity.User(e.field(eventUser)),
			Body: []byte(e.field(eventBody))})
		return nil
	})
	return events, err
}
