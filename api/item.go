package api

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/ingest"
)

const (
	maxID       = 128 // bytes of an id, a user id and a name
	maxInterned = 256
)

// itemDecoder reads activities, strictly and one at a time. It keeps its buffers between items; it is for one goroutine.
type itemDecoder struct {
	dec     *jsontext.Decoder
	src     bytes.Buffer
	scratch []byte
	// names holds the few activity names that an org has, so that each is one string however many items carry it.
	names map[string]string
}

func newItemDecoder() *itemDecoder {
	d := &itemDecoder{names: map[string]string{}}
	d.dec = jsontext.NewDecoder(&d.src)
	return d
}

// decode reads one item: raw must hold exactly one object. It fills a, also in part where it returns what is wrong. Nothing of
// raw is kept.
func (d *itemDecoder) decode(raw []byte, a *activity.Activity) *ingest.ItemError {
	d.src = *bytes.NewBuffer(raw)
	d.dec.Reset(&d.src)
	open, err := d.dec.ReadToken()
	if err != nil {
		return itemSyntax(raw, err)
	}
	if open.Kind() != '{' {
		return &ingest.ItemError{Code: "bad_json", Detail: "An activity is a JSON object."}
	}
	for d.dec.PeekKind() != '}' {
		name, err := d.dec.ReadValue()
		if err != nil {
			return itemSyntax(raw, err)
		}
		if fault := d.member(raw, name, a); fault != nil {
			return fault
		}
	}
	if _, err = d.dec.ReadToken(); err != nil {
		return itemSyntax(raw, err)
	}
	if _, err = d.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return &ingest.ItemError{Code: "bad_json", Detail: "More follows after the object."}
	}
	return missing(a)
}

func missing(a *activity.Activity) *ingest.ItemError {
	switch {
	case a.User == "":
		return &ingest.ItemError{Code: "missing_field", Field: "user", Detail: "An activity needs its user."}
	case a.Name == "":
		return &ingest.ItemError{Code: "missing_field", Field: "name", Detail: "An activity needs its name."}
	}
	return nil
}

// member reads the value of the member called name, which is still quoted and gone after the next read.
func (d *itemDecoder) member(raw, name []byte, a *activity.Activity) *ingest.ItemError {
	key, err := d.unquote(name)
	if err != nil {
		return itemSyntax(raw, err)
	}
	switch string(key) {
	case "id":
		return d.text(raw, "id", func(s []byte) { a.ID = activity.ID(s) })
	case "user":
		return d.text(raw, "user", func(s []byte) { a.User = activity.User(s) })
	case "name":
		return d.text(raw, "name", func(s []byte) { a.Name = d.intern(s) })
	case "kind":
		return d.kind(raw, a)
	case "value":
		return d.value(raw, a)
	case "meta":
		return d.meta(raw, a)
	case "at":
		return d.at(raw, a)
	}
	return &ingest.ItemError{Code: "bad_json", Field: path(jsontext.Pointer("").AppendToken(string(key))),
		Detail: "An activity has no member of this name; names are case-sensitive."}
}

// text reads an id, a user id or a name.
func (d *itemDecoder) text(raw []byte, field string, set func([]byte)) *ingest.ItemError {
	v, err := d.dec.ReadValue()
	if err != nil {
		return itemSyntax(raw, err)
	}
	s, err := d.unquote(v)
	if err != nil || len(s) == 0 || len(s) > maxID || hasControl(s) {
		return &ingest.ItemError{Code: "bad_" + field, Field: field,
			Detail: "This must be a string of 1 to 128 bytes without control characters."}
	}
	set(s)
	return nil
}

func (d *itemDecoder) kind(raw []byte, a *activity.Activity) *ingest.ItemError {
	v, err := d.dec.ReadValue()
	if err != nil {
		return itemSyntax(raw, err)
	}
	s, err := d.unquote(v)
	kind, ok := activity.ParseKind(string(s))
	if err != nil || !ok || len(s) == 0 {
		return &ingest.ItemError{Code: "bad_kind", Field: "kind", Detail: "This must be behaviour, point, coupon, gift or bounty."}
	}
	a.Kind = kind
	return nil
}

