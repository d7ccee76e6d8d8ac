package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"laurel/bench/process"
	"laurel/bench/wire"
	"laurel/internal/store"
)

// streakRule is a daily streak with all that a product asks of one. Each activity matches it.
const streakRule = `      - id: %s
        when: {name: play}
        unit: day
        target: 1
        at_risk: 4h
        freezes: {initial: 1, earn_every: 7, max: 2}
        milestones: [{at: 3}, {at: 7}, {every: 30, once: run}]
`

// streakSides are the catalogs that are compared, by how many streak rules they have. The first is what the others are compared with.
var streakSides = [...]int{0, 1, 3}

// streakCatalog is Catalog with other streak rules, n of them.
func streakCatalog(n int) string {
	c, _, _ := strings.Cut(Catalog, "    streaks:\n")
	if n > 0 {
		c += "    streaks:\n"
	}
	for i := range n {
		c += fmt.Sprintf(streakRule, fmt.Sprint("daily", i+1))
	}
	return c
}

// streakIngest measures what streak rules cost where activities come in. Each side is a server and a Redis of its own, which have nothing to do while it is
// not their turn.
type streakIngest struct {
	Options
	sides  []*ingest
	result *StreakIngest
}

// RunStreakIngest measures it once. Its processes and files are gone when it returns.
func RunStreakIngest(ctx context.Context, o Options) (_ *StreakIngest, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "laurelbench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.Program == "" {
		if o.Program, err = process.BuildLaurel(ctx, o.Root, dir); err != nil {
			return nil, err
		}
	}
	m := &streakIngest{Options: o, result: &StreakIngest{}}
	defer m.stop()
	for _, rules := range streakSides {
		if err := m.start(ctx, rules, dir); err != nil {
			return nil, err
		}
	}
	for _, work := range []struct {
		name string
		to   *StreakCost
		side func(context.Context, *ingest) (IngestSide, error)
	}{
		{"any", &m.result.Any, func(ctx context.Context, g *ingest) (IngestSide, error) { return g.sideA(ctx) }},
		{"first", &m.result.First, m.newDay},
	} {
		if err := m.measure(ctx, work.name, work.to, work.side); err != nil {
			return nil, fmt.Errorf("%s activities with streaks: %w", work.name, err)
		}
	}
	return m.result, nil
}

// start starts one side and brings every user in.
func (m *streakIngest) start(ctx context.Context, rules int, dir string) (err error) {
	dir = filepath.Join(dir, fmt.Sprint(rules))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	b := &bench{Options: m.Options, items: newActivities(m.Users), result: &Result{}}
	g := &ingest{bench: b}
	m.sides = append(m.sides, g)
	if b.redis, err = process.StartRedis(ctx, dir); err != nil {
		return err
	}
	if m.result.Redis, err = b.redis.Version(ctx); err != nil {
		return err
	}
	if b.laurel, err = process.StartLaurel(ctx, b.Program, b.redis.Address, dir, []byte(streakCatalog(rules)), "--test-clock"); err != nil {
		return err
	}
	if g.store, err = store.Open(ctx, store.Options{URL: "redis://" + b.redis.Address}); err != nil {
		return err
	}
	if err := b.load(ctx); err != nil {
		return err
	}
	g.perSecond = b.result.Load.PerSecond
	if err := b.openBoards(ctx); err != nil {
		return err
	}
	for i := range rules {
		for _, length := range []string{"current", "longest"} {
			if err := b.openBoard(ctx, wire.Get(fmt.Sprintf("/v1/leaderboards/daily%d.%s/all?limit=1", i+1, length), b.laurel.Key)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *streakIngest) stop() {
	for _, g := range m.sides {
		if g.store != nil {
			_ = g.store.Close() // nothing was written by it
		}
		if g.laurel != nil {
			g.laurel.Stop()
		}
		if g.redis != nil {
			g.redis.Stop()
		}
	}
}

// measure does the same work on each side, as many times as there are pairs, each time beginning with another side.
func (m *streakIngest) measure(ctx context.Context, name string, to *StreakCost, work func(context.Context, *ingest) (IngestSide, error)) error {
	for n := range m.Pairs {
		fmt.Fprintf(m.Progress, "streaks, %s activities: round %d of %d\n", name, n+1, m.Pairs)
		var r StreakRound
		for i := range m.sides {
			at := (n + i) % len(m.sides)
			side, err := work(ctx, m.sides[at])
			if err != nil {
				return err
			}
			side.Commands = nil
			*r.side(at) = side
		}
		r.conclude()
		to.Rounds = append(to.Rounds, r)
	}
	to.conclude()
	for i, g := range m.sides {
		profile := fmt.Sprintf("streaks-%s-%d.pprof", name, streakSides[i])
		if err := g.bench.profile(ctx, profile, func() error { _, err := work(ctx, g); return err }); err != nil {
			return err
		}
	}
	return nil
}

// newDay lets a day pass and has every user come once: each activity is its user's first of the day and extends the streaks.
func (m *streakIngest) newDay(ctx context.Context, g *ingest) (IngestSide, error) {
	if g.day.IsZero() {
		g.day = time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	}
	g.day = g.day.Add(24 * time.Hour)
	if err := g.laurel.SetClock(ctx, g.day); err != nil {
		return IngestSide{}, err
	}
	requests := g.posts(g.items.everyone(g.Batch))
	count, used, err := g.slice(ctx, g.laurel.Process, g.clients(), wire.Work{Requests: requests, Times: len(requests), Check: allAccepted})
	if err != nil {
		return IngestSide{}, err
	}
	return newIngestSide(float64(g.Users), 0, count, used), nil
}

// cpu is the time of Laurel and Redis together, for an activity.
func (s *IngestSide) cpu() float64 { return s.RedisMicros + s.LaurelMicros }
