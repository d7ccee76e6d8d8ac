package profile

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/catalog"
)

func types() map[string]catalog.MetaType {
	return map[string]catalog.MetaType{"revenue": catalog.Number, "visits": catalog.Integer, "since": catalog.String, "vip": catalog.Boolean}
}

func TestCheck_Texts(t *testing.T) {
	long := strings.Repeat("é", 65)
	for _, c := range []struct{ field, in, want string }{
		{Name, "Ada L.", "Ada L."}, {Name, long, "!"}, {FirstName, "a\u0085b", "!"}, {LastName, "\xff", "!"}, {ExternalID, "a b", "a b"},
		{Username, "Ada_1", "Ada_1"}, {Username, "a b", "!"}, {Picture, "https://x/y", "https://x/y"}, {Picture, "javascript:alert(1)", "!"},
		{Email, "Ada@Example.org", "Ada@Example.org"}, {Email, "Ada <ada@example.org>", "!"}, {Email, "ada", "!"}, {Email, strings.Repeat("a", 250) + "@b.cd", "!"},
		{Mobile, "+436601234567", "+436601234567"}, {Mobile, "123", "!"}, {Mobile, "06 60", "!"},
		{Number, "007", "7"}, {Number, "0", "!"}, {Number, "-1", "!"}, {Number, "9007199254740992", "9007199254740992"}, {Number, "9007199254740993", "!"},
		{Language, "pt-br", "pt-BR"}, {Language, "de", "de"}, {Language, "xx-", "!"}, {Country, "at", "AT"}, {Country, "AUT", "!"}, {Country, "QQ", "!"}, {Country, "EU", "!"},
		{"shoe_size", "44", "!"}, {CreatedAt, "1", "!"}, {Email, "", ""},
	} {
		change := Change{Texts: map[string]string{c.field: c.in}}
		err := change.Check(nil)
		var wrong *FieldError
		switch {
		case c.want == "!" && (!errors.As(err, &wrong) || wrong.Field != c.field):
			t.Errorf("%s %q: %v, want it refused", c.field, c.in, err)
		case c.want != "!" && (err != nil || change.Texts[c.field] != c.want):
			t.Errorf("%s %q: %q, %v; want %q", c.field, c.in, change.Texts[c.field], err, c.want)
		}
	}
}

func TestCheck_CustomFieldsAndTags(t *testing.T) {
	for in, field := range map[string]string{
		`revenue 1.5`: "", `revenue "1"`: "fields.revenue", `revenue 1e300`: "fields.revenue", `visits 3`: "", `visits 3.5`: "fields.visits", `since "2020"`: "", `since 2020`: "fields.since",
		`vip true`: "", `vip 1`: "fields.vip", `vip null`: "", `gone null`: "", `gone 1`: "fields.gone", `since {}`: "fields.since", `since "` + strings.Repeat("a", 1025) + `"`: "fields.since",
	} {
		name, value, _ := strings.Cut(in, " ")
		c := Change{Fields: Members{Set: map[string]jsontext.Value{name: jsontext.Value(value)}}}
		refused(t, in, c.Check(types()), field)
	}
	for field, list := range map[string][]string{"": {"vip", "@Gold"}, "tags[1]": {"a", ""}, "tags[0]": {strings.Repeat("a", 65)}, "tags": make([]string, 65)} {
		refused(t, field, (&Change{Tags: &list}).Check(nil), field)
	}
}

func refused(t *testing.T, what string, err error, field string) {
	t.Helper()
	var wrong *FieldError
	if errors.As(err, &wrong); field == "" && err != nil || field != "" && (wrong == nil || wrong.Field != field) {
		t.Errorf("%.60s: %v, want the field %q refused", what, err, field)
	}
}

func TestApply_Settings(t *testing.T) {
	big := Change{Settings: Members{Set: map[string]jsontext.Value{"a": jsontext.Value(`"` + strings.Repeat("x", 2100) + `"`)}}}
	have, err := big.Apply(nil)
	if err != nil {
		t.Fatal(err)
	}
	again := Change{Settings: Members{Set: map[string]jsontext.Value{"b": big.Settings.Set["a"]}}}
	_, err = again.Apply(have)
	refused(t, "two of 2,100 bytes", err, "settings")
}

// TestApply_Random applies changes one after the other and compares with a plain record of what was said last of each thing.
func TestApply_Random(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash := map[string]string{CreatedAt: "5", "claim:x": "y"}
		texts, visits, list := map[string]string{}, map[string]string{}, []string(nil)
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			c := Change{Texts: map[string]string{}}
			for _, f := range rapid.SliceOfN(rapid.SampledFrom([]string{Name, Email, LastName}), 0, 2).Draw(t, "fields") {
				c.Texts[f] = rapid.SampledFrom([]string{"", "a@b.c", "d@e.f"}).Draw(t, f)
				if texts[f] = c.Texts[f]; texts[f] == "" {
					delete(texts, f)
				}
			}
			if rapid.Bool().Draw(t, "tags") {
				list = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID).Draw(t, "tag")
				twice := append(append([]string{}, list...), list...)
				c.Tags = &twice
			}
			if c.Fields.Replace = rapid.Bool().Draw(t, "replace"); c.Fields.Replace {
				clear(visits)
			}
			c.Fields.Set = map[string]jsontext.Value{}
			for _, f := range rapid.SliceOfN(rapid.SampledFrom([]string{"visits", "revenue"}), 0, 2).Draw(t, "custom") {
				v := rapid.SampledFrom([]string{"null", "1", "2"}).Draw(t, f)
				c.Fields.Set[f] = jsontext.Value(v)
				if visits[f] = v; v == "null" {
					delete(visits, f)
				}
			}
			before := maps.Clone(hash)
			err := c.Check(types())
			next, applied := c.Apply(hash)
			if err = errors.Join(err, applied); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, hash); diff != "" {
				t.Fatalf("Apply changed what it was given\n%s", diff)
			}
			hash = next
		}
		got, err := Parse(hash)
		if err != nil {
			t.Fatal(err)
		}
		want := Record{CreatedAt: 5, Name: texts[Name], Email: texts[Email], LastName: texts[LastName]}
		want.Tags = append(want.Tags, list...)
		for f, v := range visits {
			if want.Fields == nil {
				want.Fields = map[string]jsontext.Value{}
			}
			want.Fields[f] = jsontext.Value(v)
		}
		if diff := cmp.Diff(want, got); diff != "" || hash["claim:x"] != "y" {
			t.Fatal(diff, hash)
		}
	})
}
