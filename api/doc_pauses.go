package api

import "net/http"

const examplePause = `{"id":"XG4Q7WPFB2T5J6SOYLRDNKHM3A","from":"2026-11-20T22:00:00.000Z","to":"2026-11-21T03:30:00.000Z","reason":"The server was down",` +
	`"created_at":"2026-11-21T08:00:00.000Z"}`

func docGetPauses() operation {
	return operation{id: "listPauses", tag: "streaks", summary: "List the org's pauses",
		description: "In the order in which they were declared, also those that were taken back.",
		responses:   []response{ok("The pauses", pauseList{}, `{"pauses":[`+examplePause+`]}`)}, errors: []string{"org_not_found"}}
}

func docPostPause() operation {
	return operation{id: "createPause", tag: "streaks", summary: "Declare an outage: nobody loses a streak for it",
		description: "No streak of the org can be missed in a period that overlaps the range; what is done in it counts. Also for a range in the past: streaks that ended " +
			"for it run again. With the answer, whatever is counted knows of it. Users to whom nothing happens are counted anew in the background, and until that " +
			"is done the boards of streaks say pending. An org has at most 100 that were not taken back and still matter, and 1,000 in all.",
		body:      &content{of: pauseSpec{}, example: `{"from":"2026-11-20T22:00:00Z","to":"2026-11-21T03:30:00Z","reason":"The server was down"}`},
		responses: []response{created("The pause", pauseWire{}, examplePause)},
		errors:    []string{"bad_request", "org_not_found", "sealed", "too_many_pauses"}}
}

func docDeletePause() operation {
	return operation{id: "deletePause", tag: "streaks", summary: "Take an outage back",
		description: "Everyone's streaks become what they would be without it, in the same way as when it was declared. Doing it twice is fine. One that began before what the " +
			"org keeps one by one stays (410 sealed).",
		responses: []response{{status: http.StatusNoContent, description: "It was taken back"}},
		errors:    []string{"org_not_found", "pause_not_found", "sealed"}}
}
