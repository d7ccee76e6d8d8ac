package ranking

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

func emptyBoard() *Board { return newBoard(feed.Board{}, Descending, 1, time.Now()) }

// write changes a board as a change does.
func (b *Board) write(us ...Update) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.index.Apply(us)
	b.state++
}

// readRows reads the rows of a whole board, in order or by name.
func readRows(b *Board, byName bool, users []activity.User) (rows []Row) {
	if byName {
		rows, _ = b.Find(nil, users, Ordinal)
		return rows
	}
	b.View(func(x *Index, _ uint64) { rows = x.Range(nil, 0, x.Len(), Dense) })
	return rows
}

func checkElsewhere(t rapid.TB, e *Elsewhere, b, other *Board, rows []Row, ties Ties) {
	t.Helper()
	got := append([]Place{}, e.Find(b, other, rows, ties)...)
	want := make([]Place, 0, len(rows))
	for _, r := range rows {
		found, _ := other.Find(nil, []activity.User{r.User}, ties)
		want = append(want, Place{found[0].Rank, found[0].Value})
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("places elsewhere (-want +got)\n%s", d)
	}
}

// TestElsewhere_IsFind: whatever happened to either board, users who left and numbers that were given to others among it.
func TestElsewhere_IsFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const users = 12
		ids := make([]activity.User, users)
		for i := range ids {
			ids[i] = userID(i)
		}
		b, others := emptyBoard(), []*Board{emptyBoard(), emptyBoard()}
		var e Elsewhere
		var old []Row // read before b changed, perhaps
		change := func(b *Board) func(t *rapid.T) {
			return func(t *rapid.T) {
				for range rapid.IntRange(1, 4).Draw(t, "n") {
					b.write(Update{drawEntry(t, users, 5), rapid.IntRange(0, 1).Draw(t, "removed") == 0})
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"change":  change(b),
			"other":   change(others[0]),
			"another": change(others[1]),
			"ask": func(t *rapid.T) {
				other := rapid.SampledFrom(others).Draw(t, "other")
				ties := rapid.SampledFrom(allTies).Draw(t, "ties")
				for range rapid.IntRange(1, 2).Draw(t, "times") {
					checkElsewhere(t, &e, b, other, readRows(b, rapid.Bool().Draw(t, "by name"), ids), ties)
				}
			},
			"read": func(*rapid.T) { old = readRows(b, false, ids) },
			"ask late": func(t *rapid.T) {
				checkElsewhere(t, &e, b, others[0], old, Ordinal)
			},
		})
	})
}

// TestElsewhere_Concurrent: readers and writers of both boards at once; with -race it shows that what is remembered is shared safely, and afterwards nothing wrong
// is remembered.
func TestElsewhere_Concurrent(t *testing.T) {
	b, other := emptyBoard(), emptyBoard()
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for w := range 2 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 7))
			for range 3000 {
				board := b
				if r.IntN(10) == 0 {
					board = other
				}
				board.write(Update{Entry{User: userID(r.IntN(200)), Value: r.Int64N(50)}, r.IntN(3) == 0})
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			var e Elsewhere
			for !closed(done) {
				e.Find(b, other, readRows(b, false, nil), Ordinal)
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	for range 2 {
		checkElsewhere(t, new(Elsewhere), b, other, readRows(b, false, nil), Ordinal)
	}
}

// TestElsewhere_KeepsNoBoard: a board that was dropped is collected, though others remember ranks on it.
func TestElsewhere_KeepsNoBoard(t *testing.T) {
	b, other := emptyBoard(), emptyBoard()
	b.write(Update{Entry: Entry{User: "a"}})
	other.write(Update{Entry: Entry{User: "a"}})
	gone := make(chan struct{})
	runtime.AddCleanup(other, func(c chan struct{}) { close(c) }, gone)
	checkElsewhere(t, new(Elsewhere), b, other, readRows(b, false, nil), Ordinal)
	other = nil
	for !closed(gone) {
		runtime.GC()
	}
	runtime.KeepAlive(b)
}

// TestElsewhere_Remembers: what is asked again is not looked for again.
func TestElsewhere_Remembers(t *testing.T) {
	b, other := emptyBoard(), emptyBoard()
	for i := range 100 {
		b.write(Update{Entry: Entry{User: userID(i), Value: int64(i)}})
		other.write(Update{Entry: Entry{User: userID(i), Value: -int64(i)}})
	}
	rows := readRows(b, false, nil)
	var e Elsewhere
	if e.Find(b, other, rows, Ordinal); len(e.missing) != 100 {
		t.Errorf("%d of 100 are looked for at first", len(e.missing))
	}
	if allocs := testing.AllocsPerRun(10, func() { e.Find(b, other, rows, Ordinal) }); allocs != 0 || len(e.missing) != 0 {
		t.Errorf("%d are looked for again; %v allocations", len(e.missing), allocs)
	}
	if e.Find(b, other, rows, Standard); len(e.missing) != 100 {
		t.Errorf("%d of 100 are looked for when ties are numbered in another way", len(e.missing))
	}
	other.write(Update{Entry: Entry{User: "new"}})
	if e.Find(b, other, rows, Standard); len(e.missing) != 100 {
		t.Errorf("%d of 100 are looked for after the other board changed", len(e.missing))
	}
}
