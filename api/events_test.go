package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/closing"
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
	r := g.call("GET", "/v1/events?type=period.&wait=20&limit=2", "").wants(t, 200, "")
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
	rest := g.call("GET", "/v1/events?type=period.&after="+r.at("next").(string)+"&wait=20s", "").wants(t, 200, "")
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
	for deadline := time.Now().Add(2 * time.Minute); ; {
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
		"limit=1001": "limit", "wait=31": "wait", "user=": "user", "user=%01": "user",
		"type=": "type", "type=Streak": "type", "type=a%20b": "type", "type=" + strings.Repeat("a", 65): "type", strings.Repeat("type=a&", 33): "type", "wait=-1": "wait", "wait=1m": "wait"} {
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

func (trimmed) Events(context.Context, closing.EventQuery, time.Duration) (closing.EventPage, error) {
	return closing.EventPage{}, store.ErrEventsGone
}

// tell commits events of users of git, as the write path does.
func (g *rig) tell(user activity.User, bodies ...string) {
	g.t.Helper()
	group := store.Group{Org: "git", User: user, Doc: store.ColdKey(0, "git", user), Content: []byte("x")}
	for _, b := range bodies {
		group.Events = append(group.Events, []byte(b))
	}
	r, err := g.store.Commit(g.t.Context(), 0, []store.Group{group})
	must(g.t, err)
	if r.Outcomes[0].Status != store.Applied {
		g.t.Fatal(r.Outcomes)
	}
}

// TestEvents_OfUsers: what streaks tell comes as it was committed, in any shape; filters choose, and the scope decides.
func TestEvents_OfUsers(t *testing.T) {
	g := newRig(t)
	started := `{"type":"streak.started","at":"2026-11-21T19:40:00.000Z","user":"ada","rule":"daily","period":"2026-11-21","current":1}`
	lost := `{"type":"streak.lost","at":"2026-11-23T00:00:00.000Z","user":"ada","rule":"daily","period":"2026-11-22","length":1,"freezes_returned":2,"more":{"a":[1]}}`
	undone := `{"type":"streak.undone","at":"2026-11-23T00:00:01.000Z","user":"bob b","rule":"daily","undone":"streak.lost","current":4,"previous":0}`
	g.tell("ada", started, lost)
	g.tell("bob b", undone)
	read := func(path string, headers ...func(*http.Request)) (out []string) {
		t.Helper()
		r := g.call("GET", path, "", headers...).wants(t, 200, "")
		for i, e := range r.at("events").([]any) {
			body := e.(map[string]any)
			if i == 0 && body["id"] != r.at("events.0.id") || body["id"] == "" {
				t.Errorf("ids of %s", r.Body)
			}
			out = append(out, body["type"].(string)+" "+body["user"].(string))
		}
		return out
	}
	all := []string{"streak.started ada", "streak.lost ada", "streak.undone bob b"}
	for path, want := range map[string][]string{
		"/v1/events":                                         all,
		"/v1/events?type=streak.":                            all,
		"/v1/events?type=period.closed":                      nil,
		"/v1/events?type=streak.lost&type=streak.undone":     all[1:],
		"/v1/events?user=ada":                                all[:2],
		"/v1/events?user=bob%20b&type=streak.lost":           nil,
		"/v1/events?user=bob%20b&type=streak.&type=period.x": all[2:],
	} {
		if diff := cmp.Diff(want, read(path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if r := g.call("GET", "/v1/events?limit=1&type=streak.lost", ""); r.at("events.0.more.a.0") != 1.0 || r.at("events.0.freezes_returned") != 2.0 || r.at("next") != r.at("events.0.id") {
		t.Errorf("an event is %s", r.Body)
	}

	boards := g.call("POST", "/v1/keys", `{"name":"boards","kind":"sk","scopes":["boards:read"]}`).wants(t, 201, "").at("key").(string)
	as := header("Authorization", "Bearer "+boards)
	if got := read("/v1/events", as); got != nil {
		t.Errorf("a key that may not read users sees %v", got)
	}
	g.call("GET", "/v1/events?user=ada", "", as).wants(t, 403, "forbidden")
	awaitClosing(g)
	g.send(commit("1", "ada", now))
	g.setClock("2026-12-28T19:40:00.000Z")
	if r := g.call("GET", "/v1/events?wait=20&limit=1", "", as).wants(t, 200, ""); r.at("events.0.type") != "period.closed" {
		t.Errorf("but of periods it does: %s", r.Body)
	}
}
