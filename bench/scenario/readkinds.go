package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"laurel/bench/measure"
	"laurel/bench/process"
	"laurel/bench/wire"
)

// readKind is one kind of request.
type readKind struct {
	name   string
	method string
	bar    float64 // of the ceiling's throughput
	make   func(random *rand.Rand, members int) (path, body string)
}

const usersAsked = 20 // by one POST ranks

func readKinds() []readKind {
	const week = boardsPath + "week"
	return []readKind{
		{"rank", http.MethodGet, LargeBoardBar, func(r *rand.Rand, n int) (string, string) { return week + "/users/" + userID(r.IntN(n)), "" }},
		{"window of 21", http.MethodGet, LargeBoardBar, func(r *rand.Rand, n int) (string, string) {
			return week + "/users/" + userID(r.IntN(n)) + "?around=10", ""
		}},
		{"top 50", http.MethodGet, LargeBoardBar, func(*rand.Rand, int) (string, string) { return week + "?limit=50", "" }},
		{"ranks of 20", http.MethodPost, LargeBoardBar, func(r *rand.Rand, n int) (string, string) {
			users := make([]string, usersAsked)
			for i := range users {
				users[i] = `"` + userID(r.IntN(n)) + `"`
			}
			return week + "/ranks", `{"users":[` + strings.Join(users, ",") + `]}`
		}},
	}
}

// openLoopConnections are so many that a request hardly ever waits for one on its own side.
const openLoopConnections = 32

// RunReads measures reads of a large board, kind by kind, each beside a bare net/http server that gives an answer of the same bytes: as many as go in a
// closed loop, and how long they take when they come at fixed rates.
func RunReads(ctx context.Context, o Options) (_ *ReadsResult, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "laurelbench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	host := &Result{}
	host.describeHost(ctx, o.Root)
	b := &bench{Options: o, items: newActivities(o.Users), result: host}
	out := &ReadsResult{Commit: host.Commit, Dirty: host.Dirty, Date: host.Date, CPU: host.CPU, Cores: host.Cores, Load1: host.Load1, Go: host.Go,
		Command: o.Command, Members: o.Users, Connections: o.Readers}
	if b.Program == "" {
		if b.Program, err = process.BuildLaurel(ctx, o.Root, dir); err != nil {
			return nil, err
		}
	}
	if b.redis, err = process.StartRedis(ctx, dir); err != nil {
		return nil, err
	}
	defer b.redis.Stop()
	if b.laurel, err = process.StartLaurel(ctx, b.Program, b.redis.Address, dir, []byte(Catalog)); err != nil {
		return nil, err
	}
	defer b.laurel.Stop()
	if err := b.fill(ctx, o.Users); err != nil {
		return nil, err
	}
	for _, k := range readKinds() {
		r, err := b.readKind(ctx, &k)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
		out.Kinds = append(out.Kinds, r)
	}
	return out, nil
}

// readKind measures one kind of request.
func (b *bench) readKind(ctx context.Context, k *readKind) (KindResult, error) {
	out := KindResult{Name: k.name, Bar: k.bar}
	typical, err := b.typical(ctx, k)
	if err != nil {
		return out, err
	}
	out.AnswerBytes = len(typical.Body)
	ceiling, err := process.StartCeiling(ctx, b.Ceiling, typical)
	if err != nil {
		return out, err
	}
	defer ceiling.Stop()
	requests := make([][]byte, maxReadUsers)
	for i := range requests {
		requests[i] = b.encode(k)
	}
	sides := [2]kindSide{{b.laurel.Process, b.laurel.Address}, {ceiling.Process, ceiling.Address}}
	for i := range b.Pairs {
		b.say("%s: closed loop, pair %d of %d", k.name, i+1, b.Pairs)
		var p KindPair
		for j := range sides {
			n := (i + j) % len(sides) // each pair begins with the other side
			if p.side(n).PerSecond, p.side(n).ServerMicros, err = b.closedLoop(ctx, &sides[n], requests); err != nil {
				return out, err
			}
		}
		p.conclude()
		out.Pairs = append(out.Pairs, p)
	}
	out.conclude()
	if err := b.openLoops(ctx, &out, sides, requests); err != nil {
		return out, err
	}
	return out, b.profile(ctx, strings.ReplaceAll(k.name, " ", "-")+".pprof", func() error {
		_, _, err := b.closedLoop(ctx, &sides[0], requests)
		return err
	})
}

