package closing_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/progress"
)

func modelRules() []oracle.Rule {
	match := func(names ...string) func(*oracle.Record) bool {
		return func(r *oracle.Record) bool { return slices.Contains(names, r.Name) }
	}
	utc := func(s string) time.Time { t, _ := time.Parse(time.RFC3339, s); return t }
	value := func(r *oracle.Record) (float64, bool) { return r.Value, true }
	return []oracle.Rule{
		{ID: "count", Selector: oracle.Selector{Match: match("a"), Fold: "count"}, Cycles: []oracle.Cycle{{Unit: "day"}, {Unit: "week"}}},
		{ID: "sum", Selector: oracle.Selector{Fold: "sum", Number: value}, Ascending: true,
			Cycles: []oracle.Cycle{{Unit: "month"}, {Unit: "days", N: 2, From: utc("2026-01-01T00:00:00Z")}}},
		{ID: "season", Selector: oracle.Selector{Match: match("a", "b"), Fold: "count"}, Cycles: []oracle.Cycle{{Unit: "listed", Windows: []oracle.Window{
			{ID: "spring", Start: utc("2026-03-27T00:00:00Z"), End: utc("2026-03-28T10:30:00Z")},
			{ID: "summer", Start: utc("2026-03-28T11:00:00Z"), End: utc("2026-03-30T12:00:00Z")}}}}},
	}
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// race is the state of a TestClose_ExactlyOnceAndFinal.
type race struct {
	nodes []*node
	rng   *rand.Rand
	ids   sent
	mu    sync.Mutex
	model oracle.Model
	after string
	// first is each event as it came, and its board as it was then.
	events []event
	first  map[feed.Board]map[activity.User]row
	late   int
}

// TestClose_ExactlyOnceAndFinal races writers whose clocks differ with closers around the boundaries. Whatever is on a board when its event can be read is
// what is on it for good, and equals the model of what was received before the close.
func TestClose_ExactlyOnceAndFinal(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := &race{nodes: nodes, rng: rand.New(rand.NewPCG(seed, 1)), first: map[feed.Board]map[activity.User]row{}}
		r.model.Org = oracle.Org{Zone: berlin(t), WeekStart: time.Monday, CloseGrace: time.Hour}
		begin := time.Date(2026, 3, 27, 20, 0, 0, 0, time.UTC)
		for _, n := range nodes {
			n.set(begin)
		}
		publish(t, definitions, nodes...)
		nodes[0].close(t)
		now := begin
		for wave := range 60 {
			now = r.advance(t, now)
			r.wave(t, now, wave%7 != 3) // now and then no closer runs for a while
		}
		for _, n := range nodes {
			n.set(now)
			n.restartCloser()
			n.close(t)
		}
		r.watch(t)
		r.check(t, now)
	})
}

// advance moves the clocks on, often to just about when something closes.
func (r *race) advance(t *testing.T, now time.Time) time.Time {
	now = now.Add(time.Duration(r.rng.IntN(180)) * time.Minute)
	if r.rng.IntN(2) == 0 {
		local := now.In(berlin(t))
		midnight := time.Date(local.Year(), local.Month(), local.Day()+1, 1, 0, 0, 0, local.Location())
		now = midnight.Add(time.Duration(r.rng.IntN(5)-2) * time.Second)
	}
	for _, n := range r.nodes {
		n.set(now.Add(time.Duration(r.rng.IntN(7)-3) * time.Second))
	}
	return now
}

// wave submits on both nodes while both close, and somebody watches.
func (r *race) wave(t *testing.T, now time.Time, closers bool) {
	var g, watching sync.WaitGroup
	stop := make(chan struct{})
	watching.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				r.watch(t)
			}
		}
	})
	for i := range 6 {
		n := r.nodes[i%len(r.nodes)]
		var batch []ingest.Item
		for range 1 + r.rng.IntN(8) {
			at := now.Add(-time.Duration(r.rng.IntN(4*60)) * time.Minute)
			batch = append(batch, r.ids.item(fmt.Sprint("u", r.rng.IntN(6)), []string{"a", "b"}[r.rng.IntN(2)], float64(r.rng.IntN(5)), at))
		}
		g.Go(func() { r.note(t, batch, n) })
		if closers && i < len(r.nodes) {
			g.Go(func() {
				if err := n.closer.Close(context.WithoutCancel(t.Context()), org); err != nil {
					t.Error(err)
				}
			})
		}
	}
	g.Wait()
	close(stop)
	watching.Wait()
}

