// Package sweep measures what it takes to end the streaks of many users at their deadlines: a node's write path in this process, on a Redis of its own, with
// a clock that the benchmark moves.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync/atomic"
	"time"

	"laurel/bench/measure"
	"laurel/bench/process"
	"laurel/internal/calendar"
)

// Settings say how much is measured.
type Settings struct {
	Users int     `json:"users"` // each has one streak
	Steps int     `json:"steps"` // different deadlines, of as many orgs
	Span  float64 `json:"span_seconds"`
	Alone float64 `json:"alone_seconds"` // of ingest without a sweep, before and after
}

// Options are where things go.
type Options struct {
	Settings
	Profiles string    // directory for CPU profiles; "": none are taken
	Progress io.Writer // told what goes on
}

// run is a measurement on its way.
type run struct {
	Options
	redis  *process.Redis
	node   *node
	seen   *witness
	made   atomic.Int64 // activities
	result Sweep
}

// gcPercent is what the server sets: a heap of states and boards is worth fewer collections.
const gcPercent = 300

// Run measures once. Its processes and files are gone when it returns.
func Run(ctx context.Context, o Options) (_ *Sweep, err error) {
	if o.Users < 1 || o.Steps < 1 || o.Steps > 9999 || o.Span <= 0 || o.Alone <= 0 {
		return nil, errors.New("users, steps, span and alone must be positive, steps at most 9999")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	dir, err := os.MkdirTemp("", "laurelbench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &run{Options: o, seen: newWitness(o.Users), result: Sweep{Settings: o.Settings}}
	if r.redis, err = process.StartRedis(ctx, dir); err != nil {
		return nil, err
	}
	defer r.redis.Stop()
	if r.result.Redis, err = r.redis.Version(ctx); err != nil {
		return nil, err
	}
	if r.node, err = startNode(ctx, "redis://"+r.redis.Address, r.seen.see); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.node.stop()) }()
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	r.set(noon)
	if err := r.publish(ctx); err != nil {
		return nil, err
	}
	if err := r.atOnce(ctx, noon); err != nil {
		return nil, err
	}
	if err := r.spread(ctx, noon.Add(48*time.Hour)); err != nil {
		return nil, err
	}
	return &r.result, nil
}

func (r *run) say(format string, args ...any) {
	fmt.Fprintf(r.Progress, "sweep: "+format+"\n", args...)
}

func (r *run) set(at time.Time) {
	i := calendar.InstantOf(at)
	r.node.clock.Set(&i)
}

// firstEnd is the earliest deadline of those who do something at noon: the day after has to pass without them.
func firstEnd(noon time.Time) time.Time { return noon.Add(36 * time.Hour) }

// alone is how long traffic is measured by itself, before and after.
func (r *run) alone() time.Duration { return time.Duration(r.Alone * float64(time.Second)) }

// atOnce lets everybody's streak end at one instant.
func (r *run) atOnce(ctx context.Context, noon time.Time) (err error) {
	if err := r.everyone(ctx); err != nil {
		return err
	}
	out := &r.result.AtOnce
	if _, err := r.beside(ctx, r.forSome(r.alone())); err != nil { // everybody has come once, and caches are warm
		return err
	}
	if out.Without[0], err = r.beside(ctx, r.forSome(r.alone())); err != nil {
		return err
	}
	r.say("all streaks end")
	stop, err := r.profile("sweep-at-once.pprof")
	if err != nil {
		return err
	}
	r.seen.reset()
	began := time.Now()
	r.set(firstEnd(noon).Add(time.Duration(r.Steps) * time.Second))
	if out.With, err = r.beside(ctx, r.swept); err != nil {
		return err
	}
	out.Seconds = time.Since(began).Seconds()
	stop()
	if out.Without[1], err = r.beside(ctx, r.forSome(r.alone())); err != nil {
		return err
	}
	out.Ratio = measure.Ratio(out.With, (out.Without[0]+out.Without[1])/2)
	_, out.Lost, out.Twice = r.seen.lags(func(calendar.Instant) time.Time { return began })
	out.Met = out.Seconds <= DoneBar && out.Ratio >= IngestBar && out.Twice == 0
	return nil
}

// beside is how many activities a second of others come in until the wait is over.
func (r *run) beside(ctx context.Context, wait func(context.Context) error) (rate float64, err error) {
	var done atomic.Int64
	work, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- r.traffic(work, &done) }()
	err = wait(ctx)
	rate = measure.Ratio(float64(done.Load()), time.Since(began).Seconds())
	stop()
	return rate, errors.Join(err, <-ended)
}

func (r *run) forSome(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error { return pause(ctx, d) }
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// swept waits until no deadline has passed.
func (r *run) swept(ctx context.Context) error {
	for {
		due, err := r.node.store.Due(ctx, 0, r.node.clock.Now(), 1)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// clockStep is how often the clock is moved.
const clockStep = time.Millisecond

// spread lets the streaks end one step after the other, in Span seconds: where there are more steps than seconds the clock goes faster than time.
func (r *run) spread(ctx context.Context, noon time.Time) error {
	r.set(noon)
	if err := r.everyone(ctx); err != nil {
		return err
	}
	first := firstEnd(noon)
	speed := float64(r.Steps) / r.Span
	sim := first.Add(-time.Duration(speed * float64(time.Second)))
	r.set(sim)
	r.say("streaks end one after the other")
	stop, err := r.profile("sweep-spread.pprof")
	if err != nil {
		return err
	}
	r.seen.reset()
	used, err := r.cpu(ctx)
	if err != nil {
		return err
	}
	commands, err := r.redis.Commands(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	for elapsed := time.Duration(0); elapsed.Seconds() < r.Span+1; elapsed = time.Since(began) {
		r.set(sim.Add(time.Duration(float64(elapsed) * speed)))
		if err := pause(ctx, clockStep); err != nil {
			return err
		}
	}
	if err := r.swept(ctx); err != nil {
		return err
	}
	if err := pause(ctx, time.Second); err != nil { // the follower comes to the end
		return err
	}
	after, err := r.cpu(ctx)
	stop()
	if err != nil {
		return err
	}
	now, err := r.redis.Commands(ctx)
	lags, lost, twice := r.seen.lags(func(at calendar.Instant) time.Time {
		return began.Add(time.Duration(float64(time.UnixMilli(int64(at)).Sub(sim)) / speed))
	})
	s := &r.result.Spread
	s.Commands = process.CommandsSince(commands, now)
	s.Lost, s.Redis, s.Laurel = lost, micros(after[0]-used[0], lost), micros(after[1]-used[1], lost)
	if lost > 0 {
		slices.Sort(lags)
		s.P50, s.P99, s.Max = lags[lost/2].Milliseconds(), lags[lost*99/100].Milliseconds(), lags[lost-1].Milliseconds()
	}
	s.Met = lost == r.Users && twice == 0 && s.P99 <= LagBar
	return err
}

func micros(d time.Duration, n int) float64 {
	return measure.Ratio(float64(d)/float64(time.Microsecond), float64(n))
}

// cpu is what Redis and this process have used.
func (r *run) cpu(ctx context.Context) (used [2]time.Duration, err error) {
	if used[0], err = r.redis.CPU(ctx); err == nil {
		used[1], err = measure.OwnCPU()
	}
	return used, err
}

// profile profiles this process until stop.
func (r *run) profile(name string) (stop func(), err error) {
	if r.Profiles == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Join(r.Profiles, name))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}
