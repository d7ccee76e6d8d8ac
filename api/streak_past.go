package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/query"
	"laurel/internal/registry"
)

const maxPast = 1_000

// streakPastRoutes are the reads of what became of a user's streaks, and of what would.
func (a *API) streakPastRoutes() []route {
	const one = "/v1/users/{user}/streaks/{rule}"
	return []route{
		{method: http.MethodGet, pattern: one + "/history", scope: auth.UsersRead, own: true, serve: a.streakRange(a.Reads.History), doc: docGetHistory()},
		{method: http.MethodGet, pattern: one + "/past", scope: auth.UsersRead, own: true, serve: a.getPast, doc: docGetPast()},
		{method: http.MethodGet, pattern: one + "/explain", scope: auth.UsersRead, own: true, serve: a.streakRange(a.Reads.Explain), doc: docGetExplain()},
		{method: http.MethodGet, pattern: "/v1/users/{user}/audit", scope: auth.UsersRead, serve: a.userObject(a.Reads.Audit), doc: docGetAudit()},
		{method: http.MethodPost, pattern: "/v1/streaks/preview", scope: auth.CatalogRead, serve: a.postPreview, doc: docPostPreview()},
	}
}

// streakRange serves what a read says of a range of periods.
func (a *API) streakRange(read func(context.Context, activity.Org, activity.User, string, query.Range) ([]byte, error)) func(http.ResponseWriter, *request) error {
	return func(w http.ResponseWriter, r *request) error {
		q := r.query()
		return a.userObject(func(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
			return read(ctx, org, user, r.PathValue("rule"), query.Range{From: q.Get("from"), To: q.Get("to")})
		})(w, r)
	}
}

func (a *API) getPast(w http.ResponseWriter, r *request) error {
	limit, err := queryInt(r, "limit", defaultLimit, 1, maxPast)
	if err != nil {
		return err
	}
	return a.userObject(func(ctx context.Context, org activity.Org, user activity.User) ([]byte, error) {
		return a.Reads.Past(ctx, org, user, r.PathValue("rule"), limit)
	})(w, r)
}

// preview is a definition to be tried on a user.
type preview struct {
	Streak jsontext.Value `json:"streak"`
	User   string         `json:"user"`
	At     *string        `json:"at"`
}

func (a *API) postPreview(w http.ResponseWriter, r *request) error {
	if !r.identity.Allows(auth.UsersRead) {
		return &fault{code: "forbidden", detail: "This needs a key with the scopes " + string(auth.CatalogRead) + " and " + string(auth.UsersRead) + "."}
	}
	var in preview
	if err := a.decodeBody(r, &in, required); err != nil {
		return err
	}
	at, err := in.check()
	if err != nil {
		return err
	}
	e, ok := a.Registry.Get(r.org)
	if !ok {
		return registry.ErrOrgNotFound
	}
	c, id, err := previewCatalog(e.Catalog, in.Streak)
	if err != nil {
		return err
	}
	object, err := a.Reads.Preview(r.Context(), r.org, activity.User(in.User), c, id, at)
	if err != nil {
		return err
	}
	return writeBytes(w, http.StatusOK, object)
}

// check refuses members that are missing or of no use, and reads the instant.
func (in *preview) check() (*calendar.Instant, error) {
	switch {
	case !validText(in.User):
		return nil, badRequest("user", "A user id is 1 to 128 bytes of UTF-8 without control characters.")
	case len(in.Streak) == 0:
		return nil, badRequest("streak", "This must be the definition of a streak rule.")
	case len(in.Streak) > catalog.MaxSource:
		return nil, &fault{code: "too_large", detail: "A definition has at most " + itoa(catalog.MaxSource) + " bytes."}
	case in.At == nil:
		return nil, nil
	}
	i, _, err := calendar.ParseInstant(*in.At)
	if err != nil {
		return nil, badRequest("at", "This must be an RFC 3339 time with an offset, from 1970 on.")
	}
	return &i, nil
}

// previewCatalog is a catalog with a definition in it, which stands for the one of its id; one without an id gets one.
func previewCatalog(c *catalog.Catalog, definition jsontext.Value) (next *catalog.Catalog, id string, err error) {
	var named struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(definition, &named) // what is not an object with such an id is a fault of the definition
	if id = named.ID; id == "" {
		for id = "preview"; c.Rule(id) != nil || c.Streak(id) != nil; {
			id += "-"
		}
	}
	place := c.Place(catalog.Streaks, id)
	next, err = c.Put(catalog.Streaks, id, definition)
	return next, id, previewFault(catalogFault(err, place))
}

// previewFault names the members of the definition by their place in the body, whose lines are not those of the definition.
func previewFault(err error) error {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		return err
	}
	for i := range f.errors {
		e := &f.errors[i]
		e.Line = 0
		switch {
		case e.Field == "" && e.Path == "":
		case e.Field == "" || e.Field[0] == '[':
			e.Field = "streak" + e.Field
		default:
			e.Field = "streak." + e.Field
		}
	}
	return f
}
