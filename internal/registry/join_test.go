package registry

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/streaks"
)

// TestJoinOutages_OrderDoesNotMatter: however lists are joined, each id is there once, in order, and taken back at the earliest instant at which any list says so.
func TestJoinOutages_OrderDoesNotMatter(t *testing.T) {
	one := rapid.Custom(func(t *rapid.T) []streaks.Outage {
		var list []streaks.Outage
		for i, id := range []string{"b", "a", "c"} { // in order of At, then ID: a and c share theirs
			if rapid.Bool().Draw(t, id) {
				list = append(list, streaks.Outage{ID: id, At: min(calendar.Instant(i), 1), RemoveAt: calendar.Instant(rapid.IntRange(0, 3).Draw(t, "removed"))})
			}
		}
		return list
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := one.Draw(t, "a"), one.Draw(t, "b"), one.Draw(t, "c")
		removed := map[string]calendar.Instant{}
		for _, list := range [][]streaks.Outage{a, b, c} {
			for _, o := range list {
				if was := removed[o.ID]; was == 0 || o.RemoveAt != 0 && o.RemoveAt < was {
					removed[o.ID] = o.RemoveAt
				}
			}
		}
		var want []streaks.Outage
		for i, id := range []string{"b", "a", "c"} {
			if at, there := removed[id]; there {
				want = append(want, streaks.Outage{ID: id, At: min(calendar.Instant(i), 1), RemoveAt: at})
			}
		}
		for _, got := range [][]streaks.Outage{joinOutages(joinOutages(a, b), c), joinOutages(a, joinOutages(c, b)), joinOutages(joinOutages(c, a), joinOutages(b, a))} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
