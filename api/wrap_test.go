package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/query"
)

func TestAuthentication(t *testing.T) {
	g := newRig(t)
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer sk_unknown", "Basic " + g.key, g.key, "Bearer  " + g.key} {
		r := g.call("GET", "/v1/leaderboards", "", header("Authorization", authorization)).wants(t, 401, "unauthorized")
		if r.Header().Get("WWW-Authenticate") == "" {
			t.Error("no WWW-Authenticate")
		}
	}
	g.call("GET", "/v1/leaderboards", "", header("Authorization", "bearer "+g.key)).wants(t, 200, "")
	both := header("Authorization", "Bearer "+g.both)
	g.call("GET", "/v1/leaderboards", "", both).wants(t, 400, "org_required")
	g.call("GET", "/v1/leaderboards", "", both, header("Laurel-Org", "shop")).wants(t, 200, "")
	g.call("GET", "/v1/leaderboards", "", both, header("Laurel-Org", "git")).wants(t, 403, "forbidden")
	g.call("GET", "/v1/leaderboards", "", header("Laurel-Org", "shop")).wants(t, 403, "forbidden")
	g.call("GET", "/v1/leaderboards", "", both, header("Laurel-Org", "empty")).wants(t, 404, "org_not_found")
}

// Every route that has a scope refuses a request without a key, before it looks at anything else.
func TestAuthentication_EveryRoute(t *testing.T) {
	g := newRig(t)
	path := strings.NewReplacer("{$}", "", "{", "", "}", "")
	for _, rt := range g.api.routes {
		code := "unauthorized"
		if rt.face != nil {
			code = "" // a door has a text of its own
		}
		if rt.scope != "" {
			g.call(rt.method, path.Replace(rt.pattern), "{", header("Authorization", "")).wants(t, 401, code)
		}
	}
}

func TestPublishableKeys(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now))
	const site = "https://shop.example"
	made := g.call("POST", "/v1/keys", `{"name":"page","kind":"pk","scopes":["boards:read"],"origins":["`+site+`"]}`).wants(t, 201, "")
	key, origin := header("Authorization", "Bearer "+made.at("key").(string)), header("Origin", site)

	for _, target := range []string{"/v1/leaderboards", "/v1/leaderboards/commits/week", "/v1/leaderboards/commits/week/users/ada"} {
		r := g.call("GET", target, "", key, origin).wants(t, 200, "")
		if r.Header().Get("Access-Control-Allow-Origin") != site || !cmp.Equal(r.Header().Values("Vary"), []string{"Origin"}) {
			t.Errorf("%s: headers %v", target, r.Header())
		}
	}
	g.call("POST", "/v1/leaderboards/commits/week/ranks", `{"users":["ada"]}`, key, origin).wants(t, 200, "")
	for _, target := range []string{"/v1/users/ada", "/v1/users/ada/streaks", "/v1/users/ada/ranks", "/v1/users/ada/activities"} {
		g.call("GET", target, "", key, origin).wants(t, 403, "forbidden")
	}
	for _, target := range []string{"/v1/activities/ada/1", "/v1/catalog", "/v1/keys", "/v1/events"} {
		r := g.call("GET", target, "", key, origin).wants(t, 403, "forbidden")
		if r.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s can be read by a page", target)
		}
	}
	evil := g.call("GET", "/v1/leaderboards", "", key, header("Origin", "https://evil.example")).wants(t, 403, "forbidden")
	if evil.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("a foreign origin may read the answer")
	}
	refused := g.call("GET", "/v1/leaderboards/none/week", "", key, origin).wants(t, 404, "rule_not_found")
	if refused.Header().Get("Access-Control-Allow-Origin") != site {
		t.Error("a page cannot read why it was refused")
	}

	preflight := []func(*http.Request){origin, header("Authorization", ""), header("Access-Control-Request-Method", "GET")}
	r := g.call("OPTIONS", "/v1/leaderboards/commits/week", "", preflight...)
	if r.Code != 204 || r.Header().Get("Access-Control-Allow-Origin") != site || r.Header().Get("Access-Control-Allow-Methods") != "GET" ||
		!strings.Contains(r.Header().Get("Access-Control-Allow-Headers"), "Authorization") {
		t.Errorf("preflight: %d %v", r.Code, r.Header())
	}
	for _, c := range [][2]string{{"/v1/keys", site}, {"/v1/users/ada", "https://evil.example"}, {"/v1/leaderboards", "https://evil.example"}} {
		r := g.call("OPTIONS", c[0], "", append(preflight, header("Origin", c[1]))...)
		if r.Header().Get("Access-Control-Allow-Origin") != "" || r.Header().Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("preflight of %v: %v", c, r.Header())
		}
	}
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	g := newRig(t)
	for _, target := range []string{"/nope", "/v1", "/v1/activities/", "/v1/activities/a", "/v1/leaderboards/a/b/c/d/e", "/v1/users/", "/openapi.yaml"} {
		g.call("GET", target, "").wants(t, 404, "not_found")
		if g.last().route != "unmatched" {
			t.Errorf("%s counts as %s", target, g.last().route)
		}
	}
	for target, allow := range map[string]string{"/v1/activities": "OPTIONS, POST", "/v1/catalog": "GET, HEAD, OPTIONS, PUT",
		"/v1/keys/x": "DELETE, GET, HEAD, OPTIONS", "/": "GET, HEAD, OPTIONS"} {
		r := g.call("PATCH", target, "").wants(t, 405, "method_not_allowed")
		if r.Header().Get("Allow") != allow {
			t.Errorf("%s allows %q, want %q", target, r.Header().Get("Allow"), allow)
		}
	}
	g.call("BREW", "/v1/catalog", "").wants(t, 405, "method_not_allowed")
	if diff := cmp.Diff(served{"/v1/catalog", "other", 405}, g.last(), cmp.AllowUnexported(served{})); diff != "" {
		t.Errorf("metrics differ:\n%s", diff)
	}
	if r := g.call("HEAD", "/v1/catalog", ""); r.Code != 200 {
		t.Errorf("HEAD: %d", r.Code)
	}
}

