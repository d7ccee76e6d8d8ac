package profile

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
)

// Value is one that a single user of an org may have, in the form in which it is compared.
type Value struct{ Field, Key string }

// ValuesOf are the unique values that a hash shows.
func ValuesOf(hash map[string]string) (vs []Value) {
	for _, field := range Unique() {
		if text := hash[field]; text != "" {
			vs = append(vs, Value{field, Key(field, text)})
		}
	}
	return vs
}

// Shows says whether a hash has a value.
func Shows(hash map[string]string, v Value) bool {
	return hash[v.Field] != "" && Key(v.Field, hash[v.Field]) == v.Key
}

// NotePrefix begins the fields of a hash that are no part of the profile, but notes of values that are being moved.
const NotePrefix = "claim:"

// WithoutNotes is a hash without those fields.
func WithoutNotes(hash map[string]string) map[string]string {
	rest := make(map[string]string, len(hash))
	for field, text := range hash {
		if !strings.HasPrefix(field, NotePrefix) {
			rest[field] = text
		}
	}
	return rest
}

// Claim says whose a value is.
type Claim struct {
	// Owner is the user who may show the value if nobody stands in Before; "": nobody, the claim is about to go.
	Owner activity.User `json:"owner,omitempty"`
	// Before are those who may show it still.
	Before []activity.User `json:"before,omitempty"`
}

// ParseClaim is the inverse of Content.
func ParseClaim(content []byte) (c Claim, err error) {
	err = json.Unmarshal(content, &c)
	return c, err
}

// Content is the claim as it is stored.
func (c *Claim) Content() ([]byte, error) { return json.Marshal(c) }

// IsOf says whether the user alone is named.
func (c *Claim) IsOf(user activity.User) bool { return c.Owner == user && len(c.Before) == 0 }

// Named are all whom the claim names but one.
func (c *Claim) Named(but activity.User) (users []activity.User) {
	for _, u := range append([]activity.User{c.Owner}, c.Before...) {
		if u != "" && u != but && !slices.Contains(users, u) {
			users = append(users, u)
		}
	}
	return users
}
