package ranking

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

var allTies = []Ties{Ordinal, Standard, Dense}

// compare checks everything an index answers against the model.
func compare(t rapid.TB, x *Index, m *model, users int) {
	t.Helper()
	if err := x.check(); err != nil {
		t.Fatal(err)
	}
	if x.Len() != len(m.entries) {
		t.Fatalf("Len %d, want %d", x.Len(), len(m.entries))
	}
	for _, ties := range allTies {
		var ids []activity.User
		var want []Row
		for n := range users {
			r := Row{Entry: Entry{User: userID(n)}}
			if i := m.position(userID(n)); i >= 0 {
				r = Row{Rank: m.rank(i, ties), Entry: m.entries[i]}
			}
			ids, want = append(ids, userID(n)), append(want, r)
		}
		if d := cmp.Diff(want, x.Find(nil, ids, ties)); d != "" {
			t.Fatalf("Find(%d): %s", ties, d)
		}
	}
	for n := range users {
		u := userID(n)
		i := m.position(u)
		pos, ok := x.Position(u)
		if ok != (i >= 0) || ok && pos != i {
			t.Fatalf("Position(%q) = %d, %v, want %d", u, pos, ok, i)
		}
		e, ok := x.Get(u)
		if ok != (i >= 0) || ok && e != m.entries[i] {
			t.Fatalf("Get(%q) = %v, %v", u, e, ok)
		}
		for _, ties := range allTies {
			r, ok := x.Rank(u, ties)
			if ok != (i >= 0) || ok && r != m.rank(i, ties) {
				t.Fatalf("Rank(%q, %d) = %d, %v, want %d", u, ties, r, ok, m.rank(i, ties))
			}
			compareAround(t, x, m, u, n%20, ties)
		}
	}
}

// compareAround checks the rows around a user, which are the model's from the first on.
func compareAround(t rapid.TB, x *Index, m *model, u activity.User, n int, ties Ties) {
	t.Helper()
	rows, own, ok := x.Around(nil, u, n, ties)
	place := m.position(u)
	if place < 0 {
		if ok || rows != nil {
			t.Fatalf("Around(%q), who is not on the board: %v, %v", u, rows, ok)
		}
		return
	}
	n = max(n, 0)
	first := max(place-n, 0)
	want := m.rows(first, place+n+1-first, ties)
	if d := cmp.Diff(want, rows); !ok || own != place-first || d != "" {
		t.Fatalf("Around(%q, %d, %d): own %d, want %d, %v: %s", u, n, ties, own, place-first, ok, d)
	}
}

// userID makes ids of different lengths, some of them prefixes of others.
func userID(n int) activity.User {
	return activity.User(strings.Repeat("u", n%7) + fmt.Sprint(n))
}

func drawEntry(t *rapid.T, users int, values int64) Entry {
	return Entry{
		User:    userID(rapid.IntRange(0, users-1).Draw(t, "user")),
		Value:   rapid.Int64Range(-values, values).Draw(t, "value"),
		Reached: calendar.Instant(rapid.Int64Range(0, 3).Draw(t, "reached")),
	}
}

