package ingest_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/ranking"
)

// TestMain makes fewer random checks than usual, unless told otherwise: each of them writes to a store.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(shared.Main(m))
}

// shared is the cluster of all tests of this package.
var shared testenv.Shared

// definitions of the tests' org; what follows limits is up to each test.
const definitions = `
orgs:
  - id: %s
    timezone: Europe/Berlin
    limits: {max_past: 20d, close_grace: 10d, log_days: 20}
    rules:
      - {id: count, when: {name: a}, value: count, cycles: [day, week, all], ties: standard}
      - {id: sum, when: {}, value: {sum: value}, decimals: 2, cycles: [month, all], ties: dense}
      - {id: least, when: {name: [a, b]}, value: {min: meta.n}, order: asc, cycles: [week, all]}
      - {id: tags, when: {}, value: {unique: meta.tag}, cycles: [all]}
      - {id: lands, when: {name: [a, c]}, value: {sum: meta.n}, cycles: [day, all], segment_by: user.land, ties: standard}
    streaks:
      - {id: daily, when: {name: a}, unit: day, timezone: event}
      - {id: mine, when: {}, unit: day, target: 2}
      - {id: points, all: [{when: {}, value: {sum: meta.n}, at_least: 5}], unit: week, timezone: org}
`

func number(r *oracle.Record) (float64, bool) { f, ok := r.Meta["n"].(float64); return f, ok }

func inNames(names string) func(*oracle.Record) bool {
	return func(r *oracle.Record) bool { return strings.Contains(names, r.Name) }
}

func modelRules() []oracle.Rule {
	cycles := func(units ...string) (cs []oracle.Cycle) {
		for _, u := range units {
			cs = append(cs, oracle.Cycle{Unit: u})
		}
		return cs
	}
	value := func(r *oracle.Record) (float64, bool) { return r.Value, r.HasValue }
	tag := func(r *oracle.Record) (string, bool) { s, ok := r.Meta["tag"].(string); return s, ok }
	lands := oracle.Rule{ID: "lands", Selector: oracle.Selector{Match: inNames("ac"), Fold: "sum", Number: number}, Cycles: cycles("day", "all")}
	return []oracle.Rule{
		{ID: "count", Selector: oracle.Selector{Match: inNames("a"), Fold: "count"}, Cycles: cycles("day", "week", "all")},
		{ID: "sum", Selector: oracle.Selector{Fold: "sum", Number: value, Decimals: 2}, Cycles: cycles("month", "all")},
		{ID: "least", Selector: oracle.Selector{Match: inNames("ab"), Fold: "min", Number: number}, Cycles: cycles("week", "all"), Ascending: true},
		{ID: "tags", Selector: oracle.Selector{Fold: "unique", Text: tag}, Cycles: cycles("all")},
		lands, lands.Segment("land", "AT"), lands.Segment("land", "DE"),
	}
}

func modelStreaks() []oracle.Streak {
	count := oracle.Selector{Fold: "count"}
	a := oracle.Selector{Fold: "count", Match: inNames("a")}
	return []oracle.Streak{
		{ID: "daily", Conditions: []oracle.Condition{{Selector: a, AtLeast: 1}}, Unit: oracle.Cycle{Unit: "day"}, Mode: "event"},
		{ID: "mine", Conditions: []oracle.Condition{{Selector: count, AtLeast: 2}}, Unit: oracle.Cycle{Unit: "day"}, Mode: "user"},
		{ID: "points", Conditions: []oracle.Condition{{Selector: oracle.Selector{Fold: "sum", Number: number}, AtLeast: 5}}, Unit: oracle.Cycle{Unit: "week"}, Mode: "org"},
	}
}

func newModel(t interface{ Fatal(...any) }) *oracle.Model {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return &oracle.Model{Org: oracle.Org{Zone: zone, WeekStart: time.Monday, CloseGrace: 10 * 24 * time.Hour}, Zones: map[string][]oracle.ZoneChange{}, Hidden: map[string]bool{}}
}

// node is the write path of one server, with its boards.
type node struct {
	*ingest.Service
	store    *store.Store
	registry *registry.Registry
	boards   *ranking.Boards
	clock    *clock.Clock
	step     *atomic.Pointer[func(name string) error]
	stop     func() // what the test's end does otherwise
}

// OnStep has every step of pumps and of moves of unique values pass by f from here on, before and after it is taken; an error of f is the step's.
func (n *node) OnStep(f func(name string) error) { n.step.Store(&f) }

