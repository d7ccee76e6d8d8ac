package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/auth"
)

func TestDefinitions_LifeOfAStreakRule(t *testing.T) {
	for _, path := range []string{"/v1/catalog/streaks", "/v1/streaks"} {
		t.Run(path, func(t *testing.T) {
			g := newRig(t)
			whole := g.call("GET", "/v1/catalog", "").Header().Get("ETag")
			list := g.call("GET", path, "").wants(t, 200, "")
			if list.at("streaks.0.id") != "daily" || list.Header().Get("ETag") != whole {
				t.Errorf("list is %s, tag %s", list.Body, list.Header().Get("ETag"))
			}
			made := g.call("POST", path, `{"unit":"week","id":"weekly","when":{"name":"commit"},"grace":"6h"}`).wants(t, 201, "")
			tag := made.Header().Get("ETag")
			if made.Header().Get("Location") != path+"/weekly" || tag == whole || made.Body.String() != `{"grace":"6h","id":"weekly","unit":"week","when":{"name":"commit"}}` {
				t.Errorf("made %s at %s", made.Body, made.Header().Get("Location"))
			}
			got := g.call("GET", made.Header().Get("Location"), "").wants(t, 200, "")
			if got.Body.String() != made.Body.String() || got.Header().Get("ETag") != tag {
				t.Errorf("got %s, tag %s", got.Body, got.Header().Get("ETag"))
			}
			for _, target := range []string{path, path + "/weekly"} {
				if same := g.call("GET", target, "", header("If-None-Match", tag)); same.Code != 304 {
					t.Errorf("%s again: %d", target, same.Code)
				}
			}
			g.call("GET", path+"/none", "", header("If-None-Match", tag)).wants(t, 404, "definition_not_found")
			put := g.call("PUT", path+"/weekly", "unit: month\nwhen: {}\n", header("Content-Type", "application/yaml"), header("If-Match", tag)).wants(t, 200, "")
			if put.at("unit") != "month" || put.at("id") != "weekly" {
				t.Errorf("put %s", put.Body)
			}
			g.call("PUT", path+"/weekly", `{"unit":"day","when":{}}`, header("If-Match", tag)).wants(t, 412, "version_mismatch")
			g.call("DELETE", path+"/weekly", "", header("If-Match", tag)).wants(t, 412, "version_mismatch")
			g.call("PUT", path+"/new", `{"unit":"day","when":{}}`).wants(t, 201, "")
			if all := g.call("GET", "/v1/catalog", ""); all.at("streaks.2.id") != "new" || all.at("rules.1.id") != "lines" {
				t.Errorf("catalog is %s", all.Body)
			}
			gone := g.call("DELETE", path+"/weekly", "")
			if gone.Code != 204 || gone.Header().Get("ETag") != g.call("GET", path, "").Header().Get("ETag") {
				t.Errorf("delete: %d, %v", gone.Code, gone.Header())
			}
			g.call("GET", path+"/weekly", "").wants(t, 404, "definition_not_found")
			g.call("DELETE", path+"/weekly", "").wants(t, 404, "definition_not_found")
		})
	}
}

