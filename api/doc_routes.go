package api

import (
	"net/http"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"laurel/internal/query"
)

func ok(description string, of any, example string) response {
	return response{status: http.StatusOK, description: description, content: &content{of: of, example: example}}
}

func created(description string, of any, example string) response {
	return response{status: http.StatusCreated, description: description, content: &content{of: of, example: example}}
}

const (
	exampleActivity = `{"id":"c1","user":"ada","kind":"behaviour","name":"commit","at":"2026-11-21T19:40:00.000Z","utc_offset":"+01:00",` +
		`"received_at":"2026-11-21T19:40:01.000Z","status":"accepted"}`
	exampleBatch = `{"accepted":2,"duplicates":1,"rejected":0,"ignored":0,"durability":"fsync","revision":"aB3dE:1763754000000-0",` +
		`"results":[{"index":1,"id":"c1","status":"duplicate"}]}`
	exampleImport = `{"id":"i7Yq","state":"open","created_at":"2026-11-21T19:40:00.000Z","accepted":0,"duplicates":0,"rejected":0,"ignored":0}`
	exampleBoard  = `{"rule":"commits","cycle":"week","period":{"label":"2026-W47","start":"2026-11-16T00:00:00.000Z",` +
		`"end":"2026-11-23T00:00:00.000Z","closed":false},"order":"desc","ties":"ordinal","total":2,"as_of":"2026-11-21T19:40:00.000Z",` +
		`"revision":"aB3dE:1763754000000-0","rows":[{"rank":1,"user":"ada","score":12,"reached_at":"2026-11-21T19:40:00.000Z","previous_rank":2}]}`
	exampleRank    = `{"rank":1,"user":"ada","score":12,"reached_at":"2026-11-21T19:40:00.000Z","total":2,"percentile":100}`
	exampleRanks   = `{"rows":[{"rank":1,"user":"ada","score":12,"reached_at":"2026-11-21T19:40:00.000Z"}],"missing":["bob"],"total":1}`
	exampleStreaks = `{"streaks":[{"rule":"daily-commit","current":3,"longest":9,"total_periods":40,"state":"active","unit":"day","timezone":"UTC",` +
		`"started":"2026-11-19","last_extended_at":"2026-11-21T19:40:00.000Z","deadline":"2026-11-23T00:00:00.000Z",` +
		`"dies_at":"2026-11-23T00:00:00.000Z","period":{"label":"2026-11-21","value":1,"target":1,"met":true},` +
		`"freezes":{"held":0,"used":0,"max":0},"history":[{"period":"2026-11-21","status":"open","value":1,"target":1}]}]}`
	exampleUserRanks = `{"ranks":[{"rule":"commits","cycle":"week","label":"2026-W47","rank":1,"score":12,` +
		`"reached_at":"2026-11-21T19:40:00.000Z","total":2,"previous_rank":2}]}`
	exampleBoards = `{"leaderboards":[{"rule":"commits","order":"desc","ties":"ordinal","cycles":[{"cycle":"week","period":{"label":"2026-W47",` +
		`"start":"2026-11-16T00:00:00.000Z","end":"2026-11-23T00:00:00.000Z","closed":false}}],"pending":false}]}`
	exampleUser    = `{"id":"ada","timezone":"UTC","profile":{"name":"Ada L."},"attributes":{"country":"AT"},"streaks":[],"ranks":[]}`
	exampleKey     = `{"id":"key_5bJ2nq8Zt0aX1cVe","name":"shop backend","kind":"sk","scopes":["activities:write"],"created_at":"2026-11-21T19:40:00.000Z"}`
	exampleCatalog = `{"id":"git","timezone":"UTC","rules":[{"id":"commits","when":{"name":"commit"},"value":"count","cycles":["week","all"]}]}`
)

