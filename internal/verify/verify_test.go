package verify_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/internal/verify"
	"laurel/ranking"
	"laurel/streaks"
)

func TestCheck_ARandomHistoryIsClean(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		w.Live(rand.New(rand.NewPCG(seed, 0)), 40)
		var before *verify.Report
		w.withIndexes(testenv.BoardSource{Store: w.Store}, func() {
			r := w.mustBeClean()
			before = r
			if r.Users < 10 || r.Rows < 200 || r.Boards < 20 || r.Indexes != r.Boards || r.Activities < 100 {
				t.Errorf("too little was compared: %+v", r)
			}
		})
		if keys := fmt.Sprint(slices.Collect(maps.Keys(w.Snapshot()))); !strings.Contains(keys, ":sum@") || strings.Contains(keys, "no team") {
			t.Error("no boards of segments among them")
		}
		// What is gone is no difference, whether its boards were dropped or not, and states still have it or not.
		w.CloseAll()
		gone := w.mustBeClean()
		w.Live(rand.New(rand.NewPCG(seed, 1)), 1)
		entry, _ := w.Registry.Get(org)
		first := entry.Kept["count"]["day"]
		label := entry.Catalog.Calendar().Label(calendar.Cycle{Unit: calendar.Day}, first-1)
		w.commit("u:3", store.Op{Kind: store.OpDel, Key: store.BoardKey(w.Store.PartitionOf(org, "u:3"), feed.Board{Org: org, Rule: "count", Label: label})})
		if after := w.mustBeClean(); gone.Boards >= before.Boards || after.Rows == 0 {
			t.Errorf("nothing has gone: %+v, then %+v", before, gone)
		}
		// Nobody sweeps here between the days: a streak whose deadline has passed is no damage.
		w.Set(w.Now.Add(60 * 24 * time.Hour))
		w.mustBeClean()
	})
}

// victim is a user and a place of theirs.
type victim struct {
	user  activity.User
	board feed.Board
	place progress.Place
}

func (v *victim) key(w *world) store.Key {
	return store.BoardKey(w.Store.PartitionOf(org, v.user), v.board)
}

func (v *victim) member() string {
	return store.Member(account.Standing(v.place.Standing), v.place.Ascending, v.user)
}

// victims are all places of a user, in the open and in the sealed periods.
func (w *world) victims(user activity.User) []victim {
	w.T.Helper()
	a, err := account.Read(w.T.Context(), w.Store, org, user)
	if err != nil {
		w.T.Fatal(err)
	}
	entry, _ := w.Registry.Get(org)
	var out []victim
	for _, p := range progress.Places(progress.NewPlan(entry.Catalog), a.Stored, a.Base) {
		out = append(out, victim{user, a.Board(&p), p})
	}
	return out
}

