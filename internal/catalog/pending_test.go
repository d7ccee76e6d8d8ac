package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNotApplied(t *testing.T) {
	c, err := ParseOrg([]byte(`{id: o, streaks: [{id: plain, when: {}, unit: day},
		{id: full, when: {}, unit: day, grace: 6h, freezes: {initial: 1, max: 2}, restore_window: 3d, on_miss: none, milestones: [{at: 7}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"streaks[1].grace", "streaks[1].freezes", "streaks[1].restore_window", "streaks[1].on_miss", "streaks[1].milestones"}
	if diff := cmp.Diff(want, c.NotApplied()); diff != "" {
		t.Error(diff)
	}
}
