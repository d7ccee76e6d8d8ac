package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newEarnedRig is a server of an org in which commits earn, with a user who has three of them.
func newEarnedRig(t *testing.T) *rig {
	t.Helper()
	g := newRig(t)
	for _, put := range [][2]string{
		{"wallets/xp", `{"name":"XP","categories":true}`},
		{"wallets/coins", `{"decimals":2,"expires":{"days":2}}`},
		{"awards/commit-xp", `{"when":{"name":"commit"},"wallet":"xp","points":10,"category":"knowledge"}`},
		{"awards/commit-coins", `{"when":{"name":"commit"},"wallet":"coins","points":1.25}`},
		{"levels/tier", `{"wallet":"xp","steps":[{"at":20,"name":"Bronze"},{"at":100,"name":"Silver"}]}`},
		{"achievements/trio", `{"when":{"name":"commit"},"at_least":3,"points":[{"wallet":"coins","points":5}]}`},
		{"achievements/many", `{"when":{"name":"commit"},"at_least":5}`},
		{"missions/more", `{"needs":[{"achievement":"many"}],"start":"required","within":"2d","points":[{"wallet":"xp","points":7}]}`},
	} {
		g.call("PUT", "/v1/catalog/"+put[0], put[1]).wants(t, 201, "")
	}
	g.send(commit("1", "ada", "2026-11-19T10:00:00Z"), commit("2", "ada", "2026-11-20T10:00:00Z"), commit("3", "ada", "2026-11-21T10:00:00Z"))
	return g
}

