// Package nudj answers as Nudj's analytics do: GET /api/v2/analytics/users/details, with the key in the header x-api-token. It only writes in another shape what
// the native API says of a user; docs/DOORS.md says where each field comes from.
//
// Fields that the shape requires are always there, "" or 0 where nothing is known; the others are left out then. Nothing is ever null.
package nudj

import (
	"context"
	"net/http"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/grants"
	"laurel/internal/profile"
	"laurel/internal/query"
)

// Path of the one route.
const Path = "/api/v2/analytics/users/details"

// Header carries the key.
const Header = "x-api-token"

// Credentials finds the key of a request, "" where there is none.
func Credentials(r *http.Request) (token, keyID string) { return r.Header.Get(Header), "" }

// Reads is what the door stands on (*query.Reader).
type Reads interface {
	Find(ctx context.Context, org activity.Org, field, text string) (activity.User, error)
	Person(ctx context.Context, org activity.Org, user activity.User) (*query.Person, error)
	UserGrants(ctx context.Context, org activity.Org, user activity.User) ([]grants.Grant, error)
}

// Door answers for the users of every org.
type Door struct{ Reads Reads }

// parameters are those that name a user, and the field of a profile that each is a value of; "" is the id itself.
func parameters() map[string]string {
	return map[string]string{"userId": "", "id": "", "email": profile.Email, "username": profile.Username, "externalId": profile.ExternalID}
}

// Parameters are the names of the parameters of which a request has exactly one.
func Parameters() []string { return []string{"userId", "id", "email", "username", "externalId"} }

// Details answers a request by its parameters: get is the value of one, and ok whether it is there. *query.ParamError, query.ErrUserNotFound, and errors of
// the reads.
func (d *Door) Details(ctx context.Context, org activity.Org, get func(name string) (value string, ok bool)) (*Details, error) {
	user, err := d.find(ctx, org, get)
	if err != nil {
		return nil, err
	}
	person, err := d.Reads.Person(ctx, org, user)
	if err != nil {
		return nil, err
	}
	given, err := d.Reads.UserGrants(ctx, org, user)
	if err != nil {
		return nil, err
	}
	return details(person, given), nil
}

func (d *Door) find(ctx context.Context, org activity.Org, get func(string) (string, bool)) (activity.User, error) {
	by, value := "", ""
	for _, name := range Parameters() {
		switch text, ok := get(name); {
		case ok && by != "":
			return "", &query.ParamError{Field: name, Detail: "Name a user by one of " + strings.Join(Parameters(), ", ") + "."}
		case ok:
			by, value = name, text
		}
	}
	if by == "" || value == "" {
		return "", &query.ParamError{Field: by, Detail: "Name a user by one of " + strings.Join(Parameters(), ", ") + "."}
	}
	field := parameters()[by]
	if field == "" {
		return activity.User(value), nil
	}
	return d.Reads.Find(ctx, org, field, value)
}

// Failure is the body of every refusal.
type Failure struct {
	Error Reason `json:"error"`
}

// Reason says why.
type Reason struct {
	Code    string `json:"code" doc:"Stable: as that of the native API"`
	Message string `json:"message" doc:"In words"`
}

// Refuse is how the door says no.
func Refuse(status int, code, text string) (int, any) {
	return status, Failure{Reason{code, text}}
}
