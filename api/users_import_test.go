package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// imported sends rows of users and waits for what becomes of them.
func (g *rig) imported(kind, body string) reply {
	g.t.Helper()
	return g.finished(g.call("POST", "/v1/users/import", body, header("Content-Type", kind)).wants(g.t, 202, "").Header().Get("Location"))
}

// finished waits for the end of a job.
func (g *rig) finished(location string) reply {
	g.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		r := g.call("GET", location, "").wants(g.t, 200, "")
		if r.at("state") == "finished" {
			return r
		}
		select {
		case <-tick.C:
		case <-g.t.Context().Done():
			g.t.Fatal("not finished")
		}
	}
}

func TestUserImport_NDJSONAndCSV(t *testing.T) {
	g := newRig(t)
	g.publishFields()
	faults := func(r reply) (lines []string) {
		errors, _ := r.at("errors").([]any)
		for _, e := range errors {
			e := e.(map[string]any)
			lines = append(lines, fmt.Sprint(e["line"], " ", e["code"], " ", e["field"]))
		}
		return lines
	}
	r := g.imported("application/x-ndjson", `{"id":"ada","email":"ada@x.org","tags":["vip"],"fields":{"visits":3},"timezone":"Europe/Vienna"}

{"id":"bob","email":"ADA@x.org"}
{"id":"bob","country":"Austria"}
{"id":"","name":"N"}
{"name":"N"}
{"id":"bob","nome":"N"}
{"id":"bob"
{"id":"cid","name":"Cid","timezone":"Nowhere"}
{"id":"dee","name":null}`)
	want := []string{"3 taken email", "4 bad_request country", "5 bad_request id", "6 bad_request id", "7 bad_json nome", "8 bad_json <nil>", "9 bad_request timezone"}
	if diff := cmp.Diff(want, faults(r)); diff != "" || r.at("rows") != 9.0 || r.at("created") != 2.0 || r.at("rejected") != 7.0 {
		t.Errorf("%s\n(-want +got)\n%s", r.Body, diff)
	}
	r = g.imported("text/csv; charset=utf-8", "\uFEFFid,name,tags,fields.visits,fields.since,attributes.team,number\r\n"+
		"ada,\"Ada, L.\",vip;@Gold,4,2020,red,7\r\n"+
		"eve,,,,,,\r\n"+
		"bob,Bob,,many,,,\r\n"+
		"bob,Bob,,\r\n"+
		"bob,\"two\r\nlines\",,,,,\r\n"+
		"fay,Fay,,,,,07\r\n"+
		"eve,Eve,,,null,,8\r\n")
	want = []string{"4 bad_request fields.visits", "5 bad_row <nil>", "6 bad_request name", "8 taken number"}
	if diff := cmp.Diff(want, faults(r)); diff != "" || r.at("created") != 1.0 || r.at("updated") != 2.0 {
		t.Errorf("%s\n(-want +got)\n%s", r.Body, diff)
	}
	ada := g.call("GET", "/v1/users/ada", "")
	wantAda := map[string]any{"name": "Ada, L.", "email": "ada@x.org", "number": 7.0, "tags": []any{"vip", "@Gold"}, "fields": map[string]any{"visits": 4.0, "since": "2020"}}
	if diff := cmp.Diff(wantAda, ada.at("profile")); diff != "" || ada.at("attributes.team") != "red" || ada.at("timezone") != "Europe/Vienna" {
		t.Errorf("%s\n(-want +got)\n%s", ada.Body, diff)
	}
	if eve := g.call("GET", "/v1/users/eve", ""); eve.at("profile.fields.since") != "null" {
		t.Errorf("a cell of text: %s", eve.Body)
	}
}

func TestUserImport_Refused(t *testing.T) {
	g := newRig(t)
	csv, lines := header("Content-Type", "text/csv"), header("Content-Type", "application/x-ndjson")
	for body, field := range map[string]string{"": "", "name\nN": "id", "id,nome\n": "nome", "id,id\n": "id", "id,settings.a\n": "settings.a"} {
		if r := g.call("POST", "/v1/users/import", body, csv).wants(t, 400, "bad_request"); field != "" && r.body["field"] != field {
			t.Errorf("%q: %s", body, r.Body)
		}
	}
	g.call("POST", "/v1/users/import", `[{"id":"ada"}]`).wants(t, 415, "unsupported_media_type")
	g.call("POST", "/v1/users/import", strings.Repeat("{\"id\":\"a\"}\n", MaxItems+1), lines).wants(t, 413, "too_large")
	g.call("POST", "/v1/users/import", "id\n"+strings.Repeat("a\n", MaxItems+1), csv).wants(t, 413, "too_large")
	key := g.call("POST", "/v1/keys", `{"name":"people","kind":"sk","scopes":["users:write"]}`).wants(t, 201, "").at("key").(string)
	as := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
	made := g.call("POST", "/v1/users/import", `{"id":"ada"}`, lines, as).wants(t, 202, "")
	g.call("GET", made.Header().Get("Location"), "", as).wants(t, 200, "")
	g.call("POST", made.Header().Get("Location")+"/items", "[]").wants(t, 409, "import_closed")
}
