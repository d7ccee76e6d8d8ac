package store_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// harness is one store of a test, and how to open it again.
type harness struct {
	*store.Store
	options store.Options
	t       testing.TB
}

// onBoth runs a test on the embedded store and on a real server, each empty.
func onBoth(t *testing.T, test func(t *testing.T, h *harness)) {
	t.Helper()
	onBothWith(t, store.Options{}, test)
}

func onBothWith(t *testing.T, o store.Options, test func(t *testing.T, h *harness)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) {
		o := o
		o.DataDir = t.TempDir()
		test(t, open(t, o))
	})
	t.Run("redis", func(t *testing.T) {
		o := o
		o.URL = testenv.StartRedis(t).URL()
		test(t, open(t, o))
	})
}

func open(t testing.TB, o store.Options) *harness {
	t.Helper()
	o.Log = zerolog.Nop()
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return &harness{Store: s, options: o, t: t}
}

func (h *harness) commit(groups ...store.Group) store.Result {
	h.t.Helper()
	r, err := h.Commit(context.Background(), 0, groups)
	if err != nil {
		h.t.Fatalf("commit: %v", err)
	}
	return r
}

// wants checks the statuses of a result.
func wants(t testing.TB, r store.Result, want ...store.Status) {
	t.Helper()
	var got []store.Status
	for _, o := range r.Outcomes {
		got = append(got, o.Status)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("statuses (-want +got):\n%s", diff)
	}
}

func (h *harness) doc(k store.Key) store.Doc {
	h.t.Helper()
	docs, err := h.Docs(context.Background(), []store.Key{k})
	if err != nil {
		h.t.Fatalf("read %q: %v", k, err)
	}
	return docs[0]
}

func (h *harness) tail() feed.Position {
	h.t.Helper()
	p, err := h.Tail(context.Background(), 0)
	if err != nil {
		h.t.Fatalf("tail: %v", err)
	}
	return p
}

func (h *harness) changes(after feed.Position) []feed.Change {
	h.t.Helper()
	cs, err := h.Changes(context.Background(), 0, after, 1_000, 0)
	if err != nil {
		h.t.Fatalf("changes after %v: %v", after, err)
	}
	return cs
}

func (h *harness) hash(k store.Key) map[string]string {
	h.t.Helper()
	m, err := h.Hash(context.Background(), k)
	if err != nil {
		h.t.Fatalf("read %q: %v", k, err)
	}
	return m
}

// board gives a board's rows by user.
func (h *harness) board(b feed.Board, ascending bool) map[activity.User]store.Standing {
	h.t.Helper()
	rows := map[activity.User]store.Standing{}
	err := h.LoadBoard(context.Background(), 0, b, ascending, func(u activity.User, v int64, at calendar.Instant) error {
		rows[u] = store.Standing{Value: v, Reached: int64(at)}
		return nil
	})
	if err != nil {
		h.t.Fatalf("load board: %v", err)
	}
	return rows
}

const org = activity.Org("git")

func state(u activity.User) store.Key { return store.StateKey(0, org, u) }

// write is a group that sets a user's document.
func write(u activity.User, expect store.Version, content string) store.Group {
	return store.Group{Org: org, User: u, Doc: state(u), Expect: expect, Content: []byte(content)}
}

func weekly(n int) feed.Board {
	return feed.Board{Org: org, Rule: "commits", Label: fmt.Sprintf("2026-W%02d", n)}
}

func place(b feed.Board, u activity.User, from, to *store.Standing) store.BoardWrite {
	return store.BoardWrite{Board: b, User: u, Old: from, New: to}
}

func TestCommit_DocumentIsWrittenAtItsExpectedVersionOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		first := h.commit(write("ann", "", "one"))
		wants(t, first, store.Applied)
		if diff := cmp.Diff(store.Doc{Key: state("ann"), Version: first.Version, Content: []byte("one")}, h.doc(state("ann"))); diff != "" {
			t.Errorf("document (-want +got):\n%s", diff)
		}
		again := h.commit(write("ann", "", "two"))
		wants(t, again, store.Stale)
		if diff := cmp.Diff(h.doc(state("ann")), again.Outcomes[0].Doc); diff != "" {
			t.Errorf("what is there (-want +got):\n%s", diff)
		}
		if again.Position != (feed.Position{}) {
			t.Errorf("nothing applied, but position is %v", again.Position)
		}
		gone := h.commit(write("bob", first.Version, "two"))
		wants(t, gone, store.Stale)
		if d := gone.Outcomes[0].Doc; d.Version != "" || d.Key != state("bob") {
			t.Errorf("a document that does not exist: %+v", d)
		}
		second := h.commit(write("ann", first.Version, "two"))
		wants(t, second, store.Applied)
		if d := h.doc(state("ann")); d.Version != second.Version || string(d.Content) != "two" {
			t.Errorf("after the second write: %+v", d)
		}
		if first.Version == second.Version || len(first.Version) != store.VersionLen {
			t.Errorf("versions %q, %q", first.Version, second.Version)
		}
	})
}

