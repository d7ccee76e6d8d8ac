package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/grants"
	"laurel/internal/store"
)

// What is left of a limited reward is counted in a document of its own, which may live in another partition than the user; package grants says how the two are kept in step. A hold is
// opened by a commit of the stock, after the user's version was read, and settled by another one when the user's commit is known. What a crash leaves open is settled by the keeper
// of any node: it has the user's version moved, so that what was decided before comes too late, and then sees whether the user has the grant.
const (
	holdsOpenFor = calendar.Instant(10 * 60_000) // ms, at most: then the user is asked
	keepEvery    = 15 * time.Second
)

// stockField is what a stock's partition is chosen by.
const stockField = "stock"

// held is a hold that an attempt opened, and whether the user has the grant once the attempt is committed.
type held struct {
	reward     string
	key, token string
	had        bool
}

// stock is a stock as it was read, with what its hash has of one hold.
type stock struct {
	grants.Stock
	org       activity.Org
	reward    string
	partition store.Partition
	version   store.Version
	pieces    int64
}

// StockPartition is where the stock of a limited reward lives.
func StockPartition(s *store.Store, org activity.Org, reward string) store.Partition {
	return s.PartitionOfValue(org, stockField, reward)
}

func (s *Service) stockKey(org activity.Org, reward string) (store.Partition, store.Key) {
	p := StockPartition(s.Store, org, reward)
	return p, store.StockKey(p, org, reward)
}

func (s *Service) readStock(ctx context.Context, org activity.Org, reward, hold string) (*stock, error) {
	p, key := s.stockKey(org, reward)
	docs, err := s.Store.Docs(ctx, []store.Key{key})
	if err != nil {
		return nil, err
	}
	x := &stock{org: org, reward: reward, partition: p, version: docs[0].Version}
	if x.Stock, err = grants.ParseStock(docs[0].Content); err != nil {
		return nil, fmt.Errorf("document %s: %w", key, err)
	}
	// Read after the version: a commit in between makes what follows stale.
	texts, err := s.Store.Fields(ctx, store.HoldsKey(p, org, reward), []string{hold})
	if err != nil || texts[0] == "" {
		return x, err
	}
	if x.pieces, err = strconv.ParseInt(texts[0], 10, 64); err != nil {
		err = fmt.Errorf("hold %s of reward %s of org %s: %w", hold, reward, org, err)
	}
	return x, err
}

// writeStock makes a stock what it is to be, with writes to its holds, if nobody has written it since.
func (s *Service) writeStock(ctx context.Context, x *stock, writes ...store.Op) (done bool, err error) {
	content, err := x.Content()
	if err != nil {
		return false, err
	}
	g := store.Group{Org: x.org, Doc: store.StockKey(x.partition, x.org, x.reward), Expect: x.version, Content: content, Writes: writes}
	err = s.step("stock", func() error {
		r, err := s.Store.Commit(ctx, x.partition, []store.Group{g})
		done = err == nil && r.Outcomes[0].Status == store.Applied
		return err
	})
	return done, err
}

func (x *stock) holds(kind store.OpKind, args ...string) store.Op {
	return store.Op{Kind: kind, Key: store.HoldsKey(x.partition, x.org, x.reward), Args: args}
}

