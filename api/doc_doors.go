package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"laurel/api/capillary"
	"laurel/api/nudj"
	"laurel/api/returning"
)

const (
	exampleNudj = `{"userId":"ada","username":"ada","email":"ada@example.com","createdAt":"2026-10-01T08:00:00.000Z","stats":{"totalPoints":120,"totalXP":340,"currentLevel":2,` +
		`"totalAchievements":1,"totalChallengesCompleted":0,"totalChallengesStarted":1,"totalRewardsEarned":0},"xpBreakdown":{"knowledge":300,"creativity":0,"participation":40,` +
		`"loyalty":0,"influence":0,"contribution":0,"total":340},"achievements":[{"achievementId":"hundred","achievementName":"Hundred","progress":100,"progressMax":100,` +
		`"isCompleted":true,"completedAt":"2026-11-20T10:00:00.000Z"}],"challenges":[{"challengeId":"onboarding","status":"started","pointsEarned":0,"xpEarned":0,"attemptsCount":1,` +
		`"actionsCompleted":1,"successRate":0}],"rewardAssets":[],"rewardEntries":[],"streaks":[{"id":"daily","achievementId":"daily","achievementName":"Daily","communityId":"c1",` +
		`"communityName":"Builders","currentStreak":3,"longestStreak":9,"lastExtendedAt":"2026-11-21T19:40:00.000Z","streakPeriods":[{"period":"2026-11-21","status":"met","value":1,"target":1}]}],` +
		`"displayName":"Ada L."}`
	exampleInfo = `{"status":"success","data":{"_id":"ada","userId":"1243","username":"ada","xp":340,"coins":120,"roles":["@all","@Gold"],"highestRole":"@Gold","firstName":"Ada",` +
		`"lastName":"L.","xpEarnedToday":30,"coinsEarnedToday":30,"language":"English","totalMessages":84,"totalReactions":42,"visitCount":4418,"replySent":42,"timeSpent":660500,` +
		`"loginStreak":89,"customFields":{"revenue":12.5},"tags":[]}}`
	exampleActionDay   = `{"date":"2026-11-21","messages":3,"replies":1,"reaction":0,"socials":0}`
	exampleDoorStreak  = `{"_id":"daily-activity","name":"Daily activity","timezone":"utc_gmt","timeframe":{"value":"daily","count":1},"action":{"operator":"and","conditions":[{"_id":"1","action":"messages","value":1,"isCustomField":false}]},"activeDaysType":"custom","activeDays":["Monday","Friday"],"order":1}`
	exampleDoorInput   = `{"name":"Daily activity","timezone":"utc_gmt","startDate":"2026-04-07","timeframe":{"value":"daily","count":1},"action":{"operator":"and","conditions":[{"_id":"1234","action":"messages","value":1,"isCustomField":false}]},"activeDaysType":"custom","activeDays":["Monday","Friday"]}`
	exampleRange       = `{"start_date":"2026-11-21","end_date":"2026-11-21"}`
	examplePages       = `{"page":1,"limit":50,"total":1,"total_pages":1,"found":1}`
	exampleAllOnOne    = `{"total":1,"currentPage":1,"totalPages":1,"hasNextPage":false,"hasPrevPage":false}`
	exampleSettings    = `{"grace":"6h","freezes":{"initial":1,"max":2}}`
	exampleUserRanksOf = `{"data":{"lastSyncTime":"2024-06-24T17:37:00.000IST","customerId":381329847,"userEnrichmentDetails":{"mobile":"918781885773","last_name":"","first_name":"","email":"ada@example.com"},` +
		`"userRanks":[{"orgId":50711,"targetGroupId":232,"targetRuleId":366,"periodId":243,"achievedValue":3000,"rank":1771,"lastActivityTime":"2022-11-25T21:45:05.000IST","totalUsersInTargetGroup":4527}]},"errors":[],"warnings":[]}`
)

// ofDoor completes what the doors' operations have in common.
func ofDoor(o operation) operation {
	o.tag = "doors"
	o.errors = append(o.errors, "user_not_found", "bad_request", "loading")
	return o
}