func TestMend_EveryKindOfDamage(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		w.Live(r, 30)
		const user = activity.User("u:3")
		p := w.Store.PartitionOf(org, user)
		any := func() victim { vs := w.victims(user); return vs[r.IntN(len(vs))] }
		on := func(rule string) victim {
			vs := w.victims(user)
			return vs[slices.IndexFunc(vs, func(v victim) bool { return v.board.Rule == rule && v.board.Label == "all" })]
		}
		state := store.StateKey(p, org, user)
		if err := w.Writes.SetUser(t.Context(), org, user, ingest.UserChange{Profile: profile.Change{Texts: map[string]string{"email": "U3@x.org"}}}); err != nil {
			t.Fatal(err)
		}
		damages := map[string]struct {
			damage func() string // returns the rule that is named, if one is
			want   map[verify.Kind]int
		}{
			"removed member": {func() string {
				v := any()
				w.commit(user, store.Op{Kind: store.OpZRem, Key: v.key(w), Args: []string{v.member()}})
				return v.board.Rule
			}, map[verify.Kind]int{verify.RowMissing: 1}},
			"wrong score": {func() string {
				v := any()
				w.commit(user, store.Op{Kind: store.OpZAdd, Key: v.key(w), Args: []string{"777", v.member()}})
				return v.board.Rule
			}, map[verify.Kind]int{verify.RowWrong: 1}},
			"score that is no whole number": {func() string {
				v := on("count")
				w.commit(user, store.Op{Kind: store.OpZAdd, Key: v.key(w), Args: []string{fmt.Sprint(float64(v.place.Value) + 0.5), v.member()}})
				return v.board.Rule
			}, map[verify.Kind]int{verify.RowWrong: 1}},
			"wrong time": {func() string {
				v := any()
				other := v
				other.place.Reached += 1000
				w.commit(user, store.Op{Kind: store.OpZRem, Key: v.key(w), Args: []string{v.member()}},
					store.Op{Kind: store.OpZAdd, Key: v.key(w), Args: []string{fmt.Sprint(v.place.Value), other.member()}})
				return v.board.Rule
			}, map[verify.Kind]int{verify.RowWrong: 1}},
			"second row": {func() string {
				v := any()
				v.place.Reached -= 1000
				w.commit(user, store.Op{Kind: store.OpZAdd, Key: v.key(w), Args: []string{"5", v.member()}})
				return v.board.Rule
			}, map[verify.Kind]int{verify.RowSurplus: 1}},
			"row in a period without activity": {func() string {
				v := on("count")
				v.board.Label = "2026-12-01"
				w.commit(user, store.Op{Kind: store.OpZAdd, Key: v.key(w), Args: []string{"5", v.member()}})
				return "count"
			}, map[verify.Kind]int{verify.RowSurplus: 1}},
			"row of a user who does not exist": {func() string {
				v := on("least")
				v.user = "nobody"
				w.commit(v.user, store.Op{Kind: store.OpZAdd, Key: v.key(w), Args: []string{"5", v.member()}})
				return "least"
			}, map[verify.Kind]int{verify.RowForeign: 1}},
			"malformed member": {func() string {
				v := on("sum")
				w.commit(user, store.Op{Kind: store.OpZAdd, Key: v.key(w), Args: []string{"5", "x"}})
				return "sum"
			}, map[verify.Kind]int{verify.RowMalformed: 1}},
			"lost board": {func() string {
				w.commit(user, store.Op{Kind: store.OpDel, Key: store.BoardKey(p, feed.Board{Org: org, Rule: "tags", Label: "2026-03"})})
				return "tags"
			}, nil},
			"damaged state": {func() string {
				w.commit(user, store.Op{Kind: store.OpSet, Key: state, Args: []string{"AAAAAAAA\x02garbage"}})
				return ""
			}, map[verify.Kind]int{verify.StateDamaged: 1}},
			"state too short to have a version": {func() string {
				w.commit(user, store.Op{Kind: store.OpSet, Key: state, Args: []string{"AAA"}})
				return ""
			}, nil},
			"wrong state": {func() string {
				a, err := account.Read(t.Context(), w.Store, org, user)
				if err != nil {
					t.Fatal(err)
				}
				a.Stored.Rules[0].Cycles[0].Periods[0].Value += 3
				w.commit(user, store.Op{Kind: store.OpSet, Key: state, Args: []string{"AAAAAAAA" + string(a.Stored.Append(nil))}})
				return ""
			}, map[verify.Kind]int{verify.StateWrong: 1}},
			"lost state with its log left": {func() string {
				w.commit(user, store.Op{Kind: store.OpDel, Key: state})
				return ""
			}, map[verify.Kind]int{verify.StateLost: 1}},
			"stale deadline": {func() string {
				w.commit(user, store.Op{Kind: store.OpZAdd, Key: store.DueKey(p), Args: []string{"12345", string(org) + ":" + string(user)}})
				return ""
			}, map[verify.Kind]int{verify.DeadlineWrong: 1}},
			"claim that is gone": {func() string {
				v := w.Store.PartitionOfValue(org, "email", "u3@x.org")
				w.commitTo(v, store.Op{Kind: store.OpDel, Key: store.ClaimKey(v, org, "email", "u3@x.org")})
				return ""
			}, map[verify.Kind]int{verify.ClaimWrong: 1}},
			"missing in the list of users": {func() string {
				w.commit(user, store.Op{Kind: store.OpZRem, Key: store.BoardKey(p, profile.Directory(org)), Args: []string{store.Member(store.Standing{}, true, user)}})
				return feed.Everyone
			}, map[verify.Kind]int{verify.RowMissing: 1}},
			"wrong in the list of users": {func() string {
				w.commit(user, store.Op{Kind: store.OpZAdd, Key: store.BoardKey(p, profile.Directory(org)), Args: []string{"77", store.Member(store.Standing{}, true, user)}})
				return feed.Everyone
			}, map[verify.Kind]int{verify.RowWrong: 1}},
			"in the list of users and not there": {func() string {
				n := w.Store.PartitionOf(org, "nobody")
				w.commitTo(n, store.Op{Kind: store.OpZAdd, Key: store.BoardKey(n, profile.Directory(org)), Args: []string{"77", store.Member(store.Standing{}, true, "nobody")}})
				return feed.Everyone
			}, map[verify.Kind]int{verify.RowForeign: 1}},
			"deadline of a user who does not exist": {func() string {
				w.commit("nobody", store.Op{Kind: store.OpZAdd, Key: store.DueKey(w.Store.PartitionOf(org, "nobody")), Args: []string{"12345", string(org) + ":nobody"}})
				return ""
			}, map[verify.Kind]int{verify.DeadlineWrong: 1}},
		}
		before := w.rebuilt(user)
		for _, name := range slices.Sorted(maps.Keys(damages)) {
			t.Run(name, func(t *testing.T) {
				outer := w.T
				w.T = t
				defer func() { w.T = outer }()
				d := damages[name]
				rule := d.damage()
				found := w.check()
				if d.want != nil {
					for _, each := range found.Differences {
						if d.want[each.Kind] > 0 && (each.Org != org || rule != "" && each.Rule != rule || rule == "" && each.User == "") {
							t.Errorf("not named: %v", each)
						}
					}
					if diff := cmp.Diff(d.want, found.Counts); diff != "" {
						t.Errorf("%s\n%v", diff, found.Differences)
					}
				}
				if found.Total() == 0 {
					t.Fatal("nothing was found")
				}
				mended, err := verify.Mend(t.Context(), w.options())
				if err != nil || mended.Mended == 0 {
					t.Fatal(mended, err)
				}
				w.mustBeClean()
				if got, err := w.Writes.Find(t.Context(), org, "email", "u3@x.org"); got != user || err != nil {
					t.Errorf("found %q, %v", got, err)
				}
				if diff := cmp.Diff(before, w.Snapshot()); diff != "" {
					t.Errorf("(-before +mended)\n%s", diff)
				}
			})
		}
		w.Live(r, 5) // the server goes on with what was mended
		w.mustBeClean()
	})
}