func TestCommit_GroupsApplyIndependently(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		ctx := context.Background()
		log := store.LogKey(0, org, "ann")
		h.commit(store.Group{Org: org, Writes: []store.Op{{Kind: store.OpHSet, Key: log, Args: []string{"a1", "r1", "a2", ""}}}})
		fence := h.commit(store.Group{Org: org, Doc: store.FenceKey(0, org), Content: []byte("f"), OrgChanged: true})

		b := weekly(1)
		groups := []store.Group{
			{Org: org, User: "ann", Doc: state("ann"), AbsentIn: log, Absent: []string{"a0", "a1", "a2"},
				Boards: []store.BoardWrite{place(b, "ann", nil, &store.Standing{Value: 1})}},
			{Org: org, User: "bob", Doc: state("bob"), Content: []byte("b"), Fence: fence.Version,
				Writes: []store.Op{{Kind: store.OpZAdd, Key: store.DueKey(0), Args: []string{"7", "bob"}}},
				Boards: []store.BoardWrite{place(b, "bob", nil, &store.Standing{Value: 2, Reached: 5})}},
			{Org: org, User: "cat", Doc: state("cat"), Fence: "AAAAAAAA",
				Writes: []store.Op{{Kind: store.OpZAdd, Key: store.DueKey(0), Args: []string{"8", "cat"}}},
				Boards: []store.BoardWrite{place(b, "cat", nil, &store.Standing{Value: 3})}},
			{Org: org, User: "dan", Doc: state("dan"), Expect: "AAAAAAAA",
				Writes: []store.Op{{Kind: store.OpSet, Key: store.ColdKey(0, org, "dan"), Args: []string{"cold"}}}},
			{Org: org, User: "eve", Doc: state("eve"), Content: []byte("e"), AbsentIn: store.LogKey(0, org, "eve"), Absent: []string{"a1"},
				Boards: []store.BoardWrite{place(b, "eve", nil, &store.Standing{Value: -4, Reached: 6})}},
		}
		r := h.commit(groups...)
		wants(t, r, store.Exists, store.Applied, store.Fenced, store.Stale, store.Applied)
		if diff := cmp.Diff(map[string]string{"a1": "r1", "a2": ""}, r.Outcomes[0].Found); diff != "" {
			t.Errorf("found (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(h.doc(store.FenceKey(0, org)), r.Outcomes[2].Doc); diff != "" {
			t.Errorf("fence (-want +got):\n%s", diff)
		}
		wantRows := map[activity.User]store.Standing{"bob": {Value: 2, Reached: 5}, "eve": {Value: -4, Reached: 6}}
		if diff := cmp.Diff(wantRows, h.board(b, false)); diff != "" {
			t.Errorf("board (-want +got):\n%s", diff)
		}
		due, err := h.Due(ctx, 0, 100, 10)
		if diff := cmp.Diff([]store.DueItem{{Member: "bob", At: 7}}, due); diff != "" || err != nil {
			t.Errorf("deadlines: %v (-want +got):\n%s", err, diff)
		}
		for u, there := range map[activity.User]bool{"ann": false, "bob": true, "cat": false, "dan": false, "eve": true} {
			if d := h.doc(state(u)); (d.Version == r.Version) != there {
				t.Errorf("%s has version %q, the commit's is %q", u, d.Version, r.Version)
			}
		}
		if cold := h.doc(store.ColdKey(0, org, "dan")); cold.Version != "" {
			t.Errorf("a stale group wrote %+v", cold)
		}
		want := feed.Change{ID: r.Position, Prev: fence.Position,
			Users:  []feed.UserVersion{{Org: org, User: "bob", Version: string(r.Version)}, {Org: org, User: "eve", Version: string(r.Version)}},
			Writes: []feed.Write{{Board: b, User: "bob", Value: 2, Reached: 5}, {Board: b, User: "eve", Value: -4, Reached: 6}},
		}
		if diff := cmp.Diff(want, r.Change); diff != "" {
			t.Errorf("change of the result (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]feed.Change{want}, h.changes(fence.Position)); diff != "" {
			t.Errorf("change stream (-want +got):\n%s", diff)
		}
	})
}

