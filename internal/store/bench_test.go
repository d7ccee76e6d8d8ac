package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// BenchmarkCommit measures the usual commit: 100 activities of as many users, each with a document of 300 bytes, a log record and three boards, of
// 100,000 users. With redis it reports the server's CPU time, beside the floor: three pipelined ZINCRBY an activity.
func BenchmarkCommit(b *testing.B) {
	b.Run("redis", func(b *testing.B) {
		s := openBench(b, store.Options{URL: testenv.StartRedis(b).URL()})
		l := newLoad(b, s)
		b.ResetTimer()
		before := serverCPU(b, s)
		for b.Loop() {
			l.commit(100)
		}
		b.ReportMetric((serverCPU(b, s)-before)/float64(b.N)/100*1e6, "server-µs/activity")
		b.ReportMetric(float64(b.N*100)/b.Elapsed().Seconds(), "activities/s")
	})
	b.Run("floor", func(b *testing.B) {
		s := openBench(b, store.Options{URL: testenv.StartRedis(b).URL()})
		l := newLoad(b, s)
		b.ResetTimer()
		before := serverCPU(b, s)
		for b.Loop() {
			l.floor(100)
		}
		b.ReportMetric((serverCPU(b, s)-before)/float64(b.N)/100*1e6, "server-µs/activity")
	})
	for _, policy := range []store.FsyncPolicy{store.FsyncNo, store.FsyncAlways} {
		b.Run("embedded-"+string(policy), func(b *testing.B) {
			l := newLoad(b, openBench(b, store.Options{DataDir: b.TempDir(), Fsync: policy}))
			b.ResetTimer()
			for b.Loop() {
				l.commit(100)
			}
			b.ReportMetric(float64(b.N*100)/b.Elapsed().Seconds(), "activities/s")
		})
	}
}

func openBench(b *testing.B, o store.Options) *store.Store {
	b.Helper()
	s, err := store.Open(context.Background(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func serverCPU(b *testing.B, s *store.Store) float64 {
	b.Helper()
	info, err := s.Client().Info(context.Background(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	total := 0.0
	for _, line := range strings.Split(info, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += f
		}
	}
	return total
}

const benchUsers = 100_000

// load makes commits whose checks hold.
type load struct {
	b        *testing.B
	s        *store.Store
	version  [benchUsers]store.Version
	standing [benchUsers]store.Standing
	random   *rand.Rand
	order    []int
	next     int // of order
	id       int
	content  []byte
	record   string
	boards   [3]feed.Board
	fence    store.Version
}

func newLoad(b *testing.B, s *store.Store) *load {
	b.Helper()
	l := &load{b: b, s: s, random: rand.New(rand.NewPCG(1, 2)), content: []byte(strings.Repeat("s", 300)), record: strings.Repeat("r", 60)}
	for i := range l.boards {
		l.boards[i] = weekly(i + 1)
	}
	r, err := s.Commit(context.Background(), 0, []store.Group{{Org: org, Doc: store.FenceKey(0, org), Content: []byte("{}")}})
	if err != nil {
		b.Fatal(err)
	}
	l.fence = r.Version
	for range benchUsers / 1000 {
		l.commit(1000)
	}
	return l
}

// users are the next n of all of them, in an order of its own each time round: memory that is met in the order in which it was allocated would cost the
// server half.
func (l *load) users(n int) []int {
	if l.next+n > len(l.order) {
		l.order, l.next = l.random.Perm(benchUsers), 0
	}
	l.next += n
	return l.order[l.next-n : l.next]
}

func (l *load) commit(n int) {
	groups := make([]store.Group, n)
	users := l.users(n)
	for i, u := range users {
		id := activity.User(fmt.Sprintf("user-%06d", u))
		l.id++
		activityID := fmt.Sprintf("activity-%012d", l.id)
		groups[i] = store.Group{Org: org, User: id, Fence: l.fence, Doc: store.StateKey(0, org, id), Expect: l.version[u], Content: l.content,
			AbsentIn: store.LogKey(0, org, id), Absent: []string{activityID},
			Writes: []store.Op{{Kind: store.OpHSet, Key: store.LogKey(0, org, id), Args: []string{activityID, l.record}}}}
		was := l.standing[u]
		now := store.Standing{Value: was.Value + int64(u%7) + 1, Reached: 1_790_000_000_000 + int64(l.id)}
		for _, b := range l.boards {
			w := store.BoardWrite{Board: b, User: id, New: &now}
			if was.Value != 0 {
				w.Old = &was
			}
			groups[i].Boards = append(groups[i].Boards, w)
		}
		l.standing[u] = now
	}
	r, err := l.s.Commit(context.Background(), 0, groups)
	if err != nil {
		l.b.Fatal(err)
	}
	for i, u := range users {
		if r.Outcomes[i].Status != store.Applied {
			l.b.Fatalf("outcome %+v", r.Outcomes[i])
		}
		l.version[u] = r.Version
	}
}

func (l *load) floor(n int) {
	pipe := l.s.Client().Pipeline()
	for _, u := range l.users(n) {
		for _, b := range l.boards {
			was := l.standing[u]
			member := store.Member(was, false, activity.User(fmt.Sprintf("user-%06d", u)))
			pipe.ZIncrBy(context.Background(), string(store.BoardKey(0, b)), 1, member)
		}
	}
	if _, err := pipe.Exec(context.Background()); err != nil {
		l.b.Fatal(err)
	}
}
