package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLeaderboards(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now), commit("2", "ada", now), commit("1", "bob", "2026-11-21T10:00:00Z"), commit("1", "org/eve", "2026-11-21T11:00:00Z"),
		commit("0", "bob", "2026-11-12T10:00:00Z"))

	list := g.call("GET", "/v1/leaderboards", "").wants(t, 200, "")
	if list.at("leaderboards.0.rule") != "commits" || list.at("leaderboards.0.cycles.1.period.label") != "2026-W47" {
		t.Errorf("list is %s", list.Body)
	}
	r := g.call("GET", "/v1/leaderboards/commits/week?limit=2", "").wants(t, 200, "")
	users := func(r reply) (out []any) {
		for _, row := range r.at("rows").([]any) {
			out = append(out, row.(map[string]any)["user"])
		}
		return out
	}
	if diff := cmp.Diff([]any{"ada", "bob"}, users(r)); diff != "" || r.at("total") != 3.0 || r.at("rows.1.previous_rank") != 1.0 {
		t.Errorf("board is %s", r.Body)
	}
	next := g.call("GET", "/v1/leaderboards/commits/2026-W47?cursor="+r.at("next").(string), "").wants(t, 200, "")
	if diff := cmp.Diff([]any{"org/eve"}, users(next)); diff != "" || next.at("next") != nil {
		t.Errorf("second page is %s", next.Body)
	}
	tag := r.Header().Get("ETag")
	if same := g.call("GET", "/v1/leaderboards/commits/week?limit=2", "", header("If-None-Match", `"x", `+tag)); same.Code != 304 || same.Body.Len() > 0 {
		t.Errorf("the same board again: %d", same.Code)
	}

	rank := g.call("GET", "/v1/leaderboards/commits/week/users/org%2Feve?around=1", "").wants(t, 200, "")
	if rank.at("rank") != 3.0 || len(rank.at("around").([]any)) != 2 || rank.at("percentile") != 0.0 {
		t.Errorf("rank is %s", rank.Body)
	}
	ranks := g.call("POST", "/v1/leaderboards/commits/week/ranks", `{"users":["nobody","bob","org/eve"],"relative":true}`).wants(t, 200, "")
	if diff := cmp.Diff([]any{"bob", "org/eve"}, users(ranks)); diff != "" || ranks.at("missing.0") != "nobody" || ranks.at("rows.0.rank") != 1.0 {
		t.Errorf("ranks are %s", ranks.Body)
	}
}

func TestLeaderboards_Refused(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", now))
	const board = "/v1/leaderboards/commits/"
	cases := []struct {
		target string
		status int
		code   string
		field  any
	}{
		{"/v1/leaderboards/none/week", 404, "rule_not_found", nil},
		{board + "2026-W54", 400, "bad_period", nil},
		{board + "2026-02-30", 400, "bad_period", nil},
		{board + "month", 400, "bad_period", nil},
		{"/v1/leaderboards/lines/2020-W01", 410, "period_gone", nil},
		{board + "week?limit=0", 400, "bad_request", "limit"},
		{board + "week?limit=1001", 400, "bad_request", "limit"},
		{board + "week?limit=x", 400, "bad_request", "limit"},
		{board + "week?limit=", 400, "bad_request", "limit"},
		{board + "week?offset=-1", 400, "bad_request", "offset"},
		{board + "week?offset=99999999999", 400, "bad_request", "offset"},
		{board + "week?offset=1&cursor=x", 400, "bad_request", "cursor"},
		{board + "week?cursor=x", 400, "bad_cursor", nil},
		{board + "week?min_revision=x", 400, "bad_revision", nil},
		{board + "week/users/nobody", 404, "user_not_found", nil},
		{board + "2026-11-20/users/ada", 404, "not_ranked", nil},
		{board + "week/users/ada?around=501", 400, "bad_request", "around"},
	}
	for _, c := range cases {
		t.Run(c.target, func(t *testing.T) {
			if r := g.call("GET", c.target, "").wants(t, c.status, c.code); r.body["field"] != c.field {
				t.Errorf("field is %v, want %v", r.body["field"], c.field)
			}
		})
	}
	if r := g.call("GET", board+"2027-W01", "").wants(t, 200, ""); len(r.at("rows").([]any)) != 0 {
		t.Errorf("a future label: %s", r.Body)
	}
	for body, code := range map[string]string{`{"users":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 1001), ",") + `]}`: "bad_request",
		`{}`: "bad_request", `{"users":[""]}`: "bad_request", `{"users":[1]}`: "bad_request", `{"users":"ada"}`: "bad_request",
		`{"users":[],"users":[]}`: "bad_json", `{"users":[],"all":true}`: "bad_json", `{"Users":[]}`: "bad_json", `{"users":[]} 1`: "bad_json"} {
		g.call("POST", board+"week/ranks", body).wants(t, 400, code)
	}
}

func TestLeaderboards_MinRevision(t *testing.T) {
	g := newRig(t)
	for i := range 3 {
		r := g.call("POST", "/v1/activities", commit(fmt.Sprint(i), "ada", now)).wants(t, 201, "")
		board := g.call("GET", "/v1/leaderboards/commits/week?min_revision="+r.at("revision").(string), "").wants(t, 200, "")
		if board.at("rows.0.score") != float64(i+1) {
			t.Errorf("a read after write %d sees %v", i, board.at("rows.0.score"))
		}
	}
	other := newRig(t).call("GET", "/v1/leaderboards/commits/week", "").at("revision").(string)
	g.call("GET", "/v1/leaderboards/commits/week?min_revision="+other, "").wants(t, 409, "epoch_changed")
}

func TestUsers(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", "2026-11-20T10:00:00Z"), commit("2", "ada", now))
	user := g.call("GET", "/v1/users/ada", "").wants(t, 200, "")
	if user.at("id") != "ada" || user.at("streaks.0.current") != 2.0 {
		t.Errorf("user is %s", user.Body)
	}
	g.call("GET", "/v1/users/ada/ranks", "").wants(t, 200, "")
	then := g.call("GET", "/v1/users/ada/streaks?at=2026-11-20T12:00:00%2B01:00", "").wants(t, 200, "")
	if then.at("streaks.0.current") != 1.0 {
		t.Errorf("streaks then: %s", then.Body)
	}
	page := g.call("GET", "/v1/users/ada/activities?limit=1", "").wants(t, 200, "")
	if page.at("activities.0.id") != "2" {
		t.Errorf("first page is %s", page.Body)
	}
	page = g.call("GET", "/v1/users/ada/activities?limit=1&before="+page.at("next").(string), "").wants(t, 200, "")
	if page.at("activities.0.id") != "1" || page.at("next") != nil {
		t.Errorf("second page is %s", page.Body)
	}
	for _, path := range []string{"", "/ranks", "/streaks", "/activities"} {
		g.call("GET", "/v1/users/nobody"+path, "").wants(t, 404, "user_not_found")
		g.call("GET", "/v1/users/%7F"+path, "").wants(t, 400, "bad_request")
	}
	g.call("GET", "/v1/users/ada/streaks?at=yesterday", "").wants(t, 400, "bad_request")
	g.call("GET", "/v1/users/ada/activities?before=1763719200000.1", "").wants(t, 400, "bad_cursor")
	g.call("GET", "/v1/users/ada/activities?limit=501", "").wants(t, 400, "bad_request")
}
