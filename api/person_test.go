package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const wholeProfile = `{"name":"Ada L.","number":7,"username":"ada","email":"Ada@Example.org","external_id":"crm 1","first_name":"Ada","last_name":"Lovelace",
"mobile":"+436601234567","language":"de-at","country":"at","tags":["vip","@Gold","vip"],"fields":{"visits":3,"since":"2020"},"settings":{"mail":{"rank":true}}}`

func TestUsers_WholeProfile(t *testing.T) {
	g := newRig(t)
	g.publishFields()
	const ada = "/v1/users/ada"
	all := map[string]any{"name": "Ada L.", "number": 7.0, "username": "ada", "email": "Ada@Example.org", "external_id": "crm 1", "first_name": "Ada", "last_name": "Lovelace",
		"mobile": "+436601234567", "language": "de-AT", "country": "AT", "tags": []any{"vip", "@Gold"}, "fields": map[string]any{"visits": 3.0, "since": "2020"},
		"settings": map[string]any{"mail": map[string]any{"rank": true}}}
	less := map[string]any{"name": "Ada L.", "username": "ada", "email": "Ada@Example.org", "external_id": "crm 1", "first_name": "Ada", "last_name": "Lovelace",
		"mobile": "+436601234567", "language": "de-AT", "country": "AT", "fields": map[string]any{"visits": 4.0}, "settings": map[string]any{"mail": map[string]any{"rank": true}, "push": false}}
	created := ""
	for _, step := range []struct {
		method, body string
		want         any
	}{
		{"PUT", wholeProfile, all}, {"PATCH", `{}`, all},
		{"PATCH", `{"number":null,"tags":null,"fields":{"visits":4,"since":null},"settings":{"push":false}}`, less},
		{"PUT", `{"email":"b@example.org"}`, map[string]any{"email": "b@example.org"}},
		{"PUT", `{}`, nil},
	} {
		for _, r := range []reply{g.call(step.method, ada, step.body).wants(t, 200, ""), g.call("GET", ada, "").wants(t, 200, "")} {
			if diff := cmp.Diff(step.want, r.at("profile")); diff != "" {
				t.Errorf("%s %s (-want +got)\n%s", step.method, step.body, diff)
			}
			if at, _ := r.at("created_at").(string); at == "" || created != "" && at != created {
				t.Errorf("created at %q, then %q", created, at)
			} else {
				created = at
			}
		}
		g.setClock("2026-12-24T12:00:00Z")
	}
	g.call("POST", "/v1/activities", `{"user":"eve","name":"commit"}`)
	if r := g.call("GET", "/v1/users/eve", ""); r.at("created_at") != "2026-12-24T12:00:00.000Z" {
		t.Errorf("a user who began with an activity: %s", r.Body)
	}
}

func TestUsers_WholeProfileRefused(t *testing.T) {
	g := newRig(t)
	g.publishFields()
	g.call("PUT", "/v1/users/ada", wholeProfile).wants(t, 200, "")
	before := g.call("GET", "/v1/users/ada", "").Body.String()
	for body, field := range map[string]string{
		`{"number":0}`: "number", `{"number":"7"}`: "number", `{"username":"a b"}`: "username", `{"email":"ada"}`: "email", `{"external_id":"a\nb"}`: "external_id",
		`{"mobile":"1"}`: "mobile", `{"language":"?"}`: "language", `{"country":"Austria"}`: "country", `{"tags":[""]}`: "tags[0]", `{"tags":"a"}`: "tags",
		`{"fields":{"visits":"3"}}`: "fields.visits", `{"fields":{"other":1}}`: "fields.other", `{"settings":[]}`: "settings",
		`{"settings":{"a":"` + strings.Repeat("x", 4096) + `"}}`: "settings",
	} {
		if r := g.call("PATCH", "/v1/users/ada", body).wants(t, 400, "bad_request"); r.body["field"] != field {
			t.Errorf("%.60s: field %v, want %s", body, r.body["field"], field)
		}
	}
	if after := g.call("GET", "/v1/users/ada", "").Body.String(); after != before {
		t.Errorf("a refused change changed something: %s", after)
	}
}

// publishFields declares custom fields in the rig's org.
func (g *rig) publishFields() {
	g.t.Helper()
	r := g.call("GET", "/v1/catalog", "")
	text := strings.TrimSpace(r.Body.String())
	g.call("PUT", "/v1/catalog", strings.Replace(text, `"id":"git"`, `"id":"git","users":{"fields":{"visits":"integer","since":"string"}}`, 1), header("If-Match", "*")).wants(g.t, 200, "")
}

func TestUsers_FindByUniqueValues(t *testing.T) {
	g := newRig(t)
	g.call("PUT", "/v1/users/ada", `{"email":"Ada@X.org","username":"ada","number":7,"external_id":"crm/1"}`).wants(t, 200, "")
	for query, id := range map[string]any{"email=ada%40x.ORG": "ada", "username=ada": "ada", "number=7": "ada", "external_id=crm%2F1": "ada", "username=Ada": nil, "number=8": nil} {
		if r := g.call("GET", "/v1/users?"+query, ""); r.at("id") != id || r.Code != 200 && (r.Code != 404 || r.body["code"] != "user_not_found") {
			t.Errorf("%s: %d %s", query, r.Code, r.Body)
		}
	}
	for query, field := range map[string]string{"?limit=0": "limit", "?sort=age": "sort", "?blocked=yes": "blocked", "?fields.none=1": "fields.none", "?number=x": "number", "?email=": "email", "?email=a@x.org&username=a": "username"} {
		if r := g.call("GET", "/v1/users"+query, "").wants(t, 400, "bad_request"); r.body["field"] != field {
			t.Errorf("%s: %s", query, r.Body)
		}
	}
	for body, field := range map[string]string{`{"email":"ADA@x.org"}`: "email", `{"username":"ada"}`: "username", `{"number":7}`: "number", `{"external_id":"crm/1"}`: "external_id"} {
		if r := g.call("PUT", "/v1/users/bob", body).wants(t, 409, "taken"); r.body["field"] != field {
			t.Errorf("%s: %s", body, r.Body)
		}
	}
	g.call("GET", "/v1/users/bob", "").wants(t, 404, "user_not_found")
	g.call("DELETE", "/v1/users/ada", "").wants(t, 204, "")
	g.call("GET", "/v1/users?email=ada@x.org", "").wants(t, 404, "user_not_found")
	g.call("PUT", "/v1/users/bob", `{"email":"ADA@x.org"}`).wants(t, 200, "")
}