func TestDefinitions_Refused(t *testing.T) {
	g := newRig(t)
	before := g.call("GET", "/v1/catalog", "").Body.String()
	for body, path := range map[string]string{`{"id":"daily"}`: "/v1/catalog/streaks", `{"id":"lines"}`: "/v1/streaks", `{"id":"daily","when":{}}`: "/v1/catalog/rules",
		`{"name":"commit"}`: "/v1/catalog/behaviours"} {
		g.call("POST", path, body).wants(t, 409, "exists")
	}
	g.call("POST", "/v1/streaks", "", header("Content-Type", "application/json")).wants(t, 422, "bad_catalog")
	g.call("POST", "/v1/streaks", "{}", header("Content-Type", "text/plain")).wants(t, 415, "unsupported_media_type")
	g.call("POST", "/v1/streaks", strings.Repeat(" ", 1<<20+1)).wants(t, 413, "too_large")
	for _, body := range []string{`[]`, `{`, `7`, "\x00", "\xff", `{"id":{}}`, "{\"id\":\"\\ud800\"}", `{"id":"x","id":"y"}`, strings.Repeat("[", 1e5), "&a [*a]", "? {}: 1", "- 1"} {
		g.call("PUT", "/v1/streaks/x", body).wants(t, 422, "bad_catalog")
		g.call("POST", "/v1/catalog/rules", body).wants(t, 422, "bad_catalog")
	}
	for _, id := range []string{"%FF", "..", "A", "a%2Fb", strings.Repeat("x", 65)} {
		g.call("PUT", "/v1/streaks/"+id, `{"unit":"day","when":{}}`).wants(t, 422, "bad_catalog")
		g.call("GET", "/v1/streaks/"+id, "").wants(t, 404, "definition_not_found")
	}
	g.call("GET", "/v1/catalog/colours", "").wants(t, 404, "not_found")
	other := []func(*http.Request){header("Authorization", "Bearer "+g.both), header("Laurel-Org", "empty")}
	g.call("GET", "/v1/streaks", "", other...).wants(t, 404, "org_not_found")
	g.call("PUT", "/v1/streaks/x", `{"unit":"day","when":{}}`, other...).wants(t, 404, "org_not_found")
	if after := g.call("GET", "/v1/catalog", "").Body.String(); after != before {
		t.Errorf("the catalog is now %s", after)
	}
}

// Faults say where they are in the definition that was sent, and where in the whole; those of others only the latter.
func TestDefinitions_Faults(t *testing.T) {
	g := newRig(t)
	for _, test := range []struct {
		path, body string
		want       []any
	}{
		{"/v1/streaks/weekly", "{\"unit\":\"week\",\n\"when\":{\"name\":\"fly\"},\n\"grace\":\"7d\"}", []any{
			map[string]any{"detail": `no behaviour "fly" is declared; there are commit`, "field": "when.name", "path": "streaks[1].when.name", "line": 2.},
			map[string]any{"detail": "the grace must be shorter than a period, which may have 7d", "field": "grace", "path": "streaks[1].grace", "line": 3.}}},
		{"/v1/catalog/behaviours/commit", `{"meta":{"added":"string"}}`, []any{
			map[string]any{"detail": "the value of sum must be a number, but this is a string", "path": "rules[1].value.sum"}}},
		{"/v1/catalog/rules/commits", `{"when":{},"cycles":["day"],"order":"asc"}`, []any{
			map[string]any{"detail": "cannot be changed: stored rows are written for one order. Give the rule another id", "field": "order", "path": "rules[0].order"}}},
	} {
		r := g.call("PUT", test.path, test.body).wants(t, 422, "bad_catalog")
		if diff := cmp.Diff(test.want, r.at("errors")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.path, diff)
		}
	}
	g.call("POST", "/v1/catalog/behaviours", `{"name":"push"}`).wants(t, 201, "") // without any, every name would be accepted
	gone := g.call("DELETE", "/v1/catalog/behaviours/commit", "").wants(t, 422, "bad_catalog")
	if gone.at("errors.0.path") != "rules[0].when.name" || gone.at("errors.2.path") != "streaks[0].when.name" || gone.at("errors.0.field") != nil || gone.at("errors.0.line") != nil {
		t.Errorf("delete: %s", gone.Body)
	}
	// A whole catalog is refused for the same.
	whole := strings.Replace(g.call("GET", "/v1/catalog", "").Body.String(), `"id":"commits",`, `"id":"commits","order":"asc",`, 1)
	r := g.call("PUT", "/v1/catalog", whole, header("If-Match", "*")).wants(t, 422, "bad_catalog")
	if r.at("errors.0.field") != "rules[0].order" || r.at("errors.0.path") != nil {
		t.Errorf("whole: %s", r.Body)
	}
}

