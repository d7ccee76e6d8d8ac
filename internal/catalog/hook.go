package catalog

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// Hook makes activities of what other systems send.
type Hook struct {
	ID string
	Shown
	Active bool
	// Verify says how the sender signs; nil: not at all.
	Verify *Verify

	when   *program // nil: always
	fields []mapped // user, name, id, at, value
	meta   []mapped
}

// mapped is a member of the activity and what it is made by.
type mapped struct {
	key  string
	made *program
}

// Verify says how a sender signs.
type Verify struct {
	// Secrets, or those that the variable SecretEnv of each node's environment holds: a signature by any of them is good.
	Secrets   []Secret
	SecretEnv string
	// Header holds the HMAC-SHA256 of the body behind Prefix, in base64 or else hex. "": the headers of Standard Webhooks are used.
	Header, Prefix string
	Base64         bool
}

// Hook returns the hook of an id, or nil.
func (c *Catalog) Hook(id string) *Hook {
	if i, some := c.Find(Hooks, id); some {
		return c.Hooks[i]
	}
	return nil
}

type hookSource struct {
	headSource
	Active   *bool         `json:"active"`
	Verify   *verifySource `json:"verify"`
	When     string        `json:"when"`
	Activity *struct {
		User  string            `json:"user"`
		Name  string            `json:"name"`
		ID    string            `json:"id"`
		At    string            `json:"at"`
		Value string            `json:"value"`
		Meta  map[string]string `json:"meta"`
	} `json:"activity"`
}

type verifySource struct {
	secretSource
	Header   string `json:"header"`
	Prefix   string `json:"prefix"`
	Encoding string `json:"encoding"`
}

func (b *builder) hook(src *hookSource, s site) *Hook {
	h := &Hook{ID: src.ID, Shown: src.shown(), Active: src.Active == nil || *src.Active}
	if src.Verify != nil {
		h.Verify = b.verify(src.Verify, s.path.to("verify"))
	}
	if src.When != "" {
		h.when = b.expression(src.When, &scope{request: true}, true, Count, s.path.to("when"))
	}
	if src.Activity == nil {
		return h
	}
	at := s.path.to("activity")
	of := func(into *[]mapped, key, text string, p path) {
		if text != "" {
			// Any type will do, as with unique: what a member takes is seen when it is made.
			*into = append(*into, mapped{key, b.expression(text, &scope{request: true}, false, Unique, p)})
		}
	}
	a := src.Activity
	for _, f := range []struct{ key, text string }{{"user", a.User}, {"name", a.Name}, {"id", a.ID}, {"at", a.At}, {"value", a.Value}} {
		of(&h.fields, f.key, f.text, at.to(f.key))
	}
	for _, key := range slices.Sorted(maps.Keys(a.Meta)) {
		of(&h.meta, key, a.Meta[key], at.to("meta", key))
	}
	return h
}

func (b *builder) verify(src *verifySource, p path) *Verify {
	v := &Verify{SecretEnv: src.SecretEnv, Header: src.Header, Prefix: src.Prefix, Base64: src.Encoding == "base64"}
	wrong := standardSecret
	if src.Header != "" {
		wrong = plainSecret
	}
	v.Secrets = b.secrets(&src.secretSource, wrong, p)
	return v
}

// MapError says which member of an activity could not be made of a request.
type MapError struct{ Field, Detail string }

// Error implements error.
func (e *MapError) Error() string { return e.Field + ": " + e.Detail }

// Map makes the JSON of one activity of a request, as POST /v1/activities takes it; nil where the hook's when does not hold. fallback is its id where the hook
// maps none, "" for one that the server makes. What it holds is checked no further than that every member has a type that it may have. *MapError.
func (h *Hook) Map(r *Request, fallback string) ([]byte, error) {
	if h.when != nil {
		if holds, _ := h.when.request(r).(bool); !holds {
			return nil, nil
		}
	}
	item := map[string]any{}
	if fallback != "" {
		item["id"] = fallback
	}
	for _, f := range h.fields {
		v := f.made.request(r)
		if v == nil {
			return nil, &MapError{f.key, "The expression for this has no value: something that it reads is missing, or is of another type."}
		}
		made, ok := member(f.key, v)
		if !ok {
			return nil, &MapError{f.key, "The expression for this gives a value that it may not have."}
		}
		item[f.key] = made
	}
	meta := map[string]any{}
	for _, f := range h.meta {
		if v := f.made.request(r); v != nil { // what is missing is left out, as it may well be
			meta[f.key] = v
		}
	}
	if len(meta) > 0 {
		item["meta"] = meta
	}
	b, err := json.Marshal(item)
	if err != nil { // a number that is none
		return nil, &MapError{"meta", "An expression gives a value that JSON cannot hold."}
	}
	return b, nil
}

// member makes of a value what a member of an activity may be.
func member(key string, v any) (any, bool) {
	switch key {
	case "at":
		return moment(v)
	case "value":
		if text, isText := v.(string); isText { // senders that write amounts as texts
			f, err := strconv.ParseFloat(text, 64)
			v = f
			if err != nil {
				return nil, false
			}
		}
		f, ok := v.(float64)
		return f, ok && !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return textOf(v)
}

// textOf is a text, or a whole number as one: ids are often numbers.
func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), v == math.Trunc(v) && math.Abs(v) <= MaxExact
	}
	return "", false
}

// msFrom is the number from which on a number is taken for milliseconds since 1970, and not for seconds, of which it would be in the year 5138.
const msFrom = 1e11

// moment is a time as activities have it: a text as it is, a number as Unix time.
func moment(v any) (string, bool) {
	f, isNumber := v.(float64)
	if !isNumber {
		text, ok := v.(string)
		return text, ok
	}
	if f < msFrom {
		f *= 1000
	}
	const last = 253402300799999 // of the year 9999
	return time.UnixMilli(int64(f)).UTC().Format(time.RFC3339Nano), f >= 0 && f <= last
}
