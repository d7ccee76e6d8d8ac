package ranking

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
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
	asked  []activity.User // users at random, their bytes in sequence: a request's bytes are in the cache, a stored id's are not
	values []int64
	r      *rand.Rand
	now    calendar.Instant
}

func newBenchBoard(w workload, n int) *benchBoard {
	b := &benchBoard{x: NewIndex(Descending), users: make([]activity.User, n), values: make([]int64, n), r: rand.New(rand.NewPCG(5, 6))}
	for i := range n {
		b.users[i] = activity.User(fmt.Sprintf("user-%08d", i))
	}
	b.now = calendar.Instant(n)
	for _, i := range b.r.Perm(n) {
		b.values[i] = w.next(b.r, 0)
		b.x.Upsert(Entry{User: b.users[i], Value: b.values[i], Reached: calendar.Instant(b.r.IntN(n))})
	}
	var text strings.Builder
	for range n {
		text.WriteString(string(b.users[b.r.IntN(n)]))
	}
	for i, w := 0, len(b.users[0]); i < n; i++ {
		b.asked = append(b.asked, activity.User(text.String()[i*w:(i+1)*w]))
	}
	return b
}

// move is a commit's write; that it draws a user and keeps the value costs two cache misses that are the benchmark's own.
func (b *benchBoard) move(w workload) { b.x.Upsert(b.draw(w)) }

func (b *benchBoard) draw(w workload) Entry {
	i := b.r.IntN(len(b.users))
	b.now++
	b.values[i] = w.next(b.r, b.values[i])
	return Entry{User: b.users[i], Value: b.values[i], Reached: b.now}
}

func BenchmarkIndex(b *testing.B) {
	for _, w := range workloads {
		for _, n := range []int{100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", w.name, n), func(b *testing.B) { benchmark(b, w, n) })
		}
	}
}

func benchmark(b *testing.B, w workload, n int) {
	board := newBenchBoard(w, n)
	idBytes := float64(len(board.users[0]))
	b.Run("Load", func(b *testing.B) { // memory of a board that was only filled, by its own account and by the heap's
		for b.Loop() {
			heap := heapInUse()
			x := NewIndex(Descending)
			for i, u := range board.users {
				x.Upsert(Entry{User: u, Value: board.values[i], Reached: calendar.Instant(i)})
			}
			b.ReportMetric(float64(x.MemoryBytes())/float64(n)-idBytes, "B/member")
			b.ReportMetric(float64(heapInUse()-heap)/float64(n)-idBytes, "heap-B/member")
			runtime.KeepAlive(x)
		}
	})
	b.Run("Upsert", func(b *testing.B) {
		cpu := cpuTime()
		for b.Loop() {
			board.move(w)
		}
		b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
		b.ReportMetric(float64(board.x.MemoryBytes())/float64(n)-idBytes, "B/member")
	})
	for name, t := range map[string]Ties{"Rank": Ordinal, "RankDense": Dense, "RankStandard": Standard} {
		b.Run(name, func(b *testing.B) {
			cpu := cpuTime()
			for i := 0; b.Loop(); i++ {
				board.x.Rank(board.asked[i%n], t)
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
		})
	}
	b.Run("Apply100", func(b *testing.B) { // ns/op are of one of a hundred
		batch := make([]Update, 100)
		var cpu int64
		for b.Loop() {
			for i := range batch {
				batch[i].Entry = board.draw(w)
			}
			t := cpuTime()
			board.x.Apply(batch)
			cpu += cpuTime() - t
		}
		b.ReportMetric(float64(cpu)/float64(100*b.N), "cpu-ns/one")
	})
	b.Run("Find100", func(b *testing.B) {
		rows := make([]Row, 0, 100)
		cpu := cpuTime()
		for i := 0; b.Loop(); i++ {
			from := i * 100 % (n - 100)
			rows = board.x.Find(rows[:0], board.asked[from:from+100], Ordinal)
		}
		b.ReportMetric(float64(cpuTime()-cpu)/float64(100*b.N), "cpu-ns/one")
	})
	dst := make([]Row, 0, 50)
	b.Run("Range50", func(b *testing.B) {
		for b.Loop() {
			dst = board.x.Range(dst[:0], board.r.IntN(n-50), 50, Ordinal)
		}
	})
	runtime.KeepAlive(board)
}

// cpuTime is what the process has used, in ns: on a shared machine it means more than the time that passed.
func cpuTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
