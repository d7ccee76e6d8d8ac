package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

// economy is an org in which users give each other something.
const economy = `
orgs:
  - id: org
    timezone: Europe/Berlin
    limits: {max_past: 20d, close_grace: 10d, log_days: 20}
    rules: [{id: count, when: {}, value: count, cycles: [all]}]
    wallets: [{id: coins}, {id: gems, decimals: 2}]
    gifts:
      - {id: coffee, cost: {wallet: coins, points: 3}, gives: {wallet: coins, points: 3}}
      - {id: gem, cost: {wallet: coins, points: 1}, gives: {wallet: gems, points: 0.25}}
      - {id: smile}
    bounties: [{id: bug, wallet: coins, min: 2}]
`

// startEconomy starts a node of the org.
func startEconomy(t *testing.T, o store.Options) (*node, activity.Org) {
	t.Helper()
	n := startNode(t, o)
	n.set(noon)
	return n, n.publish(t, economy)
}

// deed is an activity that is decided; meta is its object's members in pairs, in order.
func deed(kind activity.Kind, user, id, name string, value float64, meta ...string) ingest.Item {
	object := map[string]string{}
	for i := 0; i < len(meta); i += 2 {
		object[meta[i]] = meta[i+1]
	}
	a := activity.Activity{ID: activity.ID(id), User: activity.User(user), Kind: kind, Name: name, Value: value, HasValue: value != 0, At: calendar.InstantOf(noon), AtGiven: true}
	if len(object) > 0 {
		a.Meta, _ = json.Marshal(object)
	}
	return ingest.Item{Activity: a}
}

func income(user, id string, coins float64) ingest.Item {
	return deed(activity.Point, user, id, "coins", coins, "action", "increment")
}

func gift(user, id, name, to string) ingest.Item {
	return deed(activity.Gift, user, id, name, 0, "to", to)
}

// does submits items, all of which are to be accepted.
func (n *node) does(t *testing.T, org activity.Org, items ...ingest.Item) {
	t.Helper()
	r, err := n.Submit(t.Context(), org, items, ingest.SubmitOptions{})
	if err != nil || r.Accepted != len(items) {
		t.Fatalf("%v, %v %+v", err, statuses(r), r.Outcomes[0].Err)
	}
}

// pump delivers everything.
func (n *node) pump(t *testing.T) {
	t.Helper()
	if err := n.PumpNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	if open, _, err := n.Transfers(t.Context()); open != 0 || err != nil {
		t.Fatalf("%d transfers are open, %v", open, err)
	}
}

// balances are those of users in coins.
func (n *node) balances(t testing.TB, org activity.Org, users ...activity.User) (all []int64) {
	t.Helper()
	for _, u := range users {
		all = append(all, n.balance(t, org, u, 0))
	}
	return all
}

func (n *node) balance(t testing.TB, org activity.Org, user activity.User, wallet int) int64 {
	t.Helper()
	s, err := n.State(context.Background(), org, user)
	if errors.Is(err, ingest.ErrUserNotFound) || errors.Is(err, ingest.ErrUserMerged) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	plan, _, err := n.Plan(org)
	if err != nil {
		t.Fatal(err)
	}
	return s.DeriveEarned(plan, n.clock.Now()).Wallets[wallet].Balance
}

func (n *node) expect(t *testing.T, org activity.Org, want []int64, users ...activity.User) {
	t.Helper()
	n.pump(t)
	if diff := cmp.Diff(want, n.balances(t, org, users...)); diff != "" {
		t.Errorf("balances of %v (-want +got)\n%s", users, diff)
	}
}

func (n *node) reject(t *testing.T, org activity.Org, user activity.User, id activity.ID) {
	t.Helper()
	if _, err := n.Reject(t.Context(), org, user, id, "test"); err != nil {
		t.Fatalf("reject %s of %s: %v", id, user, err)
	}
}

func (n *node) restore(t *testing.T, org activity.Org, user activity.User, id activity.ID) {
	t.Helper()
	if _, err := n.Restore(t.Context(), org, user, id); err != nil {
		t.Fatalf("restore %s of %s: %v", id, user, err)
	}
}

