package query

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/catalog"
	"laurel/internal/ingest"
	"laurel/internal/profile"
)

// UserList asks for users. Zero members of the filter let everyone pass.
type UserList struct {
	Sort   string // NewestFirst (also for "") or OldestFirst; of those who came in the same millisecond ids decide, by bytes
	Limit  int    // 1 to MaxListed
	Cursor string // the next of the page before

	// Search is what id, name, username or e-mail must contain, without regard to case, or what number or external id must be: up to 254 bytes.
	Search                 string
	Tag, Country, Language string
	Blocked, Hidden        *bool
	Fields                 map[string]string // custom fields and the values that they must have
}

const maxSearch = 254

// filter is the filter as a cursor names it.
func (q *UserList) filter() string {
	flag := func(b *bool) string {
		if b == nil {
			return ""
		}
		return strconv.FormatBool(*b)
	}
	parts := []string{q.Search, q.Tag, q.Country, q.Language, flag(q.Blocked), flag(q.Hidden)}
	for _, name := range slices.Sorted(maps.Keys(q.Fields)) {
		parts = append(parts, name, q.Fields[name])
	}
	for i := range parts {
		parts[i] = strconv.Quote(parts[i])
	}
	return strings.Join(parts, ",")
}

// prepare checks what is asked and makes it ready.
func (l *userListing) prepare() error {
	_, entry, err := l.ingest.Plan(l.org)
	if err != nil {
		return err
	}
	switch l.q.Sort {
	case "":
		l.q.Sort = NewestFirst
	case NewestFirst, OldestFirst:
	default:
		return &ParamError{Field: "sort", Detail: "This must be " + OldestFirst + " or " + NewestFirst + "."}
	}
	if len(l.q.Search) > maxSearch {
		return &ParamError{Field: "search", Detail: "This must be up to 254 bytes of text."}
	}
	tests, err := fieldTests(entry.Catalog.Fields, l.q.Fields)
	if err != nil {
		return err
	}
	search := profile.Fold(l.q.Search)
	l.pass = func(p *ingest.Person) bool {
		r := &p.Profile
		return (l.q.Tag == "" || slices.Contains(r.Tags, l.q.Tag)) && (l.q.Country == "" || r.Country == l.q.Country) &&
			(l.q.Language == "" || r.Language == l.q.Language) && passesAll(tests, r.Fields) && (search == "" || l.q.finds(p, search))
	}
	if l.q.Cursor != "" {
		return l.parseCursor()
	}
	return nil
}

func (q *UserList) finds(p *ingest.Person, folded string) bool {
	r := &p.Profile
	for _, text := range []string{string(p.User), r.Name, r.Username, r.Email} {
		if text != "" && strings.Contains(profile.Fold(text), folded) {
			return true
		}
	}
	return r.ExternalID == q.Search || r.Number != 0 && strconv.FormatInt(r.Number, 10) == q.Search
}

// fieldTest is a custom field and what it must be.
type fieldTest struct {
	name string
	is   func(jsontext.Value) bool
}

func fieldTests(types map[string]catalog.MetaType, want map[string]string) (tests []fieldTest, err error) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		declared, ok := types[name]
		if !ok {
			return nil, &ParamError{Field: "fields." + name, Detail: "The org declares no such field: see users.fields of its catalog."}
		}
		text, is := want[name], (func(jsontext.Value) bool)(nil)
		switch declared {
		case catalog.String:
			is = func(v jsontext.Value) bool {
				var s string
				return json.Unmarshal(v, &s) == nil && s == text
			}
		case catalog.Boolean:
			is = func(v jsontext.Value) bool { return string(v) == text }
		case catalog.Integer, catalog.Number:
			number, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, &ParamError{Field: "fields." + name, Detail: "This must be a number."}
			}
			is = func(v jsontext.Value) bool {
				var n float64
				return json.Unmarshal(v, &n) == nil && n == number
			}
		}
		tests = append(tests, fieldTest{name, is})
	}
	return tests, nil
}

func passesAll(tests []fieldTest, fields map[string]jsontext.Value) bool {
	for _, t := range tests {
		if v, ok := fields[t.name]; !ok || !t.is(v) {
			return false
		}
	}
	return true
}

// isNobody says whether a look-up by a unique value failed only for want of such a user.
func isNobody(err error) bool {
	var wrong *profile.FieldError
	return errors.Is(err, ingest.ErrUserNotFound) || errors.As(err, &wrong)
}
