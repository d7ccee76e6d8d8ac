package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/store"
	"laurel/ranking"
)

// index compares a board as a server's index has it with the rows that are stored, in content and order.
func (c *orgCheck) index(ctx context.Context, b *boardCheck) error {
	order := ranking.Descending
	if b.Ascending {
		order = ranking.Ascending
	}
	open, err := c.Boards.Open(ctx, b.Board, order)
	if errors.Is(err, ranking.ErrLoading) {
		c.report.add(Difference{Kind: IndexWrong, Org: c.org, Rule: b.Board.Rule, Label: b.Board.Label, Expected: "a board that can be loaded", Found: err.Error()}, c.List)
		return nil
	} else if err != nil {
		return err
	}
	c.report.Indexes++
	stored, err := c.storedDigest(ctx, b)
	if err != nil {
		return err
	}
	held, disorder := heldDigest(open, b.Ascending)
	if disorder != "" {
		c.report.add(Difference{Kind: IndexWrong, Org: c.org, Rule: b.Board.Rule, Label: b.Board.Label, Expected: "rows in order", Found: disorder}, c.List)
	}
	if held == stored {
		return nil
	}
	return c.compareIndex(ctx, b, open)
}

func (c *orgCheck) storedDigest(ctx context.Context, b *boardCheck) (account.Digest, error) {
	var d account.Digest
	for p := range c.Store.Partitions() {
		err := c.Store.Members(ctx, store.BoardKey(store.Partition(p), b.Board), func(member string, score float64) error {
			if reached, user, err := store.ParseMember(member, b.Ascending); err == nil {
				d.Add(user, int64(score), reached)
			}
			return nil
		})
		if err != nil {
			return d, err
		}
	}
	return d, nil
}

// indexPage is how many rows are taken from an index at once.
const indexPage = 2048

// heldDigest sums up the rows of an index, and says where two of them are out of order.
func heldDigest(open *ranking.Board, ascending bool) (d account.Digest, disorder string) {
	open.View(func(x *ranking.Index, _ uint64) {
		var rows []ranking.Row
		var last ranking.Entry
		for at := 0; at < x.Len(); at += indexPage {
			rows = x.Range(rows[:0], at, indexPage, ranking.Ordinal)
			for i := range rows {
				if e := rows[i].Entry; d.Rows > 0 && !before(last, e, ascending) && disorder == "" {
					disorder = fmt.Sprintf("%q at place %d after %q", e.User, d.Rows+1, last.User)
				}
				last = rows[i].Entry
				d.Add(last.User, last.Value, int64(last.Reached))
			}
		}
	})
	return d, disorder
}

// before is the order of DESIGN: value, then who reached it first, then the user's bytes.
func before(a, b ranking.Entry, ascending bool) bool {
	byValue := cmp.Compare(a.Value, b.Value)
	if !ascending {
		byValue = -byValue
	}
	return cmp.Or(byValue, cmp.Compare(a.Reached, b.Reached), strings.Compare(string(a.User), string(b.User))) < 0
}

// compareIndex compares row by row, both ways. The index may be behind by a moment: what differs is looked at again.
func (c *orgCheck) compareIndex(ctx context.Context, b *boardCheck, open *ranking.Board) error {
	suspects := map[activity.User]string{} // and a member that is stored of them
	for p := range c.Store.Partitions() {
		err := c.Store.Members(ctx, store.BoardKey(store.Partition(p), b.Board), func(member string, score float64) error {
			reached, user, err := store.ParseMember(member, b.Ascending)
			if e, ok := get(open, user); err == nil && (!ok || e.Value != int64(score) || e.Reached != calendar.Instant(reached)) {
				suspects[user] = member
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for at := 0; ; at += indexPage {
		var rows []ranking.Row
		open.View(func(x *ranking.Index, _ uint64) { rows = x.Range(nil, at, indexPage, ranking.Ordinal) })
		if len(rows) == 0 {
			break
		}
		for i := range rows {
			if same, _, err := c.sameRow(ctx, b, open, rows[i].User, ""); err != nil {
				return err
			} else if _, known := suspects[rows[i].User]; !same && !known {
				suspects[rows[i].User] = ""
			}
		}
	}
	for user, member := range suspects {
		if err := c.settleIndex(ctx, b, open, user, member); err != nil {
			return err
		}
	}
	return nil
}

func (c *orgCheck) settleIndex(ctx context.Context, b *boardCheck, open *ranking.Board, user activity.User, member string) error {
	for n := range tries {
		if err := pause(ctx, n); err != nil {
			return err
		}
		same, found, err := c.sameRow(ctx, b, open, user, member)
		if err != nil || same {
			return err
		}
		if n == tries-1 {
			c.report.add(Difference{Kind: IndexWrong, Org: c.org, Rule: b.Board.Rule, Label: b.Board.Label, User: user,
				Expected: "the row that is stored", Found: found}, c.List)
		}
	}
	return nil
}

// sameRow says whether the row that the index has of a user is stored or, where it has none, that the member seen before is not.
func (c *orgCheck) sameRow(ctx context.Context, b *boardCheck, open *ranking.Board, user activity.User, member string) (same bool, found string, err error) {
	e, ok := get(open, user)
	if ok {
		member = store.Member(store.Standing{Value: e.Value, Reached: int64(e.Reached)}, b.Ascending, user)
	}
	if member == "" {
		return true, "", nil
	}
	scores, err := c.Store.Scores(ctx, store.BoardKey(c.Store.PartitionOf(c.org, user), b.Board), []string{member})
	if err != nil {
		return false, "", err
	}
	if !ok {
		return !scores[0].Some, "no row", nil
	}
	return scores[0].Some && scores[0].Value == float64(e.Value), scoreText(float64(e.Value), e.Reached), nil
}

func get(open *ranking.Board, user activity.User) (e ranking.Entry, ok bool) {
	open.View(func(x *ranking.Index, _ uint64) { e, ok = x.Get(user) })
	return e, ok
}
