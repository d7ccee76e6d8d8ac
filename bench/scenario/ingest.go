package scenario

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"laurel/bench/measure"
	"laurel/bench/process"
	"laurel/bench/wire"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// ingest is the measurement of writes on its way.
type ingest struct {
	*bench
	store     *store.Store // to count what Laurel wrote; asked only between slices
	pipelines [][]byte
	perSecond float64   // activities, of the last slice of A
	day       time.Time // that the server was told it is
}

// maxPipelines bounds how many different pipelines the floor goes round in: 200,000 commands, so that no user is hot.
const maxPipelines = 2000

// measureIngest measures A, Laurel through HTTP, beside B, the floor.
func (b *bench) measureIngest(ctx context.Context) (err error) {
	g := &ingest{bench: b, perSecond: b.result.Load.PerSecond}
	g.pipelines = b.floorPipelines(min(maxPipelines, b.Users), func(int) int { return b.items.random.IntN(b.Users) })
	if g.store, err = store.Open(ctx, store.Options{URL: "redis://" + b.redis.Address}); err != nil {
		return err
	}
	defer g.store.Close()
	if err := g.chooseFloor(ctx); err != nil {
		return err
	}
	for i := range b.Pairs {
		b.say("ingest: pair %d of %d", i+1, b.Pairs)
		p, err := g.pair(ctx)
		if err != nil {
			return err
		}
		b.result.Ingest.Pairs = append(b.result.Ingest.Pairs, p)
	}
	b.result.Ingest.conclude()
	return g.profile(ctx)
}

// floorRounds is how often each number of connections is tried.
const floorRounds = 3

// chooseFloor tries the floor with one connection and with two, in turn, and notes the better number.
func (g *ingest) chooseFloor(ctx context.Context) error {
	rates := map[int][]float64{}
	for range floorRounds {
		for _, n := range []int{1, 2} {
			count, _, err := g.slice(ctx, nil, g.floor(n), wire.Work{Requests: g.pipelines, For: g.Settings.slice() / 3})
			if err != nil {
				return fmt.Errorf("floor: %w", err)
			}
			rates[n] = append(rates[n], measure.Ratio(float64(count.Exchanges*pipeline), count.Elapsed.Seconds()))
		}
	}
	f := &g.result.Ingest.Floor
	f.One, f.Two, f.Connections = measure.Median(rates[1]), measure.Median(rates[2]), 1
	if f.Two > f.One {
		f.Connections = 2
	}
	return nil
}

// pair is one slice of A, and one of B with as many board updates.
func (g *ingest) pair(ctx context.Context) (IngestPair, error) {
	a, err := g.sideA(ctx)
	if err != nil {
		return IngestPair{}, fmt.Errorf("ingest: %w", err)
	}
	b, err := g.sideB(ctx, a)
	if err != nil {
		return IngestPair{}, fmt.Errorf("floor: %w", err)
	}
	return IngestPair{A: a, B: b, Ratio: measure.Ratio(a.PerSecond, b.PerSecond), RedisCPURatio: measure.Ratio(a.RedisMicros, b.RedisMicros)}, nil
}

// spare is how many more activities are made ready than the last slice took, in case this one is faster.
const spare = 1.5

func (g *ingest) sideA(ctx context.Context) (IngestSide, error) {
	n := int(math.Ceil(g.perSecond*g.Seconds*spare/float64(g.Batch))) + 2*g.Clients
	requests := g.posts(g.items.anyone(n, g.Batch))
	from, err := g.store.Tail(ctx, 0)
	if err != nil {
		return IngestSide{}, err
	}
	before, err := g.redis.Commands(ctx)
	if err != nil {
		return IngestSide{}, err
	}
	work := wire.Work{Requests: requests, Times: n, For: g.Settings.slice(), Check: allAccepted}
	count, used, err := g.slice(ctx, g.laurel.Process, g.clients(), work)
	if err != nil {
		return IngestSide{}, err
	}
	after, err := g.redis.Commands(ctx)
	if err != nil {
		return IngestSide{}, err
	}
	commits, updates, err := g.written(ctx, from)
	if err != nil {
		return IngestSide{}, err
	}
	s := newIngestSide(float64(count.Exchanges*g.Batch), updates, count, used)
	s.Commits, s.Commands = commits, process.CommandsSince(before, after)
	g.perSecond = s.PerSecond
	return s, nil
}

// written reads the change stream for what was committed since a position: commits, and the board rows that they wrote.
func (g *ingest) written(ctx context.Context, from feed.Position) (commits, updates int, err error) {
	const page = 1000
	for {
		changes, err := g.store.Changes(ctx, 0, from, page, 0)
		if err != nil {
			return 0, 0, fmt.Errorf("count board updates (the change stream may not hold so many; try fewer --seconds): %w", err)
		}
		if len(changes) == 0 {
			return commits, updates, nil
		}
		for i := range changes {
			updates += len(changes[i].Writes)
		}
		commits += len(changes)
		from = changes[len(changes)-1].ID
	}
}

// sideB does as many updates as A did. It is given as activities, so that the two can be compared: an activity is as many updates as it was in A.
func (g *ingest) sideB(ctx context.Context, a IngestSide) (IngestSide, error) {
	n := max((a.Updates+pipeline/2)/pipeline, 1)
	count, used, err := g.slice(ctx, nil, g.floor(g.result.Ingest.Floor.Connections), wire.Work{Requests: g.pipelines, Times: n})
	if err != nil {
		return IngestSide{}, err
	}
	updates := count.Exchanges * pipeline
	return newIngestSide(float64(updates)/a.UpdatesPerActivity, updates, count, used), nil
}

func newIngestSide(activities float64, updates int, count wire.Count, used usage) IngestSide {
	return IngestSide{
		Activities: activities, Updates: updates, UpdatesPerActivity: measure.Ratio(float64(updates), activities),
		Seconds: count.Elapsed.Seconds(), PerSecond: measure.Ratio(activities, count.Elapsed.Seconds()),
		RedisMicros: micros(used.redis, activities), LaurelMicros: micros(used.server, activities), GeneratorMicros: micros(used.generator, activities),
	}
}

// profile takes a CPU profile of the server during one more slice of A, which is not part of the result.
func (g *ingest) profile(ctx context.Context) error {
	return g.bench.profile(ctx, "ingest.pprof", func() error {
		_, err := g.sideA(ctx)
		return err
	})
}

// profile writes what the server does while work goes on to a file.
func (b *bench) profile(ctx context.Context, name string, work func() error) error {
	if b.Profiles == "" {
		return nil
	}
	b.say("profile: %s", name)
	type taken struct {
		profile []byte
		err     error
	}
	done := make(chan taken, 1)
	go func() {
		p, err := b.laurel.Profile(ctx, max(int(b.Seconds), 1))
		done <- taken{p, err}
	}()
	err := work()
	t := <-done
	if err != nil {
		return err
	}
	if t.err != nil {
		return t.err
	}
	return os.WriteFile(filepath.Join(b.Profiles, name), t.profile, 0o644)
}