func TestIndex_EqualsSortedSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.SampledFrom([]Order{Descending, Ascending}).Draw(t, "order")
		users := rapid.SampledFrom([]int{3, 40, 300}).Draw(t, "users")
		values := rapid.SampledFrom([]int64{0, 2, 100, math.MaxInt64}).Draw(t, "values")
		x, m := NewIndex(order), &model{order: order}
		t.Repeat(map[string]func(*rapid.T){
			"upsert": func(t *rapid.T) {
				e := drawEntry(t, users, values)
				x.Upsert(e)
				m.upsert(e)
			},
			"burst": func(t *rapid.T) {
				for range rapid.IntRange(1, 100).Draw(t, "n") {
					e := drawEntry(t, users, values)
					x.Upsert(e)
					m.upsert(e)
				}
			},
			"batch": func(t *rapid.T) {
				us := make([]Update, rapid.IntRange(1, 3*together).Draw(t, "n"))
				for i := range us { // the same user may come twice, be removed and come back
					us[i] = Update{drawEntry(t, users, values), rapid.IntRange(0, 3).Draw(t, "removed") == 0}
					if us[i].Removed {
						m.remove(us[i].User)
					} else {
						m.upsert(us[i].Entry)
					}
				}
				x.Apply(us)
			},
			"remove": func(t *rapid.T) {
				for n := range rapid.IntRange(1, 30).Draw(t, "n") {
					u := userID(rapid.IntRange(0, users-1).Draw(t, "user"))
					if got, want := x.Remove(u), m.remove(u); got != want {
						t.Fatalf("Remove(%q) = %v, want %v (%d)", u, got, want, n)
					}
				}
			},
			"range": func(t *rapid.T) {
				offset := rapid.IntRange(-1, users+1).Draw(t, "offset")
				limit := rapid.IntRange(-1, users+1).Draw(t, "limit")
				ties := rapid.SampledFrom(allTies).Draw(t, "ties")
				if d := cmp.Diff(m.rows(offset, limit, ties), x.Range(nil, offset, limit, ties)); d != "" {
					t.Fatalf("Range(%d, %d, %d): %s", offset, limit, ties, d)
				}
			},
			"around": func(t *rapid.T) {
				u := userID(rapid.IntRange(0, users-1).Draw(t, "user"))
				n := rapid.IntRange(-1, users+1).Draw(t, "n")
				ties := rapid.SampledFrom(allTies).Draw(t, "ties")
				compareAround(t, x, m, u, n, ties)
			},
			"after": func(t *rapid.T) {
				e := drawEntry(t, users*2, values)
				if got, want := x.After(e), m.after(e); got != want {
					t.Fatalf("After(%v) = %d, want %d", e, got, want)
				}
			},
			"": func(t *rapid.T) {
				if err := x.check(); err != nil {
					t.Fatal(err)
				}
			},
		})
		compare(t, x, m, users)
	})
}

// TestIndex_LargeAndBack builds trees of three levels in different orders of arrival and takes them down again, with the invariants
// checked on the way.
func TestIndex_LargeAndBack(t *testing.T) {
	const n = 20000
	for name, value := range map[string]func(i int, r *rand.Rand) int64{
		"random":     func(_ int, r *rand.Rand) int64 { return r.Int64N(1 << 40) },
		"ascending":  func(i int, _ *rand.Rand) int64 { return int64(i) },
		"descending": func(i int, _ *rand.Rand) int64 { return -int64(i) },
		"few values": func(_ int, r *rand.Rand) int64 { return r.Int64N(5) },
		"one value":  func(int, *rand.Rand) int64 { return 7 },
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			x := NewIndex(Descending)
			x.mem.eager = name != "ascending" // so many users are not many enough for regions
			for i := range n {
				x.Upsert(Entry{User: userID(i), Value: value(i, r), Reached: calendar.Instant(i)})
				if i%2500 == 0 {
					mustCheck(t, x)
				}
			}
			mustCheck(t, x)
			var all []Update
			for i := range n { // everybody moves
				all = append(all, Update{Entry: Entry{User: userID(i), Value: value(n-i, r), Reached: calendar.Instant(n - i)}})
			}
			x.Apply(all)
			mustCheck(t, x)
			mustRank(t, x)
			for i, u := range r.Perm(n) {
				if !x.Remove(userID(u)) {
					t.Fatalf("user %d was not there", u)
				}
				if i%2500 == 0 || n-i < 70 {
					mustCheck(t, x)
				}
			}
			if x.Len() != 0 || x.height != 0 {
				t.Errorf("emptied: %d users, height %d", x.Len(), x.height)
			}
		})
	}
}

// mustRank compares all ranks with one walk over the rows.
func mustRank(t *testing.T, x *Index) {
	t.Helper()
	rows := x.Range(nil, 0, x.Len(), Ordinal)
	standard, dense := 0, 0
	for i, r := range rows {
		if i == 0 || r.Value != rows[i-1].Value {
			standard, dense = i+1, dense+1
		}
		for ties, want := range map[Ties]int{Ordinal: i + 1, Standard: standard, Dense: dense} {
			if got, ok := x.Rank(r.User, ties); !ok || got != want {
				t.Fatalf("Rank(%q, %d) = %d, %v, want %d", r.User, ties, got, ok, want)
			}
			if got := x.Range(nil, i, 1, ties); i%97 == 0 && got[0].Rank != want {
				t.Fatalf("Range(%d, 1, %d) has rank %d, want %d", i, ties, got[0].Rank, want)
			}
		}
		if got := x.After(r.Entry); got != i+1 {
			t.Fatalf("After(%v) = %d, want %d", r.Entry, got, i+1)
		}
	}
}

