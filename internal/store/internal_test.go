package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

func openDir(t testing.TB, o Options) (*Store, *embedded) {
	t.Helper()
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, s.driver.(*embedded)
}

func set(u activity.User, expect Version, content string) Group {
	return Group{Org: "o", User: u, Doc: StateKey(0, "o", u), Expect: expect, Content: []byte(content),
		Writes: []Op{{Kind: OpHSet, Key: LogKey(0, "o", u), Args: []string{"id", content}}, {Kind: OpAppend, Key: OutboxKey(0), Args: []string{"a", "b"}}},
		Boards: []BoardWrite{{Board: feed.Board{Org: "o", Rule: "r", Label: "all"}, User: u, New: &Standing{Value: 9, Reached: 8}}},
	}
}

func mustCommit(t testing.TB, s *Store, groups ...Group) Result {
	t.Helper()
	r, err := s.Commit(context.Background(), 0, groups)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range r.Outcomes {
		if o.Status != Applied {
			t.Fatalf("outcome %+v", o)
		}
	}
	return r
}

func TestEmbedded_FailedAppendStopsTheStore(t *testing.T) {
	dir := t.TempDir()
	s, e := openDir(t, Options{DataDir: dir})
	first := mustCommit(t, s, set("ann", "", "1"))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	if err := e.file.f.Close(); err != nil { // as good as a full disk
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Commit(ctx, 0, []Group{set("ann", first.Version, "2")}); !errors.Is(err, ErrUnavailable) || !errors.Is(err, os.ErrClosed) {
			t.Errorf("commit: %v; want ErrUnavailable and the reason", err)
		}
	}
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Run returned %v; want the reason", err)
	}
	docs, err := s.Docs(ctx, []Key{StateKey(0, "o", "ann")})
	if err != nil || docs[0].Version != first.Version {
		t.Errorf("memory is ahead of the file: %+v, %v", docs, err)
	}
}

func TestEmbedded_RewriteKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	s, e := openDir(t, Options{DataDir: dir, Partitions: 2, ChangesBytes: 1})
	v := Version("")
	for i := range 300 {
		v = mustCommit(t, s, set("ann", v, strconv.Itoa(i))).Version
	}
	mustCommit(t, s, set("wide", "", "w"), Group{Org: "o", Writes: []Op{{Kind: OpHSet, Key: LogKey(0, "o", "wide"), Args: manyPairs(2_500)}}})
	before, grown := dump(t, e), e.file.size
	e.file.base = 1
	if err := e.tend(0); err != nil {
		t.Fatal(err)
	}
	if e.file.size >= grown || e.file.base != e.file.size {
		t.Errorf("%d bytes before the rewrite, %d after it", grown, e.file.size)
	}
	v = mustCommit(t, s, set("ann", v, "after")).Version
	last, err := s.Tail(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, e := openDir(t, Options{DataDir: dir})
	docs, err := again.Docs(context.Background(), []Key{StateKey(0, "o", "ann")})
	if err != nil || docs[0].Version != v || string(docs[0].Content) != "after" {
		t.Errorf("the commit after the rewrite: %+v, %v", docs, err)
	}
	if got := mustCommit(t, again, set("bob", "", "b")); got.Change.Prev != last {
		t.Errorf("the chain breaks: %v; want %v", got.Change.Prev, last)
	}
	after := dump(t, e)
	for k, want := range before {
		if k == string(MetaKey(0)) || k == string(ChangesKey(0)) || k == string(OutboxKey(0)) || k == string(StateKey(0, "o", "ann")) ||
			k == string(LogKey(0, "o", "ann")) || k == string(BoardKey(0, feed.Board{Org: "o", Rule: "r", Label: "all"})) {
			continue // changed since
		}
		if diff := cmp.Diff(want, after[k]); diff != "" {
			t.Errorf("%q (-before +after):\n%s", k, diff)
		}
	}
}

func manyPairs(n int) []string {
	pairs := make([]string, 0, 2*n)
	for i := range n {
		pairs = append(pairs, strconv.Itoa(i), "v")
	}
	return pairs
}