func docNudj() operation {
	var names []param
	for _, name := range nudj.Parameters() {
		names = append(names, param{name: name, description: "Names the user; exactly one of these", schema: text()})
	}
	return ofDoor(operation{id: "getNudjUserDetails", summary: "Read a user as Nudj's analytics show one", query: names,
		responses: []response{ok("Everything about the user", nudj.Details{}, exampleNudj)}})
}

func docCapillary(method string, bare bool) operation {
	id := map[string]string{http.MethodGet: "getCapillaryRanks", http.MethodPost: "postCapillaryRanks"}[method]
	if bare {
		id += "Bare"
	}
	return ofDoor(operation{id: id, summary: "Read a user's ranks as Capillary shows them",
		description: "The user is named by the profile's number, everything else by the numbers of the catalog. Up to 25 rules; what is wrong with one is a warning, what is wrong with an org an error.",
		headers: []param{{name: capillary.ScopeHeader, description: "Of which orgs: SELF (default), OTHER (those below the key's), ALL", schema: huma.Schema{Type: huma.TypeString, Enum: []any{"SELF", "OTHER", "ALL"}}},
			{name: capillary.OrgsHeader, description: "Their numbers, separated by commas", schema: text()}},
		body:      &content{of: []capillary.Wanted{}, example: `[{"orgId":50711,"targetGroupId":232,"targetRuleId":366,"periodId":243}]`},
		responses: []response{ok("The ranks, and what was wrong", capillary.Answer{}, exampleUserRanksOf)}})
}

func docReturningInfo() operation {
	return ofDoor(operation{id: "getReturningUserData", summary: "Read a user as Returning.AI shows one",
		body:      &content{of: returning.InfoRequest{}, example: `{"idOrEmail":"johndoe@gmail.com","customFields":["revenue","custom_date"]}`},
		responses: []response{ok("The user's data", returning.InfoAnswer{}, exampleInfo)}})
}

func docReturningStats() operation {
	return ofDoor(operation{id: "getReturningStats", summary: "Read how often a user did what, by day",
		body: &content{of: returning.StatsRequest{}, example: `{"identifier":"johndoe@gmail.com","identifier_type":"email","days":30}`},
		responses: []response{ok("Counts by day", returning.StatsAnswer{}, `{"status":"success","message":"User gamification stats fetched successfully","data":{"user_id":"ada","range":`+exampleRange+
			`,"totals":{"messages":3,"replies":1,"reaction":0,"socials":0},"daily_stats":[`+exampleActionDay+`]}}`)}})
}

func identifierParams() []param {
	return []param{{name: "identifier", description: "Names the user", schema: text(), required: true},
		{name: "identifier_type", description: "email, id, username, external_id; left out: an id or an e-mail address", schema: text()}}
}

func pageParamDocs() []param {
	return []param{{name: "page", description: "From 1", schema: integer(1, 1_000_000, 1)}, {name: "limit", description: "How many on a page", schema: integer(1, 500, 50)}}
}

func docReturningHistory() operation {
	return ofDoor(operation{id: "getReturningHistory", summary: "Read what a user earned, by day",
		query: append(identifierParams(), param{name: "days", description: "How many, today's the last", schema: integer(1, 90, 30)}),
		responses: []response{ok("What was earned", returning.HistoryAnswer{}, `{"status":"success","message":"User gamification stats fetched successfully","data":{"user_id":"ada","range":`+exampleRange+
			`,"totals":{"coins":12,"xp":18},"daily_stats":[{"date":"2026-11-21","coins":12,"xp":18}]}}`)}})
}

func docReturningDay() operation {
	return ofDoor(operation{id: "getReturningDay", summary: "Read what several users earned in one day",
		body: &content{of: returning.DayRequest{}, example: `{"identifier":["ada@example.com"],"identifier_type":"email","date":"22/12/2025","page":1,"limit":50}`},
		responses: []response{ok("What was earned, of those who are known", returning.DayAnswer{}, `{"status":"success","message":"User gamification stats fetched successfully","data":{"date":"22/12/2025","pagination":`+
			examplePages+`,"results":[{"identifier":"ada@example.com","user_id":"ada","date":"22/12/2025","coins":60,"xp":60}]}}`)}})
}

