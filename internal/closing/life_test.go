package closing_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/closing"
	"laurel/internal/ingest"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) // a Saturday, in Berlin too

const daily = `
orgs:
  - id: org
    limits: {max_past: 2d, close_grace: 1h, log_days: 3}
    rules:
      - {id: count, when: {name: a}, value: count, cycles: [day, week]}
%s`

func expect(t *testing.T, n *node, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, names(n.events(t))); diff != "" {
		t.Errorf("events (-want +got)\n%s", diff)
	}
}

// TestClose_CatchesUp: what closed while every node was down closes in order; what closed before an org or a rule was there never gets an event.
func TestClose_CatchesUp(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		one, two := nodes[0], nodes[1]
		var ids sent
		set := func(at time.Time) { one.set(at); two.set(at) }
		set(noon)
		publish(t, fmt.Sprintf(daily, ""), one, two)
		// From before anybody looked: of a Friday that closed this morning.
		one.submit(t, ingest.SubmitOptions{Import: imported(t, one)}, ids.item("u", "a", 1, noon.Add(-24*time.Hour)))
		one.close(t)
		expect(t, one)
		one.submit(t, ingest.SubmitOptions{}, ids.item("u", "a", 1, noon), ids.item("v", "a", 1, noon))

		// Down over the night; Sunday passes with an activity that nobody closed for, and a Monday without any.
		set(noon.Add(24 * time.Hour))
		two.submit(t, ingest.SubmitOptions{}, ids.item("v", "a", 1, noon.Add(24*time.Hour)))
		set(noon.Add(4 * 24 * time.Hour))
		one.restartCloser()
		two.close(t)
		one.close(t)
		expect(t, one, "count 2026-11-21 2", "count 2026-11-22 1", "count 2026-W47 2")
		one.restartCloser()
		one.close(t)
		expect(t, two, "count 2026-11-21 2", "count 2026-11-22 1", "count 2026-W47 2")

		// A rule that comes later begins then, though its boards are filled from the logs.
		publish(t, fmt.Sprintf(daily, "      - {id: late, when: {name: a}, value: count, cycles: [day]}\n"), one, two)
		one.close(t)
		one.submit(t, ingest.SubmitOptions{}, ids.item("u", "a", 1, noon.Add(4*24*time.Hour)))
		if len(one.labels(t, "late")) != 3 {
			t.Errorf("the new rule has boards of %v", one.labels(t, "late"))
		}
		set(noon.Add(5 * 24 * time.Hour))
		two.close(t)
		expect(t, one, "count 2026-11-21 2", "count 2026-11-22 1", "count 2026-W47 2", "count 2026-11-25 1", "late 2026-11-25 1")
	})
}

func imported(t *testing.T, n *node) string {
	t.Helper()
	i, err := n.CreateImport(t.Context(), org)
	if err != nil {
		t.Fatal(err)
	}
	return i.ID
}

// TestClose_ManyBatches: a decade of days is closed in bounded batches, each once.
func TestClose_ManyBatches(t *testing.T) {
	s := openStore(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo})
	n := newNode(context.WithoutCancel(t.Context()), t, s)
	n.set(noon)
	publish(t, fmt.Sprintf(daily, ""), n)
	n.close(t)
	var ids sent
	n.submit(t, ingest.SubmitOptions{}, ids.item("u", "a", 1, noon))
	later := noon.AddDate(10, 0, 0)
	n.set(later)
	n.submit(t, ingest.SubmitOptions{}, ids.item("u", "a", 1, later.Add(-24*time.Hour)))
	n.close(t)
	n.close(t) // one call does so many and leaves the rest
	// The activity of that day's eve came after its close.
	expect(t, n, "count 2026-11-21 1", "count 2026-W47 1")
	if e, _ := n.registry.Get(org); e.ClosedThrough.Time() != time.Date(2036, 11, 21, 1, 0, 0, 0, time.UTC) {
		t.Errorf("closed through %v", e.ClosedThrough)
	}
}

// TestClose_GoesOnFromAFence: a node that died after it had fenced leaves no event; the next one closes, and what came in between does not count.
func TestClose_GoesOnFromAFence(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		one, two := nodes[0], nodes[1]
		var ids sent
		one.set(noon)
		two.set(noon)
		publish(t, fmt.Sprintf(daily, ""), one, two)
		one.close(t)
		one.submit(t, ingest.SubmitOptions{}, ids.item("u", "a", 1, noon))
		closes := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
		if _, err := one.registry.Close(t.Context(), org, instant(closes), nil); err != nil {
			t.Fatal(err)
		}
		// The other node's clock is behind: it is before the close there.
		two.set(closes.Add(-30 * time.Minute))
		r := two.submit(t, ingest.SubmitOptions{}, ids.item("v", "a", 1, noon), ids.item("v", "a", 1, closes.Add(-40*time.Minute)))
		if len(r.Outcomes[0].ClosedFor) != 1 || r.Outcomes[0].ClosedFor[0].Label != "2026-11-21" || len(r.Outcomes[1].ClosedFor) != 0 {
			t.Errorf("closed for %v and %v", r.Outcomes[0].ClosedFor, r.Outcomes[1].ClosedFor)
		}
		two.close(t)
		expect(t, two)
		two.set(closes)
		two.close(t)
		expect(t, two, "count 2026-11-21 1")
	})
}

