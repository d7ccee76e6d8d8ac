package api

import (
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

const exampleStream = `retry: 1500

id: RZ6LLTMYPT2R6JXTFFTWZOXD.1
event: snapshot
data: {"type":"snapshot","id":"sse","epoch":"RZ6LLTMYPT2R6JXTFFTWZOXD","seq":1,"as_of":"2026-11-21T19:40:00.000Z","period":{"label":"all","closed":false},"total":0,"rows":[]}

`

func docStream() operation {
	return operation{id: "openStream", tag: "live", summary: "Watch a live view as Server-Sent Events",
		description: "One view, named as in a WebSocket's subscribe command; an event for each of its messages, named by its type, with the same object as data. " +
			"The key or signed token comes as Authorization, or a signed token as ?token=. A client that comes back with the last event's id is told that it is " +
			"up to date (resumed) or gets a snapshot.",
		query: []param{
			{name: "kind", description: "What the view shows", required: true,
				schema: huma.Schema{Type: huma.TypeString, Enum: []any{"top", "range", "around", "users", "user"}}},
			{name: "rule", description: "Of all kinds but user", schema: text()},
			{name: "period", description: "Of all kinds but user: a cycle, a label or cycle~N", schema: text()},
			{name: "limit", description: "Of top: how many rows", schema: integer(1, 1000, 50)},
			{name: "from", description: "Of range: the first place", schema: integer(1, 1<<53-1, nil)},
			{name: "to", description: "Of range: the last place, at most 999 behind the first", schema: integer(1, 1<<53-1, nil)},
			{name: "user", description: "Of around and user", schema: text()},
			{name: "span", description: "Of around: rows above and below", schema: integer(0, 100, 0)},
			{name: "users", description: "Of users: up to 100, each a parameter of its own", schema: huma.Schema{Type: huma.TypeArray, Items: ptr(text())}},
			{name: "segment", description: "Of a rule with segment_by: the board of one value", schema: text()},
			{name: "fields", description: "profile: rows have their users' profiles", schema: huma.Schema{Type: huma.TypeString, Enum: []any{"profile"}}},
			{name: "max_hz", description: "At most so many messages a second", schema: huma.Schema{Type: huma.TypeNumber}},
			{name: "last_event_id", description: "As the header Last-Event-ID, which goes before it", schema: text()},
			{name: "token", description: "A signed token, never a key, for clients that cannot set a header", schema: text()},
		},
		responses: []response{{status: 200, description: "Events, for as long as the client stays",
			content: &content{of: "", types: []string{"text/event-stream"}, example: strconv.Quote(exampleStream)}}},
		errors: []string{"bad_request", "bad_period", "unauthorized", "forbidden", "not_found", "rule_not_found", "user_not_found", "period_gone", "user_merged", "unavailable"}}
}