func TestEarned_Reads(t *testing.T) {
	g := newEarnedRig(t)
	g.setClock("2026-11-22T12:00:00Z")
	user := g.call("GET", "/v1/users/ada", "").wants(t, 200, "")
	for path, member := range map[string]string{"wallets": "wallets", "achievements": "achievements", "missions": "missions"} {
		part := g.call("GET", "/v1/users/ada/"+path, "").wants(t, 200, "")
		if diff := cmp.Diff(user.at(member), part.at(member)); diff != "" || part.at(member+".0") == nil {
			t.Errorf("%s differ from the user's\n%s", path, diff)
		}
	}
	for path, want := range map[string]any{
		"wallets.0.balance": 30., "wallets.0.categories.knowledge": 30., "wallets.1.earned": 8.75, "wallets.1.expired": 1.25, "wallets.1.balance": 7.5,
		"wallets.1.expiring.amount": 1.25, "wallets.1.expiring.at": "2026-11-23T00:00:00.000Z",
		"levels.0.step_name": "Bronze", "levels.0.next.missing": 70.,
		"achievements.0.completed_at": "2026-11-21T10:00:00.000Z", "achievements.0.progress": 3., "achievements.1.progress": 3., "achievements.1.completed": false,
		"missions.0.status": "available", "missions.0.startable": true, "missions.0.needs.0.of": "achievement:many",
	} {
		if got := user.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	for _, path := range []string{"wallets", "wallets/xp", "achievements", "missions", "kpis"} {
		g.call("GET", "/v1/users/bob/"+path, "").wants(t, 404, "user_not_found")
	}
}

// What each criterion looks at is told, and how many activities had no effect.
func TestEarned_WhatCriteriaLookAt(t *testing.T) {
	g := newEarnedRig(t)
	g.call("PUT", "/v1/catalog/behaviours/push", `{}`).wants(t, 201, "")
	g.call("PUT", "/v1/catalog/achievements/all-rounder", `{"all":[{"when":{"name":["commit","push"]},"at_least":9},{"when":{"kind":"gift"},"at_least":1},{"when":{},"at_least":2},`+
		`{"streak":"daily","at_least":3},{"wallet":"coins","at_least":50},{"level":"tier","at_least":2},{"achievement":"trio"}]}`).wants(t, 201, "")
	var of []string
	for _, a := range g.call("GET", "/v1/users/ada/achievements", "").wants(t, 200, "").at("achievements").([]any) {
		criteria, _ := a.(map[string]any)["criteria"].([]any)
		for _, c := range criteria {
			of = append(of, c.(map[string]any)["of"].(string))
		}
	}
	want := []string{"behaviour:commit,push", "gift", "activity", "streak:daily", "wallet:coins", "level:tier", "achievement:trio"}
	if diff := cmp.Diff(want, of); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	g.call("POST", "/v1/users/ada/block", "").wants(t, 200, "")
	g.call("POST", "/v1/activities", commit("4", "ada", "2026-11-21T10:00:00Z")).wants(t, 201, "")
	if n := g.call("GET", "/v1/users/ada", "").at("stats.ignored"); n != 1. {
		t.Errorf("%v are ignored", n)
	}
}

func TestEarned_WalletRows(t *testing.T) {
	g := newEarnedRig(t)
	g.setClock("2026-11-22T12:00:00Z")
	var rows []string
	next := ""
	for {
		page := g.call("GET", "/v1/users/ada/wallets/coins?limit=2&before="+next, "").wants(t, 200, "")
		for _, row := range page.at("rows").([]any) {
			r := row.(map[string]any)
			rows = append(rows, fmt.Sprint(r["at"], " ", r["type"], " ", r["amount"], " ", r["award"], " ", r["activity"], " ", r["achievement"]))
		}
		if page.at("next") == nil {
			break
		}
		next = page.at("next").(string)
		g.call("GET", "/v1/users/ada/wallets/xp?before="+next, "").wants(t, 400, "bad_cursor")
	}
	want := []string{
		"2026-11-22T00:00:00.000Z expire -1.25 <nil> <nil> <nil>",
		"2026-11-21T10:00:00.000Z earn 1.25 commit-coins 3 <nil>",
		"2026-11-21T10:00:00.000Z earn 5 <nil> <nil> trio",
		"2026-11-20T10:00:00.000Z earn 1.25 commit-coins 2 <nil>",
		"2026-11-19T10:00:00.000Z earn 1.25 commit-coins 1 <nil>",
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
	g.call("GET", "/v1/users/ada/wallets/gold", "").wants(t, 404, "wallet_not_found")
	g.call("GET", "/v1/users/ada/wallets/xp?limit=0", "").wants(t, 400, "bad_request")
}

func TestEarned_Missions(t *testing.T) {
	g := newEarnedRig(t)
	g.call("POST", "/v1/users/ada/missions/none/start", "").wants(t, 404, "mission_not_found")
	if r := g.call("POST", "/v1/users/ada/missions/more/start", "").wants(t, 200, ""); r.at("missions.0.status") != "started" {
		t.Errorf("%s", r.Body)
	}
	g.call("POST", "/v1/users/ada/missions/more/start", "").wants(t, 409, "mission_not_startable")
	g.send(commit("4", "ada", "2026-11-21T11:00:00Z"), commit("5", "ada", "2026-11-21T11:30:00Z"))
	if r := g.call("GET", "/v1/users/ada", "").wants(t, 200, ""); r.at("missions.0.status") != "completed" || r.at("wallets.0.balance") != 57. {
		t.Errorf("%s", r.Body)
	}
	g.call("POST", "/v1/activities/ada/5/reject", `{"reason":"spam"}`).wants(t, 200, "")
	if r := g.call("GET", "/v1/users/ada", "").wants(t, 200, ""); r.at("missions.0.status") == "completed" || r.at("wallets.0.balance") != 40. {
		t.Errorf("%s", r.Body)
	}
	events := g.call("GET", "/v1/events?limit=100", "").wants(t, 200, "").Body.String()
	for _, want := range []string{`"type":"points.earned"`, `"wallet":"coins","amount":8.75`, `"type":"level.reached"`, `"level":"tier","step":1,"name":"Bronze"`,
		`"achievement":"trio","period":"all","since":"2026-11-21T10:00:00.000Z"`, `"type":"mission.started"`, `"type":"mission.completed"`, `"type":"mission.undone"`, `"type":"achievement.undone"`} {
		if !strings.Contains(events, want) {
			t.Errorf("no event has %s", want)
		}
	}
	if t.Failed() {
		t.Log(events)
	}
}

func TestEarned_KPIs(t *testing.T) {
	g := newEarnedRig(t)
	g.call("PUT", "/v1/catalog/kpis/commits", `{"rule":"commits","targets":{"week":10,"all":4}}`).wants(t, 201, "")
	all := g.call("GET", "/v1/users/ada/kpis", "").wants(t, 200, "")
	week := g.call("GET", "/v1/users/ada/kpis?cycle=week", "").wants(t, 200, "")
	if week.at("kpis.0.percent") != 30. || week.at("kpis.0.value") != 3. || week.at("kpis.1") != nil || all.at("kpis.1") == nil {
		t.Errorf("%s\n%s", week.Body, all.Body)
	}
}
