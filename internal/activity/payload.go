package activity

import "bytes"

// SamePayload says whether b may be the same activity as a sent again: kind, name, value and meta are equal, and at as instant and
// offset; an omitted at equals any. Ids are not compared.
func (a *Activity) SamePayload(b *Activity) bool {
	if a.Kind != b.Kind || a.Name != b.Name || a.HasValue != b.HasValue || a.Value != b.Value || !bytes.Equal(a.Meta, b.Meta) {
		return false
	}
	return !a.AtGiven || !b.AtGiven || a.At == b.At && a.Offset == b.Offset
}

var kinds = [...]string{Behaviour: "behaviour", Point: "point", Coupon: "coupon", Gift: "gift", Bounty: "bounty", Credit: "credit"}

// String is the kind as on the wire.
func (k Kind) String() string { return kinds[k] }

// ParseKind is the inverse of String for the kinds that are accepted from outside; "" is Behaviour.
func ParseKind(s string) (Kind, bool) {
	for k, name := range kinds[:Credit] {
		if s == name {
			return Kind(k), true
		}
	}
	return Behaviour, s == ""
}

var statuses = [...]string{Accepted: "accepted", Rejected: "rejected", Ignored: "ignored"}

// String is the status as on the wire.
func (s Status) String() string { return statuses[s] }
