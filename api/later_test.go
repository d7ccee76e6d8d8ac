package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestActivities_Async: what is sent with Prefer: respond-async is answered at once, and comes to the same.
func TestActivities_Async(t *testing.T) {
	const one = `{"id":"c1","user":"ada","name":"commit","value":1.5,"meta":{"added":7}}`
	at, later := newRig(t), newRig(t)
	want := at.call("POST", "/v1/activities", one).wants(t, 201, "")
	r := later.call("POST", "/v1/activities", one, header("Prefer", `wait=5, Respond-Async; x="y"`)).wants(t, 202, "")
	if r.Header().Get("Preference-Applied") != "respond-async" || r.at("kind") != "activities" || r.at("ids.0") != "c1" {
		t.Errorf("%v %s", r.Header(), r.Body)
	}
	got := later.finished(r.Header().Get("Location"))
	if got.at("accepted") != 1.0 || got.at("rows") != 1.0 {
		t.Errorf("%s", got.Body)
	}
	result := got.at("result").(map[string]any)
	result["revision"] = want.at("revision")
	if diff := cmp.Diff(want.body, result); diff != "" {
		t.Errorf("(-at once +later)\n%s", diff)
	}

	again := later.finished(later.call("POST", "/v1/activities", one, header("Prefer", "respond-async")).wants(t, 202, "").Header().Get("Location"))
	if again.at("duplicates") != 1.0 || again.at("result.status") != "duplicate" {
		t.Errorf("%s", again.Body)
	}
	other := later.finished(later.call("POST", "/v1/activities", strings.Replace(one, "7", "8", 1), header("Prefer", "respond-async")).wants(t, 202, "").Header().Get("Location"))
	if other.at("rejected") != 1.0 || other.at("errors.0.code") != "id_conflict" || other.at("result") != nil {
		t.Errorf("%s", other.Body)
	}
	batch := later.call("POST", "/v1/activities", `[{"user":"bob","name":"commit"},{"user":"bob"},`+one+`]`, header("Prefer", "respond-async")).wants(t, 202, "")
	if ids := batch.at("ids").([]any); len(ids) != 3 || ids[0] == "" || ids[1] != "" || ids[2] != "c1" {
		t.Errorf("%s", batch.Body)
	}
	done := later.finished(batch.Header().Get("Location"))
	if done.at("accepted") != 1.0 || done.at("duplicates") != 1.0 || done.at("errors.0.code") != "missing_field" || done.at("errors.0.line") != 2.0 || done.at("errors.0.field") != "name" {
		t.Errorf("%s", done.Body)
	}

	later.call("POST", "/v1/activities", `{"user":"ada"}`, header("Prefer", "respond-async")).wants(t, 422, "missing_field")
	later.call("POST", "/v1/activities?results=some", "[]", header("Prefer", "respond-async")).wants(t, 400, "bad_request")
	later.call("POST", "/v1/activities", one, header("Prefer", "respond-asynchronously")).wants(t, 200, "")
}
