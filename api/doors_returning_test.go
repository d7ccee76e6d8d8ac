package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

const (
	infoPath    = "/apis/v1/users/info"
	infoExample = `{
    "idOrEmail": "johndoe@gmail.com",
    "customFields": [
        "revenue",
        "custom_date"
    ]
}`
)

// The reference's example, as its curl sends it, for a user with the same profile.
func TestReturning_Example(t *testing.T) {
	g := newDoorRig(t)
	g.call("PUT", "/v1/users/66f178cs5df0d84eb50c1e6b", `{"username":"johndoe","email":"johndoe@gmail.com","external_id":"1243","first_name":"John","last_name":"Doe","language":"en","tags":["@Gold"]}`).wants(t, 200, "")
	g.send(did("1", "66f178cs5df0d84eb50c1e6b", "message", doorNow, ""))
	for _, prefix := range []string{"", "/api/v1"} {
		w := g.curl("POST", prefix+infoPath, infoExample, "Authorization", "Bearer sk_brand", "Content-Type", "application/json")
		if w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
		sameShape(t, "body", doorFile(t, "returning.json"), w.Body.Bytes())
		noNull(t, w.Body.Bytes())
		want := `{"status":"success","data":{"_id":"66f178cs5df0d84eb50c1e6b","userId":"1243","username":"johndoe","xp":5,"coins":0,"roles":["@all","@Gold"],"highestRole":"@Gold","firstName":"John",` +
			`"lastName":"Doe","xpEarnedToday":5,"coinsEarnedToday":0,"language":"English","totalMessages":1,"totalReactions":0,"visitCount":0,"replySent":0,"timeSpent":0,"loginStreak":0,` +
			`"customFields":{},"tags":[]}}`
		if diff := cmp.Diff(want, w.Body.String()); diff != "" {
			t.Error(diff)
		}
	}
}

// Everything that is known of ann; today is hers: in New York 25 November begins at 10:30 in Kolkata.
func TestReturning_Info(t *testing.T) {
	g := newPersonRig(t)
	const want = `{"_id":"ann","userId":"1243","username":"annie","xp":38,"coins":19.3,"roles":["@all","@Silver","@Gold","@Odd"],"highestRole":"@Gold","firstName":"Ann","lastName":"Bee",
		"xpEarnedToday":23,"coinsEarnedToday":19.3,"language":"English","totalMessages":2,"totalReactions":1,"visitCount":2,"replySent":1,"timeSpent":120,"loginStreak":2,
		"customFields":{"revenue":12.5},"tags":["early"]}`
	for _, who := range []string{"ann", "ann@example.com"} {
		r := g.call("POST", infoPath, `{"idOrEmail":"`+who+`","customFields":["revenue","level","none"],"more":1}`).wants(t, 200, "")
		if diff := cmp.Diff(decoded(t, want), r.at("data")); diff != "" {
			t.Errorf("%s: %s", who, diff)
		}
	}
	g.setClock("2022-11-26T10:31:00+05:30") // midnight has passed
	r := g.call("POST", infoPath, `{"idOrEmail":"ann"}`).wants(t, 200, "")
	if r.at("data.xpEarnedToday") != 0.0 || r.at("data.coinsEarnedToday") != 0.0 || r.at("data.xp") != 38.0 {
		t.Error(r.Body)
	}
	bob := g.call("POST", infoPath, `{"idOrEmail":"bob"}`).wants(t, 200, "")
	sameShape(t, "bob", doorFile(t, "returning.json"), bob.Body.Bytes())
	if bob.at("data.highestRole") != "@all" || bob.at("data.userId") != "bob" {
		t.Error(bob.Body)
	}
}

