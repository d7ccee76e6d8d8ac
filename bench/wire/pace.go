package wire

import (
	"context"
	"errors"
	"runtime"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"
)

// Arrivals are requests that come at a fixed rate, whether or not the ones before were answered: as they do from many users who know nothing
// of each other.
type Arrivals struct {
	Requests  [][]byte // in turn, over and over
	PerSecond float64
	For       time.Duration
}

// Latencies are what the arrivals of an open loop waited for their answers.
type Latencies = hdrhistogram.Histogram

func newLatencies() *Latencies { return hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3) }

// Pace sends each request when it is due, over whichever connection is free, and measures in µs from the moment at which it was due to the end of its
// answer: what waits because the server, or this client, is behind is counted in full.
func Pace(ctx context.Context, conns []Exchanger, a Arrivals) (*Latencies, error) {
	n := int(a.PerSecond * a.For.Seconds())
	if n < 1 || len(a.Requests) == 0 {
		return nil, errNoEnd
	}
	ctx, done := context.WithTimeout(ctx, a.For+patience)
	defer done()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	stop := context.AfterFunc(ctx, func() { CloseAll(conns) })
	defer stop()
	due := make(chan int, n) // room for all: the clock waits for nobody
	every := float64(time.Second) / a.PerSecond
	start := time.Now().Add(time.Millisecond)
	at := func(i int) time.Time { return start.Add(time.Duration(float64(i) * every)) }
	seen := make([]*Latencies, len(conns))
	var g errgroup.Group
	for c, conn := range conns {
		seen[c] = newLatencies()
		g.Go(func() error {
			for i := range due {
				if _, err := conn.Exchange(a.Requests[i%len(a.Requests)]); err != nil {
					fail(err)
					return err
				}
				_ = seen[c].RecordValue(max(time.Since(at(i)).Microseconds(), 1))
			}
			return nil
		})
	}
	g.Go(func() error { return clock(ctx, due, n, at) })
	if err := g.Wait(); err != nil {
		return nil, errors.Join(err, context.Cause(ctx))
	}
	all := newLatencies()
	for _, h := range seen {
		all.Merge(h)
	}
	return all, nil
}

// clock puts each arrival into due when its time has come. It sleeps by the kernel's own timer, on a thread of its own: the runtime's
// timers are late by up to a millisecond, which is more than what is measured.
func clock(ctx context.Context, due chan<- int, n int, at func(int) time.Time) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(due)
	for i := range n {
		for wait := time.Until(at(i)); wait > 0; wait = time.Until(at(i)) {
			pause := syscall.NsecToTimespec(int64(wait))
			_ = syscall.Nanosleep(&pause, nil) // a signal may cut it short
		}
		if ctx.Err() != nil {
			return nil
		}
		due <- i
	}
	return nil
}
