package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"laurel/internal/closing"
)

// bearer makes a call with another token.
func bearer(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }

func (g *rig) token(body string) string {
	g.t.Helper()
	return g.call("POST", "/v1/tokens", body).wants(g.t, 201, "").at("token").(string)
}

func TestTokens_OwnUserAndBoards(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now), commit("2", "bob", now))
	made := g.call("POST", "/v1/tokens", `{"user":"ada","boards":["commits/week","lines"],"expires_in":60}`).wants(t, 201, "")
	if made.at("expires_at") != "2026-11-21T19:41:00.000Z" || made.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", made.Body, made.Header())
	}
	ada := bearer(made.at("token").(string))
	for _, target := range []string{"/v1/leaderboards", "/v1/leaderboards/commits/week", "/v1/leaderboards/commits/week/users/bob", "/v1/leaderboards/commits/week/count",
		"/v1/leaderboards/lines/week", "/v1/leaderboards/lines/2026-W47", "/v1/users/ada", "/v1/users/ada/ranks", "/v1/users/ada/streaks", "/v1/users/ada/streaks/daily", "/v1/users/ada/activities"} {
		g.call("GET", target, "", ada).wants(t, 200, "")
	}
	g.call("POST", "/v1/leaderboards/commits/week/ranks", `{"users":["ada"]}`, ada).wants(t, 200, "")
	for _, target := range []string{"/v1/leaderboards/commits/day", "/v1/leaderboards/commits/week~1", "/v1/leaderboards/commits/2026-W47", "/v1/leaderboards/daily.current/all",
		"/v1/leaderboards/commits/day/users/ada", "/v1/leaderboards/none/week", "/v1/users/bob", "/v1/users/bob/ranks", "/v1/users/bob/streaks", "/v1/users/bob/streaks/daily", "/v1/users/bob/activities",
		"/v1/users/nobody", "/v1/activities/ada/1", "/v1/events", "/v1/catalog", "/v1/keys"} {
		g.call("GET", target, "", ada).wants(t, 403, "forbidden")
	}
	for target, body := range map[string]string{"/v1/activities": commit("3", "ada", now), "/v1/tokens": `{"user":"bob"}`, "/v1/users/ada/hide": "", "/v1/users/ada/pauses": `{}`,
		"/v1/leaderboards/commits/day/ranks": `{"users":["ada"]}`} {
		g.call("POST", target, body, ada).wants(t, 403, "forbidden")
	}
	g.call("PUT", "/v1/users/ada", `{"name":"Ada"}`, ada).wants(t, 403, "forbidden")
	g.call("DELETE", "/v1/users/ada", "", ada).wants(t, 403, "forbidden")
	if list := g.call("GET", "/v1/leaderboards", "", ada); list.at("leaderboards.0.rule") != "commits" || list.at("leaderboards.1.rule") != "lines" || list.at("leaderboards.2") != nil {
		t.Errorf("list is %s", list.Body)
	}
	several := g.call("POST", "/v1/leaderboards/query", `{"boards":[{"rule":"commits","period":"day"},{"rule":"commits","period":"week"}]}`, ada).wants(t, 200, "")
	if several.at("boards.0.error.code") != "forbidden" || several.at("boards.1.total") != 2.0 {
		t.Errorf("several: %s", several.Body)
	}
	g.setClock("2026-11-21T19:41:31.000Z")
	g.call("GET", "/v1/users/ada", "", ada).wants(t, 401, "unauthorized")
}

func TestTokens_Bounds(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now))
	all, none := bearer(g.token("")), bearer(g.token(`{"boards":[],"user":"ada"}`))
	g.call("GET", "/v1/leaderboards/commits/day", "", all).wants(t, 200, "")
	g.call("GET", "/v1/users/ada", "", all).wants(t, 403, "forbidden")
	g.call("GET", "/v1/leaderboards/commits/day", "", none).wants(t, 403, "forbidden")
	g.call("GET", "/v1/users/ada", "", none).wants(t, 200, "")
	g.call("GET", "/v1/leaderboards/commits/day", "", all, header("Laurel-Org", "shop")).wants(t, 403, "forbidden")
	for body, field := range map[string]string{`{"user":""}`: "user", `{"user":"a\nb"}`: "user", `{"expires_in":0}`: "expires_in", `{"expires_in":86401}`: "expires_in",
		`{"boards":["/week"]}`: "boards[0]", `{"origins":["https://shop.example/x"]}`: "origins[0]"} {
		if r := g.call("POST", "/v1/tokens", body).wants(t, 400, "bad_request"); r.at("field") != field {
			t.Errorf("%s: %s", body, r.Body)
		}
	}
	g.call("POST", "/v1/tokens", `{"org":"shop"}`).wants(t, 400, "bad_json")
	for scope, status := range map[string]int{"tokens:write": 201, "users:write": 201, "users:read": 403, "keys:admin": 403} {
		key := g.call("POST", "/v1/keys", `{"name":"x","kind":"sk","scopes":["`+scope+`"]}`).wants(t, 201, "").at("key").(string)
		if r := g.call("POST", "/v1/tokens", "", bearer(key)); r.Code != status {
			t.Errorf("%s: %d %s", scope, r.Code, r.Body)
		}
	}
	g.call("POST", "/v1/tokens", "", bearer(g.both)).wants(t, 400, "org_required")
	shop := bearer(g.call("POST", "/v1/tokens", "", bearer(g.both), header("Laurel-Org", "shop")).wants(t, 201, "").at("token").(string))
	g.call("GET", "/v1/leaderboards/spent/month", "", shop).wants(t, 200, "")
	g.call("GET", "/v1/leaderboards/spent/month", "", shop, header("Laurel-Org", "git")).wants(t, 403, "forbidden")
	g.call("GET", "/v1/leaderboards", "", bearer("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.")).wants(t, 401, "unauthorized")
	g.call("GET", "/v1/leaderboards", "", bearer("eyJ"+strings.Repeat("a", 1<<16)+"..")).wants(t, 401, "unauthorized")
}

