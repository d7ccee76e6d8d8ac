package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

func TestActivities_OneObject(t *testing.T) {
	g := newRig(t)
	const one = `{"id":"c1","user":"ada","name":"commit","value":1.5,"meta":{"z":1,"added":7},"at":"2026-11-21T20:40:00+01:00"}`
	r := g.call("POST", "/v1/activities", one).wants(t, 201, "")
	if r.at("status") != "accepted" || r.at("id") != "c1" || r.at("activity.at") != now || r.at("activity.utc_offset") != "+01:00" {
		t.Errorf("answer is %s", r.Body)
	}
	ranks := map[any]any{}
	for _, b := range r.at("effects.boards").([]any) {
		b := b.(map[string]any)
		ranks[fmt.Sprint(b["rule"], " ", b["label"], " = ", b["value"])] = b["rank"]
	}
	for _, want := range []string{"commits 2026-11-21 = 1", "commits 2026-W47 = 1", "commits all = 1", "lines 2026-W47 = 7"} {
		if ranks[want] != 1.0 {
			t.Errorf("no effect %q with rank 1 in %v", want, ranks)
		}
	}
	if r.at("effects.streaks.0.current") != 1.0 || r.at("effects.streaks.0.extended") != true {
		t.Errorf("streak effects: %v", r.at("effects.streaks"))
	}

	again := g.call("POST", "/v1/activities", one).wants(t, 200, "")
	if again.at("status") != "duplicate" || again.at("activity.name") != "commit" || again.at("effects") != nil {
		t.Errorf("a duplicate answers %s", again.Body)
	}
	g.call("POST", "/v1/activities", strings.Replace(one, `"added":7`, `"added":8`, 1)).wants(t, 409, "id_conflict")
	reordered := strings.Replace(one, `{"z":1,"added":7}`, `{ "added":7.0, "z":1e0 }`, 1)
	g.call("POST", "/v1/activities", reordered).wants(t, 200, "")

	got := g.call("GET", "/v1/activities/ada/c1", "").wants(t, 200, "")
	if diff := cmp.Diff(map[string]any{"z": 1.0, "added": 7.0}, got.at("meta")); diff != "" {
		t.Errorf("meta differs:\n%s", diff)
	}
}

func TestActivities_OneObjectRefused(t *testing.T) {
	g := newRig(t)
	cases := map[string]struct {
		body   string
		status int
		code   string
		field  any
	}{
		"empty":             {" \n", 400, "bad_json", nil},
		"no object":         {`"x"`, 400, "bad_json", nil},
		"broken":            {`{"user":"a","name":`, 400, "bad_json", "name"},
		"unknown member":    {`{"user":"a","name":"commit","usr":1}`, 400, "bad_json", "usr"},
		"other case":        {`{"User":"a","name":"commit"}`, 400, "bad_json", "User"},
		"duplicate member":  {`{"user":"a","name":"commit","user":"b"}`, 400, "bad_json", "user"},
		"nested duplicate":  {`{"user":"a","name":"commit","meta":{"x":{"y":1,"y":2}}}`, 400, "bad_json", "meta.x.y"},
		"NaN":               {`{"user":"a","name":"commit","value":NaN}`, 400, "bad_json", "value"},
		"trailing":          {`{"user":"a","name":"commit"} {}`, 400, "bad_json", nil},
		"lone surrogate":    {`{"user":"a","name":"\ud800"}`, 400, "bad_json", "name"},
		"no UTF-8":          {"{\"user\":\"a\",\"name\":\"\xff\"}", 400, "bad_json", "name"},
		"no user":           {`{"name":"commit"}`, 422, "missing_field", "user"},
		"too large a value": {`{"user":"a","name":"commit","value":1e300}`, 422, "value_out_of_range", "value"},
		"bad time":          {`{"user":"a","name":"commit","at":"2026-11-21"}`, 422, "bad_time", "at"},
		"no such kind":      {`{"user":"a","kind":"credit","name":"commit"}`, 422, "bad_kind", "kind"},
		"no such wallet":    {`{"user":"a","kind":"point","name":"gold","value":1,"meta":{"action":"increment"}}`, 422, "unknown_wallet", "name"},
		"unknown behaviour": {`{"user":"a","name":"push"}`, 422, "unknown_behaviour", "name"},
		"too old":           {`{"user":"a","name":"commit","at":"2026-01-01T00:00:00Z"}`, 422, "too_old", "at"},
		"in the future":     {`{"user":"a","name":"commit","at":"2026-11-21T20:00:00Z"}`, 422, "in_future", "at"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := g.call("POST", "/v1/activities", c.body).wants(t, c.status, c.code)
			if r.body["field"] != c.field {
				t.Errorf("field is %v, want %v", r.body["field"], c.field)
			}
		})
	}
	if r := g.call("GET", "/v1/leaderboards/commits/all", ""); r.at("total") != 0.0 {
		t.Errorf("a refused activity left a trace: %s", r.Body)
	}
	shop := []func(*http.Request){header("Authorization", "Bearer "+g.both), header("Laurel-Org", "shop")}
	g.call("POST", "/v1/activities", `{"user":"a","name":"order","value":1}`, shop...).wants(t, 422, "user_not_found")
}