func TestTransfer_GiftArrives(t *testing.T) {
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startEconomy(t, o)
		n.does(t, org, income("ada", "i", 10), income("bob", "i", 1))
		n.does(t, org, gift("ada", "1", "coffee", "bob"), gift("ada", "2", "gem", "bob"), gift("ada", "3", "smile", "bob"))
		n.expect(t, org, []int64{6, 4}, "ada", "bob")
		if gems := n.balance(t, org, "bob", 1); gems != 25 {
			t.Errorf("bob has %d hundredths of a gem", gems)
		}
		got, err := n.Activity(t.Context(), org, "bob", "gift:ada:1")
		want := &activity.Activity{ID: "gift:ada:1", User: "bob", Kind: activity.Credit, Name: "coffee", Meta: []byte(`{"from":"ada"}`), At: calendar.InstantOf(noon),
			Received: calendar.InstantOf(noon), Decided: &activity.Decided{Own: activity.Effect{Rows: []activity.Row{{Wallet: "coins", Amount: 3}}}}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("the credit, %v (-want +got)\n%s", err, diff)
		}
		at := `","at":"` + noon.Format("2006-01-02T15:04:05.000Z") + `","user":"bob","gift":"`
		wantEvents := []string{`{"type":"gift.received` + at + `coffee","activity":"gift:ada:1","from":"ada","wallet":"coins","amount":3}`,
			`{"type":"gift.received` + at + `gem","activity":"gift:ada:2","from":"ada","wallet":"gems","amount":0.25}`,
			`{"type":"gift.received` + at + `smile","activity":"gift:ada:3","from":"ada"}`}
		if diff := cmp.Diff(wantEvents, n.received(t, org)); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
	})
}

// received are the events of what users received, in all partitions.
func (n *node) received(t *testing.T, org activity.Org) (bodies []string) {
	t.Helper()
	for p := range n.store.Partitions() {
		list, err := n.store.Events(t.Context(), store.Partition(p), feed.Position{}, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			var body struct{ Type string }
			if err := json.Unmarshal(e.Body, &body); err != nil {
				t.Fatal(err)
			}
			if body.Type == "gift.received" || body.Type == "bounty.received" {
				bodies = append(bodies, string(e.Body))
			}
		}
	}
	return bodies
}

func TestTransfer_Refused(t *testing.T) {
	n, org := startEconomy(t, embedded(t, 2))
	n.does(t, org, income("ada", "i", 4), income("bob", "i", 1))
	for code, it := range map[string]ingest.Item{"gift_to_self": gift("ada", "1", "coffee", "ada"), "user_not_found": gift("ada", "1", "coffee", "eve"),
		"bounty_not_found": deed(activity.Bounty, "ada", "1", "bug", 0, "action", "cancel", "of", "never"), "insufficient_points": gift("bob", "1", "coffee", "ada"), "unknown_gift": gift("ada", "1", "tea", "bob")} {
		r, err := n.Submit(t.Context(), org, []ingest.Item{it}, ingest.SubmitOptions{})
		if err != nil || statuses(r)[0] != code {
			t.Errorf("%v, %v; want %s", err, statuses(r), code)
		}
	}
	n.expect(t, org, []int64{4, 1, 0}, "ada", "bob", "eve")
}

// TestTransfer_Turns: what is rejected is taken from the other too, and what is restored is given again, each once however often it is asked for.
func TestTransfer_Turns(t *testing.T) {
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startEconomy(t, o)
		n.does(t, org, income("ada", "i", 10), income("bob", "i", 1))
		n.does(t, org, gift("ada", "1", "coffee", "bob"))
		n.reject(t, org, "ada", "1") // maybe before it arrives
		n.expect(t, org, []int64{10, 1}, "ada", "bob")
		n.restore(t, org, "ada", "1")
		n.restore(t, org, "ada", "1")
		n.expect(t, org, []int64{7, 4}, "ada", "bob")
		n.does(t, org, deed(activity.Point, "bob", "spent", "coins", 4, "action", "redeem"))
		n.reject(t, org, "ada", "1")
		n.reject(t, org, "ada", "1")
		n.expect(t, org, []int64{10, -3}, "ada", "bob") // what was bought stays
		if _, err := n.Reject(t.Context(), org, "bob", "gift:ada:1", ""); err == nil {
			t.Error("a credit was rejected by itself")
		}
		if got := n.received(t, org); len(got) > 1 {
			t.Errorf("told of one gift: %v", got)
		}
	})
}

