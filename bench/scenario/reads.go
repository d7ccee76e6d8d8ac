package scenario

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"

	"laurel/bench/measure"
	"laurel/bench/process"
	"laurel/bench/wire"
)

// reads is the measurement of rank reads on its way.
type reads struct {
	*bench
	ceiling *process.Ceiling
	sides   []readSide
}

// readSide is one of those that are compared.
type readSide struct {
	name     string
	server   *process.Process // nil: Redis itself
	target   wire.Target
	requests [][]byte
	put      func(*ReadPair, ReadSide)
}

// maxReadUsers bounds how many different users are read.
const maxReadUsers = 20_000

// measureReads measures A, Laurel, beside B1, Redis's own rank, and B2, the ceiling.
func (b *bench) measureReads(ctx context.Context) error {
	r := &reads{bench: b}
	b.result.Reads.Period = cycles()[0]
	answer, err := r.typicalAnswer(ctx)
	if err != nil {
		return err
	}
	b.result.Reads.AnswerBytes = len(answer.Body)
	if r.ceiling, err = process.StartCeiling(ctx, b.Ceiling, answer); err != nil {
		return err
	}
	defer r.ceiling.Stop()
	r.prepare()
	for i := range b.Pairs {
		b.say("rank reads: round %d of %d", i+1, b.Pairs)
		p, err := r.round(ctx, i)
		if err != nil {
			return err
		}
		b.result.Reads.Pairs = append(b.result.Reads.Pairs, p)
	}
	b.result.Reads.conclude()
	return b.profile(ctx, "reads.pprof", func() error {
		_, err := r.side(ctx, &r.sides[0])
		return err
	})
}

func rankPath(cycle string, user int) string { return boardsPath + cycle + "/users/" + userID(user) }

// samples is how many answers are looked at for a typical one; odd, so that there is a middle.
const samples = 101

// typicalAnswer is the one of median length among Laurel's answers, with its headers.
func (r *reads) typicalAnswer(ctx context.Context) (process.Answer, error) {
	answers := make([]process.Answer, samples)
	for i := range answers {
		var err error
		if answers[i], err = r.answer(ctx, rankPath(r.result.Reads.Period, r.items.random.IntN(r.Users))); err != nil {
			return process.Answer{}, err
		}
	}
	slices.SortFunc(answers, func(a, b process.Answer) int { return len(a.Body) - len(b.Body) })
	return answers[samples/2], nil
}

func (r *reads) answer(ctx context.Context, path string) (process.Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.laurel.Address+path, nil)
	if err != nil {
		return process.Answer{}, err
	}
	request.Header.Set("Authorization", "Bearer "+r.laurel.Key)
	got, err := http.DefaultClient.Do(request)
	if err != nil {
		return process.Answer{}, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %.300s", path, got.Status, body)
	}
	got.Header.Del("Date") // the ceiling's server writes its own
	return process.Answer{Header: got.Header, Body: body}, err
}

// prepare encodes the requests of each side: the same users in the same order.
func (r *reads) prepare() {
	gets := make([][]byte, min(maxReadUsers, r.Users))
	ranks := make([][]byte, len(gets))
	for i := range gets {
		user := r.items.random.IntN(r.Users)
		gets[i] = wire.Get(rankPath(r.result.Reads.Period, user), r.laurel.Key)
		ranks[i] = wire.Command(nil, "ZREVRANK", floorKey(0), userID(user))
	}
	target := func(address string, as func(net.Conn) wire.Exchanger) wire.Target {
		return wire.Target{Address: address, Connections: r.Readers, As: as}
	}
	r.sides = []readSide{
		{"laurel", r.laurel.Process, target(r.laurel.Address, wire.NewHTTP), gets, func(p *ReadPair, s ReadSide) { p.A = s }},
		{"redis", nil, target(r.redis.Address, wire.NewRESP(wire.LinesOfInteger)), ranks, func(p *ReadPair, s ReadSide) { p.B1 = s }},
		{"ceiling", r.ceiling.Process, target(r.ceiling.Address, wire.NewHTTP), gets, func(p *ReadPair, s ReadSide) { p.B2 = s }},
	}
}

// round is a slice of each side, each round beginning with another one.
func (r *reads) round(ctx context.Context, n int) (ReadPair, error) {
	var p ReadPair
	for i := range r.sides {
		s := &r.sides[(n+i)%len(r.sides)]
		got, err := r.side(ctx, s)
		if err != nil {
			return p, err
		}
		s.put(&p, got)
	}
	p.conclude()
	return p, nil
}

func (r *reads) side(ctx context.Context, s *readSide) (ReadSide, error) {
	count, used, err := r.slice(ctx, s.server, s.target, wire.Work{Requests: s.requests, For: r.Settings.slice()})
	if err != nil {
		return ReadSide{}, fmt.Errorf("rank reads from %s: %w", s.name, err)
	}
	server := used.server
	if s.server == nil {
		server = used.redis
	}
	n := float64(count.Exchanges)
	return ReadSide{Reads: count.Exchanges, Seconds: count.Elapsed.Seconds(), PerSecond: measure.Ratio(n, count.Elapsed.Seconds()),
		ServerMicros: micros(server, n), GeneratorMicros: micros(used.generator, n)}, nil
}
