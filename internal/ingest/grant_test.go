package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/grants"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/store"
)

// granting are definitions of rewards and what grants them.
const granting = `
    wallets: [{id: xp}]
    awards:
      - {id: a-xp, when: {name: a}, wallet: xp, points: 1}
    rewards:
      - {id: mug, stock: %d, code: "MUG-########", price: {wallet: xp, points: 1}}
      - {id: pin, expires: 2h}
      - {id: raffle, type: entry}
    levels:
      - {id: tier, wallet: xp, steps: [{at: 0, name: Z}, {at: 3, name: A, grants: [raffle]}]}
    achievements:
      - {id: two, when: {name: a}, at_least: 2, grants: [mug, pin]}
      - {id: daily, when: {name: b}, at_least: 1, per: day, grants: [raffle]}
    gifts: [{id: present, gives: {reward: mug}}]
    missions:
      - {id: m, needs: [{achievement: two}], grants: [raffle]}
`

// startGranting is a node with an org whose mugs are limited.
func startGranting(t *testing.T, o store.Options, mugs int) (*node, activity.Org) {
	t.Helper()
	n := startNode(t, o)
	org := n.publish(t, fmt.Sprintf(definitions+granting, "org", mugs))
	n.set(noon)
	return n, org
}

func act(id, user, name string, at time.Time) oracle.Record {
	return oracle.Record{ID: id, User: user, Name: name, At: at}
}

// grantsOf are the grants that are shown of a user: ids with statuses.
func (n *node) grantsOf(t *testing.T, org activity.Org, user activity.User) map[string]grants.Status {
	t.Helper()
	set, err := n.Grants(t.Context(), org, user)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]grants.Status{}
	for id, g := range set {
		if s := g.Status(n.clock.Now()); s != grants.None {
			shown[id] = s
		}
	}
	return shown
}

// told are the events about rewards in the outboxes, in short and in order.
func (n *node) told(t *testing.T) (told []string) {
	t.Helper()
	for p := range n.store.Partitions() {
		events, err := n.store.Events(t.Context(), store.Partition(p), feed.Position{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			var body struct{ Type, User, Grant, Reward, By string }
			if err := json.Unmarshal(e.Body, &body); err != nil {
				t.Fatalf("%s: %v", e.Body, err)
			}
			if body.Reward != "" {
				told = append(told, body.Type+" "+body.User+" "+body.Reward+" "+body.By)
			}
		}
	}
	return told
}

func TestGrants_FollowCompletions(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startGranting(t, o, 10)
		n.submit(t, org, ingest.SubmitOptions{}, act("1", "ann", "a", noon.Add(-time.Hour)), act("2", "ann", "a", noon), act("3", "ann", "a", noon), act("4", "ann", "b", noon))
		all := map[string]grants.Status{
			"achievement:two:mug": "issued", "achievement:two:pin": "issued", "mission:m:raffle": "issued", "level:tier:2:raffle": "issued",
			"achievement:daily:2026-03-18:raffle": "issued",
		}
		if diff := cmp.Diff(all, n.grantsOf(t, org, "ann")); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		code := n.grant(t, org, "ann", "achievement:two:mug").Code
		if user, g, err := n.FindGrant(t.Context(), org, code); user != "ann" || g.ID != "achievement:two:mug" || err != nil {
			t.Errorf("code %q is found as %v of %q, %v", code, g, user, err)
		}
		if _, err := n.RedeemGrant(t.Context(), org, "ann", "achievement:two:pin"); err != nil {
			t.Fatal(err)
		}
		for _, id := range []activity.ID{"3", "2", "4"} {
			if _, err := n.Reject(t.Context(), org, "ann", id, ""); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(map[string]grants.Status{"achievement:two:pin": "redeemed"}, n.grantsOf(t, org, "ann")); diff != "" {
			t.Errorf("rejected (-want +got)\n%s", diff)
		}
		if _, _, err := n.FindGrant(t.Context(), org, code); !errors.Is(err, ingest.ErrGrantNotFound) {
			t.Errorf("the code of what was taken back: %v", err)
		}
		if held, err := n.Held(t.Context(), org); held["mug"] != 0 || err != nil {
			t.Errorf("held are %v, %v", held, err)
		}
		for _, id := range []activity.ID{"4", "3", "2"} {
			if _, err := n.Restore(t.Context(), org, "ann", id); err != nil {
				t.Fatal(err)
			}
		}
		all["achievement:two:pin"] = "redeemed"
		if diff := cmp.Diff(all, n.grantsOf(t, org, "ann")); diff != "" {
			t.Errorf("restored (-want +got)\n%s", diff)
		}
		if g := n.grant(t, org, "ann", "achievement:two:mug"); g.Code != code || g.IssuedAt.Time() != noon.UTC() {
			t.Errorf("it came back as %+v, not with the code %q", g, code)
		}
		n.checkStock(t, org)
	})
}

