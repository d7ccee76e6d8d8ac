//go:build linux

package live

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

const (
	fillBatch = 5_000   // members in a commit
	spread    = 100_000 // scores of those who are not watched in a top view are below this
)

// fill puts members straight onto the board of this week, past ingest: what a live view costs depends on the board, not on how it came to be. They
// never act. The server must not have read the board yet.
func fill(ctx context.Context, redis string, members int) error {
	s, err := store.Open(ctx, store.Options{URL: "redis://" + redis, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	defer s.Close()
	now := time.Now().UTC()
	year, week := now.ISOWeek()
	board := feed.Board{Org: "bench", Rule: "points", Label: fmt.Sprintf("%04d-W%02d", year, week)}
	random := rand.New(rand.NewPCG(20, 27))
	groups := map[store.Partition][]store.Group{}
	for n := range members {
		user := activity.User(fmt.Sprintf("other-%07d", n))
		standing := &store.Standing{Value: random.Int64N(spread), Reached: now.UnixMilli() - random.Int64N(1_000_000)}
		p := s.PartitionOf(board.Org, user)
		groups[p] = append(groups[p], store.Group{Org: board.Org, Boards: []store.BoardWrite{{Board: board, User: user, New: standing}}})
		if (n+1)%fillBatch != 0 && n != members-1 {
			continue
		}
		for p, some := range groups {
			if _, err := s.Commit(ctx, p, some); err != nil {
				return fmt.Errorf("fill %s: %w", board.Label, err)
			}
		}
		clear(groups)
	}
	return nil
}
