package api

import (
	"net/http"
	"strings"
)

// allowOrigin lets a page of a known origin read the answer. It does so before the key is looked at, because the page must also
// be able to read why it was refused; whether the key may be used from that origin is decided after.
func (a *API) allowOrigin(h http.Header, origin string) {
	h["Vary"] = a.always.vary
	if origin == "" || !a.Keys.KnowsOrigin(origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "ETag, Laurel-Stale, Retry-After, X-Request-Id")
}

// preflight answers a browser's question before it sends a request with a key.
func preflight(h http.Header, routes []route) {
	var methods []string
	for _, rt := range routes {
		if rt.forPages() {
			methods = append(methods, rt.method)
		}
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, Laurel-Org, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "600")
}