func (n *node) grant(t *testing.T, org activity.Org, user activity.User, id string) grants.Grant {
	t.Helper()
	set, err := n.Grants(t.Context(), org, user)
	if err != nil {
		t.Fatal(err)
	}
	return set[id]
}

// checkStock compares a stock with its holds, and with what users have: nothing may be open.
func (n *node) checkStock(t failer, org activity.Org) {
	t.Helper()
	e, _ := n.registry.Get(org)
	ctx := context.Background()
	has := map[string]map[string]int64{}
	for p := range n.store.Partitions() {
		keys, err := n.store.Client().Keys(ctx, fmt.Sprintf("{%d}:g:%s:*", p, org)).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			hash, err := n.store.Client().HGetAll(ctx, k).Result()
			if err != nil {
				t.Fatal(err)
			}
			set, err := grants.ParseSet(hash)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range set {
				if g.Hold == "" || g.State > grants.Redeemed {
					continue
				}
				if has[g.Reward] == nil {
					has[g.Reward] = map[string]int64{}
				}
				has[g.Reward][g.Hold] += g.Count
			}
		}
	}
	for _, r := range e.Catalog.Rewards {
		if r.Stock >= 0 {
			n.checkHolds(t, org, r, has[r.ID])
		}
	}
}

func (n *node) checkHolds(t failer, org activity.Org, r *catalog.Reward, has map[string]int64) {
	t.Helper()
	p := n.store.PartitionOfValue(org, "stock", r.ID)
	docs, err := n.store.Docs(context.Background(), []store.Key{store.StockKey(p, org, r.ID)})
	if err != nil {
		t.Fatal(err)
	}
	stock, err := grants.ParseStock(docs[0].Content)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := n.store.Hash(context.Background(), store.HoldsKey(p, org, r.ID))
	if err != nil {
		t.Fatal(err)
	}
	sum, holds := int64(0), map[string]string{}
	for hold, pieces := range has {
		sum += pieces
		holds[hold] = fmt.Sprint(pieces)
	}
	if diff := cmp.Diff(grants.Stock{Held: sum}, stock); diff != "" || sum > r.Stock {
		t.Fatalf("stock of %d %s (-users +stock)\n%s", r.Stock, r.ID, diff)
	}
	if len(holds)+len(hash) == 0 {
		return
	}
	if diff := cmp.Diff(holds, hash); diff != "" {
		t.Fatalf("holds of %s (-users +stock)\n%s", r.ID, diff)
	}
}

// Many users complete at once, on two nodes: as many get one as there are, the others are told, and what is taken back goes to none of those who were refused.
func TestGrants_StockHolds(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		const mugs, users = 4, 12
		nodes := []*node{startNode(t, o)}
		if o.URL != "" {
			nodes = append(nodes, startNode(t, o))
		}
		org := nodes[0].publish(t, fmt.Sprintf(definitions+granting, "org", mugs))
		for _, n := range nodes {
			if _, err := n.registry.Reload(t.Context(), org); err != nil {
				t.Fatal(err)
			}
			n.set(noon)
		}
		var all sync.WaitGroup
		for i := range users {
			all.Go(func() {
				user := fmt.Sprint("u", i)
				nodes[i%len(nodes)].submit(t, org, ingest.SubmitOptions{}, act("1", user, "a", noon), act("2", user, "a", noon))
			})
		}
		all.Wait()
		n, lucky := nodes[0], ""
		count := 0
		for i := range users {
			if user := fmt.Sprint("u", i); n.grant(t, org, activity.User(user), "achievement:two:mug").State == grants.Issued {
				count++
				lucky = user
			}
		}
		if count != mugs {
			t.Fatalf("%d of %d users have one of %d mugs", count, users, mugs)
		}
		told := n.told(t)
		for kind, want := range map[string]int{"reward.issued": mugs, "reward.out_of_stock": users - mugs} {
			if got := len(slices.DeleteFunc(slices.Clone(told), func(s string) bool {
				var k, user, reward string
				_, _ = fmt.Sscan(s, &k, &user, &reward)
				return k != kind || reward != "mug"
			})); got != want {
				t.Errorf("%s is told %d times, want %d: %q", kind, got, want, told)
			}
		}
		if _, err := n.Reject(t.Context(), org, activity.User(lucky), "1", ""); err != nil {
			t.Fatal(err)
		}
		if held, err := n.Held(t.Context(), org); held["mug"] != mugs-1 || err != nil {
			t.Errorf("held are %v, %v", held, err)
		}
		n.checkStock(t, org)
	})
}

