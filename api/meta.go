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
	shape := inspect(v)
	switch {
	case shape.depth > maxMetaDepth:
		return &ingest.ItemError{Code: "meta_too_deep", Field: "meta", Detail: "This is nested over 4 levels."}
	case !shape.exact:
		return &ingest.ItemError{Code: "value_out_of_range", Field: "meta", Detail: "A number in here is beyond ±2^53."}
	}
	canonical := slices.Clone(v)
	if !shape.canonical {
		if err := canonical.Canonicalize(); err != nil {
			return itemSyntax(raw, err)
		}
	}
	switch {
	case len(canonical) > maxMeta:
		return &ingest.ItemError{Code: "meta_too_large", Field: "meta", Detail: "This is over 4 KiB."}
	case !bytes.Equal(canonical, []byte("{}")):
		a.Meta = canonical
	}
	return nil
}

// shape is what one pass over a valid JSON value finds.
type shape struct {
	depth int  // of nesting; the outermost object or array is 1
	exact bool // every number is within ±2^53
	// canonical says that the value is in canonical form for certain: no white space, no escapes, short integers only, and names in
	// ASCII and in order. Most meta is written so by programs, and the general way costs several times the rest of the item.
	canonical bool
}

func inspect(v jsontext.Value) shape {
	s := shape{exact: true, canonical: true}
	var last [maxMetaDepth + 1][]byte // the name before, at each level
	level := 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '"':
			end := endOfString(v, i)
			if text := v[i+1 : end]; bytes.IndexByte(text, '\\') >= 0 {
				s.canonical = false
			} else if end+1 < len(v) && v[end+1] == ':' && level <= maxMetaDepth {
				s.canonical = s.canonical && isASCII(text) && (last[level] == nil || bytes.Compare(last[level], text) < 0)
				last[level] = text
			}
			i = end
		case c == '{' || c == '[':
			level++
			s.depth = max(s.depth, level)
			if level <= maxMetaDepth {
				last[level] = nil
			}
		case c == '}' || c == ']':
			level--
		case c == '-' || '0' <= c && c <= '9':
			start := i
			for i+1 < len(v) && isNumberByte(v[i+1]) {
				i++
			}
			s.number(v[start : i+1])
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			s.canonical = false
		}
	}
	return s
}

// number takes note of a number. An integer of up to 15 characters is exact and, -0 aside, canonical.
func (s *shape) number(text []byte) {
	integer := !bytes.ContainsAny(text, ".eE")
	if !integer || len(text) > 15 || text[0] == '-' && text[1] == '0' {
		s.canonical = false
	}
	if len(text) > 15 || !integer {
		_, ok := exactNumber(text)
		s.exact = s.exact && ok
	}
}

func isASCII(s []byte) bool {
	for _, c := range s {
		if c >= 0x80 {
			return false
		}
	}
	return true
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
