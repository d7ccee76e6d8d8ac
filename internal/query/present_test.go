package query

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestPresent_WhoWaitsForTheBackfill: what a user has is shown by the definitions that hold, also before the backfill has come by.
func TestPresent_WhoWaitsForTheBackfill(t *testing.T) {
	g := newRig(t)
	g.publish(fmt.Sprintf(statDefinitions, 120))
	g.send("ann 1 "+noon, "ann 1 "+noon, "ann 1 "+noon)
	waiting := 0
	for points := 11; points < 31; points++ {
		g.publish(strings.ReplaceAll(fmt.Sprintf(statDefinitions, 120), "points: 10}", fmt.Sprintf("points: %d}", points)))
		object, err := g.Wallets(t.Context(), org, "ann")
		must(t, err)
		var got struct {
			Wallets []struct{ Balance int }
		}
		must(t, json.Unmarshal(object, &got))
		if len(got.Wallets) != 1 || got.Wallets[0].Balance != 3*points {
			t.Fatalf("at %d points each: %s", points, object)
		}
		s, err := g.state(t.Context(), org, "ann")
		must(t, err)
		plan, _, err := g.ingest.Plan(org)
		must(t, err)
		if !s.Follows(plan) {
			waiting++
		}
	}
	if waiting == 0 {
		t.Error("the backfill was always there first: nothing was tested")
	}
}
