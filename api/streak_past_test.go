package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// column is one member of each object of a list.
func (r reply) column(list, member string) (out []any) {
	objects, _ := r.at(list).([]any)
	for i := range objects {
		out = append(out, r.at(fmt.Sprint(list, ".", i, ".", member)))
	}
	return out
}

func TestStreak_History(t *testing.T) {
	g := newStreakRig(t)
	const path = "/v1/users/ada/streaks/habit/history"
	for query, want := range map[string]string{"": "17 met 18 met 19 met 20 missed 21 open", "?from=2026-11-19": "19 met 20 missed 21 open", "?to=2026-11-18": "17 met 18 met",
		"?from=2000-01-01&to=2026-11-17": "17 met", "?from=2026-11-20&to=2030-01-01": "20 missed 21 open", "?from=2026-11-01&to=2026-11-02": "", "?from=2027-01-01&to=2027-01-02": ""} {
		r := g.call("GET", path+query, "").wants(t, 200, "")
		var got []string
		statuses := r.column("history", "status")
		for i, label := range r.column("history", "period") {
			got = append(got, strings.TrimPrefix(label.(string), "2026-11-"), statuses[i].(string))
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" || r.at("first") != "2026-11-17" {
			t.Errorf("%s (-want +got)\n%s\n%s", query, diff, r.Body)
		}
	}
	for query, field := range map[string]string{"?from=x": "from", "?to=2026-W47": "to", "?from=2026-11-21&to=2026-11-20": "from"} {
		if r := g.call("GET", path+query, "").wants(t, 400, "bad_request"); r.at("field") != field {
			t.Errorf("%s: %s", query, r.Body)
		}
	}
	g.call("PUT", "/v1/streaks/weeks", `{"when":{"name":"commit"},"unit":"week","target":2}`).wants(t, 201, "")
	g.send(commit("4", "ada", "2026-11-21T10:00:00Z"))
	for _, query := range []string{"?from=2026-W47", "?from=2026-11-18&to=2026-11-18"} {
		if r := g.call("GET", "/v1/users/ada/streaks/weeks/history"+query, "").wants(t, 200, ""); r.at("history.0.period") != "2026-W47" || r.at("history.0.value") != 4. {
			t.Errorf("%s: %s", query, r.Body)
		}
	}
	g.call("PATCH", "/v1/users/ada/streaks/habit", `{"opted_out":true}`).wants(t, 200, "")
	for list, name := range map[string]string{"history": "history", "past": "past", "explain": "periods"} {
		if r := g.call("GET", "/v1/users/ada/streaks/habit/"+list, "").wants(t, 200, ""); r.at("opted_out") != true || len(r.at(name).([]any)) != 0 {
			t.Errorf("%s of one who opted out: %s", list, r.Body)
		}
	}
}

func TestStreak_HistoryOfManyYears(t *testing.T) {
	g := newStreakRig(t)
	id := g.call("POST", "/v1/imports", "").wants(t, 201, "").at("id").(string)
	g.call("POST", "/v1/imports/"+id+"/items", "["+commit("old", "ada", "2019-03-01T10:00:00Z")+","+commit("older", "ada", "2019-02-28T10:00:00Z")+"]").wants(t, 200, "")
	g.setClock("2026-11-21T20:00:00Z")
	const path = "/v1/users/ada/streaks/habit/"
	g.call("GET", path+"history?from=2019-01-01", "").wants(t, 400, "bad_request")
	if r := g.call("GET", path+"history?from=2019-01-01&to=2019-03-02", "").wants(t, 200, ""); len(r.at("history").([]any)) != 3 || r.at("first") != "2019-02-28" || r.at("history.2.status") != "missed" {
		t.Errorf("2019: %s", r.Body)
	}
	want := []any{map[string]any{"length": 3., "start": "2026-11-17", "end": "2026-11-19", "ended_at": "2026-11-21T00:00:00.000Z"},
		map[string]any{"length": 2., "start": "2019-02-28", "end": "2019-03-01", "ended_at": "2019-03-03T00:00:00.000Z"}}
	if r := g.call("GET", path+"past", "").wants(t, 200, ""); !cmp.Equal(want, r.at("past")) {
		t.Errorf("past (-want +got)\n%s", cmp.Diff(any(want), r.at("past")))
	}
	if r := g.call("GET", path+"past?limit=1", "").wants(t, 200, ""); !cmp.Equal(any(want[:1]), r.at("past")) || r.at("total") != 2. {
		t.Errorf("the newest: %s", r.Body)
	}
	g.call("GET", path+"past?limit=0", "").wants(t, 400, "bad_request")
}

