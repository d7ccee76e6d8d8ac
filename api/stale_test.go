package api

import (
	"testing"

	"laurel/internal/calendar"
)

// TestStale: a node that may be behind answers all the same, and says so.
func TestStale(t *testing.T) {
	stale := false
	g := newRig(t, func(o *Options) { o.Stale = func() (calendar.Instant, bool) { return 1_000, stale } })
	for _, want := range []string{"", "1970-01-01T00:00:01.000Z"} {
		if got := g.call("GET", "/v1/leaderboards/commits/week", "").wants(t, 200, "").Header().Get("Laurel-Stale"); got != want {
			t.Errorf("Laurel-Stale is %q, want %q", got, want)
		}
		stale = true
	}
	if got := g.call("GET", "/v1/leaderboards/commits/week", "", header("Authorization", "Bearer sk_unknown")).Header().Get("Laurel-Stale"); got != "" {
		t.Errorf("who has no key is told %q", got)
	}
}
