package verify

import (
	"context"

	"laurel/internal/store"
)

// mend makes a user's things what they ought to be, in one commit that holds only if the user's state is still the one that was inspected. It says how many of
// the findings that mends; not done: another commit was faster.
func (c *orgCheck) mend(ctx context.Context, r *reading, found []finding) (mended int, done bool, err error) {
	if n := len(r.Document); n > 0 && n < store.VersionLen {
		// No commit could name its version, so no server can have written it: it goes first, and the user is inspected again.
		drop := store.Group{Org: c.org, Writes: []store.Op{{Kind: store.OpDel, Key: store.StateKey(r.Partition, c.org, r.User)}}}
		_, err := c.Store.Commit(ctx, r.Partition, []store.Group{drop})
		return 0, false, err
	}
	g := store.Group{Org: c.org, User: r.User, Fence: c.entry.Fence(r.Partition), Doc: store.StateKey(r.Partition, c.org, r.User), Expect: r.Version()}
	for i := range found {
		f := &found[i]
		if f.hopeless {
			continue
		}
		mended++
		if f.claim != nil {
			if err := c.claim(ctx, r.User, *f.claim); err != nil {
				return 0, false, err
			}
		}
		if f.write != nil {
			g.Boards = append(g.Boards, *f.write)
		}
		if f.op != nil {
			g.Writes = append(g.Writes, *f.op)
		}
	}
	switch {
	case mended == 0:
		return 0, true, nil
	case r.State != nil:
		g.Content = r.State.Append(nil)
	default:
		// Of a user who does not exist there is nothing to guard, and nothing to store.
		g.Doc, g.User, g.Fence = "", "", ""
	}
	result, err := c.Store.Commit(ctx, r.Partition, []store.Group{g})
	if err != nil {
		return 0, false, err
	}
	switch result.Outcomes[0].Status {
	case store.Applied:
		return mended, true, nil
	case store.Fenced:
		_, err = c.refresh(ctx)
	}
	return 0, false, err
}