func TestActivities_Batch(t *testing.T) {
	g := newRig(t)
	body := "[" + strings.Join([]string{commit("a", "ada", now), `{"id":"b","user":"ada","name":"commit","x":1}`, commit("a", "ada", now),
		`{"id":"d","user":"bob","name":"push"}`, `{"user":"bob","name":"commit","value":NaN}`, `{"id":"e","user":"eve","name":"commit"}`}, ",") + "]"
	r := g.call("POST", "/v1/activities", body).wants(t, 200, "")
	type result struct{ index, id, status, code, field any }
	var got []result
	for _, x := range r.at("results").([]any) {
		one := reply{body: x.(map[string]any)}
		got = append(got, result{one.at("index"), one.at("id"), one.at("status"), one.at("error.code"), one.at("error.field")})
	}
	want := []result{{1.0, "b", "rejected", "bad_json", "x"}, {2.0, "a", "duplicate", nil, nil},
		{3.0, "d", "rejected", "unknown_behaviour", "name"}, {4.0, nil, "rejected", "bad_json", "value"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(result{})); diff != "" {
		t.Errorf("results differ:\n%s", diff)
	}
	if r.at("accepted") != 2.0 || r.at("duplicates") != 1.0 || r.at("rejected") != 3.0 || r.at("ignored") != 0.0 {
		t.Errorf("counts of %s", r.Body)
	}
	if all := g.call("POST", "/v1/activities?results=all", body); len(all.at("results").([]any)) != 6 {
		t.Errorf("results=all shows %s", all.Body)
	}
	g.call("POST", "/v1/activities?results=some", body).wants(t, 400, "bad_request")
	if empty := g.call("POST", "/v1/activities", "[]").wants(t, 200, ""); empty.at("accepted") != 0.0 {
		t.Errorf("an empty array: %s", empty.Body)
	}
}

func TestActivities_BrokenArrayStoresNothing(t *testing.T) {
	g := newRig(t)
	good := commit("a", "ada", now)
	for _, body := range []string{"[" + good, "[" + good + ",", "[" + good + ",]", "[" + good + "]]", "[" + good + "] x", "[" + good + ",{]",
		"[" + good + `,{"user":}]`, "[" + good + `,"open]`, "[" + good + ",{bad}]", "[," + good + "]", "[" + good + " " + good + "]"} {
		g.call("POST", "/v1/activities", body).wants(t, 400, "bad_json")
	}
	if r := g.call("GET", "/v1/leaderboards/commits/all", ""); r.at("total") != 0.0 {
		t.Errorf("a broken array left a trace: %s", r.Body)
	}
}

func TestActivities_NDJSON(t *testing.T) {
	g := newRig(t)
	body := "\n" + commit("a", "ada", now) + "\r\n\n{broken\n" + commit("b", "bob", now) + "\n[]\n"
	r := g.call("POST", "/v1/activities", body, header("Content-Type", "application/x-ndjson; charset=UTF-8")).wants(t, 200, "")
	if r.at("accepted") != 2.0 || r.at("rejected") != 2.0 || r.at("results.0.index") != 1.0 || r.at("results.0.error.code") != "bad_json" {
		t.Errorf("answer is %s", r.Body)
	}
}

func TestActivities_Limits(t *testing.T) {
	g := newRig(t)
	item := commit("a", "ada", now)
	items := func(n int, sep string) string { return strings.Repeat(item+sep, n-1) + item }
	ndjson := header("Content-Type", "application/x-ndjson")
	g.call("POST", "/v1/activities", "["+items(MaxItems+1, ",")+"]").wants(t, 413, "too_large")
	g.call("POST", "/v1/activities", items(MaxItems+1, "\n"), ndjson).wants(t, 413, "too_large")
	g.call("POST", "/v1/activities", strings.Repeat(" ", MaxBody+1)).wants(t, 413, "too_large")
	unknownLength := func(r *http.Request) { r.ContentLength = -1 }
	g.call("POST", "/v1/activities", strings.Repeat(" ", MaxBody+1), unknownLength).wants(t, 413, "too_large")
	if r := g.call("GET", "/v1/leaderboards/commits/all", ""); r.at("total") != 0.0 {
		t.Errorf("a request over a limit left a trace: %s", r.Body)
	}
	if r := g.call("POST", "/v1/activities", items(MaxItems, "\n"), ndjson).wants(t, 200, ""); r.at("duplicates") != float64(MaxItems-1) {
		t.Errorf("as many items as allowed: %.200s", r.Body)
	}
}

func TestActivities_ContentTypesAndEncodings(t *testing.T) {
	g := newRig(t)
	item := commit("a", "ada", now)
	packed := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.String()
	}
	gz := header("Content-Encoding", "gzip")
	g.call("POST", "/v1/activities", item, header("Content-Type", "text/plain")).wants(t, 415, "unsupported_media_type")
	g.call("POST", "/v1/activities", item, header("Content-Type", "application/json; charset=latin1")).wants(t, 415, "unsupported_media_type")
	g.call("POST", "/v1/activities", item, header("Content-Encoding", "br")).wants(t, 415, "unsupported_media_type")
	g.call("POST", "/v1/activities", item, gz).wants(t, 400, "bad_request")
	g.call("POST", "/v1/activities", packed(item)[:20], gz).wants(t, 400, "bad_request")
	g.call("POST", "/v1/activities", packed(strings.Repeat(" ", MaxBody+1)), gz).wants(t, 413, "too_large")
	g.call("POST", "/v1/activities", packed(item), gz).wants(t, 201, "")
}

