package api

import "net/http"

const (
	exampleStreak = `{"rule":"daily-commit","current":3,"longest":9,"total_periods":40,"state":"active","unit":"day","timezone":"UTC",` +
		`"started":"2026-11-19","last_extended_at":"2026-11-21T19:40:00.000Z","deadline":"2026-11-23T00:00:00.000Z",` +
		`"dies_at":"2026-11-24T00:00:00.000Z","target":2,"lost":{"length":9,"start":"2026-11-01","end":"2026-11-09","at":"2026-11-11T00:00:00.000Z"},` +
		`"period":{"label":"2026-11-21","value":2,"target":2,"met":true},"freezes":{"held":1,"used":0,"max":2},` +
		`"history":[{"period":"2026-11-20","status":"met","value":2,"target":2},{"period":"2026-11-21","status":"met","value":2,"target":2}]}`
	exampleUserPause = `{"id":"1","from":"2026-07-01","to":"2026-07-14","created_at":"2026-06-28T08:00:00.000Z"}`
)

func streakErrors(more ...string) []string {
	return append(append(userErrors(), "streak_not_found"), more...)
}

func orderErrors(more ...string) []string {
	return append([]string{"bad_request", "org_not_found", "user_not_found", "user_merged", "streak_not_found", "too_many_commands", "overloaded", "loading"}, more...)
}

func asOf() param {
	return param{name: "at", description: "As of this time, with the activities as they are known now and what was ordered until then", schema: instantText()}
}

func docGetStreak() operation {
	return operation{id: "getStreak", tag: "streaks", summary: "Read one streak of a user", query: []param{asOf(), minRevision()},
		responses: []response{ok("The streak", streakDoc{}, exampleStreak)}, errors: streakErrors("sealed")}
}

func docPatchStreak() operation {
	return operation{id: "patchStreak", tag: "streaks", summary: "Set a user's own target, or take the user out of a streak",
		description: "The target is for rules with user_target, from the rule's own up to its max, and counts from the next period on; null takes it back. Who opted " +
			"out has no such streak, no places and no events of it until opting in again. What the body leaves out stays. Doing it twice is fine.",
		body:      &content{of: streakChange{}, example: `{"target":3,"opted_out":false}`},
		responses: []response{ok("The streak", streakDoc{}, exampleStreak)}, errors: orderErrors("target_not_allowed", "target_out_of_range")}
}

func docPostFreezes() operation {
	return operation{id: "grantFreezes", tag: "streaks", summary: "Give a user freezes",
		description: "As many as stay within the rule's max, from now on: they cover misses that are not decided yet. What is above max is not given, and the answer says so.",
		body:        &content{of: grant{}, example: `{"count":2}`},
		responses:   []response{ok("How many were given", granted{}, `{"requested":2,"granted":1,"held":2,"max":2}`)}, errors: orderErrors()}
}

func docPostStreakRestore() operation {
	return operation{id: "restoreStreak", tag: "streaks", summary: "Bring back the streak that a user lost last",
		description: "Within the rule's restore_window after it ended. The unmet periods since then are restored: they neither end it nor add to it.",
		body:        &content{of: restoration{}, optional: true, example: `{"reason":"The app could not be reached"}`},
		responses:   []response{ok("The streak, which runs again", streakDoc{}, exampleStreak)},
		errors:      orderErrors("restore_not_allowed", "nothing_to_restore", "restore_expired")}
}

func docGetHistory() operation {
	return operation{id: "getStreakHistory", tag: "streaks", summary: "Read the periods of a user's streak",
		description: "Oldest first, from the first period in which the user did anything for it, over all years; up to 1,000 at once.",
		query:       append(periodRange("30"), minRevision()),
		responses: []response{ok("The periods", streakHistoryList{}, `{"rule":"daily-commit","first":"2024-02-29","history":[{"period":"2026-11-20","status":"frozen","value":0,"target":1},`+
			`{"period":"2026-11-21","status":"met","value":2,"target":1}]}`)}, errors: streakErrors()}
}

func periodRange(usual string) []param {
	return []param{{name: "from", description: "The first period: its label, or a date in it; left out: so that there are " + usual, schema: text()},
		{name: "to", description: "The last period, as from; left out, and where it is to come: the one that is open", schema: text()}}
}

