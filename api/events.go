package api

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/closing"
	"laurel/internal/registry"
)

const (
	defaultEvents = 100
	maxEvents     = 1_000
	maxEventWait  = 30 // seconds
	maxEventTypes = 32 // filters of one request
	maxEventType  = 64 // bytes
)

func (a *API) eventRoutes() []route {
	return []route{{method: http.MethodGet, pattern: "/v1/events", scope: auth.BoardsRead, serve: a.getEvents, doc: docGetEvents()}}
}

// getEvents answers with what happened after an event, and waits for the first if there is none.
func (a *API) getEvents(w http.ResponseWriter, r *request) error {
	if _, ok := a.Registry.Get(r.org); !ok {
		return registry.ErrOrgNotFound
	}
	q := closing.EventQuery{Org: r.org, After: r.query().Get("after"), User: activity.User(r.query().Get("user")), Types: r.query().All("type"),
		Users: r.identity.Allows(auth.UsersRead)}
	if err := checkEventFilters(r, &q); err != nil {
		return err
	}
	var err error
	if q.Limit, err = queryInt(r, "limit", defaultEvents, 1, maxEvents); err != nil {
		return err
	}
	wait, err := queryWait(r)
	if err != nil {
		return err
	}
	page, err := a.Events.Events(r.Context(), q, wait)
	if errors.Is(err, closing.ErrBadCursor) {
		return badRequest("after", "This must be the next of an answer before.")
	} else if err != nil {
		return err
	}
	if !a.Keys.Good(r.org, r.identity.KeyID(r.org)) { // revoked while this waited
		return auth.ErrUnauthorized
	}
	return a.writeAppended(w, http.StatusOK, eventPage(page))
}

// checkEventFilters refuses filters that no event can pass, and those that the key may not see by.
func checkEventFilters(r *request, q *closing.EventQuery) error {
	if r.query().Has("user") {
		switch {
		case !validText(string(q.User)):
			return badRequest("user", "A user id is 1 to 128 bytes of UTF-8 without control characters.")
		case !q.Users:
			return &fault{code: "forbidden", detail: "Events of users need a key with the scope " + string(auth.UsersRead) + "."}
		}
	}
	if len(q.Types) > maxEventTypes || slices.ContainsFunc(q.Types, func(t string) bool { return !validEventType(t) }) {
		return badRequest("type", "This must be a type such as streak.lost, or how some begin, such as streak., at most "+itoa(maxEventTypes)+" times.")
	}
	return nil
}

