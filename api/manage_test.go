package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestCatalog(t *testing.T) {
	g := newRig(t)
	got := g.call("GET", "/v1/catalog", "").wants(t, 200, "")
	tag, source := got.Header().Get("ETag"), got.Body.String()
	if tag == "" || got.at("id") != "git" {
		t.Fatalf("catalog is %s with tag %s", source, tag)
	}
	if same := g.call("GET", "/v1/catalog", "", header("If-None-Match", tag)); same.Code != 304 {
		t.Errorf("the same catalog again: %d", same.Code)
	}
	match := header("If-Match", tag)
	changed := strings.Replace(source, `"lines"`, `"added"`, 1)
	g.call("PUT", "/v1/catalog", changed).wants(t, 428, "precondition_required")
	for _, stale := range []string{`"AAAAAAAAAAA"`, "W/" + tag, strings.Trim(tag, `"`), `""`} {
		g.call("PUT", "/v1/catalog", changed, header("If-Match", stale)).wants(t, 412, "version_mismatch")
	}
	put := g.call("PUT", "/v1/catalog", changed, match).wants(t, 200, "")
	if put.Header().Get("ETag") == tag || put.Body.String() == source {
		t.Error("nothing changed")
	}
	g.call("GET", "/v1/leaderboards/added/week", "").wants(t, 200, "")
	g.call("PUT", "/v1/catalog", changed, match).wants(t, 412, "version_mismatch")
	g.call("PUT", "/v1/catalog", "id: git\nrules: []\n", header("If-Match", "*"), header("Content-Type", "application/yaml")).wants(t, 200, "")
}

func TestCatalog_Refused(t *testing.T) {
	g := newRig(t)
	match := header("If-Match", "*")
	r := g.call("PUT", "/v1/catalog", "{\n\"id\":\"git\",\n\"rules\":[{\"id\":\"x\",\"value\":7,\"cycles\":[\"dya\"]}]}", match).wants(t, 422, "bad_catalog")
	if r.at("errors.0.detail") == nil || r.at("errors.0.line") == nil {
		t.Errorf("faults are not listed: %s", r.Body)
	}
	g.call("PUT", "/v1/catalog", "", match).wants(t, 422, "bad_catalog")
	g.call("PUT", "/v1/catalog", `{"id":"shop"}`, match).wants(t, 422, "bad_catalog")
	g.call("PUT", "/v1/catalog", `{}`, match, header("Content-Type", "text/plain")).wants(t, 415, "unsupported_media_type")
	g.call("GET", "/v1/catalog", "", header("Authorization", "Bearer "+g.both), header("Laurel-Org", "empty")).wants(t, 404, "org_not_found")
	g.call("GET", "/v1/catalog/schema", "", header("Authorization", "")).wants(t, 200, "")
}

func TestKeys(t *testing.T) {
	g := newRig(t)
	made := g.call("POST", "/v1/keys", `{"name":"reader","kind":"sk","scopes":["boards:read","Get User Data"],"expires_at":"2027-01-01T00:00:00Z"}`).wants(t, 201, "")
	key := made.at("key").(string)
	if !strings.HasPrefix(key, "sk_") || made.at("expires_at") != "2027-01-01T00:00:00.000Z" || made.at("scopes.1") != "users:read" {
		t.Errorf("answer is %s", made.Body)
	}
	with := header("Authorization", "Bearer "+key)
	g.call("GET", "/v1/leaderboards", "", with).wants(t, 200, "")
	g.call("POST", "/v1/activities", "[]", with).wants(t, 403, "forbidden")
	g.call("GET", "/v1/keys", "", with).wants(t, 403, "forbidden")

	list := g.call("GET", "/v1/keys", "").wants(t, 200, "")
	if strings.Contains(list.Body.String(), key) || len(list.at("keys").([]any)) != 2 {
		t.Errorf("list is %s", list.Body)
	}
	path := "/v1/keys/" + made.at("id").(string)
	if one := g.call("GET", path, "").wants(t, 200, ""); one.at("key") != nil {
		t.Error("the key is shown a second time")
	}
	shop := []func(*http.Request){header("Authorization", "Bearer "+g.both), header("Laurel-Org", "shop")}
	g.call("DELETE", path, "", shop...).wants(t, 404, "key_not_found")
	for range 2 {
		if r := g.call("DELETE", path, ""); r.Code != 204 {
			t.Errorf("revoke: %d", r.Code)
		}
	}
	g.call("GET", "/v1/leaderboards", "", with).wants(t, 401, "unauthorized")
	g.call("GET", "/v1/keys/none", "").wants(t, 404, "key_not_found")

	for body, field := range map[string]string{`{"kind":"sk","scopes":["boards:read"]}`: "name", `{"name":"x","kind":"sk","scopes":["root"]}`: "scopes[0]",
		`{"name":"x","kind":"pk","scopes":["boards:read"]}`:                                     "origins",
		`{"name":"x","kind":"pk","scopes":["users:read"],"origins":["https://a.example"]}`:      "scopes[0]",
		`{"name":"x","kind":"sk","scopes":["boards:read"],"expires_at":"2020-01-01T00:00:00Z"}`: "expires_at",
		`{"name":"x","kind":"sk","scopes":["boards:read"],"expires_at":"soon"}`:                 "expires_at"} {
		if r := g.call("POST", "/v1/keys", body).wants(t, 400, "bad_request"); r.at("field") != field {
			t.Errorf("%s: field %v", body, r.at("field"))
		}
	}
}