func TestTransfer_Bounty(t *testing.T) {
	n, org := startEconomy(t, embedded(t, 2))
	n.does(t, org, income("ada", "i", 10), income("bob", "i", 1))
	n.does(t, org, deed(activity.Bounty, "ada", "s", "bug", 5, "action", "start"))
	n.expect(t, org, []int64{5, 1}, "ada", "bob")
	n.does(t, org, deed(activity.Bounty, "ada", "a", "bug", 0, "action", "award", "of", "s", "to", "bob"))
	n.expect(t, org, []int64{5, 6}, "ada", "bob")
	n.reject(t, org, "ada", "a")
	n.does(t, org, deed(activity.Bounty, "ada", "c", "bug", 0, "action", "cancel", "of", "s"))
	n.expect(t, org, []int64{10, 1}, "ada", "bob")
	if _, err := n.Restore(t.Context(), org, "ada", "a"); err == nil {
		t.Error("a bounty was awarded after it was cancelled")
	}
}

// TestTransfer_NobodyThere: what is for a user who is gone is dropped, and one who comes by that name later has nothing of it.
func TestTransfer_NobodyThere(t *testing.T) {
	n, org := startEconomy(t, embedded(t, 2))
	n.does(t, org, income("ada", "i", 10), income("bob", "i", 1))
	n.does(t, org, gift("ada", "1", "coffee", "bob"))
	n.pump(t)
	if err := n.Delete(t.Context(), org, "bob"); err != nil {
		t.Fatal(err)
	}
	n.reject(t, org, "ada", "1")
	n.expect(t, org, []int64{10, 0}, "ada", "bob")
	n.does(t, org, income("bob", "i", 2))
	n.expect(t, org, []int64{10, 2}, "ada", "bob")
}

// TestTransfer_BlockedAndHiddenReceive: what the user may do makes no difference to what others give.
func TestTransfer_BlockedAndHiddenReceive(t *testing.T) {
	n, org := startEconomy(t, embedded(t, 1))
	n.does(t, org, income("ada", "i", 10), income("bob", "i", 1))
	if err := errors.Join(n.Block(t.Context(), org, "bob"), n.Hide(t.Context(), org, "bob")); err != nil {
		t.Fatal(err)
	}
	n.does(t, org, gift("ada", "1", "coffee", "bob"))
	n.expect(t, org, []int64{7, 4}, "ada", "bob")
	if err := n.Block(t.Context(), org, "ada"); err != nil {
		t.Fatal(err)
	}
	if r, err := n.Submit(t.Context(), org, []ingest.Item{gift("ada", "2", "coffee", "bob")}, ingest.SubmitOptions{}); err != nil || r.Ignored != 1 {
		t.Fatalf("%v, %v", err, statuses(r))
	}
	n.reject(t, org, "ada", "2")
	n.restore(t, org, "ada", "2")
	n.expect(t, org, []int64{7, 4}, "ada", "bob")
}

// TestTransfer_IDIsTaken: a customer's own activity by the name of a credit is in nobody's way.
func TestTransfer_IDIsTaken(t *testing.T) {
	n, org := startEconomy(t, embedded(t, 1))
	n.does(t, org, income("ada", "i", 10), income("bob", "gift:ada:1", 1), income("bob", "gift:ada:1+", 1))
	n.does(t, org, gift("ada", "1", "coffee", "bob"))
	n.expect(t, org, []int64{7, 5}, "ada", "bob")
	n.reject(t, org, "ada", "1")
	n.expect(t, org, []int64{10, 2}, "ada", "bob")
	if a, err := n.Activity(t.Context(), org, "bob", "gift:ada:1++"); err != nil || a.Kind != activity.Credit {
		t.Errorf("%v, %v", a, err)
	}
	// Two users and ids that would read the same.
	n.does(t, org, income("a", "i", 3), income("a:b", "i", 3))
	n.does(t, org, gift("a", "b:c", "coffee", "bob"), gift("a:b", "c", "coffee", "bob"))
	n.expect(t, org, []int64{0, 0, 8}, "a", "a:b", "bob")
}

