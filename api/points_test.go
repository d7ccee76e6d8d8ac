package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// point is an activity of kind point of ada's; rest closes its meta.
func point(id, wallet, action string, rest string) string {
	return fmt.Sprintf(`{"id":%q,"user":"ada","kind":"point","name":%q,"meta":{"action":%q%s`, id, wallet, action, rest)
}

func (g *rig) balance(t *testing.T, wallet string) (balance any) {
	t.Helper()
	return g.call("GET", "/v1/users/ada/wallets/"+wallet, "").wants(t, http.StatusOK, "").at("balance")
}

// What moves points is decided when it arrives: it is answered with what it did, stands in the wallet's rows, and can be taken back.
func TestPoints_Life(t *testing.T) {
	g := newEarnedRig(t) // ada has 8.75 coins
	r := g.call("POST", "/v1/activities", point("r", "coins", "redeem", `},"value":3.5}`)).wants(t, 201, "")
	want := []any{map[string]any{"wallet": "coins", "change": -3.5, "balance": 5.25, "earned": 8.75,
		"decided": []any{map[string]any{"type": "redeem", "amount": -3.5}}}}
	if diff := cmp.Diff(want, r.at("effects.wallets")); diff != "" {
		t.Errorf("effects (-want +got)\n%s", diff)
	}
	g.call("POST", "/v1/activities", point("r", "coins", "redeem", `},"value":3.5}`)).wants(t, 200, "") // though it would be covered again
	g.call("POST", "/v1/activities", point("all", "coins", "redeem", `},"value":5.25}`)).wants(t, 201, "")
	g.call("POST", "/v1/activities", point("all", "coins", "redeem", `},"value":5.25}`)).wants(t, 200, "") // and this would not
	g.call("POST", "/v1/activities", point("all", "coins", "redeem", `},"value":5}`)).wants(t, 409, "id_conflict")
	g.call("POST", "/v1/activities", point("more", "coins", "redeem", `},"value":0.01}`)).wants(t, 422, "insufficient_points")
	g.call("POST", "/v1/activities/ada/all/reject", "").wants(t, 200, "")
	g.call("POST", "/v1/activities", point("b", "coins", "refund", `,"of":"r"},"value":1.5}`)).wants(t, 201, "")
	g.call("POST", "/v1/activities/ada/r/reject", "").wants(t, 409, "refunded")
	g.call("POST", "/v1/activities", point("c", "coins", "refund", `,"of":"r"}}`)).wants(t, 201, "") // the rest
	g.call("POST", "/v1/activities", point("d", "coins", "refund", `,"of":"r"}}`)).wants(t, 422, "not_refundable")
	g.call("POST", "/v1/activities/ada/c/reject", "").wants(t, 200, "")
	g.call("POST", "/v1/activities", point("d", "coins", "refund", `,"of":"r"},"value":0.5}`)).wants(t, 201, "")
	g.call("POST", "/v1/activities/ada/c/restore", "").wants(t, 422, "not_refundable")
	if b := g.balance(t, "coins"); b != 7.25 {
		t.Errorf("balance %v", b)
	}
	g.call("POST", "/v1/activities", point("s", "coins", "set", `},"value":100}`)).wants(t, 201, "")
	g.call("POST", "/v1/activities", point("i", "xp", "increment", `},"value":5}`)).wants(t, 201, "")
	if coins, xp := g.balance(t, "coins"), g.balance(t, "xp"); coins != 100. || xp != 35. {
		t.Errorf("coins %v, xp %v", coins, xp)
	}
	if d := g.call("GET", "/v1/activities/ada/s", "").at("decided.rows.0"); cmp.Diff(map[string]any{"wallet": "coins", "type": "set", "amount": 92.75}, d) != "" {
		t.Errorf("recorded as %v", d)
	}
	var rows []string
	for _, row := range g.call("GET", "/v1/users/ada/wallets/coins?limit=4", "").at("rows").([]any) {
		r := row.(map[string]any)
		rows = append(rows, fmt.Sprint(r["kind"], " ", r["activity"], " ", r["type"], " ", r["amount"]))
	}
	if diff := cmp.Diff([]string{"point s set 92.75", "point r redeem -3.5", "point d refund 0.5", "point b refund 1.5"}, rows); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
}