func TestRequestID(t *testing.T) {
	g := newRig(t)
	r := g.call("GET", "/nope", "", header("X-Request-Id", "abc-1.2_Z"))
	if r.Header().Get("X-Request-Id") != "abc-1.2_Z" || r.at("instance") != "urn:laurel:request:abc-1.2_Z" {
		t.Errorf("a given id is lost: %s", r.Body)
	}
	for _, bad := range []string{"", "a b", "<script>", strings.Repeat("x", 65)} {
		if r := g.call("GET", "/nope", "", header("X-Request-Id", bad)); len(r.Header().Get("X-Request-Id")) != 16 {
			t.Errorf("id %q became %q", bad, r.Header().Get("X-Request-Id"))
		}
	}
}

// failing panics or fails in ways that no table knows.
type failing struct {
	Reads
	reason any
}

func (f failing) Leaderboards(context.Context, activity.Org) (query.LeaderboardList, error) {
	if err, ok := f.reason.(error); ok {
		return query.LeaderboardList{}, err
	}
	panic(f.reason)
}

func TestInternalErrorsStayInside(t *testing.T) {
	for _, reason := range []any{"secret panic", &secretError{}} {
		g := newRig(t, func(o *Options) { o.Reads = failing{o.Reads, reason} })
		r := g.call("GET", "/v1/leaderboards", "").wants(t, 500, "internal")
		if strings.Contains(r.Body.String(), "secret") {
			t.Errorf("internal text reached the client: %s", r.Body)
		}
		if g.last().status != 500 {
			t.Errorf("counted as %v", g.last())
		}
	}
}

func TestHijackedConnectionsAreNotCounted(t *testing.T) {
	g := newRig(t, func(o *Options) {
		o.WebSocket = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = rw.WriteString("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			_ = rw.Flush()
			_ = conn.Close()
		})
	})
	server := httptest.NewServer(g.api)
	defer server.Close()
	answer, err := server.Client().Get(server.URL + "/v1/ws")
	must(t, err)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent || len(g.served) != 0 {
		t.Errorf("%d, counted %v", answer.StatusCode, g.served)
	}
}

type secretError struct{}

func (*secretError) Error() string { return "secret error" }

func TestPages(t *testing.T) {
	g := newRig(t)
	anyone := header("Authorization", "")
	if r := g.call("GET", "/", "", anyone); r.Code != 200 || r.Body.String() != "home" {
		t.Errorf("home: %d", r.Code)
	}
	r := g.call("GET", "/docs", "", anyone)
	page := r.Body.String()
	if r.Code != 200 || strings.Contains(page, "src=") || strings.Contains(page, "http:") || strings.Contains(page, "https:") {
		t.Errorf("docs: %d, or the page loads from elsewhere", r.Code)
	}
	if policy := r.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'sha256-") {
		t.Errorf("policy is %s", policy)
	}
	bare := newRig(t, func(o *Options) { o.Home, o.WebSocket = nil, nil })
	bare.call("GET", "/", "").wants(t, 404, "not_found")
	bare.call("GET", "/v1/ws", "").wants(t, 404, "not_found")
}
