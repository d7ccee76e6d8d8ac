package api

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newGrantsRig is that of earned things, with rewards.
func newGrantsRig(t *testing.T) *rig {
	t.Helper()
	g := newRig(t)
	for _, put := range [][2]string{
		{"wallets/coins", `{"decimals":2}`},
		{"rewards/mug", `{"name":"Mug","stock":2,"code":"MUG-########","price":{"wallet":"coins","points":2.5},"event_category":"swag"}`},
		{"rewards/raffle", `{"type":"entry","expires":"1d"}`},
		{"achievements/trio", `{"when":{"name":"commit"},"at_least":3,"grants":["mug","raffle"]}`},
	} {
		g.call("PUT", "/v1/catalog/"+put[0], put[1]).wants(t, 201, "")
	}
	g.setClock("2026-11-21T12:00:00Z")
	g.send(commit("1", "ada", "2026-11-21T08:00:00Z"), commit("2", "ada", "2026-11-21T09:00:00Z"), commit("3", "ada", "2026-11-21T10:00:00Z"), commit("1", "bob", "2026-11-21T10:00:00Z"))
	return g
}

func TestGrants_GiveClaimRedeem(t *testing.T) {
	g := newGrantsRig(t)
	const ada, bob = "/v1/users/ada/grants", "/v1/users/bob/grants"
	made := g.call("POST", bob, `{"id":"x","reward":"mug"}`).wants(t, 201, "")
	if diff := cmp.Diff(made.body, g.call("POST", bob, `{"id":"x","reward":"mug"}`).wants(t, 200, "").body); diff != "" {
		t.Errorf("sent again (-first +second)\n%s", diff)
	}
	g.call("POST", bob, `{"id":"x","reward":"raffle"}`).wants(t, 409, "grant_conflict")
	g.call("POST", ada, `{"reward":"mug"}`).wants(t, 422, "out_of_stock")
	g.call("POST", ada, `{"reward":"cap"}`).wants(t, 404, "reward_not_found")
	g.call("POST", ada, `{"reward":"mug","count":2}`).wants(t, 400, "bad_request")
	g.call("POST", ada, `{"reward":"raffle","count":0}`).wants(t, 400, "bad_request")
	g.call("POST", ada, `{"reward":"raffle","id":"coupon:1"}`).wants(t, 400, "bad_request")
	g.call("POST", "/v1/users/eve/grants", `{"reward":"raffle"}`).wants(t, 404, "user_not_found")
	if n := g.call("POST", ada, `{"reward":"raffle","count":5}`).wants(t, 201, "").at("entry_count"); n != 5. {
		t.Errorf("%v entries", n)
	}
	found := g.call("GET", "/v1/grants?code="+made.at("code").(string), "").wants(t, 200, "")
	if found.at("user") != "bob" || found.at("id") != "x" || found.at("event_category") != "swag" {
		t.Errorf("found is %v", found.body)
	}
	g.call("GET", "/v1/grants?code=MUG-AAAAAAAA", "").wants(t, 404, "grant_not_found")
	g.call("GET", "/v1/grants", "").wants(t, 400, "bad_request")
	g.call("POST", bob+"/y/claim", "").wants(t, 404, "grant_not_found")
	for step, want := range []string{"claimed", "claimed", "redeemed", "redeemed"} {
		path := bob + "/x/claim"
		if step >= 2 {
			path = bob + "/x/redeem"
		}
		if got := g.call("POST", path, "").wants(t, 200, "").at("status"); got != want {
			t.Errorf("step %d: %v, want %s", step, got, want)
		}
	}
	g.setClock("2026-11-22T10:00:00Z")
	g.call("POST", ada+"/achievement:trio:raffle/redeem", "").wants(t, 409, "grant_expired")
	if s := g.call("GET", ada+"/achievement:trio:raffle", "").wants(t, 200, "").at("status"); s != "expired" {
		t.Errorf("it is %v", s)
	}
	list := g.call("GET", "/v1/rewards", "").wants(t, 200, "")
	want := map[string]any{"reward": "mug", "name": "Mug", "type": "asset", "price": map[string]any{"wallet": "coins", "points": 2.5},
		"stock": map[string]any{"total": 2., "issued": 2., "left": 0.}}
	if diff := cmp.Diff(want, list.at("rewards.0")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestGrants_List(t *testing.T) {
	g := newGrantsRig(t)
	const path = "/v1/users/ada/rewards"
	for i, at := range []string{"2026-11-21T13:00:00Z", "2026-11-21T14:00:00Z", "2026-11-21T14:00:00Z"} {
		g.setClock(at)
		g.call("POST", "/v1/users/ada/grants", fmt.Sprintf(`{"id":"r%d","reward":"raffle"}`, i)).wants(t, 201, "")
	}
	g.call("POST", "/v1/users/ada/grants/r1/claim", "").wants(t, 200, "")
	ids := func(query string) (ids []string) {
		t.Helper()
		for next := ""; ; {
			page := g.call("GET", path+"?limit=2&before="+next+query, "").wants(t, 200, "")
			for _, row := range page.at("rewards").([]any) {
				ids = append(ids, row.(map[string]any)["id"].(string))
			}
			if page.at("next") == nil {
				if n := page.at("total"); n != float64(len(ids)) {
					t.Errorf("%s: total is %v of %d", query, n, len(ids))
				}
				return ids
			}
			next = page.at("next").(string)
			g.call("GET", path+"?sort=issued_at&reward=mug&before="+next, "").wants(t, 400, "bad_cursor")
		}
	}
	const mug, raffle = "achievement:trio:mug", "achievement:trio:raffle"
	for query, want := range map[string][]string{
		"":                      {"r2", "r1", "r0", raffle, mug},
		"&sort=issued_at":       {mug, raffle, "r0", "r1", "r2"},
		"&sort=expires_at":      {raffle, "r0", "r1", "r2", mug},
		"&sort=-expires_at":     {"r2", "r1", "r0", raffle, mug},
		"&status=claimed":       {"r1"},
		"&status=redeemed":      nil,
		"&type=asset":           {mug},
		"&by=achievement":       {raffle, mug},
		"&reward=mug&by=coupon": nil,
	} {
		if diff := cmp.Diff(want, ids(query)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", query, diff)
		}
	}
	for _, bad := range []string{"?status=gone", "?type=x", "?by=x", "?sort=x", "?limit=0"} {
		g.call("GET", path+bad, "").wants(t, 400, "bad_request")
	}
	g.call("GET", "/v1/users/eve/rewards", "").wants(t, 404, "user_not_found")
}

func TestGrants_Coupon(t *testing.T) {
	g := newGrantsRig(t)
	const buy = `{"id":"b1","user":"bob","kind":"coupon","name":"mug","meta":{"action":"redeem"},"at":"2026-11-21T12:00:00Z"}`
	g.call("POST", "/v1/activities", buy).wants(t, 422, "insufficient_points")
	g.send(`{"id":"p1","user":"bob","kind":"point","name":"coins","value":5,"meta":{"action":"increment"},"at":"2026-11-21T12:00:00Z"}`)
	bought := g.call("POST", "/v1/activities", buy).wants(t, 201, "")
	g.call("POST", "/v1/activities", buy).wants(t, 200, "")
	grant := g.call("GET", "/v1/users/bob/grants/coupon:b1", "").wants(t, 200, "")
	if diff := cmp.Diff([]any{map[string]any{"id": "coupon:b1", "reward": "mug", "status": "issued", "code": grant.at("code")}}, bought.at("effects.grants")); diff != "" {
		t.Errorf("effects (-want +got)\n%s", diff)
	}
	if grant.at("status") != "issued" || grant.at("by") != "coupon:b1" || len(grant.at("code").(string)) != len("MUG-########") {
		t.Errorf("it is %s", grant.Body)
	}
	if list := g.call("GET", "/v1/users/bob/rewards?by=coupon", "").wants(t, 200, ""); list.at("rewards.0.paid.wallet") != "coins" || list.at("rewards.0.paid.points") != 2.5 {
		t.Errorf("what was paid is missing: %s", list.Body)
	}
	const more = `{"id":"b2","user":"bob","kind":"coupon","name":"mug","meta":{"action":"redeem"},"at":"2026-11-21T12:00:00Z"}`
	g.call("POST", "/v1/activities", more).wants(t, 422, "out_of_stock")
	g.call("POST", "/v1/activities/bob/b1/reject", "").wants(t, 200, "")
	g.call("POST", "/v1/activities", more).wants(t, 201, "")
	g.call("POST", "/v1/activities/bob/b1/restore", "").wants(t, 422, "out_of_stock")
	refunded := g.call("POST", "/v1/activities", `{"id":"r2","user":"bob","kind":"coupon","name":"mug","meta":{"action":"refund","of":"b2"},"at":"2026-11-21T12:00:00Z"}`).wants(t, 201, "")
	if refunded.at("effects.grants.0.status") != "revoked" || refunded.at("effects.grants.0.id") != "coupon:b2" {
		t.Errorf("a refund answers %s", refunded.Body)
	}
}
