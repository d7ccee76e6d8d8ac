package api

import (
	"net/http"
	"strings"
)

// hot are the handlers of the reads that most requests are. They are found without http.ServeMux, which takes a µs for what a look at a few slashes tells.
type hot struct{ board, rank, ranks, user handler }

// handler is a route as it is served, with what stands in the path where the mux has not read it.
type handler func(w http.ResponseWriter, r *http.Request, at place)

// place is the wildcards of a hot path.
type place struct{ rule, period, user string }

const (
	boardsPrefix = "/v1/leaderboards/"
	usersPrefix  = "/v1/users/"
)

// newHot picks the hot routes out of the table.
func (a *API) newHot() hot {
	find := func(method, pattern string) handler {
		for _, rt := range a.routes {
			if rt.method == method && rt.pattern == pattern {
				return a.serve(rt)
			}
		}
		panic("api: no route " + method + " " + pattern)
	}
	const board = boardsPrefix + "{rule}/{period}"
	return hot{board: find(http.MethodGet, board), rank: find(http.MethodGet, board+"/users/{user}"), ranks: find(http.MethodPost, board+"/ranks"),
		user: find(http.MethodGet, usersPrefix+"{user}")}
}

// find is the route of a request if it is a hot one, nil otherwise: then the mux knows. Paths with an escape that matters are the mux's too; net/url keeps these
// apart, in RawPath.
func (h *hot) find(r *http.Request) (handler, place) {
	if r.URL.RawPath != "" {
		return nil, place{}
	}
	rest, ok := strings.CutPrefix(r.URL.Path, boardsPrefix)
	if !ok {
		return h.findUser(r)
	}
	var at place
	if at.rule, rest, ok = strings.Cut(rest, "/"); !ok || at.rule == "" {
		return nil, place{}
	}
	var more bool
	at.period, rest, more = strings.Cut(rest, "/")
	user, isUser := strings.CutPrefix(rest, "users/")
	switch {
	case at.period == "":
	case r.Method == http.MethodGet && !more:
		return h.board, at
	case r.Method == http.MethodGet && isUser && user != "" && strings.IndexByte(user, '/') < 0:
		at.user = user
		return h.rank, at
	case r.Method == http.MethodPost && rest == "ranks":
		return h.ranks, at
	}
	return nil, place{}
}

// findUser is the route of a user, nil if it is another one.
func (h *hot) findUser(r *http.Request) (handler, place) {
	user, ok := strings.CutPrefix(r.URL.Path, usersPrefix)
	if !ok || user == "" || strings.IndexByte(user, '/') >= 0 || r.Method != http.MethodGet {
		return nil, place{}
	}
	return h.user, place{user: user}
}

// PathValue is the wildcard of the path by its name, as http.Request's.
func (r *request) PathValue(name string) string {
	if r.at == (place{}) {
		return r.Request.PathValue(name)
	}
	switch name {
	case "rule":
		return r.at.rule
	case "period":
		return r.at.period
	case "user":
		return r.at.user
	}
	return ""
}
