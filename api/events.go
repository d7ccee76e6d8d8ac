package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"laurel/internal/auth"
	"laurel/internal/feed"
	"laurel/internal/registry"
	"laurel/internal/store"
)

const (
	defaultEvents = 100
	maxEvents     = 1_000
	maxEventWait  = 30 // seconds
)

func (a *API) eventRoutes() []route {
	return []route{{method: http.MethodGet, pattern: "/v1/events", scope: auth.BoardsRead, serve: a.getEvents, doc: docGetEvents()}}
}

// getEvents answers with what happened after an event, and waits for the first if there is none.
func (a *API) getEvents(w http.ResponseWriter, r *request) error {
	var after feed.Position
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = feed.ParsePosition(text); err != nil || after.String() != text {
			return badRequest("after", "This must be the id of an event, or the next of an answer before.")
		}
	}
	if _, ok := a.Registry.Get(r.org); !ok {
		return registry.ErrOrgNotFound
	}
	limit, err := queryInt(r, "limit", defaultEvents, 1, maxEvents)
	if err != nil {
		return err
	}
	wait, err := queryWait(r)
	if err != nil {
		return err
	}
	events, next, err := a.Events.Events(r.Context(), r.org, after, limit, wait)
	if err != nil {
		return err
	}
	return a.writeAppended(w, http.StatusOK, eventPage{events, next})
}

// queryWait is the parameter wait: seconds, with or without an s.
func queryWait(r *request) (time.Duration, error) {
	text := r.URL.Query().Get("wait")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(text, "s"))
	if err != nil || n < 0 || n > maxEventWait {
		return 0, badRequest("wait", "This must be seconds, from 0 to "+itoa(maxEventWait)+".")
	}
	return time.Duration(n) * time.Second, nil
}

// eventPage writes events as they were stored, each with its id.
type eventPage struct {
	events []store.Event
	next   feed.Position
}

// AppendJSON appends the page as a JSON object.
func (p eventPage) AppendJSON(b []byte) []byte {
	b = append(b, `{"events":[`...)
	for i, e := range p.events {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, `{"id":`, e.ID.String())
		b = append(append(b, ','), e.Body[1:]...) // an object with members
	}
	return append(appendText(b, `],"next":`, p.next.String()), '}')
}

// eventsDoc describes eventPage.
type eventsDoc struct {
	Events []eventDoc `json:"events" nullable:"false" doc:"Oldest first"`
	Next   string     `json:"next" doc:"Pass it as after to go on"`
}

// eventDoc is an event; what it has beside id and type depends on the type.
type eventDoc struct {
	ID     string         `json:"id" example:"1763942400000-0"`
	Type   string         `json:"type" enum:"period.closed"`
	At     string         `json:"at" format:"date-time" doc:"When the period was closed: its end and the org's close_grace"`
	Rule   string         `json:"rule" example:"commits"`
	Cycle  string         `json:"cycle" example:"week"`
	Period eventPeriodDoc `json:"period"`
	Total  int            `json:"total" doc:"Users on its leaderboard, whose standings are final"`
}

type eventPeriodDoc struct {
	Label string `json:"label" example:"2026-W47"`
	Start string `json:"start" format:"date-time"`
	End   string `json:"end" format:"date-time" doc:"Exclusive"`
}

func docGetEvents() operation {
	const example = `{"events":[{"id":"1766966400120-0","type":"period.closed","at":"2026-12-28T00:00:00.000Z","rule":"commits","cycle":"week",` +
		`"period":{"label":"2026-W47","start":"2026-11-16T00:00:00.000Z","end":"2026-11-23T00:00:00.000Z"},"total":2}],"next":"1766966400120-0"}`
	return operation{id: "listEvents", tag: "events", summary: "Read what happened, and wait for more",
		description: "An event for each period that was closed with somebody on its leaderboard, in order. Remember next and ask again: each event comes " +
			"exactly once. About 100,000 events of all orgs are kept; who is further behind is told so (410) and begins again without after.",
		query: []param{{name: "after", description: "Only what came after this event, or the next of an answer before", schema: text()},
			{name: "limit", description: "Events", schema: integer(1, maxEvents, defaultEvents)},
			{name: "wait", description: "Seconds to wait for the first event", schema: huma.Schema{Type: huma.TypeInteger, Minimum: ptr(0.0),
				Maximum: ptr(float64(maxEventWait)), Default: 0}}},
		responses: []response{ok("The events", eventsDoc{}, example)}, errors: []string{"bad_request", "org_not_found", "events_gone"}}
}
