package api

import "testing"

// TestReady: a node that reads its keys anew says neither who is wrong nor what there is.
func TestReady(t *testing.T) {
	ready := false
	g := newRig(t, func(o *Options) { o.Ready = func() bool { return ready } })
	for _, key := range []string{g.key, "sk_unknown"} {
		r := g.call("GET", "/v1/leaderboards", "", header("Authorization", "Bearer "+key)).wants(t, 503, "loading")
		if r.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if r := g.call("GET", "/openapi.json", "", header("Authorization", "")); r.Code != 200 {
		t.Errorf("a route without a key: %d", r.Code)
	}
	ready = true
	g.call("GET", "/v1/leaderboards", "").wants(t, 200, "")
}

func TestReads_MinRevision(t *testing.T) {
	g := newRig(t)
	revision := g.call("POST", "/v1/activities", commit("1", "ada", now)).wants(t, 201, "").at("revision").(string)
	other := newRig(t).call("GET", "/v1/leaderboards/commits/week", "").at("revision").(string)
	for _, path := range []string{"/v1/leaderboards", "/v1/leaderboards/commits/week", "/v1/leaderboards/commits/week/users/ada", "/v1/users/ada",
		"/v1/users/ada/ranks", "/v1/users/ada/streaks", "/v1/users/ada/activities", "/v1/activities/ada/1"} {
		g.call("GET", path+"?min_revision="+revision, "").wants(t, 200, "")
		g.call("GET", path+"?min_revision="+other, "").wants(t, 409, "epoch_changed")
		g.call("GET", path+"?min_revision=x", "").wants(t, 400, "bad_revision")
	}
}