func docGetPast() operation {
	return operation{id: "getPastStreaks", tag: "streaks", summary: "Read the streaks that a user lost, newest first",
		query: []param{{name: "limit", description: "Streaks", schema: integer(1, maxPast, defaultLimit)}, minRevision()},
		responses: []response{ok("The past streaks", pastStreaksDoc{}, `{"rule":"daily-commit","total":1,"past":[{"length":9,"start":"2026-11-01","end":"2026-11-09",`+
			`"ended_at":"2026-11-11T00:00:00.000Z"}]}`)}, errors: streakErrors()}
}

func docGetExplain() operation {
	return operation{id: "explainStreak", tag: "streaks", summary: "Read why each period of a user's streak is what it is",
		description: "In data and in a sentence, oldest first, up to 100 periods at once.", query: append(periodRange("7"), minRevision()),
		responses: []response{ok("The periods", explanationDoc{}, `{"rule":"daily-commit","periods":[{"period":"2026-11-21","start":"2026-11-21T00:00:00.000Z","end":"2026-11-22T00:00:00.000Z",`+
			`"can_be_met_until":"2026-11-22T06:00:00.000Z","timezone":"UTC","required":true,"status":"met","why":"Met by activity c1 at 2026-11-22T01:00:00.000Z: the streak came to 3.",`+
			`"value":1,"target":1,"met_at":"2026-11-22T01:00:00.000Z","length":3,"freezes_held":0,`+
			`"activities":[{"id":"c1","at":"2026-11-22T01:00:00.000Z","values":[1],"stamped":"2026-11-22"}]}]}`)}, errors: streakErrors()}
}

func docGetAudit() operation {
	return operation{id: "getAudit", tag: "users", summary: "Read what was ordered for a user, oldest first",
		description: "Changes of zone, pauses, freezes, restores, own targets, opting out and in.", query: []param{minRevision()},
		responses: []response{ok("What was ordered", auditDoc{}, `{"audit":[{"at":"2026-11-20T08:00:00.000Z","type":"freezes_granted","rule":"daily-commit","from":"2026-11-20","count":1}]}`)},
		errors:    userErrors()}
}

func docPostPreview() operation {
	return operation{id: "previewStreak", tag: "streaks", summary: "Try a streak rule on what a user has done",
		description: "What GET of the user's streaks would show of it, were it published; nothing is stored. A definition with the id of a streak rule stands for that one, with what was " +
			"ordered for it. The key needs the scope users:read too.",
		body:      &content{of: previewDoc{}, example: `{"streak":{"when":{"name":"commit"},"unit":"day","target":2,"grace":"6h"},"user":"ada"}`},
		responses: []response{ok("The streak; since is there where activities before it are summed up and cannot be seen", streakDoc{}, exampleStreak)},
		errors:    []string{"bad_catalog", "org_not_found", "user_not_found", "user_merged", "sealed", "loading"}}
}

func docGetUserPauses() operation {
	return operation{id: "listUserPauses", tag: "streaks", summary: "List a user's pauses", query: []param{minRevision()},
		responses: []response{ok("The pauses, also those that were ended", userPauseList{}, `{"pauses":[`+exampleUserPause+`]}`)}, errors: userErrors()}
}

func docPostUserPause() operation {
	return operation{id: "pauseUser", tag: "streaks", summary: "Pause all streaks of a user",
		description: "In a period of these dates nothing is missed; what is done in it counts. Asking for the same pause again answers with the one that is there.",
		body:        &content{of: userPauseSpec{}, example: `{"from":"2026-07-01","to":"2026-07-14"}`},
		responses:   []response{created("The pause", userPause{}, exampleUserPause)}, errors: pauseErrors("bad_pause", "pause_overlaps", "too_many_commands")}
}

func docDeleteUserPause() operation {
	return operation{id: "endUserPause", tag: "streaks", summary: "End a pause of a user",
		description: "One that runs keeps its dates up to yesterday, one that has not begun is no more, one that is over stays (409 pause_over). Doing it twice is fine.",
		responses:   []response{{status: http.StatusNoContent, description: "It is ended"}}, errors: pauseErrors("pause_not_found", "pause_over")}
}

func pauseErrors(more ...string) []string {
	return append([]string{"bad_request", "org_not_found", "user_not_found", "user_merged", "overloaded", "loading"}, more...)
}
