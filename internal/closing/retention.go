package closing

import (
	"context"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/store"
)

const (
	// maxNamed is how many periods of a cycle are dropped by name. More, or how many nobody knows, are looked for.
	maxNamed = 400
	// dropBatch is how many boards one commit drops.
	dropBatch = 128
)

// drop drops the boards of what is gone, dropped aside: of that they were dropped before. Doing it twice, or on two nodes at once, does no harm.
func (c *Closer) drop(ctx context.Context, e *registry.Entry, dropped catalog.Kept) error {
	named, all := named(e, dropped)
	for n := range c.Store.Partitions() {
		p := store.Partition(n)
		if err := c.dropBoards(ctx, e, p, named); err != nil {
			return err
		}
		if all {
			continue
		}
		if err := c.dropFound(ctx, e, p); err != nil {
			return err
		}
	}
	return nil
}

// named are the boards that have gone since dropped and can be named; all says that these are all.
func named(e *registry.Entry, dropped catalog.Kept) (boards []feed.Board, all bool) {
	all = true
	for _, r := range e.Catalog.Rules {
		for _, cy := range r.Cycles {
			first, some := e.Kept[r.ID][cy.Key()]
			if !some {
				continue
			}
			if r.SegmentBy != "" {
				all = false // which segments have a board of a period, and had under earlier definitions, only the store knows
			}
			was, known := dropped[r.ID][cy.Key()]
			if r.SegmentBy != "" && was < first {
				all = false // which segments have boards, the store knows
			}
			if !known || int(first)-int(was) > maxNamed {
				all = false
				continue
			}
			for o := was; o < first; o++ {
				boards = append(boards, feed.Board{Org: e.Catalog.Org, Rule: r.ID, Label: e.Catalog.Calendar().Label(cy, o)})
			}
		}
	}
	return boards, all
}

// dropFound looks through all boards of a partition for what is gone.
func (c *Closer) dropFound(ctx context.Context, e *registry.Entry, p store.Partition) error {
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		boards, next, err := c.Store.Boards(ctx, p, e.Catalog.Org, cursor)
		if err != nil {
			return err
		}
		cursor = next
		var found []feed.Board
		for _, b := range boards {
			if gone(e, b) {
				found = append(found, b)
			}
		}
		if err := c.dropBoards(ctx, e, p, found); err != nil {
			return err
		}
	}
	return nil
}

// gone says whether a board is of a period that is gone. What stands on boards of rules that are no longer defined stays.
func gone(e *registry.Entry, b feed.Board) bool {
	id, _ := progress.CutSegment(b.Rule) // a segment's board goes with its rule's
	r := e.Catalog.Rule(id)
	if r == nil {
		return false
	}
	for _, cy := range r.Cycles {
		if cy.Unit == calendar.All || e.Kept[id] == nil {
			continue
		}
		if o, err := e.Catalog.Calendar().ParseLabel(cy, b.Label); err == nil {
			return e.Kept.Gone(id, cy.Key(), o)
		}
	}
	return false
}

func (c *Closer) dropBoards(ctx context.Context, e *registry.Entry, p store.Partition, boards []feed.Board) error {
	for len(boards) > 0 {
		n := min(len(boards), dropBatch)
		// Views of the org are rendered anew, and find the period gone.
		group := store.Group{Org: e.Catalog.Org, Drops: boards[:n], OrgChanged: true}
		r, err := c.Store.Commit(ctx, p, []store.Group{group})
		if err != nil {
			return err
		}
		c.Boards.ApplyOwn(r.Change)
		c.Log.Info().Str("org", string(e.Catalog.Org)).Int("partition", int(p)).Int("boards", n).Msg("boards of periods past their retention are removed")
		boards = boards[n:]
	}
	return nil
}