// TestTokens_EndWithTheirKey: what a backend has handed out is worth nothing once its key is revoked.
func TestTokens_EndWithTheirKey(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now))
	made := g.call("POST", "/v1/keys", `{"name":"backend","kind":"sk","scopes":["tokens:write"]}`).wants(t, 201, "")
	token := bearer(g.call("POST", "/v1/tokens", `{"user":"ada"}`, bearer(made.at("key").(string))).wants(t, 201, "").at("token").(string))
	g.call("GET", "/v1/users/ada", "", token).wants(t, 200, "")
	g.call("DELETE", "/v1/keys/"+made.at("id").(string), "")
	g.call("GET", "/v1/users/ada", "", token).wants(t, 401, "unauthorized")
	g.call("GET", "/v1/leaderboards", "", token).wants(t, 401, "unauthorized")
}

// revoking revokes a key while its request waits for events.
type revoking struct {
	inner  Events
	revoke func()
}

func (e *revoking) Events(ctx context.Context, q closing.EventQuery, wait time.Duration) (closing.EventPage, error) {
	e.revoke()
	return e.inner.Events(ctx, q, wait)
}

func TestEvents_KeyRevokedWhileWaiting(t *testing.T) {
	spy := &revoking{revoke: func() {}}
	g := newRig(t, func(o *Options) { spy.inner, o.Events = o.Events, spy })
	made := g.call("POST", "/v1/keys", `{"name":"worker","kind":"sk","scopes":["boards:read"]}`).wants(t, 201, "")
	worker := bearer(made.at("key").(string))
	g.call("GET", "/v1/events", "", worker).wants(t, 200, "")
	spy.revoke = func() { g.call("DELETE", "/v1/keys/"+made.at("id").(string), "") }
	g.call("GET", "/v1/events", "", worker).wants(t, 401, "unauthorized")
}

// TestTokens_InPages: a page reads its user by a token where a pk key makes its origin known; the token's own origins bind it further.
func TestTokens_InPages(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now))
	const site = "https://eu.shop.example"
	g.call("POST", "/v1/keys", `{"name":"page","kind":"pk","scopes":["boards:read"],"origins":["https://*.shop.example"]}`).wants(t, 201, "")
	token := bearer(g.token(`{"user":"ada","origins":["` + site + `"]}`))
	r := g.call("GET", "/v1/users/ada", "", token, header("Origin", site)).wants(t, 200, "")
	if r.Header().Get("Access-Control-Allow-Origin") != site {
		t.Errorf("%v", r.Header())
	}
	for origin, allowed := range map[string]string{"https://us.shop.example": "https://us.shop.example", "https://shop.example": "", "null": "", "https://evil.example": "",
		site + ":8443": ""} {
		r := g.call("GET", "/v1/users/ada", "", token, header("Origin", origin)).wants(t, 403, "forbidden")
		if r.Header().Get("Access-Control-Allow-Origin") != allowed {
			t.Errorf("%s: %v", origin, r.Header())
		}
	}
	for target, methods := range map[string]string{"/v1/users/ada": "GET", "/v1/users/ada/streaks": "GET", "/v1/tokens": ""} {
		r := g.call("OPTIONS", target, "", header("Authorization", ""), header("Origin", site), header("Access-Control-Request-Method", "GET"))
		if r.Header().Get("Access-Control-Allow-Methods") != methods {
			t.Errorf("%s: %v", target, r.Header())
		}
	}
}

// TestPublishableKeys_ProfileFields: of users a page sees what boards show, which is name and picture.
func TestPublishableKeys_ProfileFields(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now))
	g.call("PUT", "/v1/users/ada", `{"name":"Ada L.","attributes":{"country":"AT","mail":"ada@shop.example"}}`).wants(t, 200, "")
	key := g.call("POST", "/v1/keys", `{"name":"page","kind":"pk","scopes":["boards:read"],"origins":["https://shop.example"]}`).wants(t, 201, "").at("key").(string)
	r := g.call("GET", "/v1/leaderboards/commits/week?fields=profile", "", bearer(key)).wants(t, 200, "")
	if r.at("rows.0.profile.name") != "Ada L." || strings.Contains(r.Body.String(), "country") || strings.Contains(r.Body.String(), "mail") {
		t.Errorf("%s", r.Body)
	}
	g.call("POST", "/v1/tokens", "", bearer(key)).wants(t, 403, "forbidden")
}

// TestQuerySecrets: no route of REST takes a token from its URL, where proxies and logs see it.
func TestQuerySecrets(t *testing.T) {
	g := newRig(t)
	for _, secret := range []string{g.key, g.token("")} {
		g.call("GET", "/v1/leaderboards?token="+secret, "", header("Authorization", "")).wants(t, 401, "unauthorized")
		if l := g.last(); strings.Contains(l.route, "token=") {
			t.Errorf("counted as %v", l)
		}
	}
}
