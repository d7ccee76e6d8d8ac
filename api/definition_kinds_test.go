package api

import (
	"strings"
	"testing"
)

// kindsOfEarning are definitions of each kind, each after what it refers to, at the path of its kind.
func kindsOfEarning() [][2]string {
	return [][2]string{
		{"wallets", `{"id":"coins","decimals":2,"expires":{"months":12}}`},
		{"awards", `{"id":"each","when":{"name":"commit"},"wallet":"coins","points":"meta.added / 10.0"}`},
		{"rewards", `{"id":"mug","stock":3,"price":{"wallet":"coins","points":0.5}}`},
		{"levels", `{"id":"tier","wallet":"coins","steps":[{"at":5,"grants":["mug"]}]}`},
		{"achievements", `{"id":"first","all":[{"level":"tier","at_least":1}]}`},
		{"missions", `{"id":"start","needs":[{"achievement":"first"}]}`},
		{"gifts", `{"id":"kudos","gives":{"reward":"mug"}}`},
		{"bounties", `{"id":"bug","wallet":"coins"}`},
		{"kpis", `{"id":"commits","rule":"commits","targets":{"day":3}}`},
		{"target-groups", `{"id":"devs","cycle":"day","rules":["commits","daily"]}`},
		{"prizes", `{"id":"daily","rule":"commits","cycle":"day","ranks":[{"from":1,"grants":["mug"]}]}`},
		{"webhooks", `{"id":"shop","url":"https://shop.example","secret_env":"LAUREL_SECRET_SHOP"}`},
		{"hooks", `{"id":"github","activity":{"user":"body.u","name":"'commit'"}}`},
	}
}

func TestDefinitions_EveryKindOfEarning(t *testing.T) {
	g := newRig(t)
	before := g.call("GET", "/v1/catalog", "").Body.String()
	for _, k := range kindsOfEarning() {
		path := "/v1/catalog/" + k[0]
		if empty := g.call("GET", path, "").wants(t, 200, ""); empty.Body.String() != `{"`+strings.ReplaceAll(k[0], "-", "_")+`":[]}` {
			t.Errorf("%s: %s", path, empty.Body)
		}
		made := g.call("POST", path, k[1]).wants(t, 201, "")
		at := made.Header().Get("Location")
		if got := g.call("GET", at, "").wants(t, 200, ""); got.Body.String() != made.Body.String() || at != path+"/"+got.at("id").(string) {
			t.Errorf("%s: made %s, got %s", at, made.Body, got.Body)
		}
		g.call("POST", path, k[1]).wants(t, 409, "exists")
		named := g.call("PUT", at, strings.Replace(k[1], "{", `{"colour":1,`, 1)).wants(t, 422, "bad_catalog")
		if named.at("errors.0.field") != "colour" || named.at("errors.0.path") != strings.ReplaceAll(k[0], "-", "_")+"[0].colour" || named.at("errors.0.line") != 1. {
			t.Errorf("%s: %s", at, named.Body)
		}
		g.call("PUT", at, k[1]).wants(t, 200, "")
	}
	// What others refer to stays; what nobody does goes. So the reverse order takes all of it away.
	for _, kind := range []string{"wallets/coins", "rewards/mug", "levels/tier", "achievements/first", "rules/commits", "streaks/daily"} {
		g.call("DELETE", "/v1/catalog/"+kind, "").wants(t, 422, "bad_catalog")
	}
	kinds := kindsOfEarning()
	for i := len(kinds) - 1; i >= 0; i-- {
		id := strings.Split(kinds[i][1], `"`)[3]
		if r := g.call("DELETE", "/v1/catalog/"+kinds[i][0]+"/"+id, ""); r.Code != 204 {
			t.Errorf("%s/%s: %d %s", kinds[i][0], id, r.Code, r.Body)
		}
	}
	after := g.call("GET", "/v1/catalog", "").Body.String()
	for _, k := range kinds {
		after = strings.Replace(after, `"`+strings.ReplaceAll(k[0], "-", "_")+`":[],`, "", 1)
	}
	if after = strings.Replace(strings.TrimSuffix(after, `,"webhooks":[]}`)+"}", `,"wallets":[]`, "", 1); after != before {
		t.Errorf("the catalog was\n%s\nand is\n%s", before, after)
	}
}
