package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newStreakRig is a server whose streak rule has all that is ordered for, with a user whose streak of three was lost at the end of the 20th: now is the 21st.
func newStreakRig(t *testing.T) *rig {
	t.Helper()
	g := newRig(t)
	g.call("PUT", "/v1/streaks/habit", `{"when":{"name":"commit"},"unit":"day","target":1,"user_target":{"max":3},"freezes":{"max":2},"restore_window":"2d"}`).wants(t, 201, "")
	g.send(commit("1", "ada", "2026-11-17T10:00:00Z"), commit("2", "ada", "2026-11-18T10:00:00Z"), commit("3", "ada", "2026-11-19T10:00:00Z"))
	return g
}

func TestStreak_One(t *testing.T) {
	g := newStreakRig(t)
	r := g.call("GET", "/v1/users/ada/streaks/habit", "").wants(t, 200, "")
	want := map[string]any{"length": 3., "start": "2026-11-17", "end": "2026-11-19", "at": "2026-11-21T00:00:00.000Z", "restorable_until": "2026-11-23T00:00:00.000Z"}
	if diff := cmp.Diff(want, r.at("lost")); diff != "" || r.at("rule") != "habit" || r.at("state") != "broken" || r.at("history.3.status") != "missed" {
		t.Errorf("lost (-want +got)\n%s\n%s", diff, r.Body)
	}
	all := g.call("GET", "/v1/users/ada/streaks", "").wants(t, 200, "")
	if diff := cmp.Diff(all.at("streaks.1"), any(r.body)); diff != "" {
		t.Errorf("one and all differ\n%s", diff)
	}
	if then := g.call("GET", "/v1/users/ada/streaks/habit?at=2026-11-20T12:00:00Z", "").wants(t, 200, ""); then.at("current") != 3. || then.at("lost") != nil {
		t.Errorf("as of the 20th: %s", then.Body)
	}
	g.setClock("2026-11-23T00:00:00.001Z")
	if late := g.call("GET", "/v1/users/ada/streaks/habit", "").wants(t, 200, ""); late.at("lost.length") != 3. || late.at("lost.restorable_until") != nil {
		t.Errorf("past the window: %s", late.Body)
	}
	g.call("GET", "/v1/users/ada/streaks/none", "").wants(t, 404, "streak_not_found")
	g.call("GET", "/v1/users/bob/streaks/habit", "").wants(t, 404, "user_not_found")
	g.call("GET", "/v1/users/ada/streaks/habit?at=now", "").wants(t, 400, "bad_request")
}

func TestStreak_Freezes(t *testing.T) {
	g := newStreakRig(t)
	const path = "/v1/users/ada/streaks/habit/freezes"
	for _, want := range []string{`{"requested":1,"granted":1,"held":1,"max":2}`, `{"requested":5,"granted":1,"held":2,"max":2}`, `{"requested":5,"granted":0,"held":2,"max":2}`} {
		body := fmt.Sprintf(`{"count":%c}`, want[len(`{"requested":`)])
		if r := g.call("POST", path, body).wants(t, 200, ""); r.Body.String() != want {
			t.Errorf("%s gave %s, want %s", body, r.Body, want)
		}
	}
	for _, body := range []string{`{"count":0}`, `{"count":101}`, `{}`, `{"count":"1"}`} {
		if r := g.call("POST", path, body).wants(t, 400, "bad_request"); r.at("field") != "count" {
			t.Errorf("%s: %s", body, r.Body)
		}
	}
	g.call("POST", "/v1/users/ada/streaks/none/freezes", `{"count":1}`).wants(t, 404, "streak_not_found")
	g.call("POST", "/v1/users/bob/streaks/habit/freezes", `{"count":1}`).wants(t, 404, "user_not_found")
	// They cover what comes: the streak that begins today lives through the 22nd and 23rd.
	g.send(commit("4", "ada", "2026-11-21T10:00:00Z"))
	g.setClock("2026-11-24T08:00:00Z")
	if r := g.call("GET", "/v1/users/ada/streaks/habit", ""); r.at("current") != 1. || r.at("state") != "frozen" || r.at("freezes.used") != 2. {
		t.Errorf("after two days off: %s", r.Body)
	}
}

func TestStreak_Restore(t *testing.T) {
	g := newStreakRig(t)
	const path = "/v1/users/ada/streaks/habit/restore"
	g.call("POST", path, `{"reason":"`+strings.Repeat("é", 129)+`"}`).wants(t, 400, "bad_request")
	g.call("POST", path, `{"reason":"a\u0000b"}`).wants(t, 400, "bad_request")
	g.call("POST", "/v1/users/ada/streaks/daily/restore", "").wants(t, 409, "restore_not_allowed")
	g.call("POST", "/v1/users/bob/streaks/habit/restore", "").wants(t, 404, "user_not_found")
	g.call("POST", "/v1/users/ada/streaks/none/restore", "").wants(t, 404, "streak_not_found")
	if r := g.call("POST", path, `{"reason":"the app was down"}`).wants(t, 200, ""); r.at("current") != 3. || r.at("history.3.status") != "restored" || r.at("lost") != nil {
		t.Errorf("restored: %s", r.Body)
	}
	g.call("POST", path, "").wants(t, 409, "nothing_to_restore")
	g.setClock("2026-11-24T00:00:00.001Z") // lost again at the end of the 21st, two days ago
	g.call("POST", path, "").wants(t, 409, "restore_expired")
	if r := g.call("GET", "/v1/users/ada/streaks/habit?at="+now, "").wants(t, 200, ""); r.at("current") != 3. {
		t.Errorf("as of the restore: %s", r.Body)
	}
	if r := g.call("GET", "/v1/users/ada/streaks/habit?at=2026-11-21T19:39:59Z", "").wants(t, 200, ""); r.at("state") != "broken" {
		t.Errorf("before it: %s", r.Body)
	}
}

