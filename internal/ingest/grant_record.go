package ingest

import (
	"context"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/grants"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// What was decided of rewards when an activity arrived stands in its record: a coupon is granted as long as its redeem counts and no refund of it does, what a gift or a prize brings as
// long as the credit counts. Each record that a commit writes is compared with the grants, so that the same path serves what comes, is rejected, and restored.

// couponGrant is the id of the grant that a coupon is.
func couponGrant(redeem activity.ID) string { return "coupon:" + string(redeem) }

// note has the grants follow a record that the attempt writes.
func (g *granting) note(r *activity.Activity) {
	if r.Decided != nil && r.Status != activity.Ignored && (len(r.Decided.Own.Rewards) > 0 || len(r.Decided.Other.Rewards) > 0 || r.Kind == activity.Coupon) {
		g.records = append(g.records, *r)
	}
}

// follow makes the grants what a record says.
func (g *granter) follow(ctx context.Context, r *activity.Activity) error {
	if r.Kind == activity.Credit {
		g.credit = r.ID
		defer func() { g.credit = "" }()
	}
	if r.Kind == activity.Coupon {
		m, err := progress.ReadMeta(r)
		if err != nil {
			return err
		}
		if m.Action == progress.Refund {
			have, there := g.set[couponGrant(m.Of)]
			if !there {
				return nil
			}
			return g.followOne(ctx, r, have, !r.Counts())
		}
	}
	for _, reward := range r.Decided.Own.Rewards {
		grant := grants.Grant{ID: string(r.ID), Reward: reward, By: sourceOf(r), Count: 1}
		if r.Kind == activity.Coupon {
			grant.ID = couponGrant(r.ID)
		}
		if len(r.Decided.Own.Rewards) > 1 {
			grant.ID += ":" + reward
		}
		if have, there := g.set[grant.ID]; there {
			grant = have
		} else if def := g.reward(reward); r.Kind == activity.Credit && def != nil && def.Stock >= 0 {
			grant.Hold = sentHold(r.ID, reward)
		}
		if err := g.followOne(ctx, r, grant, r.Counts()); err != nil {
			return err
		}
	}
	if r.Kind == activity.Gift && r.Counts() {
		return g.reserve(ctx, r)
	}
	return nil
}

// followOne makes a grant, as it is or as it would be, one that is wanted or not.
func (g *granter) followOne(ctx context.Context, r *activity.Activity, grant grants.Grant, wanted bool) error {
	have, there := g.set[grant.ID]
	switch {
	case wanted && (!there || have.State >= grants.Revoked):
		return g.bring(ctx, r, grant)
	case wanted, there && (have.State == grants.Claimed || have.State == grants.Redeemed || have.State == grants.Revoked):
		return nil
	case there && have.State == grants.Issued:
		if err := g.revoke(ctx, have); err != nil {
			return err
		}
		g.tellOf(r, "reward.revoked", grant.ID)
	case there:
		delete(g.set, grant.ID)
		g.written[grant.ID] = true
	case grant.Hold != "": // it was taken back before it came
		return g.give(ctx, &grant)
	}
	return nil
}

// bring issues what a record brings. Who buys a coupon is refused where nothing is left; whom others give something is told.
func (g *granter) bring(ctx context.Context, r *activity.Activity, grant grants.Grant) error {
	at := g.now
	if r.Imported {
		at = r.At
	}
	if g.reward(grant.Reward) == nil && r.Kind == activity.Credit {
		return nil // it was removed while it was on its way
	}
	issued, err := g.issue(ctx, grant, at)
	switch {
	case err != nil:
		return err
	case issued:
		g.tellOf(r, "reward.issued", grant.ID)
	case r.Kind == activity.Coupon:
		return ErrOutOfStock
	default:
		grant.State, grant.IssuedAt = grants.Refused, at
		g.put(grant)
		g.tellOf(r, "reward.out_of_stock", grant.ID)
	}
	return nil
}

// tellOf tells of what a record did, unless it is history.
func (g *granter) tellOf(r *activity.Activity, kind, id string) {
	if !r.Imported {
		g.tell(kind, id)
	}
}

// sourceOf is what a record is to the grant that it brings.
func sourceOf(r *activity.Activity) string {
	switch r.Kind {
	case activity.Coupon:
		return couponGrant(r.ID)
	case activity.Credit:
		var m struct {
			From activity.User `json:"from"`
		}
		if json.Unmarshal(r.Meta, &m) == nil && m.From != "" {
			return "gift:" + string(m.From)
		}
	}
	return "prize:" + r.Name
}

// sentHold is what a stock knows a piece by that is given to another user, whoever that is in the end.
func sentHold(credit activity.ID, reward string) string {
	return grants.HoldOf("", string(credit)+":"+reward)
}

// reserve takes what a gift gives out of its stock, for the credit that is on its way. ErrOutOfStock.
func (g *granter) reserve(ctx context.Context, r *activity.Activity) error {
	given, gives := transferOf(g.t.key.org, r)
	if !gives {
		return nil
	}
	for _, reward := range r.Decided.Other.Rewards {
		def := g.reward(reward)
		if def == nil || def.Stock < 0 {
			continue
		}
		grant := grants.Grant{ID: string(given.ID), Reward: reward, Count: 1, Hold: sentHold(given.ID, reward)}
		h := g.open(&grant, true)
		h.Sent = r.ID
		if ok, err := g.takeHold(ctx, def, &h); err != nil {
			return err
		} else if !ok {
			return ErrOutOfStock
		}
	}
	return nil
}

// knows says whether the log of the task's user has an activity, whatever became of it.
func (w *writer) knows(ctx context.Context, t *task, id activity.ID) (bool, error) {
	records, err := w.Store.LogRecords(ctx, w.partition, t.key.org, t.key.user, []string{string(id)})
	return err == nil && records[0] != "", err
}

// unissued says whether a coupon cannot be given back any more.
func (w *writer) unissued(ctx context.Context, t *task, redeem activity.ID, now calendar.Instant) (bool, error) {
	id := couponGrant(redeem)
	records, err := w.Store.Fields(ctx, store.GrantsKey(w.partition, t.key.org, t.key.user), []string{id})
	if err != nil || records[0] == "" {
		return true, err
	}
	g, err := grants.ParseRecord(id, records[0])
	return g.Status(now) != grants.StatusIssued, err
}
