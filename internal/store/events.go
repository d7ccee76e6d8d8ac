package store

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// OutboxKeep is roughly how many events the outbox keeps.
const OutboxKeep = 100_000

// Fields of an outbox entry.
const (
	eventOrg  = "o"
	eventBody = "e"
)

// ErrEventsGone says that events after the asked position were trimmed.
var ErrEventsGone = errors.New("events after the position are no longer kept")

// Event is an entry of the outbox of partition 0: something that became true with the commit that appended it.
type Event struct {
	ID   feed.Position
	Org  activity.Org
	Body []byte // a JSON object
}

// AppendEvent is the write that appends an event of an org to the outbox. Its group is one of partition 0 with a guarding document.
func AppendEvent(org activity.Org, body []byte) Op {
	return Op{Kind: OpAppend, Key: OutboxKey(0), Args: []string{eventOrg, string(org), eventBody, string(body)}, Keep: OutboxKeep}
}

// Events gives at most limit events of all orgs after a position, oldest first; after the zero position, from the oldest that is kept. ErrEventsGone if
// some after the position were trimmed.
func (s *Store) Events(ctx context.Context, after feed.Position, limit int) ([]Event, error) {
	key := string(OutboxKey(0))
	entries, err := s.client.XRangeN(ctx, key, "("+after.String(), "+", int64(limit)).Result()
	if err != nil {
		return nil, unavailable("read events", err)
	}
	events := make([]Event, len(entries))
	for i := range entries {
		if events[i], err = readEvent(&entries[i]); err != nil {
			return nil, err
		}
	}
	if after == (feed.Position{}) {
		return events, nil
	}
	// Looked up after the read: what is the oldest now was not trimmed then.
	return events, s.checkTrimmed(ctx, key, after)
}

// checkTrimmed says whether entries after a position may have been trimmed: the stream is as long as one that is trimmed, and begins after it.
func (s *Store) checkTrimmed(ctx context.Context, key string, after feed.Position) error {
	n, err := s.client.XLen(ctx, key).Result()
	if err != nil {
		return unavailable("read events", err)
	}
	if n < OutboxKeep {
		return nil
	}
	oldest, err := s.client.XRangeN(ctx, key, "-", "+", 1).Result()
	if err != nil || len(oldest) == 0 {
		return unavailable("read events", errors.Join(err, errEntry))
	}
	first, err := feed.ParsePosition(oldest[0].ID)
	if err == nil && after.Compare(first) < 0 {
		err = ErrEventsGone
	}
	return err
}

func readEvent(m *redis.XMessage) (Event, error) {
	id, err := feed.ParsePosition(m.ID)
	if err != nil {
		return Event{}, err
	}
	org, _ := m.Values[eventOrg].(string)
	body, _ := m.Values[eventBody].(string)
	return Event{ID: id, Org: activity.Org(org), Body: []byte(body)}, nil
}
