package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// arrives asks until an answer is there that somebody else's commit brings about.
func (g *rig) arrives(target string, is func(reply) bool) reply {
	g.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if r := g.call("GET", target, ""); is(r) {
			return r
		}
		select {
		case <-tick.C:
		case <-g.t.Context().Done():
			g.t.Fatal(target, " does not come")
		}
	}
}

func there(r reply) bool { return r.Code == http.StatusOK }

// What one user gives to another costs the one and reaches the other, is shown with where it comes from, and goes with what it comes from.
func TestGifts_Life(t *testing.T) {
	g := newEarnedRig(t) // ada has 8.75 coins
	g.call("PUT", "/v1/catalog/gifts/coffee", `{"cost":{"wallet":"coins","points":3},"gives":{"wallet":"coins","points":2.5}}`).wants(t, 201, "")
	g.call("PUT", "/v1/catalog/bounties/bug", `{"wallet":"coins","min":1}`).wants(t, 201, "")
	g.send(commit("1", "bob", "2026-11-21T10:00:00Z")) // 1.25 coins
	g.call("POST", "/v1/activities", `{"id":"g","user":"ada","kind":"gift","name":"coffee","meta":{"to":"bob"}}`).wants(t, 201, "")
	g.send(`{"id":"s","user":"ada","kind":"bounty","name":"bug","value":2,"meta":{"action":"start"}}`,
		`{"id":"w","user":"ada","kind":"bounty","name":"bug","meta":{"action":"award","of":"s","to":"bob"}}`)
	credit := g.arrives("/v1/activities/bob/gift:ada:g", there)
	for path, want := range map[string]any{"kind": "credit", "name": "coffee", "meta.from": "ada", "decided.rows.0.amount": 2.5, "decided.rows.0.type": "earn"} {
		if got := credit.at(path); got != want {
			t.Errorf("%s of the credit is %v, want %v", path, got, want)
		}
	}
	g.arrives("/v1/activities/bob/bounty:ada:w", there)
	var rows []string
	for _, row := range g.call("GET", "/v1/users/bob/wallets/coins?limit=2", "").wants(t, 200, "").at("rows").([]any) {
		r := row.(map[string]any)
		rows = append(rows, fmt.Sprint(r["type"], " ", r["amount"], " ", r["kind"], " ", r["name"], " from ", r["from"], ", ", r["activity"]))
	}
	want := []string{"earn 2.5 gift coffee from ada, gift:ada:g", "earn 2 bounty bug from ada, bounty:ada:w"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
	if user := g.call("GET", "/v1/users/bob?stats=month", ""); user.at("stats.gifts.total") != 1. || user.at("stats.gifts.last_month") != 1. || user.at("stats.activities.total") != 1. {
		t.Errorf("bob has %v", user.at("stats"))
	}
	g.call("POST", "/v1/activities/bob/gift:ada:g/reject", "").wants(t, 409, "credit")
	g.call("POST", "/v1/activities", `{"id":"x","user":"ada","kind":"credit","name":"coffee"}`).wants(t, 422, "bad_kind")
	g.call("POST", "/v1/activities/ada/g/reject", "").wants(t, 200, "")
	g.arrives("/v1/activities/bob/gift:ada:g", func(r reply) bool { return r.at("status") == "rejected" })
	if n := g.call("GET", "/v1/users/bob", "").at("stats.gifts.total"); n != 0. {
		t.Errorf("bob still has %v gifts", n)
	}
	if b := g.call("GET", "/v1/users/bob/wallets/coins", "").at("balance"); b != 3.25 {
		t.Errorf("bob has %v", b)
	}
	if b := g.balance(t, "coins"); b != 6.75 {
		t.Errorf("ada has %v", b)
	}
	events := g.call("GET", "/v1/events", "").wants(t, 200, "").Body.String()
	for _, event := range []string{`"type":"gift.received"`, `"user":"bob","gift":"coffee","activity":"gift:ada:g","from":"ada","wallet":"coins","amount":2.5`,
		`"user":"bob","bounty":"bug","activity":"bounty:ada:w","from":"ada","wallet":"coins","amount":2`} {
		if strings.Count(events, event) != 1 {
			t.Errorf("events tell %s %d times", event, strings.Count(events, event))
		}
	}
}

// A credit's id, which is longer than what customers may choose, can be asked for.
func TestGifts_LongIDs(t *testing.T) {
	g := newEarnedRig(t)
	g.call("PUT", "/v1/catalog/gifts/smile", `{}`).wants(t, 201, "")
	giver, id := strings.Repeat(":", 128), strings.Repeat("i", 128)
	g.send(commit("1", "bob", "2026-11-21T10:00:00Z"))
	g.send(fmt.Sprintf(`{"id":%q,"user":%q,"kind":"gift","name":"smile","meta":{"to":"bob"}}`, id, giver))
	target := "/v1/activities/bob/" + url.PathEscape("gift:"+strings.Repeat("%3A", 128)+":"+id)
	if from := g.arrives(target, there).at("meta.from"); from != giver {
		t.Errorf("from %v", from)
	}
	g.call("GET", target+"i", "").wants(t, 404, "activity_not_found")
	g.call("GET", "/v1/activities/bob/"+strings.Repeat("i", 129), "").wants(t, 400, "bad_request")
}