func docPostActivities() operation {
	return operation{id: "postActivities", tag: "activities", summary: "Send activities",
		description: "One object, an array, or a line for each (application/x-ndjson); up to 5,000 items and 8 MiB, gzip allowed. One bad item never " +
			"fails its neighbours. A single object answers 201 with its effects, 200 if it was known, 409 if its id belongs to another activity, and " +
			"422 for any other refusal.\n\nWith `Prefer: respond-async` they are stored and answered with 202 at once: what becomes of them stands at Location, for an hour after the last was decided " +
			"(of all orgs' requests, the last 10,000). Each counts as of when it came, and is recorded once, also if the server stops meanwhile; one that was recorded just before that is reported as a duplicate. " +
			"A request may overtake another. At most 100 requests wait; then 429.",
		headers: []param{{name: "Prefer", description: "respond-async: do not wait (RFC 7240)", schema: text()}},
		query:   []param{{name: "results", description: "all: results hold accepted items too", schema: huma.Schema{Type: huma.TypeString, Enum: []any{"all"}}}},
		body:    &content{of: activityIn{}, list: true, example: `[{"id":"c1","user":"ada","name":"commit","at":"2026-11-21T20:40:00+01:00"},{"user":"bob","name":"commit"}]`},
		responses: []response{
			ok("A batch: what became of its items. A single object: it was known already", oneOfBatch{}, exampleBatch),
			created("A single activity was recorded", recorded{}, `{"id":"c1","status":"accepted","activity":`+exampleActivity+
				`,"effects":{"boards":[{"rule":"commits","cycle":"week","label":"2026-W47","value":12,"rank":1,"rank_before":2}],"streaks":[],"wallets":[{"wallet":"xp","change":10,"balance":120,"earned":150}]},`+
				`"durability":"fsync","revision":"aB3dE:1763754000000-0"}`),
			{status: http.StatusAccepted, description: "They are stored, and will be decided", headers: []string{"Location", "Preference-Applied"}, content: &content{of: importWire{},
				example: `{"id":"i7Yq","kind":"activities","state":"waiting","created_at":"2026-11-21T19:40:00.000Z","accepted":0,"duplicates":0,"rejected":0,"ignored":0,"rows":1,"ids":["c1"]}`}}},
		errors: []string{"id_conflict", "value_out_of_range", "overloaded", "org_not_found"}}
}

// oneOfBatch is the 200 of POST /v1/activities, which has two forms.
type oneOfBatch struct{}

// Schema implements huma.SchemaProvider.
func (oneOfBatch) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(reflect.TypeFor[batchDoc](), true, ""), r.Schema(reflect.TypeFor[recorded](), true, "")}}
}

func docGetActivity() operation {
	return operation{id: "getActivity", tag: "activities", summary: "Read one activity as recorded", query: []param{minRevision()},
		responses: []response{ok("The activity", activityWire{}, exampleActivity)}, errors: append(userErrors(), "activity_not_found")}
}

func docReject() operation {
	return operation{id: "rejectActivity", tag: "activities", summary: "Take an activity back",
		description: "The state becomes what it would have been without the activity. Doing it twice is fine.",
		body:        &content{of: rejection{}, optional: true, example: `{"reason":"fraud"}`},
		responses:   []response{ok("The activity, rejected", activityWire{}, exampleActivity)},
		errors:      []string{"user_not_found", "user_merged", "activity_not_found", "org_not_found", "sealed"}}
}

func docRestore() operation {
	return operation{id: "restoreActivity", tag: "activities", summary: "Undo a rejection",
		responses: []response{ok("The activity, as before it was rejected", activityWire{}, exampleActivity)},
		errors:    []string{"bad_request", "user_not_found", "user_merged", "activity_not_found", "org_not_found", "sealed"}}
}

func docPostImport() operation {
	return operation{id: "createImport", tag: "activities", summary: "Open an import of old activities",
		description: "Its activities have no age limit, and events wait until it is closed.",
		responses:   []response{created("The import", importWire{}, exampleImport)}, errors: []string{"org_not_found"}}
}