// rebuilt takes away what was said of the user and would be gone with a state, and gives what then stands.
func (w *world) rebuilt(user activity.User) map[string]map[string]string {
	w.T.Helper()
	p := w.Store.PartitionOf(org, user)
	a, err := account.Read(w.T.Context(), w.Store, org, user)
	if err != nil {
		w.T.Fatal(err)
	}
	for _, s := range []*progress.State{a.Stored, a.Base} {
		s.Zones, s.Pauses = nil, nil
		for i := range s.Streaks {
			s.Streaks[i].Commands = streaks.Commands{}
		}
	}
	a.Stored.Attributes = nil
	a.Stored.Hidden, a.Stored.Blocked = false, false
	w.commit(user, store.Op{Kind: store.OpSet, Key: store.StateKey(p, org, user), Args: []string{"AAAAAAAA" + string(a.Stored.Append(nil))}},
		store.Op{Kind: store.OpSet, Key: store.ColdKey(p, org, user), Args: []string{string(a.Base.Append(nil))}})
	if _, err := verify.Mend(w.T.Context(), w.options()); err != nil {
		w.T.Fatal(err)
	}
	for w.mustBeClean().Overdue > 0 { // until all is swept, so that nothing moves by itself
	}
	return w.Snapshot()
}

// TestCheck_NoFalseAlarmBesideWrites: whatever the server does meanwhile, nothing differs.
func TestCheck_NoFalseAlarmBesideWrites(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		w.Live(r, 15)
		ctx, stop := context.WithCancel(t.Context())
		var writing sync.WaitGroup
		for n := range 2 {
			own := rand.New(rand.NewPCG(seed, uint64(n)+1))
			writing.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					item := testenv.WorldActivity(own, w.Now, 1_000_000*(n+1)+i)
					report, err := w.Writes.Submit(context.Background(), org, []ingest.Item{item}, ingest.SubmitOptions{})
					switch u := item.Activity.User; {
					case err != nil:
					case i%50 == 49:
						err = w.Writes.Delete(context.Background(), org, u)
					case i%50 == 24: // whoever is another's name, or cannot be moved, is refused
						_ = w.Writes.Merge(context.Background(), org, u, testenv.WorldActivity(own, w.Now, 0).Activity.User)
					case i%5 == 0 && report.Accepted == 1:
						_, err = w.Writes.Reject(context.Background(), org, u, item.Activity.ID, "")
					}
					for _, gone := range []error{ingest.ErrUserMerged, ingest.ErrUserNotFound, ingest.ErrActivityNotFound, ingest.ErrConflict} {
						if errors.Is(err, gone) { // the other writer was faster
							err = nil
						}
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		w.withIndexes(testenv.BoardSource{Store: w.Store}, func() {
			for range 2 {
				if found := w.check(); found.Total() > 0 || found.Rows == 0 || found.Indexes == 0 {
					t.Errorf("%+v", found)
				}
			}
		})
		// Damage is found beside them all the same, and mended.
		w.commit("nobody", store.Op{Kind: store.OpZAdd, Key: store.BoardKey(w.Store.PartitionOf(org, "nobody"), feed.Board{Org: org, Rule: "count", Label: "all"}),
			Args: []string{"5", store.Member(store.Standing{Value: 5, Reached: 1}, false, "nobody")}})
		if found := w.check(); found.Counts[verify.RowForeign] != 1 {
			t.Errorf("%+v", found)
		}
		if _, err := verify.Mend(t.Context(), w.options()); err != nil {
			t.Error(err)
		}
		stop()
		writing.Wait()
		w.mustBeClean()
	})
}

