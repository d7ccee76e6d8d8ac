package api

import "testing"

func TestHideAndBlock(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", "2026-11-20T12:00:00Z"), commit("2", "bob", "2026-11-20T13:00:00Z"))
	const rank = "/v1/leaderboards/commits/week/users/"
	g.call("GET", rank+"bob", "").wants(t, 200, "")
	for range 2 {
		if r := g.call("POST", "/v1/users/ada/hide", "").wants(t, 200, ""); r.at("hidden") != true || r.at("blocked") != nil || len(r.at("ranks").([]any)) != 0 {
			t.Errorf("hidden: %s", r.Body)
		}
	}
	g.call("GET", rank+"ada", "").wants(t, 404, "not_ranked")
	if r := g.call("GET", rank+"bob", "").wants(t, 200, ""); r.at("rank") != 1.0 || r.at("total") != 1.0 {
		t.Errorf("bob: %s", r.Body)
	}
	g.send(commit("3", "ada", "2026-11-20T14:00:00Z"))
	if r := g.call("POST", "/v1/users/ada/unhide", "").wants(t, 200, ""); r.at("hidden") != nil || len(r.at("ranks").([]any)) != 5 {
		t.Errorf("shown again: %s", r.Body)
	}
	if r := g.call("GET", rank+"ada", "").wants(t, 200, ""); r.at("rank") != 1.0 || r.at("score") != 2.0 {
		t.Errorf("ada: %s", r.Body)
	}

	if r := g.call("POST", "/v1/users/ada/block", "").wants(t, 200, ""); r.at("blocked") != true {
		t.Errorf("blocked: %s", r.Body)
	}
	if r := g.call("POST", "/v1/activities", "["+commit("4", "ada", "2026-11-20T15:00:00Z")+"]").wants(t, 200, ""); r.at("ignored") != 1.0 {
		t.Errorf("a blocked user's activity: %s", r.Body)
	}
	g.call("POST", "/v1/users/ada/unblock", "").wants(t, 200, "")
	g.call("POST", "/v1/activities/ada/4/reject", "").wants(t, 200, "")
	if r := g.call("POST", "/v1/activities/ada/4/restore", "").wants(t, 200, ""); r.at("status") != "ignored" {
		t.Errorf("restored: %s", r.Body)
	}
	if r := g.call("GET", rank+"ada", "").wants(t, 200, ""); r.at("score") != 2.0 {
		t.Errorf("ada: %s", r.Body)
	}
	for _, what := range []string{"hide", "unhide", "block", "unblock"} {
		g.call("POST", "/v1/users/nobody/"+what, "").wants(t, 404, "user_not_found")
		g.call("POST", "/v1/users/%7F/"+what, "").wants(t, 400, "bad_request")
	}
}

func TestMerge(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "anon", "2026-11-20T12:00:00Z"), commit("2", "bob", "2026-11-20T13:00:00Z"), commit("3", "eve", "2026-11-20T13:00:00Z"))
	const rank = "/v1/leaderboards/commits/week/users/"
	merge := func(from, into string) reply {
		return g.call("POST", "/v1/users/"+from+"/merge", `{"into":"`+into+`"}`)
	}
	merge("anon", "nobody").wants(t, 404, "user_not_found")
	merge("nobody", "bob").wants(t, 404, "user_not_found")
	for _, into := range []string{"anon", "", `\u0007`} {
		if r := merge("anon", into).wants(t, 400, "bad_request"); r.at("field") != "into" {
			t.Errorf("into %q: %s", into, r.Body)
		}
	}
	g.call("POST", "/v1/users/anon/merge", `{}`).wants(t, 400, "bad_request")
	for range 2 {
		if r := merge("anon", "bob").wants(t, 200, ""); r.at("id") != "bob" {
			t.Errorf("merged: %s", r.Body)
		}
	}
	if r := g.call("GET", rank+"bob", "").wants(t, 200, ""); r.at("score") != 2.0 || r.at("total") != 2.0 {
		t.Errorf("bob: %s", r.Body)
	}
	merge("bob", "eve").wants(t, 200, "")
	for _, call := range [][2]string{{"GET", "/v1/users/anon"}, {"GET", "/v1/users/anon/streaks"}, {"GET", "/v1/users/anon/activities"}, {"GET", rank + "anon"},
		{"GET", "/v1/activities/anon/1"}, {"POST", "/v1/activities/anon/1/reject"}, {"POST", "/v1/users/anon/hide"}, {"DELETE", "/v1/users/anon"}} {
		if r := g.call(call[0], call[1], "").wants(t, 410, "user_merged"); r.at("detail") != `The user was merged into "eve".` {
			t.Errorf("%s: %s", call, r.Body)
		}
	}
	merge("eve", "bob").wants(t, 410, "user_merged")
	if r := g.call("POST", "/v1/activities", commit("4", "anon", "2026-11-21T13:00:00Z")).wants(t, 201, ""); r.at("activity.user") != "eve" {
		t.Errorf("an activity by the old name: %s", r.Body)
	}
	if r := g.call("GET", rank+"eve", "").wants(t, 200, ""); r.at("score") != 4.0 {
		t.Errorf("eve: %s", r.Body)
	}
}

func TestDeleteUser(t *testing.T) {
	g := newRig(t)
	g.send(commit("1", "ada", "2026-11-20T12:00:00Z"), commit("2", "bob", "2026-11-20T13:00:00Z"))
	const rank = "/v1/leaderboards/commits/week/users/"
	g.call("GET", rank+"ada", "").wants(t, 200, "")
	if r := g.call("DELETE", "/v1/users/ada", ""); r.Code != 204 || r.Body.Len() > 0 {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	g.call("DELETE", "/v1/users/ada", "").wants(t, 404, "user_not_found")
	g.call("GET", "/v1/users/ada", "").wants(t, 404, "user_not_found")
	g.call("GET", rank+"ada", "").wants(t, 404, "user_not_found")
	if r := g.call("GET", rank+"bob", "").wants(t, 200, ""); r.at("rank") != 1.0 || r.at("total") != 1.0 {
		t.Errorf("bob: %s", r.Body)
	}
	g.send(commit("1", "ada", "2026-11-21T12:00:00Z"))
	if r := g.call("GET", rank+"ada", "").wants(t, 200, ""); r.at("score") != 1.0 || r.at("rank") != 2.0 {
		t.Errorf("ada anew: %s", r.Body)
	}
}
