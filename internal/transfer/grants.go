package transfer

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/grants"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

const (
	grantsHash = "grants"
	// stockPrefix begins the names of the documents of limited rewards.
	stockPrefix = "stock:"
	// holdsAtOnce is how many holds go into a commit.
	holdsAtOnce = 10_000
)

// stockDocument is a limited reward: what is held of it, by hold, also of users who are gone and by what is on its way, and of which it is not certain.
type stockDocument struct {
	Holds map[string]int64 `json:"holds"`
	Open  []grants.Hold    `json:"open,omitempty"`
}

// stocks reads the org's limited rewards, as documents by name.
func (e *exporter) stocks(ctx context.Context, c *catalog.Catalog, into map[string][]byte) error {
	for _, def := range c.Rewards {
		if def.Stock < 0 {
			continue
		}
		p := ingest.StockPartition(e.Store, c.Org, def.ID)
		docs, err := e.Store.Docs(ctx, []store.Key{store.StockKey(p, c.Org, def.ID)})
		if err != nil {
			return err
		}
		hash, err := e.Store.Hash(ctx, store.HoldsKey(p, c.Org, def.ID))
		if err != nil {
			return err
		}
		stock, err := grants.ParseStock(docs[0].Content)
		if err != nil {
			return fmt.Errorf("stock of %s of org %s: %w: %w", def.ID, c.Org, ErrUnreadable, err)
		}
		doc := stockDocument{Holds: map[string]int64{}, Open: stock.Open}
		for hold, pieces := range hash {
			if doc.Holds[hold], err = strconv.ParseInt(pieces, 10, 64); err != nil {
				return fmt.Errorf("holds of %s of org %s: %w: %w", def.ID, c.Org, ErrUnreadable, err)
			}
		}
		if len(doc.Holds)+len(doc.Open) == 0 {
			continue
		}
		if into[stockPrefix+def.ID], err = json.Marshal(doc, json.Deterministic(true)); err != nil {
			return err
		}
	}
	return nil
}

// noteGrants makes the codes of a user's grants the user's, has them expire, and remembers what they hold: those that came while a dump was being written may be missing in the documents.
func (i *importer) noteGrants(ctx context.Context, u *user) error {
	set, err := grants.ParseSet(u.hashes[grantsHash])
	if err != nil {
		return fmt.Errorf("%w: user %q: %w", ErrDamaged, u.User, err)
	}
	u.Stored.Expires = set.Next()
	for _, g := range set {
		if g.Hold != "" && g.State <= grants.Redeemed {
			i.hold(u.Org, g.Reward)[g.Hold] = g.Count
		}
		if g.Code == "" {
			continue
		}
		p, group, err := ingest.CodeGroup(i.Store, u.Org, g.Code, u.User, g.ID)
		if err != nil {
			return err
		}
		r, err := i.Store.Commit(ctx, p, []store.Group{group})
		if err != nil {
			return err
		}
		if o := &r.Outcomes[0]; o.Status != store.Applied && !bytes.Equal(o.Doc.Content, group.Content) {
			return fmt.Errorf("%w: code %q of user %q is another grant's too", ErrDamaged, g.Code, u.User)
		}
	}
	return nil
}

// hold is what is known to be held of a reward.
func (i *importer) hold(org activity.Org, reward string) map[string]int64 {
	if i.holds == nil {
		i.holds = map[activity.Org]map[string]map[string]int64{}
	}
	if i.holds[org] == nil {
		i.holds[org] = map[string]map[string]int64{}
	}
	if i.holds[org][reward] == nil {
		i.holds[org][reward] = map[string]int64{}
	}
	return i.holds[org][reward]
}

// writeStocks writes the org's limited rewards, and takes their documents out of the line.
func (i *importer) writeStocks(ctx context.Context, l *orgLine) error {
	open := map[string][]grants.Hold{}
	for name, content := range l.Documents {
		reward, is := strings.CutPrefix(name, stockPrefix)
		if !is {
			continue
		}
		var doc stockDocument
		if err := json.Unmarshal(content, &doc); err != nil {
			return fmt.Errorf("%w: document %s of org %s: %w", ErrDamaged, name, l.Org, err)
		}
		maps.Copy(i.hold(l.Org, reward), doc.Holds)
		open[reward] = doc.Open
	}
	for reward, holds := range i.holds[l.Org] {
		if err := i.writeStock(ctx, l.Org, reward, holds, open[reward]); err != nil {
			return err
		}
	}
	l.Documents = maps.Clone(l.Documents)
	maps.DeleteFunc(l.Documents, func(name string, _ []byte) bool { return strings.HasPrefix(name, stockPrefix) })
	return nil
}

func (i *importer) writeStock(ctx context.Context, org activity.Org, reward string, holds map[string]int64, open []grants.Hold) error {
	p := ingest.StockPartition(i.Store, org, reward)
	stock := grants.Stock{Open: slices.DeleteFunc(open, func(h grants.Hold) bool { return holds[h.Key] == 0 })}
	var args []string
	for n, hold := range slices.Sorted(maps.Keys(holds)) {
		stock.Held += holds[hold]
		args = append(args, hold, strconv.FormatInt(holds[hold], 10))
		if (n+1)%holdsAtOnce != 0 && n+1 < len(holds) {
			continue
		}
		group := store.Group{Org: org, Writes: []store.Op{{Kind: store.OpHSet, Key: store.HoldsKey(p, org, reward), Args: args}}}
		if _, err := i.Store.Commit(ctx, p, []store.Group{group}); err != nil {
			return err
		}
		args = nil
	}
	content, err := stock.Content()
	if err != nil {
		return err
	}
	return i.put(ctx, p, org, store.StockKey(p, org, reward), content)
}
