package api

import "net/http"

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

func docMergeUser() operation {
	return operation{id: "mergeUser", tag: "users", summary: "Merge a user into another one",
		description: "All is then as if both users' activities had been the other one's; of an id that both have, the activity received first stays. The other " +
			"user's timezone, profile and flags stay. From then on the id stands for the other user in activities, and everything else about it answers " +
			"410 user_merged. What cannot be moved any more is refused with 410 sealed. Doing it twice is fine.",
		body:      &content{of: mergeTarget{}, example: `{"into":"ada"}`},
		responses: []response{ok("The other user", userDoc{}, exampleUser)},
		errors:    moderationErrors("sealed", "too_large", "value_out_of_range")}
}

func docDeleteUser() operation {
	return operation{id: "deleteUser", tag: "users", summary: "Delete a user and everything that is known of it",
		description: "Its places, its history and its profile go at once, with the ids that were merged into it; what is left in change streams and the embedded " +
			"store's file goes within about an hour. An activity that comes later begins a new user.",
		responses: []response{{status: http.StatusNoContent, description: "It is gone"}},
		errors:    moderationErrors()}
}

const exampleHidden = `{"id":"ada","timezone":"UTC","hidden":true,"blocked":true,"streaks":[],"ranks":[]}`

func moderationErrors(more ...string) []string {
	return append(more, "bad_request", "org_not_found", "user_not_found", "user_merged", "overloaded", "loading")
}