// changeStock has a stock changed until nobody else does meanwhile, or there is nothing to change. Each time one of those who change it succeeds, so that it ends.
func (s *Service) changeStock(ctx context.Context, org activity.Org, reward, hold string, change func(*stock) (writes []store.Op, some bool)) error {
	for {
		x, err := s.readStock(ctx, org, reward, hold)
		if err != nil {
			return err
		}
		writes, some := change(x)
		if !some {
			return nil
		}
		if done, err := s.writeStock(ctx, x, writes...); done || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// take opens the hold of a grant that is about to be issued; not ok: nothing is left.
func (g *granter) take(ctx context.Context, def *catalog.Reward, grant *grants.Grant) (ok bool, err error) {
	if g.t.version == "" {
		return false, errNobody
	}
	h := g.open(grant, true)
	return g.takeHold(ctx, def, &h)
}

// takeHold takes what a hold is about; not ok: nothing is left.
func (g *granter) takeHold(ctx context.Context, def *catalog.Reward, h *grants.Hold) (ok bool, err error) {
	limit := def.Stock
	if limit < 0 {
		limit = catalog.MaxExact // it has no limit any more
	}
	err = g.changeStock(ctx, g.t.key.org, def.ID, h.Key, func(x *stock) (writes []store.Op, some bool) {
		added, is := x.Take(*h, x.pieces, limit)
		if ok = is; added {
			writes = append(writes, x.holds(store.OpHSet, h.Key, strconv.FormatInt(h.Pieces, 10)))
		}
		return writes, is
	})
	return ok, err
}

// give opens the hold of a grant that is about to go, if it has one.
func (g *granter) give(ctx context.Context, grant *grants.Grant) error {
	if grant.Hold == "" {
		return nil
	}
	h := g.open(grant, false)
	return g.changeStock(ctx, g.t.key.org, grant.Reward, h.Key, func(x *stock) ([]store.Op, bool) { return nil, x.Give(h, x.pieces) })
}

// open makes a hold that the attempt is to settle.
func (g *granter) open(grant *grants.Grant, had bool) grants.Hold {
	h := grants.Hold{Key: grant.Hold, Pieces: grant.Count, User: g.t.key.user, Grant: grant.ID, Token: rand.Text(), At: g.now, Credit: g.credit}
	x := &g.t.attempt.granting
	x.held = append(x.held, held{grant.Reward, h.Key, h.Token, had})
	return h
}

// settleHolds closes what an attempt opened, after its commit. What fails here the keeper does later.
func (s *Service) settleHolds(ctx context.Context, org activity.Org, all []held) {
	for _, h := range all {
		if err := s.settleHold(ctx, org, h); err != nil {
			s.Log.Warn().Err(err).Str("org", string(org)).Str("reward", h.reward).Msg("a hold on a stock is left to be settled later")
		}
	}
}

func (s *Service) settleHold(ctx context.Context, org activity.Org, h held) error {
	return s.changeStock(ctx, org, h.reward, h.key, func(x *stock) (writes []store.Op, some bool) {
		removed, changed := x.Settle(h.key, h.token, h.had)
		if removed {
			writes = append(writes, x.holds(store.OpHDel, h.key))
		}
		return writes, changed
	})
}

// keepStocks settles, now and then, what has been open for too long.
func (s *Service) keepStocks(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.settleOld(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn().Err(err).Msg("holds on stocks could not be settled; trying again")
		}
	}
}

// settleOld settles the holds that have been open for too long, on all stocks.
func (s *Service) settleOld(ctx context.Context) (err error) {
	for _, org := range s.Registry.Orgs() {
		_, e, failed := s.Plan(org)
		if failed != nil {
			continue // it was removed meanwhile
		}
		for _, def := range e.Catalog.Rewards {
			if def.Stock >= 0 {
				err = errors.Join(err, s.settleStock(ctx, org, def.ID))
			}
		}
	}
	return err
}

func (s *Service) settleStock(ctx context.Context, org activity.Org, reward string) error {
	x, err := s.readStock(ctx, org, reward, "")
	if err != nil {
		return err
	}
	for _, h := range x.OpenSince(s.Clock.Now() - holdsOpenFor) {
		// Read again before the user is asked: who has opened it meanwhile settles it.
		x, err := s.readStock(ctx, org, reward, h.Key)
		if err != nil {
			return err
		}
		had, err := s.vouch(ctx, org, h)
		if err != nil {
			return err
		}
		removed, changed := x.Settle(h.Key, h.Token, had)
		var writes []store.Op
		if removed {
			writes = append(writes, x.holds(store.OpHDel, h.Key))
		}
		if changed {
			if _, err := s.writeStock(ctx, x, writes...); err != nil { // not done: another time
				return err
			}
		}
	}
	return nil
}

// vouch moves the user's version, and says whether the user has the grant of a hold then. Of a user who was merged into another one that one is asked.
func (s *Service) vouch(ctx context.Context, org activity.Org, hold grants.Hold) (bool, error) {
	user := hold.User
	for range maxRounds {
		c := &command{kind: vouch, grants: grantCommand{hold: hold}}
		err := s.step("vouch", func() error {
			_, err := s.do(ctx, org, user, "", c)
			return err
		})
		switch {
		case errors.Is(err, ErrUserNotFound):
			return false, nil
		case !errors.Is(err, ErrUserMerged):
			return c.shows, err
		}
		if err := s.carryOn(ctx, org, user); err != nil {
			return false, err
		}
		if user, err = s.last(ctx, org, user); err != nil {
			return false, err
		}
	}
	return false, ErrConflict
}

func (w *writer) decideVouch(ctx context.Context, t *task, c *command) error {
	var err error
	if c.shows, err = w.has(ctx, t, &c.grants.hold); err != nil {
		return err
	}
	t.attempt.commits, t.attempt.state.Due = true, t.attempt.state.Scheduled
	t.attempt.finishGroup(t, nil)
	return nil
}

// has says whether the task's user has what a hold is about.
func (w *writer) has(ctx context.Context, t *task, h *grants.Hold) (bool, error) {
	if h.Sent != "" {
		return w.knows(ctx, t, h.Sent)
	}
	if h.Credit != "" {
		if came, err := w.knows(ctx, t, h.Credit); !came || err != nil {
			return err == nil, err
		}
	}
	set, err := w.grantsOf(ctx, t)
	for _, g := range set {
		if g.Hold == h.Key && g.State <= grants.Redeemed {
			return true, nil
		}
	}
	return false, err
}

// Held is how many pieces of the org's limited rewards are held, by reward.
func (s *Service) Held(ctx context.Context, org activity.Org) (map[string]int64, error) {
	_, e, err := s.Plan(org)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, def := range e.Catalog.Rewards {
		if def.Stock < 0 {
			continue
		}
		x, err := s.readStock(ctx, org, def.ID, "")
		if err != nil {
			return nil, err
		}
		all[def.ID] = x.Held
	}
	return all, nil
}
