package store_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// elsewhere is a master that does not have the slot of partition 0, and the one that has.
func elsewhere(c *testenv.Cluster) (slot int, owner, other *testenv.Member) {
	slot = c.Slot(string(store.MetaKey(0)))
	owner = c.Owner(slot)
	other = c.Nodes[0]
	if other == owner {
		other = c.Nodes[1]
	}
	return slot, owner, other
}

func TestCluster_PartitionsAreSpread(t *testing.T) { onClusters(t, partitionsAreSpread) }

func partitionsAreSpread(t *testing.T, c *testenv.Cluster) {
	h := open(t, store.Options{URL: c.URL()})
	if h.Partitions() != 16 {
		t.Fatalf("%d partitions", h.Partitions())
	}
	count := map[string]int{}
	for p := range store.Partition(16) {
		count[c.Owner(c.Slot(string(store.MetaKey(p)))).ID]++
	}
	for id, n := range count {
		if n > 6 { // a third, and a fifth of it more
			t.Errorf("%s has %d of 16 partitions", id, n)
		}
	}
	if len(count) != 3 {
		t.Errorf("%d masters have partitions", len(count))
	}
}

// TestCluster_AMigratingPartitionIsNotWritten: a script on keys of which a part has moved, or on one that goes while it runs, never begins.
func TestCluster_AMigratingPartitionIsNotWritten(t *testing.T) {
	onClusters(t, aMigratingPartitionIsNotWritten)
}

func aMigratingPartitionIsNotWritten(t *testing.T, c *testenv.Cluster) {
	h := open(t, store.Options{URL: c.URL()})
	ctx := context.Background()
	one, two := &store.Standing{Value: 1, Reached: 1}, &store.Standing{Value: 2, Reached: 2}
	first := write("ann", "", "1")
	first.Boards = []store.BoardWrite{place(weekly(1), "ann", nil, one)}
	was := h.commit(first, write("bob", "", "b"))
	h.commit(store.Group{Org: org, Writes: []store.Op{{Kind: store.OpHSet, Key: store.LogKey(0, org, "ann"), Args: []string{"a", "1"}}}})
	slot, owner, other := elsewhere(c)
	at := h.tail()

	// All keys exist, and removing the only member of the board removes its key.
	again := write("ann", was.Version, "2")
	again.Boards = []store.BoardWrite{place(weekly(1), "ann", one, two)}
	unwritten := func(when string) {
		t.Helper()
		for _, groups := range [][]store.Group{{again}, {write("new", "", "")}} {
			if _, err := h.Commit(ctx, 0, groups); !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrVerify) {
				t.Errorf("%s: commit: %v; want ErrUnavailable", when, err)
			}
		}
		docs, err := h.Docs(ctx, []store.Key{state("ann"), state("new"), state("bob")})
		if err != nil || string(docs[0].Content) != "1" || docs[1].Version != "" || string(docs[2].Content) != "b" {
			t.Errorf("%s: documents: %+v, %v", when, docs, err)
		}
		if diff := cmp.Diff(map[activity.User]store.Standing{"ann": *one}, h.board(weekly(1), false)); diff != "" {
			t.Errorf("%s: board (-want +got):\n%s", when, diff)
		}
		if cs, err := h.Changes(ctx, 0, was.Position, 10, 0); err != nil || len(cs) != 1 {
			t.Errorf("%s: changes: %v, %v", when, cs, err)
		}
		if cs, err := h.Changes(ctx, 0, at, 10, 30*time.Millisecond); err != nil || len(cs) > 0 {
			t.Errorf("%s: changes at the end: %v, %v", when, cs, err)
		}
		if _, _, err := h.Users(ctx, 0, org, 0); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: a walk of half of the users: %v", when, err)
		}
		if err := h.Walk(ctx, func(store.Named) error { return nil }); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: a walk of half of the keys: %v", when, err)
		}
	}
	g := c.Migrate(slot, other)
	defer func() { // as the next test expects it
		g.Finish()
		c.Migrate(slot, owner).Finish()
	}()
	unwritten("before the first key has moved")
	for n := 1; !g.Move(1); n++ {
		unwritten("after " + strconv.Itoa(n) + " keys")
	}
	unwritten("after the last key")
	g.Finish()
	if _, err := h.Changes(ctx, 0, at, 10, 0); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a follower is not told that another server has the partition: %v", err)
	}
	if cs, err := h.changed(at); err != nil || len(cs) > 0 {
		t.Errorf("where it follows again: %v, %v", cs, err)
	}
	wants(t, h.commit(again, write("new", "", "")), store.Applied, store.Applied)
	if diff := cmp.Diff(map[activity.User]store.Standing{"ann": *two}, h.board(weekly(1), false)); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
	if users, _, err := h.Users(ctx, 0, org, 0); err != nil || len(users) != 3 {
		t.Errorf("users: %v, %v", users, err)
	}
}

// TestCluster_AWalkGoesOnWhereThePartitionIs: a cursor of one server means nothing to another.
func TestCluster_AWalkGoesOnWhereThePartitionIs(t *testing.T) { onClusters(t, aWalkGoesOn) }

