package query

import (
	"context"
	"errors"
	"fmt"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
)

// ActivityQuery asks for a part of a user's log. Zero members let everything pass.
type ActivityQuery struct {
	Kind, Name, Status string
	From, To           *calendar.Instant // of at; To is exclusive
	Sort               string            // Newest (also for "") or Oldest; of equal instants ids decide
	Limit              int
	Cursor             string // the next of the page before
}

// Orders of a list of activities.
const (
	Newest = "-at"
	Oldest = "at"
)

// Activities lists a user's log, next being "" at the end. ErrUserNotFound, ErrUserMerged, ErrBadCursor, *ParamError.
func (r *Reader) Activities(ctx context.Context, org activity.Org, user activity.User, q ActivityQuery) (list []activity.Activity, next string, err error) {
	listing := []string{"activities", string(org), string(user), q.filter()}
	of := ingest.ActivityQuery{Limit: q.Limit, Oldest: q.Sort == Oldest}
	if of.Pass, err = q.pass(); err != nil {
		return nil, "", err
	}
	if q.Cursor != "" {
		if of.After, err = parsePlace(r.sealer, q.Cursor, listing...); err != nil {
			return nil, "", err
		}
	}
	list, more, err := r.ingest.Activities(ctx, org, user, of)
	if errors.Is(err, ingest.ErrUserNotFound) {
		err = ErrUserNotFound
	}
	if more {
		last := &list[len(list)-1]
		next = sealPlace(r.sealer, ingest.Place{At: last.At, ID: last.ID}, listing...)
	}
	return list, next, err
}

// filter is the filter and the order as a cursor names them.
func (q *ActivityQuery) filter() string {
	sort := q.Sort
	if sort == "" {
		sort = Newest
	}
	bound := func(i *calendar.Instant) string {
		if i == nil {
			return ""
		}
		return i.String()
	}
	return fmt.Sprintf("%q", []string{sort, q.Kind, q.Name, q.Status, bound(q.From), bound(q.To)})
}

// pass is the filter. *ParamError.
func (q *ActivityQuery) pass() (func(*activity.Activity) bool, error) {
	if _, ok := activity.ParseKind(q.Kind); !ok && q.Kind != activity.Credit.String() {
		return nil, &ParamError{Field: "kind", Detail: "This must be behaviour, point, coupon, gift, bounty or credit."}
	}
	switch q.Sort {
	case "", Newest, Oldest:
	default:
		return nil, &ParamError{Field: "sort", Detail: "This must be " + Oldest + " or " + Newest + "."}
	}
	switch q.Status {
	case "", activity.Accepted.String(), activity.Rejected.String(), activity.Ignored.String():
	default:
		return nil, &ParamError{Field: "status", Detail: "This must be accepted, rejected or ignored."}
	}
	return func(a *activity.Activity) bool {
		return (q.Kind == "" || a.Kind.String() == q.Kind) && (q.Name == "" || a.Name == q.Name) && (q.Status == "" || a.Status.String() == q.Status) &&
			(q.From == nil || a.At >= *q.From) && (q.To == nil || a.At < *q.To)
	}, nil
}
