package ingest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// TestOutage_CountsEveryoneAnew: an outage that is declared or taken back reaches users to whom nothing happens, once, however many nodes see to it.
func TestOutage_CountsEveryoneAnew(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { outages(t, embedded(t, 3)) })
	eachServer(t, 3, func(t *testing.T, o store.Options) { outages(t, o, o) })
}

func outages(t *testing.T, options ...store.Options) {
	const users = 300
	n, org := startOrg(t, options[0])
	nodes := []*node{n}
	for _, o := range options[1:] {
		other := startNode(t, o)
		other.set(noon)
		nodes = append(nodes, other)
	}
	m := newModel(t)
	for i := range users {
		m.Records = append(m.Records, record(fmt.Sprintf("u%d", i), "1", noon.Add(-time.Duration(i)*time.Minute)))
	}
	n.submit(t, org, ingest.SubmitOptions{}, m.Records...)
	n.waitFilled(t, org)

	at := calendar.InstantOf(noon)
	var id string
	everyone := func(what string, removed bool, do func() error) {
		t.Helper()
		tails := n.tails(t)
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if list, err := n.Outages(org); err != nil || len(list) != 1 || list[0].ID != id || (list[0].RemoveAt == at) != removed {
			t.Fatalf("%s: %+v, %v", what, list, err)
		}
		var g errgroup.Group
		for _, n := range nodes {
			if err := n.registry.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.Go(func() error { return n.BackfillNow(t.Context(), org) })
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		for i, n := range nodes { // the first time, one node may have found that the other was about to say so
			if err := n.BackfillNow(t.Context(), org); err != nil || n.Pending(org, "daily.current") {
				t.Errorf("%s: node %d: still pending; %v", what, i, err)
			}
		}
		if follow := n.following(t, org, m.Records); follow != users {
			t.Errorf("%s: %d of %d users follow", what, follow, users)
		}
		if written := n.written(t, tails); written != users {
			t.Errorf("%s: %d users were written, want each of %d once", what, written, users)
		}
		n.check(t, m, org, noon)
	}
	everyone("declare", false, func() error {
		o, err := n.DeclareOutage(t.Context(), org, at-7_200_000, at-3_600_000, "the server was down")
		id = o.ID
		return err
	})
	everyone("withdraw", true, func() error { return n.WithdrawOutage(t.Context(), org, id) })
	tails := n.tails(t)
	if err := errors.Join(n.WithdrawOutage(t.Context(), org, id), n.BackfillNow(t.Context(), org)); err != nil || n.written(t, tails) > 0 {
		t.Errorf("it was taken back already, and %d users were written; %v", n.written(t, tails), err)
	}
}

// tails is where each partition's change stream ends.
func (n *node) tails(t *testing.T) []feed.Position {
	t.Helper()
	out := make([]feed.Position, n.store.Partitions())
	for p := range out {
		var err error
		if out[p], err = n.store.Tail(t.Context(), store.Partition(p)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// written is how many users were written since.
func (n *node) written(t *testing.T, since []feed.Position) (users int) {
	t.Helper()
	for p, tail := range since {
		changes, err := n.store.Changes(t.Context(), store.Partition(p), tail, 10_000, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			users += len(c.Users)
		}
	}
	return users
}

// following is how many of the users have a state that was decided under the plan of now.
func (n *node) following(t *testing.T, org activity.Org, records []oracle.Record) (users int) {
	t.Helper()
	plan, _, err := n.Plan(org)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		s, err := n.State(t.Context(), org, activity.User(r.User))
		if err != nil {
			t.Fatal(err)
		}
		if s.Plan == plan.Print() {
			users++
		}
	}
	return users
}

// TestOutage_PendingAreTheStreaks: until everyone follows, the boards of streaks are pending and no others.
func TestOutage_PendingAreTheStreaks(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	n.submit(t, org, ingest.SubmitOptions{}, record("ada", "1", noon))
	n.waitFilled(t, org)
	idle := ingest.New(ingest.Options{Store: n.store, Registry: n.registry, Boards: n.boards, Clock: n.clock}) // does not fill by itself
	if err := idle.LookFilled(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.DeclareOutage(t.Context(), org, 0, calendar.InstantOf(noon), ""); !errors.Is(err, registry.ErrBadOutage) {
		t.Errorf("56 years: %v", err)
	}
	if idle.Pending(org, "daily.current") {
		t.Error("pending after what was refused")
	}
	if _, err := idle.DeclareOutage(t.Context(), org, calendar.InstantOf(noon)-1, calendar.InstantOf(noon), ""); err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]bool{"count": false, "sum": false, "daily.current": true, "daily.longest": true, "points.current": true} {
		if got := idle.Pending(org, rule); got != want {
			t.Errorf("%s is pending: %v", rule, got)
		}
	}
	if _, running, err := idle.Backfill(t.Context(), org); !running || err != nil {
		t.Errorf("running %v, %v", running, err)
	}
	if err := errors.Join(idle.WithdrawOutage(t.Context(), org, "none"), idle.WithdrawOutage(t.Context(), "nobody", "none")); !errors.Is(err, registry.ErrOutageNotFound) ||
		!errors.Is(err, registry.ErrOrgNotFound) {
		t.Errorf("taking back what there is not: %v", err)
	}
}

// TestOutage_NodeThatHasNotHeard: what a node decides that has not heard of an outage does not apply; it finds out and decides again.
func TestOutage_NodeThatHasNotHeard(t *testing.T) {
	n, org := startOrg(t, embedded(t, 2))
	alone := *n
	alone.registry = registry.New(n.store, zerolog.Nop())
	deaf := blind(t, &alone)
	if err := alone.registry.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	declared, err := n.DeclareOutage(t.Context(), org, calendar.InstantOf(noon)-1, calendar.InstantOf(noon), "")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := deaf.Outages(org); err != nil || len(list) > 0 {
		t.Fatalf("it has heard: %+v, %v", list, err)
	}
	records := []oracle.Record{record("ada", "1", noon)}
	if r, err := deaf.Submit(t.Context(), org, items(records...), ingest.SubmitOptions{}); err != nil || r.Accepted != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if list, err := deaf.Outages(org); err != nil || len(list) != 1 || list[0] != declared {
		t.Errorf("after a commit: %+v, %v", list, err)
	}
	if n.following(t, org, records) != 1 {
		t.Error("a commit without the outage applied")
	}
}

// TestOutage_SavesAStreak: a streak that was lost for an outage runs again once it is declared, for a user to whom nothing happens, and is lost again once it is
// taken back.
func TestOutage_SavesAStreak(t *testing.T) {
	n, org := startOrg(t, embedded(t, 2))
	const days = 24 * time.Hour
	n.submit(t, org, ingest.SubmitOptions{}, record("ada", "1", noon.Add(-3*days)), record("ada", "2", noon.Add(-2*days)), record("bob", "1", noon.Add(-3*days)))
	n.waitFilled(t, org)
	shows := func(when string, want map[string]int64) {
		t.Helper()
		if err := n.BackfillNow(t.Context(), org); err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for p := range n.store.Partitions() {
			err := n.store.LoadBoard(t.Context(), store.Partition(p), feed.Board{Org: org, Rule: "daily.current", Label: "all"}, false,
				func(u activity.User, length int64, _ calendar.Instant) error { got[string(u)] = length; return nil })
			if err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", when, diff)
		}
	}
	shows("before", map[string]int64{})
	yesterday := calendar.InstantOf(noon.Add(-days))
	o, err := n.DeclareOutage(t.Context(), org, yesterday, yesterday+1, "")
	if err != nil {
		t.Fatal(err)
	}
	shows("declared", map[string]int64{"ada": 2})
	if err := n.WithdrawOutage(t.Context(), org, o.ID); err != nil {
		t.Fatal(err)
	}
	shows("taken back", map[string]int64{})
}
