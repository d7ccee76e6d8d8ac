package api

func docHideUser() operation {
	return operation{id: "hideUser", tag: "users", summary: "Take a user off every leaderboard",
		description: "The others move up. What the user does goes on counting, and unhide brings back the places that it earned. Doing it twice is fine.",
		responses:   []response{ok("The user", userDoc{}, exampleHidden)}, errors: moderationErrors()}
}

func docUnhideUser() operation {
	return operation{id: "unhideUser", tag: "users", summary: "Put a hidden user back on the leaderboards",
		responses: []response{ok("The user", userDoc{}, exampleUser)}, errors: moderationErrors()}
}

func docBlockUser() operation {
	return operation{id: "blockUser", tag: "users", summary: "Ignore what a user does from now on",
		description: "Activities are stored as ignored, with the reason blocked, and stay so after unblock. What was there before stays as it is. Doing it twice is fine.",
		responses:   []response{ok("The user", userDoc{}, exampleHidden)}, errors: moderationErrors()}
}

func docUnblockUser() operation {
	return operation{id: "unblockUser", tag: "users", summary: "Let a blocked user's activities count again",
		responses: []response{ok("The user", userDoc{}, exampleUser)}, errors: moderationErrors()}
}

const exampleHidden = `{"id":"ada","timezone":"UTC","hidden":true,"blocked":true,"streaks":[],"ranks":[]}`

func moderationErrors(more ...string) []string {
	return append(more, "bad_request", "org_not_found", "user_not_found", "overloaded", "loading")
}
