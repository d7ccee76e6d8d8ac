package account

import (
	"context"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// Contents is what the store has of an org.
type Contents struct {
	Users   []activity.User // all of whom a state, a base, a log or a profile is stored, ascending by bytes
	Boards  []feed.Board    // that have rows, in no order
	Imports []string        // ids, ascending
}

// Has says whether the user was there.
func (c *Contents) Has(u activity.User) bool {
	_, found := slices.BinarySearch(c.Users, u)
	return found
}

// Survey walks the store once and lists what it has of each org. It takes about 200 bytes a user while it runs, and a third of that afterwards.
func Survey(ctx context.Context, s *store.Store) (map[activity.Org]*Contents, error) {
	orgs := map[activity.Org]*Contents{}
	boards := map[feed.Board]struct{}{}
	err := s.Walk(ctx, func(n store.Named) error {
		c := orgs[n.Org]
		if c == nil {
			c = &Contents{}
			orgs[n.Org] = c
		}
		switch n.Kind {
		case store.BoardOf:
			if _, known := boards[n.Board]; !known {
				boards[n.Board] = struct{}{}
				c.Boards = append(c.Boards, n.Board)
			}
		case store.ImportOf:
			c.Imports = append(c.Imports, n.Import)
		default:
			c.Users = append(c.Users, n.User)
		}
		return nil
	})
	for _, c := range orgs {
		slices.Sort(c.Users)
		c.Users = slices.Clip(slices.Compact(c.Users))
		slices.Sort(c.Imports)
		c.Imports = slices.Compact(c.Imports)
	}
	return orgs, err
}
