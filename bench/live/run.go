//go:build linux

package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"laurel/bench/measure"
	"laurel/bench/process"
	"laurel/bench/scenario"
)

// Catalog is what a server that is started here is given, and what another one needs: behaviour play, rule points.
const Catalog = `orgs:
  - id: bench
    timezone: UTC
    behaviours:
      - {name: play, meta: {points: integer}}
    rules:
      - id: points
        when: {name: play}
        value: {sum: meta.points}
        cycles: [week, all]
`

// Options are where things are.
type Options struct {
	Settings
	URL, Admin, Key string // of a server that runs; URL "": one is started, with a Redis of its own
	Program         string // a laurel program to start
	Profile         string // file for a CPU profile of the server while updates come; "": none
	Command         string // for the result: how the benchmark was called
	Progress        io.Writer
}

func (s *Settings) validate() error {
	switch {
	case s.Connections < 1 || s.PerView < 1 || s.Limit < 1 || s.Span < 0 || s.Members < 1 || s.Duration < time.Second:
		return errors.New("connections, conns-per-view, limit and members must be positive, and the duration a second at least")
	case s.Slow < 0 || s.Slow >= s.Connections:
		return errors.New("slow connections are some of the connections")
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Cur < limit.Max { // the Go runtime has raised it already, as a rule
		limit.Cur = limit.Max
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
	}
	if need := uint64(s.Connections) + 100; need > limit.Cur {
		return fmt.Errorf("%d connections need %d open files, and the limit is %d (ulimit -n)", s.Connections, need, limit.Cur)
	}
	return nil
}

// run is a measurement on its way.
type run struct {
	o       Options
	server  server
	redis   *process.Redis // nil: somebody else's
	names   names
	source  *source
	views   []*watched
	clients []*client
	dialer  *dialer
	poller  *poller
	result  *Result
}

func (r *run) say(format string, args ...any) { fmt.Fprintf(r.o.Progress, format+"\n", args...) }

// Run measures once. Processes that it started have ended when it returns.
func Run(ctx context.Context, o Options) (_ *Result, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	r := &run{o: o, result: &Result{Settings: o.Settings, Command: o.Command}, names: names{fmt.Sprintf("p%x-", time.Now().UnixMilli())}}
	r.describe(ctx)
	stop, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := r.people(ctx); err != nil {
		return nil, err
	}
	defer r.source.close()
	if r.poller, err = newPoller(r.clients, r.names); err != nil {
		return nil, err
	}
	defer r.poller.close()
	polling, end := make(chan struct{}), make(chan error, 1)
	go func() { end <- r.poller.run(polling) }()
	err = r.measure(ctx)
	close(polling)
	return r.result, errors.Join(err, <-end)
}

func (r *run) describe(ctx context.Context) {
	host := scenario.Describe(ctx, ".")
	r.result.Commit, r.result.Dirty, r.result.Date = host.Commit, host.Dirty, host.Date
	if info, ok := debug.ReadBuildInfo(); ok { // the server is this very program, which may be older than the tree
		for _, set := range info.Settings {
			switch set.Key {
			case "vcs.revision":
				r.result.Commit = set.Value
			case "vcs.modified":
				r.result.Dirty = set.Value == "true"
			}
		}
	}
	r.result.CPU, r.result.Cores, r.result.Load1, r.result.Go = host.CPU, host.Cores, host.Load1, host.Go
}

// begin starts the servers if need be.
func (r *run) begin(ctx context.Context) (stop func(), err error) {
	r.server = server{url: r.o.URL, admin: r.o.Admin, key: r.o.Key}
	if r.o.URL != "" {
		return func() {}, nil
	}
	var undo []func()
	stop = func() {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	dir, err := os.MkdirTemp("", "laurel-bench-")
	if err != nil {
		return nil, err
	}
	undo = append(undo, func() { _ = os.RemoveAll(dir) })
	if r.redis, err = process.StartRedis(ctx, dir); err != nil {
		return nil, err
	}
	undo = append(undo, r.redis.Stop)
	if r.result.Redis, err = r.redis.Version(ctx); err != nil {
		return nil, err
	}
	laurel, err := process.StartLaurel(ctx, r.o.Program, r.redis.Address, dir, []byte(Catalog))
	if err != nil {
		return nil, err
	}
	undo = append(undo, laurel.Stop)
	r.server = server{url: "http://" + laurel.Address, admin: "http://" + laurel.Admin, key: laurel.Key}
	if n := r.o.Members - r.actors(); n > 0 {
		r.say("filling the board with %d members", n)
		err = fill(ctx, r.redis.Address, n)
	}
	return stop, err
}

const maxActors = 20_000

// actors is how many users come by activities, and act: those who are watched first.
func (r *run) actors() int { return max(min(maxActors, r.o.Members), r.viewCount(), r.o.Limit) }

func (r *run) viewCount() int {
	if r.o.View == "top" {
		return 1
	}
	return (r.o.Connections + r.o.PerView - 1) / r.o.PerView
}

// people makes the users who act, the views and the clients.
func (r *run) people(ctx context.Context) (err error) {
	address := strings.TrimPrefix(r.server.url, "http://")
	if r.dialer, err = newDialer(address, r.server.key); err != nil {
		return err
	}
	if r.source, err = newSource(address, r.server.key, r.actors(), r.names); err != nil {
		return err
	}
	r.say("%d users begin", r.actors())
	const above = 1_000_000_000 // everyone else, whatever they win meanwhile
	err = r.source.begin(func(user int) int64 {
		if r.o.View == "top" && user < r.o.Limit {
			return above + r.source.random.Int64N(1000)
		}
		return 1 + r.source.random.Int64N(spread)
	})
	if err != nil {
		return err
	}
	for i := range r.viewCount() {
		v := &watched{index: i, states: map[uint64]*state{}, steps: map[step]*state{}}
		if r.o.View != "top" {
			v.user = r.names.user(i)
		}
		v.subscribe = appendFrame(nil, r.subscription(v))
		r.views = append(r.views, v)
	}
	for i := range r.o.Connections {
		c := &client{index: i, fd: -1, view: r.views[min(i/r.o.PerView, len(r.views)-1)], slow: i < r.o.Slow}
		if r.o.View == "top" {
			c.view = r.views[0]
		}
		c.view.clients++
		r.clients = append(r.clients, c)
	}
	return r.awaitBoard(ctx)
}

func (r *run) subscription(v *watched) []byte {
	m := map[string]any{"type": "subscribe", "id": "v"}
	view := map[string]any{"kind": r.o.View}
	if r.o.View != "user" {
		view["rule"], view["period"] = r.o.Rule, r.o.Period
	}
	switch r.o.View {
	case "top":
		view["limit"] = r.o.Limit
	case "around":
		view["user"], view["span"] = v.user, r.o.Span
	case "users":
		view["users"] = []string{v.user}
	case "user":
		view["user"] = v.user
	}
	if m["view"] = view; r.o.MaxHz > 0 {
		m["max_hz"] = r.o.MaxHz
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers
	}
	return text
}

// awaitBoard reads until the board is in the server's memory.
func (r *run) awaitBoard(ctx context.Context) (err error) {
	for range 60 {
		if _, err = r.server.read(ctx, &r.o.Settings, r.names.user(0)); err == nil {
			return nil
		}
		if pauseErr := pause(ctx, 500*time.Millisecond); pauseErr != nil {
			return pauseErr
		}
	}
	return err
}

func (r *run) measure(ctx context.Context) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	if r.o.Rate > 0 {
		if err := r.push(ctx); err != nil {
			return err
		}
	}
	if r.o.Storm > 0 {
		if err := r.storm(ctx); err != nil {
			return err
		}
	}
	return r.compare(ctx)
}

// memory is the server's resident memory without garbage.
func (r *run) memory(ctx context.Context) (int64, error) {
	if err := r.server.collect(ctx); err != nil {
		return 0, err
	}
	m, err := r.server.metrics(ctx)
	return int64(m["process_resident_memory_bytes"]), err
}

// connect brings the clients in, and measures what they cost while they are idle.
func (r *run) connect(ctx context.Context) (err error) {
	idle := &r.result.Idle
	if idle.Before, err = r.memory(ctx); err != nil {
		return err
	}
	r.say("%d clients connect", len(r.clients))
	r.poller.log.start = time.Now()
	if err := r.dialer.connect(ctx, r.poller, r.clients, 0); err != nil {
		return err
	}
	if err := r.awaitStates(ctx); err != nil {
		return err
	}
	r.poller.do(func() { idle.Settled = quantilesOf(r.poller.log.settled) })
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	if idle.After, err = r.memory(ctx); err != nil {
		return err
	}
	idle.PerConnection = measure.Ratio(float64(idle.After-idle.Before), float64(len(r.clients)))
	return nil
}

// awaitStates waits until every client holds a state.
func (r *run) awaitStates(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for r.poller.ready.Load() < int64(len(r.clients)) {
		if r.poller.lost.Load() > 0 {
			return fmt.Errorf("a connection was lost before its first state: %w", r.firstError())
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d clients hold a state: %w", r.poller.ready.Load(), len(r.clients), err)
		}
	}
	return nil
}

func (r *run) firstError() (err error) {
	r.poller.do(func() {
		for _, c := range r.clients {
			if c.err != nil {
				err = fmt.Errorf("client %d (slow: %v): %w", c.index, c.slow, c.err)
				return
			}
		}
	})
	return err
}

// used is what was used so far.
type used struct {
	metrics          map[string]float64
	redis, generator time.Duration
	traffic          []traffic
}

type traffic struct {
	frames int
	bytes  int64
}

func (r *run) used(ctx context.Context) (u used, err error) {
	if u.metrics, err = r.server.metrics(ctx); err != nil {
		return u, err
	}
	if r.redis != nil {
		if u.redis, err = r.redis.CPU(ctx); err != nil {
			return u, err
		}
	}
	r.poller.do(func() {
		for _, c := range r.clients {
			u.traffic = append(u.traffic, traffic{c.frames, c.bytes})
		}
	})
	u.generator, err = measure.OwnCPU()
	return u, err
}

// push sends updates, and fills in what they did.
func (r *run) push(ctx context.Context) error {
	r.say("%.0f updates a second for %v", r.o.Rate, r.o.Duration)
	before, err := r.used(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	r.poller.do(func() {
		r.poller.log.start, r.poller.log.on = start, true
		r.poller.log.shown = nil
	})
	profiled := make(chan error, 1)
	go func() { profiled <- r.profile(ctx) }()
	if err := r.source.run(ctx, start, r.o.Rate, r.o.Duration, r.chooser()); err != nil {
		return err
	}
	took := time.Since(start)
	after, err := r.used(ctx)
	if err != nil {
		return err
	}
	p := &Push{Updates: len(r.source.updates), PerSecond: float64(len(r.source.updates)) / took.Seconds()}
	r.result.Push = p
	r.poller.do(func() {
		p.SlowLag = quantilesOf(r.behind(took))
		p.frames(r, took.Seconds(), before.traffic)
		err = r.poller.hurry()
	})
	p.costs(&before, &after, took)
	if err := errors.Join(err, <-profiled, r.quieten(ctx, start.Add(took))); err != nil {
		return err
	}
	r.poller.do(func() { p.latencies(r); r.poller.log.on = false })
	return nil
}

// costs fills in what was used.
func (p *Push) costs(before, after *used, took time.Duration) {
	of := func(name string) float64 { return after.metrics[name] - before.metrics[name] }
	cpu := of("process_cpu_seconds_total")
	p.ServerCPU = cpu / took.Seconds()
	p.ServerMicros = measure.Ratio(1e6*cpu, of("laurel_ws_frames_total"))
	p.RedisCPU = (after.redis - before.redis).Seconds() / took.Seconds()
	p.GeneratorCPU = (after.generator - before.generator).Seconds() / took.Seconds()
	p.ServerRSS = int64(after.metrics["process_resident_memory_bytes"])
	p.Renders = int(of("laurel_ws_renders_total"))
	p.GeneratorRSS = ownMemory()
}

// chooser tells whose activity is next: of those in the watched top, or of everyone with one in ten from those who are watched.
func (r *run) chooser() func() int {
	random, n := r.source.random, 0
	return func() int {
		switch n++; {
		case r.o.View == "top":
			return random.IntN(r.o.Limit)
		case n%10 == 0:
			return random.IntN(len(r.views))
		default:
			return random.IntN(len(r.source.scores))
		}
	}
}

func (r *run) profile(ctx context.Context) error {
	if r.o.Profile == "" {
		return nil
	}
	text, err := r.server.get(ctx, fmt.Sprintf("%s/debug/pprof/profile?seconds=%d", r.server.admin, max(int(r.o.Duration.Seconds())-1, 1)), nil)
	if err != nil {
		return err
	}
	return os.WriteFile(r.o.Profile, text, 0o644)
}
