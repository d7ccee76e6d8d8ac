package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"laurel/internal/activity"
	"laurel/internal/grants"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// rush is users who complete, undo, are given and use rewards, on nodes whose steps fail before or after they are taken.
type rush struct {
	t     *testing.T
	nodes []*node
	org   activity.Org
	users []activity.User

	*chance
}

// act does one thing; what it did is in words.
func (r *rush) act() (string, error) {
	ctx := context.WithoutCancel(r.t.Context())
	n, user := r.nodes[r.draw(len(r.nodes))], r.users[r.draw(len(r.users))]
	id := activity.ID(fmt.Sprint(r.draw(4)))
	given := fmt.Sprint("g", r.draw(2))
	switch k := r.draw(60); {
	case k < 15:
		name := []string{"a", "a", "b"}[r.draw(3)]
		at := time.UnixMilli(int64(n.clock.Now())).Add(-time.Duration(r.draw(8*24)) * time.Hour)
		_, err := n.Submit(ctx, r.org, items(oracle.Record{ID: string(id) + name, User: string(user), Name: name, At: at}), ingest.SubmitOptions{})
		return fmt.Sprint("submit ", user, id), err
	case k < 35:
		_, err := n.Reject(ctx, r.org, user, id+"a", "")
		return fmt.Sprint("reject ", user, id), err
	case k < 42:
		_, err := n.Restore(ctx, r.org, user, id+"a")
		return fmt.Sprint("restore ", user, id), err
	case k < 48:
		return r.trade(ctx, n, user)
	case k < 55:
		_, _, err := n.Grant(ctx, r.org, user, ingest.GrantOrder{ID: given, Reward: "mug"})
		return fmt.Sprint("grant ", user), err
	case k < 56:
		_, err := n.ClaimGrant(ctx, r.org, user, []string{given, "achievement:two:mug"}[r.draw(2)])
		return fmt.Sprint("claim ", user), err
	}
	return "keep", n.SettleOld(ctx)
}

// trade buys, gives, takes back, and delivers.
func (r *rush) trade(ctx context.Context, n *node, user activity.User) (string, error) {
	id := fmt.Sprint(r.draw(2))
	var it ingest.Item
	switch r.draw(6) {
	case 0:
		it = deed(activity.Coupon, string(user), "buy"+id, "mug", 0, "action", "redeem")
	case 1:
		it = deed(activity.Coupon, string(user), "back"+id, "mug", 0, "action", "refund", "of", "buy"+id)
	case 2:
		it = deed(activity.Gift, string(user), "give"+id, "present", 0, "to", string(r.users[r.draw(len(r.users))]))
	case 3:
		_, err := n.Reject(ctx, r.org, user, activity.ID([]string{"buy", "back", "give"}[r.draw(3)]+id), "")
		return fmt.Sprint("take back ", user, id), err
	case 4:
		_, err := n.Restore(ctx, r.org, user, activity.ID([]string{"buy", "back", "give"}[r.draw(3)]+id))
		return fmt.Sprint("bring back ", user, id), err
	default:
		return "pump", n.PumpNow(ctx)
	}
	it.Activity.At = n.clock.Now()
	it.Activity.AtGiven = false
	_, err := n.Submit(ctx, r.org, []ingest.Item{it}, ingest.SubmitOptions{})
	return fmt.Sprint("trade ", user, it.Activity.ID), err
}

func (r *rush) later(d time.Duration) {
	now := time.UnixMilli(int64(r.nodes[0].clock.Now())).Add(d)
	for _, n := range r.nodes {
		n.set(now)
	}
}

// check sees that no more is given than there is, whatever is open.
func (r *rush) check(round int) {
	r.t.Helper()
	e, _ := r.nodes[0].registry.Get(r.org)
	for _, def := range e.Catalog.Rewards {
		if def.Stock < 0 {
			continue
		}
		n := int64(0)
		for _, u := range r.users {
			for _, g := range r.set(u) {
				if g.Reward == def.ID && g.State <= grants.Redeemed {
					n += g.Count
				}
			}
		}
		if held, err := r.nodes[0].Held(r.t.Context(), r.org); n > def.Stock || held[def.ID] < n || held[def.ID] > def.Stock || err != nil {
			r.t.Fatalf("round %d: %d of %d %s are given, %d held, %v", round, n, def.Stock, def.ID, held[def.ID], err)
		}
	}
}

func (r *rush) set(user activity.User) grants.Set {
	r.t.Helper()
	set, err := r.nodes[0].Grants(r.t.Context(), r.org, user)
	if err != nil {
		r.t.Fatal(err)
	}
	return set
}

// Whatever step fails, on two nodes: no more is given than there is, what completions give is what is there, and in the end the stock has what users have.
func TestGrants_CrashesLoseNoStock(t *testing.T) {
	t.Parallel()
	eachServer(t, 3, crashesLoseNoStock)
}

func crashesLoseNoStock(t *testing.T, o store.Options) {
	r := &rush{t: t, chance: newChance(t), users: []activity.User{"ann", "bob", "eve", "zoë:1", "kim", "leo"}}
	r.nodes = []*node{startNode(t, o), startNode(t, o)}
	r.org = r.nodes[0].publish(t, fmt.Sprintf(definitions+granting, "org", 10))
	for _, n := range r.nodes {
		if _, err := n.registry.Reload(t.Context(), r.org); err != nil {
			t.Fatal(err)
		}
		n.set(noon)
		n.OnStep(r.onStep)
	}
	known := []error{errStep, ingest.ErrUserNotFound, ingest.ErrActivityNotFound, ingest.ErrOutOfStock, ingest.ErrGrantNotFound, ingest.ErrConflict, grants.ErrExpired, progress.ErrRefunded, progress.ErrNotRefundable, progress.ErrCredit}
	for round := range 400 {
		r.fail([]int{0, 20, 40}[r.draw(3)])
		var acting sync.WaitGroup
		for range 1 + r.draw(5) {
			acting.Go(func() {
				if what, err := r.act(); err != nil && !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) {
					t.Errorf("round %d: %s: %v", round, what, err)
				}
			})
		}
		acting.Wait()
		r.check(round)
		r.later([]time.Duration{0, time.Second, 6 * time.Minute, time.Hour}[r.draw(4)])
	}
	r.fail(0)
	r.later(11 * time.Minute)
	for _, n := range r.nodes {
		n.pump(t)
	}
	r.later(11 * time.Minute)
	if err := r.nodes[1].SettleOld(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.nodes[0].checkStock(t, r.org)
	issued := r.settled()
	t.Logf("%d steps failed, %d grants are there", r.stops(), issued)
}

// settled sees that each user has what completions give, but for what was refused.
func (r *rush) settled() (issued int) {
	r.t.Helper()
	n := r.nodes[0]
	plan, _, err := n.Plan(r.org)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, u := range r.users {
		state, err := n.State(r.t.Context(), r.org, u)
		if errors.Is(err, ingest.ErrUserNotFound) {
			continue
		}
		if err != nil {
			r.t.Fatal(err)
		}
		set := r.set(u)
		if js := set.Judge(state.DueGrants(plan, n.clock.Now())); len(js) > 0 {
			r.t.Errorf("%s: judged again %+v", u, js)
		}
		for _, g := range set {
			if g.State <= grants.Redeemed {
				issued++
			}
		}
	}
	return issued
}
