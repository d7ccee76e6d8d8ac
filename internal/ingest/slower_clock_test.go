package ingest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/feed"
	"laurel/internal/ingest"
)

// TestSweep_SlowerClock: what was told by one clock stays so for another one which is behind, also after a restart: a late activity that comes by it does not
// bring the lost streak back, and the loss is not told again.
func TestSweep_SlowerClock(t *testing.T) {
	o := embedded(t, 1)
	n := startNode(t, o)
	org := n.publish(t, "orgs: [{id: slower, streaks: [{id: daily, when: {}, unit: day}]}]")
	n.set(noon)
	n.submit(t, org, ingest.SubmitOptions{}, record("u", "1", noon))
	n.waitFilled(t, org)
	end := noon.Add(36 * time.Hour) // of the next day, a midnight
	n.set(end.Add(30 * time.Second))
	sweep(t, n)
	n.stop()

	n = startNode(t, o)
	if err := n.registry.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.set(end.Add(-30 * time.Second))
	n.submit(t, org, ingest.SubmitOptions{}, record("u", "0", noon.Add(-24*time.Hour)))
	n.set(end.Add(time.Minute))
	sweep(t, n)
	events, err := n.store.Events(t.Context(), 0, feed.Position{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		var s streakEvent
		if err := json.Unmarshal(e.Body, &s); err != nil {
			t.Fatal(err)
		}
		told = append(told, s.Type)
	}
	if diff := cmp.Diff([]string{"streak.started", "streak.lost"}, told); diff != "" {
		t.Errorf("(-want +told)\n%s", diff)
	}
}
