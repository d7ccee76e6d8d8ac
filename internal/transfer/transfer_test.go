package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/query"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/internal/transfer"
	"laurel/internal/verify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(shared.Main(m)) }

// shared is the cluster of all tests of this package.
var shared testenv.Shared

const org = testenv.WorldOrg

func embedded(t *testing.T, partitions int) store.Options {
	return store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo, Partitions: partitions}
}

func redis(t *testing.T, partitions int) store.Options {
	return store.Options{URL: testenv.StartRedis(t).URL(), Partitions: partitions}
}

// lived is a deployment with a history in it: folded logs, a rule that was redefined since, undo, an import, keys, an outage.
func lived(t *testing.T, o store.Options, seed uint64) *testenv.World {
	t.Helper()
	t.Logf("seed %d", seed)
	w := testenv.NewWorld(t, o)
	w.Publish(testenv.WorldCatalog)
	r := rand.New(rand.NewPCG(seed, 0))
	w.Live(r, 30)
	w.Publish(strings.Replace(testenv.WorldCatalog, "{id: sum, when: {}", "{id: sum, when: {name: b}", 1))
	w.Live(r, 15)
	w.CloseAll()
	old := testenv.WorldActivity(r, w.Now.Add(-2*24*time.Hour), 1)
	old.Activity.Offset = 330
	i, err := w.Writes.CreateImport(t.Context(), org)
	if err == nil {
		_, err = w.Writes.Submit(t.Context(), org, []ingest.Item{old}, ingest.SubmitOptions{Import: i.ID})
	}
	if err == nil {
		_, err = w.Writes.CloseImport(t.Context(), org, i.ID)
	}
	keys := auth.New(w.Store, w.Clock)
	if err == nil {
		err = keys.Bootstrap(t.Context(), "sk_test", []activity.Org{org})
	}
	if err == nil {
		name, picture := "Ann", "https://x.org/p"
		err = w.Writes.SetUser(t.Context(), org, "u:1", ingest.UserChange{Name: &name, Picture: &picture, Profile: profile.Change{Texts: map[string]string{"email": "Ann@X.org", "number": "7"}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	settle(t, w)
	// One name stands for another user, and one is hidden.
	name := old
	name.Activity.ID, name.Activity.User, name.Activity.At = "before", "u:old", calendar.InstantOf(w.Now)
	_, err = w.Writes.Submit(t.Context(), org, []ingest.Item{name}, ingest.SubmitOptions{})
	if err == nil {
		err = w.Writes.Merge(t.Context(), org, "u:old", "u:1")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Writes.Hide(t.Context(), org, "u:7"); err != nil {
		t.Fatal(err)
	}
	now := w.Clock.Now()
	if _, err := w.Writes.DeclareOutage(t.Context(), org, now-2, now-1, "maintenance"); err != nil {
		t.Fatal(err)
	}
	settle(t, w)
	return w
}

// settle waits until all that moves by itself has moved: deadlines that passed are swept, and users follow the catalog.
func settle(t *testing.T, w *testenv.World) {
	t.Helper()
	for {
		r, err := verify.Check(t.Context(), verify.Options{Store: w.Store, Registry: w.Registry, Clock: w.Clock})
		if err != nil || r.Total() > 0 {
			t.Fatal(err, r)
		}
		_, filling, err := w.Writes.Backfill(t.Context(), org)
		if err != nil {
			t.Fatal(err)
		}
		if r.Overdue == 0 && r.Pending == 0 && !filling {
			return
		}
	}
}

func export(t *testing.T, w *testenv.World) []byte {
	t.Helper()
	var out bytes.Buffer
	counts, err := transfer.Export(t.Context(), transfer.ExportOptions{Store: w.Store, Registry: w.Registry, Clock: w.Clock}, &out)
	if err != nil {
		t.Fatal(err)
	}
	if checked, err := transfer.Check(bytes.NewReader(out.Bytes())); err != nil || checked != counts {
		t.Fatal(err, checked, counts)
	}
	return out.Bytes()
}

func restore(t *testing.T, w *testenv.World, dump io.Reader) (transfer.Counts, error) {
	t.Helper()
	return transfer.Import(t.Context(), transfer.ImportOptions{Store: w.Store, Registry: w.Registry, Clock: w.Clock}, dump)
}

// unique is what differs between two exports of the same data.
var unique = regexp.MustCompile(`"(id|created_at|sha256)":"[^"]*"`)

func canonical(dump []byte) []string {
	lines := strings.Split(string(dump), "\n")
	for _, i := range []int{0, len(lines) - 2} {
		lines[i] = unique.ReplaceAllString(lines[i], "")
	}
	return lines
}

// answers are what reads say: every board with its ranks, every user with streaks, activities and ranks.
func answers(t *testing.T, w *testenv.World) map[string]string {
	t.Helper()
	reads := query.New(w.Writes, w.Boards, w.Clock, func() []byte { return make([]byte, 32) })
	out := map[string]string{}
	boards := map[string]bool{}
	err := w.Store.Walk(t.Context(), func(n store.Named) error {
		if n.Kind == store.BoardOf {
			boards[n.Board.Rule+"/"+n.Board.Label] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for b := range boards {
		rule, label, _ := strings.Cut(b, "/")
		rule, segment := progress.CutSegment(rule)
		l, err := reads.With(query.Show{Segment: segment, Profiles: true}).Leaderboard(t.Context(), org, rule, label, query.Page{Limit: 100}, nil)
		if errors.Is(err, query.ErrPeriodGone) {
			continue // its board may still be there or not
		} else if err != nil {
			t.Fatal(b, err)
		}
		out[b] = fmt.Sprint(l.Total, string(query.AppendRows(nil, l.Rows)))
	}
	for n := range 12 {
		u := activity.User(fmt.Sprint("u:", n))
		profile, err := reads.User(t.Context(), org, u)
		list, _, err2 := w.Writes.Activities(t.Context(), org, u, ingest.ActivityQuery{Limit: 1000})
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		out[string(u)] = fmt.Sprintf("%+v %+v", profile, list)
	}
	return out
}

func TestImport_AnswersAsBefore(t *testing.T) {
	for name, between := range map[string][2]func(*testing.T, int) store.Options{
		"embedded to redis": {embedded, redis},
		"redis to embedded": {redis, embedded},
	} {
		t.Run(name, func(t *testing.T) {
			from := lived(t, between[0](t, 3), rand.Uint64())
			dump := export(t, from)
			to := testenv.NewWorld(t, between[1](t, 5))
			to.Set(from.Now)
			if _, err := restore(t, to, bytes.NewReader(dump)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(canonical(dump), canonical(export(t, to))); diff != "" {
				t.Errorf("exported again: %s", diff)
			}
			if diff := cmp.Diff(answers(t, from), answers(t, to)); diff != "" {
				t.Errorf("answers: %s", diff)
			}
			settle(t, to)
			claimed(t, to)
			goOn(t, from, to)
		})
	}
}

// TestImport_FromStoreToStore: a deployment outgrows a server, then 16 partitions of a cluster, and then comes to fit into a process. After each move it answers as
// before, and all that follows from what was decided is as it should be.
func TestImport_FromStoreToStore(t *testing.T) {
	from := lived(t, redis(t, 1), rand.Uint64())
	first, was := export(t, from), answers(t, from)
	dump, last := first, (*testenv.World)(nil)
	move := func(t *testing.T, o store.Options, partitions int) *testenv.World {
		to := testenv.NewWorld(t, o)
		to.Set(from.Now)
		if _, err := restore(t, to, bytes.NewReader(dump)); err != nil {
			t.Fatal(err)
		}
		if to.Store.Partitions() != partitions {
			t.Errorf("%d partitions", to.Store.Partitions())
		}
		settle(t, to)
		if diff := cmp.Diff(was, answers(t, to)); diff != "" {
			t.Errorf("answers: %s", diff)
		}
		dump = export(t, to)
		if diff := cmp.Diff(canonical(first), canonical(dump)); diff != "" {
			t.Errorf("exported again: %s", diff)
		}
		return to
	}
	t.Run("to a cluster", func(t *testing.T) { move(t, store.Options{URL: shared.Cluster(t).URL()}, 16) })
	t.Run("to more partitions", func(t *testing.T) { move(t, store.Options{URL: shared.Cluster(t).URL(), Partitions: 40}, 40) })
	last = move(t, embedded(t, 1), 1)
	claimed(t, last)
	goOn(t, from, last)
}

// claimed: unique values are whose they were, and nobody else gets them.
func claimed(t *testing.T, w *testenv.World) {
	t.Helper()
	if got, err := w.Writes.Find(t.Context(), org, "email", "ann@x.org"); got != "u:1" || err != nil {
		t.Errorf("found %q, %v", got, err)
	}
	other := ingest.UserChange{Profile: profile.Change{Texts: map[string]string{"number": "7"}}}
	if err := w.Writes.SetUser(t.Context(), org, "u:3", other); !errors.Is(err, ingest.ErrTaken) {
		t.Errorf("another one's number: %v", err)
	}
}

// goOn does the same to both: repetitions are known, old activities can be undone, new ones count.
func goOn(t *testing.T, worlds ...*testenv.World) {
	t.Helper()
	var said []map[string]string
	for _, w := range worlds {
		r := rand.New(rand.NewPCG(7, 7))
		list, _, err := w.Writes.Activities(t.Context(), org, "u:3", ingest.ActivityQuery{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		last := list[len(list)-1]
		again, err := w.Writes.Submit(t.Context(), org, []ingest.Item{{Activity: last}}, ingest.SubmitOptions{})
		if err != nil || again.Outcomes[0].Status != ingest.StatusDuplicate {
			t.Error(err, again)
		}
		for _, a := range list {
			if a.Status == activity.Accepted {
				_, err = w.Writes.Reject(t.Context(), org, "u:3", a.ID, "late")
			} else {
				_, err = w.Writes.Restore(t.Context(), org, "u:3", a.ID)
			}
			if err != nil {
				t.Error(err)
			}
		}
		other := testenv.WorldActivity(r, w.Now, 777)
		other.Activity.User = "u:old" // a name of u:1
		if report, err := w.Writes.Submit(t.Context(), org, []ingest.Item{other}, ingest.SubmitOptions{}); err != nil || report.Accepted+report.Ignored != 1 {
			t.Error(report, err)
		}
		w.Live(r, 3)
		settle(t, w)
		said = append(said, answers(t, w))
	}
	if diff := cmp.Diff(said[0], said[1]); diff != "" {
		t.Error(diff)
	}
}

// cut is a dump that ends as if the process had been killed.
type cut struct{ io.Reader }

var errCut = errors.New("cut")

func (c cut) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		err = errCut
	}
	return n, err
}

func TestImport_IsTakenUp(t *testing.T) {
	from := lived(t, embedded(t, 1), 1)
	dump := export(t, from)
	to := testenv.NewWorld(t, embedded(t, 2))
	to.Set(from.Now)
	for n := 1; n <= 4; n++ {
		_, err := restore(t, to, cut{bytes.NewReader(dump[:len(dump)*n/5])})
		if !errors.Is(err, errCut) {
			t.Fatal(err)
		}
		if unfinished, err := transfer.Unfinished(t.Context(), to.Store); err != nil || !unfinished {
			t.Errorf("not marked as unfinished: %v", err)
		}
	}
	if _, err := restore(t, to, bytes.NewReader(export(t, from))); !errors.Is(err, transfer.ErrNotEmpty) {
		t.Errorf("another dump on top of it: %v", err)
	}
	if _, err := restore(t, to, bytes.NewReader(dump)); err != nil {
		t.Fatal(err)
	}
	if unfinished, err := transfer.Unfinished(t.Context(), to.Store); err != nil || unfinished {
		t.Errorf("marked as unfinished: %v", err)
	}
	if diff := cmp.Diff(canonical(dump), canonical(export(t, to))); diff != "" {
		t.Error(diff)
	}
	settle(t, to)
	if _, err := restore(t, to, bytes.NewReader(dump)); !errors.Is(err, transfer.ErrNotEmpty) {
		t.Errorf("once more: %v", err)
	}
}

func TestImport_RefusesAUserWhoIsAnotherOne(t *testing.T) {
	from := lived(t, embedded(t, 1), 2)
	dump := export(t, from)
	to := testenv.NewWorld(t, embedded(t, 1))
	to.Set(from.Now)
	if _, err := restore(t, to, cut{bytes.NewReader(dump[:len(dump)-40])}); !errors.Is(err, errCut) {
		t.Fatal(err)
	}
	item := testenv.WorldActivity(rand.New(rand.NewPCG(3, 3)), to.Now, 12345678)
	if _, err := to.Writes.Submit(t.Context(), org, []ingest.Item{item}, ingest.SubmitOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(t, to, bytes.NewReader(dump)); !errors.Is(err, transfer.ErrNotEmpty) || !strings.Contains(err.Error(), string(item.Activity.User)) {
		t.Error(err)
	}
}

func TestCheck_RefusesWhatIsNotWhole(t *testing.T) {
	dump := string(export(t, lived(t, embedded(t, 1), 3)))
	lines := strings.SplitAfter(dump, "\n")
	lines = lines[:len(lines)-1]
	n := len(lines)
	user := 0
	for i, l := range lines {
		if strings.Contains(l, `"type":"user"`) {
			user = i
			break
		}
	}
	for name, tt := range map[string]struct {
		dump string
		want error
		line int
	}{
		"nothing":              {"", transfer.ErrDamaged, 1},
		"something else":       {"hello\n", transfer.ErrFormat, 1},
		"another format":       {strings.Replace(dump, `"format":1`, `"format":2`, 1), transfer.ErrFormat, 1},
		"cut at a line":        {strings.Join(lines[:n-1], ""), transfer.ErrDamaged, n},
		"cut within a line":    {dump[:len(dump)-3], transfer.ErrDamaged, n},
		"cut within a user":    {strings.Join(lines[:user+2], ""), transfer.ErrDamaged, user + 3},
		"a line less":          {strings.Join(lines[:user+1], "") + strings.Join(lines[user+2:], ""), transfer.ErrDamaged, 0},
		"a line twice":         {strings.Join(lines[:user+2], "") + strings.Join(lines[user+1:], ""), transfer.ErrDamaged, 0},
		"another digit":        {strings.Replace(dump, `"n":1`, `"n":2`, 1), transfer.ErrDamaged, n},
		"no JSON":              {strings.Join(lines[:5], "") + "{\n", transfer.ErrDamaged, 6},
		"an unknown type":      {strings.Join(lines[:5], "") + "{\"type\":\"x\"}\n", transfer.ErrDamaged, 6},
		"an unknown member":    {strings.Replace(dump, `{"type":"user",`, `{"type":"user","x":1,`, 1), transfer.ErrDamaged, user + 1},
		"a header in between":  {lines[0] + lines[0], transfer.ErrDamaged, 2},
		"something after":      {dump + "{}\n", transfer.ErrDamaged, n + 1},
		"a status of its own":  {strings.Replace(dump, `"status":"accepted"`, `"status":"great"`, 1), transfer.ErrDamaged, 0},
		"orgs after the users": {strings.Join(lines[:user], "") + strings.Join(lines[user:n-1], "") + lines[1], transfer.ErrDamaged, n},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := transfer.Check(strings.NewReader(tt.dump))
			if !errors.Is(err, tt.want) || !strings.HasPrefix(err.Error(), "line ") || tt.line > 0 && !strings.HasPrefix(err.Error(), fmt.Sprintf("line %d:", tt.line)) {
				t.Errorf("%v, want line %d", err, tt.line)
			}
		})
	}
}

// TestImport_LargeUsers: a log that does not fit into one commit.
func TestImport_LargeUsers(t *testing.T) {
	from := testenv.NewWorld(t, embedded(t, 1))
	from.Publish(testenv.WorldCatalog)
	items := make([]ingest.Item, 4000)
	for i := range items {
		items[i] = ingest.Item{Activity: activity.Activity{ID: activity.ID(fmt.Sprintf("%064d", i)), User: "big", Name: "b", AtGiven: true,
			At: calendar.InstantOf(from.Now) - calendar.Instant(i), Meta: fmt.Appendf(nil, `{"n":%d,"x":%q}`, i%7, strings.Repeat("y", 2500))}}
	}
	if _, err := from.Writes.Submit(t.Context(), org, items, ingest.SubmitOptions{}); err != nil {
		t.Fatal(err)
	}
	dump := export(t, from)
	if len(dump) < 10<<20 {
		t.Fatalf("only %d bytes", len(dump))
	}
	to := testenv.NewWorld(t, embedded(t, 2))
	to.Set(from.Now)
	if _, err := restore(t, to, bytes.NewReader(dump)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(canonical(dump), canonical(export(t, to))); diff != "" {
		t.Error("they differ")
	}
	settle(t, to)
}

// TestExport_BesideWrites: each user of an export is whole, whatever happens meanwhile.
func TestExport_BesideWrites(t *testing.T) {
	from := lived(t, redis(t, 2), 4)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r := rand.New(rand.NewPCG(5, 5))
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := from.Writes.Submit(context.Background(), org, []ingest.Item{testenv.WorldActivity(r, from.Now, 10_000_000+i)}, ingest.SubmitOptions{}); err != nil {
				t.Error(err)
			}
		}
	}()
	var dumps [][]byte
	for range 3 {
		dumps = append(dumps, export(t, from))
	}
	stop()
	<-ended
	for _, dump := range dumps {
		to := testenv.NewWorld(t, embedded(t, 1))
		to.Set(from.Now)
		if _, err := restore(t, to, bytes.NewReader(dump)); err != nil {
			t.Fatal(err)
		}
		settle(t, to)
		if diff := cmp.Diff(canonical(dump), canonical(export(t, to))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestExport_WithoutKeysAndDamaged(t *testing.T) {
	w := lived(t, embedded(t, 1), 6)
	var out bytes.Buffer
	o := transfer.ExportOptions{Store: w.Store, Registry: w.Registry, Clock: w.Clock, WithoutKeys: true, Orgs: []activity.Org{org}}
	counts, err := transfer.Export(t.Context(), o, &out)
	if err != nil || counts.Keys != 0 || counts.Users != 13 || counts.Imports != 1 || bytes.Contains(out.Bytes(), []byte(`"type":"key"`)) {
		t.Errorf("%+v %v", counts, err)
	}
	if _, err := w.Store.Commit(t.Context(), 0, []store.Group{{Org: org, Writes: []store.Op{{Kind: store.OpSet, Key: store.StateKey(0, org, "u:3"), Args: []string{"AAAAAAAA?"}}}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Export(t.Context(), o, io.Discard); !errors.Is(err, transfer.ErrUnreadable) || !strings.Contains(err.Error(), "u:3") {
		t.Error(err)
	}
}

// Orgs are exported in the order of their ids, whoever of them stands above the other.
func TestImport_OrgsOfAHierarchy(t *testing.T) {
	from, to := testenv.NewWorld(t, embedded(t, 1)), testenv.NewWorld(t, embedded(t, 1))
	if _, err := from.Registry.Apply(t.Context(), []byte("orgs: [{id: a, parent: b}, {id: b}]")); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(t, to, bytes.NewReader(export(t, from))); err != nil {
		t.Fatal(err)
	}
	if below := to.Registry.Below("b"); len(below) != 2 {
		t.Errorf("below b: %v", below)
	}
}
