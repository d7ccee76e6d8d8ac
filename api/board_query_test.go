package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"laurel/internal/auth"
)

// sendRow gives u0 one commit, u1 two, and so on.
func (g *rig) sendRow(users int) {
	for u := range users {
		var items []string
		for n := range u + 1 {
			items = append(items, commit(fmt.Sprint(n), fmt.Sprint("u", u), now))
		}
		g.send(items...)
	}
}

func TestBoardSelections(t *testing.T) {
	g := newRig(t)
	g.sendRow(10) // u9 has 10 and leads, u0 has 1
	const board = "/v1/leaderboards/commits/week"
	read := func(query string) string {
		r := g.call("GET", board+query, "").wants(t, 200, "")
		var b strings.Builder
		for _, row := range r.at("rows").([]any) {
			row := row.(map[string]any)
			fmt.Fprintf(&b, "%v %v %v;", row["rank"], row["user"], row["score"])
		}
		if r.at("count") != nil {
			fmt.Fprintf(&b, " count %v", r.at("count"))
		}
		if r.at("place") != nil {
			fmt.Fprintf(&b, " place %v %v %v %v", r.at("place.rank"), r.at("place.score"), r.at("place.user"), r.at("place.percentile"))
		}
		return b.String()
	}
	for query, want := range map[string]string{
		"?around_score=5&limit=3":       "6 u4 5;7 u3 4;8 u2 3; place 7 5 <nil> <nil>",
		"?around_score=-3&limit=2":      "10 u0 1; place 11 -3 <nil> <nil>",
		"?percentile=50&limit=1":        "5 u5 6; place 5 6 u5 55.56",
		"?percentile=100&limit=4":       "1 u9 10;2 u8 9; place 1 10 u9 100",
		"?top_percent=25":               "1 u9 10;2 u8 9;3 u7 8; count 3",
		"?min_score=3&max_score=4":      "7 u3 4;8 u2 3; count 2",
		"?max_score=2&limit=1&offset=1": "10 u0 1; count 2",
		"?min_score=9&max_score=1":      " count 0",
	} {
		if got := read(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	next := g.call("GET", board+"?top_percent=30&limit=2", "").at("next").(string)
	if got, want := read("?top_percent=30&limit=2&cursor="+next), "3 u7 8; count 3"; got != want {
		t.Errorf("second page of a part: %s, want %s", got, want)
	}
	g.call("GET", board+"?cursor="+next, "").wants(t, 400, "bad_cursor")
	if c := g.call("GET", board+"/count?min_score=3&max_score=7", "").wants(t, 200, ""); c.at("count") != 5.0 || c.at("total") != 10.0 {
		t.Errorf("count: %s", c.Body)
	}
	g.call("GET", "/v1/leaderboards/none/week/count", "").wants(t, 404, "rule_not_found")
	for target, field := range map[string]string{
		"?around_score=1&percentile=2":  "percentile",
		"?min_score=1&top_percent=2":    "top_percent",
		"?max_score=1&around_score=2":   "around_score",
		"?percentile=1&offset=2":        "offset",
		"?around_score=1&cursor=x":      "cursor",
		"?top_percent=5&cursor=&offset": "cursor",
		"?percentile=":                  "percentile",
		"?percentile=x":                 "percentile",
		"?top_percent=0":                "top_percent",
		"?around_score=1.5":             "around_score",
		"?min_score=1e2":                "min_score",
		"/count?max_score=":             "max_score",
		"/count?min_score=x":            "min_score",
	} {
		if r := g.call("GET", board+target, "").wants(t, 400, "bad_request"); r.body["field"] != field {
			t.Errorf("%s: field is %v, want %s", target, r.body["field"], field)
		}
	}
}

func TestQueryBoards(t *testing.T) {
	g := newRig(t)
	g.sendRow(10)
	r := g.call("POST", "/v1/leaderboards/query", `{"boards":[
		{"rule":"commits","period":"week","limit":2,"user":"u3","around":1},
		{"rule":"commits","period":"2026-W54"},
		{"rule":"lines","period":"week","top_percent":12.5},
		{"rule":"commits","period":"all","limit":0,"user":"nobody"},
		{"rule":"commits","period":"week","percentile":50,"min_score":1},
		{"rule":"commits","period":"week","limit":1001},
		{"rule":"commits","period":"week","around":2},
		{"rule":"commits","period":"week","cursor":"x"},
		{"rule":"commits","period":"day","around_score":4.50,"limit":2}]}`).wants(t, 200, "")
	for path, want := range map[string]any{
		"boards.0.total": 10.0, "boards.0.rows.1.user": "u8", "boards.0.user.rank": 7.0, "boards.0.user.around.0.user": "u4",
		"boards.1.error.code": "bad_period", "boards.2.count": 2.0, "boards.3.user": nil, "boards.3.total": 10.0,
		"boards.4.error.code": "bad_request", "boards.4.error.field": "percentile",
		"boards.5.error.field": "limit", "boards.6.error.field": "around", "boards.7.error.code": "bad_cursor",
		"boards.8.error.field": "around_score",
	} {
		if got := r.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if rev := r.at("revision"); rev == "" || rev != r.at("boards.0.revision") || rev != r.at("boards.2.revision") {
		t.Errorf("not under one revision: %s", r.Body)
	}
	if _, has := r.at("boards.3").(map[string]any)["user"]; !has {
		t.Error("a user without a place is not said to have none")
	}
	for body, code := range map[string]string{`{}`: "bad_request", `{"boards":[{"rule":1}]}`: "bad_request", `{"boards":[{"percentile":"5"}]}`: "bad_request",
		`{"boards":[{"rank":1}]}`: "bad_json", `{"boards":[` + strings.Repeat(`{},`, 50) + `{}]}`: "bad_request"} {
		g.call("POST", "/v1/leaderboards/query", body).wants(t, 400, code)
	}
	if none := g.call("POST", "/v1/leaderboards/query", `{"boards":[]}`).wants(t, 200, ""); len(none.at("boards").([]any)) != 0 {
		t.Errorf("no boards: %s", none.Body)
	}
}

// TestBoardReads_PublicKeys: whatever reads boards answers a page of a bound origin.
func TestBoardReads_PublicKeys(t *testing.T) {
	g := newRig(t)
	g.sendRow(2)
	_, token, err := g.api.Keys.Create(t.Context(), "git", auth.Spec{Name: "page", Kind: auth.Publishable, Scopes: []auth.Scope{auth.BoardsRead},
		Origins: []string{"https://shop.example"}})
	must(t, err)
	as := []func(r *http.Request){header("Authorization", "Bearer "+token), header("Origin", "https://shop.example")}
	for _, query := range []string{"?around_score=1", "?percentile=50", "?top_percent=5", "?min_score=1", "/count"} {
		g.call("GET", "/v1/leaderboards/commits/week"+query, "", as...).wants(t, 200, "")
	}
	r := g.call("POST", "/v1/leaderboards/query", `{"boards":[{"rule":"commits","period":"week","user":"u1"}]}`, as...).wants(t, 200, "")
	if r.Header().Get("Access-Control-Allow-Origin") != "https://shop.example" || r.at("boards.0.user.rank") != 1.0 {
		t.Errorf("a page is told %v %s", r.Header(), r.Body)
	}
	g.call("GET", "/v1/users/u1/ranks", "", as...).wants(t, 403, "forbidden")
}
