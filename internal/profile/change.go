package profile

import (
	"fmt"
	"maps"
	"math"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/language"

	"laurel/internal/catalog"
)

// Bounds of a profile.
const (
	maxText     = 128
	maxPicture  = 1024
	maxEmail    = 254
	maxCustom   = 1024 // bytes of a custom field's text
	maxTags     = 64
	maxTag      = 64
	maxSettings = 4096
	maxNumber   = 1 << 53
)

// FieldError says which field of a change cannot be, and why, for the client.
type FieldError struct{ Field, Detail string }

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

// Change is what becomes of a profile; its zero value changes nothing.
type Change struct {
	// Texts are the fields that hold one value, by name; "" removes one. A number is written in decimal.
	Texts map[string]string
	// Tags, if not nil, are the tags from now on, in order: a repeated one counts once.
	Tags *[]string
	// Fields are custom fields, whose types the catalog declares, and Settings whatever else the customer keeps of a user.
	Fields, Settings Members
}

// Members changes an object: a member that is null is removed, one that is not named stays unless Replace is set.
type Members struct {
	Set     map[string]jsontext.Value
	Replace bool
}

// IsZero says that the change changes nothing of any profile.
func (c *Change) IsZero() bool {
	return len(c.Texts) == 0 && c.Tags == nil && len(c.Fields.Set) == 0 && !c.Fields.Replace && len(c.Settings.Set) == 0 && !c.Settings.Replace
}

// Check looks at the change alone, and brings what it says into the one form in which it is kept: languages and countries in their usual case, numbers
// without zeros in front. types are those of custom fields. *FieldError.
func (c *Change) Check(types map[string]catalog.MetaType) error {
	texts := make(map[string]string, len(c.Texts))
	for _, field := range slices.Sorted(maps.Keys(c.Texts)) {
		if texts[field] = ""; c.Texts[field] == "" {
			continue
		}
		text, detail := normal(field, c.Texts[field])
		if detail != "" {
			return &FieldError{field, detail}
		}
		texts[field] = text
	}
	c.Texts = texts
	if c.Tags != nil {
		if err := checkTags(*c.Tags); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields.Set)) {
		if err := checkCustom(name, c.Fields.Set[name], types); err != nil {
			return err
		}
	}
	return nil
}

var mobile = regexp.MustCompile(`^\+?[0-9]{4,15}$`)

// normal is a text in the form in which it is kept, or what is wrong with it.
func normal(field, s string) (text, fault string) {
	switch field {
	case Name, FirstName, LastName, ExternalID:
		if !plain(s, maxText) {
			return "", "This must be 1 to 128 bytes of text without control characters."
		}
	case Username:
		if !plain(s, maxText) || strings.ContainsFunc(s, unicode.IsSpace) {
			return "", "This must be 1 to 128 bytes of text without spaces and control characters."
		}
	case Picture:
		if u, err := url.Parse(s); err != nil || len(s) > maxPicture || !utf8.ValidString(s) || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "", "This must be an http or https URL of up to 1,024 bytes."
		}
	case Email:
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s || !plain(s, maxEmail) {
			return "", "This must be an e-mail address of up to 254 bytes."
		}
	case Mobile:
		if !mobile.MatchString(s) {
			return "", "This must be 4 to 15 digits, with a + before them or not."
		}
	case Number:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 || n > maxNumber {
			return "", "This must be a whole number from 1 to 2^53."
		}
		return strconv.FormatInt(n, 10), ""
	case Language:
		tag, err := language.Parse(s)
		if err != nil || len(s) > maxText {
			return "", "This must be a BCP 47 language tag, such as de or pt-BR."
		}
		return tag.String(), ""
	case Country:
		region, err := language.ParseRegion(s)
		if err != nil || len(s) != 2 || !region.IsCountry() {
			return "", "This must be a country of ISO 3166-1 in two letters, such as AT."
		}
		return region.String(), ""
	default:
		return "", "There is no such field."
	}
	return s, ""
}