func docGetImport() operation {
	return operation{id: "getImport", tag: "activities", summary: "Read an import's progress",
		responses: []response{ok("The import", importWire{}, exampleImport)}, errors: []string{"import_not_found", "org_not_found"}}
}

func docPostItems() operation {
	return operation{id: "importItems", tag: "activities", summary: "Send activities of an import",
		description: "As POST /v1/activities; a single object is a batch of one.",
		query:       docPostActivities().query, body: docPostActivities().body,
		responses: []response{ok("What became of the items", batchDoc{}, exampleBatch)},
		errors:    []string{"import_not_found", "import_closed", "overloaded", "org_not_found"}}
}

func docCloseImport() operation {
	return operation{id: "closeImport", tag: "activities", summary: "Close an import",
		responses: []response{ok("The import, closed", importWire{}, exampleImport)}, errors: []string{"import_not_found", "org_not_found"}}
}

func docGetBoards() operation {
	return operation{id: "listLeaderboards", tag: "leaderboards", summary: "List the rules and their cycles", query: []param{minRevision()},
		responses: []response{ok("The rules", leaderboardListDoc{}, exampleBoards)},
		errors:    []string{"org_not_found", "bad_revision", "epoch_changed", "behind"}}
}

func docGetBoard() operation {
	return operation{id: "getLeaderboard", tag: "leaderboards", summary: "Read a leaderboard",
		description: "From the top, or the part that one of around_score, percentile, top_percent, or min_score with max_score names. Ranks are those of " +
			"the whole board.",
		query: slices.Concat([]param{{name: "limit", description: "Rows", schema: integer(1, maxLimit, defaultLimit)},
			{name: "offset", description: "Rows to skip", schema: integer(0, 1<<31-1, 0)},
			{name: "cursor", description: "next of the answer before, instead of offset", schema: text()}}, scoreRange(), []param{
			{name: "around_score", description: "The limit rows around the place of one who came to this score now, half of them above; place is that place", schema: decimal()},
			{name: "percentile", description: "The limit rows around the last one with this percentile or more, half of them above; place is that row", schema: percent()},
			{name: "top_percent", description: "Only the first rows: this part of the board, rounded up", schema: percent()}, minRevision()}, showParams()),
		headers:   []param{{name: "If-None-Match", description: "ETag of an answer before", schema: text()}},
		responses: []response{tagged(ok("Its rows", leaderboardDoc{}, exampleBoard)), notModified()},
		errors:    boardErrors("bad_cursor", "bad_request")}
}

func scoreRange() []param {
	return []param{{name: "min_score", description: "Only rows with this score or a greater one", schema: decimal()},
		{name: "max_score", description: "Only rows with this score or a smaller one", schema: decimal()}}
}

func decimal() huma.Schema { return huma.Schema{Type: huma.TypeNumber} }

func percent() huma.Schema {
	return huma.Schema{Type: huma.TypeNumber, Minimum: ptr(0.0), Maximum: ptr(100.0)}
}

func docGetCount() operation {
	return operation{id: "countScores", tag: "leaderboards", summary: "Count the users between two scores", query: append(scoreRange(), showParams()[0], minRevision()),
		responses: []response{ok("How many, and how many are on the board", countDoc{}, `{"count":120,"total":4000}`)}, errors: boardErrors("bad_request")}
}

func docPostQuery() operation {
	return operation{id: "queryLeaderboards", tag: "leaderboards", summary: "Read parts of several leaderboards at once", query: []param{minRevision()},
		description: "Up to 50 queries, answered in order as of one revision. One that cannot be answered has an error in its place.",
		body:        &content{of: boardsQuery{}, example: `{"boards":[{"rule":"commits","period":"week","limit":10,"user":"ada"},{"rule":"none","period":"week"}]}`},
		responses: []response{ok("The boards", boardSetDoc{}, `{"as_of":"2026-11-21T19:40:00.000Z","revision":"aB3dE:1763754000000-0","boards":[`+exampleBoard+
			`,{"error":{"code":"rule_not_found","detail":"the org has no rule \"none\""}}]}`)},
		errors: []string{"org_not_found", "bad_revision", "epoch_changed", "behind"}}
}