// TestTransfer_Merges: whoever gave and whoever received may have been merged into somebody since.
func TestTransfer_Merges(t *testing.T) {
	for steps := 2; steps <= 4; steps++ { // how far a receiver's merge has come
		t.Run(fmt.Sprint(steps), func(t *testing.T) {
			n, org := startEconomy(t, embedded(t, 3))
			n.does(t, org, income("ada", "i", 10), income("bob", "j", 1), income("eve", "k", 1), income("dan", "l", 1))
			n.does(t, org, gift("ada", "1", "coffee", "bob"))
			n.pump(t)
			begin(t, n, org, "bob", "eve", steps)
			n.reject(t, org, "ada", "1")
			n.does(t, org, gift("ada", "2", "coffee", "bob"))
			n.expect(t, org, []int64{7, 5}, "ada", "eve")
			if err := n.Merge(t.Context(), org, "bob", "eve"); err != nil {
				t.Fatal(err)
			}
			if err := n.Merge(t.Context(), org, "ada", "dan"); err != nil {
				t.Fatal(err)
			}
			n.restore(t, org, "dan", "1")
			n.reject(t, org, "dan", "2")
			n.expect(t, org, []int64{8, 5}, "dan", "eve")
			n.reject(t, org, "dan", "1")
			n.restore(t, org, "dan", "2")
			n.reject(t, org, "dan", "2")
			n.expect(t, org, []int64{11, 2}, "dan", "eve")
		})
	}
}

// TestTransfer_MergeOfOneID: of two gifts by one id one goes with the merge, and what it gave is taken back.
func TestTransfer_MergeOfOneID(t *testing.T) {
	n, org := startEconomy(t, embedded(t, 2))
	n.does(t, org, income("ada", "i", 10), income("bob", "j", 10), income("eve", "k", 1))
	n.does(t, org, gift("ada", "1", "coffee", "eve"))
	n.set(noon.Add(time.Second))
	n.does(t, org, gift("bob", "1", "coffee", "eve"))
	n.expect(t, org, []int64{7, 7, 7}, "ada", "bob", "eve")
	if err := n.Merge(t.Context(), org, "bob", "ada"); err != nil {
		t.Fatal(err)
	}
	n.expect(t, org, []int64{17, 4}, "ada", "eve")
}

// TestTransfer_Seal: nothing is taken back that the receiver may have sealed, and what is given behind a receiver's seal counts as of now.
func TestTransfer_Seal(t *testing.T) {
	n, org := startEconomy(t, embedded(t, 2))
	n.does(t, org, income("ada", "i", 10), income("bob", "i", 1))
	n.does(t, org, gift("ada", "1", "coffee", "bob"))
	n.pump(t)
	later := noon.Add(25 * 24 * time.Hour)
	n.set(later)
	old := income("bob", "new", 1)
	old.Activity.At = calendar.InstantOf(later)
	n.does(t, org, old) // and so what was before is folded
	if _, err := n.Activity(t.Context(), org, "bob", "gift:ada:1"); !errors.Is(err, ingest.ErrActivityNotFound) {
		t.Fatalf("the credit is not sealed: %v", err)
	}
	_, err := n.Reject(t.Context(), org, "ada", "1", "")
	if !errors.Is(err, ingest.ErrSealed) || ingest.Detail(err) == "" {
		t.Errorf("reject: %v", err)
	}
	// Nor does what was rejected in time, and comes after the receiver's seal, change what is sealed.
	for turn := range uint32(2) {
		late := activity.Transfer{Org: org, To: []activity.User{"bob"}, ID: "gift:ada:1", Name: "coffee", At: calendar.InstantOf(noon), Turn: turn + 1,
			Effect: activity.Effect{Rows: []activity.Row{{Wallet: "coins", Amount: 3}}}}
		p := n.store.PartitionOf(org, "ada")
		docs, err := n.store.Docs(t.Context(), []store.Key{store.FenceKey(p, org)})
		if err != nil {
			t.Fatal(err)
		}
		g := store.Group{Org: org, Doc: docs[0].Key, Expect: docs[0].Version, Content: docs[0].Content, OrgChanged: true, Writes: []store.Op{store.AppendTransfer(p, late.Append(nil))}}
		if r, err := n.store.Commit(t.Context(), p, []store.Group{g}); err != nil || r.Outcomes[0].Status != store.Applied {
			t.Fatal(err, r)
		}
	}
	n.expect(t, org, []int64{7, 5}, "ada", "bob")
	imported, err := n.CreateImport(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Submit(t.Context(), org, []ingest.Item{gift("ada", "2", "coffee", "bob")}, ingest.SubmitOptions{Import: imported.ID})
	if err != nil || r.Accepted != 1 {
		t.Fatalf("%v, %v", err, statuses(r))
	}
	n.expect(t, org, []int64{4, 8}, "ada", "bob")
	if a, err := n.Activity(t.Context(), org, "bob", "gift:ada:2"); err != nil || a.At != calendar.InstantOf(later) {
		t.Errorf("%+v, %v", a, err)
	}
}
