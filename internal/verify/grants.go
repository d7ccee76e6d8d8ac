package verify

import (
	"context"
	"fmt"
	"strconv"

	"laurel/internal/grants"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

// grantFindings looks whether the user's grants can be read, and whether what they have of limited rewards is held. Of what was lost nobody can tell how it came about, so nothing mends it.
func (c *orgCheck) grantFindings(ctx context.Context, r *reading) (found []finding, err error) {
	hash, err := c.Store.Hash(ctx, store.GrantsKey(r.Partition, c.org, r.User))
	if err != nil || len(hash) == 0 {
		return nil, err
	}
	d := Difference{Kind: StockWrong, Org: c.org, User: r.User}
	set, err := grants.ParseSet(hash)
	if err != nil {
		d.Kind, d.Expected, d.Found = GrantsDamaged, "grants that can be read", err.Error()
		return []finding{{Difference: d, hopeless: true}}, nil
	}
	for _, g := range set {
		if g.Hold == "" || g.State > grants.Redeemed {
			continue
		}
		p := ingest.StockPartition(c.Store, c.org, g.Reward)
		pieces, err := c.Store.Fields(ctx, store.HoldsKey(p, c.org, g.Reward), []string{g.Hold})
		if err != nil {
			return nil, err
		}
		if want := strconv.FormatInt(g.Count, 10); pieces[0] != want {
			d.Expected, d.Found = fmt.Sprintf("%s pieces of %s held for grant %q", want, g.Reward, g.ID), fmt.Sprintf("%q", pieces[0])
			found = append(found, finding{Difference: d, hopeless: true})
		}
	}
	return found, nil
}

// stocks compares the count of each limited reward with its holds.
func (c *orgCheck) stocks(ctx context.Context) error {
	for _, def := range c.plan.Catalog.Rewards {
		if def.Stock < 0 {
			continue
		}
		p := ingest.StockPartition(c.Store, c.org, def.ID)
		if err := c.stock(ctx, def.ID, store.StockKey(p, c.org, def.ID), store.HoldsKey(p, c.org, def.ID)); err != nil {
			return err
		}
	}
	return nil
}

// stock looks at one until nothing changes meanwhile.
func (c *orgCheck) stock(ctx context.Context, reward string, doc, holds store.Key) error {
	for n := range tries {
		if err := pause(ctx, n); err != nil {
			return err
		}
		before, err := c.Store.Docs(ctx, []store.Key{doc})
		if err != nil {
			return err
		}
		hash, err := c.Store.Hash(ctx, holds)
		if err != nil {
			return err
		}
		after, err := c.Store.Docs(ctx, []store.Key{doc})
		if err != nil {
			return err
		}
		if before[0].Version != after[0].Version {
			continue
		}
		stock, err := grants.ParseStock(after[0].Content)
		sum := int64(0)
		for _, text := range hash {
			pieces, _ := strconv.ParseInt(text, 10, 64) // what is no number holds nothing
			sum += pieces
		}
		if err != nil || stock.Held != sum {
			c.report.add(Difference{Kind: StockWrong, Org: c.org, Rule: reward, Expected: fmt.Sprintf("%d held", sum), Found: fmt.Sprintf("%d, %v", stock.Held, err)}, c.List)
		}
		return nil
	}
	c.report.Unsettled++
	return nil
}