func TestStreak_Patch(t *testing.T) {
	g := newStreakRig(t)
	const path = "/v1/users/ada/streaks/habit"
	for range 2 {
		if r := g.call("PATCH", path, `{"target":3}`).wants(t, 200, ""); r.at("target") != 3. || r.at("period.target") != 1. {
			t.Errorf("own target: %s", r.Body)
		}
	}
	g.setClock("2026-11-22T08:00:00Z")
	if r := g.call("GET", path, ""); r.at("period.target") != 3. || r.at("history.0.target") != 1. {
		t.Errorf("from the next period on: %s", r.Body)
	}
	for body, code := range map[string]string{`{"target":4}`: "target_out_of_range", `{"target":0}`: "target_out_of_range", `{"target":2.5}`: "target_out_of_range",
		`{"target":1e300}`: "target_out_of_range"} {
		if r := g.call("PATCH", path, body).wants(t, 422, code); r.at("field") != "target" {
			t.Errorf("%s: %s", body, r.Body)
		}
	}
	if r := g.call("PATCH", "/v1/users/ada/streaks/daily", `{"target":2}`).wants(t, 422, "target_not_allowed"); r.at("field") != "target" {
		t.Errorf("a rule without user_target: %s", r.Body)
	}
	if r := g.call("PATCH", path, `{"target":null,"opted_out":true}`).wants(t, 200, ""); r.at("target") != nil || r.at("opted_out") != true || r.at("longest") != 0. || r.at("state") != "none" {
		t.Errorf("opted out: %s", r.Body)
	}
	g.call("GET", "/v1/leaderboards/habit.longest/all/users/ada", "").wants(t, 404, "not_ranked")
	if r := g.call("PATCH", path, `{"opted_out":false}`).wants(t, 200, ""); r.at("opted_out") != nil || r.at("longest") != 3. {
		t.Errorf("in again: %s", r.Body)
	}
	g.call("PATCH", path, `{}`).wants(t, 200, "")
	g.call("PATCH", path, `{"opted_out":"yes"}`).wants(t, 400, "bad_request")
	g.call("PATCH", path, `{"targets":1}`).wants(t, 400, "bad_json")
	g.call("PATCH", "/v1/users/ada/streaks/none", `{"opted_out":true}`).wants(t, 404, "streak_not_found")
	g.call("PATCH", "/v1/users/bob/streaks/habit", `{"opted_out":true}`).wants(t, 404, "user_not_found")
}

func TestUserPauses(t *testing.T) {
	g := newStreakRig(t)
	const path = "/v1/users/ada/pauses"
	want := `{"id":"1","from":"2026-11-22","to":"2026-11-30","created_at":"` + now + `"}`
	for range 2 { // the second is the same one
		if r := g.call("POST", path, `{"from":"2026-11-22","to":"2026-11-30"}`).wants(t, 201, ""); r.Body.String() != want {
			t.Errorf("made %s, want %s", r.Body, want)
		}
	}
	for body, field := range map[string]string{`{"from":"2026-11-20","to":"2026-11-22"}`: "from", `{"from":"2026-12-02","to":"2026-12-01"}`: "to", `{"from":"2026-12-01","to":"2027-12-02"}`: "to",
		`{"from":"2028-01-01","to":"2028-01-02"}`: "to"} {
		if r := g.call("POST", path, body).wants(t, 422, "bad_pause"); r.at("field") != field {
			t.Errorf("%s: %s", body, r.Body)
		}
	}
	for body, field := range map[string]string{`{"to":"2026-11-22"}`: "from", `{"from":"2026-11-22"}`: "to", `{"from":"2026-02-30","to":"2026-11-22"}`: "from"} {
		if r := g.call("POST", path, body).wants(t, 400, "bad_request"); r.at("field") != field {
			t.Errorf("%s: %s", body, r.Body)
		}
	}
	g.call("POST", path, `{"from":"2026-11-30","to":"2026-12-01"}`).wants(t, 409, "pause_overlaps")
	g.call("POST", path, `{"from":"2026-12-24","to":"2026-12-26"}`).wants(t, 201, "")
	for range 2 {
		g.call("DELETE", path+"/2", "").wants(t, 204, "")
	}
	g.setClock("2026-11-25T08:00:00Z")
	if r := g.call("GET", "/v1/users/ada/streaks/habit", ""); r.at("state") != "paused" {
		t.Errorf("in the pause: %s", r.Body)
	}
	g.call("DELETE", path+"/1", "").wants(t, 204, "")
	want = `{"pauses":[{"id":"1","from":"2026-11-22","to":"2026-11-30","created_at":"` + now + `","ended_at":"2026-11-25T08:00:00.000Z","ended_on":"2026-11-24"},` +
		`{"id":"2","from":"2026-12-24","to":"2026-12-26","created_at":"` + now + `","ended_at":"` + now + `"}]}`
	if r := g.call("GET", path, "").wants(t, 200, ""); r.Body.String() != want {
		t.Errorf("list is %s, want %s", r.Body, want)
	}
	g.call("POST", path, `{"from":"2026-11-26","to":"2026-11-26"}`).wants(t, 201, "")
	g.setClock("2026-11-27T08:00:00Z")
	g.call("DELETE", path+"/3", "").wants(t, 409, "pause_over")
	for _, id := range []string{"4", "0", "01", "x", "-1", "4294967297"} {
		g.call("DELETE", path+"/"+id, "").wants(t, 404, "pause_not_found")
	}
	for method, body := range map[string]string{"GET": "", "POST": `{"from":"2026-12-01","to":"2026-12-01"}`} {
		g.call(method, "/v1/users/bob/pauses", body).wants(t, 404, "user_not_found")
	}
	g.call("DELETE", "/v1/users/bob/pauses/1", "").wants(t, 404, "user_not_found")
}

