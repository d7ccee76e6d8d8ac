package store_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("LAUREL_TEST_STORE_CHILD"); dir != "" {
		if err := childWrites(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(shared["redis-server"].Main(shared["valkey-server"].Main(m)).Run())
}

const childUsers = 7

// childWrites commits for ever, and says so on stdout after each commit.
func childWrites(dir string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{DataDir: dir, Fsync: store.FsyncAlways, Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	for {
		u := activity.User(strconv.Itoa(rand.IntN(childUsers)))
		docs, err := s.Docs(ctx, []store.Key{state(u)})
		if err != nil {
			return err
		}
		was, _ := strconv.Atoi(string(docs[0].Content))
		g := childGroup(u, docs[0].Version, was)
		r, err := s.Commit(ctx, 0, []store.Group{g})
		if err != nil || r.Outcomes[0].Status != store.Applied || r.Durability != store.Fsync {
			return fmt.Errorf("%+v, %w", r, err)
		}
		fmt.Println(u, was+1)
	}
}

// childGroup raises a user's count by one, everywhere.
func childGroup(u activity.User, v store.Version, was int) store.Group {
	count := strconv.Itoa(was + 1)
	g := write(u, v, count)
	g.AbsentIn, g.Absent = store.LogKey(0, org, u), []string{count}
	g.Writes = []store.Op{
		{Kind: store.OpHSet, Key: g.AbsentIn, Args: []string{count, strings.Repeat("r", 50)}},
		{Kind: store.OpAppend, Key: store.OutboxKey(0), Args: []string{"user", string(u), "count", count}},
	}
	w := place(weekly(1), u, nil, &store.Standing{Value: int64(was + 1), Reached: int64(was + 1)})
	if was > 0 {
		w.Old = &store.Standing{Value: int64(was), Reached: int64(was)}
	}
	g.Boards = []store.BoardWrite{w}
	return g
}

func TestEmbedded_KillLosesNothingAcknowledgedAndDoublesNothing(t *testing.T) {
	dir := t.TempDir()
	acked := map[activity.User]int{}
	for range 6 {
		killChildAfter(t, dir, 1+rand.IntN(60), acked)
		verifyCounts(t, dir, acked)
	}
	if len(acked) == 0 {
		t.Error("nothing was acknowledged in any round")
	}
}

// killChildAfter runs a child until it has acknowledged n commits, kills it, and notes all that it acknowledged.
func killChildAfter(t *testing.T, dir string, n int, acked map[activity.User]int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LAUREL_TEST_STORE_CHILD="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	seen := 0
	for lines.Scan() {
		var u string
		var count int
		if _, err := fmt.Sscan(lines.Text(), &u, &count); err != nil {
			t.Fatalf("child said %q", lines.Text())
		}
		acked[activity.User(u)] = count
		if seen++; seen == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); seen < n {
		t.Fatalf("child ended by itself: %v\n%s", err, stderr.String())
	}
}

// verifyCounts checks that every place says the same count of a user, and that it is the acknowledged one or the one that was on its way.
func verifyCounts(t *testing.T, dir string, acked map[activity.User]int) {
	t.Helper()
	h := open(t, store.Options{DataDir: dir})
	defer h.Close()
	rows := h.board(weekly(1), false)
	sent, err := h.Client().XRange(context.Background(), string(store.OutboxKey(0)), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	events := map[string]int{}
	for _, e := range sent {
		events[fmt.Sprint(e.Values["user"], " ", e.Values["count"])]++
	}
	ahead := 0
	for i := range childUsers {
		u := activity.User(strconv.Itoa(i))
		count, _ := strconv.Atoi(string(h.doc(state(u)).Content))
		if count != acked[u] {
			ahead++
			if count != acked[u]+1 {
				t.Errorf("user %s has %d; %d was acknowledged", u, count, acked[u])
			}
		}
		acked[u] = count
		if log := h.hash(store.LogKey(0, org, u)); len(log) != count || int(rows[u].Value) != count {
			t.Errorf("user %s has %d, its log %d, its board %+v", u, count, len(log), rows[u])
		}
		for n := 1; n <= count; n++ {
			if got := events[fmt.Sprint(u, " ", n)]; got != 1 {
				t.Errorf("event %d of user %s was sent %d times", n, u, got)
			}
		}
	}
	if ahead > 1 {
		t.Errorf("%d commits were not acknowledged; one can be on its way", ahead)
	}
	prev := feed.Position{}
	for _, c := range h.changes(feed.Position{}) {
		if c.Prev != prev {
			t.Errorf("change %v follows %v; want %v", c.ID, c.Prev, prev)
		}
		prev = c.ID
	}
}

// fileOfCommits makes a store with some commits in a new directory, and gives its file and where the file ended after each commit.
func fileOfCommits(t *testing.T, n int) (file []byte, ends []int) {
	t.Helper()
	dir := t.TempDir()
	h := open(t, store.Options{DataDir: dir})
	path := filepath.Join(dir, "appendonly.aof")
	size := func() int {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Size())
	}
	ends = append(ends, size())
	v := store.Version("")
	for i := range n {
		v = h.commit(childGroup("0", v, i)).Version
		ends = append(ends, size())
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file, ends
}

// reopen opens a store on a file with this content.
func reopen(t testing.TB, dir string, content []byte) (*store.Store, error) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "appendonly.aof"), content, 0o640); err != nil {
		t.Fatal(err)
	}
	return store.Open(context.Background(), store.Options{DataDir: dir, Fsync: store.FsyncNo, Log: zerolog.Nop()})
}

