// Package scenario is what the benchmark does and in which order: it fills a server with users, and then measures ingest and rank reads as
// interleaved A/B pairs, so that whatever else the machine does meanwhile falls on both sides.
package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"laurel/bench/measure"
	"laurel/bench/process"
	"laurel/bench/wire"
)

// Settings say how much is measured. They are part of the result.
type Settings struct {
	Users   int     `json:"users"`
	Pairs   int     `json:"pairs"`
	Seconds float64 `json:"seconds"` // of one side of a pair
	Batch   int     `json:"batch"`   // activities a request
	Clients int     `json:"clients"` // connections that send activities
	Readers int     `json:"readers"` // connections that read
}

// Options are where things are.
type Options struct {
	Settings
	Root     string    // of the module
	Program  string    // a built laurel; "": build one
	Ceiling  []string  // command line of a process that calls process.ServeCeiling
	Command  string    // for the result: how the benchmark was called
	Profiles string    // directory for CPU profiles of the server; "": none are taken
	Progress io.Writer // told what goes on
}

// validate keeps out what could not be measured, or would divide by zero.
func (s *Settings) validate() error {
	if s.Users < 1 || s.Pairs < 1 || s.Seconds <= 0 || s.Batch < 1 || s.Clients < 1 || s.Readers < 1 {
		return errors.New("users, pairs, seconds, batch, clients and readers must be positive")
	}
	if s.Batch > 5000 {
		return errors.New("a request takes at most 5000 activities")
	}
	return nil
}

func (s *Settings) slice() time.Duration { return time.Duration(s.Seconds * float64(time.Second)) }

// bench is a run on its way.
type bench struct {
	Options
	redis  *process.Redis
	laurel *process.Laurel
	items  *activities
	result *Result
}

// Run measures everything once. Its processes and files are gone when it returns.
func Run(ctx context.Context, o Options) (_ *Result, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "laurelbench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{Options: o, items: newActivities(o.Users), result: &Result{Settings: o.Settings, Command: o.Command}}
	b.result.Ingest.Bar = IngestBar
	b.result.describeHost(ctx, o.Root)
	if b.Program == "" {
		b.say("building laurel")
		if b.Program, err = process.BuildLaurel(ctx, o.Root, dir); err != nil {
			return nil, err
		}
	}
	if b.redis, err = process.StartRedis(ctx, dir); err != nil {
		return nil, err
	}
	defer b.redis.Stop()
	if b.result.Redis, err = b.redis.Version(ctx); err != nil {
		return nil, err
	}
	if b.laurel, err = process.StartLaurel(ctx, b.Program, b.redis.Address, dir, []byte(Catalog)); err != nil {
		return nil, err
	}
	defer b.laurel.Stop()
	for _, step := range []func(context.Context) error{b.load, b.loadFloor, b.openBoards, b.measureIngest, b.measureMemory, b.measureReads} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return b.result, nil
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.Progress, format+"\n", args...) }

// usage is CPU time by who used it.
type usage struct{ redis, server, generator time.Duration }

// cpu reads what was used so far. server may be nil.
func (b *bench) cpu(ctx context.Context, server *process.Process) (u usage, err error) {
	if u.redis, err = b.redis.CPU(ctx); err != nil {
		return u, err
	}
	if server != nil {
		if u.server, err = server.CPU(); err != nil {
			return u, err
		}
	}
	u.generator, err = measure.OwnCPU()
	return u, err
}

// warmup is what does not count, so that no side begins cold.
const warmup = 200 * time.Millisecond

// slice does work over connections of its own and tells what it took: servers end connections that are idle while another side has its turn.
// Garbage of the preparation is collected before, so that it is nobody's.
func (b *bench) slice(ctx context.Context, server *process.Process, to wire.Target, w wire.Work) (wire.Count, usage, error) {
	conns, err := to.Dial(ctx)
	if err != nil {
		return wire.Count{}, usage{}, err
	}
	defer wire.CloseAll(conns)
	if w.For > 0 && w.Times == 0 { // endless work can be warmed up with
		if _, err := wire.Drive(ctx, conns, wire.Work{Requests: w.Requests, For: min(warmup, w.For), Check: w.Check}); err != nil {
			return wire.Count{}, usage{}, err
		}
	}
	runtime.GC()
	before, err := b.cpu(ctx, server)
	if err != nil {
		return wire.Count{}, usage{}, err
	}
	count, err := wire.Drive(ctx, conns, w)
	if err != nil {
		_, ended := b.cpu(ctx, server) // a server that has ended says more than a connection that broke
		return count, usage{}, errors.Join(err, ended)
	}
	after, err := b.cpu(ctx, server)
	return count, usage{after.redis - before.redis, after.server - before.server, after.generator - before.generator}, err
}

// micros is a duration per thing in µs.
func micros(d time.Duration, things float64) float64 {
	return measure.Ratio(float64(d)/float64(time.Microsecond), things)
}
