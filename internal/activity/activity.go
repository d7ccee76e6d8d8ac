// Package activity defines what comes in: one thing a user did, and when. It knows how an activity is told from another
// (its payload), and how it is stored in the user's log. It is pure.
package activity

import (
	"laurel/internal/calendar"
)

// Org is the id of a tenant: [a-z0-9_-]{1,64}.
type Org string

// User is the customer's own id of a user: 1–128 bytes of valid UTF-8 without control characters. Unique in its org.
type User string

// ID is the id of an activity, unique for its user: 1–128 bytes of valid UTF-8 without control characters.
type ID string

// Kind tells what sort of thing happened.
type Kind uint8

// The kinds of DESIGN §2. Behaviour is the zero value, because a kind that was left out means it.
const (
	Behaviour Kind = iota
	Point
	Coupon
	Gift
	Bounty
	// Credit is what another user, or the close of a period, gives. It is never accepted from outside, and no rule selects it.
	Credit
)

// Status is what Laurel decided about an activity, recorded with it.
type Status uint8

const (
	// Accepted activities count.
	Accepted Status = iota
	// Rejected activities were taken back after they had been accepted (or ignored); restoring brings back what was before.
	Rejected
	// Ignored activities are stored without effect: the user was blocked or opted out, or a cool-off or a cap applied.
	Ignored
)

// Activity is one thing a user did. Values of this type are not changed once built.
type Activity struct {
	ID   ID
	User User
	Kind Kind
	Name string
	// Value is an optional number as the customer wrote it; HasValue says whether it was there.
	Value    float64
	HasValue bool
	// Meta is a JSON object in canonical form (RFC 8785), nil for none or an empty one.
	Meta []byte
	// At is when it happened, Offset the UTC offset that it was written with. AtGiven is false where the customer left the time out: At is then the
	// time of arrival and the offset 0.
	At      calendar.Instant
	Offset  int16 // minutes east of UTC
	AtGiven bool
	// Received is when it arrived.
	Received calendar.Instant
	Status   Status
	// Imported activities came through an import: they count in periods that were closed when they arrived.
	Imported bool
	// WasIgnored says that the activity was stored as ignored at arrival, also while it is rejected: restoring returns there.
	WasIgnored bool
	// Reason is why it was ignored ("cool_off", "cap", "blocked", "opted_out") or what the caller of reject wrote.
	Reason string
	// Attributes are what the org's rules segment by: those of the user's attributes, in order of Name, as they were when the activity arrived. They
	// stay so whatever the user's become.
	Attributes []Attribute
	// Decided is what was decided when it arrived, nil for nothing.
	Decided *Decided
}

// Attribute is a part of a user's profile that rules may read.
type Attribute struct{ Name, Value string }

// Attribute returns the value of one of the activity's attributes, "" for none.
func (a *Activity) Attribute(name string) string {
	for i := range a.Attributes {
		if a.Attributes[i].Name == name {
			return a.Attributes[i].Value
		}
	}
	return ""
}

// Counts says whether the activity has an effect.
func (a *Activity) Counts() bool { return a.Status == Accepted }