func TestCommit_BoardMemberIsReplaced(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		for _, ascending := range []bool{false, true} {
			b := weekly(2)
			if ascending {
				b.Rule = "fastest"
			}
			step := func(from, to *store.Standing) {
				w := place(b, "ann", from, to)
				w.Ascending = ascending
				h.commit(store.Group{Org: org, Boards: []store.BoardWrite{w}})
			}
			one, two, three := &store.Standing{Value: 1, Reached: 10}, &store.Standing{Value: 2, Reached: 20}, &store.Standing{Value: 3, Reached: 20}
			step(nil, one)
			step(one, two)
			step(two, three) // same member, other score
			if diff := cmp.Diff(map[activity.User]store.Standing{"ann": *three}, h.board(b, ascending)); diff != "" {
				t.Errorf("board (-want +got):\n%s", diff)
			}
			step(three, nil)
			if rows := h.board(b, ascending); len(rows) != 0 {
				t.Errorf("after removal: %v", rows)
			}
		}
		last := h.changes(feed.Position{})
		if w := last[len(last)-1].Writes[0]; !w.Removed || w.Value != 0 || w.Reached != 0 {
			t.Errorf("the change of a removal: %+v", w)
		}
	})
}

func TestCommit_PlainWritesApplyInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		ctx := context.Background()
		hash, set := store.ProfileKey(0, org, "ann"), store.DueKey(0)
		h.commit(store.Group{Org: org, Doc: state("ann"), Writes: []store.Op{
			{Kind: store.OpHSet, Key: hash, Args: []string{"a", "1", "b", "2"}},
			{Kind: store.OpZAdd, Key: set, Args: []string{"1", "x"}},
			{Kind: store.OpHSet, Key: hash, Args: []string{"a", "3"}},
			{Kind: store.OpZAdd, Key: set, Args: []string{"2", "y"}},
			{Kind: store.OpHDel, Key: hash, Args: []string{"b"}},
			{Kind: store.OpZRem, Key: set, Args: []string{"x"}},
			{Kind: store.OpHSet, Key: hash, Args: []string{"c", "4"}},
			{Kind: store.OpAppend, Key: store.OutboxKey(0), Args: []string{"e", "1"}},
			{Kind: store.OpAppend, Key: store.OutboxKey(0), Args: []string{"e", "2"}},
		}})
		if diff := cmp.Diff(map[string]string{"a": "3", "c": "4"}, h.hash(hash)); diff != "" {
			t.Errorf("hash (-want +got):\n%s", diff)
		}
		due, err := h.Due(ctx, 0, 100, 10)
		if diff := cmp.Diff([]store.DueItem{{Member: "y", At: 2}}, due); diff != "" || err != nil {
			t.Errorf("sorted set: %v (-want +got):\n%s", err, diff)
		}
		if n, err := h.Client().XLen(ctx, string(store.OutboxKey(0))).Result(); n != 2 || err != nil {
			t.Errorf("outbox has %d entries, %v; want 2", n, err)
		}
		h.commit(store.Group{Org: org, Writes: []store.Op{{Kind: store.OpDel, Key: hash}, {Kind: store.OpHSet, Key: hash, Args: []string{"z", "9"}}}})
		if diff := cmp.Diff(map[string]string{"z": "9"}, h.hash(hash)); diff != "" {
			t.Errorf("hash after delete and write (-want +got):\n%s", diff)
		}
	})
}

func TestCommit_FiveThousandBoardWrites(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		const users = 5_000
		b := weekly(3)
		build := func(r store.Result, from, to *store.Standing) []store.Group {
			groups := make([]store.Group, users)
			for i := range groups {
				u := activity.User("user-" + strconv.Itoa(i))
				groups[i] = write(u, r.Version, "content")
				groups[i].AbsentIn, groups[i].Absent = store.LogKey(0, org, u), []string{"id"}
				groups[i].Boards = []store.BoardWrite{place(b, u, from, to)}
			}
			return groups
		}
		one, two := &store.Standing{Value: 1, Reached: 1}, &store.Standing{Value: 2, Reached: 2}
		first := h.commit(build(store.Result{}, nil, one)...)
		// One that fails makes the script filter all the others.
		groups := build(first, one, two)
		groups[17].Expect = "AAAAAAAA"
		second := h.commit(groups...)
		rows := h.board(b, false)
		for i, o := range second.Outcomes {
			want, status := *two, store.Applied
			if i == 17 {
				want, status = *one, store.Stale
			}
			if got := rows[activity.User("user-"+strconv.Itoa(i))]; got != want || o.Status != status {
				t.Fatalf("user %d: row %+v, status %d; want %+v, %d", i, got, o.Status, want, status)
			}
		}
		if len(rows) != users {
			t.Errorf("%d rows; want %d", len(rows), users)
		}
		wide := store.Group{Org: org, AbsentIn: store.LogKey(0, org, "wide"), Doc: state("wide")}
		op := store.Op{Kind: store.OpHSet, Key: wide.AbsentIn}
		for i := range 3_001 {
			wide.Absent = append(wide.Absent, strconv.Itoa(i))
			op.Args = append(op.Args, strconv.Itoa(i), "v")
		}
		wide.Writes = []store.Op{op}
		wants(t, h.commit(wide), store.Applied)
		wide.Doc = ""
		if r := h.commit(wide); r.Outcomes[0].Status != store.Exists || len(r.Outcomes[0].Found) != 3_001 {
			t.Errorf("status %d, %d found; want exists, 3001", r.Outcomes[0].Status, len(r.Outcomes[0].Found))
		}
	})
}