func TestGrants_Commands(t *testing.T) {
	t.Parallel()
	n, org := startGranting(t, embedded(t, 1), 1)
	n.submit(t, org, ingest.SubmitOptions{}, act("1", "ann", "c", noon), act("1", "bob", "c", noon))
	give := func(user activity.User, o ingest.GrantOrder, created bool, want error) {
		t.Helper()
		g, is, err := n.Grant(t.Context(), org, user, o)
		if is != created || !errors.Is(err, want) || err == nil && (g.Reward != o.Reward || g.IssuedAt == 0) {
			t.Errorf("%s %+v: created %v, %v, %+v; want %v, %v", user, o, is, err, g, created, want)
		}
	}
	give("ann", ingest.GrantOrder{ID: "g", Reward: "mug"}, true, nil)
	give("ann", ingest.GrantOrder{ID: "g", Reward: "mug"}, false, nil)
	give("ann", ingest.GrantOrder{ID: "g", Reward: "pin"}, false, ingest.ErrGrantConflict)
	give("bob", ingest.GrantOrder{ID: "g", Reward: "mug"}, false, ingest.ErrOutOfStock)
	give("bob", ingest.GrantOrder{Reward: "cap"}, false, ingest.ErrRewardNotFound)
	give("eve", ingest.GrantOrder{Reward: "pin"}, false, ingest.ErrUserNotFound)
	give("bob", ingest.GrantOrder{ID: "r", Reward: "raffle", Count: 7}, true, nil)
	give("bob", ingest.GrantOrder{ID: "r", Reward: "raffle", Count: 6}, false, ingest.ErrGrantConflict)
	give("bob", ingest.GrantOrder{ID: "p", Reward: "pin"}, true, nil)
	if _, err := n.ClaimGrant(t.Context(), org, "bob", "x"); !errors.Is(err, ingest.ErrGrantNotFound) {
		t.Error(err)
	}
	for range 2 {
		if g, err := n.ClaimGrant(t.Context(), org, "bob", "r"); g.ClaimedAt.Time() != noon.UTC() || err != nil {
			t.Errorf("claimed as %+v, %v", g, err)
		}
	}
	n.set(noon.Add(2 * time.Hour))
	if g, err := n.RedeemGrant(t.Context(), org, "bob", "r"); g.Count != 7 || g.RedeemedAt == g.ClaimedAt || err != nil {
		t.Errorf("redeemed as %+v, %v", g, err)
	}
	if _, err := n.RedeemGrant(t.Context(), org, "bob", "p"); !errors.Is(err, grants.ErrExpired) {
		t.Errorf("redeemed after its time: %v", err)
	}
	want := []string{"reward.issued ann mug ", "reward.issued bob raffle ", "reward.issued bob pin ", "reward.claimed bob raffle ", "reward.redeemed bob raffle ", "reward.expired bob pin "}
	if err := n.SweepNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, n.told(t)); diff != "" {
		t.Error(diff)
	}
	n.checkStock(t, org)
}

// Who is merged brings grants along with codes and pieces; who is deleted leaves the pieces used, and no code.
func TestGrants_MergeAndDelete(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startGranting(t, o, 5)
		for _, u := range []string{"ann", "bob"} {
			n.submit(t, org, ingest.SubmitOptions{}, act("1"+u, u, "a", noon.Add(-time.Hour)), act("2"+u, u, "a", noon))
			if _, _, err := n.Grant(t.Context(), org, activity.User(u), ingest.GrantOrder{ID: "own", Reward: "mug"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := n.RedeemGrant(t.Context(), org, "bob", "achievement:two:pin"); err != nil {
			t.Fatal(err)
		}
		code := n.grant(t, org, "bob", "own").Code
		if err := n.Merge(t.Context(), org, "bob", "ann"); err != nil {
			t.Fatal(err)
		}
		want := map[string]grants.Status{
			"achievement:two:mug": "issued", "achievement:two:pin": "issued", "mission:m:raffle": "issued", "level:tier:2:raffle": "issued", "own": "issued",
			"from:bob:own": "issued", "from:bob:achievement:two:pin": "redeemed",
		}
		if diff := cmp.Diff(want, n.grantsOf(t, org, "ann")); diff != "" {
			t.Errorf("merged (-want +got)\n%s", diff)
		}
		if user, g, err := n.FindGrant(t.Context(), org, code); user != "ann" || g.ID != "from:bob:own" || err != nil {
			t.Errorf("the code is that of %q of %s, %v", g.ID, user, err)
		}
		n.checkStock(t, org)
		if _, err := n.Reject(t.Context(), org, "ann", "1bob", ""); err != nil {
			t.Fatal(err)
		}
		n.checkStock(t, org)
		if err := n.Delete(t.Context(), org, "ann"); err != nil {
			t.Fatal(err)
		}
		if held, err := n.Held(t.Context(), org); held["mug"] != 3 || err != nil {
			t.Errorf("held are %v, %v", held, err)
		}
		if left := claims(t, n, org); len(left) > 0 {
			t.Errorf("codes are left: %v", left)
		}
		n.submit(t, org, ingest.SubmitOptions{}, act("1", "ann", "a", noon), act("2", "ann", "a", noon))
		if held, err := n.Held(t.Context(), org); held["mug"] != 4 || err != nil {
			t.Errorf("a new user of the name: held are %v, %v", held, err)
		}
	})
}