func plain(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func checkTags(list []string) error {
	if len(list) > maxTags {
		return &FieldError{tags, fmt.Sprintf("A user has at most %d tags.", maxTags)}
	}
	for i, t := range list {
		if !plain(t, maxTag) {
			return &FieldError{fmt.Sprintf("%s[%d]", tags, i), "A tag is 1 to 64 bytes of text without control characters."}
		}
	}
	return nil
}

// checkCustom compares a custom field with its declaration. One that is not declared any more can still be removed.
func checkCustom(name string, v jsontext.Value, types map[string]catalog.MetaType) error {
	field := custom + "." + name
	if v.Kind() == 'n' {
		return nil
	}
	declared, ok := types[name]
	if !ok {
		return &FieldError{field, "The org declares no such field: see users.fields of its catalog."}
	}
	good := false
	switch declared {
	case catalog.String:
		var s string
		good = v.Kind() == '"' && json.Unmarshal(v, &s) == nil && (s == "" || plain(s, maxCustom))
	case catalog.Boolean:
		good = v.Kind() == 't' || v.Kind() == 'f'
	case catalog.Integer, catalog.Number:
		var n float64
		good = v.Kind() == '0' && json.Unmarshal(v, &n) == nil && math.Abs(n) <= maxNumber && (declared == catalog.Number || n == math.Trunc(n))
	}
	if !good {
		return &FieldError{field, "The org declares this as " + declared.String() + ": text of up to 1,024 bytes, numbers up to ±2^53."}
	}
	return nil
}

// Apply is the hash after a change that Check has seen; have stays as it is. Fields that no change speaks of stay. *FieldError where objects become too large.
func (c *Change) Apply(have map[string]string) (map[string]string, error) {
	next := maps.Clone(have)
	if next == nil {
		next = map[string]string{}
	}
	put := func(field, text string) {
		if next[field] = text; text == "" {
			delete(next, field)
		}
	}
	for field, text := range c.Texts {
		put(field, text)
	}
	if c.Tags != nil {
		text, err := tagText(*c.Tags)
		if err != nil {
			return nil, err
		}
		put(tags, text)
	}
	for field, m := range map[string]*Members{custom: &c.Fields, settings: &c.Settings} {
		text, err := m.apply(have[field])
		if err != nil {
			return nil, fmt.Errorf("profile: %s: %w", field, err)
		}
		put(field, text)
	}
	if len(next[settings]) > maxSettings {
		return nil, &FieldError{settings, "The settings of a user take at most 4,096 bytes."}
	}
	return next, nil
}

func tagText(list []string) (string, error) {
	var kept []string
	for _, t := range list {
		if !slices.Contains(kept, t) {
			kept = append(kept, t)
		}
	}
	if len(kept) == 0 {
		return "", nil
	}
	b, err := json.Marshal(kept)
	return string(b), err
}

// apply is the text of the object after the change, "" for an empty one.
func (m *Members) apply(have string) (string, error) {
	if len(m.Set) == 0 && !m.Replace {
		return have, nil
	}
	object := map[string]jsontext.Value{}
	if have != "" && !m.Replace {
		if err := json.Unmarshal([]byte(have), &object); err != nil {
			return "", err
		}
	}
	for name, v := range m.Set {
		if object[name] = v; v.Kind() == 'n' {
			delete(object, name)
		}
	}
	if len(object) == 0 {
		return "", nil
	}
	b, err := json.Marshal(object, json.Deterministic(true))
	if err != nil {
		return "", err
	}
	v := jsontext.Value(b)
	return string(v), v.Compact()
}

// Key is the form of a unique field's value in which it is compared: e-mail addresses without regard to case, the others byte for byte.
func Key(field, text string) string {
	if field == Email {
		return Fold(text)
	}
	return text
}

// Lookup is the key of a value that a client looks for. *FieldError for one that no user can have.
func Lookup(field, text string) (string, error) {
	kept, fault := normal(field, text)
	if fault != "" || text == "" {
		return "", &FieldError{field, fault}
	}
	return Key(field, kept), nil
}
