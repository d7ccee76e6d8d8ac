package store_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

func TestChanges_ChainAndWaiting(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		ctx := context.Background()
		var want []feed.Change
		for i := range 5 {
			r := h.commit(write(activity.User(strconv.Itoa(i)), "", ""))
			want = append(want, r.Change)
			if h.tail() != r.Position {
				t.Fatalf("tail %v after a commit at %v", h.tail(), r.Position)
			}
		}
		got := h.changes(feed.Position{})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
		prev := feed.Position{}
		for _, c := range got {
			if c.Prev != prev {
				t.Errorf("change %v says it follows %v; want %v", c.ID, c.Prev, prev)
			}
			prev = c.ID
		}
		if cs, err := h.Changes(ctx, 0, got[1].ID, 2, 0); err != nil || !cmp.Equal(cs, got[2:4]) {
			t.Errorf("two after the second: %v, %v", cs, err)
		}
		if cs, err := h.Changes(ctx, 0, h.tail(), 10, 5*time.Millisecond); cs != nil || err != nil {
			t.Errorf("at the end: %v, %v; want nil, nil", cs, err)
		}
		arrived := make(chan []feed.Change, 1)
		at := h.tail()
		go func() {
			cs, err := h.Changes(ctx, 0, at, 10, time.Minute)
			if err != nil {
				t.Errorf("wait: %v", err)
			}
			arrived <- cs
		}()
		r := h.commit(write("late", "", ""))
		if diff := cmp.Diff([]feed.Change{r.Change}, <-arrived); diff != "" {
			t.Errorf("what a waiting follower sees (-want +got):\n%s", diff)
		}
		if _, err := h.Changes(ctx, 0, feed.Position{Ms: r.Position.Ms + 1_000_000}, 10, time.Minute); err != feed.ErrTrimmed {
			t.Errorf("beyond the end: %v; want ErrTrimmed", err)
		}
	})
}

func TestChanges_TrimmedStreamSaysSo(t *testing.T) {
	onBothWith(t, store.Options{ChangesBytes: 1}, func(t *testing.T, h *harness) {
		ctx := context.Background()
		first := h.commit(write("first", "", ""))
		for i := range 400 {
			h.commit(write(activity.User(strconv.Itoa(i)), "", ""))
		}
		n, err := h.Client().XLen(ctx, string(store.ChangesKey(0))).Result()
		if err != nil || n > 250 {
			t.Errorf("the stream keeps %d entries, %v", n, err)
		}
		for _, after := range []feed.Position{{}, first.Position} {
			if _, err := h.Changes(ctx, 0, after, 10, 0); err != feed.ErrTrimmed {
				t.Errorf("after %v: %v; want ErrTrimmed", after, err)
			}
		}
		if cs, err := h.Changes(ctx, 0, h.tail(), 10, 0); cs != nil || err != nil {
			t.Errorf("at the end: %v, %v", cs, err)
		}
	})
}

func TestOpen_PartitionsAndEpochStay(t *testing.T) {
	onBothWith(t, store.Options{Partitions: 3}, func(t *testing.T, h *harness) {
		ctx := context.Background()
		epochs := map[string]bool{}
		var all []string
		for p := range store.Partition(3) {
			e, err := h.Epoch(ctx, p)
			if err != nil || e == "" {
				t.Fatalf("epoch: %q, %v", e, err)
			}
			epochs[e], all = true, append(all, e)
		}
		if len(epochs) != 3 {
			t.Errorf("epochs are not distinct: %v", epochs)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		o := h.options
		o.Partitions = 4
		if s, err := store.Open(ctx, o); err == nil {
			t.Error("opened with another number of partitions")
			s.Close()
		}
		o.Partitions = 0
		again := open(t, o)
		if again.Partitions() != 3 {
			t.Errorf("%d partitions; want 3", again.Partitions())
		}
		for p, want := range all {
			if e, err := again.Epoch(ctx, store.Partition(p)); e != want || err != nil {
				t.Errorf("epoch of partition %d: %q, %v; want %q", p, e, err, want)
			}
		}
	})
}

func TestReads_ManyAndMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		ctx := context.Background()
		log := store.LogKey(0, org, "ann")
		h.commit(store.Group{Org: org, Writes: []store.Op{{Kind: store.OpHSet, Key: log, Args: []string{"1500", "r"}}}}, write("u1500", "", "x"))
		keys, ids := make([]store.Key, 2_001), make([]string, 2_001)
		for i := range keys {
			keys[i], ids[i] = state(activity.User("u"+strconv.Itoa(i))), strconv.Itoa(i)
		}
		docs, err := h.Docs(ctx, keys)
		if err != nil || len(docs) != len(keys) {
			t.Fatalf("%d documents, %v", len(docs), err)
		}
		records, err := h.LogRecords(ctx, 0, org, "ann", ids)
		if err != nil || len(records) != len(ids) {
			t.Fatalf("%d records, %v", len(records), err)
		}
		for i := range keys {
			if there := i == 1500; docs[i].Key != keys[i] || (docs[i].Version != "") != there || (records[i] == "r") != there {
				t.Errorf("%d: %+v, %q", i, docs[i], records[i])
			}
		}
		if m, err := h.Log(ctx, 0, org, "ann"); err != nil || !cmp.Equal(m, map[string]string{"1500": "r"}) {
			t.Errorf("log: %v, %v", m, err)
		}
		if m, err := h.Log(ctx, 0, org, "nobody"); err != nil || len(m) != 0 {
			t.Errorf("log of nobody: %v, %v", m, err)
		}
		if err := h.Ping(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestCatalogs_EveryOrgThatHasOne(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		put := func(o activity.Org) store.Group {
			return store.Group{Org: o, Doc: store.CatalogKey(o), Content: []byte("catalog of " + o), OrgChanged: true}
		}
		h.commit(put("a"), put("b"))
		h.commit(put("c"))
		h.commit(store.Group{Org: "b", Writes: []store.Op{{Kind: store.OpDel, Key: store.CatalogKey("b")}}})
		docs, err := h.Catalogs(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got := map[store.Key]string{}
		for _, d := range docs {
			got[d.Key] = string(d.Content)
		}
		want := map[store.Key]string{store.CatalogKey("a"): "catalog of a", store.CatalogKey("c"): "catalog of c"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("catalogs (-want +got):\n%s", diff)
		}
	})
}
