// Package returning answers as Returning.AI's integration API does: user data, a user's days, and the streaks of an org, with the key as Bearer. It writes in
// another shape what the native API says, and edits streaks as the native API does. docs/DOORS.md says where each field comes from, what was chosen where that
// shape says nothing, and what of it is not here.
package returning

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/profile"
	"laurel/internal/query"
	"laurel/internal/registry"
)

// Prefixes are what stands before every path: that of the reference, and that of its examples.
func Prefixes() []string { return []string{"/apis/v1", "/api/v1/apis/v1"} }

// Credentials finds the key of a request, "" where there is none.
func Credentials(r *http.Request) (token, keyID string) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ""
	}
	return token, ""
}

// Reads is what the door stands on (*query.Reader).
type Reads interface {
	Find(ctx context.Context, org activity.Org, field, text string) (activity.User, error)
	Person(ctx context.Context, org activity.Org, user activity.User) (*query.Person, error)
	Ledger(ctx context.Context, p *query.Person, wallets ...*catalog.Wallet) (*query.Ledger, error)
	Now() calendar.Instant
}

// Catalogs are what the orgs define.
type Catalogs interface {
	// Catalog is an org's, nil if there is none.
	Catalog(org activity.Org) *catalog.Catalog
	// Edit publishes what change makes of it, as registry.Registry does for any version.
	Edit(ctx context.Context, org activity.Org, change registry.Change) error
}

// Door answers for the users and the streaks of every org.
type Door struct {
	Reads    Reads
	Catalogs Catalogs
}

// Failure is the body of every refusal.
type Failure struct {
	Status  string `json:"status" enum:"error"`
	Message string `json:"message"`
}

// Refuse is how the door says no: a key that may not do this is 401 here too.
func Refuse(status int, code, text string) (int, any) {
	switch code {
	case "unauthorized":
		text = "Invalid token"
	case "forbidden":
		status, text = http.StatusUnauthorized, "Insufficient permission"
	case "user_not_found", "user_merged", "definition_not_found":
		status, text = http.StatusNotFound, "Record Not Found"
	}
	return status, Failure{"error", text}
}

// success is the first member of every good answer.
const success = "success"

// person finds a user by the id, else by the e-mail address.
func (d *Door) person(ctx context.Context, org activity.Org, idOrEmail string) (*query.Person, error) {
	if idOrEmail == "" {
		return nil, query.ErrUserNotFound
	}
	p, err := d.Reads.Person(ctx, org, activity.User(idOrEmail))
	if !errors.Is(err, query.ErrUserNotFound) || !strings.Contains(idOrEmail, "@") {
		return p, err
	}
	return d.personBy(ctx, org, profile.Email, idOrEmail)
}

// personBy finds a user by a unique field. What no user can have, nobody has.
func (d *Door) personBy(ctx context.Context, org activity.Org, field, text string) (*query.Person, error) {
	user, err := d.Reads.Find(ctx, org, field, text)
	if errors.Is(err, query.ErrBadParam) {
		err = query.ErrUserNotFound
	}
	if err != nil {
		return nil, err
	}
	return d.Reads.Person(ctx, org, user)
}

// identified finds a user by an identifier and its type: email, id (or user_id), username, external_id; "" for an id or an e-mail address.
func (d *Door) identified(ctx context.Context, org activity.Org, identifier, sort string) (*query.Person, error) {
	switch sort {
	case "", "id_or_email":
		return d.person(ctx, org, identifier)
	case "id", "user_id":
		if identifier == "" {
			return nil, query.ErrUserNotFound
		}
		return d.Reads.Person(ctx, org, activity.User(identifier))
	case profile.Email, profile.Username, profile.ExternalID:
		return d.personBy(ctx, org, sort, identifier)
	}
	return nil, &query.ParamError{Field: "identifier_type", Detail: "identifier_type must be email, id, username or external_id."}
}

// isAbsent says that there is no such user.
func isAbsent(err error) bool {
	return errors.Is(err, query.ErrUserNotFound) || errors.Is(err, query.ErrUserMerged)
}
