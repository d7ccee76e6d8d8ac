package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/grants"
	"laurel/internal/ingest"
	"laurel/internal/query"
)

// GrantCommands are what is ordered about rewards that users are given.
type GrantCommands interface {
	Grant(ctx context.Context, org activity.Org, user activity.User, o ingest.GrantOrder) (g grants.Grant, created bool, err error)
	ClaimGrant(ctx context.Context, org activity.Org, user activity.User, id string) (grants.Grant, error)
	RedeemGrant(ctx context.Context, org activity.Org, user activity.User, id string) (grants.Grant, error)
}

// GrantReads are the reads of rewards.
type GrantReads interface {
	RewardList(ctx context.Context, org activity.Org) ([]byte, error)
	Rewards(ctx context.Context, org activity.Org, user activity.User, q query.GrantQuery) ([]byte, error)
	Grant(ctx context.Context, org activity.Org, user activity.User, id string) ([]byte, error)
	FindGrant(ctx context.Context, org activity.Org, code string) ([]byte, error)
}

const (
	maxGrants  = 1000
	maxEntries = 1_000_000
	maxCode    = 256
)

// grantRoutes are those of rewards and of what users were given of them.
func (a *API) grantRoutes() []route {
	const all = "/v1/users/{user}/grants"
	const one = all + "/{id}"
	return []route{
		{method: http.MethodGet, pattern: "/v1/rewards", scope: auth.CatalogRead, serve: a.getRewards, doc: docGetRewards()},
		{method: http.MethodGet, pattern: "/v1/grants", scope: auth.UsersRead, serve: a.findGrant, doc: docFindGrant()},
		{method: http.MethodGet, pattern: "/v1/users/{user}/rewards", scope: auth.UsersRead, own: true, serve: a.getUserRewards, doc: docGetUserRewards()},
		{method: http.MethodPost, pattern: all, scope: auth.UsersWrite, serve: a.postGrant, doc: docPostGrant()},
		{method: http.MethodGet, pattern: one, scope: auth.UsersRead, own: true, serve: a.getGrant, doc: docGetGrant()},
		{method: http.MethodPost, pattern: one + "/claim", scope: auth.UsersWrite, serve: a.moveGrant(a.Writes.ClaimGrant), doc: docClaimGrant()},
		{method: http.MethodPost, pattern: one + "/redeem", scope: auth.UsersWrite, serve: a.moveGrant(a.Writes.RedeemGrant), doc: docRedeemGrant()},
	}
}

func (a *API) getRewards(w http.ResponseWriter, r *request) error {
	object, err := a.Reads.RewardList(r.Context(), r.org)
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}

func (a *API) findGrant(w http.ResponseWriter, r *request) error {
	code := r.query().Get("code")
	if code == "" || len(code) > maxCode {
		return badRequest("code", "The code of a grant is needed, up to 256 bytes.")
	}
	object, err := a.Reads.FindGrant(r.Context(), r.org, code)
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}

// rewardGrantSpec is a reward to be given.
type rewardGrantSpec struct {
	ID     string `json:"id,omitempty" doc:"Made where it is left out; sent again, the same grant is answered" maxLength:"128" example:"welcome"`
	Reward string `json:"reward" example:"mug"`
	Count  *int64 `json:"count,omitempty" doc:"Of a reward of type entry: how many entries" minimum:"1" maximum:"1000000" example:"1"`
}

// reservedIDs begin the ids of grants that are not given by command.
func reservedIDs() []string {
	return []string{"achievement:", "level:", "mission:", "prize:", "coupon:", "gift:", "from:"}
}

func (s *rewardGrantSpec) order() (o ingest.GrantOrder, err error) {
	if s.ID != "" && !validText(s.ID) {
		return o, badRequest("id", "An id is 1 to 128 bytes of UTF-8 without control characters.")
	}
	for _, prefix := range reservedIDs() {
		if strings.HasPrefix(s.ID, prefix) {
			return o, badRequest("id", "Ids that begin with "+prefix+" are of grants that are not given by command.")
		}
	}
	o = ingest.GrantOrder{ID: s.ID, Reward: s.Reward, Count: 1}
	if s.Count != nil {
		o.Count = *s.Count
	}
	if o.Count < 1 || o.Count > maxEntries {
		return o, badRequest("count", "This must be an integer from 1 to "+itoa(maxEntries)+".")
	}
	return o, nil
}