// TestStreak_Explain: each thing that may become of a period, in data and in words.
func TestStreak_Explain(t *testing.T) {
	g := newRig(t)
	g.call("PUT", "/v1/streaks/habit", `{"when":{"name":"commit"},"unit":"day","target":1,"grace":"6h","active_days":["mon","tue","wed","thu","fri","sat"],"holidays":["2026-11-12"],`+
		`"freezes":{"initial":1,"max":2},"restore_window":"5d","timezone":"org"}`).wants(t, 201, "")
	at := func(id, when string) string { return commit(id, "ada", "2026-11-"+when+":00Z") }
	g.send(at("1", "09T10:00"), at("2", "10T02:00"), at("3", "11T02:00"), at("4", "14T10:00")) // Monday, twice; Tuesday, in its grace; Saturday, with Friday frozen
	g.call("POST", "/v1/pauses", `{"from":"2026-11-16T08:00:00Z","to":"2026-11-16T09:00:00Z","reason":"fire"}`).wants(t, 201, "")
	g.send(at("5", "21T10:00"))
	g.call("POST", "/v1/users/ada/pauses", `{"from":"2026-11-21","to":"2026-11-21"}`).wants(t, 201, "")
	r := g.call("GET", "/v1/users/ada/streaks/habit/explain?from=2026-11-08&to=2026-11-21", "").wants(t, 200, "")
	want := []string{
		"inactive: Sunday is not among the rule's active days: nothing is asked for, and what is done does not count.",
		"met: Met by activity 1 at 2026-11-09T10:00:00.000Z: the streak came to 1.",
		"met: Met by activity 2 at 2026-11-10T02:00:00.000Z: the streak came to 2.",
		"met: Met by activity 3 at 2026-11-11T02:00:00.000Z: the streak came to 3.",
		"inactive: It is a holiday of the rule: nothing is asked for, and what is done does not count.",
		"frozen: Not met (0 of 1): a freeze was spent, 0 left.",
		"met: Met by activity 4 at 2026-11-14T10:00:00.000Z: the streak came to 4.",
		"inactive: Sunday is not among the rule's active days: nothing is asked for, and what is done does not count.",
		"paused: Not met (0 of 1), and paused by outage " + fmt.Sprint(r.at("periods.8.outage")) + " (fire): it cannot be missed.",
		"missed: Not met (0 of 1), and no freeze was left: the streak of 4 ended.",
		"missed: Not met (0 of 1), and no streak was running.",
		"missed: Not met (0 of 1), and no streak was running.",
		"missed: Not met (0 of 1), and no streak was running.",
		"met: Met by activity 5 at 2026-11-21T10:00:00.000Z: the streak came to 1.",
	}
	var got []string
	statuses := r.column("periods", "status")
	for i, why := range r.column("periods", "why") {
		got = append(got, fmt.Sprint(statuses[i], ": ", why))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	tuesday := map[string]any{"period": "2026-11-10", "start": "2026-11-10T00:00:00.000Z", "end": "2026-11-11T00:00:00.000Z", "can_be_met_until": "2026-11-11T06:00:00.000Z", "timezone": "UTC",
		"required": true, "status": "met", "why": "Met by activity 2 at 2026-11-10T02:00:00.000Z: the streak came to 2.", "value": 1., "target": 1., "met_at": "2026-11-10T02:00:00.000Z",
		"length": 2., "freezes_held": 1., "activities": []any{map[string]any{"id": "2", "at": "2026-11-10T02:00:00.000Z", "values": []any{1.}}}}
	if diff := cmp.Diff(tuesday, r.at("periods.2")); diff != "" {
		t.Errorf("a period (-want +got)\n%s", diff)
	}
	if r.at("periods.13.pause") != "1" || r.at("periods.4.exempt") != "holiday" || r.at("periods.4.required") != false {
		t.Errorf("data of others: %s", r.Body)
	}

	// Restored, and in grace: Thursday's is done on Friday before six.
	g.call("POST", "/v1/users/ada/streaks/habit/restore", "").wants(t, 200, "")
	g.send(at("6", "20T03:00"))
	g.setClock("2026-11-23T08:00:00Z")
	r = g.call("GET", "/v1/users/ada/streaks/habit/explain", "").wants(t, 200, "")
	want = []string{"Not met (0 of 1), and restored: the streak goes on.", "Not met (0 of 1), and restored: the streak goes on.", "Met by activity 6 at 2026-11-20T03:00:00.000Z: the streak came to 5.",
		"Not met (0 of 1), and restored: the streak goes on.", "Met by activity 5 at 2026-11-21T10:00:00.000Z: the streak came to 6.",
		"Sunday is not among the rule's active days: nothing is asked for, and what is done does not count.", "Not met yet (0 of 1); it can be met until 2026-11-24T06:00:00.000Z."}
	got = nil
	for _, why := range r.column("periods", "why") {
		got = append(got, why.(string))
	}
	if diff := cmp.Diff(want, got); diff != "" || r.at("periods.2.activities.0.stamped") != "2026-11-20" {
		t.Errorf("restored (-want +got)\n%s\n%s", diff, r.Body)
	}
	g.call("GET", "/v1/users/ada/streaks/habit/explain?from=2026-08-01", "").wants(t, 400, "bad_request")
}

func TestAudit(t *testing.T) {
	g := newStreakRig(t)
	steps := []struct{ method, path, body string }{
		{"PATCH", "", `{"timezone":"Europe/Vienna"}`}, {"POST", "/streaks/habit/restore", `{"reason":"a storm"}`}, {"POST", "/streaks/habit/freezes", `{"count":2}`},
		{"PATCH", "/streaks/habit", `{"target":2}`}, {"PATCH", "/streaks/habit", `{"target":null}`}, {"POST", "/pauses", `{"from":"2026-12-01","to":"2026-12-02"}`},
		{"DELETE", "/pauses/1", ""}, {"PATCH", "/streaks/habit", `{"opted_out":true}`}, {"PATCH", "/streaks/habit", `{"opted_out":false}`},
	}
	for i, s := range steps {
		g.setClock(fmt.Sprintf("2026-11-21T20:00:%02dZ", i))
		if r := g.call(s.method, "/v1/users/ada"+s.path, s.body); r.Code >= 300 {
			t.Fatalf("%v: %d %s", s, r.Code, r.Body)
		}
	}
	at := func(i int) string { return fmt.Sprintf(`{"at":"2026-11-21T20:00:%02d.000Z","type":`, i) }
	want := `{"audit":[` + at(0) + `"timezone_set","timezone":"Europe/Vienna"},` + at(1) + `"restored","rule":"habit","from":"2026-11-20","to":"2026-11-20","reason":"a storm"},` +
		at(2) + `"freezes_granted","rule":"habit","from":"2026-11-21","count":2},` + at(3) + `"target_set","rule":"habit","from":"2026-11-22","target":2},` +
		at(4) + `"target_removed","rule":"habit","from":"2026-11-22"},` + at(5) + `"paused","pause":"1","from":"2026-12-01","to":"2026-12-02"},` +
		at(6) + `"pause_ended","pause":"1","from":"2026-12-01","to":"2026-12-02"},` + at(7) + `"opted_out","rule":"habit"},` + at(8) + `"opted_in","rule":"habit"}]}`
	if r := g.call("GET", "/v1/users/ada/audit", "").wants(t, 200, ""); r.Body.String() != want {
		t.Errorf("(-want +got)\n%s", cmp.Diff(want, r.Body.String()))
	}
	g.send(commit("9", "bob", now))
	if r := g.call("GET", "/v1/users/bob/audit", "").wants(t, 200, ""); r.Body.String() != `{"audit":[]}` {
		t.Errorf("of nothing: %s", r.Body)
	}
	g.call("GET", "/v1/users/none/audit", "").wants(t, 404, "user_not_found")
}

// TestPreview: it shows what the definition shows once it is published, and leaves nothing behind.
func TestPreview(t *testing.T) {
	g := newStreakRig(t)
	for i, definition := range []string{`{"when":{"name":"commit"},"unit":"day","freezes":{"initial":1,"max":2},"timezone":"org"}`, `{"when":{"name":"commit"},"unit":"week","target":2}`,
		`{"unit":"day","all":[{"when":{"name":"commit"},"value":{"sum":"meta.added"},"at_least":2.5,"decimals":1}]}`} {
		id := fmt.Sprint("tried", i)
		body := strings.Replace(definition, "{", `{"id":"`+id+`",`, 1)
		tried := g.call("POST", "/v1/streaks/preview", `{"streak":`+body+`,"user":"ada"}`).wants(t, 200, "")
		then := g.call("POST", "/v1/streaks/preview", `{"streak":`+body+`,"user":"ada","at":"2026-11-18T12:00:00Z"}`).wants(t, 200, "")
		g.call("GET", "/v1/streaks/"+id, "").wants(t, 404, "definition_not_found")
		g.call("PUT", "/v1/streaks/"+id, definition).wants(t, 201, "")
		g.send(commit(id, "ada", "2026-11-17T10:00:01Z"))                        // the user follows
		g.call("POST", "/v1/activities/ada/"+id+"/reject", "").wants(t, 200, "") // and is as before
		if diff := cmp.Diff(g.call("GET", "/v1/users/ada/streaks/"+id, "").body, tried.body); diff != "" {
			t.Errorf("%s: published, and tried\n%s", definition, diff)
		}
		if diff := cmp.Diff(g.call("GET", "/v1/users/ada/streaks/"+id+"?at=2026-11-18T12:00:00Z", "").body, then.body); diff != "" {
			t.Errorf("%s: published, and tried, as of then\n%s", definition, diff)
		}
	}
	if r := g.call("POST", "/v1/streaks/preview", `{"streak":{"unit":"day","when":{}},"user":"ada"}`).wants(t, 200, ""); r.at("rule") != "preview" || r.at("total_periods") != 3. {
		t.Errorf("without an id: %s", r.Body)
	}
}

func TestPreview_Refused(t *testing.T) {
	g := newStreakRig(t)
	const path = "/v1/streaks/preview"
	for body, field := range map[string]string{`{"user":"ada"}`: "streak", `{"streak":{}}`: "user", `{"streak":{},"user":"ada","at":"now"}`: "at"} {
		if r := g.call("POST", path, body).wants(t, 400, "bad_request"); r.at("field") != field {
			t.Errorf("%s: %s", body, r.Body)
		}
	}
	for streak, field := range map[string]string{`{"unit":"day"}`: "streak", `{"unit":"day","when":{},"grace":"25h"}`: "streak.grace", `7`: "streak", `{"id":"commits","unit":"day","when":{}}`: "streak.id"} {
		r := g.call("POST", path, `{"streak":`+streak+`,"user":"ada"}`).wants(t, 422, "bad_catalog")
		if r.at("errors.0.field") != field || r.at("errors.0.line") != nil {
			t.Errorf("%s: %s", streak, r.Body)
		}
	}
	good := `{"streak":{"unit":"day","when":{}},"user":"none"}`
	g.call("POST", path, good).wants(t, 404, "user_not_found")
	for _, scope := range []string{"catalog:read", "users:read"} {
		key := g.call("POST", "/v1/keys", `{"name":"k","kind":"sk","scopes":["`+scope+`"]}`).wants(t, 201, "").at("key").(string)
		g.call("POST", path, good, header("Authorization", "Bearer "+key)).wants(t, 403, "forbidden")
	}
	// The path is one of a definition's too.
	g.call("GET", path, "").wants(t, 404, "definition_not_found")
	g.call("PUT", path, `{"unit":"day","when":{}}`).wants(t, 201, "")
	g.call("GET", path, "").wants(t, 200, "")
	g.call("DELETE", path, "").wants(t, 204, "")
	for target, allow := range map[string]string{path: "DELETE, GET, HEAD, OPTIONS, POST, PUT", "/v1/streaks/other": "DELETE, GET, HEAD, OPTIONS, PUT"} {
		if r := g.call("PATCH", target, "{}").wants(t, 405, "method_not_allowed"); r.Header().Get("Allow") != allow {
			t.Errorf("%s allows %s", target, r.Header().Get("Allow"))
		}
		if r := g.call("OPTIONS", target, ""); r.Code != http.StatusNoContent || r.Header().Get("Allow") != allow {
			t.Errorf("%s: %d, allows %s", target, r.Code, r.Header().Get("Allow"))
		}
	}
}

// Boards of streaks find users by the length of a streak.
func TestStreakBoards_FindUsersByLength(t *testing.T) {
	g := newStreakRig(t)
	g.send(commit("4", "bob", "2026-11-20T10:00:00Z"), commit("5", "bob", "2026-11-21T10:00:00Z"), commit("6", "cid", "2026-11-21T10:00:00Z"))
	for board, want := range map[string][]any{"habit.current/all?min_score=2": {"bob"}, "habit.current/all?min_score=1&max_score=1": {"cid"}, "habit.longest/all?min_score=2": {"ada", "bob"}} {
		r := g.call("GET", "/v1/leaderboards/"+board, "").wants(t, 200, "")
		if diff := cmp.Diff(want, r.column("rows", "user")); diff != "" || r.at("count") != float64(len(want)) {
			t.Errorf("%s: %s\n%s", board, r.Body, diff)
		}
	}
	if r := g.call("GET", "/v1/leaderboards/habit.current/all/count?min_score=1", "").wants(t, 200, ""); r.at("count") != 2. {
		t.Errorf("count: %s", r.Body)
	}
}