func docGetRank() operation {
	return operation{id: "getRank", tag: "leaderboards", summary: "Read one user's rank",
		query:     append(showParams(), param{name: "around", description: "So many rows above and below", schema: integer(0, maxAround, nil)}, minRevision()),
		responses: []response{tagged(ok("The user's place", rankDoc{}, exampleRank)), notModified()},
		errors:    boardErrors("bad_request", "not_ranked", "user_not_found", "user_merged")}
}

func docPostRanks() operation {
	return operation{id: "getRanks", tag: "leaderboards", summary: "Read many users' ranks", query: append(showParams(), minRevision()),
		body:      &content{of: rankQuery{}, example: `{"users":["ada","bob"],"relative":true}`},
		responses: []response{ok("The users' places", ranksDoc{}, exampleRanks)}, errors: boardErrors()}
}

func boardErrors(more ...string) []string {
	return append(more, "org_not_found", "rule_not_found", "bad_period", "period_gone", "bad_revision", "epoch_changed", "behind", "loading")
}

func tagged(r response) response {
	r.headers = append(r.headers, "ETag")
	return r
}

func notModified() response {
	return response{status: http.StatusNotModified, description: "Nothing changed since If-None-Match"}
}

func docGetUser() operation {
	return operation{id: "getUser", tag: "users", summary: "Read everything about a user",
		query: []param{{name: "stats", description: "month: stats say also how many came since the same time a calendar month ago, in the org's zone; that folds the user's activities anew",
			schema: huma.Schema{Type: huma.TypeString, Enum: []any{"month"}}}, minRevision()},
		responses: []response{ok("The user", userDoc{}, exampleUser)}, errors: userErrors()}
}

func docPutUser() operation {
	return operation{id: "putUser", tag: "users", summary: "Create a user, or replace what is known of one",
		description: "The profile and the attributes become those of the body; a timezone that it leaves out stays. Another user's e-mail, username, number or external id: 409 `taken`.",
		body:        &content{of: userChange{}, example: exampleUserChange},
		responses:   []response{ok("The user", userDoc{}, exampleUser)}, errors: []string{"bad_request", "org_not_found", "user_merged", "taken", "too_many_commands", "too_many_zone_changes", "loading"}}
}

func docPatchUser() operation {
	return operation{id: "patchUser", tag: "users", summary: "Change what is known of a user",
		description: "What the body leaves out stays; null removes.",
		body:        &content{of: userChange{}, example: exampleUserChange},
		responses:   []response{ok("The user", userDoc{}, exampleUser)}, errors: []string{"bad_request", "org_not_found", "user_not_found", "user_merged", "taken", "too_many_commands", "too_many_zone_changes", "loading"}}
}

const exampleUserChange = `{"timezone":"Europe/Vienna","name":"Ada L.","picture":"https://shop.example/ada.png","email":"ada@shop.example","language":"de","tags":["vip"],"attributes":{"country":"AT"}}`

func docGetUserRanks() operation {
	return operation{id: "getUserRanks", tag: "users", summary: "Read a user's ranks on every board of now, or of a period",
		query:     []param{{name: "period", description: "A cycle, a label, or cycle~N (N periods before): on every board that has it", schema: text()}, minRevision()},
		responses: []response{ok("The ranks", userRanksDoc{}, exampleUserRanks)}, errors: append(userErrors(), "bad_period")}
}

func docGetStreaks() operation {
	return operation{id: "getStreaks", tag: "users", summary: "Read a user's streaks",
		query:     []param{{name: "at", description: "As of this time, with what is known now", schema: instantText()}, minRevision()},
		responses: []response{ok("The streaks", streaksDoc{}, exampleStreaks)}, errors: append(userErrors(), "sealed")}
}