func (a *API) postGrant(w http.ResponseWriter, r *request) error {
	user, err := pathUser(r)
	if err != nil {
		return err
	}
	var in rewardGrantSpec
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	o, err := in.order()
	if err != nil {
		return err
	}
	g, made, err := a.Writes.Grant(r.Context(), r.org, user, o)
	if err != nil {
		return userFault(err)
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	return a.writeGrant(w, r, status, user, g.ID)
}

func (a *API) writeGrant(w http.ResponseWriter, r *request, status int, user activity.User, id string) error {
	object, err := a.Reads.Grant(r.Context(), r.org, user, id)
	if err != nil {
		return err
	}
	return writeBytes(w, status, object)
}

// pathGrant is the user and the grant of the path. The id of one that came from another user's activity has that user's id in it.
func pathGrant(r *request) (activity.User, string, error) {
	user, err := pathUser(r)
	id := r.PathValue("id")
	if err == nil && (id == "" || len(id) > maxGrantID) {
		err = badRequest("id", "This is no id of a grant.")
	}
	return user, id, err
}

const maxGrantID = 512

func (a *API) getGrant(w http.ResponseWriter, r *request) error {
	user, id, err := pathGrant(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	return a.writeGrant(w, r, http.StatusOK, user, id)
}

func (a *API) moveGrant(move func(context.Context, activity.Org, activity.User, string) (grants.Grant, error)) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		user, id, err := pathGrant(r)
		if err != nil {
			return err
		}
		if _, err := move(r.Context(), r.org, user, id); err != nil {
			return userFault(err)
		}
		return a.writeGrant(w, r, http.StatusOK, user, id)
	}
}

func (a *API) getUserRewards(w http.ResponseWriter, r *request) error {
	limit, err := queryInt(r, "limit", defaultLimit, 1, maxGrants)
	if err != nil {
		return err
	}
	p := r.query()
	q := query.GrantQuery{Status: grants.Status(p.Get("status")), Reward: p.Get("reward"), Type: p.Get("type"), By: p.Get("by"), Sort: p.Get("sort"), Limit: limit, Before: p.Get("before")}
	for _, choice := range []struct {
		name, value string
		of          []string
	}{{"status", string(q.Status), grantStatuses()}, {"type", q.Type, []string{"asset", "entry"}}, {"by", q.By, grantSources()}, {"sort", q.Sort, query.GrantSorts()}} {
		if choice.value != "" && !slices.Contains(choice.of, choice.value) {
			return badRequest(choice.name, "This must be one of "+strings.Join(choice.of, ", ")+".")
		}
	}
	return a.userObject(func(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
		return a.Reads.Rewards(ctx, org, user, q)
	})(w, r)
}

func grantStatuses() []string { return []string{"issued", "claimed", "redeemed", "expired"} }

func grantSources() []string {
	return []string{"achievement", "level", "mission", "prize", "coupon", "gift"}
}

// givenRewardDoc is a reward that a user was given.
type givenRewardDoc struct {
	User             string           `json:"user,omitempty" doc:"Who has it, where its code was looked up"`
	ID               string           `json:"id" example:"achievement:hundred:mug"`
	Reward           string           `json:"reward" example:"mug"`
	Type             string           `json:"type" enum:"asset,entry" example:"asset"`
	Name             string           `json:"name,omitempty" example:"Mug"`
	Description      string           `json:"description,omitempty"`
	Banner           string           `json:"banner,omitempty"`
	Status           string           `json:"status" enum:"issued,claimed,redeemed,expired" example:"issued"`
	EntryCount       int64            `json:"entry_count,omitempty" doc:"Of type entry"`
	Code             string           `json:"code,omitempty" example:"MUG-7KXQ2M9A"`
	By               string           `json:"by,omitempty" doc:"What it was issued by: achievement:, level:, mission:, prize:, coupon: or gift: and an id; absent where it was by command" example:"achievement:hundred"`
	Paid             *paidDoc         `json:"paid,omitempty" nullable:"false" doc:"What it cost, where it was bought as a coupon; absent where that is sealed, and where one grant is read alone"`
	IssuedAt         calendar.Instant `json:"issued_at" example:"2026-11-21T19:40:00.000Z"`
	ClaimedAt        calendar.Instant `json:"claimed_at,omitempty"`
	RedeemedAt       calendar.Instant `json:"redeemed_at,omitempty"`
	ExpiresAt        calendar.Instant `json:"expires_at,omitempty" example:"2026-12-21T19:40:00.000Z"`
	EventCategory    string           `json:"event_category,omitempty" example:"swag"`
	EventSubCategory string           `json:"event_sub_category,omitempty"`
	Community        string           `json:"community,omitempty"`
	RedeemableType   string           `json:"redeemable_type,omitempty"`
}

// paidDoc is what a coupon cost when it was bought.
type paidDoc struct {
	Wallet string  `json:"wallet" example:"coins"`
	Points float64 `json:"points" example:"25"`
}

type givenRewardPageDoc struct {
	Total   int              `json:"total" doc:"How many there are in all" example:"1"`
	Rewards []givenRewardDoc `json:"rewards" nullable:"false"`
	Next    string           `json:"next,omitempty" doc:"Pass it as before to get the next page; absent on the last"`
}

