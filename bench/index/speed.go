package index

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"laurel/bench/measure"
	"laurel/bench/wire"
	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/ranking"
)

// round is how many things are made ready at a time, out of the clock.
const round = 100_000

// slice is one side of a pair: it does rounds until their time is as long as it should be. ready makes a round ready and gives what is timed.
func (r *run) slice(ready func() func()) Side {
	ready()() // warm up
	runtime.GC()
	var elapsed, cpu time.Duration
	n := 0
	for elapsed < r.Settings.slice() {
		work := ready()
		used, err := measure.OwnCPU()
		start := time.Now()
		work()
		elapsed += time.Since(start)
		after, err2 := measure.OwnCPU()
		if err == nil && err2 == nil {
			cpu += after - used
		}
		n += round
	}
	return newSide(n, elapsed, cpu)
}

// redisSlice is a slice of pipelines on the plain sorted set.
func (r *run) redisSlice(ctx context.Context, lines int, command func(b []byte, user string) []byte) (Side, error) {
	pipelines := make([][]byte, round/pipeline)
	users := r.users(round)
	for i := range pipelines {
		for _, u := range users[i*pipeline : (i+1)*pipeline] {
			pipelines[i] = command(pipelines[i], string(u))
		}
	}
	target := wire.Target{Address: r.redis.Address, Connections: 1, As: wire.NewRESP(pipeline * lines)}
	conns, err := target.Dial(ctx)
	if err != nil {
		return Side{}, err
	}
	defer wire.CloseAll(conns)
	before, err := r.redis.CPU(ctx)
	if err != nil {
		return Side{}, err
	}
	count, err := wire.Drive(ctx, conns, wire.Work{Requests: pipelines, For: r.Settings.slice()})
	if err != nil {
		return Side{}, err
	}
	after, err := r.redis.CPU(ctx)
	return newSide(count.Exchanges*pipeline, count.Elapsed, after-before), err
}

// updates compares moves of members to other values with ZINCRBY.
func (r *run) updates(ctx context.Context) error {
	for i := range r.Pairs {
		r.say("updates: pair %d of %d", i+1, r.Pairs)
		var p Pair
		var failed error
		p.run(i, []func(){
			func() { p.Board = r.slice(r.commits(ctx)) },
			func() { p.Batch = r.slice(r.batches) },
			func() { p.Single = r.slice(r.singles) },
			func() {
				p.Redis, failed = r.redisSlice(ctx, wire.LinesOfBulk, func(b []byte, user string) []byte {
					return wire.Command(b, "ZINCRBY", floorKey, strconv.FormatInt(r.random.Int64N(values)-values/2, 10), user)
				})
			},
		})
		if failed != nil {
			return fmt.Errorf("ZINCRBY: %w", failed)
		}
		r.result.Updates.Pairs = append(r.result.Updates.Pairs, p)
	}
	return nil
}

// commits are changes as ingest hands them to the boards, each followed by its way through the stream.
func (r *run) commits(ctx context.Context) func() func() {
	return func() func() {
		changes := make([][]feed.Write, round/commit)
		for i := range changes {
			changes[i] = r.writes(commit)
		}
		return func() {
			for _, c := range changes {
				r.boards.commit(c)
			}
			_ = r.boards.await(ctx) // the follower's share counts; this stream has no errors
		}
	}
}

// writes are a commit's.
func (r *run) writes(n int) []feed.Write {
	ws := make([]feed.Write, n)
	for i, u := range r.entries(n) {
		ws[i] = feed.Write{Board: board(), User: u.User, Value: u.Value, Reached: u.Reached}
	}
	return ws
}

func (r *run) batches() func() {
	us := r.entries(round)
	return func() {
		for ; len(us) > 0; us = us[commit:] {
			r.bare.Apply(us[:commit])
		}
	}
}

func (r *run) singles() func() {
	us := r.entries(round)
	return func() {
		for i := range us {
			r.bare.Upsert(us[i].Entry)
		}
	}
}

// ranks compares the ranks of members with ZREVRANK.
func (r *run) ranks(ctx context.Context) error {
	for i := range r.Pairs {
		r.say("ranks: pair %d of %d", i+1, r.Pairs)
		var p Pair
		var failed error
		p.run(i, []func(){
			func() { p.Board = r.slice(r.finds) },
			func() { p.Batch = r.slice(r.bareFinds) },
			func() { p.Single = r.slice(r.singleRanks) },
			func() {
				p.Redis, failed = r.redisSlice(ctx, wire.LinesOfInteger, func(b []byte, user string) []byte {
					return wire.Command(b, "ZREVRANK", floorKey, user)
				})
			},
		})
		if failed != nil {
			return fmt.Errorf("ZREVRANK: %w", failed)
		}
		r.result.Ranks.Pairs = append(r.result.Ranks.Pairs, p)
	}
	return nil
}

// finds asks the board for a pipeline's users together.
func (r *run) finds() func() {
	users := r.users(round)
	rows := make([]ranking.Row, 0, pipeline)
	return func() {
		for ; len(users) > 0; users = users[pipeline:] {
			rows, _ = r.boards.board.Find(rows[:0], users[:pipeline], ranking.Ordinal)
		}
	}
}

func (r *run) bareFinds() func() {
	users := r.users(round)
	rows := make([]ranking.Row, 0, pipeline)
	return func() {
		for ; len(users) > 0; users = users[pipeline:] {
			rows = r.bare.Find(rows[:0], users[:pipeline], ranking.Ordinal)
		}
	}
}

// singleRanks asks the board for one user after the other, each under its lock.
func (r *run) singleRanks() func() {
	users := r.users(round)
	return func() {
		for _, u := range users {
			r.boards.board.View(func(x *ranking.Index, _ uint64) { x.Rank(u, ranking.Ordinal) })
		}
	}
}

func userOf(i int) activity.User { return activity.User(appendUser(nil, i)) }