// lying is a source that loads one row otherwise than it is stored.
type lying struct{ testenv.BoardSource }

func (l lying) LoadBoard(ctx context.Context, p int, b feed.Board, o ranking.Order, yield func(ranking.Entry) error) error {
	return l.BoardSource.LoadBoard(ctx, p, b, o, func(e ranking.Entry) error {
		if b.Rule == "count" && b.Label == "all" && e.User == "u:3" {
			e.Value++
		}
		if b.Rule == "sum" && b.Label == "all" && e.User == "u:4" {
			return nil
		}
		return yield(e)
	})
}

func TestCheck_Index(t *testing.T) {
	w := newWorld(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo})
	w.Live(rand.New(rand.NewPCG(1, 2)), 5)
	w.withIndexes(lying{testenv.BoardSource{Store: w.Store}}, func() {
		r := w.check()
		var got []string
		for _, d := range r.Differences {
			got = append(got, fmt.Sprint(d.Kind, " ", d.Rule, " ", d.User))
		}
		slices.Sort(got)
		if diff := cmp.Diff([]string{"index_wrong count u:3", "index_wrong sum u:4"}, got); diff != "" {
			t.Error(diff, r.Differences)
		}
	})
	v := w.victims("u:3")[0]
	w.commit(v.user, store.Op{Kind: store.OpZAdd, Key: v.key(w), Args: []string{"5", "x"}})
	w.withIndexes(testenv.BoardSource{Store: w.Store}, func() {
		if r := w.check(); r.Counts[verify.IndexWrong] != 1 || r.Counts[verify.RowMalformed] != 1 {
			t.Errorf("a board that cannot be loaded: %+v", r)
		}
	})
}

func TestCheck_Pending(t *testing.T) {
	w := newWorld(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo})
	w.Live(rand.New(rand.NewPCG(1, 2)), 12)
	w.Publish(strings.Replace(testenv.WorldCatalog, "{id: count, when: {name: a}", "{id: count, when: {name: b}", 1))
	// Either the backfill has come to a user or not: neither is a difference.
	w.mustBeClean()
}
