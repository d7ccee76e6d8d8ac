package ingest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// TestSweep_EndsStreaksOnce: when nothing happens but time, a streak that ended leaves its board, by one commit however many nodes sweep.
func TestSweep_EndsStreaksOnce(t *testing.T) {
	url := testenv.StartRedis(t).URL()
	one, org := startOrg(t, store.Options{URL: url})
	two := startNode(t, store.Options{URL: url})
	if err := two.registry.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	set := func(at time.Time) { one.set(at); two.set(at) }
	set(noon)
	r := record("u", "1", noon)
	if got := statuses(one.submit(t, org, ingest.SubmitOptions{}, r)); got[0] != "accepted" {
		t.Fatal(got)
	}
	if length(t, one, org, "u") != 1 || deadlines(t, one) != 1 {
		t.Fatalf("length %d, %d deadlines", length(t, one, org, "u"), deadlines(t, one))
	}
	before, err := one.store.Tail(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}

	set(noon.Add(20 * time.Hour)) // the next day runs: the streak lives until its end
	sweep(t, one, two)
	if length(t, one, org, "u") != 1 {
		t.Error("swept too early")
	}
	set(noon.Add(72 * time.Hour))
	sweep(t, one, two)
	if n := length(t, one, org, "u"); n != 0 {
		t.Errorf("the streak stands at %d", n)
	}
	if n := deadlines(t, one); n != 0 {
		t.Errorf("%d deadlines are left", n)
	}
	after, err := one.store.Changes(t.Context(), 0, before, 100, 0)
	after = slices.DeleteFunc(after, func(c feed.Change) bool { return len(c.Users) == 0 }) // a backfill's own, which may come at any time
	if err != nil || len(after) != 1 {
		t.Errorf("%d commits, %v", len(after), err)
	}
}

// sweep lets both nodes sweep at once.
func sweep(t *testing.T, nodes ...*node) {
	t.Helper()
	var g errgroup.Group
	for _, n := range nodes {
		g.Go(func() error { return n.SweepNow(context.Background()) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func deadlines(t *testing.T, n *node) int64 {
	t.Helper()
	count, _, err := n.Deadlines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// length is what stands on the board of current lengths, in the store.
func length(t *testing.T, n *node, org activity.Org, user activity.User) (length int64) {
	t.Helper()
	err := n.store.LoadBoard(t.Context(), 0, feed.Board{Org: org, Rule: "daily.current", Label: "all"}, false,
		func(u activity.User, v int64, _ calendar.Instant) error {
			if u == user {
				length = v
			}
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return length
}

// TestSweep_PassesOverTheDamaged: a user whose state cannot be read stays due, and keeps nobody else from losing a streak, also behind more than a page of users.
func TestSweep_PassesOverTheDamaged(t *testing.T) {
	redis := testenv.StartRedis(t)
	n, org := startOrg(t, store.Options{URL: redis.URL()})
	n.set(noon)
	const users = 5000
	items := make([]ingest.Item, users)
	for i := range items {
		r := record(fmt.Sprintf("u%04d", i), "1", noon.Add(-time.Minute))
		items[i] = item(&r)
	}
	if r, err := n.Submit(t.Context(), org, items, ingest.SubmitOptions{}); err != nil || r.Accepted != users {
		t.Fatalf("%d were accepted, %v", r.Accepted, err)
	}
	damage(t, n, org, "u0000")
	n.set(noon.Add(72 * time.Hour))
	if err := n.SweepNow(t.Context()); err == nil {
		t.Error("nobody hears of the damage")
	}
	if left := deadlines(t, n); left != 1 {
		t.Errorf("%d deadlines are left", left)
	}
	if n := length(t, n, org, "u4999"); n != 0 {
		t.Errorf("the last streak stands at %d", n)
	}
}

// damage makes a user's state unreadable, by another node that knows better.
func damage(t *testing.T, n *node, org activity.Org, user activity.User) {
	t.Helper()
	key := store.StateKey(0, org, user)
	docs, err := n.store.Docs(t.Context(), []store.Key{key})
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.store.Commit(t.Context(), 0, []store.Group{{Org: org, User: user, Doc: key, Expect: docs[0].Version, Content: []byte("\xffdamage")}})
	if err != nil || r.Outcomes[0].Status != store.Applied {
		t.Fatal(r, err)
	}
}