// dump is the memory as text, by key.
func dump(t *testing.T, e *embedded) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, k := range e.mem.mini.Keys() {
		w := copyWriter{}
		w.pending = -1 << 40 // never flushes
		if err := e.copyKey(&w, k); err != nil {
			t.Fatal(err)
		}
		all[k] = w.block
	}
	return all
}

func TestEmbedded_FailedRewriteKeepsTheFile(t *testing.T) {
	dir := t.TempDir()
	s, e := openDir(t, Options{DataDir: dir, Fsync: FsyncEverySec})
	mustCommit(t, s, set("ann", "", "1"))
	// A directory that is not empty cannot give way to the new file.
	if err := os.MkdirAll(filepath.Join(dir, rewriteName, "x"), 0o750); err != nil {
		t.Fatal(err)
	}
	e.file.base = 1
	err := e.tend(0)
	if err == nil {
		t.Error("the leftovers cannot be removed, and nobody says so")
	}
	if e.file.dirty.Load() {
		t.Error("everysec: a turn of Run left the file dirty")
	}
	mustCommit(t, s, set("bob", "", "1"))
}

// Commits that depend on each other and such that do not, all queued at once.
func TestEmbedded_ABatchActsLikeOneCommitAfterTheOther(t *testing.T) {
	s, e := openDir(t, Options{DataDir: t.TempDir(), Partitions: 2})
	e.turn <- struct{}{} // nobody writes until all are queued
	const n = 12
	type reply struct {
		status Status
		err    error
	}
	replies := make(chan reply, n)
	for i := range n {
		go func() {
			p := Partition(i % 2)
			key := StateKey(p, "o", activity.User(strconv.Itoa(i%4)))
			r, err := s.Commit(context.Background(), p, []Group{{Org: "o", Doc: key, Content: []byte("x")}})
			if err != nil {
				replies <- reply{err: err}
				return
			}
			replies <- reply{status: r.Outcomes[0].Status}
		}()
	}
	for queued := 0; queued < n; {
		e.mu.Lock()
		queued = len(e.queue)
		e.mu.Unlock()
	}
	<-e.turn
	count := map[Status]int{}
	for range n {
		r := <-replies
		if r.err != nil {
			t.Fatal(r.err)
		}
		count[r.status]++
	}
	if diff := cmp.Diff(map[Status]int{Applied: 4, Stale: n - 4}, count); diff != "" {
		t.Errorf("four documents, each made once (-want +got):\n%s", diff)
	}
}

func TestEmbedded_IDsGrowThoughTheClockGoesBack(t *testing.T) {
	now := time.UnixMilli(5_000)
	s, _ := openDir(t, Options{DataDir: t.TempDir(), Clock: func() time.Time { return now }})
	first := mustCommit(t, s, set("ann", "", ""))
	now = time.UnixMilli(4_000)
	second := mustCommit(t, s, set("bob", "", ""))
	want := []feed.Position{{Ms: 5_000}, {Ms: 5_000, Seq: 1}}
	if diff := cmp.Diff(want, []feed.Position{first.Position, second.Position}); diff != "" {
		t.Errorf("positions (-want +got):\n%s", diff)
	}
}

// TestEmbedded_IDsOfTransfersGrowThoughAllWereTakenOut: nor does a rewrite of the file forget them, or that the clock went back before the next start.
func TestEmbedded_IDsOfTransfersGrowThoughAllWereTakenOut(t *testing.T) {
	ctx, dir, now := context.Background(), t.TempDir(), time.UnixMilli(5_000)
	clock := func() time.Time { return now }
	s, e := openDir(t, Options{DataDir: dir, Clock: clock})
	send := func(s *Store, expect Version) (feed.Position, Version) {
		g := set("ann", expect, "")
		g.Writes = append(g.Writes, AppendTransfer(0, []byte("t")))
		v := mustCommit(t, s, g).Version
		list, err := s.Transfers(ctx, 0, feed.Position{}, 10)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		return list[0].ID, v
	}
	first, v := send(s, "")
	mustCommit(t, s, Group{Writes: []Op{RemoveTransfers(0, []feed.Position{first})}})
	for range 2 { // the second copy is of a stream that holds nothing from the start
		e.file.base = 1
		if err := e.tend(0); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		now = time.UnixMilli(4_000)
		s, e = openDir(t, Options{DataDir: dir, Clock: clock})
	}
	if second, _ := send(s, v); second.Compare(first) <= 0 {
		t.Errorf("after %v comes %v", first, second)
	}
}

