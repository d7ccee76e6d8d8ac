package ingest

import (
	"context"
	"crypto/rand"
	"errors"

	"laurel/internal/activity"
	"laurel/internal/progress"
)

// UserRow is one row of an import of users. With Err set the row itself was malformed: it is reported and not applied.
type UserRow struct {
	Line   int           `json:"line"` // of the body, from 1
	User   activity.User `json:"user"`
	Change UserChange    `json:"change"`
	Err    *ItemError    `json:"err,omitempty"`
}

// RowError says why a row was refused, for the client.
type RowError struct {
	Line   int    `json:"line"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
}

// ImportUsers stores rows and returns; each is then applied as SetUser does, in order for one user, and for users who want the same value. Rows that are refused because another user has a value are tried
// again when the others of their part have been decided. ErrOverloaded where too many imports wait; registry.ErrOrgNotFound; store.ErrTooLarge.
func (s *Service) ImportUsers(ctx context.Context, org activity.Org, rows []UserRow) (Import, error) {
	i := Import{ID: rand.Text(), Kind: ImportUsers, State: ImportWaiting, CreatedAt: s.Clock.Now(), Rows: len(rows)}
	if err := putJob(ctx, s, org, i, rows); err != nil {
		return Import{}, err
	}
	return i, nil
}

// rowError puts what a row is refused for into the client's terms; nil for what is no fault of the row.
func rowError(line int, err error) *RowError {
	var wrong *ProfileError
	var taken *TakenError
	e := &RowError{Line: line, Code: "bad_request", Detail: Detail(err)}
	switch {
	case errors.As(err, &taken):
		e.Code, e.Field = "taken", taken.Field
	case errors.As(err, &wrong):
		e.Field, e.Detail = wrong.Field, wrong.Detail
	case errors.Is(err, ErrBadZone):
		e.Field, e.Detail = "timezone", "This must be the name of an IANA time zone, such as Europe/Vienna."
	case errors.Is(err, ErrUserMerged):
		e.Code, e.Field = "user_merged", "id"
	case errors.Is(err, progress.ErrZoneChanges):
		e.Code, e.Field, e.Detail = "too_many_zone_changes", "timezone", "The user's zone was changed too often within a day."
	case errors.Is(err, progress.ErrTooManyCommands):
		e.Code, e.Detail = "too_many_commands", "As much was ordered for this user as may be."
	case errors.Is(err, ErrConflict):
		e.Code, e.Detail = "unavailable", "Others kept changing the user meanwhile; send the row again."
	default:
		return nil
	}
	return e
}
