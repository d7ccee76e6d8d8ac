package closing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
)

// TestRetention_OfSegments: the boards of a rule's segments go with the period's.
func TestRetention_OfSegments(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		one := nodes[0]
		var ids sent
		for _, n := range nodes {
			n.set(noon)
		}
		publish(t, strings.Replace(fmt.Sprintf(kept, 3), "value: count,", "value: count, segment_by: user.land,", 1), nodes...)
		one.close(t)
		for user, land := range map[activity.User]string{"u0": "AT", "u1": "DE", "u2": "AT"} {
			change := ingest.UserChange{Create: true, Attributes: map[string]*string{"land": &land}}
			if err := one.SetUser(t.Context(), org, user, change); err != nil {
				t.Fatal(err)
			}
		}
		live(t, &ids, nodes, 0, 8, 3)
		expectDays(t, one, 4, 8)
		for _, rule := range []string{"count@AT", "count@DE"} {
			if diff := cmp.Diff(one.labels(t, "count"), one.labels(t, rule)); diff != "" {
				t.Errorf("%s (-everyone's +segment's)\n%s", rule, diff)
			}
		}
		s, err := one.State(t.Context(), org, "u0")
		if err != nil {
			t.Fatal(err)
		}
		var days []int
		for _, r := range s.Rules {
			for _, c := range r.Cycles {
				if c.Key == "day" {
					days = append(days, len(c.Periods))
				}
			}
		}
		if diff := cmp.Diff([]int{5, 5}, days); diff != "" {
			t.Errorf("days of which the state has tallies (-want +got)\n%s", diff)
		}
	})
}
