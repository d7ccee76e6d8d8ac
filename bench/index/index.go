// Package index measures the ranking index beside a sorted set of Redis with the same members: updates, ranks, the load of a board, memory,
// and how long readers and writers hold each other up. Each comparison is made in pairs of slices that follow each other, so that whatever
// else the machine does falls on both sides.
package index

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"laurel/bench/process"
	"laurel/bench/scenario"
	"laurel/bench/wire"
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/ranking"
)

// Settings say how much is measured. They are part of the result.
type Settings struct {
	Members []int   `json:"members"` // sizes of the board, one after the other
	Pairs   int     `json:"pairs"`
	Seconds float64 `json:"seconds"` // of one side of a pair
}

// Options are where things are.
type Options struct {
	Settings
	Root     string    // of the module
	Command  string    // for the result: how the benchmark was called
	Progress io.Writer // told what goes on
}

const (
	pipeline = 100     // commands; what DESIGN §4.6 fixes
	commit   = 100     // writes of a change, and users asked for together: as many as a pipeline has
	values   = 1 << 40 // members' values lie below: few are equal
	floorKey = "floor"
	patience = 10 * time.Minute // with one command
	// floorBase keeps scores of the plain sorted set positive whatever is added: the client takes a minus sign for an error.
	floorBase = 1 << 50
)

// board is where the members are in Redis as Laurel keeps them.
func board() feed.Board {
	return feed.Board{Org: "bench", Rule: "points", Label: "all"}
}

func (s *Settings) validate() error {
	if s.Pairs < 1 || s.Seconds <= 0 || len(s.Members) == 0 {
		return errors.New("members, pairs and seconds must be positive")
	}
	for _, n := range s.Members {
		if n < 1000 || n > 50_000_000 {
			return fmt.Errorf("a board of %d members: 1,000 to 50,000,000 can be measured", n)
		}
	}
	return nil
}

func (s *Settings) slice() time.Duration { return time.Duration(s.Seconds * float64(time.Second)) }

// run is the measurement of one size on its way.
type run struct {
	Options
	redis  *process.Redis
	client *redis.Client // for commands that take as long as the board is large
	store  *store.Store
	n      int
	random *rand.Rand
	result *Size

	bare   *ranking.Index // beside boards, for what one goroutine does without a lock
	boards *node
	now    calendar.Instant
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
	result := newResult(scenario.Describe(ctx, o.Root), o)
	for _, n := range o.Members {
		size, err := o.measure(ctx, dir, n, result)
		if err != nil {
			return nil, fmt.Errorf("%d members: %w", n, err)
		}
		result.Sizes = append(result.Sizes, *size)
	}
	return result, nil
}

// measure measures one size on a server of its own.
func (o Options) measure(ctx context.Context, dir string, n int, result *Result) (_ *Size, err error) {
	r := &run{Options: o, n: n, random: rand.New(rand.NewPCG(20, 26)), result: &Size{Members: n}}
	if r.redis, err = process.StartRedis(ctx, dir); err != nil {
		return nil, err
	}
	defer r.redis.Stop()
	r.client = r.redis.Client.WithTimeout(patience)
	if result.Redis, err = r.redis.Version(ctx); err != nil {
		return nil, err
	}
	if r.store, err = store.Open(ctx, store.Options{URL: "redis://" + r.redis.Address}); err != nil {
		return nil, err
	}
	defer r.store.Close()
	defer func() { r.boards.stop() }()
	for _, step := range []func(context.Context) error{r.build, r.loads, r.fillFloor, r.updates, r.ranks, r.remeasure, r.pauses} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	r.result.conclude()
	return r.result, nil
}

func (r *run) say(format string, args ...any) {
	fmt.Fprintf(r.Progress, "%d members: %s\n", r.n, fmt.Sprintf(format, args...))
}

// appendUser appends the id of member i.
func appendUser(b []byte, i int) []byte {
	const digits = "00000000"
	var number [20]byte
	text := strconv.AppendInt(number[:0], int64(i), 10)
	return append(append(append(b, "user-"...), digits[:max(len(digits)-len(text), 0)]...), text...)
}

// userLength is that of every member's id.
const userLength = len("user-00000000")

// users are n ids of members at random, their bytes one after the other as those of a request are.
func (r *run) users(n int) []activity.User {
	text := make([]byte, 0, n*userLength)
	for range n {
		text = appendUser(text, r.random.IntN(r.n))
	}
	all := string(text)
	us := make([]activity.User, n)
	for i := range us {
		us[i] = activity.User(all[i*userLength : (i+1)*userLength])
	}
	return us
}

// entries are n updates: members at random come to values at random.
func (r *run) entries(n int) []ranking.Update {
	us := make([]ranking.Update, n)
	for i, u := range r.users(n) {
		r.now++
		us[i].Entry = ranking.Entry{User: u, Value: r.random.Int64N(values), Reached: r.now}
	}
	return us
}

// zadds encodes every member's ZADD, a thousand members a command.
func (r *run) zadds(key string, base int64, member func(value int64, user string) string, yield func(command []byte) error) error {
	const each = 1000
	for i := 0; i < r.n; i += each {
		args := []string{"ZADD", key}
		for j := i; j < min(i+each, r.n); j++ {
			v := r.random.Int64N(values)
			args = append(args, strconv.FormatInt(base+v, 10), member(v, string(appendUser(nil, j))))
		}
		if err := yield(wire.Command(nil, args...)); err != nil {
			return err
		}
	}
	return nil
}

// fill brings every member into a sorted set, in no order of values, which lie at base and above.
func (r *run) fill(ctx context.Context, key string, base int64, member func(value int64, user string) string) error {
	conns, err := (&wire.Target{Address: r.redis.Address, Connections: 1, As: wire.NewRESP(wire.LinesOfInteger)}).Dial(ctx)
	if err != nil {
		return err
	}
	defer wire.CloseAll(conns)
	return r.zadds(key, base, member, func(command []byte) error {
		_, err := conns[0].Exchange(command)
		return err
	})
}

// fillFloor takes the board away and fills a plain sorted set.
func (r *run) fillFloor(ctx context.Context) error {
	r.say("filling the plain sorted set")
	if err := r.client.Unlink(ctx, string(store.BoardKey(0, board()))).Err(); err != nil {
		return err
	}
	if err := r.fill(ctx, floorKey, floorBase, func(_ int64, user string) string { return user }); err != nil {
		return err
	}
	bytes, err := r.client.MemoryUsage(ctx, floorKey, 0).Result()
	r.result.Memory.Redis = float64(bytes)/float64(r.n) - float64(userLength)
	return err
}