func TestStore_LeavesNoGoroutines(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, _ := openDir(t, Options{DataDir: t.TempDir()})
	mustCommit(t, s, set("ann", "", ""))
	if _, err := s.Changes(context.Background(), 0, feed.Position{}, 1, 0); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestMember_SortsByTimeAndComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reached := rapid.Int64Range(0, maxReached)
		a, b := reached.Draw(t, "a"), reached.Draw(t, "b")
		user := activity.User(rapid.StringN(1, 20, 128).Draw(t, "user"))
		for _, ascending := range []bool{true, false} {
			ma, mb := Member(Standing{Reached: a}, ascending, user), Member(Standing{Reached: b}, ascending, user)
			if first := a < b; a != b && (ma < mb) != (first == ascending) {
				t.Fatalf("ascending %v: %d → %q, %d → %q", ascending, a, ma, b, mb)
			}
			at, u, err := ParseMember(ma, ascending)
			if at != a || u != user || err != nil {
				t.Fatalf("%q came back as %d, %q, %v", ma, at, u, err)
			}
		}
	})
	for _, bad := range []string{"", "12345678", "1234567!user"} {
		if _, _, err := ParseMember(bad, true); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestKeys_AreThoseOfTheDesign(t *testing.T) {
	board := feed.Board{Org: "git", Rule: "daily.current", Label: "all"}
	got := []Key{StateKey(3, "git", "a:b"), ColdKey(3, "git", "u"), ProfileKey(3, "git", "u"), LogKey(3, "git", "u"), BoardKey(3, board), FenceKey(3, "git"), ClosedKey("git"),
		DueKey(3), ChangesKey(3), TransfersKey(3), OutboxKey(3), MetaKey(3), CatalogKey("git"), KeysKey()}
	want := []Key{"{3}:u:git:a:b", "{3}:c:git:u", "{3}:p:git:u", "{3}:l:git:u", "{3}:b:git:daily.current:all", "{3}:f:git", "{0}:closed:git",
		"{3}:due", "{3}:changes", "{3}:transfers", "{3}:outbox", "{3}:meta", "{0}:catalog:git", "{0}:keys"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func FuzzEntry_DecodeNeverPanics(f *testing.F) {
	c, err := prepare(0, "AAAAAAAA", []Group{set("ann", "", ""), {Org: "o", OrgChanged: true}, {Org: "o", User: "bob", Doc: StateKey(0, "o", "bob"), Events: [][]byte{[]byte(`{"n":1}`)}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(c.dict), string(c.blobs))
	f.Add("", "")
	f.Fuzz(func(t *testing.T, boards, groups string) {
		e := entry{prev: "0-0", boards: boards, groups: groups}
		if _, err := e.decode(0); err != nil && !errors.Is(err, errEntry) {
			t.Errorf("error %v; want errEntry", err)
		}
	})
}

func TestPartitionOf_IsStableAndEven(t *testing.T) {
	s := &Store{partitions: 16}
	// Pinned: other numbers would lose every user of a deployment.
	pinned := []Partition{s.PartitionOf("git", "ann"), s.PartitionOf("git", "bob"), s.PartitionOf("acme", "ann")}
	if diff := cmp.Diff([]Partition{11, 13, 1}, pinned); diff != "" {
		t.Errorf("partitions (-want +got):\n%s", diff)
	}
	count := map[Partition]int{}
	for i := range 16_000 {
		count[s.PartitionOf("git", activity.User("user-"+strconv.Itoa(i)))]++
	}
	for p := range Partition(16) {
		if count[p] < 800 || count[p] > 1_200 {
			t.Errorf("partition %d has %d of 16,000 users", p, count[p])
		}
	}
}
