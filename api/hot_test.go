package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever is asked for, the hot routes are those that the mux would find, with the same wildcards; and nothing else is found without it.
func TestHot_AgreesWithTheMux(t *testing.T) {
	const board = boardsPrefix + "{rule}/{period}"
	patterns := map[string]bool{"GET " + board: true, "GET " + board + "/users/{user}": true, "POST " + board + "/ranks": true}
	g := newRig(t)
	mux := g.api.mux
	var via string
	mark := func(name string) handler { return func(http.ResponseWriter, *http.Request, place) { via = name } }
	marked := hot{board: mark("GET " + board), rank: mark("GET " + board + "/users/{user}"), ranks: mark("POST " + board + "/ranks")}
	segment := rapid.OneOf(rapid.SampledFrom([]string{"", "v1", "leaderboards", "query", "count", "users", "ranks", ".", "..", "...", "a", "week", "week~1", "%2F", "%2e", "%41", "a%20b",
		"é", "%C3%A9", "a;b", "a+b", "a%00", "{$}", "%zz"}), rapid.StringMatching(`[a-z%.~ ]{0,4}`))
	for asked, want := range map[string]string{
		"GET /points/week": "GET " + board, "GET /query/ranks": "GET " + board, "GET /points/week/users/a%20b": "GET " + board + "/users/{user}",
		"POST /points/week~1/ranks": "POST " + board + "/ranks", "GET /points/week/": "", "GET /points/week/ranks": "", "GET /points/week/count": "", "POST /query": "",
		"GET /points/week/users/a%2Fb": "", "HEAD /points/week": "",
	} {
		method, path, _ := strings.Cut(asked, " ")
		u, err := url.ParseRequestURI("http://laurel/v1/leaderboards" + path)
		must(t, err)
		via = ""
		if h, at := marked.find(&http.Request{Method: method, URL: u}); h != nil {
			h(nil, nil, at)
		}
		if via != want {
			t.Errorf("%s is served by %q, want %q", asked, via, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		path := "/" + strings.Join(rapid.SliceOfN(segment, 0, 4).Draw(t, "path"), "/")
		switch rapid.IntRange(0, 3).Draw(t, "of a board") {
		case 0:
			path = "/v1/leaderboards" + path
		case 1:
			path = "/v1/leaderboards/points/week" + path
		case 2:
			path = "/v1/leaderboards/points/week/users" + path
		}
		u, err := url.ParseRequestURI("http://laurel" + path)
		if err != nil {
			return
		}
		r := &http.Request{Method: rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT"}).Draw(t, "method"), URL: u, Host: "laurel", Header: http.Header{}}
		asked, ok := literal(r)
		if !ok {
			return
		}
		h, at := marked.find(asked)
		_, pattern := mux.Handler(asked)
		if via = ""; h != nil {
			h(nil, nil, at)
		}
		want := ""
		if patterns[pattern] && asked.Method != http.MethodHead && asked.URL.RawPath == "" {
			want = pattern
		}
		if via != want {
			t.Fatalf("%s %s is served by %q, want %q (the mux: %q)", r.Method, path, via, want, pattern)
		}
		if h == nil {
			return
		}
		probe := http.NewServeMux()
		var values place
		probe.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) {
			values = place{r.PathValue("rule"), r.PathValue("period"), r.PathValue("user")}
		})
		probe.ServeHTTP(nil, asked)
		if diff := cmp.Diff(values, at, cmp.AllowUnexported(place{})); diff != "" {
			t.Fatalf("wildcards of %s (-mux +hot):\n%s", path, diff)
		}
	})
}
