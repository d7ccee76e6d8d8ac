package catalog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/catalog"
)

func TestEarning_NotGiven(t *testing.T) {
	for source, want := range map[string][]string{
		`{"id":"o","wallets":[{"id":"xp"}],"levels":[{"id":"l","wallet":"xp","steps":[{"at":1,"name":"A"}]}]}`:                                                                                                                               nil,
		`{"id":"o","rewards":[{"id":"mug","type":"asset"}],"achievements":[{"id":"a","when":{"name":"x"},"at_least":1,"grants":["mug"]}]}`:                                                                                                   {"rewards", "grants"},
		`{"id":"o","rules":[{"id":"r","when":{"name":"x"},"value":"count","cycles":["day"]}],"achievements":[{"id":"a","rank":{"rule":"r","cycle":"day","at_most":3}}],"prizes":[{"id":"p","rule":"r","cycle":"day","ranks":[{"from":1}]}]}`: nil,
		`{"id":"o","wallets":[{"id":"xp"}],"gifts":[{"id":"hug"}],"bounties":[{"id":"bug","wallet":"xp"}]}`:                                                                                                                                  nil,
		`{"id":"o","rewards":[{"id":"mug","type":"asset"}],"gifts":[{"id":"cup","gives":{"reward":"mug"}}]}`:                                                                                                                                 {"rewards", "gifts of rewards"},
	} {
		all, err := catalog.Parse([]byte(`{"orgs":[` + source + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, all[0].NotGiven()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", source, diff)
		}
	}
}
