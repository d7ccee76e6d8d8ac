package store

import (
	"context"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

const (
	// outboxPage is how many entries are looked through at once.
	outboxPage = 1000
	// removalSlack is how many entries may be trimmed between eventsFrom and the commit that notes its answer.
	removalSlack = 1000
)

// UserEvents are a user's entries in the outbox up to a position.
type UserEvents struct {
	IDs     []string
	Through feed.Position
}

// FindEvents looks through a partition's outbox, after what was found before, for a user's entries, and adds them. It reads the whole outbox the first time,
// at most OutboxKeep entries and what is appended meanwhile.
func (s *Store) FindEvents(ctx context.Context, p Partition, org activity.Org, user activity.User, found UserEvents) (UserEvents, error) {
	for {
		page, err := s.outbox(ctx, p, found.Through, outboxPage)
		if err != nil {
			return found, err
		}
		for i := range page {
			e := &page[i]
			if found.Through = e.id; e.org == org && e.user == user {
				found.IDs = append(found.IDs, e.id.String())
			}
		}
		if len(page) < outboxPage {
			return found, nil
		}
	}
}

// RemoveEvents are the writes that take entries out of a partition's outbox. Readers of events tell a trimmed outbox by its length, which this makes
// smaller: so what was trimmed until now is noted beside it.
func (s *Store) RemoveEvents(ctx context.Context, p Partition, found UserEvents) ([]Op, error) {
	if len(found.IDs) == 0 {
		return nil, nil
	}
	ops := []Op{{Kind: OpXDel, Key: OutboxKey(p), Args: found.IDs}}
	from, err := s.eventsFrom(ctx, p, removalSlack)
	if err == nil && from != (feed.Position{}) {
		ops = append(ops, Op{Kind: OpHSet, Key: MetaKey(p), Args: []string{metaEvents, from.String()}})
	}
	return ops, err
}

func validPositions(ids []string) bool {
	for _, id := range ids {
		if p, err := feed.ParsePosition(id); err != nil || p.String() != id {
			return false
		}
	}
	return true
}
