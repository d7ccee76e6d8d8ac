package api

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLeaderboards_SegmentsAndProfiles(t *testing.T) {
	g := newRig(t)
	shop := func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+g.both)
		r.Header.Set("Laurel-Org", "shop")
	}
	g.call("PUT", "/v1/users/ada", `{"name":"Ada L.","attributes":{"country":"AT"}}`, shop).wants(t, 200, "")
	g.call("PUT", "/v1/users/bob", `{"attributes":{"country":"DE"}}`, shop).wants(t, 200, "")
	sent := g.call("POST", "/v1/activities", `{"user":"ada","name":"order","value":5}`, shop).wants(t, 201, "")
	if sent.at("effects.boards.0.segment") != nil || sent.at("effects.boards.1.segment") != "AT" || sent.at("effects.boards.1.rule") != "spent" ||
		sent.at("effects.boards.1.rank") != 1.0 {
		t.Errorf("effects: %s", sent.Body)
	}
	g.call("POST", "/v1/activities", `{"user":"bob","name":"order","value":7}`, shop).wants(t, 201, "")

	const board = "/v1/leaderboards/spent/month"
	list := g.call("GET", "/v1/leaderboards", "", shop).wants(t, 200, "")
	if diff := cmp.Diff([]any{"user.country", []any{"AT", "DE"}}, []any{list.at("leaderboards.0.segment_by"), list.at("leaderboards.0.segments")}); diff != "" {
		t.Error(diff)
	}
	for target, want := range map[string][]any{
		"?segment=AT":                {"AT", 1.0, "ada", nil},
		"?segment=AT&fields=profile": {"AT", 1.0, "ada", map[string]any{"name": "Ada L."}},
		"?fields=profile&limit=1":    {nil, 2.0, "bob", nil},
		"?segment=FR":                {"FR", 0.0, nil, nil},
	} {
		r := g.call("GET", board+target, "", shop).wants(t, 200, "")
		if diff := cmp.Diff(want, []any{r.at("segment"), r.at("total"), r.at("rows.0.user"), r.at("rows.0.profile")}); diff != "" {
			t.Errorf("%s\n%s", target, diff)
		}
	}
	rank := g.call("GET", board+"/users/ada?segment=AT&fields=profile&around=1", "", shop).wants(t, 200, "")
	if rank.at("segment") != "AT" || rank.at("profile.name") != "Ada L." || rank.at("around.0.profile.name") != "Ada L." {
		t.Errorf("rank: %s", rank.Body)
	}
	g.call("GET", board+"/users/ada?segment=DE", "", shop).wants(t, 404, "not_ranked")
	ranks := g.call("POST", board+"/ranks?segment=AT&fields=profile", `{"users":["ada","bob"]}`, shop).wants(t, 200, "")
	if ranks.at("segment") != "AT" || ranks.at("rows.0.profile.name") != "Ada L." || ranks.at("missing.0") != "bob" {
		t.Errorf("ranks: %s", ranks.Body)
	}
	several := g.call("POST", "/v1/leaderboards/query", `{"boards":[{"rule":"spent","period":"month","segment":"AT","fields":["profile"],"user":"ada"},`+
		`{"rule":"spent","period":"month","segment":"DE"},{"rule":"spent","period":"month","segment":""},{"rule":"spent","period":"month","fields":["age"]}]}`,
		shop).wants(t, 200, "")
	if diff := cmp.Diff([]any{"Ada L.", "AT", "bob", nil, "segment", "fields"}, []any{several.at("boards.0.user.profile.name"), several.at("boards.0.segment"),
		several.at("boards.1.rows.0.user"), several.at("boards.1.rows.0.profile"), several.at("boards.2.error.field"), several.at("boards.3.error.field")}); diff != "" {
		t.Errorf("several\n%s\n%s", diff, several.Body)
	}
	if n := g.call("GET", board+"/count?segment=AT", "", shop).wants(t, 200, ""); n.at("count") != 1.0 {
		t.Errorf("count: %s", n.Body)
	}
	own := g.call("GET", "/v1/users/ada/ranks", "", shop).wants(t, 200, "")
	if own.at("ranks.0.segment") != nil || own.at("ranks.1.segment") != "AT" || own.at("ranks.1.rank") != 1.0 {
		t.Errorf("own ranks: %s", own.Body)
	}
}

// A changed name is another answer: If-None-Match does not hide it.
func TestLeaderboards_ProfileChangesTheTag(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now))
	const board = "/v1/leaderboards/commits/week?fields=profile"
	tag := header("If-None-Match", g.call("GET", board, "").wants(t, 200, "").Header().Get("ETag"))
	g.call("PATCH", "/v1/users/ada", `{"name":"Ada"}`).wants(t, 200, "")
	if r := g.call("GET", board, "", tag); r.Code != 200 || r.at("rows.0.profile.name") != "Ada" {
		t.Errorf("%d %s", r.Code, r.Body)
	}
}

func TestLeaderboards_ShowRefused(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now))
	for query, field := range map[string]string{
		"?segment=AT": "segment", "?segment=": "segment", "?fields=": "fields", "?fields=age": "fields", "?fields=profile,age": "fields", "?fields=Profile": "fields",
	} {
		for _, path := range []string{"", "/users/ada", "/ranks"} {
			method, body := "GET", ""
			if path == "/ranks" {
				method, body = "POST", `{"users":["ada"]}`
			}
			if r := g.call(method, "/v1/leaderboards/commits/week"+path+query, body).wants(t, 400, "bad_request"); r.body["field"] != field {
				t.Errorf("%s%s: field %v, want %s", path, query, r.body["field"], field)
			}
		}
	}
}
