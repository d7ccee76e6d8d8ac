package query

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
)

// ActivityQuery asks for a part of a user's log. Zero members let everything pass.
type ActivityQuery struct {
	Kind, Name, Status string
	From, To           *calendar.Instant // of at; To is exclusive
	Sort               string            // one of ActivitySorts; "" is Newest
	Limit              int
	Cursor             string // the next of the page before
}

// Orders of a list of activities by at, of which ids decide between equal ones.
const (
	Newest = "-at"
	Oldest = "at"
)

// ActivitySorts are the orders of a list of activities, each with - for the other way round. Of what is equal at and then ids decide; none is less than any value.
func ActivitySorts() []string {
	return []string{Oldest, Newest, "name", "-name", "kind", "-kind", "value", "-value"}
}

// order compares by the sort.
func (q *ActivityQuery) order() func(a, b *activity.Activity) int {
	by, down := strings.CutPrefix(q.Sort, "-")
	down = down || by == ""
	return func(a, b *activity.Activity) int {
		n := 0
		switch by {
		case "name":
			n = strings.Compare(a.Name, b.Name)
		case "kind":
			n = strings.Compare(a.Kind.String(), b.Kind.String())
		case "value":
			n = cmp.Compare(valueOf(a), valueOf(b))
		}
		n = cmp.Or(n, cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
		if down {
			return -n
		}
		return n
	}
}

func valueOf(a *activity.Activity) float64 {
	if !a.HasValue {
		return math.Inf(-1)
	}
	return a.Value
}

// sealActivity names a place in a list of activities, by whatever an order looks at.
func sealActivity(s sealer, last *activity.Activity, listing ...string) string {
	b := binary.AppendVarint(nil, int64(last.At))
	b = binary.BigEndian.AppendUint64(append(b, byte(last.Kind)), math.Float64bits(valueOf(last)))
	b = append(binary.AppendUvarint(b, uint64(len(last.Name))), last.Name...)
	return s.seal(append(b, last.ID...), listing...)
}

func parseActivity(s sealer, text string, listing ...string) (*activity.Activity, error) {
	b, err := s.open(text, listing...)
	if err != nil {
		return nil, err
	}
	at, n := binary.Varint(b) // signed, so written by sealActivity
	a := &activity.Activity{At: calendar.Instant(at), Kind: activity.Kind(b[n]), HasValue: true}
	a.Value = math.Float64frombits(binary.BigEndian.Uint64(b[n+1:]))
	b = b[n+9:]
	length, n := binary.Uvarint(b)
	a.Name, a.ID = string(b[n:n+int(length)]), activity.ID(b[n+int(length):])
	return a, nil
}

// Activities lists a user's log, next being "" at the end. ErrUserNotFound, ErrUserMerged, ErrBadCursor, *ParamError.
func (r *Reader) Activities(ctx context.Context, org activity.Org, user activity.User, q ActivityQuery) (list []activity.Activity, next string, err error) {
	listing := []string{"activities", string(org), string(user), q.filter()}
	of := ingest.ActivityQuery{Limit: q.Limit, Order: q.order()}
	if of.Pass, err = q.pass(); err != nil {
		return nil, "", err
	}
	if q.Cursor != "" {
		if of.After, err = parseActivity(r.sealer, q.Cursor, listing...); err != nil {
			return nil, "", err
		}
	}
	list, more, err := r.ingest.Activities(ctx, org, user, of)
	if errors.Is(err, ingest.ErrUserNotFound) {
		err = ErrUserNotFound
	}
	if more {
		next = sealActivity(r.sealer, &list[len(list)-1], listing...)
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
	if q.Sort != "" && !slices.Contains(ActivitySorts(), q.Sort) {
		return nil, &ParamError{Field: "sort", Detail: "This must be one of " + strings.Join(ActivitySorts(), ", ") + "."}
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
