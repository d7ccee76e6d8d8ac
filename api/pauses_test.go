package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const outageBody = `{"from":"2026-11-20T23:00:00+01:00","to":"2026-11-21T03:30:00Z","reason":"Der Server war weg"}`

func TestPauses(t *testing.T) {
	g := newRig(t)
	if none := g.call("GET", "/v1/pauses", "").wants(t, 200, ""); len(none.at("pauses").([]any)) != 0 {
		t.Errorf("list of none is %s", none.Body)
	}
	made := g.call("POST", "/v1/pauses", outageBody).wants(t, 201, "")
	id, _ := made.at("id").(string)
	if want := fmt.Sprintf(`{"id":%q,"from":"2026-11-20T22:00:00.000Z","to":"2026-11-21T03:30:00.000Z","reason":"Der Server war weg","created_at":%q}`, id, now); made.Body.String() != want || len(id) < 20 {
		t.Errorf("answer %s, want %s", made.Body, want)
	}
	const later = "2026-11-21T19:41:00.000Z"
	g.setClock(later)
	second := g.call("POST", "/v1/pauses", `{"from":"2026-12-24T00:00:00Z","to":"2026-12-25T00:00:00Z"}`).wants(t, 201, "")
	if second.at("id") == id || second.at("reason") != nil {
		t.Errorf("a second one is %s", second.Body)
	}
	path := "/v1/pauses/" + id
	for range 2 {
		g.call("DELETE", path, "").wants(t, 204, "")
		g.setClock("2026-11-22T00:00:00.000Z")
	}
	list := g.call("GET", "/v1/pauses", "").wants(t, 200, "")
	if list.at("pauses.0.id") != id || list.at("pauses.0.removed_at") != later || list.at("pauses.1.removed_at") != nil || list.at("pauses.2") != nil {
		t.Errorf("list is %s", list.Body)
	}
	g.call("DELETE", "/v1/pauses/none", "").wants(t, 404, "pause_not_found")
	g.setClock("2027-04-01T00:00:00.000Z")
	g.call("DELETE", "/v1/pauses/"+second.at("id").(string), "").wants(t, 410, "sealed")
	g.call("DELETE", path, "").wants(t, 204, "")
}

func TestPauses_Refused(t *testing.T) {
	g := newRig(t)
	const from, to = `"from":"2026-11-20T22:00:00Z"`, `"to":"2026-11-21T03:30:00Z"`
	for body, field := range map[string]string{
		"{" + from + "}": "to", "{" + to + "}": "from", `{"from":"yesterday",` + to + "}": "from", "{" + from + `,"to":"2026-11-21T03:30:00"}`: "to",
		"{" + from + `,"to":"2026-11-20T22:00:00Z"}`: "to", "{" + from + `,"to":"2027-02-18T22:00:00.001Z"}`: "to",
		`{"from":"2027-11-20T22:00:00Z","to":"2027-11-21T22:00:00Z"}`:           "to",
		"{" + from + "," + to + `,"reason":"` + strings.Repeat("é", 129) + `"}`: "reason", "{" + from + "," + to + `,"reason":7}`: "reason",
	} {
		if r := g.call("POST", "/v1/pauses", body).wants(t, 400, "bad_request"); r.at("field") != field {
			t.Errorf("%s: field %v", body, r.at("field"))
		}
	}
	g.call("POST", "/v1/pauses", "{"+from+","+to+`,"id":"mine"}`).wants(t, 400, "bad_json")
	g.call("POST", "/v1/pauses", "").wants(t, 400, "bad_json")
	if r := g.call("POST", "/v1/pauses", `{"from":"2026-08-01T00:00:00Z","to":"2026-08-02T00:00:00Z"}`).wants(t, 410, "sealed"); r.at("field") != "from" {
		t.Errorf("too long ago: %s", r.Body)
	}
	if list := g.call("GET", "/v1/pauses", "").wants(t, 200, ""); len(list.at("pauses").([]any)) != 0 {
		t.Errorf("something was declared: %s", list.Body)
	}
}

func TestPauses_OfOneOrg(t *testing.T) {
	g := newRig(t)
	both := func(org string) []func(*http.Request) {
		return []func(*http.Request){header("Authorization", "Bearer "+g.both), header("Laurel-Org", org)}
	}
	made := g.call("POST", "/v1/pauses", outageBody, both("shop")...).wants(t, 201, "")
	if list := g.call("GET", "/v1/pauses", "").wants(t, 200, ""); len(list.at("pauses").([]any)) != 0 {
		t.Errorf("another org has it too: %s", list.Body)
	}
	g.call("DELETE", "/v1/pauses/"+made.at("id").(string), "").wants(t, 404, "pause_not_found")
	g.call("POST", "/v1/pauses", outageBody, header("Authorization", "Bearer "+g.both)).wants(t, 400, "org_required")
	for _, method := range []string{"GET", "POST"} {
		g.call(method, "/v1/pauses", outageBody, both("empty")...).wants(t, 404, "org_not_found")
	}
	reader := g.call("POST", "/v1/keys", `{"name":"reader","kind":"sk","scopes":["users:read"]}`).wants(t, 201, "").at("key").(string)
	as := header("Authorization", "Bearer "+reader)
	g.call("GET", "/v1/pauses", "", as).wants(t, 200, "")
	g.call("POST", "/v1/pauses", outageBody, as).wants(t, 403, "forbidden")
	g.call("DELETE", "/v1/pauses/x", "", as).wants(t, 403, "forbidden")
}
