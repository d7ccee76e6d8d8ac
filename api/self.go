package api

import (
	"net/http"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/auth"
)

func (a *API) selfRoutes() []route {
	return []route{
		{method: http.MethodGet, pattern: "/v1/self", browser: true, serve: a.getSelf, doc: docGetSelf()},
		{method: http.MethodGet, pattern: "/v1/metrics", scope: auth.KeysAdmin, serve: injected(a.NodeMetrics), doc: docGetMetrics()},
	}
}

// selfWire is what a key or a token is good for.
type selfWire struct {
	Kind      auth.Kind      `json:"kind" enum:"sk,pk,token"`
	Orgs      []activity.Org `json:"orgs" nullable:"false" doc:"Those that the header Laurel-Org may name; one that is alone need not be named"`
	Scopes    []auth.Scope   `json:"scopes" nullable:"false" doc:"Empty for signed tokens, which read boards and their own user"`
	User      activity.User  `json:"user,omitempty" doc:"Whose own data a signed token reads"`
	ExpiresAt *string        `json:"expires_at,omitempty" format:"date-time"`
}

// getSelf tells who holds a key what it is good for. It has no scope, because a key for several orgs has to ask before it can name one.
func (a *API) getSelf(w http.ResponseWriter, r *request) error {
	w.Header()["Cache-Control"] = a.always.cache
	if a.Ready != nil && !a.Ready() {
		return &fault{code: "loading", detail: "This node is reading definitions and keys anew."}
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return auth.ErrUnauthorized
	}
	identity, err := a.Keys.Authenticate(token, r.Header.Get("Origin"))
	if err != nil {
		return err
	}
	self := selfWire{Kind: identity.Kind, Orgs: identity.Orgs, Scopes: identity.Scopes, User: identity.User, ExpiresAt: stamp(identity.ExpiresAt)}
	if self.Scopes == nil {
		self.Scopes = []auth.Scope{}
	}
	return writeJSON(w, http.StatusOK, self)
}

func docGetSelf() operation {
	return operation{id: "getSelf", tag: "keys", summary: "Read what the key is good for",
		description: "For pages that are given a key: its kind, its orgs and its scopes. It works with any key or signed token, and needs no Laurel-Org.",
		responses:   []response{ok("The key", selfWire{}, `{"kind":"sk","orgs":["shop"],"scopes":["boards:read","users:read"]}`)},
		errors:      []string{"unauthorized", "forbidden", "loading"}}
}

func docGetMetrics() operation {
	return operation{id: "getMetrics", tag: "keys", summary: "Read the metrics of this node",
		description: "Prometheus text, as /metrics of the admin listener: of the whole node, not of the org. For the console, and for scrapers that only reach the public listener.",
		responses:   []response{{status: http.StatusOK, description: "Metrics", content: &content{of: "", types: []string{"text/plain"}}}}, errors: []string{"not_found"}}
}
