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