func TestEmbedded_TornEndIsCutBackToTheLastCommit(t *testing.T) {
	file, ends := fileOfCommits(t, 5)
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		cut := rapid.IntRange(ends[0], len(file)).Draw(rt, "cut")
		torn := bytes.Clone(file[:cut])
		if rapid.Bool().Draw(rt, "zeros") {
			torn = append(torn, make([]byte, 4096)...)
		}
		want := 0
		for i, end := range ends {
			if end <= cut {
				want = i
			}
		}
		at := filepath.Join(dir, strconv.Itoa(n))
		s, err := reopen(t, at, torn)
		if err != nil {
			rt.Fatalf("open: %v", err)
		}
		defer s.Close()
		h := &harness{Store: s, t: t}
		d := h.doc(state("0"))
		if got, _ := strconv.Atoi(string(d.Content)); got != want {
			rt.Fatalf("cut at %d: count %d; want %d", cut, got, want)
		}
		info, err := os.Stat(filepath.Join(at, "appendonly.aof"))
		if err != nil || int(info.Size()) != ends[want] {
			rt.Fatalf("the file has %d bytes, %v; want %d", info.Size(), err, ends[want])
		}
		wants(t, h.commit(childGroup("0", d.Version, want)), store.Applied)
	})
}

func TestEmbedded_ChangedByteStopsTheStart(t *testing.T) {
	file, _ := fileOfCommits(t, 5)
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		broken := bytes.Clone(file)
		at := rapid.IntRange(0, len(file)-1-len("*1\r\n$4\r\nEXEC\r\n")).Draw(rt, "at")
		broken[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "flip"))
		s, err := reopen(t, filepath.Join(dir, strconv.Itoa(n)), broken)
		if err == nil {
			s.Close()
			rt.Fatalf("byte %d of %d changed from %q to %q: no error", at, len(file), file[at], broken[at])
		}
		if !strings.Contains(err.Error(), "offset") {
			rt.Fatalf("the error does not name the offset: %v", err)
		}
	})
}

func TestEmbedded_ForeignContentStopsTheStart(t *testing.T) {
	file, ends := fileOfCommits(t, 2)
	insert := func(s string) []byte {
		return append(append(bytes.Clone(file[:ends[1]]), s...), file[ends[1]:]...)
	}
	for name, content := range map[string][]byte{
		"text":                  insert("hello\r\n"),
		"command outside block": insert("*1\r\n$4\r\nPING\r\n"),
		"unknown command":       insert("*1\r\n$5\r\nMULTI\r\n*1\r\n$8\r\nFLUSHALL\r\n*1\r\n$4\r\nEXEC\r\n"),
		"block without a sum":   insert("*1\r\n$5\r\nMULTI\r\n*2\r\n$3\r\nDEL\r\n$1\r\nx\r\n*1\r\n$4\r\nEXEC\r\n"),
		"text at the end":       append(bytes.Clone(file), "hello"...),
		"zeros in the middle":   insert(string(make([]byte, 4096))),
	} {
		s, err := reopen(t, filepath.Join(t.TempDir(), "d"), content)
		if err == nil {
			s.Close()
			t.Errorf("%s: no error", name)
			continue
		}
		if !strings.Contains(err.Error(), "offset") {
			t.Errorf("%s: the error does not name the offset: %v", name, err)
		}
	}
}

