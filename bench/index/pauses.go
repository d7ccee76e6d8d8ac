package index

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/ranking"
)

const (
	largeCommit = 256  // writes; what ingest puts together at most
	page        = 1000 // rows; the most that a request may ask for
	newUsers    = 8    // one of so many writes brings a new member, so that the index grows
)

// pauses measures how long a reader waits while a writer writes as fast as it can, and a writer while ranges are read as fast as they
// can be. Beside each is a control: the same two at work, on different boards. What the control shows too is the machine and the scheduler.
func (r *run) pauses(ctx context.Context) error {
	r.say("pauses")
	other := feed.Board{Org: "bench", Rule: "other", Label: "all"}
	control, err := r.boards.Open(ctx, other, ranking.Descending)
	if err != nil {
		return err
	}
	p := &r.result.Pauses
	for range r.Pairs {
		p.Reader = append(p.Reader, r.reader(r.boards.board))
		p.ReaderControl = append(p.ReaderControl, r.reader(control))
		p.Writer = append(p.Writer, r.writer(board()))
		p.WriterControl = append(p.WriterControl, r.writer(other))
	}
	return nil
}

// together runs noise over and over while work is, on a goroutine of its own.
func (r *run) together(noise, work func()) {
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !done.Load() {
			noise()
		}
	})
	for end := time.Now().Add(r.Settings.slice()); time.Now().Before(end); {
		work()
	}
	done.Store(true)
	wg.Wait()
}

// reader times reads of one board while commits go into the measured one.
func (r *run) reader(b *ranking.Board) Pause {
	random := rand.New(rand.NewPCG(1, 1)) // each goroutine its own
	var spans spans
	next := r.n
	ready := make([][]feed.Write, 400)
	for i := range ready {
		ready[i] = r.writes(largeCommit)
		for j := 0; j < largeCommit; j += newUsers {
			ready[i][j].User = userOf(next)
			next++
		}
	}
	i := 0
	user := make([]byte, 0, 32)
	r.together(func() {
		r.boards.commit(ready[i%len(ready)])
		i++
	}, func() {
		user = appendUser(user[:0], random.IntN(r.n))
		u := activity.User(user)
		start := time.Now()
		_, _ = r.boards.Revision(), r.boards.AsOf()
		b.View(func(x *ranking.Index, _ uint64) { x.Rank(u, ranking.Ordinal) })
		spans = append(spans, time.Since(start))
	})
	return spans.pause()
}

// writer times commits of one write while pages of the measured board are read.
func (r *run) writer(to feed.Board) Pause {
	random := rand.New(rand.NewPCG(2, 2))
	var spans spans
	rows := make([]ranking.Row, 0, page)
	r.together(func() {
		r.boards.board.View(func(x *ranking.Index, _ uint64) {
			rows = x.Range(rows[:0], random.IntN(max(x.Len()-page, 1)), page, ranking.Ordinal)
		})
	}, func() {
		w := r.writes(1)
		w[0].Board = to
		start := time.Now()
		r.boards.commit(w)
		spans = append(spans, time.Since(start))
		runtime.Gosched()
	})
	return spans.pause()
}

type spans []time.Duration

// pause sums up.
func (s spans) pause() Pause {
	if len(s) == 0 {
		return Pause{}
	}
	slices.Sort(s)
	at := func(share float64) float64 {
		return float64(s[int(share*float64(len(s)-1))]) / float64(time.Microsecond)
	}
	return Pause{N: len(s), P50: at(0.5), P99: at(0.99), P999: at(0.999), Max: at(1)}
}