// Each refusal has its code and field, and changes nothing.
func TestPoints_Refusals(t *testing.T) {
	g := newEarnedRig(t)
	g.call("PUT", "/v1/catalog/bounties/bug", `{"wallet":"coins","min":1,"max":5}`).wants(t, 201, "")
	g.call("PUT", "/v1/catalog/rewards/mug", `{"type":"asset","price":{"wallet":"coins","points":2}}`).wants(t, 201, "")
	g.call("PUT", "/v1/catalog/gifts/coffee", `{"cost":{"wallet":"coins","points":3}}`).wants(t, 201, "")
	kind := func(kind, name, rest string) string {
		return fmt.Sprintf(`{"user":"ada","kind":%q,"name":%q,%s}`, kind, name, rest)
	}
	for body, want := range map[string][3]any{
		kind("point", "gold", `"value":1,"meta":{"action":"increment"}`):                           {422, "unknown_wallet", "name"},
		kind("point", "coins", `"value":1`):                                                        {422, "bad_request", "meta.action"},
		kind("point", "coins", `"value":1,"meta":{"action":"spend"}`):                              {422, "bad_request", "meta.action"},
		kind("point", "coins", `"value":1,"meta":{"action":7}`):                                    {422, "bad_request", "meta.action"},
		kind("point", "coins", `"value":1,"meta":{"action":"redeem","note":"x"}`):                  {422, "bad_request", "meta.note"},
		kind("point", "coins", `"value":1,"meta":{"action":"refund"}`):                             {422, "bad_request", "meta.of"},
		kind("point", "coins", `"meta":{"action":"redeem"}`):                                       {422, "bad_request", "value"},
		kind("point", "coins", `"value":0.001,"meta":{"action":"increment"}`):                      {422, "bad_request", "value"},
		kind("point", "coins", `"value":-1,"meta":{"action":"set"}`):                               {422, "bad_request", "value"},
		kind("point", "coins", `"value":1e15,"meta":{"action":"increment"}`):                       {422, "value_out_of_range", "value"},
		kind("point", "coins", `"value":9,"meta":{"action":"redeem"}`):                             {422, "insufficient_points", nil},
		kind("point", "coins", `"meta":{"action":"refund","of":"1"}`):                              {422, "not_refundable", "meta.of"},
		kind("point", "coins", `"value":1,"at":"2026-01-01T00:00:00Z","meta":{"action":"redeem"}`): {422, "too_old", "at"},
		kind("coupon", "cup", `"meta":{"action":"redeem"}`):                                        {422, "unknown_reward", "name"},
		kind("coupon", "mug", `"value":1,"meta":{"action":"redeem"}`):                              {422, "bad_request", "value"},
		kind("gift", "tea", `"meta":{"to":"bob"}`):                                                 {422, "unknown_gift", "name"},
		kind("gift", "coffee", `"meta":{"to":"ada"}`):                                              {422, "gift_to_self", "meta.to"},
		kind("gift", "coffee", `"meta":{"to":"bob"}`):                                              {422, "user_not_found", "meta.to"},
		kind("gift", "coffee", `"meta":{}`):                                                        {422, "bad_request", "meta.to"},
		kind("bounty", "ant", `"value":2,"meta":{"action":"start"}`):                               {422, "unknown_bounty", "name"},
		kind("bounty", "bug", `"value":5.01,"meta":{"action":"start"}`):                            {422, "bad_request", "value"},
		kind("bounty", "bug", `"meta":{"action":"cancel","of":"1"}`):                               {422, "bounty_not_found", "meta.of"},
	} {
		r := g.call("POST", "/v1/activities", body).wants(t, want[0].(int), want[1].(string))
		if r.body["field"] != want[2] {
			t.Errorf("%s: field %v, want %v", body, r.body["field"], want[2])
		}
	}
	if b := g.balance(t, "coins"); b != 8.75 {
		t.Errorf("balance %v after refusals", b)
	}
}

// A bounty holds points until it is cancelled, once and by who started it.
func TestPoints_Bounty(t *testing.T) {
	g := newEarnedRig(t)
	g.call("PUT", "/v1/catalog/bounties/bug", `{"wallet":"coins","min":1,"max":5}`).wants(t, 201, "")
	act := func(user, id, rest string) string {
		return fmt.Sprintf(`{"id":%q,"user":%q,"kind":"bounty","name":"bug",%s}`, id, user, rest)
	}
	g.call("POST", "/v1/activities", act("ada", "b", `"value":4,"meta":{"action":"start"}`)).wants(t, 201, "")
	if b := g.balance(t, "coins"); b != 4.75 {
		t.Errorf("balance %v", b)
	}
	g.call("POST", "/v1/activities", act("eve", "c", `"meta":{"action":"cancel","of":"b"}`)).wants(t, 422, "bounty_not_found")
	g.call("POST", "/v1/activities", act("ada", "c", `"meta":{"action":"cancel","of":"b"}`)).wants(t, 201, "")
	g.call("POST", "/v1/activities", act("ada", "d", `"meta":{"action":"cancel","of":"b"}`)).wants(t, 422, "bounty_not_found")
	g.call("POST", "/v1/activities/ada/b/reject", "").wants(t, 409, "bounty_ended")
	g.call("POST", "/v1/activities/ada/c/reject", "").wants(t, 200, "")
	g.call("POST", "/v1/activities", act("ada", "e", `"meta":{"action":"cancel","of":"b"}`)).wants(t, 201, "")
	g.call("POST", "/v1/activities/ada/c/restore", "").wants(t, 409, "bounty_ended")
	if b := g.balance(t, "coins"); b != 8.75 {
		t.Errorf("balance %v", b)
	}
}
