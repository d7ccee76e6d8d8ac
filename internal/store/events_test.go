package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

func events(bodies ...string) [][]byte {
	var out [][]byte
	for _, b := range bodies {
		out = append(out, []byte(b))
	}
	return out
}

func withEvents(u activity.User, expect store.Version, bodies ...string) store.Group {
	g := write(u, expect, "x")
	g.Events = events(bodies...)
	return g
}

// removal is what takes a user's events out of the outbox.
func removal(t testing.TB, h *harness, u activity.User) []store.Op {
	t.Helper()
	found, err := h.FindEvents(context.Background(), 0, org, u, store.UserEvents{})
	if err != nil {
		t.Fatal(err)
	}
	ops, err := h.RemoveEvents(context.Background(), 0, found)
	if err != nil {
		t.Fatal(err)
	}
	return ops
}

func (h *harness) outbox() []string {
	h.t.Helper()
	read, err := h.Events(context.Background(), 0, feed.Position{}, 1_000)
	if err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for _, e := range read {
		out = append(out, string(e.Org)+" "+string(e.User)+" "+string(e.Body))
	}
	return out
}

func TestCommit_EventsGoWithTheirGroup(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		before := h.tail()
		closed := write("bob", "", "x")
		closed.Writes = []store.Op{store.AppendEvent(org, []byte(`{"n":0}`))}
		closed.Drops, closed.ProfileChanged = []feed.Board{weekly(7)}, true
		closed.Events = events(`{"n":4}`)
		r := h.commit(withEvents("ann", "", `{"n":1}`, `{"n":2}`), withEvents("eve", "AAAAAAAA", `{"n":3}`), closed, write("dan", "", "x"))
		wants(t, r, store.Applied, store.Stale, store.Applied, store.Applied)
		want := []feed.Event{{Org: org, User: "ann", Body: []byte(`{"n":1}`)}, {Org: org, User: "ann", Body: []byte(`{"n":2}`)}, {Org: org, User: "bob", Body: []byte(`{"n":4}`)}}
		if diff := cmp.Diff(want, r.Change.Events); diff != "" {
			t.Errorf("the result's events (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]feed.Change{r.Change}, h.changes(before)); diff != "" {
			t.Errorf("the result's change against the stream (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{`git ann {"n":1}`, `git ann {"n":2}`, `git  {"n":0}`, `git bob {"n":4}`}, h.outbox()); diff != "" {
			t.Errorf("outbox (-want +got):\n%s", diff)
		}
		if r := h.commit(withEvents("ann", "", `{"n":1}`)); r.Change.Events != nil || len(h.outbox()) != 4 {
			t.Errorf("a commit that does not apply tells %v", r.Change.Events)
		}
	})
}

func TestRemoveEvents(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		ctx := context.Background()
		other := withEvents("ann", "", `{"n":1}`)
		other.Org, other.Doc = "another", store.StateKey(0, "another", "ann")
		first := h.commit(withEvents("ann", "", `{"n":2}`, `{"n":3}`), withEvents("bob", "", `{"n":4}`), other)
		read, err := h.Events(ctx, 0, feed.Position{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		some, err := h.FindEvents(ctx, 0, org, "ann", store.UserEvents{})
		if diff := cmp.Diff(store.UserEvents{IDs: []string{read[1].ID.String()}, Through: read[3].ID}, some); err != nil || diff != "" {
			t.Fatalf("found: %v\n%s", err, diff)
		}
		second := h.commit(withEvents("ann", first.Version, `{"n":5}`))
		all, err := h.FindEvents(ctx, 0, org, "ann", some)
		if err != nil || len(all.IDs) != 2 {
			t.Fatalf("found then: %v, %v", all, err)
		}
		ops, err := h.RemoveEvents(ctx, 0, all)
		if err != nil || len(ops) != 1 {
			t.Fatalf("%v, %v", ops, err)
		}
		g := write("ann", second.Version, "x")
		g.Writes = append(ops, ops...) // what is not there is no fault
		h.commit(g)
		if diff := cmp.Diff([]string{`git bob {"n":4}`, `another ann {"n":1}`}, h.outbox()); diff != "" {
			t.Errorf("outbox (-want +got):\n%s", diff)
		}
		if rest, err := h.Events(ctx, 0, read[0].ID, 10); err != nil || len(rest) != 2 {
			t.Errorf("after a position that was removed: %v, %v", rest, err)
		}
		if none, err := h.RemoveEvents(ctx, 0, store.UserEvents{}); len(none) > 0 || err != nil {
			t.Errorf("of nothing: %v, %v", none, err)
		}
	})
}