// kindSide is one of the two servers.
type kindSide struct {
	server  *process.Process
	address string
}

func (b *bench) closedLoop(ctx context.Context, s *kindSide, requests [][]byte) (perSecond, serverMicros float64, err error) {
	target := wire.Target{Address: s.address, Connections: b.Readers, As: wire.NewHTTP}
	count, used, err := b.slice(ctx, s.server, target, wire.Work{Requests: requests, For: b.Settings.slice()})
	n := float64(count.Exchanges)
	return measure.Ratio(n, count.Elapsed.Seconds()), micros(used.server, n), err
}

// openLoops measures latencies at two parts of what Laurel managed in the closed loop, the servers in turn.
func (b *bench) openLoops(ctx context.Context, out *KindResult, sides [2]kindSide, requests [][]byte) error {
	for _, part := range []float64{0.5, 0.8} {
		l := OpenLoop{Part: part, PerSecond: part * out.Median.Laurel.PerSecond}
		var seen [2]*wire.Latencies
		for i := range b.Pairs {
			b.say("%s: %.0f a second, pair %d of %d", out.Name, l.PerSecond, i+1, b.Pairs)
			for j := range sides {
				n := (i + j) % len(sides)
				h, err := b.openLoop(ctx, &sides[n], wire.Arrivals{Requests: requests, PerSecond: l.PerSecond, For: b.Settings.slice()})
				if err != nil {
					return err
				}
				if seen[n] == nil {
					seen[n] = h
				} else {
					seen[n].Merge(h)
				}
			}
		}
		l.Laurel, l.Ceiling = latency(seen[0]), latency(seen[1])
		out.OpenLoops = append(out.OpenLoops, l)
	}
	return nil
}

func (b *bench) openLoop(ctx context.Context, s *kindSide, a wire.Arrivals) (*wire.Latencies, error) {
	target := wire.Target{Address: s.address, Connections: openLoopConnections, As: wire.NewHTTP}
	conns, err := target.Dial(ctx)
	if err != nil {
		return nil, err
	}
	defer wire.CloseAll(conns)
	warm := a
	warm.For = min(warmup, a.For)
	if _, err := wire.Pace(ctx, conns, warm); err != nil {
		return nil, err
	}
	return wire.Pace(ctx, conns, a)
}

func latency(h *wire.Latencies) Latency {
	return Latency{P50: h.ValueAtQuantile(50), P99: h.ValueAtQuantile(99), P999: h.ValueAtQuantile(99.9), Max: h.Max()}
}

// encode makes a request of a kind as the client sends it.
func (b *bench) encode(k *readKind) []byte {
	path, body := k.make(b.items.random, b.Users)
	if k.method == http.MethodGet {
		return wire.Get(path, b.laurel.Key)
	}
	return wire.Post(path, b.laurel.Key, "application/json", []byte(body))
}

// typical is the answer of median length among Laurel's, with its headers. The first request loads the board, which may take a while.
func (b *bench) typical(ctx context.Context, k *readKind) (process.Answer, error) {
	answers := make([]process.Answer, samples)
	for i := range answers {
		path, body := k.make(b.items.random, b.Users)
		var err error
		for try := 0; ; try++ {
			if answers[i], err = b.ask(ctx, k.method, path, body); err == nil {
				break
			}
			if try == firstTries || ctx.Err() != nil {
				return process.Answer{}, err
			}
		}
	}
	slices.SortFunc(answers, func(a, b process.Answer) int { return len(a.Body) - len(b.Body) })
	return answers[samples/2], nil
}

// firstTries bounds how often a board that is loading is asked for; each try waits at the server.
const firstTries = 60

func (b *bench) ask(ctx context.Context, method, path, body string) (process.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+b.laurel.Address+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return process.Answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+b.laurel.Key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		return process.Answer{}, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %.300s", method, path, got.Status, text)
	}
	got.Header.Del("Date") // the ceiling's server writes its own
	return process.Answer{Header: got.Header, Body: text}, err
}
