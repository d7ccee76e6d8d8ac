package api

import (
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSelf(t *testing.T) {
	g := newRig(t)
	g.call("GET", "/v1/self", "", header("Authorization", "")).wants(t, 401, "unauthorized")
	g.call("GET", "/v1/self", "", header("Authorization", "Bearer sk_wrong")).wants(t, 401, "unauthorized")
	both := g.call("GET", "/v1/self", "", header("Authorization", "Bearer "+g.both)).wants(t, 200, "")
	if diff := cmp.Diff([]any{"sk", []any{"empty", "shop"}}, []any{both.at("kind"), both.at("orgs")}); diff != "" {
		t.Error(diff)
	}
	const site = "https://shop.example"
	made := g.call("POST", "/v1/keys", `{"name":"page","kind":"pk","scopes":["boards:read"],"origins":["`+site+`"]}`).wants(t, 201, "")
	key := header("Authorization", "Bearer "+made.at("key").(string))
	page := g.call("GET", "/v1/self", "", key, header("Origin", site)).wants(t, 200, "")
	if page.at("kind") != "pk" || page.Header().Get("Access-Control-Allow-Origin") != site {
		t.Errorf("a page's key: %v %v", page.at("kind"), page.Header())
	}
	g.call("GET", "/v1/self", "", key, header("Origin", "https://evil.example")).wants(t, 403, "forbidden")
	token := g.call("POST", "/v1/tokens", `{"user":"ada"}`).wants(t, 201, "").at("token").(string)
	if signed := g.call("GET", "/v1/self", "", header("Authorization", "Bearer "+token)).wants(t, 200, ""); signed.at("user") != "ada" {
		t.Errorf("whose token: %v", signed.at("user"))
	}
}

func TestMetrics_AreForAdministrators(t *testing.T) {
	g := newRig(t, func(o *Options) {
		o.NodeMetrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "laurel_ws_connections 1\n") })
	})
	g.call("GET", "/v1/metrics", "").wants(t, 200, "")
	reader := g.call("POST", "/v1/keys", `{"name":"reader","kind":"sk","scopes":["boards:read","users:read"]}`).wants(t, 201, "")
	g.call("GET", "/v1/metrics", "", header("Authorization", "Bearer "+reader.at("key").(string))).wants(t, 403, "forbidden")
}

type pages struct{}

func (pages) ServePage(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/live/commits/week" {
		return false
	}
	_, _ = io.WriteString(w, "live")
	return true
}

func TestPages_WhatIsNotThereIsAProblem(t *testing.T) {
	g := newRig(t, func(o *Options) { o.Pages = pages{} })
	g.call("GET", "/live/commits/week", "").wants(t, 200, "")
	g.call("GET", "/ui/none.js", "").wants(t, 404, "not_found")
	g.call("POST", "/console", "").wants(t, 405, "method_not_allowed")
	newRig(t).call("GET", "/console", "").wants(t, 404, "not_found")
}

func TestOpenAPI_NeedsNoServer(t *testing.T) {
	g := newRig(t)
	doc, err := OpenAPI(g.api.Version)
	must(t, err)
	if diff := cmp.Diff(string(g.api.openapi), string(doc)); diff != "" {
		t.Error(diff)
	}
}
