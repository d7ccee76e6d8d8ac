package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

const (
	capillaryPath = "/api_gateway/intouch-api-v3/v3.1/leaderboards/user/381329847"
	capillaryBare = "/v3.1/leaderboards/user/381329847"
)

// newCapillaryRig has one user of the number of the reference's example, who has spent 3,000, others who spent more and less, and namesakes in other orgs.
func newCapillaryRig(t *testing.T) *rig {
	g := newDoorRig(t)
	g.call("PUT", "/v1/users/ann", `{"number":381329847,"mobile":"918781885773","email":"ann@example.com"}`).wants(t, 200, "")
	const at = "2022-11-25T21:45:05+05:30"
	g.send(did("1", "ann", "purchase", "2022-11-25T20:00:00+05:30", `,"value":1000`), did("2", "ann", "purchase", at, `,"value":2000`), did("3", "ann", "visit", at, ""),
		did("1", "bob", "purchase", at, `,"value":5000`), did("1", "cas", "purchase", at, `,"value":3000`), did("1", "dan", "purchase", at, `,"value":10`),
		did("4", "ann", "visit", "2022-11-24T21:45:05+05:30", ""), did("5", "bob", "visit", at, ""))
	for _, org := range []string{"east", "west", "rival"} {
		g.call("PUT", "/v1/users/namesake", `{"number":381329847,"email":"`+org+`@example.com","first_name":"`+org+`"}`, as(org)).wants(t, 200, "")
		g.call("POST", "/v1/activities", did("1", "namesake", "visit", at, ""), as(org)).wants(t, 201, "")
	}
	return g
}

// The example of the reference, sent as its curl would: a GET with a body.
func TestCapillary_Example(t *testing.T) {
	g := newCapillaryRig(t)
	keyID := g.call("GET", "/v1/keys", "").wants(t, 200, "").at("keys.0.id").(string)
	basic := func(r *http.Request) { r.SetBasicAuth(keyID, "sk_brand") }
	request := string(doorFile(t, "capillary_request.json"))
	before := g.asOf(t)
	want := g.call("GET", capillaryPath, request).wants(t, 200, "")
	sameShape(t, "body", doorFile(t, "capillary.json"), want.Body.Bytes())
	noNull(t, want.Body.Bytes())
	const row = `{"orgId":50711,"targetGroupId":232,"targetRuleId":366,"periodId":243,"achievedValue":3000,"rank":2,"lastActivityTime":"2022-11-25T21:45:05.000IST","totalUsersInTargetGroup":4}`
	if !strings.Contains(want.Body.String(), row) {
		t.Errorf("got %s\nwant %s…", want.Body, row)
	}
	const who = `"customerId":381329847,"userEnrichmentDetails":{"mobile":"918781885773","last_name":"","first_name":"","email":"ann@example.com"}`
	if !strings.Contains(want.Body.String(), who) {
		t.Errorf("got %s", want.Body)
	}
	if synced := want.at("data.lastSyncTime").(string); synced < before || synced > g.asOf(t) { // others of the server's commits may come between
		t.Errorf("lastSyncTime %s, before %s, after %s", synced, before, g.asOf(t))
	}
	for _, method := range []string{"GET", "POST"} {
		for _, path := range []string{capillaryPath, capillaryBare} {
			same := g.call(method, path, request, basic, header("Content-Type", "application/x-www-form-urlencoded")).wants(t, 200, "")
			same.at("data").(map[string]any)["lastSyncTime"] = want.at("data.lastSyncTime")
			if diff := cmp.Diff(want.body, same.body); diff != "" {
				t.Errorf("%s %s: %s", method, path, diff)
			}
		}
	}
}

// asOf is the instant of the last change as the native API has it, written as the door does.
func (g *rig) asOf(t *testing.T) string {
	t.Helper()
	at, err := time.Parse(time.RFC3339, g.call("GET", "/v1/leaderboards/spend/month", "").at("as_of").(string))
	must(t, err)
	return at.In(time.FixedZone("IST", 19800)).Format("2006-01-02T15:04:05.000MST")
}