func (d *itemDecoder) value(raw []byte, a *activity.Activity) *ingest.ItemError {
	v, err := d.dec.ReadValue()
	if err != nil {
		return itemSyntax(raw, err)
	}
	if v.Kind() != '0' {
		return &ingest.ItemError{Code: "bad_value", Field: "value", Detail: "This must be a number; leave it out for none."}
	}
	n, ok := exactNumber(v)
	if !ok {
		return &ingest.ItemError{Code: "value_out_of_range", Field: "value", Detail: "This number is beyond ±2^53."}
	}
	a.Value, a.HasValue = n, true
	return nil
}

func (d *itemDecoder) at(raw []byte, a *activity.Activity) *ingest.ItemError {
	v, err := d.dec.ReadValue()
	if err != nil {
		return itemSyntax(raw, err)
	}
	s, err := d.unquote(v)
	if err == nil {
		var offset time.Duration
		if a.At, offset, err = calendar.ParseInstant(string(s)); err == nil {
			a.Offset, a.AtGiven = int16(offset/time.Minute), true
			return nil
		}
	}
	return &ingest.ItemError{Code: "bad_time", Field: "at",
		Detail: "This must be an RFC 3339 time with an offset, from 1970 on, such as 2026-11-21T19:40:00Z."}
}

// errNotString is a value of another kind where a string belongs.
var errNotString = errors.New("not a string")

// unquote returns the text of a JSON string that was read before; it is good until the next call.
func (d *itemDecoder) unquote(v jsontext.Value) ([]byte, error) {
	if len(v) < 2 || v[0] != '"' {
		return nil, errNotString
	}
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1], nil
	}
	var err error
	d.scratch, err = jsontext.AppendUnquote(d.scratch[:0], v)
	return d.scratch, err
}

func (d *itemDecoder) intern(s []byte) string {
	if known, ok := d.names[string(s)]; ok {
		return known
	}
	name := string(s)
	if len(d.names) >= maxInterned {
		clear(d.names)
	}
	d.names[name] = name
	return name
}

// itemSyntax is syntaxFault for an item.
func itemSyntax(raw []byte, err error) *ingest.ItemError {
	f := syntaxFault(raw, err)
	return &ingest.ItemError{Code: f.code, Detail: f.detail, Field: f.field}
}

// hasControl finds Unicode's control characters (C0, DEL, C1) in valid UTF-8.
func hasControl(s []byte) bool {
	for i, c := range s {
		if c < 0x20 || c == 0x7f || c == 0xc2 && i+1 < len(s) && s[i+1] < 0xa0 {
			return true
		}
	}
	return false
}

// validText says whether a text that did not come as strict JSON, such as a part of a path, may be an id.
func validText(s string) bool {
	return s != "" && len(s) <= maxID && utf8.ValidString(s) && !hasControl([]byte(s))
}

// exactNumber reads a JSON number that must not leave ±2^53, as written and not as rounded: 9007199254740993 is refused though
// its nearest float is 2^53.
func exactNumber(text []byte) (float64, bool) {
	v, err := strconv.ParseFloat(string(text), 64)
	switch {
	case err != nil || math.Abs(v) > catalog.MaxExact:
		return 0, false
	case math.Abs(v) == catalog.MaxExact:
		return v, withinExact(string(text))
	case v == 0:
		return 0, true // -0 is 0
	}
	return v, true
}

// withinExact compares a number that rounds to ±2^53 exactly. Nobody needs more than 64 characters to write that.
func withinExact(text string) bool {
	if len(text) > 64 {
		return false
	}
	exact, ok := new(big.Rat).SetString(text)
	return ok && exact.Abs(exact).Cmp(new(big.Rat).SetInt64(catalog.MaxExact)) <= 0
}
