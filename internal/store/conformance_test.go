package store_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

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

// onBoth runs a test on the embedded store, and on a server and a cluster of each kind that is installed, all empty.
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
	for _, program := range testenv.Servers() {
		t.Run(program, func(t *testing.T) {
			o := o
			o.URL = testenv.StartServer(t, program).URL()
			test(t, open(t, o))
		})
	}
	onClusters(t, func(t *testing.T, c *testenv.Cluster) {
		o := o
		o.URL = c.URL()
		test(t, open(t, o))
	})
}

// shared are the clusters of all tests that need no faults, by what their servers are.
var shared = map[string]*testenv.Shared{"redis-server": {}, "valkey-server": {Program: "valkey-server"}}

// onClusters runs a test on a cluster of each kind of server that is installed.
func onClusters(t *testing.T, test func(t *testing.T, c *testenv.Cluster)) {
	t.Helper()
	for _, program := range testenv.Servers() {
		t.Run("cluster of "+program, func(t *testing.T) { test(t, shared[program].Cluster(t)) })
	}
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
		"events of nobody":          {{Org: org, Doc: state("ann"), Events: events(`{"n":1}`)}},
		"events without a guard":    {{Org: org, User: "ann", Events: events(`{"n":1}`)}},
		"events of a deleted user":  {{Org: org, User: "ann", Doc: state("ann"), Expect: "AAAAAAAA", Delete: true, Events: events(`{"n":1}`)}},
		"an event without members":  {{Org: org, User: "ann", Doc: state("ann"), Events: events(`{}`)}},
		"an event that is a list":   {{Org: org, User: "ann", Doc: state("ann"), Events: events(`[1]`)}},
		"removal of no position":    {{Org: org, Writes: []store.Op{{Kind: store.OpXDel, Key: store.OutboxKey(0), Args: []string{"1"}}}}},
		"profile of nobody":         {{Org: org, ProfileChanged: true}},
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
		if _, err := h.Commit(context.Background(), store.Partition(h.Partitions()), nil); err == nil {
			t.Error("partition out of range: no error")
		}
		if h.tail() != before {
			t.Error("a refused commit wrote something")
		}
	})
}

// What one commit writes with two commands is always seen together, and no increment is lost.
func TestCommit_ConcurrentWritersAndReaders(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		const writers, each = 4, 25
		h.commit(counted("", 0))
		stop, read, written := make(chan struct{}), make(chan error, 1), make(chan error, writers)
		go func() { read <- readTogether(h, stop) }()
		for range writers {
			go func() {
				for range each {
					if err := increment(h); err != nil {
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
		if got := string(h.doc(state("ann")).Content); got != strconv.Itoa(writers*each) {
			t.Errorf("count %s; want %d", got, writers*each)
		}
	})
}

// counted is a group that sets a user's document and cold state to a count.
func counted(expect store.Version, n int) store.Group {
	g := write("ann", expect, strconv.Itoa(n))
	g.Writes = []store.Op{{Kind: store.OpSet, Key: store.ColdKey(0, org, "ann"), Args: []string{"12345678" + strconv.Itoa(n)}}}
	for i := range 300 { // time for a reader to come between
		g.Writes = append(g.Writes, store.Op{Kind: store.OpDel, Key: store.ProfileKey(0, org, activity.User(strconv.Itoa(i)))})
	}
	return g
}

func readTogether(h *harness, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		docs, err := h.Docs(context.Background(), []store.Key{state("ann"), store.ColdKey(0, org, "ann")})
		if err != nil {
			return err
		}
		if string(docs[0].Content) != string(docs[1].Content) {
			return fmt.Errorf("half a commit was seen: %q and %q", docs[0].Content, docs[1].Content)
		}
	}
}

// increment raises the count, as often as another writer comes first.
func increment(h *harness) error {
	ctx := context.Background()
	for {
		docs, err := h.Docs(ctx, []store.Key{state("ann")})
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(docs[0].Content))
		if err != nil {
			return err
		}
		r, err := h.Commit(ctx, 0, []store.Group{counted(docs[0].Version, n+1)})
		if err != nil || r.Outcomes[0].Status == store.Applied {
			return err
		}
	}
}
