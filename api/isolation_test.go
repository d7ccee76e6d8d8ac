package api

import (
	"bytes"
	"cmp"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	gocmp "github.com/google/go-cmp/cmp"
)

// secret stands in everything that belongs to the org of whose data nobody else may see anything, and hidden is a score of its boards.
const (
	secret = "brand-secret"
	hidden = "9876543"
)

// newSecretRig has an org, brand, with something of everything; what names a thing has no secret in it, because an answer may name what was asked for.
func newSecretRig(t *testing.T) (g *rig, ids map[string]string) {
	g = newDoorRig(t, "Log in every day", secret, "name: Mug", "name: "+secret, "{id: xp,", "{id: xp, name: "+secret+",")
	id := func(r reply) string { return r.at("id").(string) }
	// First what has every user decided anew.
	ids = map[string]string{"pauses": id(g.call("POST", "/v1/pauses", `{"from":"2022-11-20T00:00:00Z","to":"2022-11-21T00:00:00Z","reason":"`+secret+`"}`).wants(t, 201, ""))}
	g.people(t)
	g.call("PATCH", "/v1/users/ann", `{"number":381329847,"name":"`+secret+`","first_name":"`+secret+`","settings":{"note":"`+secret+`"},"attributes":{"team":"`+secret+`"}}`).wants(t, 200, "")
	g.send(did("s1", "ann", "purchase", doorNow, `,"value":`+hidden), did("s2", secret, "purchase", doorNow, `,"value":5`), did("s3", "ann", "visit", doorNow, `,"meta":{"note":"`+secret+`"}`),
		did("s4", "ann", "like", doorNow, ""))
	g.call("POST", "/v1/activities/ann/s4/reject", `{"reason":"`+secret+`"}`).wants(t, 200, "")
	ids["keys"] = id(g.call("POST", "/v1/keys", `{"name":"`+secret+`","kind":"sk","scopes":["boards:read"]}`).wants(t, 201, ""))
	ids["imports"] = id(g.call("POST", "/v1/imports", "").wants(t, 201, ""))
	return g, ids
}

// target is a path of the document with the names of what brand has.
func target(path string, ids map[string]string) string {
	of := map[string]string{"user": "ann", "rule": "spend", "period": "month", "wallet": "xp", "mission": "settle", "userId": "381329847"}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, wild := strings.CutPrefix(part, "{")
		if name = strings.TrimSuffix(name, "}"); !wild {
			continue
		}
		value := of[name]
		if name == "id" && value == "" {
			value = map[string]string{"rules": "spend", "streaks": "login", "behaviours": "purchase", "wallets": "xp", "awards": "cashback", "levels": "tier", "achievements": "regular",
				"missions": "settle", "rewards": "mug", "target-groups": "shoppers", "keys": ids["keys"], "imports": ids["imports"], "pauses": ids["pauses"]}[parts[i-1]]
		}
		if value == "" {
			value = "s1"
		}
		parts[i] = value
	}
	return strings.Join(parts, "/")
}

// askedFor are bodies that ask for what brand has; other routes are sent the document's example.
func askedFor() map[string]string {
	const who = `"identifier":"ann@example.com","identifier_type":"email"`
	wanted := wantedRules("50711:232/366", "50711:232/365", "232/365")
	return map[string]string{
		"getRanks": `{"users":["ann","` + secret + `"]}`, "getReturningUserData": `{"idOrEmail":"ann@example.com"}`, "getReturningStats": `{` + who + `}`, "getReturningLogs": `{` + who + `}`,
		"getReturningDay": `{"identifier":["ann"],"date":"25/11/2022"}`, "getCapillaryRanks": wanted, "postCapillaryRanks": wanted,
	}
}

// visit is one operation of the document.
type visit struct {
	method, path string
	docOperation
}

// visits are all of them: what only reads comes first, what the doors are asked by POST next, and what removes last.
func visits(t testing.TB, g *rig) (list []visit) {
	for path, item := range readDocument(t, g).Paths {
		for method, op := range item {
			list = append(list, visit{strings.ToUpper(method), path, op})
		}
	}
	turn := func(v visit) int {
		switch {
		case v.method == "GET":
			return 0
		case v.method == "POST" && v.Tags[0] == "doors":
			return 1
		case v.method == "POST":
			return 2
		}
		return 3
	}
	slices.SortFunc(list, func(a, b visit) int {
		return cmp.Or(cmp.Compare(turn(a), turn(b)), cmp.Compare(a.method, b.method), cmp.Compare(a.path, b.path))
	})
	return list
}