// TestRun_WakesAndAnswersWhoWaits: with the clock's coming to the close an event comes by itself, to who waits for it; at the end nobody waits any more.
func TestRun_WakesAndAnswersWhoWaits(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		var ids sent
		for _, n := range nodes {
			n.set(noon)
		}
		publish(t, fmt.Sprintf(daily, ""), nodes...)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, n := range nodes {
			running.Go(func() {
				if err := n.closer.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		nodes[0].submit(t, ingest.SubmitOptions{}, ids.item("u", "a", 1, noon))
		for _, n := range nodes {
			waitFor(t, func() bool { e, _ := n.registry.Get(org); return e.ClosedThrough > 0 }) // it has begun
		}
		answered := make(chan closing.EventPage)
		go func() {
			page, err := nodes[1].closer.Events(t.Context(), closing.EventQuery{Org: org, Limit: 10}, time.Minute)
			if err != nil {
				t.Error(err)
			}
			answered <- page
		}()
		for _, n := range nodes {
			n.set(noon.Add(24 * time.Hour))
		}
		found := <-answered
		if len(found.Events) != 1 || !strings.Contains(string(found.Events[0].Body), "2026-11-21") {
			t.Errorf("%v", found)
		}
		if got, err := nodes[0].closer.Events(t.Context(), closing.EventQuery{Org: "another", Limit: 10}, 0); err != nil || len(got.Events) != 0 {
			t.Errorf("another org's events: %v, %v", got, err)
		}
		go func() {
			page, _ := nodes[1].closer.Events(t.Context(), closing.EventQuery{Org: org, After: found.Next, Limit: 10}, time.Hour)
			answered <- page
		}()
		cancel()
		if left := <-answered; len(left.Events) != 0 {
			t.Errorf("%v", left)
		}
		running.Wait()
	})
}

// TestClose_WaitsForWhatIsPending: the event of a rule that is being filled comes when it is whole; others do not wait for it.
func TestClose_WaitsForWhatIsPending(t *testing.T) {
	n := newNode(context.WithoutCancel(t.Context()), t, openStore(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo}))
	var ids sent
	n.set(noon)
	publish(t, fmt.Sprintf(daily, "      - {id: new, when: {name: a}, value: count, cycles: [day]}\n"), n)
	n.close(t)
	n.submit(t, ingest.SubmitOptions{}, ids.item("u", "a", 1, noon))
	filling := true
	n.closer.Pending = func(_ activity.Org, rule string) bool { return filling && rule == "new" }
	n.set(noon.Add(day))
	n.close(t)
	expect(t, n, "count 2026-11-21 1")
	filling = false // and the clock stands still
	n.close(t)
	expect(t, n, "count 2026-11-21 1", "new 2026-11-21 1")
}

// TestClose_LooksAgainAfterALoss: a store that comes back without the last commits has them done again.
func TestClose_LooksAgainAfterALoss(t *testing.T) {
	s := openStore(t, store.Options{URL: testenv.StartRedis(t).URL()})
	n := newNode(context.WithoutCancel(t.Context()), t, s)
	var ids sent
	n.set(noon)
	publish(t, fmt.Sprintf(daily, ""), n)
	n.close(t)
	n.submit(t, ingest.SubmitOptions{}, ids.item("u", "a", 1, noon))
	before, err := s.Docs(t.Context(), []store.Key{store.ClosedKey(org)})
	if err != nil {
		t.Fatal(err)
	}
	n.set(noon.Add(day))
	n.close(t)
	expect(t, n, "count 2026-11-21 1")
	// As a failover to a replica that had not come so far leaves it.
	c := s.Client()
	if err := c.Set(t.Context(), string(before[0].Key), string(before[0].Version)+string(before[0].Content), 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.Del(t.Context(), string(store.OutboxKey(0))).Err(); err != nil {
		t.Fatal(err)
	}
	n.close(t)
	expect(t, n)
	n.closer.Forget()
	n.close(t)
	expect(t, n, "count 2026-11-21 1")
}