func TestActivities_RejectAndRestore(t *testing.T) {
	g := newRig(t)
	odd := "org/one é" // must survive the path
	g.send(fmt.Sprintf(`{"id":"a/1","user":%q,"name":"commit"}`, odd))
	path := "/v1/activities/org%2Fone%20%C3%A9/a%2F1"
	for range 2 {
		r := g.call("POST", path+"/reject", `{"reason":"fraud"}`).wants(t, 200, "")
		if r.at("status") != "rejected" || r.at("reason") != "fraud" || r.at("user") != odd {
			t.Errorf("answer is %s", r.Body)
		}
	}
	if r := g.call("GET", "/v1/leaderboards/commits/all", ""); r.at("total") != 0.0 {
		t.Errorf("a rejected activity counts: %s", r.Body)
	}
	g.call("POST", path+"/restore", "").wants(t, 200, "")
	if r := g.call("GET", "/v1/leaderboards/commits/all", ""); r.at("total") != 1.0 {
		t.Errorf("a restored activity does not count: %s", r.Body)
	}
	g.call("POST", path+"/reject", "").wants(t, 200, "")
	g.call("POST", path+"/reject", `{"why":1}`).wants(t, 400, "bad_json")
	g.call("POST", path+"/reject", `{"reason":"`+strings.Repeat("x", 257)+`"}`).wants(t, 400, "bad_request")
	g.call("POST", "/v1/activities/org%2Fone%20%C3%A9/none/reject", "").wants(t, 404, "activity_not_found")
	g.call("GET", "/v1/activities/nobody/none", "").wants(t, 404, "user_not_found")
	g.call("GET", "/v1/activities/%FF/none", "").wants(t, 400, "bad_request")
	g.call("GET", "/v1/activities/ada/a%0Ab", "").wants(t, 400, "bad_request")
}