// request asks for what brand has.
func (v *visit) request(t *testing.T, ids map[string]string) *http.Request {
	t.Helper()
	id := strings.TrimSuffix(strings.TrimSuffix(v.OperationID, "Prefixed"), "Bare")
	body := askedFor()[id]
	if v.RequestBody != nil && body == "" {
		text, err := json.Marshal(v.RequestBody.Content["application/json"].Example, json.Deterministic(true))
		must(t, err)
		body = string(text)
	}
	query := map[string]string{"getNudjUserDetails": "?userId=ann", "getReturningHistory": "?identifier=ann", "getReturningStreakLogs": "?identifier=ann"}[id]
	r := httptest.NewRequest(v.method, target(v.path, ids)+query, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// walk sends a request for every operation of the document, and gives its answer to see.
func walk(t *testing.T, g *rig, ids map[string]string, change []func(*http.Request), see func(v visit, w *httptest.ResponseRecorder)) {
	t.Helper()
	for _, v := range visits(t, g) {
		r, w := v.request(t, ids), httptest.NewRecorder()
		for _, f := range change {
			f(r)
		}
		g.api.ServeHTTP(w, r)
		see(v, w)
	}
}

// withKey has an org's key where any route may look for it.
func withKey(org string) []func(*http.Request) {
	return []func(*http.Request){as(org), header("x-api-token", "sk_"+org)}
}

func shows(body []byte) bool {
	return bytes.Contains(body, []byte(secret)) || bytes.Contains(body, []byte(hidden))
}

// The walk would notice: to the org itself most of its routes show something that is its own.
func TestIsolation_TheWalkSees(t *testing.T) {
	g, ids := newSecretRig(t)
	seen, doors := 0, map[string]bool{}
	walk(t, g, ids, append(withKey("brand"), header("DATA-SCOPE", "ALL")), func(v visit, w *httptest.ResponseRecorder) {
		if shows(w.Body.Bytes()) {
			seen++
			doors[v.OperationID] = v.Tags[0] == "doors"
		}
	})
	if seen < 35 {
		t.Errorf("only %d routes show what is brand's", seen)
	}
	for _, id := range []string{"getNudjUserDetails", "getReturningUserData", "getReturningStreakLogs", "getCapillaryRanks", "postCapillaryRanksBare"} {
		if !doors[id] {
			t.Errorf("%s shows nothing", id)
		}
	}
}

// Every route of the document, with the key of another org, shows and changes nothing of the org: of a stranger's, of a branch's that stands below it, and of
// a neighbour's.
func TestIsolation_EveryRoute(t *testing.T) {
	for _, org := range []string{"rival", "east", "west"} {
		t.Run(org, func(t *testing.T) {
			g, ids := newSecretRig(t)
			before := possessions(t, g)
			walk(t, g, ids, append(withKey(org), header("DATA-SCOPE", "ALL"), header("DATA-SCOPE-ORG", "50711")), func(v visit, w *httptest.ResponseRecorder) {
				if shows(w.Body.Bytes()) {
					t.Errorf("%s %s shows what is brand's: %d %s", v.method, v.path, w.Code, w.Body)
				}
			})
			walk(t, g, ids, append(withKey(org), header("Laurel-Org", "brand")), func(v visit, w *httptest.ResponseRecorder) {
				if len(v.Security) > 0 && w.Code != http.StatusForbidden && w.Code != http.StatusUnauthorized || shows(w.Body.Bytes()) {
					t.Errorf("%s %s in brand's name: %d %s", v.method, v.path, w.Code, w.Body)
				}
			})
			if diff := gocmp.Diff(before, possessions(t, g)); diff != "" {
				t.Errorf("brand was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// possessions is what brand has.
func possessions(t *testing.T, g *rig) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, path := range []string{"/v1/users/ann", "/v1/users/ann/activities", "/v1/users/ann/streaks", "/v1/users/ann/wallets/xp", "/v1/leaderboards/spend/month", "/v1/catalog", "/v1/keys", "/v1/pauses"} {
		r := g.call("GET", path, "").wants(t, 200, "")
		delete(r.body, "as_of")
		delete(r.body, "revision") // of the whole store
		text, err := json.Marshal(r.body, json.Deterministic(true))
		must(t, err)
		all[path] = strings.ReplaceAll(string(text), `"pending":true,`, "") // a backfill of nobody
	}
	return all
}
