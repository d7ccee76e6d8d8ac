package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// cast is who acts in the demonstration: the authors of a repository, and invented players where those are few, so that a young
// repository has a board that moves too.
type cast struct {
	names []string
	run   string // part of the ids of this start's activities
	sent  int
}

// Sizes of a cast: enough for ranks to change often, few enough to fit on a screen.
const (
	fewest = 12
	most   = 40
)

// newCast picks the authors with the most commits. Their counts are by name.
func newCast(authors map[string]int) *cast {
	names := slices.SortedFunc(maps.Keys(authors), func(a, b string) int {
		return cmp.Or(cmp.Compare(authors[b], authors[a]), cmp.Compare(a, b))
	})
	names = names[:min(most, len(names))]
	for _, plant := range []string{"Olive", "Ivy", "Myrtle", "Sage", "Rowan", "Hazel", "Juniper", "Basil", "Aster", "Linden", "Heather", "Reed"} {
		if _, taken := authors[plant]; !taken && len(names) < fewest {
			names = append(names, plant)
		}
	}
	return &cast{names: names, run: strconv.FormatInt(time.Now().UnixMilli(), 36)}
}

// next is an activity of now. Each is new: what the demonstration sends never repeats an id.
func (c *cast) next() item {
	c.sent++
	added := rand.IntN(120) + 1
	return item{
		ID: fmt.Sprintf("demo-%s-%d", c.run, c.sent), User: c.names[rand.IntN(len(c.names))], Name: "commit",
		Meta: map[string]any{"added": added, "deleted": rand.IntN(added), "files": rand.IntN(9) + 1},
	}
}

// opening fills today's boards at once.
func (c *cast) opening(ctx context.Context, server *client) error {
	items := make([]item, 4*len(c.names))
	for i := range items {
		items[i] = c.next()
		if i < len(c.names) {
			items[i].User = c.names[i] // everyone is on the board
		}
	}
	_, err := server.send(ctx, "/v1/activities", items)
	return err
}

// act sends one activity after another until ctx ends, at irregular times as people do.
func (c *cast) act(ctx context.Context, server *client, pace time.Duration) error {
	for {
		if err := server.wait(ctx, pace/4+rand.N(pace*3/2)); err != nil {
			return err
		}
		if _, err := server.send(ctx, "/v1/activities", []item{c.next()}); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("the demonstration cannot go on: %w", err)
		}
	}
}
