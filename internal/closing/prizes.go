package closing

import (
	"context"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/rewards"
	"laurel/internal/store"
	"laurel/ranking"
)

const (
	// maxWinners bounds how many users one prize, or achievement by rank, goes to at one close, where many stand at one rank: the first of them.
	maxWinners = 100_000
	// perTransfer is how many users one transfer goes to.
	perTransfer = 100
	// standingsPage is how many rows of a board are looked at in one go.
	standingsPage = 1_000
)

// given is what a close gives to those who stand at ranks from to to.
type given struct {
	from, to int
	transfer activity.Transfer // but for To
}

// givenFor lists what the close of a period gives.
func givenFor(c *catalog.Catalog, p *ending) (list []given) {
	closes := func(rule int, cycle calendar.Cycle) bool {
		return c.Rules[rule].ID == p.rule.ID && cycle.Key() == p.cycle.Key()
	}
	meta, _ := jsontext.AppendQuote([]byte(`{"period":`), p.period.Label) // of the catalog, which is valid UTF-8
	meta = append(meta, '}')
	add := func(from, to int, kind, id string, effect activity.Effect) {
		list = append(list, given{from, to, activity.Transfer{
			Org: c.Org, ID: activity.ID(kind + ":" + id + ":" + p.period.Label), Name: id, Meta: meta, At: p.at, Effect: effect,
		}})
	}
	for _, a := range c.Achievements {
		if a.Rank != nil && closes(a.Rank.Rule, a.Rank.Cycle) {
			add(1, a.Rank.AtMost, "rank", a.ID, activity.Effect{Achieved: a.ID + ":" + p.period.Label})
		}
	}
	for _, z := range c.Prizes {
		if !closes(z.Rule, z.Cycle) {
			continue
		}
		for i := range z.Ranks {
			add(z.Ranks[i].From, z.Ranks[i].To, "prize", z.ID, effectOf(c, &z.Ranks[i].Gives))
		}
	}
	return list
}

// effectOf is what is given, as it is recorded.
func effectOf(c *catalog.Catalog, g *catalog.Gives) (e activity.Effect) {
	for _, p := range g.Points {
		w := c.Wallets[p.Wallet]
		e.Rows = append(e.Rows, activity.Row{Wallet: w.ID, Decimals: uint8(w.Decimals), Type: uint8(rewards.Earn), Category: uint8(p.Category), Amount: p.Amount})
	}
	for _, i := range g.Grants {
		e.Rewards = append(e.Rewards, c.Rewards[i].ID)
	}
	return e
}

// prizes are the transfers of what the close of a period gives by its standings, which are final.
func (c *Closer) prizes(ctx context.Context, cat *catalog.Catalog, p *ending) (ops []store.Op, err error) {
	list := givenFor(cat, p)
	if len(list) == 0 {
		return nil, nil
	}
	x, err := c.standings(ctx, p.rule, feed.Board{Org: cat.Org, Rule: p.rule.ID, Label: p.period.Label})
	if err != nil {
		return nil, err
	}
	for i := range list {
		winners := winners(x, ranking.Ties(p.rule.Ties), list[i].from, list[i].to)
		if len(winners) == maxWinners {
			c.Log.Warn().Str("org", string(cat.Org)).Str("credit", string(list[i].transfer.ID)).Int("users", maxWinners).Msg("a close gives to the first of those at its ranks only")
		}
		for users := range slices.Chunk(winners, perTransfer) {
			list[i].transfer.To = users
			ops = append(ops, store.AppendTransfer(0, list[i].transfer.Append(nil)))
		}
	}
	return ops, nil
}

// standings is a board as the store has it in all partitions.
func (c *Closer) standings(ctx context.Context, r *catalog.Rule, b feed.Board) (*ranking.Index, error) {
	order := ranking.Descending
	if r.Ascending {
		order = ranking.Ascending
	}
	x := ranking.NewIndex(order)
	for p := range c.Store.Partitions() {
		err := c.Store.LoadBoard(ctx, store.Partition(p), b, r.Ascending, func(u activity.User, value int64, reached calendar.Instant) error {
			x.Upsert(ranking.Entry{User: u, Value: value, Reached: reached})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return x, nil
}

// winners are the first maxWinners users whose ranks lie from from to to.
func winners(x *ranking.Index, ties ranking.Ties, from, to int) (users []activity.User) {
	offset := 0
	if ties != ranking.Dense {
		offset = from - 1 // nobody before that place has that rank
	}
	for len(users) < maxWinners {
		rows := x.Range(nil, offset, standingsPage, ties)
		for _, r := range rows {
			if r.Rank >= from && r.Rank <= to && len(users) < maxWinners {
				users = append(users, r.User)
			}
		}
		if len(rows) < standingsPage || rows[len(rows)-1].Rank > to {
			break
		}
		offset += len(rows)
	}
	return users
}