func TestCommit_RefusesWhatMakesNoSense(t *testing.T) {
	huge := store.Standing{Value: 1<<53 + 1}
	cases := map[string][]store.Group{
		"document in two groups":    {write("ann", "", "1"), write("ann", "", "2")},
		"key of another partition":  {{Org: org, Doc: store.StateKey(1, org, "ann")}},
		"write to another's key":    {{Org: org, Writes: []store.Op{{Kind: store.OpDel, Key: store.DueKey(3)}}}},
		"half a pair":               {{Org: org, Writes: []store.Op{{Kind: store.OpHSet, Key: store.KeysKey(), Args: []string{"a"}}}}},
		"score that is no number":   {{Org: org, Writes: []store.Op{{Kind: store.OpZAdd, Key: store.DueKey(0), Args: []string{"x", "m"}}}}},
		"append without a guard":    {{Org: org, Writes: []store.Op{{Kind: store.OpAppend, Key: store.OutboxKey(0), Args: []string{"a", "b"}}}}},
		"version of another length": {write("ann", "short", "1")},
		"value beyond 2^53":         {{Org: org, Boards: []store.BoardWrite{place(weekly(1), "ann", nil, &huge)}}},
		"user twice on a board": {{Org: org, Boards: []store.BoardWrite{place(weekly(1), "ann", nil, &store.Standing{})}},
			{Org: org, Boards: []store.BoardWrite{place(weekly(1), "ann", nil, &store.Standing{})}}},
	}
	onBoth(t, func(t *testing.T, h *harness) {
		before := h.tail()
		for name, groups := range cases {
			if _, err := h.Commit(context.Background(), 0, groups); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if _, err := h.Commit(context.Background(), 1, nil); err == nil {
			t.Error("partition out of range: no error")
		}
		if h.tail() != before {
			t.Error("a refused commit wrote something")
		}
	})
}

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
			cs, err := h.Changes(ctx, 0, at, 10, 10*time.Second)
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

// Two documents that are always written together are always seen together, and no increment of either is lost.
func TestCommit_ConcurrentWritersAndReaders(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		const writers, each = 4, 25
		keys := []store.Key{state("left"), state("right")}
		h.commit(write("left", "", "0"), write("right", "", "0"))
		stop, read, written := make(chan struct{}), make(chan error, 1), make(chan error, writers)
		go func() { read <- readTogether(h, keys, stop) }()
		for range writers {
			go func() {
				for range each {
					if err := increment(h, keys); err != nil {
						written <- err
						return
					}
				}
				written <- nil
			}()
		}
		for range writers {
			if err := <-written; err != nil {
				t.Error(err)
			}
		}
		close(stop)
		if err := <-read; err != nil {
			t.Error(err)
		}
		if got := string(h.doc(keys[1]).Content); got != strconv.Itoa(writers*each) {
			t.Errorf("count %s; want %d", got, writers*each)
		}
	})
}

func readTogether(h *harness, keys []store.Key, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		docs, err := h.Docs(context.Background(), keys)
		if err != nil {
			return err
		}
		if docs[0].Version != docs[1].Version {
			return fmt.Errorf("half a commit was seen: %+v", docs)
		}
	}
}

// increment raises the count in both documents, as often as another writer comes first.
func increment(h *harness, keys []store.Key) error {
	ctx := context.Background()
	for {
		docs, err := h.Docs(ctx, keys[:1])
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(docs[0].Content))
		if err != nil {
			return err
		}
		var groups []store.Group
		for _, k := range keys {
			groups = append(groups, store.Group{Org: org, Doc: k, Expect: docs[0].Version, Content: []byte(strconv.Itoa(n + 1))})
		}
		r, err := h.Commit(ctx, 0, groups)
		if err != nil {
			return err
		}
		if r.Outcomes[0].Status == store.Applied {
			return nil
		}
	}
}