func TestImports(t *testing.T) {
	g := newRig(t)
	made := g.call("POST", "/v1/imports", "").wants(t, 201, "")
	path := "/v1/imports/" + made.at("id").(string)
	if made.at("state") != "open" || made.Header().Get("Location") != path {
		t.Errorf("answer is %s", made.Body)
	}
	old := commit("a", "ada", "2025-03-01T00:00:00Z")
	if r := g.call("POST", path+"/items", old).wants(t, 200, ""); r.at("accepted") != 1.0 {
		t.Errorf("an old activity in an import: %s", r.Body)
	}
	g.call("POST", path+"/items", "["+old+",{}]").wants(t, 200, "")
	g.call("POST", path+"/items", "[").wants(t, 400, "bad_json")
	r := g.call("POST", path+"/close", "").wants(t, 200, "")
	if r.at("state") != "closed" || r.at("accepted") != 1.0 || r.at("duplicates") != 1.0 || r.at("rejected") != 1.0 {
		t.Errorf("closed: %s", r.Body)
	}
	g.call("POST", path+"/items", "["+old+"]").wants(t, 409, "import_closed")
	g.call("GET", path, "").wants(t, 200, "")
	g.call("GET", "/v1/imports/none", "").wants(t, 404, "import_not_found")
	g.call("POST", "/v1/imports/none/items", "[]").wants(t, 404, "import_not_found")
}

// broken is a write path whose store fails in the middle of a batch.
type broken struct {
	Writes
	report ingest.Report
	err    error
}

func (b broken) Submit(context.Context, activity.Org, []ingest.Item, ingest.SubmitOptions) (ingest.Report, error) {
	return b.report, b.err
}

func TestActivities_StoreFailsMidway(t *testing.T) {
	down := fmt.Errorf("dial 10.0.0.7: %w", store.ErrUnavailable)
	outcomes := []ingest.Outcome{{ID: "a", Status: "accepted"}, {ID: "b"}, {ID: "c", Status: "rejected", Err: &ingest.ItemError{Code: "too_old"}}}
	g := newRig(t, func(o *Options) {
		o.Writes = broken{Writes: o.Writes, report: ingest.Report{Outcomes: outcomes, Accepted: 1, Rejected: 1}, err: down}
	})
	r := g.call("POST", "/v1/activities", "[{},{},{}]").wants(t, 503, "unavailable")
	if r.Header().Get("Retry-After") == "" || r.at("accepted") != 1.0 || r.at("results.0.id") != "a" || r.at("results.1.index") != 2.0 {
		t.Errorf("answer is %s", r.Body)
	}
	if strings.Contains(r.Body.String(), "10.0.0.7") {
		t.Error("internal text reached the client")
	}
	busy := newRig(t, func(o *Options) { o.Writes = broken{Writes: o.Writes, err: ingest.ErrOverloaded} })
	if r := busy.call("POST", "/v1/activities", "[]").wants(t, 429, "overloaded"); r.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
