package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/api/nudj"
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/grants"
)

const nudjPath = "/api/v2/analytics/users/details"

// nudjOptional are the fields that the reference lists after those which are always there.
func nudjOptional() []string {
	return strings.Fields(`displayName profilePictureUrl achievementDescription completedAt lastUpdatedAt expiresAt bannerUrl rewardId rewardName progressSummary challengeName
		startedAt lastAttemptAt id description acquiredAt claimedAt redeemedAt expired status redeemableType code allocationId eventCategory eventSubCategory eventSourceId communityId`)
}

// newPersonRig has ann, of whom everything is known, and bob, of whom nothing is.
func newPersonRig(t testing.TB) *rig {
	g := newDoorRig(t)
	g.people(t)
	return g
}

func (g *rig) people(t testing.TB) {
	t.Helper()
	g.setClock("2022-11-20T09:00:00+05:30")
	g.call("PUT", "/v1/users/ann", `{"username":"annie","email":"Ann@Example.com","external_id":"1243","name":"Ann B.","picture":"https://cdn.example/ann.png","first_name":"Ann","last_name":"Bee",
		"language":"en","timezone":"America/New_York","tags":["early","@Silver","@Gold","@Odd"],"fields":{"revenue":12.5,"custom_date":"2022-01-02"}}`).wants(t, 200, "")
	g.setClock(doorNow)
	g.send(did("v1", "ann", "visit", "2022-11-24T10:00:00+05:30", `,"meta":{"seconds":90}`), did("v2", "ann", "visit", "2022-11-25T20:00:00+05:30", `,"meta":{"seconds":30}`),
		did("m1", "ann", "message", "2022-11-25T09:00:00+05:30", `,"meta":{"reply":true}`), did("m2", "ann", "message", "2022-11-25T21:00:00+05:30", ""),
		did("l1", "ann", "like", "2022-11-25T21:10:00+05:30", ""), did("p1", "ann", "purchase", "2022-11-25T21:20:00+05:30", `,"value":1234`),
		did("c1", "bob", "clap", "2022-11-25T21:10:00+05:30", ""))
}

// The reference's curl has no parameters, and then there is nobody to tell about.
func TestNudj_Example(t *testing.T) {
	g := newPersonRig(t)
	r := g.curl("GET", nudjPath, "", "x-api-token", "sk_brand")
	if want := `{"error":{"code":"bad_request","message":"Name a user by one of userId, id, email, username, externalId."}}`; r.Code != 400 || r.Body.String() != want {
		t.Errorf("%d %s", r.Code, r.Body)
	}
	want := g.curl("GET", nudjPath+"?userId=ann", "", "x-api-token", "sk_brand")
	if want.Code != 200 {
		t.Fatal(want.Code, want.Body)
	}
	sameShape(t, "body", doorFile(t, "nudj.json"), want.Body.Bytes(), nudjOptional()...)
	noNull(t, want.Body.Bytes())
	for _, query := range []string{"id=ann", "email=ann%40example.COM", "username=annie", "externalId=1243"} {
		if same := g.curl("GET", nudjPath+"?"+query, "", "X-Api-Token", "sk_brand"); same.Body.String() != want.Body.String() {
			t.Errorf("%s: %d %s", query, same.Code, same.Body)
		}
	}
	bob := g.curl("GET", nudjPath+"?userId=bob", "", "x-api-token", "sk_brand")
	sameShape(t, "bob", doorFile(t, "nudj.json"), bob.Body.Bytes(), nudjOptional()...)
	noNull(t, bob.Body.Bytes())
}

