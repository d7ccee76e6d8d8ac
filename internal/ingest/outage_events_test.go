package ingest_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
)

// TestOutage_SameInstant: two outages that are declared, and taken back, at one instant are told of as any others, one after the other.
func TestOutage_SameInstant(t *testing.T) {
	n := startNode(t, embedded(t, 1))
	org := n.publish(t, "orgs: [{id: tied, streaks: [{id: daily, when: {}, unit: day}]}]")
	const days = 24 * time.Hour
	n.set(noon.Add(-4 * days))
	n.submit(t, org, ingest.SubmitOptions{}, record("u", "1", noon.Add(-4*days)))
	n.waitFilled(t, org)
	n.set(noon)
	sweep(t, n)
	var read feed.Position
	told := func(want ...string) {
		t.Helper()
		if err := n.BackfillNow(t.Context(), org); err != nil {
			t.Fatal(err)
		}
		events, err := n.store.Events(t.Context(), 0, read, 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range events {
			read = e.ID
			var s struct{ Type, Undone string }
			if err := json.Unmarshal(e.Body, &s); err != nil {
				t.Fatal(err)
			}
			got = append(got, s.Type+" "+s.Undone)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	declare := func(daysAgo time.Duration) string {
		at := calendar.InstantOf(noon.Add(-daysAgo * days))
		o, err := n.DeclareOutage(t.Context(), org, at, at+1, "")
		if err != nil {
			t.Fatal(err)
		}
		return o.ID
	}
	told("streak.started ", "streak.lost ")
	var ids []string
	ids = append(ids, declare(3), declare(2))
	told()
	ids = append(ids, declare(1)) // now no day is missed
	told("streak.undone streak.lost")
	slices.Reverse(ids)
	for i, id := range ids {
		if err := n.WithdrawOutage(t.Context(), org, id); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			told("streak.lost ")
		} else {
			told()
		}
	}
}