// Of a user who was merged into another one everything is 410 with the other's name.
func TestStreakRoutes_OfMergedUsers(t *testing.T) {
	g := newStreakRig(t)
	g.send(commit("9", "bob", now))
	g.call("POST", "/v1/users/ada/merge", `{"into":"bob"}`).wants(t, 200, "")
	for call, body := range map[string]string{"GET streaks/habit": "", "PATCH streaks/habit": `{"opted_out":true}`, "POST streaks/habit/freezes": `{"count":1}`,
		"POST streaks/habit/restore": "", "GET pauses": "", "POST pauses": `{"from":"2026-12-01","to":"2026-12-01"}`, "DELETE pauses/1": ""} {
		method, path, _ := strings.Cut(call, " ")
		if r := g.call(method, "/v1/users/ada/"+path, body).wants(t, 410, "user_merged"); !strings.Contains(r.at("detail").(string), "bob") {
			t.Errorf("%s: %s", call, r.Body)
		}
	}
}

func TestStreakRoutes_Scopes(t *testing.T) {
	g := newStreakRig(t)
	as := func(scope string) func(*http.Request) {
		key := g.call("POST", "/v1/keys", `{"name":"k","kind":"sk","scopes":["`+scope+`"]}`).wants(t, 201, "").at("key").(string)
		return header("Authorization", "Bearer "+key)
	}
	reader, writer := as("users:read"), as("users:write")
	for call, body := range map[string]string{"PATCH streaks/habit": `{}`, "POST streaks/habit/freezes": `{"count":1}`, "POST streaks/habit/restore": "",
		"POST pauses": `{"from":"2026-12-01","to":"2026-12-01"}`, "DELETE pauses/1": ""} {
		method, path, _ := strings.Cut(call, " ")
		g.call(method, "/v1/users/ada/"+path, body, reader).wants(t, 403, "forbidden")
		if r := g.call(method, "/v1/users/ada/"+path, body, writer); r.Code >= 300 && r.Code != 404 {
			t.Errorf("%s: %d", call, r.Code)
		}
	}
	ada, bob := bearer(g.token(`{"user":"ada"}`)), bearer(g.token(`{"user":"bob"}`))
	for _, path := range []string{"streaks/habit", "streaks/habit/history", "streaks/habit/past", "streaks/habit/explain", "pauses"} {
		g.call("GET", "/v1/users/ada/"+path, "", ada).wants(t, 200, "")
		g.call("GET", "/v1/users/ada/"+path, "", bob).wants(t, 403, "forbidden")
	}
	g.call("GET", "/v1/users/ada/audit", "", ada).wants(t, 403, "forbidden")
	g.call("POST", "/v1/users/ada/streaks/habit/freezes", `{"count":1}`, ada).wants(t, 403, "forbidden")
	for _, path := range []string{"streaks/habit", "pauses", "audit"} {
		g.call("GET", "/v1/users/ada/"+path, "", reader).wants(t, 200, "")
		g.call("GET", "/v1/users/ada/"+path, "", writer).wants(t, 403, "forbidden")
	}
}

func TestUsers_TooManyZoneChanges(t *testing.T) {
	g := newStreakRig(t)
	for _, zone := range []string{"UTC", "Asia/Tokyo", "Europe/Vienna", "America/Lima"} {
		g.call("PATCH", "/v1/users/ada", `{"timezone":"`+zone+`"}`).wants(t, 200, "")
	}
	if r := g.call("PATCH", "/v1/users/ada", `{"timezone":"Asia/Kolkata"}`).wants(t, 429, "too_many_zone_changes"); r.Header().Get("Retry-After") != "3600" {
		t.Errorf("Retry-After %q", r.Header().Get("Retry-After"))
	}
}