func (n *node) onStep(name string) error {
	if f := n.step.Load(); f != nil {
		return (*f)(name)
	}
	return nil
}

// newNode makes a node that does not write yet; stop ends what was started, in the order that a server does.
func newNode(t *testing.T, o store.Options, queue int) (n *node, start func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s, err := store.Open(ctx, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	n = &node{store: s, registry: registry.New(s, zerolog.Nop()), clock: new(clock.Clock), step: new(atomic.Pointer[func(name string) error])}
	n.boards = ranking.NewBoards(ranking.Options{Source: testenv.BoardSource{Store: s}, LoadWait: time.Minute,
		OnChange: func(c feed.Change) { n.Follow(c) }, OnReset: func(p int) { n.Forget(p) }})
	n.Service = ingest.New(ingest.Options{Store: s, Registry: n.registry, Boards: n.boards, Clock: n.clock, QueueLimit: queue})
	n.Service.OnStep(n.onStep)
	var running sync.WaitGroup
	n.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(n.stop)
	return n, func() {
		for _, run := range []func(context.Context) error{s.Run, n.boards.Run, n.Service.Run} {
			running.Go(func() {
				if err := run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func startNode(t *testing.T, o store.Options) *node {
	t.Helper()
	n, start := newNode(t, o, 0)
	start()
	return n
}

// embedded are the options of an embedded store in a directory of the test.
func embedded(t *testing.T, partitions int) store.Options {
	return store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo, Partitions: partitions}
}

// eachStore runs a test on the embedded store, on a real server and on a cluster.
func eachStore(t *testing.T, test func(t *testing.T, o store.Options)) {
	t.Run("embedded", func(t *testing.T) { test(t, embedded(t, 1)) })
	t.Run("redis", func(t *testing.T) { test(t, store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 3}) })
	t.Run("cluster", func(t *testing.T) { test(t, store.Options{URL: shared.Cluster(t).URL()}) })
}

// eachServer runs a test of several nodes on a real server and on a cluster.
func eachServer(t *testing.T, partitions int, test func(t *testing.T, o store.Options)) {
	t.Run("nodes on redis", func(t *testing.T) { test(t, store.Options{URL: testenv.StartRedis(t).URL(), Partitions: partitions}) })
	t.Run("nodes on a cluster", func(t *testing.T) { test(t, store.Options{URL: shared.Cluster(t).URL()}) })
}

func (n *node) publish(t interface{ Fatal(...any) }, definition string) activity.Org {
	all, err := catalog.Parse([]byte(definition))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.registry.Publish(context.Background(), all[0], "", true); err != nil {
		t.Fatal(err)
	}
	return all[0].Org
}

func (n *node) set(at time.Time) {
	i := calendar.InstantOf(at)
	n.clock.Set(&i)
}

func item(r *oracle.Record) ingest.Item {
	_, seconds := r.At.Zone()
	a := activity.Activity{ID: activity.ID(r.ID), User: activity.User(r.User), Name: r.Name, Value: r.Value, HasValue: r.HasValue,
		At: calendar.InstantOf(r.At), Offset: int16(seconds / 60), AtGiven: true}
	if len(r.Meta) > 0 {
		a.Meta, _ = json.Marshal(r.Meta) // strings and numbers, keys in order
	}
	return ingest.Item{Activity: a}
}

func items(records ...oracle.Record) []ingest.Item {
	out := make([]ingest.Item, len(records))
	for i := range records {
		out[i] = item(&records[i])
	}
	return out
}

// submit submits and fails the test if the whole request fails.
func (n *node) submit(t *testing.T, org activity.Org, o ingest.SubmitOptions, records ...oracle.Record) ingest.Report {
	t.Helper()
	r, err := n.Submit(t.Context(), org, items(records...), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// statuses are the outcomes in short: a status, or the code of a refusal.
func statuses(r ingest.Report) []string {
	out := make([]string, len(r.Outcomes))
	for i, o := range r.Outcomes {
		if out[i] = o.Status; o.Err != nil {
			out[i] = o.Err.Code
		}
	}
	return out
}

// row is a place on a board as both the zsets and the indexes must have it.
type row struct {
	User    string
	Value   int64
	Reached calendar.Instant
	Rank    int
}

type failer interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// wanted is what the model says of all boards: in the numbering of each rule's ties.
func wanted(m *oracle.Model, c *catalog.Catalog, now time.Time) map[feed.Board][]row {
	want := map[feed.Board][]row{}
	put := func(rule, label string, rows []oracle.Row, ties ranking.Ties) {
		b := feed.Board{Org: c.Org, Rule: rule, Label: label}
		for _, r := range rows {
			rank := []int{r.Ordinal, r.Standard, r.Dense}[ties]
			want[b] = append(want[b], row{r.User, r.Value, calendar.InstantOf(r.Reached), rank})
		}
	}
	for _, r := range modelRules() {
		for _, cy := range r.Cycles {
			for label, rows := range m.Boards(&r, cy) {
				put(r.ID, label, rows, ranking.Ties(ruleOf(c, r.ID).Ties))
			}
		}
	}
	users := map[string]bool{}
	for _, r := range m.Records {
		users[r.User] = !m.Hidden[r.User]
	}
	for _, s := range modelStreaks() {
		boards := map[string][]oracle.Row{}
		for u, shown := range users {
			if !shown {
				continue
			}
			v := m.Streak(&s, u, now)
			for suffix, span := range map[string]oracle.Span{progress.CurrentSuffix: v.Current, progress.LongestSuffix: v.Longest} {
				if span.Length > 0 {
					boards[suffix] = append(boards[suffix], oracle.Row{User: u, Value: int64(span.Length), Reached: span.Reached})
				}
			}
		}
		for suffix, rows := range boards {
			oracle.Rank(rows, false)
			put(s.ID+suffix, "all", rows, ranking.Ordinal)
		}
	}
	return want
}

// check compares every board of the org in the store and in memory with the model.
func (n *node) check(t failer, m *oracle.Model, org activity.Org, now time.Time) {
	t.Helper()
	e, ok := n.registry.Get(org)
	if !ok {
		t.Fatal("no such org")
	}
	want := wanted(m, e.Catalog, now)
	order := func(b feed.Board) ranking.Order {
		if r := ruleOf(e.Catalog, b.Rule); r != nil && r.Ascending {
			return ranking.Ascending
		}
		return ranking.Descending
	}
	n.checkStored(t, want, org, order)
	for b, rows := range want {
		open, err := n.boards.Open(context.Background(), b, order(b))
		if err != nil {
			t.Fatal(err)
		}
		var got []row
		open.View(func(x *ranking.Index, _ uint64) {
			for _, r := range x.Range(nil, 0, x.Len(), n.ties(e.Catalog, b.Rule)) {
				got = append(got, row{string(r.User), r.Value, r.Reached, r.Rank})
			}
		})
		if diff := cmp.Diff(rows, got); diff != "" {
			t.Fatalf("index of %v (-model +index)\n%s", b, diff)
		}
	}
}

func (n *node) ties(c *catalog.Catalog, rule string) ranking.Ties {
	if r := ruleOf(c, rule); r != nil {
		return ranking.Ties(r.Ties)
	}
	return ranking.Ordinal
}

// ruleOf is the rule of a board, also of a segment's.
func ruleOf(c *catalog.Catalog, board string) *catalog.Rule {
	rule, _, _ := strings.Cut(board, "@")
	return c.Rule(rule)
}

// checkStored compares the sorted sets: a user must be in one of them, once.
func (n *node) checkStored(t failer, want map[feed.Board][]row, org activity.Org, order func(feed.Board) ranking.Order) {
	t.Helper()
	found := map[feed.Board]map[string]row{}
	for p := range n.store.Partitions() {
		keys, err := n.store.Client().Keys(context.Background(), fmt.Sprintf("{%d}:b:%s:*", p, org)).Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			parts := strings.SplitN(k, ":", 5)
			b := feed.Board{Org: org, Rule: parts[3], Label: parts[4]}
			if found[b] == nil {
				found[b] = map[string]row{}
			}
			err := n.store.LoadBoard(context.Background(), store.Partition(p), b, order(b) == ranking.Ascending, func(u activity.User, v int64, at calendar.Instant) error {
				if _, twice := found[b][string(u)]; twice {
					t.Fatalf("%s is on the board %v twice", u, b)
				}
				found[b][string(u)] = row{User: string(u), Value: v, Reached: at}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	expected := map[feed.Board]map[string]row{}
	for b, rows := range want {
		expected[b] = map[string]row{}
		for _, r := range rows {
			r.Rank = 0
			expected[b][r.User] = r
		}
	}
	if diff := cmp.Diff(expected, found); diff != "" {
		t.Fatalf("sorted sets (-model +store)\n%s", diff)
	}
}
