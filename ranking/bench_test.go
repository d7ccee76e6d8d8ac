package ranking

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// workload is a board to measure on: how values come and how users move.
type workload struct {
	name string
	// next gives a user another value; old is 0 for a new user.
	next func(r *rand.Rand, old int64) int64
}

var workloads = []workload{
	{"random", func(r *rand.Rand, _ int64) int64 { return r.Int64N(1 << 40) }},
	// A count: everybody moves by one, so the board is a few hundred values with many ties each.
	{"count", func(r *rand.Rand, old int64) int64 {
		if old == 0 {
			return 1 + r.Int64N(300)
		}
		return old + 1
	}},
}

type benchBoard struct {
	x      *Index
	users  []activity.User
	values []int64
	r      *rand.Rand
	now    calendar.Instant
}

func newBenchBoard(w workload, n int) *benchBoard {
	b := &benchBoard{x: NewIndex(Descending), users: make([]activity.User, n), values: make([]int64, n), r: rand.New(rand.NewPCG(5, 6))}
	for i := range n {
		b.users[i] = activity.User(fmt.Sprintf("user-%08d", i))
	}
	for range n {
		b.now++
	}
	for _, i := range b.r.Perm(n) {
		b.values[i] = w.next(b.r, 0)
		b.x.Upsert(Entry{User: b.users[i], Value: b.values[i], Reached: calendar.Instant(b.r.IntN(n))})
	}
	return b
}

func (b *benchBoard) move(w workload) {
	i := b.r.IntN(len(b.users))
	b.now++
	b.values[i] = w.next(b.r, b.values[i])
	b.x.Upsert(Entry{User: b.users[i], Value: b.values[i], Reached: b.now})
}

func BenchmarkIndex(b *testing.B) {
	for _, w := range workloads {
		for _, n := range []int{100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", w.name, n), func(b *testing.B) { benchmark(b, w, n) })
		}
	}
}

func benchmark(b *testing.B, w workload, n int) {
	heap := heapInUse()
	board := newBenchBoard(w, n)
	// The ids and values of the benchmark itself are on the heap too: 16+16+8 bytes a user, ids of 13 bytes being rounded up.
	idBytes := len(board.users[0])
	fresh := float64(heapInUse()-heap)/float64(n) - 16 - 16 - 8
	b.Run("Upsert", func(b *testing.B) {
		for b.Loop() {
			board.move(w)
		}
		used := float64(heapInUse()-heap)/float64(n) - 16 - 16 - 8
		b.ReportMetric(fresh-float64(idBytes), "B/fresh-member")
		b.ReportMetric(used-float64(idBytes), "B/member")
		b.ReportMetric(float64(board.x.MemoryBytes())/float64(n)-float64(idBytes), "B/member-self")
	})
	for name, t := range map[string]Ties{"Rank": Ordinal, "RankDense": Dense, "RankStandard": Standard} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				board.x.Rank(board.users[board.r.IntN(n)], t)
			}
		})
	}
	dst := make([]Row, 0, 50)
	b.Run("Range50", func(b *testing.B) {
		for b.Loop() {
			dst = board.x.Range(dst[:0], board.r.IntN(n-50), 50, Ordinal)
		}
	})
	runtime.KeepAlive(board)
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
