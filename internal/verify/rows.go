package verify

import (
	"context"
	"fmt"
	"strings"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// rows compares the rows that a partition has of a board with what the users' states sum up to, and looks at each of them where that differs.
func (c *orgCheck) rows(ctx context.Context, b *boardCheck, p store.Partition) error {
	key := store.BoardKey(p, b.Board)
	var got account.Digest
	whole := true
	err := c.Store.Members(ctx, key, func(member string, score float64) error {
		reached, user, err := store.ParseMember(member, b.Ascending)
		whole = whole && err == nil && score == float64(int64(score))
		got.Add(user, int64(score), reached)
		return nil
	})
	if err != nil || whole && got == b.expected[p] {
		return err
	}
	page := make([]stray, 0, rowsPage)
	err = c.Store.Members(ctx, key, func(member string, score float64) error {
		reached, user, err := store.ParseMember(member, b.Ascending)
		if err != nil || c.Store.PartitionOf(c.org, user) != p {
			return c.malformed(ctx, b, p, member)
		}
		page = append(page, stray{b, user, member, store.Standing{Value: int64(score), Reached: reached}})
		if len(page) < rowsPage {
			return nil
		}
		err = c.lookAt(ctx, p, page)
		page = page[:0]
		return err
	})
	if err != nil {
		return err
	}
	return c.lookAt(ctx, p, page)
}

// rowsPage is how many rows are compared with their users' states at once.
const rowsPage = 500

// lookAt inspects those rows of a page that their users' states, as they are stored, do not have. A state that is wrong itself has been found before.
func (c *orgCheck) lookAt(ctx context.Context, p store.Partition, page []stray) error {
	keys := make([]store.Key, len(page))
	for i := range page {
		keys[i] = store.StateKey(p, c.org, page[i].user)
	}
	texts, err := c.Store.Texts(ctx, keys)
	if err != nil {
		return err
	}
	for i := range page {
		s := &page[i]
		if len(texts[i]) >= store.VersionLen {
			state, err := progress.Parse(texts[i][store.VersionLen:])
			want := progress.Standing{Some: true, Value: s.found.Value, Reached: calendar.Instant(s.found.Reached)}
			if err == nil && s.board.isDirectory() && state.Merged == "" {
				continue // of whom there is one row only, which has been compared with the profile
			}
			if err == nil && state.Place(&s.board.Place, c.plan.Catalog) == want {
				continue
			}
		}
		if err := c.inspect(ctx, s.user, s); err != nil {
			return err
		}
	}
	return nil
}

// malformed notes or removes a member that no commit can have written. Its removal is no news for those who follow.
func (c *orgCheck) malformed(ctx context.Context, b *boardCheck, p store.Partition, member string) error {
	d := Difference{Kind: RowMalformed, Org: c.org, Rule: b.Board.Rule, Label: b.Board.Label,
		Expected: "a time and a user of the partition", Found: fmt.Sprintf("%q in partition %d", member, p)}
	remove := store.Op{Kind: store.OpZRem, Key: store.BoardKey(p, b.Board), Args: []string{member}}
	return c.unowned(ctx, p, store.Group{Org: c.org, Writes: []store.Op{remove}}, d)
}

// deadlines looks for those of users who do not exist; the others have been compared with their users.
func (c *checker) deadlines(ctx context.Context, orgs map[activity.Org]*orgCheck) error {
	for p := range c.Store.Partitions() {
		err := c.Store.Members(ctx, store.DueKey(store.Partition(p)), func(member string, _ float64) error {
			org, user, _ := strings.Cut(member, ":")
			check := orgs[activity.Org(org)]
			if check == nil || check.has.Has(activity.User(user)) {
				return nil
			}
			return check.inspect(ctx, activity.User(user), nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