// Names of behaviours are not ids: they come percent-encoded, in Location too.
func TestDefinitions_BehavioursByName(t *testing.T) {
	g := newRig(t)
	for name, segment := range map[string]string{"a/b c%": "a%2Fb%20c%25", "..": "%2E%2E", "größe": "gr%C3%B6%C3%9Fe"} {
		made := g.call("POST", "/v1/catalog/behaviours", fmt.Sprintf(`{"name":%q,"cool_off":"1m"}`, name)).wants(t, 201, "")
		at := made.Header().Get("Location")
		if at != "/v1/catalog/behaviours/"+segment {
			t.Errorf("Location of %s is %s", name, at)
		}
		if r := g.call("GET", at, "").wants(t, 200, ""); r.at("name") != name {
			t.Errorf("%s is %s", at, r.Body)
		}
		if r := g.call("PUT", at, "{}").wants(t, 200, ""); r.at("cool_off") != nil || r.at("name") != name {
			t.Errorf("%s is now %s", at, r.Body)
		}
		if r := g.call("DELETE", at, ""); r.Code != 204 {
			t.Errorf("delete %s: %d", at, r.Code)
		}
	}
}

func TestDefinitions_Scopes(t *testing.T) {
	g := newRig(t)
	reader := g.call("POST", "/v1/keys", `{"name":"r","kind":"sk","scopes":["`+string(auth.CatalogRead)+`"]}`).wants(t, 201, "")
	with := header("Authorization", "Bearer "+reader.at("key").(string))
	for _, path := range []string{"/v1/catalog/rules", "/v1/catalog/streaks", "/v1/catalog/behaviours", "/v1/streaks"} {
		g.call("GET", path, "", with).wants(t, 200, "")
		g.call("GET", path+"/none", "", with).wants(t, 404, "definition_not_found")
		g.call("POST", path, "{}", with).wants(t, 403, "forbidden")
		g.call("PUT", path+"/none", "{}", with).wants(t, 403, "forbidden")
		g.call("DELETE", path+"/none", "", with).wants(t, 403, "forbidden")
		g.call("PATCH", path+"/none", "{}").wants(t, 405, "method_not_allowed")
	}
}

// raw is call without the checks of answers, which are of one goroutine.
func (g *rig) raw(method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+g.key)
	w := httptest.NewRecorder()
	g.api.ServeHTTP(w, r)
	return w
}

func TestDefinitions_ConcurrentEditsAreNeverLost(t *testing.T) {
	g := newRig(t)
	var editors sync.WaitGroup
	for i := range 8 {
		editors.Go(func() {
			for k := range 4 {
				body := fmt.Sprintf(`{"id":"s%d-%d","when":{},"unit":"day"}`, i, k)
				if r := g.raw("POST", "/v1/streaks", body); r.Code != 201 {
					t.Errorf("%s: %d %s", body, r.Code, r.Body)
				}
			}
			if r := g.raw("PUT", fmt.Sprintf("/v1/streaks/s%d-0", i), `{"when":{},"unit":"month"}`); r.Code != 200 {
				t.Errorf("put: %d %s", r.Code, r.Body)
			}
			if r := g.raw("DELETE", fmt.Sprintf("/v1/streaks/s%d-1", i), ""); r.Code != 204 {
				t.Errorf("delete: %d %s", r.Code, r.Body)
			}
		})
	}
	editors.Wait()
	list := g.call("GET", "/v1/streaks", "").wants(t, 200, "").at("streaks").([]any)
	units := map[any]int{}
	for _, s := range list {
		units[s.(map[string]any)["unit"]]++
	}
	if diff := cmp.Diff(map[any]int{"day": 1 + 8*2, "month": 8}, units); diff != "" {
		t.Error(diff)
	}
}

// A rule that was added counts what was before it, at the latest with the user's next activity, as after PUT of the whole.
func TestDefinitions_CountWhatWasBefore(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now), commit("2", "ada", now))
	g.call("POST", "/v1/catalog/rules", `{"id":"twice","when":{"name":"commit"},"value":{"sum":"2"},"cycles":["all"]}`).wants(t, 201, "")
	g.send(commit("3", "ada", now))
	if r := g.call("GET", "/v1/leaderboards/twice/all", "").wants(t, 200, ""); r.at("rows.0.score") != 6. {
		t.Errorf("board is %s", r.Body)
	}
	if r := g.call("DELETE", "/v1/catalog/rules/twice", ""); r.Code != 204 {
		t.Errorf("delete: %d", r.Code)
	}
	g.call("GET", "/v1/leaderboards/twice/all", "").wants(t, 404, "rule_not_found")
}