func docReturningLogs() operation {
	return ofDoor(operation{id: "getReturningLogs", summary: "Read the rows of a user's xp and coins, newest first",
		body: &content{of: returning.LogRequest{}, example: `{"identifier":"johndoe@gmail.com","identifier_type":"email","page":1,"limit":50}`},
		responses: []response{ok("A page of rows", returning.LogAnswer{}, `{"status":"success","message":"User gamification logs fetched successfully","data":{"user_id":"ada","pagination":`+examplePages+
			`,"logs":[{"date":"2026-11-21T19:40:00.000Z","currency":"xp","type":"earn","amount":10,"source":"award","source_id":"commit-xp","activity_id":"c1"}]}}`)}})
}

func docReturningStreakLogs() operation {
	return ofDoor(operation{id: "getReturningStreakLogs", summary: "Read the last periods of a user's streaks",
		query: append(append(identifierParams(), param{name: "streakId", description: "Only of this streak", schema: text()}), pageParamDocs()...),
		responses: []response{ok("A page of periods", returning.StreakLogAnswer{}, `{"status":"success","message":"Streak logs fetched successfully","data":[{"streakId":"daily","streakName":"Daily","userId":"ada",`+
			`"period":"2026-11-21","status":"met","value":1,"target":1,"currentStreak":3,"longestStreak":9}],"pagination":`+exampleAllOnOne+`}`)},
		errors: []string{"definition_not_found"}})
}

func docReturningStreaks() operation {
	return ofDoor(operation{id: "listReturningStreaks", summary: "List the org's streaks", query: pageParamDocs(),
		responses: []response{ok("A page of them", returning.StreakList{}, `{"status":"success","data":[`+exampleDoorStreak+`],"pagination":`+exampleAllOnOne+`}`)}, errors: []string{"org_not_found"}})
}

func docReturningCreate() operation {
	return ofDoor(operation{id: "createReturningStreak", summary: "Add a streak to the catalog", body: &content{of: returning.StreakIn{}, example: exampleDoorInput},
		responses: []response{created("The streak", returning.StreakAnswer{}, `{"status":"success","message":"Streak created successfully","data":`+exampleDoorStreak+`}`)},
		errors:    []string{"org_not_found", "exists"}})
}

func docReturningUpdate(id string) operation {
	return ofDoor(operation{id: id, summary: "Replace a streak; its settings stay", body: &content{of: returning.StreakIn{}, example: exampleDoorInput},
		responses: []response{ok("The streak", returning.StreakAnswer{}, `{"status":"success","message":"Streak updated successfully","data":`+exampleDoorStreak+`}`)},
		errors:    []string{"org_not_found", "definition_not_found"}})
}

func docReturningDelete() operation {
	return ofDoor(operation{id: "deleteReturningStreak", summary: "Remove a streak from the catalog",
		responses: []response{ok("It is gone", returning.Done{}, `{"status":"success","message":"Streak deleted successfully"}`)}, errors: []string{"org_not_found", "definition_not_found"}})
}

func docReturningSettings() operation {
	return ofDoor(operation{id: "getReturningStreakSettings", summary: "Read what else a streak is kept by",
		responses: []response{ok("The settings that are set", returning.SettingsAnswer{}, `{"status":"success","message":"Streak settings fetched successfully","data":`+exampleSettings+`}`)},
		errors:    []string{"org_not_found", "definition_not_found"}})
}

func docReturningSetSettings() operation {
	return ofDoor(operation{id: "updateReturningStreakSettings", summary: "Change what else a streak is kept by",
		description: "In the words of the catalog. A member that is null is taken back, one that is left out stays.",
		body:        &content{of: returning.SettingsIn{}, example: exampleSettings},
		responses:   []response{ok("The settings that are set", returning.SettingsAnswer{}, `{"status":"success","message":"Streak settings updated successfully","data":`+exampleSettings+`}`)},
		errors:      []string{"org_not_found", "definition_not_found"}})
}
