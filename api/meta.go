package api

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/ingest"
)

const (
	maxMeta      = 4 << 10 // bytes in canonical form
	maxMetaDepth = 4       // the object itself is the first level
)

// meta reads the free-form object of an activity and keeps it in canonical form (RFC 8785), so that the order of keys and the
// way numbers are written make no other payload.
func (d *itemDecoder) meta(raw []byte, a *activity.Activity) *ingest.ItemError {
	v, err := d.dec.ReadValue()
	if err != nil {
		return itemSyntax(raw, err)
	}
	if v.Kind() != '{' {
		return &ingest.ItemError{Code: "bad_meta", Field: "meta", Detail: "This must be an object; leave it out for none."}
	}
	depth, exact := inspect(v)
	switch {
	case depth > maxMetaDepth:
		return &ingest.ItemError{Code: "meta_too_deep", Field: "meta", Detail: "This is nested over 4 levels."}
	case !exact:
		return &ingest.ItemError{Code: "value_out_of_range", Field: "meta", Detail: "A number in here is beyond ±2^53."}
	}
	canonical := slices.Clone(v)
	if err := canonical.Canonicalize(); err != nil {
		return itemSyntax(raw, err)
	}
	switch {
	case len(canonical) > maxMeta:
		return &ingest.ItemError{Code: "meta_too_large", Field: "meta", Detail: "This is over 4 KiB."}
	case !bytes.Equal(canonical, []byte("{}")):
		a.Meta = canonical
	}
	return nil
}

// inspect returns how deep a valid JSON value is nested, and whether all its numbers are within ±2^53.
func inspect(v jsontext.Value) (depth int, exact bool) {
	exact = true
	level := 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '"':
			i = endOfString(v, i)
		case c == '{' || c == '[':
			level++
			depth = max(depth, level)
		case c == '}' || c == ']':
			level--
		case c == '-' || '0' <= c && c <= '9':
			start := i
			for i+1 < len(v) && isNumberByte(v[i+1]) {
				i++
			}
			if i-start >= 15 || bytes.ContainsAny(v[start:i+1], "eE") { // shorter ones cannot reach 2^53
				_, ok := exactNumber(v[start : i+1])
				exact = exact && ok
			}
		}
	}
	return depth, exact
}

// endOfString returns the index of the quote that closes the string that opens at i, or the length of v.
func endOfString(v []byte, i int) int {
	for i++; i < len(v) && v[i] != '"'; i++ {
		if v[i] == '\\' {
			i++
		}
	}
	return i
}

func isNumberByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}
