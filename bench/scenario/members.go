package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// fillBatch is how many members one commit brings.
const fillBatch = 5_000

// fill puts members users straight onto two boards, week and the week before, past ingest: what a read costs depends on the board, not on how it
// came to be. The server must not have read them yet.
func (b *bench) fill(ctx context.Context, members int) error {
	b.say("filling two boards with %d members", members)
	s, err := store.Open(ctx, store.Options{URL: "redis://" + b.redis.Address, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer s.Close()
	now := time.Now().UTC()
	for _, at := range []time.Time{now.AddDate(0, 0, -7), now} {
		year, week := at.ISOWeek()
		board := feed.Board{Org: "bench", Rule: "points", Label: fmt.Sprintf("%04d-W%02d", year, week)}
		for from := 0; from < members; from += fillBatch {
			if err := b.fillSome(ctx, s, board, from, min(from+fillBatch, members), at); err != nil {
				return err
			}
		}
	}
	return nil
}

// fillSome commits the members from to to of a board, each in a group of its own, to whichever partition has them.
func (b *bench) fillSome(ctx context.Context, s *store.Store, board feed.Board, from, to int, at time.Time) error {
	groups := map[store.Partition][]store.Group{}
	for n := from; n < to; n++ {
		user := activity.User(userID(n))
		standing := &store.Standing{Value: int64(b.items.random.IntN(fillScores)), Reached: at.UnixMilli() - int64(b.items.random.IntN(1_000_000))}
		p := s.PartitionOf(board.Org, user)
		groups[p] = append(groups[p], store.Group{Org: board.Org, Boards: []store.BoardWrite{{Board: board, User: user, New: standing}}})
	}
	for p, some := range groups {
		if _, err := s.Commit(ctx, p, some); err != nil {
			return fmt.Errorf("fill %s: %w", board.Label, err)
		}
	}
	return nil
}

// fillScores is how many different scores there are: with a million members, most of them tied, as on real boards.
const fillScores = 100_000
