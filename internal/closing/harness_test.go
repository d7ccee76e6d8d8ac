package closing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/closing"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/ranking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(shared.Main(m)) }

// shared is the cluster of all tests of this package.
var shared testenv.Shared

const org = activity.Org("org")

// definitions of the tests' org. Berlin's clocks are put forward on 2026-03-29.
const definitions = `
orgs:
  - id: org
    timezone: Europe/Berlin
    limits: {max_past: 2d, close_grace: 1h, log_days: 3}
    rules:
      - {id: count, when: {name: a}, value: count, cycles: [day, week, all], keep: {day: 4}}
      - {id: sum, when: {}, value: {sum: value}, cycles: [month, {every: 2d, from: 2026-01-01}], order: asc}
      - id: season
        when: {name: [a, b]}
        value: count
        cycles:
          - list:
              id: seasons
              periods:
                - {id: spring, start: "2026-03-27T00:00:00Z", end: "2026-03-28T10:30:00Z"}
                - {id: summer, start: "2026-03-28T11:00:00Z", end: "2026-03-30T12:00:00Z"}
`

// node is a server's write path and closer; nodes share what is given to newNode.
type node struct {
	*ingest.Service
	closer   *closing.Closer
	told     atomic.Pointer[closing.Closer] // the same, for the follower of changes
	store    *store.Store
	registry *registry.Registry
	boards   *ranking.Boards
	clock    *clock.Clock
}

// newNode starts a node over a store that the caller closes. It ends with the test, or with ctx.
func newNode(ctx context.Context, t *testing.T, s *store.Store) *node {
	t.Helper()
	n := &node{store: s, registry: registry.New(s, zerolog.Nop()), clock: new(clock.Clock)}
	if err := n.registry.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.boards = ranking.NewBoards(ranking.Options{Source: testenv.BoardSource{Store: s}, LoadWait: time.Minute,
		OnChange: func(c feed.Change) { n.Follow(c); n.told.Load().Follow(c) }, OnReset: func(p int) { n.Forget(p); n.told.Load().Forget() }})
	n.Service = ingest.New(ingest.Options{Store: s, Registry: n.registry, Boards: n.boards, Clock: n.clock})
	n.restartCloser()
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{n.boards.Run, n.Service.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	return n
}

// restartCloser forgets what the closer knows, as a restart does. Who waits for events comes to them only by being woken.
func (n *node) restartCloser() {
	n.closer = closing.New(closing.Options{Store: n.store, Registry: n.registry, Boards: n.boards, Clock: n.clock, PollEvery: time.Hour})
	n.told.Store(n.closer)
}

func openStore(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// eachStore runs a test with two nodes: over one embedded store, and over a connection each to a real server with three partitions, and to a cluster.
func eachStore(t *testing.T, test func(t *testing.T, nodes []*node)) {
	t.Run("embedded", func(t *testing.T) {
		s := openStore(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo})
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		nodes := []*node{newNode(ctx, t, s), newNode(ctx, t, s)}
		t.Cleanup(cancel) // of both at once
		test(t, nodes)
	})
	connected := func(t *testing.T, o store.Options) {
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		nodes := []*node{newNode(ctx, t, openStore(t, o)), newNode(ctx, t, openStore(t, o))}
		t.Cleanup(cancel)
		test(t, nodes)
	}
	t.Run("redis", func(t *testing.T) { connected(t, store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 3}) })
	t.Run("cluster", func(t *testing.T) { connected(t, store.Options{URL: shared.Cluster(t).URL()}) })
}

func publish(t *testing.T, definition string, nodes ...*node) {
	t.Helper()
	all, err := catalog.Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nodes[0].registry.Publish(t.Context(), all[0], "", true); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes[1:] {
		if _, err := n.registry.Reload(t.Context(), org); err != nil {
			t.Fatal(err)
		}
	}
}

func (n *node) set(at time.Time) {
	i := calendar.InstantOf(at)
	n.clock.Set(&i)
}

func (n *node) close(t *testing.T) {
	t.Helper()
	if err := n.closer.Close(t.Context(), org); err != nil {
		t.Fatal(err)
	}
}

// sent numbers activities.
type sent struct {
	mu sync.Mutex
	n  int
}

func (s *sent) item(user, name string, value float64, at time.Time) ingest.Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return ingest.Item{Activity: activity.Activity{ID: activity.ID(fmt.Sprint("i", s.n)), User: activity.User(user), Name: name, Value: value, HasValue: true,
		At: calendar.InstantOf(at), AtGiven: true}}
}

func (n *node) submit(t *testing.T, o ingest.SubmitOptions, items ...ingest.Item) ingest.Report {
	t.Helper()
	r, err := n.Submit(t.Context(), org, items, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// event is what a client reads.
type event struct {
	Type, Rule, Cycle, At string
	Period                struct{ Label, Start, End string }
	Total                 int
}

func (e *event) board() feed.Board { return feed.Board{Org: org, Rule: e.Rule, Label: e.Period.Label} }

// events are all events of the org.
func (n *node) events(t *testing.T) []event {
	t.Helper()
	list, _ := n.eventsAfter(t, "")
	return list
}

func (n *node) eventsAfter(t *testing.T, after string) ([]event, string) {
	t.Helper()
	page, err := n.closer.Events(context.WithoutCancel(t.Context()), closing.EventQuery{Org: org, After: after, Limit: 10_000}, 0)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]event, len(page.Events))
	for i := range page.Events {
		if err := json.Unmarshal(page.Events[i].Body, &list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return list, page.Next
}

// names are events in short.
func names(events []event) []string {
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprint(e.Rule, " ", e.Period.Label, " ", e.Total))
	}
	return out
}

type row struct {
	Value   int64
	Reached calendar.Instant
}

// rows are a board's in the store.
func (n *node) rows(t *testing.T, b feed.Board, ascending bool) map[activity.User]row {
	t.Helper()
	found := map[activity.User]row{}
	for p := range n.store.Partitions() {
		err := n.store.LoadBoard(context.WithoutCancel(t.Context()), store.Partition(p), b, ascending, func(u activity.User, v int64, at calendar.Instant) error {
			found[u] = row{v, at}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// labels are the periods of which a rule has boards in the store, sorted.
func (n *node) labels(t *testing.T, rule string) []string {
	t.Helper()
	var out []string
	for p := range n.store.Partitions() {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			boards, next, err := n.store.Boards(t.Context(), store.Partition(p), org, cursor)
			if err != nil {
				t.Fatal(err)
			}
			cursor = next
			for _, b := range boards {
				if strings.EqualFold(b.Rule, rule) {
					out = append(out, b.Label)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func instant(at time.Time) calendar.Instant { return calendar.InstantOf(at) }

// waitFor waits until something holds that other goroutines bring about.
func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it does not come to hold")
		}
	}
}