func TestNudj_Body(t *testing.T) {
	g := newPersonRig(t)
	got := g.call("GET", nudjPath+"?userId=ann", "", header("x-api-token", "sk_brand"), header("Authorization", "")).wants(t, 200, "")
	// 2 visits of 10, 2 messages of 5, a like of 1 in no category, and 7 for the mission; 12.3 for the purchase of 1,234, 5 for the achievement, 2 for the mission.
	want := `{"userId":"ann","username":"annie","email":"Ann@Example.com","createdAt":"2022-11-20T03:30:00.000Z",
		"stats":{"totalPoints":19.3,"totalXP":38,"currentLevel":1,"totalAchievements":1,"totalChallengesCompleted":1,"totalChallengesStarted":1,"totalRewardsEarned":1},
		"xpBreakdown":{"knowledge":7,"creativity":0,"participation":10,"loyalty":20,"influence":0,"contribution":0,"total":37},
		"achievements":[
			{"achievementId":"regular","achievementName":"Regular","progress":2,"progressMax":2,"isCompleted":true,"achievementDescription":"Came twice","completedAt":"2022-11-25T14:30:00.000Z",
				"lastUpdatedAt":"2022-11-25T14:30:00.000Z","bannerUrl":"https://cdn.example/regular.png","rewardId":"mug","rewardName":"Mug"},
			{"achievementId":"both","achievementName":"both","progress":2,"progressMax":9,"isCompleted":false,"expiresAt":"2022-11-30T18:30:00.000Z"},
			{"achievementId":"keen","achievementName":"Keen","progress":2,"progressMax":30,"isCompleted":false,
				"progressSummary":[{"progress":2,"progressMax":30,"isCompleted":false},{"progress":19.3,"progressMax":500,"isCompleted":false}]}],
		"challenges":[
			{"challengeId":"settle","status":"completed","pointsEarned":2,"xpEarned":7,"attemptsCount":1,"actionsCompleted":1,"successRate":100,"challengeName":"Settle in",
				"startedAt":"2022-11-24T04:30:00.000Z","completedAt":"2022-11-25T14:30:00.000Z","lastAttemptAt":"2022-11-24T04:30:00.000Z"},
			{"challengeId":"stay","status":"available","pointsEarned":0,"xpEarned":0,"attemptsCount":0,"actionsCompleted":0,"successRate":0}],
		"rewardAssets":[{"rewardId":"mug","rewardName":"Mug","type":"asset","id":"achievement:regular:mug","acquiredAt":"2022-11-25T14:30:00.000Z","expired":false,"status":"issued",
			"allocationId":"achievement:regular:mug","eventCategory":"swag","eventSourceId":"achievement:regular","communityId":"c1"}],"rewardEntries":[],
		"streaks":[
			{"id":"login","achievementId":"keen","achievementName":"Keen","communityId":"c1","communityName":"Builders","currentStreak":2,"longestStreak":2,
				"lastExtendedAt":"2022-11-25T14:30:00.000Z","streakPeriods":[{"period":"2022-11-24","status":"met","value":1,"target":1},{"period":"2022-11-25","status":"met","value":1,"target":1}]},
			{"id":"talk","achievementId":"talk","achievementName":"talk","communityId":"c1","communityName":"Builders","currentStreak":1,"longestStreak":1,
				"lastExtendedAt":"2022-11-25T03:30:00.000Z","streakPeriods":[{"period":"2022-11-25","status":"met","value":2,"target":1}]}],
		"displayName":"Ann B.","profilePictureUrl":"https://cdn.example/ann.png"}`
	if diff := cmp.Diff(decoded(t, want), got.body); diff != "" {
		t.Error(diff)
	}
}