func TestCapillary_Authentication(t *testing.T) {
	g := newCapillaryRig(t)
	keyID := g.call("GET", "/v1/keys", "").at("keys.0.id").(string)
	for _, c := range []struct{ user, password string }{{keyID, "sk_wrong"}, {"key_other", "sk_brand"}, {"", "sk_brand"}, {keyID, ""}, {"sk_brand", ""}} {
		r := g.call("GET", capillaryPath, "[]", func(r *http.Request) { r.SetBasicAuth(c.user, c.password) }).wants(t, 401, "")
		if r.at("errors.0.status") != false || r.at("data") != nil || r.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%v: %v %s", c, r.Header(), r.Body)
		}
	}
	g.call("GET", capillaryPath, "[]", header("Authorization", "")).wants(t, 401, "")
	made := g.call("POST", "/v1/keys", `{"name":"boards","kind":"sk","scopes":["boards:read"]}`).wants(t, 201, "")
	g.call("GET", capillaryPath, "[]", header("Authorization", "Bearer "+made.at("key").(string))).wants(t, 403, "")
}

// wanted is a body of rules: "group/rule" or "group/rule/period", with "org:" before it or not.
func wantedRules(rules ...string) string {
	var items []string
	for _, r := range rules {
		item := ""
		if org, rest, ok := strings.Cut(r, ":"); ok {
			item, r = `"orgId":`+org+`,`, rest
		}
		part := strings.Split(r, "/")
		item += fmt.Sprintf(`"targetGroupId":%s,"targetRuleId":%s`, part[0], part[1])
		if len(part) == 3 {
			item += `,"periodId":` + part[2]
		}
		items = append(items, "{"+item+"}")
	}
	return "[" + strings.Join(items, ",") + "]"
}

// notes are the texts of warnings or errors, with their codes.
func notes(r reply, of string) []string {
	list := []string{}
	for _, n := range r.at(of).([]any) {
		note := n.(map[string]any)
		text := note["message"].(string)
		if code, ok := note["code"].(float64); ok {
			text = fmt.Sprintf("%d %s %v", int(code), text, note["orgIds"])
		} else if note["code"] != nil || len(note) != 3 {
			text = fmt.Sprint(note)
		}
		if note["status"] != false {
			text += " is good"
		}
		list = append(list, text)
	}
	return list
}

// rows are the ranks of an answer: "org:group/rule/period value #rank".
func rows(r reply) []string {
	list := []string{}
	for _, n := range r.at("data.userRanks").([]any) {
		row := n.(map[string]any)
		list = append(list, fmt.Sprintf("%v:%v/%v/%v %v #%v", row["orgId"], row["targetGroupId"], row["targetRuleId"], row["periodId"], row["achievedValue"], row["rank"]))
	}
	return list
}