func aWalkGoesOn(t *testing.T, c *testenv.Cluster) {
	h := open(t, store.Options{URL: c.URL()})
	ctx := context.Background()
	var groups []store.Group
	for i := range 3_000 {
		groups = append(groups, write(activity.User(strconv.Itoa(i)), "", ""))
	}
	h.commit(groups...)
	slot, owner, other := elsewhere(c)
	seen := map[activity.User]bool{}
	walk := func(cursor uint64) (next uint64) {
		users, next, err := h.Users(ctx, 0, org, cursor)
		for try := 0; err != nil && try < 100; try++ { // until the new map of slots is read
			users, next, err = h.Users(ctx, 0, org, cursor)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users {
			seen[u] = true
		}
		return next
	}
	cursor := walk(0)
	if cursor == 0 {
		t.Fatal("the walk was over at once")
	}
	c.Migrate(slot, other).Finish()
	defer func() { c.Migrate(slot, owner).Finish() }()
	for cursor = walk(cursor); cursor != 0; {
		cursor = walk(cursor)
	}
	if len(seen) != len(groups) {
		t.Errorf("%d users of %d", len(seen), len(groups))
	}
}

func TestCluster_AddressesAreUnderstood(t *testing.T) {
	for url, want := range map[string][]string{
		"redis-cluster://a:1":                          {"a:1"},
		"redis-cluster://u:p%40w@a:1,b:2,c:3/":         {"a:1", "b:2", "c:3"},
		"rediss-cluster://:secret@a:1,b:2?pool_size=5": {"a:1", "b:2"},
	} {
		o, err := store.ClusterOptions(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if !slices.Equal(o.Addrs, want) || (o.TLSConfig != nil) != (url[5] == 's') || o.MaxRetries != -1 {
			t.Errorf("%s: %v, TLS %v", url, o.Addrs, o.TLSConfig != nil)
		}
		if url[16] == 'u' && (o.Username != "u" || o.Password != "p@w") {
			t.Errorf("%s: user %q, password %q", url, o.Username, o.Password)
		}
	}
	for _, url := range []string{"redis-cluster://", "redis-cluster://a:1,,b:2", "redis-cluster://a:1?nonsense=1"} {
		if _, err := store.ClusterOptions(url); err == nil {
			t.Errorf("%s: no error", url)
		}
	}
}

// committed is a commit that goes on until it is not unavailable.
func (h *harness) committed(groups ...store.Group) store.Result {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		r, err := h.Commit(context.Background(), 0, groups)
		if err == nil {
			return r
		}
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrVerify) || time.Now().After(deadline) {
			h.t.Fatalf("commit: %v", err)
		}
	}
}

// changed reads changes until there is something else than that a server is away.
func (h *harness) changed(after feed.Position) ([]feed.Change, error) {
	for deadline := time.Now().Add(time.Minute); ; {
		cs, err := h.Changes(context.Background(), 0, after, 10, 0)
		if !errors.Is(err, store.ErrUnavailable) || time.Now().After(deadline) {
			return cs, err
		}
	}
}

// TestCluster_Failover: what was acknowledged as replicated is there when a replica takes over, and who follows is told of what is not.
func TestCluster_Failover(t *testing.T) {
	for _, program := range testenv.Servers() {
		t.Run(program, func(t *testing.T) {
			failover(t, testenv.StartCluster(t, testenv.ClusterOptions{Program: program, Replicas: 1}))
		})
	}
}

func failover(t *testing.T, c *testenv.Cluster) {
	h := open(t, store.Options{URL: c.URL(), Replicas: 1})
	_, master, _ := elsewhere(c)
	replica := c.Replica(master)
	safe := h.commit(write("ann", "", "1"))
	if safe.Durability != store.Replicated {
		t.Errorf("durability %q with a replica", safe.Durability)
	}
	if cs := h.changes(feed.Position{}); len(cs) != 1 {
		t.Fatalf("%d changes", len(cs))
	}
	c.Cut(replica)
	lost := h.commit(write("ann", safe.Version, "2"), write("phantom", "", ""))
	if lost.Durability != store.Memory {
		t.Errorf("durability %q without a replica", lost.Durability)
	}
	master.Kill()
	c.TakeOver(replica)
	if _, err := h.changed(lost.Position); !errors.Is(err, feed.ErrTrimmed) {
		t.Errorf("a follower of what is lost: %v", err)
	}
	if cs, err := h.changed(safe.Position); err != nil || len(cs) > 0 {
		t.Errorf("a follower of what is not: %v, %v", cs, err)
	}
	r := h.committed(write("ann", lost.Version, "3"), write("bob", "", ""))
	wants(t, r, store.Stale, store.Applied)
	if d := r.Outcomes[0].Doc; d.Version != safe.Version || string(d.Content) != "1" {
		t.Errorf("what was replicated is %+v", d)
	}
	if r.Change.Prev != safe.Position {
		t.Errorf("it follows %v, not %v", r.Change.Prev, safe.Position)
	}
	if cs, err := h.changed(lost.Position); !errors.Is(err, feed.ErrTrimmed) && (len(cs) == 0 || cs[0].Prev == lost.Position) {
		t.Errorf("a follower of what is lost, after a commit: %v, %v", cs, err)
	}
	if d := h.doc(state("phantom")); d.Version != "" {
		t.Errorf("%+v is there", d)
	}
}