func (r *race) note(t *testing.T, batch []ingest.Item, n *node) {
	report, err := n.Submit(context.WithoutCancel(t.Context()), org, batch, ingest.SubmitOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range report.Outcomes {
		if o.Status != ingest.StatusAccepted {
			t.Errorf("%s: %s %v", o.ID, o.Status, o.Err)
			continue
		}
		r.late += len(o.ClosedFor)
		a := o.Activity
		rec := oracle.Record{ID: string(a.ID), User: string(a.User), Name: a.Name, Value: a.Value, HasValue: true, At: a.At.Time(), Received: a.Received.Time()}
		r.model.Records = append(r.model.Records, rec)
		if want := r.tooLate(&rec); len(want)+len(o.ClosedFor) > 0 {
			if diff := cmp.Diff(want, o.ClosedFor); diff != "" {
				t.Errorf("%v: closed for (-model +answer)\n%s", rec, diff)
			}
		}
	}
}

// tooLate are the periods that the model does not count a record in.
func (r *race) tooLate(rec *oracle.Record) (list []progress.Unreached) {
	for _, rule := range modelRules() {
		if rule.Match != nil && !rule.Match(rec) {
			continue
		}
		for _, cy := range rule.Cycles {
			label, ok := r.model.Label(cy, rec.At)
			if !ok {
				continue
			}
			alone := oracle.Model{Org: r.model.Org, Records: []oracle.Record{*rec}}
			if len(alone.Board(&rule, cy, label)) == 0 {
				list = append(list, progress.Unreached{Rule: rule.ID, Label: label})
			}
		}
	}
	return list
}

// watch reads new events, and at once the boards that they are about.
func (r *race) watch(t *testing.T) {
	events, next := r.nodes[0].eventsAfter(t, r.after)
	r.after = next
	for _, e := range events {
		if _, twice := r.first[e.board()]; twice {
			t.Errorf("%v was closed twice", e.board())
		}
		rows := r.nodes[0].rows(t, e.board(), e.Rule == "sum")
		if len(rows) != e.Total {
			t.Errorf("%v: the event says %d users, the board has %d", e.board(), e.Total, len(rows))
		}
		r.first[e.board()] = rows
		r.events = append(r.events, e)
	}
}

func (r *race) check(t *testing.T, now time.Time) {
	if !slices.IsSortedFunc(r.events, func(a, b event) int { return compareText(a.At, b.At) }) {
		t.Errorf("out of order: %v", names(r.events))
	}
	closed := 0
	for _, rule := range modelRules() {
		for _, cy := range rule.Cycles {
			for label, rows := range r.model.Boards(&rule, cy) {
				want := map[activity.User]row{}
				for _, w := range rows {
					want[activity.User(w.User)] = row{w.Value, calendar.InstantOf(w.Reached)}
				}
				board := feed.Board{Org: org, Rule: rule.ID, Label: label}
				final, has := r.first[board]
				end, bounded := endOf(t, r.nodes[0], rule.ID, label)
				if over := bounded && !end.Add(time.Hour).After(now); over != has {
					t.Errorf("%v: over %v, event %v", board, over, has)
				}
				if !has {
					continue
				}
				closed++
				if diff := cmp.Diff(want, final); diff != "" {
					t.Errorf("%v when it was closed (-model +board)\n%s", board, diff)
				}
			}
		}
	}
	if closed < 10 || r.late == 0 || len(r.first) != closed {
		t.Errorf("%d periods with rows closed, %d events, %d late: this checks nothing", closed, len(r.first), r.late)
	}
	t.Logf("%d periods closed, %d activities, %d times too late", closed, len(r.model.Records), r.late)
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// endOf is the end of a period by the catalog.
func endOf(t *testing.T, n *node, rule, label string) (time.Time, bool) {
	t.Helper()
	e, _ := n.registry.Get(org)
	for _, cy := range e.Catalog.Rule(rule).Cycles {
		if o, err := e.Catalog.Calendar().ParseLabel(cy, label); err == nil {
			p := e.Catalog.Calendar().PeriodOf(cy, o)
			return p.End.Time(), p.Bounded
		}
	}
	t.Fatalf("%s has no period %s", rule, label)
	return time.Time{}, false
}
