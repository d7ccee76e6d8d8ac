package api

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"

	"laurel/docs"
)

// pageRoutes are the routes that no key is asked for here.
func (a *API) pageRoutes() []route {
	file := func(pattern, id, summary, description, media string) route {
		return route{method: http.MethodGet, pattern: pattern, serve: a.getPage, doc: operation{id: id, tag: "live", summary: summary, description: description,
			responses: []response{{status: http.StatusOK, description: "The file", content: &content{of: "", types: []string{media}}}}, errors: []string{"not_found"}}}
	}
	return []route{
		file("/console", "getConsole", "Open the console", "A page for people who run an org. It asks for a key.", mediaHTML),
		file("/console/{path...}", "getConsolePage", "Open a page of the console", "", mediaHTML),
		file("/live", "getLive", "Choose a live board", "", mediaHTML),
		file("/live/{rule}/{period}", "getLiveBoard", "Watch a board live, full page", "The key goes behind # in the address, which browsers send to nobody: #key=pk_…", mediaHTML),
		file("/ui/{path...}", "getUIFile", "Read a script or a style of these pages", "Its name changes with its content.", "*/*"),
		file("/widgets/{version}/{file}", "getWidget", "Read the script of a widget", "Any page may load it. v1 is the version of what pages write: attributes, properties, events.", "text/javascript"),
		{method: http.MethodGet, pattern: "/v1/ws", serve: injected(a.WebSocket), doc: operation{id: "openSocket", tag: "live",
			summary: "Open a live connection", description: "WebSocket, subprotocol laurel.v1. The key or signed token comes in the hello message or as Authorization.",
			query:     []param{{name: "token", description: "A signed token, never a key, for clients that cannot set a header or wait for hello", schema: text()}},
			responses: []response{{status: http.StatusSwitchingProtocols, description: "The connection is a WebSocket now"}}, errors: []string{"unauthorized", "not_found"}}},
		{method: http.MethodGet, pattern: "/v1/stream", browser: true, lasting: true, serve: injected(a.Streams), doc: docStream()},
		{method: http.MethodGet, pattern: "/openapi.json", serve: a.getOpenAPI, doc: operation{id: "getOpenAPI", tag: "live",
			summary: "Read this document", responses: []response{ok("OpenAPI 3.1", catalogDoc{}, "")}}},
		{method: http.MethodGet, pattern: "/asyncapi.yaml", serve: a.getAsyncAPI, doc: operation{id: "getAsyncAPI", tag: "live",
			summary: "Read the description of live views", description: "The messages of /v1/ws and /v1/stream: AsyncAPI 3.0.",
			responses: []response{{status: http.StatusOK, description: "AsyncAPI 3.0", content: &content{of: "", types: []string{mediaYAML}}}}}},
		{method: http.MethodGet, pattern: "/docs", serve: a.getDocs, doc: operation{id: "getDocs", tag: "live",
			summary: "Read this document as a page", responses: []response{page()}}},
		{method: http.MethodGet, pattern: "/{$}", serve: injected(a.Home), doc: operation{id: "getHome", tag: "live",
			summary: "Watch a board live", responses: []response{page()}, errors: []string{"not_found"}}},
	}
}

func page() response {
	return response{status: http.StatusOK, description: "HTML", content: &content{of: "", types: []string{mediaHTML}}}
}

const mediaHTML = "text/html"

// Pages are the pages and scripts that are built apart from the API (web.UI).
type Pages interface {
	// ServePage answers a request for one of them; false: there is none at that path, and nothing was written.
	ServePage(w http.ResponseWriter, r *http.Request) bool
}

func (a *API) getPage(w http.ResponseWriter, r *request) error {
	if a.Pages == nil || !a.Pages.ServePage(w, r.Request) {
		return &fault{code: "not_found"}
	}
	return nil
}

// injected serves another package's handler.
func injected(h http.Handler) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		if h == nil {
			return &fault{code: "not_found"}
		}
		h.ServeHTTP(w, r.Request)
		return nil
	}
}

func (a *API) getOpenAPI(w http.ResponseWriter, _ *request) error {
	w.Header().Set("Access-Control-Allow-Origin", "*") // it holds no secret, and editors on other sites read it
	return writeBytes(w, http.StatusOK, a.openapi)
}

const mediaYAML = "application/yaml"

func (a *API) getAsyncAPI(w http.ResponseWriter, _ *request) error {
	w.Header().Set("Access-Control-Allow-Origin", "*") // as openapi.json
	w.Header().Set("Content-Type", mediaYAML)
	return writeBytes(w, http.StatusOK, docs.AsyncAPI)
}

//go:embed docs.html
var docsHTML string

// docsPage is the page at /docs and the policy that lets nothing but itself run there.
type docsPage struct{ html, policy string }

func newDocsPage() docsPage {
	return docsPage{html: docsHTML, policy: "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'" +
		"; script-src " + hashSource(docsHTML, "<script>", "</script>") + "; style-src " + hashSource(docsHTML, "<style>", "</style>")}
}

// hashSource is the content-security-policy source of the one element between the tags.
func hashSource(html, open, end string) string {
	_, after, _ := strings.Cut(html, open)
	inner, _, _ := strings.Cut(after, end)
	sum := sha256.Sum256([]byte(inner))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (a *API) getDocs(w http.ResponseWriter, _ *request) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", a.docs.policy)
	h.Set("Referrer-Policy", "no-referrer")
	return writeBytes(w, http.StatusOK, []byte(a.docs.html))
}
