package api

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

func TestEvents(t *testing.T) {
	g := newRig(t)
	if r := g.call("GET", "/v1/events", "").wants(t, 200, ""); r.at("next") != "0-0" || len(r.at("events").([]any)) != 0 {
		t.Errorf("before anything: %s", r.Body)
	}
	g.call("GET", "/v1/leaderboards/commits/day", "").wants(t, 200, "")
	awaitClosing(g)
	g.send(commit("1", "ada", now), commit("2", "bob", now))
	g.setClock("2026-12-28T19:40:00.000Z")
	r := g.call("GET", "/v1/events?wait=20&limit=2", "").wants(t, 200, "")
	short := func(r reply) (out []string) {
		for i := range r.at("events").([]any) {
			at := func(name string) any { return r.at(fmt.Sprintf("events.%d.%s", i, name)) }
			out = append(out, fmt.Sprint(at("type"), " ", at("at"), " ", at("rule"), " ", at("cycle"), " ", at("period.label"), " ", at("total")))
		}
		return out
	}
	want := []string{"period.closed 2026-12-27T00:00:00.000Z commits day 2026-11-21 2", "period.closed 2026-12-28T00:00:00.000Z commits week 2026-W47 2"}
	if diff := cmp.Diff(want, short(r)); diff != "" || r.at("next") != r.at("events.1.id") {
		t.Errorf("events are %s\n%s", r.Body, diff)
	}
	rest := g.call("GET", "/v1/events?after="+r.at("next").(string)+"&wait=20s", "").wants(t, 200, "")
	if diff := cmp.Diff([]string{"period.closed 2026-12-28T00:00:00.000Z lines week 2026-W47 2"}, short(rest)); diff != "" {
		t.Errorf("events are %s\n%s", rest.Body, diff)
	}
	if none := g.call("GET", "/v1/events?after="+rest.at("next").(string), "").wants(t, 200, ""); none.at("next") != rest.at("next") {
		t.Errorf("after the last: %s", none.Body)
	}
	if other := g.call("GET", "/v1/events", "", header("Authorization", "Bearer "+g.both), header("Laurel-Org", "shop")).wants(t, 200, ""); len(other.at("events").([]any)) != 0 {
		t.Errorf("another org sees %s", other.Body)
	}

	// A node whose clock is behind: what comes too late is said to, though it is accepted, also without results=all.
	g.setClock(now)
	batch := g.call("POST", "/v1/activities", "["+commit("3", "ada", now)+","+commit("4", "ada", "2026-11-16T12:00:00Z")+"]").wants(t, 200, "")
	if batch.at("accepted") != 2.0 || batch.at("results.0.id") != "3" || batch.at("results.0.status") != "accepted" || batch.at("results.0.closed_for.1.label") != "2026-W47" ||
		batch.at("results.1.index") != 1.0 {
		t.Errorf("a late batch: %s", batch.Body)
	}
	one := g.call("POST", "/v1/activities", commit("5", "ada", now)).wants(t, 201, "")
	if diff := cmp.Diff([]any{map[string]any{"rule": "commits", "label": "2026-11-21"}, map[string]any{"rule": "commits", "label": "2026-W47"},
		map[string]any{"rule": "lines", "label": "2026-W47"}}, one.at("closed_for")); diff != "" || one.at("effects.boards.0.label") != "all" {
		t.Errorf("a late activity: %s\n%s", one.Body, diff)
	}
	if board := g.call("GET", "/v1/leaderboards/commits/2026-W47", "").wants(t, 200, ""); board.at("period.closed") != true || board.at("rows.0.score") != 1.0 {
		t.Errorf("the board is %s", board.Body)
	}
}

// awaitClosing waits until the org's closer has begun: what closes before that gets no event.
func awaitClosing(g *rig) {
	g.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if e, ok := g.api.Registry.Get("git"); ok && e.ClosedThrough > 0 {
			return
		}
		if time.Now().After(deadline) {
			g.t.Fatal("the closer does not begin")
		}
	}
}

func TestEvents_Refused(t *testing.T) {
	g := newRig(t)
	for query, field := range map[string]string{"after=x": "after", "after=1": "after", "after=01-0": "after", "after=1-99999999999999999999": "after", "limit=0": "limit",
		"limit=1001": "limit", "wait=31": "wait", "wait=-1": "wait", "wait=1m": "wait"} {
		if r := g.call("GET", "/v1/events?"+query, "").wants(t, 400, "bad_request"); r.at("field") != field {
			t.Errorf("%s: %s", query, r.Body)
		}
	}
	g.call("GET", "/v1/events", "", header("Authorization", "Bearer "+g.both), header("Laurel-Org", "empty")).wants(t, 404, "org_not_found")
	g.call("GET", "/v1/events", "", header("Authorization", "")).wants(t, 401, "unauthorized")
	key := g.call("POST", "/v1/keys", `{"name":"page","kind":"pk","scopes":["boards:read"],"origins":["https://a.example"]}`).wants(t, 201, "").at("key").(string)
	g.call("GET", "/v1/events", "", header("Authorization", "Bearer "+key), header("Origin", "https://a.example")).wants(t, 403, "forbidden")

	gone := newRig(t, func(o *Options) { o.Events = trimmed{} })
	gone.call("GET", "/v1/events?after=1-0", "").wants(t, 410, "events_gone")
}

// trimmed no longer has what is asked for.
type trimmed struct{}

func (trimmed) Events(context.Context, activity.Org, feed.Position, int, time.Duration) ([]store.Event, feed.Position, error) {
	return nil, feed.Position{}, store.ErrEventsGone
}