func TestEmbedded_DirectoryIsLocked(t *testing.T) {
	h := open(t, store.Options{DataDir: t.TempDir()})
	s, err := store.Open(context.Background(), h.options)
	if err == nil {
		s.Close()
		t.Fatal("a second store opened the same directory")
	}
	if !strings.Contains(err.Error(), h.options.DataDir) {
		t.Errorf("the error does not name the directory: %v", err)
	}
}

func TestEmbedded_WrongKindOfKeyIsRefusedBeforeTheFile(t *testing.T) {
	h := open(t, store.Options{DataDir: t.TempDir()})
	h.commit(store.Group{Org: org, Writes: []store.Op{{Kind: store.OpSet, Key: store.DueKey(0), Args: []string{"text"}}}})
	g := store.Group{Org: org, Writes: []store.Op{{Kind: store.OpZAdd, Key: store.DueKey(0), Args: []string{"1", "m"}}}}
	if _, err := h.Commit(context.Background(), 0, []store.Group{g}); err == nil {
		t.Fatal("no error")
	}
	wants(t, h.commit(write("ann", "", "x")), store.Applied)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if d := open(t, h.options).doc(state("ann")); string(d.Content) != "x" {
		t.Errorf("after reopening: %+v", d)
	}
}

func TestEmbedded_ClosedStoreRefuses(t *testing.T) {
	h := open(t, store.Options{DataDir: t.TempDir()})
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Commit(context.Background(), 0, []store.Group{write("ann", "", "")}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("commit: %v; want ErrUnavailable", err)
	}
}

func TestEmbedded_FileLoadsIntoARealServer(t *testing.T) {
	cli, err := exec.LookPath("redis-cli")
	if err != nil {
		t.Fatal("redis-cli is not on the PATH, and this test needs one: it comes with redis-server (apt-get install redis)")
	}
	h := open(t, store.Options{DataDir: t.TempDir(), Partitions: 2})
	versions := map[activity.User]store.Version{}
	for i := range 200 {
		u := activity.User("u" + strconv.Itoa(i%20))
		g := childGroup(u, versions[u], i/20)
		g.Content = append(g.Content, 0, '\r', '\n', 0xff)
		versions[u] = h.commit(g, store.Group{Org: org, Writes: []store.Op{
			{Kind: store.OpZAdd, Key: store.DueKey(0), Args: []string{strconv.Itoa(i * 1_000_000_007), "d" + strconv.Itoa(i%30)}},
			{Kind: store.OpSet, Key: store.ColdKey(0, org, u), Args: []string{"cold\x00"}}}}).Version
	}
	server := testenv.StartRedis(t)
	file, err := os.Open(filepath.Join(h.options.DataDir, "appendonly.aof"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	host, port, _ := strings.Cut(server.Addr, ":")
	cmd := exec.Command(cli, "-h", host, "-p", port, "--pipe")
	cmd.Stdin = file
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("errors: 0")) {
		t.Fatalf("redis-cli --pipe: %v\n%s", err, out)
	}
	moved := open(t, store.Options{URL: server.URL()})
	if diff := cmp.Diff(everything(t, h.Client()), everything(t, moved.Client())); diff != "" {
		t.Errorf("keys (-embedded +server):\n%s", diff)
	}
	if moved.Partitions() != 2 || moved.tail() != h.tail() {
		t.Errorf("%d partitions, tail %v; want 2, %v", moved.Partitions(), moved.tail(), h.tail())
	}
	r := moved.commit(childGroup("new", "", 0))
	if r.Change.Prev != h.tail() {
		t.Errorf("the first change after the move follows %v; want %v", r.Change.Prev, h.tail())
	}
}

// everything reads every key, by the reads of its type.
func everything(t *testing.T, c redis.UniversalClient) map[string]any {
	t.Helper()
	ctx := context.Background()
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for _, k := range keys {
		kind, err := c.Type(ctx, k).Result()
		if err != nil {
			t.Fatal(err)
		}
		switch kind {
		case "string":
			all[k], err = c.Get(ctx, k).Result()
		case "hash":
			var h map[string]string
			h, err = c.HGetAll(ctx, k).Result()
			if k == string(store.MetaKey(0)) {
				delete(h, "sum")
			}
			all[k] = h
		case "zset":
			all[k], err = c.ZRangeWithScores(ctx, k, 0, -1).Result()
		case "stream":
			all[k], err = c.XRange(ctx, k, "-", "+").Result()
		default:
			t.Fatalf("key %q is of type %q", k, kind)
		}
		if err != nil {
			t.Fatalf("read %q: %v", k, err)
		}
	}
	return all
}
