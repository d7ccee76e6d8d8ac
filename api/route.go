package api

import (
	"net/http"
	"slices"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/auth"
)

// request is an authenticated request. For routes without a scope, identity is nil and org empty.
type request struct {
	*http.Request
	id       string
	identity *auth.Identity
	org      activity.Org
	at       place // of hot routes
}

// query is the parameters of the URL.
func (r *request) query() parameters { return parameters(r.URL.RawQuery) }

// route is one line of the route table: what is served, who may ask, and how it is described.
type route struct {
	method  string
	pattern string     // of http.ServeMux: matched on the escaped path, so %2F in an id is no separator
	scope   auth.Scope // "": no key needed
	orScope auth.Scope // a key with this one may ask too; "": none
	// browser routes answer publishable keys and cross-origin pages: those that only read boards.
	browser bool
	// own routes answer signed tokens that name the user of the path, and so cross-origin pages too.
	own bool
	// lasting routes answer 200 for as long as the client stays, which is no time that an answer took.
	lasting bool
	// keyInURL routes take a key that is good for them alone as the parameter key.
	keyInURL bool
	face     *face // of a vendor-shaped door; nil: the native API's
	serve    func(http.ResponseWriter, *request) error
	doc      operation
}

// forPages says whether pages of other origins may read the answer.
func (rt route) forPages() bool { return rt.browser || rt.own }

// table is every route of the public listener.
func (a *API) table() []route {
	return slices.Concat(
		a.activityRoutes(),
		a.importRoutes(),
		a.boardRoutes(),
		a.eventRoutes(),
		a.userRoutes(),
		a.userImportRoutes(),
		a.streakRoutes(),
		a.earnedRoutes(),
		a.grantRoutes(),
		a.groupRoutes(),
		a.streakPastRoutes(),
		a.userPauseRoutes(),
		a.moderationRoutes(),
		a.pauseRoutes(),
		a.catalogRoutes(),
		a.definitionRoutes(),
		a.keyRoutes(),
		a.tokenRoutes(),
		a.webhookRoutes(),
		a.selfRoutes(),
		a.doorRoutes(),
		a.pageRoutes(),
	)
}

// newMux registers every route, and under every path the answer for methods that it lacks: http.ServeMux's own is plain text.
func (a *API) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	byPath := map[string][]route{}
	for _, rt := range a.routes {
		mux.Handle(rt.method+" "+rt.pattern, a.wrap(rt))
		byPath[rt.pattern] = append(byPath[rt.pattern], rt)
	}
	// A path that a pattern with a wildcard has too, as /v1/streaks/preview and /v1/streaks/{id}, is answered for by that one: http.ServeMux takes no pair of
	// patterns of which one has more methods and the other more paths.
	answering := map[string]map[string]route{}
	for pattern, routes := range byPath {
		if over := covering(pattern, byPath); over != "" {
			if answering[over] == nil {
				answering[over] = map[string]route{}
			}
			answering[over][pattern] = a.otherMethods(pattern, slices.Concat(routes, byPath[over]))
		}
	}
	for pattern, routes := range byPath {
		if covering(pattern, byPath) == "" {
			mux.Handle(pattern, a.wrap(besides(a.otherMethods(pattern, routes), answering[pattern])))
		}
	}
	mux.Handle("/", a.nowhere)
	return mux
}

// covering is the pattern that has all paths of a pattern and more, "" if there is none.
func covering(pattern string, all map[string][]route) string {
	segments := strings.Split(pattern, "/")
	for other := range all {
		wider := slices.EqualFunc(segments, strings.Split(other, "/"), func(a, b string) bool { return a == b || strings.HasPrefix(b, "{") && b != "{$}" && a != "" })
		if wider && other != pattern {
			return other
		}
	}
	return ""
}

// besides is a route that leaves some paths to others.
func besides(rt route, others map[string]route) route {
	if len(others) == 0 {
		return rt
	}
	serve := rt.serve
	rt.serve = func(w http.ResponseWriter, r *request) error {
		if other, ok := others[r.URL.Path]; ok {
			return other.serve(w, r)
		}
		return serve(w, r)
	}
	return rt
}

func unmatched() route {
	return route{pattern: "unmatched", serve: func(http.ResponseWriter, *request) error {
		return &fault{code: "not_found", detail: "There is no such route; GET /openapi.json lists them all."}
	}}
}

// literal makes http.ServeMux take a path as it stands. It would redirect one with an empty, "." or ".." segment to where a file system would
// lead, so that a client that left an id out, or whose user is named "..", would ask about something else. Dots are ids like any others;
// no route has an empty segment, so for such a path found is false.
func literal(r *http.Request) (_ *http.Request, found bool) {
	if !strings.Contains(r.URL.Path, "//") && !strings.Contains(r.URL.Path, "/.") { // in the decoded path: at least where the escaped one has them
		return r, true
	}
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for i, s := range segments {
		switch {
		case s == "" && 0 < i && i < len(segments)-1: // the path begins with a slash, and may end with one
			return r, false
		case s == "." || s == "..":
			segments[i] = strings.ReplaceAll(s, ".", "%2E")
		}
	}
	as := *r.URL
	as.RawPath = strings.Join(segments, "/")
	same := *r
	same.URL = &as
	return &same, true
}

// otherMethods answers OPTIONS, preflights among them, and refuses every other method that the path does not have.
func (a *API) otherMethods(pattern string, routes []route) route {
	allow := []string{http.MethodOptions}
	for _, rt := range routes {
		allow = append(allow, rt.method)
		if rt.method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	methods := strings.Join(allow, ", ")
	browser := slices.ContainsFunc(routes, route.forPages)
	return route{pattern: pattern, browser: browser, face: routes[0].face, serve: func(w http.ResponseWriter, r *request) error {
		w.Header().Set("Allow", methods)
		if r.Method != http.MethodOptions {
			return &fault{code: "method_not_allowed", detail: "This path allows " + methods + "."}
		}
		if browser && w.Header().Get("Access-Control-Allow-Origin") != "" {
			preflight(w.Header(), routes)
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}}
}