// validEventType says whether t is made of words and dots, as types of events are.
func validEventType(t string) bool {
	return t != "" && len(t) <= maxEventType && strings.Trim(t, "abcdefghijklmnopqrstuvwxyz0123456789_.") == ""
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
type eventPage closing.EventPage

// AppendJSON appends the page as a JSON object.
func (p eventPage) AppendJSON(b []byte) []byte {
	b = append(b, `{"events":[`...)
	for i, e := range p.Events {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.AppendJSON(b)
	}
	return append(appendText(b, `],"next":`, p.Next), '}')
}

// eventsDoc describes eventPage.
type eventsDoc struct {
	Events []eventDoc `json:"events" nullable:"false" doc:"The events of one user, and of one partition, in the order in which they were committed; others by time"`
	Next   string     `json:"next" doc:"Opaque. Pass it as after to go on"`
}

// eventDoc is an event; what it has beside id, type and at depends on the type.
type eventDoc struct {
	_ struct{} `additionalProperties:"true"`

	ID   string `json:"id" example:"1763942400000-0" doc:"Stays the same for good. ms-seq, where there are several partitions partition.ms-seq"`
	Type string `json:"type" example:"streak.extended" doc:"period.closed, or of users streak.started, streak.extended, streak.at_risk, streak.frozen, streak.lost, streak.decayed, streak.freeze_earned, streak.paused, streak.resumed, streak.restored, streak.milestone, streak.record, streak.undone, points.earned, points.expired, level.reached, level.undone, achievement.completed, achievement.undone, mission.started, mission.completed, mission.failed, mission.undone, reward.issued, reward.claimed, reward.redeemed, reward.expired, reward.revoked, reward.out_of_stock, gift.received, bounty.received; more may come"`
	At   string `json:"at" format:"date-time" doc:"When it became true. period.closed: the period's end and the org's close_grace"`
	Rule string `json:"rule,omitempty" example:"commits" doc:"Whose leaderboard or streak it is"`
	// Of period.closed.
	Cycle string `json:"cycle,omitempty" example:"week" doc:"Of period.closed"`
	Total int    `json:"total,omitempty" doc:"Of period.closed: users on its leaderboard, whose standings are final"`
	// Period is a label in streak events.
	Period eventPeriod `json:"period,omitempty"`
	// Of streak events.
	User            string `json:"user,omitempty" example:"ada" doc:"Whose streak it is. Such events need the scope users:read"`
	Current         int    `json:"current,omitempty" doc:"The length of the streak from now on"`
	Previous        int    `json:"previous,omitempty" doc:"The length before"`
	Length          int    `json:"length,omitempty" doc:"Of streak.lost: what was lost"`
	FreezesReturned int    `json:"freezes_returned,omitempty" doc:"Of streak.lost: how many freezes came back"`
	Held            int    `json:"held,omitempty" doc:"Of streak.frozen and streak.freeze_earned: how many freezes are held now"`
	Milestone       int    `json:"milestone,omitempty" doc:"Of streak.milestone: the length that was reached"`
	Deadline        string `json:"deadline,omitempty" format:"date-time" doc:"Of streak.at_risk: until when the period can be met"`
	// Of what is earned.
	Wallet      string  `json:"wallet,omitempty" doc:"Of points.earned and points.expired, and of gifts and bounties that are points"`
	Amount      float64 `json:"amount,omitempty" doc:"How many points of the wallet, above 0"`
	Level       string  `json:"level,omitempty" doc:"Of level.reached and level.undone, with step and name"`
	Step        int     `json:"step,omitempty" doc:"Which step of the level, from 1"`
	Name        string  `json:"name,omitempty" doc:"Of the step"`
	Achievement string  `json:"achievement,omitempty" doc:"Of achievement.completed and achievement.undone, with period"`
	Mission     string  `json:"mission,omitempty" doc:"Of mission.started, mission.completed, mission.failed and mission.undone"`
	Since       string  `json:"since,omitempty" format:"date-time" doc:"Of achievements and missions: when it was completed, started or failed, as far as activities tell; what is undone had been since then"`
	// Of what others give.
	Gift     string `json:"gift,omitempty" example:"coffee" doc:"Of gift.received"`
	Bounty   string `json:"bounty,omitempty" example:"bug" doc:"Of bounty.received"`
	Activity string `json:"activity,omitempty" example:"gift:ada:1" doc:"Of gift.received and bounty.received: the user's record of kind credit"`
	From     string `json:"from,omitempty" example:"ada" doc:"Of gift.received and bounty.received: who gave it"`
	Reward   string `json:"reward,omitempty" doc:"Of a gift that is a reward, and of events reward.…"`
	// Of rewards.
	Grant     string `json:"grant,omitempty" example:"achievement:hundred:mug" doc:"Of events reward.…, but for reward.out_of_stock: the id of the user's grant"`
	By        string `json:"by,omitempty" example:"achievement:hundred" doc:"Of events reward.…: what it was issued by, or would have been"`
	ExpiresAt string `json:"expires_at,omitempty" format:"date-time" doc:"Of reward.issued"`

	Undone string `json:"undone,omitempty" example:"streak.lost" doc:"Of streak.undone: the type of the event that is no longer so"`
}

// eventPeriod is how events name a period.
type eventPeriod struct{}

// Schema is an object in period.closed, and a label in the others.
func (eventPeriod) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "The label of the streak's period; of period.closed the whole period",
		OneOf: []*huma.Schema{{Type: huma.TypeString}, r.Schema(reflect.TypeFor[eventPeriodDoc](), true, "")}}
}

type eventPeriodDoc struct {
	Label string `json:"label" example:"2026-W47"`
	Start string `json:"start" format:"date-time"`
	End   string `json:"end" format:"date-time" doc:"Exclusive"`
}

func docGetEvents() operation {
	const example = `{"events":[{"id":"1766966400120-0","type":"period.closed","at":"2026-12-28T00:00:00.000Z","rule":"commits","cycle":"week",` +
		`"period":{"label":"2026-W47","start":"2026-11-16T00:00:00.000Z","end":"2026-11-23T00:00:00.000Z"},"total":2},` +
		`{"id":"1766966401007-0","type":"streak.extended","at":"2026-12-29T00:00:01.000Z","user":"ada","rule":"daily","period":"2026-12-29","current":5}],` +
		`"next":"1766966401007-0"}`
	return operation{id: "listEvents", tag: "events", summary: "Read what happened, and wait for more",
		description: "An event for each period that was closed with somebody on its leaderboard, and for what became true of users' streaks; a key without the scope " +
			"users:read sees those of no user. Remember next and ask again with the same filters: each event comes exactly once. Who saw an event twice, because " +
			"a next was lost, knows it by its id. About 100,000 events of all orgs are kept in each partition; who is further behind is told so (410) and begins again " +
			"without after. Deleting a user removes the user's events; those of a merged user stay under the old id.",
		query: []param{{name: "after", description: "Only what came after the answer with this next", schema: text()},
			{name: "type", description: "Only this type, or all that begin so: streak. (with the dot). May be repeated: any of them", schema: text()},
			{name: "user", description: "Only the events of this user (users:read)", schema: text()},
			{name: "limit", description: "Events", schema: integer(1, maxEvents, defaultEvents)},
			{name: "wait", description: "Seconds to wait for the first event", schema: huma.Schema{Type: huma.TypeInteger, Minimum: ptr(0.0),
				Maximum: ptr(float64(maxEventWait)), Default: 0}}},
		responses: []response{ok("The events", eventsDoc{}, example)}, errors: []string{"bad_request", "org_not_found", "events_gone"}}
}