func TestNudj_Refusals(t *testing.T) {
	g := newPersonRig(t)
	token, none := header("x-api-token", "sk_brand"), header("Authorization", "")
	for name, c := range map[string]struct {
		query  string
		change func(*http.Request)
		status int
		code   string
	}{
		"no token":      {"userId=ann", header("x-api-token", ""), 401, "unauthorized"},
		"bad token":     {"userId=ann", header("x-api-token", "sk_none"), 401, "unauthorized"},
		"bearer only":   {"userId=ann", func(r *http.Request) { header("x-api-token", "")(r); as("brand")(r) }, 401, "unauthorized"},
		"unknown user":  {"userId=nobody", none, 404, "user_not_found"},
		"unknown email": {"email=no%40example.com", none, 404, "user_not_found"},
		"no email":      {"email=nobody", none, 400, "bad_request"},
		"two":           {"userId=ann&id=ann", none, 400, "bad_request"},
		"empty":         {"userId=", none, 400, "bad_request"},
		"other's user":  {"userId=ada", none, 404, "user_not_found"},
	} {
		r := g.call("GET", nudjPath+"?"+c.query, "", token, none, c.change).wants(t, c.status, "")
		if r.at("error.code") != c.code || r.at("error.message") == "" {
			t.Errorf("%s: %s", name, r.Body)
		}
	}
	made := g.call("POST", "/v1/keys", `{"name":"boards","kind":"sk","scopes":["boards:read"]}`).wants(t, 201, "")
	if r := g.call("GET", nudjPath+"?userId=ann", "", header("x-api-token", made.at("key").(string))).wants(t, 403, ""); r.at("error.code") != "forbidden" {
		t.Error(r.Body)
	}
	g.call("POST", nudjPath+"?userId=ann", "", token).wants(t, 405, "")
}

// given are reads that say a user was given these.
type given struct {
	Reads
	list []grants.Grant
}

func (g given) UserGrants(context.Context, activity.Org, activity.User) ([]grants.Grant, error) {
	return g.list, nil
}

// What was granted comes out in the reference's shape, whatever is known of it.
func TestNudj_Grants(t *testing.T) {
	g := newPersonRig(t)
	at, _, err := calendar.ParseInstant("2022-11-25T00:00:00Z")
	must(t, err)
	door := nudj.Door{Reads: given{g.api.Reads, []grants.Grant{
		{ID: "g1", Reward: "mug", State: grants.Redeemed, Code: "MUG-1", By: "achievement:regular", IssuedAt: at, ClaimedAt: at + 1, RedeemedAt: at + 2, ExpiresAt: at + 3},
		{ID: "g2", Reward: "raffle", Count: 3, IssuedAt: at},
		{ID: "g3", Reward: "no more", IssuedAt: at, ExpiresAt: at + 5},
	}}}
	details, err := door.Details(t.Context(), "brand", func(name string) (string, bool) { return "ann", name == "id" })
	must(t, err)
	text := encoded(t, details)
	sameShape(t, "body", doorFile(t, "nudj.json"), text, nudjOptional()...)
	noNull(t, text)
	body := decoded(t, string(text))
	want := decoded(t, `{"assets":[
		{"rewardId":"mug","rewardName":"Mug","type":"asset","id":"g1","acquiredAt":"2022-11-25T00:00:00.000Z","claimedAt":"2022-11-25T00:00:00.001Z","redeemedAt":"2022-11-25T00:00:00.002Z",
			"expiresAt":"2022-11-25T00:00:00.003Z","expired":false,"status":"redeemed","code":"MUG-1","allocationId":"g1","eventCategory":"swag","eventSourceId":"achievement:regular","communityId":"c1"},
		{"rewardId":"no more","rewardName":"no more","type":"asset","id":"g3","acquiredAt":"2022-11-25T00:00:00.000Z","expiresAt":"2022-11-25T00:00:00.005Z","expired":true,"status":"expired","allocationId":"g3","communityId":"c1"}],
		"entries":[{"rewardId":"raffle","rewardName":"Raffle","type":"entry","id":"g2","entryCount":3,"acquiredAt":"2022-11-25T00:00:00.000Z","expired":false,"status":"issued","allocationId":"g2","communityId":"c1"}]}`)
	if diff := cmp.Diff(want, map[string]any{"assets": body["rewardAssets"], "entries": body["rewardEntries"]}); diff != "" {
		t.Error(diff)
	}
	if details.Stats.TotalRewardsEarned != 3 {
		t.Errorf("%d rewards", details.Stats.TotalRewardsEarned)
	}
}
