package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// TestPending_OnlyWhatChanged: of a new publication only the rules and streaks that it added or changed are pending, also for a node that has just started.
func TestPending_OnlyWhatChanged(t *testing.T) {
	o := store.Options{URL: testenv.StartRedis(t).URL()}
	n, org := startOrg(t, o)
	full := fmt.Sprintf(definitions, "org")
	less := strings.Replace(full, "{id: count, when: {name: a}, value: count,", "{id: count, when: {name: b}, value: count,", 1)
	less = strings.Replace(less, "cycles: [month, all], ties: dense}", "cycles: [month], ties: dense}", 1)
	less = strings.Replace(less, "{id: mine, when: {}, unit: day, target: 2}", "{id: mine, when: {}, unit: day, target: 3}", 1)
	less = strings.Replace(less, "      - {id: tags, when: {}, value: {unique: meta.tag}, cycles: [all]}\n", "", 1)
	n.publish(t, less)
	if err := n.BackfillNow(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	idle, _ := newNode(t, o, 0) // does not fill by itself
	if err := idle.registry.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !idle.Pending(org, "least") {
		t.Error("whole before anybody looked")
	}
	if err := idle.LookFilled(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	n.publish(t, full)
	if _, err := idle.registry.Reload(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	for rule, want := range map[string]bool{"count": true, "sum": true, "least": false, "tags": true, "daily.current": false, "mine.current": true,
		"mine.longest": true, "points.longest": false} {
		if got := idle.Pending(org, rule); got != want {
			t.Errorf("%s is pending: %v", rule, got)
		}
	}
	if _, running, err := idle.Backfill(t.Context(), org); !running || err != nil {
		t.Errorf("running %v, %v", running, err)
	}
	if err := n.BackfillNow(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	if err := idle.LookFilled(t.Context(), org); err != nil || idle.Pending(org, "tags") || idle.Pending(org, "count") {
		t.Errorf("still pending; %v", err)
	}
	if _, running, err := idle.Backfill(t.Context(), org); running || err != nil {
		t.Errorf("running %v, %v", running, err)
	}
}

// TestBackfill_GoesOn: a walk goes on from what is written down, and says so.
func TestBackfill_GoesOn(t *testing.T) {
	n, org := startOrg(t, embedded(t, 3))
	n.waitFilled(t, org) // the node's own backfill has nothing left to do
	var all []oracle.Record
	after := 0
	for i := range 90 {
		r := record(fmt.Sprintf("u%d", i), "1", noon)
		all = append(all, r)
		if n.store.PartitionOf(org, activity.User(r.User)) > 0 {
			after++
		}
	}
	n.submit(t, org, ingest.SubmitOptions{}, all...)
	if err := n.SaveWalk(t.Context(), org, 1, 1000); err != nil {
		t.Fatal(err)
	}
	if done, err := n.WalkOn(t.Context(), org); done != 1000+after || err != nil {
		t.Errorf("%d users done, %v; want %d", done, err, 1000+after)
	}
}

// waitFilled waits until all users follow the catalog.
func (n *node) waitFilled(t *testing.T, org activity.Org) {
	t.Helper()
	if err := n.BackfillNow(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	if err := n.LookFilled(t.Context(), org); err != nil {
		t.Fatal(err)
	}
}