func TestReturning_Refusals(t *testing.T) {
	g := newPersonRig(t)
	made := g.call("POST", "/v1/keys", `{"name":"boards","kind":"sk","scopes":["boards:read"]}`).wants(t, 201, "").at("key").(string)
	none := header("X", "")
	for name, c := range map[string]struct {
		body    string
		change  func(*http.Request)
		status  int
		message string
	}{
		"no token":     {infoExample, header("Authorization", ""), 401, "Invalid token"},
		"bad token":    {infoExample, header("Authorization", "Bearer x"), 401, "Invalid token"},
		"permission":   {infoExample, header("Authorization", "Bearer "+made), 401, "Insufficient permission"},
		"unknown":      {infoExample, none, 404, "Record Not Found"},
		"unknown id":   {`{"idOrEmail":"nobody"}`, none, 404, "Record Not Found"},
		"nobody":       {`{}`, none, 404, "Record Not Found"},
		"another's":    {`{"idOrEmail":"namesake"}`, none, 404, "Record Not Found"},
		"no JSON":      {`{`, none, 400, "This is not JSON, at byte 1."},
		"another type": {`{"idOrEmail":5}`, none, 400, "This is not of the expected type: idOrEmail."},
	} {
		r := g.call("POST", infoPath, c.body, c.change).wants(t, c.status, "")
		if diff := cmp.Diff(map[string]any{"status": "error", "message": c.message}, r.body); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if r := g.call("POST", infoPath, `{"idOrEmail":"ann"}`, header("Authorization", "Bearer "+g.both)).wants(t, 400, ""); !strings.Contains(r.at("message").(string), "Laurel-Org") {
		t.Errorf("a key of several orgs: %s", r.Body)
	}
	g.call("POST", infoPath, `{"idOrEmail":"ann"}`, header("Authorization", "Bearer "+g.both), header("Laurel-Org", "shop")).wants(t, 404, "")
	// The permission of that server is a scope here.
	named := g.call("POST", "/v1/keys", `{"name":"data","kind":"sk","scopes":["Get User Data"]}`).wants(t, 201, "").at("key").(string)
	g.call("POST", infoPath, `{"idOrEmail":"ann"}`, header("Authorization", "Bearer "+named)).wants(t, 200, "")
}

// By ann's dates: on the 24th (hers) she came, and wrote the next morning in Kolkata; the rest was on the 25th.
func TestReturning_Days(t *testing.T) {
	g := newPersonRig(t)
	r := g.call("POST", "/apis/v1/users/activity/stats", `{"identifier":"ann@example.com","identifier_type":"email","days":3}`).wants(t, 200, "")
	want := `{"status":"success","message":"User gamification stats fetched successfully","data":{"user_id":"ann","range":{"start_date":"2022-11-23","end_date":"2022-11-25"},
		"totals":{"messages":2,"replies":1,"reaction":1,"socials":0},"daily_stats":[{"date":"2022-11-25","messages":1,"replies":0,"reaction":1,"socials":0},
		{"date":"2022-11-24","messages":1,"replies":1,"reaction":0,"socials":0},{"date":"2022-11-23","messages":0,"replies":0,"reaction":0,"socials":0}]}}`
	if diff := cmp.Diff(decoded(t, want), r.body); diff != "" {
		t.Error(diff)
	}
	r = g.call("GET", "/apis/v1/users/activity/daily?identifier=ann%40example.com&identifier_type=email&days=2", "").wants(t, 200, "")
	want = `{"status":"success","message":"User gamification stats fetched successfully","data":{"user_id":"ann","range":{"start_date":"2022-11-24","end_date":"2022-11-25"},
		"totals":{"coins":19.3,"xp":28},"daily_stats":[{"date":"2022-11-25","coins":19.3,"xp":23},{"date":"2022-11-24","coins":0,"xp":5}]}}`
	if diff := cmp.Diff(decoded(t, want), r.body); diff != "" {
		t.Error(diff)
	}
	r = g.call("POST", "/apis/v1/users/activity/daily", `{"identifier":["ann@example.com","no@example.com","no"],"identifier_type":"email","date":"23/11/2022"}`).wants(t, 200, "")
	want = `{"status":"success","message":"User gamification stats fetched successfully","data":{"date":"23/11/2022","pagination":{"page":1,"limit":50,"total":3,"total_pages":1,"found":1},
		"results":[{"identifier":"ann@example.com","user_id":"ann","date":"23/11/2022","coins":0,"xp":10}]}}`
	if diff := cmp.Diff(decoded(t, want), r.body); diff != "" {
		t.Error(diff)
	}
	r = g.call("POST", "/apis/v1/users/activity/logs", `{"identifier":"ann","page":2,"limit":4}`).wants(t, 200, "")
	want = `{"page":2,"limit":4,"total":9,"total_pages":3,"found":4}`
	if diff := cmp.Diff(decoded(t, want), r.at("data.pagination")); diff != "" {
		t.Error(diff)
	}
	first := g.call("POST", "/apis/v1/users/activity/logs", `{"identifier":"annie","identifier_type":"username","limit":1}`).wants(t, 200, "")
	want = `{"date":"2022-11-25T15:50:00.000Z","currency":"coins","type":"earn","amount":12.3,"source":"award","source_id":"cashback","activity_id":"p1"}`
	if diff := cmp.Diff(decoded(t, want), first.at("data.logs.0")); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{`{"identifier":"ann","days":91}`, `{"identifier":"ann","identifier_type":"phone"}`, `{"identifier":"ann","days":-1}`} {
		g.call("POST", "/apis/v1/users/activity/stats", bad).wants(t, 400, "")
	}
	g.call("POST", "/apis/v1/users/activity/logs", `{"identifier":"ann","page":-1}`).wants(t, 400, "")
	g.call("POST", "/apis/v1/users/activity/daily", `{"identifier":["ann"],"date":"2022-11-23"}`).wants(t, 400, "")
	g.call("GET", "/apis/v1/users/activity/daily?identifier=nobody", "").wants(t, 404, "")
}

// What a rejected activity gave is gone here too.
func TestReturning_RejectedIsGone(t *testing.T) {
	g := newPersonRig(t)
	g.call("POST", "/v1/activities/ann/m2/reject", "").wants(t, 200, "")
	r := g.call("POST", infoPath, `{"idOrEmail":"ann"}`)
	if r.at("data.xp") != 33.0 || r.at("data.xpEarnedToday") != 18.0 || r.at("data.totalMessages") != 1.0 {
		t.Error(r.Body)
	}
	if r := g.call("POST", "/apis/v1/users/activity/stats", `{"identifier":"ann"}`); r.at("data.totals.messages") != 1.0 {
		t.Error(r.Body)
	}
}

const streakExample = `{
"name": "Daily Activity Streak",
"timezone": "utc_gmt",
"startDate": "2026-04-07",
"timeframe": {"value": "daily", "count": 1},
"action": {"operator": "and", "conditions": [{"_id": "1234", "action": "messages", "value": 1, "isCustomField": false}]},
"activeDaysType": "custom",
"activeDays": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
}`

func TestReturning_Streaks(t *testing.T) {
	g := newPersonRig(t)
	const all = "/apis/v1/streaks"
	made := g.call("POST", all, streakExample).wants(t, 201, "")
	want := `{"_id":"daily-activity-streak","name":"Daily Activity Streak","timezone":"utc_gmt","timeframe":{"value":"daily","count":1},
		"action":{"operator":"and","conditions":[{"_id":"1","action":"messages","value":1,"isCustomField":false}]},"activeDaysType":"custom",
		"activeDays":["Monday","Tuesday","Wednesday","Thursday","Friday"],"order":3}`
	if diff := cmp.Diff(decoded(t, want), made.at("data")); diff != "" {
		t.Error(diff)
	}
	native := g.call("GET", "/v1/streaks/daily-activity-streak", "").wants(t, 200, "")
	want = `{"id":"daily-activity-streak","name":"Daily Activity Streak","when":{"name":"message"},"target":1,"unit":"day","timezone":"UTC","active_days":["mon","tue","wed","thu","fri"]}`
	if diff := cmp.Diff(decoded(t, want), native.body); diff != "" {
		t.Error(diff)
	}
	if again := g.call("POST", all, streakExample).wants(t, 201, ""); again.at("data._id") != "daily-activity-streak-2" {
		t.Error(again.Body)
	}
	// Settings stay when the rest is replaced; the id may stand in the body, as in the reference's example, whose path has none.
	settings := g.call("PUT", all+"/daily-activity-streak/settings", `{"grace":"6h","freezes":{"initial":1,"max":2}}`).wants(t, 200, "")
	if diff := cmp.Diff(decoded(t, `{"grace":"6h","freezes":{"initial":1,"max":2}}`), settings.at("data")); diff != "" {
		t.Error(diff)
	}
	change := strings.NewReplacer(`"count": 1`, `"count": 2`, `"weekly"`, `"daily"`, `"and"`, `"or"`, `"custom"`, `"all"`, `"isCustomField": false}`, `"isCustomField": false}, {"action":"clap","value":3}`)
	for path, body := range map[string]string{all + "/daily-activity-streak": change.Replace(streakExample), all + "/": `{"_id":"daily-activity-streak",` + change.Replace(streakExample)[1:]} {
		r := g.call("PUT", path, body).wants(t, 200, "")
		want = `{"_id":"daily-activity-streak","name":"Daily Activity Streak","timezone":"utc_gmt","startDate":"2026-04-07","timeframe":{"value":"daily","count":2},
			"action":{"operator":"or","conditions":[{"_id":"1","action":"messages","value":1,"isCustomField":false},{"_id":"2","action":"clap","value":3,"isCustomField":false}]},
			"activeDaysType":"all","activeDays":[],"order":3}`
		if diff := cmp.Diff(decoded(t, want), r.at("data")); diff != "" {
			t.Error(diff)
		}
	}
	if r := g.call("PUT", all+"/daily-activity-streak/settings", `{"grace":null}`).wants(t, 200, ""); r.at("data.grace") != nil || r.at("data.freezes.max") != 2.0 {
		t.Error(r.Body)
	}
	list := g.call("GET", all+"?page=2&limit=3", "").wants(t, 200, "")
	if list.at("data.0._id") != "daily-activity-streak-2" || len(list.at("data").([]any)) != 1 {
		t.Error(list.Body)
	}
	if diff := cmp.Diff(decoded(t, `{"total":4,"currentPage":2,"totalPages":2,"hasNextPage":false,"hasPrevPage":true}`), list.at("pagination")); diff != "" {
		t.Error(diff)
	}
	g.call("DELETE", all+"/daily-activity-streak-2", "").wants(t, 200, "")
	g.call("DELETE", all+"/daily-activity-streak-2", "").wants(t, 404, "")
	if r := g.call("DELETE", all+"/login", "").wants(t, 400, ""); !strings.Contains(r.at("message").(string), "login") { // others rest on it
		t.Error(r.Body)
	}
}

func TestReturning_StreaksAreChecked(t *testing.T) {
	g := newPersonRig(t)
	for name, change := range map[string][2]string{
		"name":       {`"Daily Activity Streak"`, `""`},
		"zone":       {`"utc_gmt"`, `"Moon/Base"`},
		"timeframe":  {`"daily"`, `"yearly"`},
		"months":     {`"daily", "count": 1`, `"monthly", "count": 2`},
		"operator":   {`"and"`, `"xor"`},
		"behaviour":  {`"messages"`, `"flying"`},
		"custom":     {`"isCustomField": false`, `"isCustomField": true`},
		"value":      {`"value": 1`, `"value": 0`},
		"weekday":    {`"Monday"`, `"Moonday"`},
		"conditions": {`[{"_id": "1234", "action": "messages", "value": 1, "isCustomField": false}]`, `[]`},
		"no days":    {`["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]`, `[]`},
	} {
		body := strings.Replace(streakExample, change[0], change[1], 1)
		r := g.call("POST", "/apis/v1/streaks", body).wants(t, 400, "")
		if body == streakExample || r.at("message") == "" {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	if r := g.call("PUT", "/apis/v1/streaks/login/settings", `{"grace":"5 years"}`).wants(t, 400, ""); !strings.Contains(r.at("message").(string), "grace") {
		t.Error(r.Body)
	}
	g.call("PUT", "/apis/v1/streaks/none/settings", `{}`).wants(t, 404, "")
	g.call("GET", "/apis/v1/streaks/none/settings", "").wants(t, 404, "")
	g.call("PUT", "/apis/v1/streaks/none", streakExample).wants(t, 404, "")
	if list := g.call("GET", "/apis/v1/streaks", "").wants(t, 200, ""); list.at("pagination.total") != 2.0 {
		t.Errorf("something was changed: %s", list.Body)
	}
}

// A streak that the shape cannot write whole is still shown.
func TestReturning_StreaksOfTheCatalog(t *testing.T) {
	g := newPersonRig(t)
	for i, definition := range []string{
		`{"id":"a","unit":"month","when":{"kind":"behaviour"}}`,
		`{"id":"b","unit":{"every":"14d","from":"2026-01-05"},"timezone":{"user":"Europe/Paris"},"any":[{"when":{"name":["like","clap"]},"value":"count","at_least":2},{"when":{"name":"visit"},"value":{"sum":"meta.seconds"},"at_least":60}]}`,
	} {
		g.call("POST", "/v1/streaks", definition).wants(t, 201, "")
		want := []string{
			`{"_id":"a","name":"a","timezone":"user","timeframe":{"value":"monthly","count":1},"action":{"operator":"and","conditions":[{"_id":"1","action":"any","value":1,"isCustomField":false}]},"activeDaysType":"all","activeDays":[],"order":3}`,
			`{"_id":"b","name":"b","timezone":"user","startDate":"2026-01-05","timeframe":{"value":"weekly","count":2},"action":{"operator":"or","conditions":[{"_id":"1","action":"reaction","value":2,"isCustomField":false},` +
				`{"_id":"2","action":"visit","value":60,"isCustomField":false}]},"activeDaysType":"all","activeDays":[],"order":4}`}[i]
		if diff := cmp.Diff(decoded(t, want), g.call("GET", "/apis/v1/streaks", "").at(fmt.Sprint("data.", i+2))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReturning_StreakLogs(t *testing.T) {
	g := newPersonRig(t)
	r := g.call("GET", "/apis/v1/streaks/logs?identifier=ann", "").wants(t, 200, "")
	want := jsontext.Value(`{"status":"success","message":"Streak logs fetched successfully","data":[
		{"streakId":"login","streakName":"Log in every day","userId":"ann","period":"2022-11-25","status":"met","value":1,"target":1,"currentStreak":2,"longestStreak":2},
		{"streakId":"login","streakName":"Log in every day","userId":"ann","period":"2022-11-24","status":"met","value":1,"target":1,"currentStreak":2,"longestStreak":2},
		{"streakId":"talk","streakName":"talk","userId":"ann","period":"2022-11-25","status":"met","value":2,"target":1,"currentStreak":1,"longestStreak":1}],
		"pagination":{"total":3,"currentPage":1,"totalPages":1,"hasNextPage":false,"hasPrevPage":false}}`)
	if diff := cmp.Diff(decoded(t, string(want)), r.body); diff != "" {
		t.Error(diff)
	}
	if r := g.call("GET", "/apis/v1/streaks/logs?identifier=ann&streakId=talk&limit=1", "").wants(t, 200, ""); r.at("pagination.total") != 1.0 {
		t.Error(r.Body)
	}
	g.call("GET", "/apis/v1/streaks/logs?identifier=ann&streakId=none", "").wants(t, 404, "")
	g.call("GET", "/apis/v1/streaks/logs?identifier=none", "").wants(t, 404, "")
}
