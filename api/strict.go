package api

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decodeStrict reads a whole body into v. What is not strict JSON, and a name that v does not have, is bad_json with the path; a
// member of another type than v's is bad_request with the path.
func decodeStrict(body []byte, v any) error {
	err := json.Unmarshal(body, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return syntaxFault(body, err)
	}
	field := path(semantic.JSONPointer)
	if errors.Is(err, json.ErrUnknownName) {
		return &fault{code: "bad_json", field: field, detail: "There is no member of this name here; names are case-sensitive."}
	}
	return badRequest(field, "This is not of the expected type.")
}

// syntaxFault describes why text is not strict JSON, in our own words: a library's may change, and may show more than it should.
func syntaxFault(text []byte, err error) *fault {
	f := &fault{code: "bad_json"}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		f.field = path(syntactic.JSONPointer)
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		f.detail = "This name stands twice in one object."
	case len(bytes.TrimSpace(text)) == 0:
		f.detail = "The body is empty."
	case grammatical(text):
		f.detail = "This is not UTF-8, or has half of a surrogate pair."
	case syntactic != nil:
		f.detail = "This is not JSON, at byte " + strconv.FormatInt(syntactic.ByteOffset, 10) + "."
	default:
		f.detail = "This is not JSON."
	}
	return f
}

// grammatical says whether text is one JSON value by the grammar alone.
func grammatical(text []byte) bool {
	return jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// path writes a JSON Pointer the way people write paths: meta.tags[2]. A member whose name is a number looks like an index.
func path(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.ToValidUTF8(token, "\uFFFD"))
	}
	return b.String()
}
