package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

// gate lets no pump deliver until it is opened.
type gate struct{ open atomic.Bool }

func (g *gate) onStep(string) error {
	if g.open.Load() {
		return nil
	}
	return errStep
}

// startGated starts a node of the economy whose pumps stand still.
func startGated(t *testing.T, o store.Options, queue int) (*node, activity.Org, *gate) {
	t.Helper()
	g := &gate{}
	n, start := newNode(t, o, queue)
	n.OnStep(g.onStep)
	n.set(noon)
	org := n.publish(t, economy)
	start()
	n.does(t, org, income("ada", "i", 100))
	n.does(t, org, income("bob", "i", 1))
	return n, org, g
}

// TestPump_Bounded: where as many transfers are open as may be, nobody can send more, and everything else goes on.
func TestPump_Bounded(t *testing.T) {
	n, org, g := startGated(t, embedded(t, 1), 3)
	sent := 0
	for ; sent < 10; sent++ { // a pump that looks meanwhile may miss the one that is on its way
		_, err := n.Submit(t.Context(), org, []ingest.Item{gift("ada", fmt.Sprint(sent), "coffee", "bob")}, ingest.SubmitOptions{})
		if errors.Is(err, ingest.ErrOverloaded) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if sent < 3 || sent > 6 {
		t.Errorf("%d transfers before one was refused, want 3 and hardly more", sent)
	}
	n.does(t, org, income("ada", "j", 1))
	if open, lag, err := n.Transfers(t.Context()); open != int64(sent) || lag <= 0 || err != nil {
		t.Errorf("%d open for %v, %v", open, lag, err)
	}
	g.open.Store(true)
	n.expect(t, org, []int64{101 - 3*int64(sent), 1 + 3*int64(sent)}, "ada", "bob")
	n.does(t, org, gift("ada", fmt.Sprint(sent), "coffee", "bob"))
	n.expect(t, org, []int64{98 - 3*int64(sent), 4 + 3*int64(sent)}, "ada", "bob")
}

// TestPump_EndOfANode: what is open when a node ends arrives before it has ended.
func TestPump_EndOfANode(t *testing.T) {
	o := embedded(t, 2)
	n, org, g := startGated(t, o, 0)
	n.does(t, org, gift("ada", "1", "coffee", "bob"))
	g.open.Store(true) // the pumps look again much later
	n.stop()
	again := startNode(t, o)
	for p := range again.store.Partitions() {
		if list, err := again.store.Transfers(context.WithoutCancel(t.Context()), store.Partition(p), feed.Position{}, 1); len(list) > 0 || err != nil {
			t.Errorf("left: %v, %v", list, err)
		}
	}
}

// TestPump_OneIsInNobodysWay: what cannot be delivered stays, and what comes behind it arrives; it does when it can.
func TestPump_OneIsInNobodysWay(t *testing.T) {
	n, org := startEconomy(t, embedded(t, 1))
	n.does(t, org, income("ada", "i", 100), income("bob", "i", 1), income("eve", "i", 1))
	n.pump(t)
	key := store.StateKey(0, org, "eve")
	docs, err := n.store.Docs(t.Context(), []store.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	write := func(expect store.Version, content string) store.Version {
		t.Helper()
		r, err := n.store.Commit(t.Context(), 0, []store.Group{{Org: org, User: "eve", Doc: key, Expect: expect, Content: []byte(content)}})
		if err != nil || r.Outcomes[0].Status != store.Applied {
			t.Fatal(err, r)
		}
		n.Follow(feed.Change{Users: []feed.UserVersion{{Org: org, User: "eve", Version: "another"}}})
		return r.Version
	}
	broken := write(docs[0].Version, "\xff damaged")
	n.does(t, org, gift("ada", "1", "coffee", "bob"))
	if err := n.PumpNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	given := activity.Transfer{Org: org, To: []activity.User{"eve", "bob"}, ID: "prize:p:2026", Name: "p", Effect: activity.Effect{Rows: []activity.Row{{Wallet: "coins", Amount: 5}}}}
	fence, err := n.store.Docs(t.Context(), []store.Key{store.FenceKey(0, org)})
	if err != nil {
		t.Fatal(err)
	}
	g := store.Group{Org: org, Doc: fence[0].Key, Expect: fence[0].Version, Content: fence[0].Content, OrgChanged: true, Writes: []store.Op{store.AppendTransfer(0, given.Append(nil))}}
	if r, err := n.store.Commit(t.Context(), 0, []store.Group{g}); err != nil || r.Outcomes[0].Status != store.Applied {
		t.Fatal(err, r)
	}
	if _, err := n.registry.Reload(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	n.does(t, org, gift("ada", "2", "coffee", "bob"))
	for range 2 {
		if err := n.PumpNow(t.Context()); err == nil {
			t.Error("nothing is said of what cannot be delivered")
		}
		if b := n.balance(t, org, "bob", 0); b != 12 { // of the prize too, once
			t.Errorf("bob has %d", b)
		}
	}
	write(broken, string(docs[0].Content))
	n.expect(t, org, []int64{94, 12, 6}, "ada", "bob", "eve")
}