// TestRemoveEvents_TrimmedIsStillTold: the outbox is shorter than what is trimmed then, and yet who was behind its beginning is told.
func TestRemoveEvents_TrimmedIsStillTold(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		ctx := context.Background()
		r := h.commit(withEvents("bob", "", `{"n":0}`), write("ann", "", "x"))
		early, err := h.Events(ctx, 0, feed.Position{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		ann := r.Version
		for n := 0; n < store.OutboxKeep+5_000; n += 5_000 {
			var others []store.Group
			for i := range 5_000 {
				others = append(others, withEvents(activity.User("u"+strconv.Itoa(n+i)), "", `{"n":`+strconv.Itoa(n+i)+`}`))
			}
			h.commit(others...)
		}
		for n := range 300 {
			ann = h.commit(withEvents("ann", ann, `{"n":`+strconv.Itoa(n)+`}`, `{"m":1}`)).Version
		}
		g := deletion("ann", ann)
		g.Writes = removal(t, h, "ann")
		h.commit(g)
		if n, err := h.Client().XLen(ctx, string(store.OutboxKey(0))).Result(); err != nil || n >= store.OutboxKeep {
			t.Fatalf("%d are left, %v", n, err)
		}
		if _, err := h.Events(ctx, 0, early[0].ID, 1); !errors.Is(err, store.ErrEventsGone) {
			t.Errorf("after what was trimmed: %v", err)
		}
		kept, err := h.Events(ctx, 0, feed.Position{}, 2_000)
		if err != nil || len(kept) != 2_000 {
			t.Fatal(len(kept), err)
		}
		if _, err := h.Events(ctx, 0, kept[1_999].ID, 1); err != nil {
			t.Errorf("after one that is kept: %v", err)
		}
	})
}

// TestRemoveEvents_IsInTheFile: a start finds the outbox as it was left, and goes on after its last entry, also where that was removed.
func TestRemoveEvents_IsInTheFile(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	o := store.Options{DataDir: t.TempDir(), Clock: func() time.Time { return now }}
	h := open(t, o)
	r := h.commit(withEvents("bob", "", `{"n":1}`), withEvents("ann", "", `{"n":2}`))
	g := deletion("ann", r.Version)
	g.Writes = removal(t, h, "ann")
	h.commit(g)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, o)
	h.commit(withEvents("ann", "", `{"n":3}`))
	if diff := cmp.Diff([]string{`git bob {"n":1}`, `git ann {"n":3}`}, h.outbox()); diff != "" {
		t.Errorf("outbox (-want +got):\n%s", diff)
	}
	all, err := h.Events(context.Background(), 0, feed.Position{}, 2)
	if want := (feed.Position{Ms: 1_800_000_000_000, Seq: 2}); err != nil || all[1].ID != want {
		t.Errorf("the new one has the place %v, %v; want %v", all[1].ID, err, want)
	}
}

// TestEvents_SeveralInAnEntry: what a commit tells of a user is one entry, and yet each event has a place of its own, which is the same wherever reading began, and reading goes
// on after any of them.
func TestEvents_SeveralInAnEntry(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		ctx := context.Background()
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		var want []string
		versions := map[activity.User]store.Version{}
		tell := func(u activity.User) store.Group {
			g := withEvents(u, versions[u])
			for range random.IntN(4) {
				body := `{"n":` + strconv.Itoa(len(want)) + `}`
				g.Events, want = append(g.Events, []byte(body)), append(want, "git "+string(u)+" "+body)
			}
			return g
		}
		entries := 0
		for range 60 {
			var groups []store.Group
			for _, u := range []activity.User{"ann", "bob", "eve"}[:1+random.IntN(3)] {
				if random.IntN(8) == 0 { // one that another wrote, with the server's own id
					g := write("closer", versions["closer"], "x")
					body := `{"closed":` + strconv.Itoa(len(want)) + `}`
					g.Writes, want = []store.Op{store.AppendEvent(org, []byte(body))}, append(want, "git  "+body)
					versions["closer"] = h.commit(append(groups, g)...).Version
					for i := range groups {
						versions[groups[i].User] = versions["closer"]
					}
					entries, groups = entries+1, nil
				}
				g := tell(u)
				if groups = append(groups, g); len(g.Events) > 0 {
					entries++
				}
			}
			r := h.commit(groups...)
			for i := range groups {
				versions[groups[i].User] = r.Version
			}
		}
		if diff := cmp.Diff(want, h.outbox()); diff != "" {
			t.Fatalf("outbox (-want +got):\n%s", diff)
		}
		if n, err := h.Client().XLen(ctx, string(store.OutboxKey(0))).Result(); err != nil || int(n) != entries {
			t.Errorf("%d entries, %v; want %d", n, err, entries)
		}
		all, err := h.Events(ctx, 0, feed.Position{}, 1_000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range all {
			if i > 0 && all[i].ID.Compare(all[i-1].ID) <= 0 {
				t.Errorf("place %v after %v", all[i].ID, all[i-1].ID)
			}
			for _, limit := range []int{1, 2, 1_000} {
				rest, err := h.Events(ctx, 0, all[i].ID, limit)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(all[i+1:min(i+1+limit, len(all))], rest, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("%d after %v (-want +got):\n%s", limit, all[i].ID, diff)
				}
			}
		}
	})
}

// TestEvents_OfBefore: entries that hold one event each, as they were written once, are read as they were.
func TestEvents_OfBefore(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		g := write("ann", "", "x")
		for _, n := range []string{"1", "2"} {
			g.Writes = append(g.Writes, store.Op{Kind: store.OpAppend, Key: store.OutboxKey(0), Args: []string{"o", "git", "u", "ann", "e", `{"n":` + n + `}`}})
		}
		g.Events = events(`{"n":3}`, `{"n":4}`)
		h.commit(g)
		if diff := cmp.Diff([]string{`git ann {"n":1}`, `git ann {"n":2}`, `git ann {"n":3}`, `git ann {"n":4}`}, h.outbox()); diff != "" {
			t.Errorf("outbox (-want +got):\n%s", diff)
		}
	})
}