type rewardDoc struct {
	Reward      string          `json:"reward" example:"mug"`
	Name        string          `json:"name,omitempty" example:"Mug"`
	Description string          `json:"description,omitempty"`
	Banner      string          `json:"banner,omitempty"`
	Type        string          `json:"type" enum:"asset,entry" example:"asset"`
	Price       *rewardPriceDoc `json:"price,omitempty" doc:"It can be bought as a coupon"`
	Stock       *stockDoc       `json:"stock,omitempty" doc:"Of one that is limited"`
}

type rewardPriceDoc struct {
	Wallet string  `json:"wallet" example:"coins"`
	Points float64 `json:"points" example:"25"`
}

type stockDoc struct {
	Total  int64 `json:"total" example:"100"`
	Issued int64 `json:"issued" doc:"Since there is a limit, less what was taken back" example:"12"`
	Left   int64 `json:"left" example:"88"`
}

type rewardsDoc struct {
	Rewards []rewardDoc `json:"rewards" nullable:"false"`
}

const exampleGrant = `{"id":"achievement:hundred:mug","reward":"mug","type":"asset","name":"Mug","status":"issued","code":"MUG-7KXQ2M9A","by":"achievement:hundred",` +
	`"issued_at":"2026-11-21T19:40:00.000Z","expires_at":"2026-12-21T19:40:00.000Z"}`

func docGetRewards() operation {
	return operation{id: "getRewards", tag: "catalog", summary: "List the rewards, with what is left of them",
		responses: []response{ok("The rewards", rewardsDoc{}, `{"rewards":[{"reward":"mug","type":"asset","name":"Mug","price":{"wallet":"coins","points":25},`+
			`"stock":{"total":100,"issued":12,"left":88}}]}`)}, errors: []string{"org_not_found"}}
}

func docFindGrant() operation {
	return operation{id: "findGrant", tag: "users", summary: "Find a grant by its code", query: []param{{name: "code", description: "The code", schema: text(), required: true}},
		responses: []response{ok("The grant, with its user", givenRewardDoc{}, `{"user":"ada",`+exampleGrant[1:])}, errors: []string{"bad_request", "org_not_found", "grant_not_found"}}
}

func docGetUserRewards() operation {
	return operation{id: "getUserRewards", tag: "users", summary: "Read what a user was given of the rewards",
		query: []param{{name: "status", description: "Of this status only", schema: choice(grantStatuses())}, {name: "reward", description: "Of this reward only", schema: text()},
			{name: "type", description: "Of this type only", schema: choice([]string{"asset", "entry"})}, {name: "by", description: "Issued by this kind of thing only", schema: choice(grantSources())},
			{name: "sort", description: "-issued_at where it is left out", schema: choice(query.GrantSorts())},
			{name: "limit", description: "Grants", schema: integer(1, maxGrants, defaultLimit)}, {name: "before", description: "next of the answer before", schema: text()}, minRevision()},
		responses: []response{ok("A page of them", givenRewardPageDoc{}, `{"total":1,"rewards":[`+exampleGrant+`]}`)}, errors: append(userErrors(), "bad_cursor")}
}

func docPostGrant() operation {
	return operation{id: "createGrant", tag: "users", summary: "Give a user a reward",
		body:      &content{of: rewardGrantSpec{}, example: `{"id":"welcome","reward":"mug"}`},
		responses: []response{created("The grant", givenRewardDoc{}, exampleGrant), ok("It was given before", givenRewardDoc{}, exampleGrant)},
		errors:    []string{"bad_request", "org_not_found", "user_not_found", "user_merged", "reward_not_found", "grant_conflict", "out_of_stock", "overloaded"}}
}

func docGetGrant() operation {
	return operation{id: "getGrant", tag: "users", summary: "Read one grant of a user", query: []param{minRevision()},
		responses: []response{ok("The grant", givenRewardDoc{}, exampleGrant)}, errors: append(userErrors(), "grant_not_found")}
}

func docClaimGrant() operation {
	return operation{id: "claimGrant", tag: "users", summary: "Claim a grant", description: "Again it changes nothing.",
		responses: []response{ok("The grant", givenRewardDoc{}, exampleGrant)}, errors: grantErrors()}
}

func docRedeemGrant() operation {
	return operation{id: "redeemGrant", tag: "users", summary: "Redeem a grant", description: "It is claimed too, if it was not. Again it changes nothing.",
		responses: []response{ok("The grant", givenRewardDoc{}, exampleGrant)}, errors: grantErrors()}
}

func grantErrors() []string {
	return []string{"bad_request", "org_not_found", "user_not_found", "user_merged", "grant_not_found", "grant_expired", "overloaded"}
}

// choice is a text that is one of some.
func choice(of []string) huma.Schema {
	s := text()
	for _, one := range of {
		s.Enum = append(s.Enum, one)
	}
	return s
}
