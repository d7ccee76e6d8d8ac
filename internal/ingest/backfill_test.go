package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

// TestBackfill_FillsWhoDoesNothing: a rule that is added or changed comes to count for users to whom nothing happens, on several nodes at once.
func TestBackfill_FillsWhoDoesNothing(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { backfills(t, embedded(t, 3)) })
	eachServer(t, 3, func(t *testing.T, o store.Options) { backfills(t, o, o) })
}

func backfills(t *testing.T, options ...store.Options) {
	const users = 700 // more than a batch in each partition
	var nodes []*node
	var org activity.Org
	for i, o := range options {
		if i == 0 {
			n, id := startOrg(t, o)
			nodes, org = append(nodes, n), id
			continue
		}
		nodes = append(nodes, startNode(t, o))
	}
	n := nodes[0]
	n.waitFilled(t, org) // by no users: what these follow is not what they come to follow in between
	full := fmt.Sprintf(definitions, "org")
	less := strings.Replace(full, "{id: count, when: {name: a}, value: count,", "{id: count, when: {name: b}, value: count,", 1)
	less = strings.Replace(less, "      - {id: tags, when: {}, value: {unique: meta.tag}, cycles: [all]}\n", "", 1)
	n.publish(t, less)
	m := newModel(t)
	for i := range users {
		r := record(fmt.Sprintf("u%d", i), "1", noon.Add(-time.Duration(i)*time.Minute))
		r.Meta = map[string]any{"n": float64(i % 7), "tag": fmt.Sprint(i % 3)}
		m.Records = append(m.Records, r)
	}
	n.submit(t, org, ingest.SubmitOptions{}, m.Records...)
	n.publish(t, full)

	var g errgroup.Group
	for _, n := range nodes {
		if err := n.registry.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.set(noon)
		g.Go(func() error { return n.BackfillNow(t.Context(), org) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	n.check(t, m, org, noon)
	for _, n := range nodes {
		if err := n.BackfillNow(t.Context(), org); err != nil || n.Pending(org, "tags") {
			t.Errorf("still pending; %v", err)
		}
	}
	tail, err := n.store.Tail(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.BackfillNow(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	if after, err := n.store.Changes(t.Context(), 0, tail, 10, 0); err != nil || len(after) > 0 {
		t.Errorf("it was done, and done again: %d commits, %v", len(after), err)
	}
	rows := 0
	for p := range n.store.Partitions() {
		err := n.store.LoadBoard(t.Context(), store.Partition(p), feed.Board{Org: org, Rule: "tags", Label: "all"}, false,
			func(activity.User, int64, calendar.Instant) error { rows++; return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	if rows != users {
		t.Errorf("%d users on the new board, want %d", rows, users)
	}
}
