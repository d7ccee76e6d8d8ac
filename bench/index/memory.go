package index

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/store"
	"laurel/ranking"
)

// usage is what the process takes.
type usage struct{ heap, resident float64 }

// memory is the usage without garbage.
func memory() (u usage, err error) {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.heap = float64(m.HeapAlloc)
	u.resident, err = residentBytes()
	return u, err
}

// residentBytes is VmRSS of /proc.
func residentBytes() (float64, error) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			var kib float64
			_, err := fmt.Sscan(rest, &kib)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/self/status has no VmRSS")
}

// beside is how many bytes a member takes beside its id.
func (r *run) beside(bytes float64) float64 { return bytes/float64(r.n) - float64(userLength) }

// build fills the bare index, in no order of values, and weighs it.
func (r *run) build(ctx context.Context) error {
	r.say("filling the index")
	before, err := memory()
	if err != nil {
		return err
	}
	r.bare = ranking.NewIndex(ranking.Descending)
	batch := make([]ranking.Update, 0, commit)
	for i := range r.n {
		r.now++
		e := ranking.Entry{User: userOf(i), Value: r.random.Int64N(values), Reached: r.now}
		if batch = append(batch, ranking.Update{Entry: e}); len(batch) == cap(batch) || i == r.n-1 {
			r.bare.Apply(batch)
			batch = batch[:0]
		}
	}
	after, err := memory()
	m := &r.result.Memory
	m.Heap, m.Resident, m.Says = r.beside(after.heap-before.heap), r.beside(after.resident-before.resident), r.beside(float64(r.bare.MemoryBytes()))
	return err
}

// remeasure weighs the bare index after its updates by weighing what is left without it.
func (r *run) remeasure(context.Context) error {
	m := &r.result.Memory
	m.SaysAfter = r.beside(float64(r.bare.MemoryBytes()))
	with, err := memory()
	if err != nil {
		return err
	}
	r.bare = nil
	without, err := memory()
	m.HeapAfter, m.ResidentAfter = r.beside(with.heap-without.heap), r.beside(with.resident-without.resident)
	return err
}

// fillBoard brings every member onto the board as Laurel keeps it in Redis.
func (r *run) fillBoard(ctx context.Context) error {
	r.say("filling the board in Redis")
	key := string(store.BoardKey(0, board()))
	err := r.fill(ctx, key, 0, func(value int64, user string) string {
		return store.Member(store.Standing{Value: value, Reached: value % (1 << 30)}, false, activity.User(user))
	})
	if err != nil {
		return err
	}
	bytes, err := r.client.MemoryUsage(ctx, key, 0).Result()
	r.result.Memory.RedisBoard = r.beside(float64(bytes))
	return err
}
