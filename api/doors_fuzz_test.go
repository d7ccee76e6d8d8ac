package api

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// Whatever stands in a request, a door answers it with JSON, and not with a failure of its own.
func FuzzDoors(f *testing.F) {
	for _, seed := range []string{infoExample, streakExample, wantedRules("50711:232/366/243", "232/400"), `[{"orgId":-1,"targetGroupId":1e3,"targetRuleId":0,"periodId":9007199254740993}]`,
		`{"identifier":["ann"],"date":"31/02/2022"}`, `{"identifier":"ann","days":1e400}`, `{"freezes":{"max":-1}}`, `null`, `[null]`, `{"action":{"conditions":[{"value":1e308,"action":"visit"}]}}`} {
		f.Add(seed, "ALL", "50712, 50713", "?identifier=ann&userId=ann&page=1")
	}
	g := newPersonRig(f) // one server for all: what was written stays, as it does for a door
	g.call("PATCH", "/v1/users/ann", `{"number":381329847}`)
	doors := visits(f, g)
	f.Fuzz(func(t *testing.T, body, scope, orgs, query string) {
		for _, v := range doors {
			if v.Tags[0] != "doors" || strings.HasPrefix(v.path, "/api/v1/") {
				continue
			}
			r := httptest.NewRequest(v.method, strings.NewReplacer("{userId}", "381329847", "{id}", "login").Replace(v.path), strings.NewReader(body))
			r.URL.RawQuery = strings.TrimPrefix(query, "?")
			r.Header.Set("DATA-SCOPE", scope)
			r.Header.Set("DATA-SCOPE-ORG", orgs)
			for _, with := range withKey("brand") {
				with(r)
			}
			w := httptest.NewRecorder()
			g.api.ServeHTTP(w, r)
			if w.Code >= 500 || !jsontext.Value(w.Body.Bytes()).IsValid() {
				t.Errorf("%s %s: %d %s", v.method, v.path, w.Code, w.Body)
			}
		}
	})
}