func docGetActivities() operation {
	return operation{id: "listActivities", tag: "users", summary: "Read a user's activities, newest first",
		query: []param{{name: "limit", description: "Activities", schema: integer(1, maxActivities, defaultLimit)},
			{name: "kind", description: "Of this kind", schema: huma.Schema{Type: huma.TypeString, Enum: []any{"behaviour", "point", "coupon", "gift", "bounty", "credit"}}},
			{name: "name", description: "Of this name", schema: text()},
			{name: "status", description: "With this status", schema: huma.Schema{Type: huma.TypeString, Enum: []any{"accepted", "rejected", "ignored"}}},
			{name: "from", description: "Whose at is this or later", schema: instantText()}, {name: "to", description: "Whose at is before this", schema: instantText()},
			{name: "sort", description: "-at where it is left out; of what is equal at and then ids decide, and no value is less than any", schema: choice(query.ActivitySorts())},
			{name: "cursor", description: "next of the answer before; good for the same filters and order only", schema: text()}, minRevision()},
		responses: []response{ok("The activities", activityPage{}, `{"activities":[`+exampleActivity+`]}`)}, errors: append(userErrors(), "bad_cursor")}
}

func userErrors() []string {
	return []string{"bad_request", "org_not_found", "user_not_found", "user_merged", "bad_revision", "epoch_changed", "behind", "loading"}
}

func docGetCatalog() operation {
	return operation{id: "getCatalog", tag: "catalog", summary: "Read the org's catalog",
		responses: []response{tagged(ok("The catalog; GET /v1/catalog/schema describes it", catalogDoc{}, exampleCatalog)), notModified()},
		errors:    []string{"org_not_found"}}
}

func docPutCatalog() operation {
	return operation{id: "putCatalog", tag: "catalog", summary: "Replace the org's catalog",
		description: "A catalog with a fault is refused whole, with every fault and its line.",
		headers:     []param{{name: "If-Match", description: "ETag of the catalog that was changed; * for whichever is there", schema: text(), required: true}},
		body:        &content{of: catalogDoc{}, types: []string{"application/json", "application/yaml"}, example: exampleCatalog},
		responses:   []response{tagged(ok("The catalog as published", catalogDoc{}, exampleCatalog))},
		errors:      []string{"bad_catalog", "precondition_required", "version_mismatch"}}
}

func docGetSchema() operation {
	return operation{id: "getCatalogSchema", tag: "catalog", summary: "Read the JSON Schema of a catalog file",
		responses: []response{{status: http.StatusOK, description: "JSON Schema, draft 2020-12",
			content: &content{of: catalogDoc{}, types: []string{"application/schema+json"}}}}}
}

func docGetKeys() operation {
	return operation{id: "listKeys", tag: "keys", summary: "List the org's keys",
		responses: []response{ok("The keys, revoked ones too", keyList{}, `{"keys":[`+exampleKey+`]}`)}}
}

func docPostKey() operation {
	return operation{id: "createKey", tag: "keys", summary: "Make a key",
		body: &content{of: keySpec{}, example: `{"name":"shop page","kind":"pk","scopes":["boards:read"],"origins":["https://shop.example"]}`},
		responses: []response{created("The key, shown this once", keyWire{}, `{"id":"key_5bJ2nq8Zt0aX1cVe","name":"shop page","kind":"pk",`+
			`"scopes":["boards:read"],"origins":["https://shop.example"],"key":"pk_3hV0cZ9rKqM2bT7wXy1nE5sLd8fGa4UoPiB"}`)}}
}

func docGetKey() operation {
	return operation{id: "getKey", tag: "keys", summary: "Read a key's description",
		responses: []response{ok("The key", keyWire{}, exampleKey)}, errors: []string{"key_not_found"}}
}

func docDeleteKey() operation {
	return operation{id: "revokeKey", tag: "keys", summary: "Revoke a key for good",
		responses: []response{{status: http.StatusNoContent, description: "It is revoked"}}, errors: []string{"key_not_found"}}
}