// Every text of the reference, letter for letter; each leaves the other rules answered.
func TestCapillary_Texts(t *testing.T) {
	g := newCapillaryRig(t)
	const good, row = "232/366/243", "50711:232/366/243 3000 #2"
	for name, c := range map[string]struct {
		rules    []string
		now      string
		rows     []string
		warnings []string
	}{
		"group":            {[]string{"999/366", good}, "", []string{row}, []string{"Target group id 999 not found or deactivated"}},
		"inactive group":   {[]string{"999001/365", good}, "", []string{row}, []string{"Target group id 999001 not found or deactivated"}},
		"no number":        {[]string{"0/0", good}, "", []string{row}, []string{"Target group id 0 not found or deactivated"}},
		"group without":    {[]string{"43879/365", good}, "", []string{row}, []string{"Leaderboard is not enabled for the target group id 43879"}},
		"rule":             {[]string{"232/999", good}, "", []string{row}, []string{"Target rule id 999 does not belong to target group id 232"}},
		"rule of another":  {[]string{"233/365", good}, "", []string{row}, []string{"Target rule id 365 does not belong to target group id 233"}},
		"no rule":          {[]string{"232/0", good}, "", []string{row}, []string{"Target rule id 0 does not belong to target group id 232"}},
		"period":           {[]string{"232/366/999", good}, "", []string{row}, []string{"Target period id 999 not found for the target id 366"}},
		"period before":    {[]string{"232/366/12", good}, "", []string{row}, []string{"Target period id 12 not found for the target id 366"}},
		"period below":     {[]string{"232/366/-1"}, "", []string{}, []string{"Target period id -1 not found for the target id 366"}},
		"period of a list": {[]string{"234/366/3", "234/366/0", "234/366/1"}, "", []string{"50711:234/366/1 3000 #2"}, []string{"Target period id 3 not found for the target id 366", "Target period id 0 not found for the target id 366"}},
		"past of a streak": {[]string{"232/400/242", "232/400"}, "", []string{"50711:232/400/243 2 #1"}, []string{"Target period id 242 not found for the target id 400"}},
		"between":          {[]string{"234/366", "234/366/1", "234/366/2"}, "2022-12-03T00:00:00Z", []string{"50711:234/366/1 3000 #2"}, []string{"No active target period found for the target id 366", "Target period id 2 not found for the target id 366"}},
		"once":             {[]string{"999/1", "999/2", good}, "", []string{row}, []string{"Target group id 999 not found or deactivated"}},
		"nothing":          {nil, "", []string{}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			if g.setClock(doorNow); c.now != "" {
				g.setClock(c.now)
			}
			r := g.call("POST", capillaryBare, wantedRules(c.rules...)).wants(t, 200, "")
			if diff := cmp.Diff([][]string{c.rows, c.warnings, {}}, [][]string{rows(r), notes(r, "warnings"), notes(r, "errors")}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A period that is past its retention is not found.
func TestCapillary_Gone(t *testing.T) {
	g := newCapillaryRig(t)
	ask := wantedRules("233/366/634", "233/366/641")
	g.setClock("2023-02-20T00:00:00Z")
	if r := g.call("POST", capillaryBare, ask).wants(t, 200, ""); !cmp.Equal(rows(r), []string{"50711:233/366/634 3000 #2"}) {
		t.Errorf("while it is kept: %s", r.Body)
	}
	g.setClock("2023-06-20T00:00:00Z")
	r := g.call("POST", capillaryBare, ask).wants(t, 200, "")
	if diff := cmp.Diff([]string{"Target period id 634 not found for the target id 366"}, notes(r, "warnings")); diff != "" || len(rows(r)) > 0 {
		t.Errorf("%v %s", rows(r), diff)
	}
}

func TestCapillary_ManyRules(t *testing.T) {
	g := newCapillaryRig(t)
	var rules []string
	for range 25 {
		rules = append(rules, "232/366")
	}
	if r := g.call("GET", capillaryPath, wantedRules(rules...)).wants(t, 200, ""); len(rows(r)) != 25 || len(notes(r, "warnings")) != 0 {
		t.Errorf("25 rules: %s", r.Body)
	}
	r := g.call("GET", capillaryPath, wantedRules(append(rules, "999/999")...)).wants(t, 200, "")
	want := []string{"Maximum number of target rules allowed is 25, only first 25 target rules will be considered"}
	if diff := cmp.Diff(want, notes(r, "warnings")); diff != "" || len(rows(r)) != 25 {
		t.Errorf("%d rows, %s", len(rows(r)), diff)
	}
}

// Periods count from 1970 on, of each cycle; the current one is that without a number.
func TestCapillary_Periods(t *testing.T) {
	g := newCapillaryRig(t)
	r := g.call("GET", capillaryPath, wantedRules("232/366", "233/366", "234/366", "232/365", "232/400")).wants(t, 200, "")
	// 2022-11-25 is day 19,321: of the 79 days that began on day 60, the 243rd; November 2022 is month 52·12+10; the list's first is 1.
	want := []string{"50711:232/366/243 3000 #2", "50711:233/366/634 3000 #2", "50711:234/366/1 3000 #2", "50711:232/365/243 2 #1", "50711:232/400/243 2 #1"}
	if diff := cmp.Diff(want, rows(r)); diff != "" {
		t.Error(diff)
	}
}

func TestCapillary_Scopes(t *testing.T) {
	g := newCapillaryRig(t)
	const all = "50712:232/365"
	for name, c := range map[string]struct {
		org, scope, orgs string
		rules            []string
		rows, errors     []string
		who              string
	}{
		"default is self":     {"brand", "", "", []string{"50711:232/366", all}, []string{"50711:232/366/243 3000 #2"}, []string{"51512 The following orgs are not part of the hierarchy [50712]"}, "ann"},
		"self":                {"brand", "SELF", "50712", []string{"232/366", all}, []string{"50711:232/366/243 3000 #2"}, []string{"51512 The following orgs are not part of the hierarchy [50712]"}, "ann"},
		"all":                 {"brand", "ALL", "", []string{"232/366", all}, []string{"50711:232/366/243 3000 #2", "50712:232/365/19321 1 #1"}, []string{}, "ann"},
		"all of some":         {"brand", "all", "50713", []string{"232/366", all}, []string{"50711:232/366/243 3000 #2"}, []string{"51512 The following orgs are not part of the hierarchy [50712]"}, "ann"},
		"other":               {"brand", "OTHER", "50712", []string{"232/365", "50711:232/366"}, []string{"50712:232/365/19321 1 #1"}, []string{"51512 The following orgs are not part of the hierarchy [50711]"}, "east"},
		"not enabled":         {"brand", "ALL", "", []string{"50713:232/365", "232/366"}, []string{"50711:232/366/243 3000 #2"}, []string{"310133 Leaderboards are not enabled for the following orgs [50713]"}, "ann"},
		"stranger":            {"brand", "ALL", "60000, 50712", []string{"60000:232/365", "1:232/365"}, []string{}, []string{"51512 The following orgs are not part of the hierarchy [1 60000]"}, "ann"},
		"a child's parent":    {"east", "ALL", "50711", []string{"50711:232/366", "232/365"}, []string{"50712:232/365/19321 1 #1"}, []string{"51512 The following orgs are not part of the hierarchy [50711]"}, "east"},
		"a child's neighbour": {"east", "ALL", "", []string{"50713:232/365"}, []string{}, []string{"51512 The following orgs are not part of the hierarchy [50713]"}, "east"},
		"nobody below":        {"rival", "ALL", "", []string{"60000:232/365"}, []string{"60000:232/365/19321 1 #1"}, []string{}, "rival"},
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			r := g.call("GET", capillaryPath, wantedRules(c.rules...), as(c.org), header("DATA-SCOPE", c.scope), header("DATA-SCOPE-ORG", c.orgs)).wants(t, 200, "")
			if diff := cmp.Diff([][]string{c.rows, c.errors}, [][]string{rows(r), notes(r, "errors")}); diff != "" {
				t.Error(diff)
			}
			if email := r.at("data.userEnrichmentDetails.email"); email != c.who+"@example.com" {
				t.Errorf("shows %v, want %s", email, c.who)
			}
		})
	}
	// A zone without letters has its offset.
	r := g.call("GET", capillaryPath, wantedRules("232/365"), as("east")).wants(t, 200, "")
	if at := r.at("data.userRanks.0.lastActivityTime"); at != "2022-11-25T13:15:05.000-03:00" {
		t.Errorf("at %v", at)
	}
}

func TestCapillary_BadRequests(t *testing.T) {
	g := newCapillaryRig(t)
	for name, c := range map[string]struct {
		path, body string
		change     func(*http.Request)
		status     int
	}{
		"unknown user":   {"/v3.1/leaderboards/user/5", "[]", header("X", ""), 404},
		"no number":      {"/v3.1/leaderboards/user/ann", "[]", header("X", ""), 400},
		"zero":           {"/v3.1/leaderboards/user/0", "[]", header("X", ""), 400},
		"no body":        {capillaryPath, "", header("X", ""), 400},
		"no JSON":        {capillaryPath, "[", header("X", ""), 400},
		"no array":       {capillaryPath, "{}", header("X", ""), 400},
		"no numbers":     {capillaryPath, `[{"targetGroupId":"a"}]`, header("X", ""), 400},
		"scope":          {capillaryPath, "[]", header("DATA-SCOPE", "EVERYTHING"), 400},
		"orgs":           {capillaryPath, "[]", header("DATA-SCOPE-ORG", "east"), 400},
		"several others": {capillaryPath, wantedRules("232/365"), header("DATA-SCOPE", "OTHER"), 400},
	} {
		r := g.call("POST", c.path, c.body, c.change).wants(t, c.status, "")
		if len(notes(r, "errors")) != 1 || len(notes(r, "warnings")) != 0 || r.at("data") != nil {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	r := g.call("PUT", capillaryPath, "[]").wants(t, 405, "")
	sameShape(t, "refusal", jsontext.Value(`{"errors":[{"code":"<unknown>","message":"","status":false}],"warnings":[]}`), r.Body.Bytes())
}
