package ingest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

// TestWarned_OncePerPeriod: a change of zone, or another lead, after streak.at_risk was told puts the deadline off; when it comes near again, nothing is told
// again of that period, but of the next one.
func TestWarned_OncePerPeriod(t *testing.T) {
	const definition = "orgs: [{id: warned, streaks: [{id: daily, when: {}, unit: day, at_risk: %s}]}]"
	for name, test := range map[string]struct {
		met    int // the hour at which the day is met: by then it would have been told again
		putOff func(t *testing.T, n *node)
	}{
		"change of zone": {38, func(t *testing.T, n *node) {
			zone := "America/New_York"
			if err := n.SetUser(t.Context(), "warned", "u", ingest.UserChange{Zone: &zone}); err != nil {
				t.Fatal(err)
			}
		}},
		"other lead": {35, func(t *testing.T, n *node) {
			n.publish(t, fmt.Sprintf(definition, "2h"))
			if err := n.BackfillNow(t.Context(), "warned"); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n := startNode(t, embedded(t, 1))
			org := n.publish(t, fmt.Sprintf(definition, "4h"))
			n.set(noon)
			n.submit(t, org, ingest.SubmitOptions{}, record("u", "1", noon))
			n.waitFilled(t, org)
			for hour := range 64 { // of which the 33rd is in the last of the 2nd day, and the 47th is in the 3rd
				now := noon.Add(time.Duration(hour) * time.Hour)
				n.set(now)
				sweep(t, n)
				switch hour {
				case 33:
					test.putOff(t, n)
				case test.met:
					n.submit(t, org, ingest.SubmitOptions{}, record("u", fmt.Sprint(hour), now))
				}
			}
			var told []string
			events, err := n.store.Events(t.Context(), store.Partition(0), feed.Position{}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				var s streakEvent
				if err := json.Unmarshal(e.Body, &s); err != nil {
					t.Fatal(err)
				}
				if s.Type == "streak.at_risk" {
					told = append(told, s.Period)
				}
			}
			first := calendar.DateOf(noon.Date())
			if want := []string{(first + 1).String(), (first + 2).String()}; fmt.Sprint(told) != fmt.Sprint(want) {
				t.Errorf("at risk: %v, want %v", told, want)
			}
		})
	}
}