func mustCheck(t *testing.T, x *Index) {
	t.Helper()
	if err := x.check(); err != nil {
		t.Fatal(err)
	}
}

func TestIndex_Ties(t *testing.T) {
	x := NewIndex(Descending)
	for _, e := range []Entry{{"d", 5, 1}, {"b", 7, 2}, {"a", 7, 3}, {"c", 7, 2}, {"e", 9, 9}} {
		x.Upsert(e)
	}
	for _, tc := range []struct {
		name string
		ties Ties
		want []int
	}{
		{"ordinal/first_to_reach_ranks_first", Ordinal, []int{1, 2, 3, 4, 5}},
		{"standard/leaves_gaps", Standard, []int{1, 2, 2, 2, 5}},
		{"dense/leaves_none", Dense, []int{1, 2, 2, 2, 3}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var ranks []int
			var users []activity.User
			for _, r := range x.Range(nil, 0, 10, tc.ties) {
				ranks, users = append(ranks, r.Rank), append(users, r.User)
			}
			if d := cmp.Diff([]activity.User{"e", "b", "c", "a", "d"}, users); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(tc.want, ranks); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestIndex_RowsOutliveTheBoard: ids that were read stay what they were, however often their bytes' place is given up.
func TestIndex_RowsOutliveTheBoard(t *testing.T) {
	const n = 5000
	id := func(round, i int) activity.User {
		return activity.User(fmt.Sprintf("%03d/%d/%s", round, i, strings.Repeat("x", i%90)))
	}
	x := NewIndex(Ascending)
	var kept [][]Row
	for round := range 12 {
		for i := range n {
			x.Upsert(Entry{User: id(round, i), Value: int64(i)})
			if round > 0 {
				x.Remove(id(round-1, i))
			}
		}
		mustCheck(t, x)
		kept = append(kept, x.Range(nil, 0, n, Ordinal))
	}
	for round, rows := range kept {
		for i, r := range rows {
			if want := id(round, i); r.User != want {
				t.Fatalf("round %d row %d is now %q, was %q", round, i, r.User, want)
			}
		}
	}
	if got := x.users.numbers; got > n+1 {
		t.Errorf("%d numbers for %d users: freed ones are not used again", got, n)
	}
}

func TestIndex_LongestID(t *testing.T) {
	x := NewIndex(Descending)
	long := activity.User(strings.Repeat("é", 127) + "x")
	x.Upsert(Entry{User: long, Value: 1})
	x.Upsert(Entry{User: "", Value: 2})
	if r, ok := x.Rank(long, Ordinal); r != 2 || !ok {
		t.Errorf("rank %d, %v", r, ok)
	}
	defer func() {
		if recover() == nil {
			t.Error("an id of 256 bytes was taken")
		}
	}()
	x.Upsert(Entry{User: activity.User(strings.Repeat("x", 256))})
}

// TestIndex_Allocations is the budget of the hot paths.
func TestIndex_Allocations(t *testing.T) {
	const n = 10000
	r := rand.New(rand.NewPCG(3, 4))
	x := NewIndex(Descending)
	users := make([]activity.User, n)
	for i := range users {
		users[i] = userID(i)
		x.Upsert(Entry{User: users[i], Value: r.Int64N(1000)})
	}
	dst := make([]Row, 0, 100)
	batch := make([]Update, 100)
	for name, f := range map[string]func(){
		"upsert": func() { x.Upsert(Entry{User: users[r.IntN(n)], Value: r.Int64N(1000), Reached: 5}) },
		"apply": func() {
			for i := range batch {
				batch[i].Entry = Entry{User: users[r.IntN(n)], Value: r.Int64N(1000), Reached: 5}
			}
			x.Apply(batch)
		},
		"find": func() { dst = x.Find(dst[:0], users[:100], Dense) },
		"rank": func() {
			for _, t := range allTies {
				x.Rank(users[r.IntN(n)], t)
			}
		},
		"range": func() { dst = x.Range(dst[:0], r.IntN(n), 100, Standard) },
		"get":   func() { x.Get(users[r.IntN(n)]) },
		"after": func() { x.After(Entry{User: "nobody", Value: r.Int64N(1000)}) },
	} {
		if got := testing.AllocsPerRun(2000, f); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}
