package api

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"laurel/internal/profile"
	"laurel/internal/query"
)

// getUsers serves the user who has the value of the parameter that names a unique field or, without one, a page of users.
func (a *API) getUsers(w http.ResponseWriter, r *request) error {
	q := r.query()
	fields := slices.DeleteFunc(profile.Unique(), func(field string) bool { return !q.Has(field) })
	if len(fields) > 1 {
		return badRequest(fields[1], "Name one of "+strings.Join(profile.Unique(), ", ")+".")
	}
	list, err := userListOf(r)
	if err != nil {
		return err
	}
	if err := a.await(r); err != nil {
		return err
	}
	var object []byte
	if len(fields) == 1 {
		object, err = a.Reads.FindUser(r.Context(), r.org, fields[0], q.Get(fields[0]))
	} else {
		object, err = a.Reads.Users(r.Context(), r.org, list)
	}
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}

func userListOf(r *request) (query.UserList, error) {
	q := r.query()
	list := query.UserList{Sort: q.Get("sort"), Cursor: q.Get("cursor"), Search: q.Get("search"), Tag: q.Get("tag"), Country: q.Get("country"),
		Language: q.Get("language"), Fields: q.Members("fields")}
	var err error
	if list.Limit, err = queryInt(r, "limit", defaultLimit, 1, query.MaxListed); err != nil {
		return list, err
	}
	if list.Blocked, err = queryBool(r, "blocked"); err != nil {
		return list, err
	}
	list.Hidden, err = queryBool(r, "hidden")
	return list, err
}

// queryBool is a parameter that is true or false, nil for an absent one.
func queryBool(r *request, name string) (*bool, error) {
	q := r.query()
	if !q.Has(name) {
		return nil, nil
	}
	is := q.Get(name) == "true"
	if !is && q.Get(name) != "false" {
		return nil, badRequest(name, "This must be true or false.")
	}
	return &is, nil
}

// userPageDoc is a page of users.
type userPageDoc struct {
	Users   []userRowDoc `json:"users" nullable:"false"`
	Total   int          `json:"total" doc:"Users of the org, whatever is filtered"`
	Pending bool         `json:"pending,omitempty" doc:"Users who were there before there was this list are still being put into it"`
	Next    string       `json:"next,omitempty" doc:"Pass it as cursor to get the next page; absent on the last. A page may have fewer users than asked for and go on"`
}

type userRowDoc struct {
	ID        string     `json:"id"`
	CreatedAt string     `json:"created_at,omitempty" format:"date-time" doc:"Absent of users who were there before that was noted, who count as the oldest"`
	Profile   *personDoc `json:"profile,omitempty"`
	Hidden    bool       `json:"hidden,omitempty"`
	Blocked   bool       `json:"blocked,omitempty"`
}

// userOrPage is what GET /v1/users answers.
type userOrPage struct{}

// Schema implements huma.SchemaProvider.
func (userOrPage) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(reflect.TypeFor[userPageDoc](), true, ""), r.Schema(reflect.TypeFor[userDoc](), true, "")}}
}

func docGetUsers() operation {
	filter := func(name, description string) param {
		return param{name: name, description: description, schema: text()}
	}
	flag := func(name, description string) param {
		return param{name: name, description: description, schema: huma.Schema{Type: huma.TypeString, Enum: []any{"true", "false"}}}
	}
	return operation{id: "listUsers", tag: "users", summary: "List users, or find one by an e-mail address, a username, a number or an external id",
		description: "With email, username, number or external_id, of which no two users of an org have the same, the answer is that user, as GET /v1/users/{user} gives it. " +
			"Otherwise it is a page of users that pass every filter; `fields.<name>=` filters by a custom field. Whom search names exactly by id, e-mail address, username, number or " +
			"external id comes first. A page looks at 5,000 users at most, so it may be short, or empty, and have a next.",
		query: []param{filter("email", "E-mail address, without regard to case"), filter("username", "Username"), filter("number", "Number"), filter("external_id", "Id in another system"),
			{name: "limit", description: "Users", schema: integer(1, query.MaxListed, defaultLimit)},
			{name: "sort", description: "By when users came, the newest first by default; of those of one millisecond ids decide",
				schema: huma.Schema{Type: huma.TypeString, Enum: []any{query.NewestFirst, query.OldestFirst}, Default: query.NewestFirst}},
			filter("cursor", "next of the answer before"), filter("search", "What id, name, username or e-mail address contains, without regard to case"),
			filter("tag", "Who have this tag"), filter("country", "Who are of this country"), filter("language", "Who have this language"),
			flag("blocked", "Who are blocked, or are not"), flag("hidden", "Who are hidden, or are not"), minRevision()},
		responses: []response{ok("The page, or the user", userOrPage{},
			`{"users":[{"id":"ada","created_at":"2026-11-21T19:40:00.000Z","profile":{"name":"Ada L.","email":"ada@shop.example"}}],"total":1}`)},
		errors: append(userErrors(), "bad_cursor")}
}
