package api

import (
	"strings"
	"testing"
)

func TestTargetGroups(t *testing.T) {
	g := newRig(t)
	text := strings.TrimSpace(g.call("GET", "/v1/catalog", "").Body.String())
	g.call("PUT", "/v1/catalog", strings.Replace(text, `"id":"git"`, `"id":"git","target_groups":[{"id":"devs","number":232,"name":"Devs","cycle":"week","rules":["commits","daily"]},`+
		`{"id":"guests","cycle":"week","rules":["commits"],"enrolment":"explicit","leaderboard":false}]`, 1), header("If-Match", "*")).wants(t, 200, "")
	g.send(commit("a", "ada", now), commit("b", "bob", now))
	g.call("PUT", "/v1/users/cid", "{}").wants(t, 200, "")
	r := g.call("GET", "/v1/target-groups/devs", "").wants(t, 200, "")
	if r.at("enrolled") != 2.0 || r.at("number") != 232.0 || r.at("rules.0.total") != 2.0 || r.at("rules.0.label") != "2026-W47" || r.at("rules.1.leaderboard") != "daily.current" || r.at("rules.1.total") != 2.0 {
		t.Errorf("answer is %s", r.Body)
	}
	g.call("POST", "/v1/activities/bob/b/reject", "").wants(t, 200, "")
	if r := g.call("GET", "/v1/target-groups/devs", ""); r.at("enrolled") != 1.0 {
		t.Errorf("after a rejection: %s", r.Body)
	}
	for range 2 {
		g.call("PUT", "/v1/target-groups/guests/users/bob", "").wants(t, 204, "")
	}
	g.call("PUT", "/v1/target-groups/guests/users/cid", "").wants(t, 204, "")
	if r := g.call("GET", "/v1/target-groups/guests", ""); r.at("enrolled") != 2.0 || r.at("enrolment") != "explicit" || r.at("leaderboard") != false {
		t.Errorf("answer is %s", r.Body)
	}
	for range 2 {
		g.call("DELETE", "/v1/target-groups/guests/users/bob", "").wants(t, 204, "")
	}
	if r := g.call("GET", "/v1/leaderboards/guests.enrolled/all", "").wants(t, 200, ""); r.at("total") != 1.0 || r.at("rows.0.user") != "cid" {
		t.Errorf("who is enrolled: %s", r.Body)
	}
	g.call("PUT", "/v1/target-groups/devs/users/bob", "").wants(t, 409, "enrolment_automatic")
	g.call("PUT", "/v1/target-groups/none/users/bob", "").wants(t, 404, "target_group_not_found")
	g.call("PUT", "/v1/target-groups/guests/users/nobody", "").wants(t, 404, "user_not_found")
	g.call("GET", "/v1/target-groups/none", "").wants(t, 404, "target_group_not_found")
	g.call("GET", "/v1/leaderboards/none.enrolled/all", "").wants(t, 404, "rule_not_found")
}
