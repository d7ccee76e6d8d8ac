package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
)

func decodeOne(raw string) (activity.Activity, string, string) {
	var a activity.Activity
	if err := newItemDecoder().decode([]byte(raw), &a); err != nil {
		return a, err.Code, err.Field
	}
	return a, "", ""
}

func TestDecodeItem(t *testing.T) {
	const start = `{"user":"u","name":"n"`
	base := activity.Activity{User: "u", Name: "n"}
	with := func(f func(*activity.Activity)) activity.Activity { a := base; f(&a); return a }
	cases := []struct {
		raw  string
		want activity.Activity
	}{
		{start + `}`, base},
		{" \t\r\n" + start + "}\n ", base},
		{`{"\u0075ser":"\u0075","name":"n"}`, base},
		{start + `,"id":"x/y ü\uD83D\uDE00"}`, with(func(a *activity.Activity) { a.ID = "x/y ü😀" })},
		{start + `,"kind":"behaviour"}`, base},
		{start + `,"value":0}`, with(func(a *activity.Activity) { a.HasValue = true })},
		{start + `,"value":-0.0}`, with(func(a *activity.Activity) { a.HasValue = true })},
		{start + `,"value":9007199254740992}`, with(func(a *activity.Activity) { a.Value, a.HasValue = 1<<53, true })},
		{start + `,"value":-9.007199254740992e15}`, with(func(a *activity.Activity) { a.Value, a.HasValue = -(1 << 53), true })},
		{start + `,"value":1e-400}`, with(func(a *activity.Activity) { a.HasValue = true })},
		{start + `,"meta":{}}`, base},
		{start + `,"meta":{"b":[1.0,{"x":{}}],"a":"\u00e9"}}`, with(func(a *activity.Activity) { a.Meta = []byte(`{"a":"é","b":[1,{"x":{}}]}`) })},
		{start + `,"meta":{"s":"99999999999999999999 {[{[{["}}`, with(func(a *activity.Activity) { a.Meta = []byte(`{"s":"99999999999999999999 {[{[{["}`) })},
		{start + `,"at":"1970-01-01T00:00:00Z"}`, with(func(a *activity.Activity) { a.AtGiven = true })},
		{start + `,"at":"1970-01-01T02:00:00.0019+02:00"}`, with(func(a *activity.Activity) { a.AtGiven, a.At, a.Offset = true, 1, 120 })},
	}
	for _, c := range cases {
		t.Run(c.raw, func(t *testing.T) {
			got, code, field := decodeOne(c.raw)
			if diff := cmp.Diff(c.want, got); diff != "" || code != "" {
				t.Errorf("refused with %q in %q, or differs:\n%s", code, field, diff)
			}
		})
	}
}

func TestDecodeItem_Refused(t *testing.T) {
	const start = `{"user":"u","name":"n",`
	long := strings.Repeat("x", 129)
	cases := []struct{ raw, code, field string }{
		{``, "bad_json", ""}, {`null`, "bad_json", ""}, {`[]`, "bad_json", ""}, {`{}`, "missing_field", "user"}, {`{"user":"u"}`, "missing_field", "name"},
		{start + `}`, "bad_json", ""}, {start + `"x":1}`, "bad_json", "x"}, {start + `"a b/c":1}`, "bad_json", "a b/c"},
		{start + `"NAME":"n"}`, "bad_json", "NAME"}, {start + `"user":"v"}`, "bad_json", "user"}, {start + `"\u0075ser":"v"}`, "bad_json", "user"},
		{start + `"id":"` + long + `"}`, "bad_id", "id"}, {start + `"id":""}`, "bad_id", "id"}, {start + `"id":7}`, "bad_id", "id"},
		{start + `"id":null}`, "bad_id", "id"}, {start + `"id":["x"]}`, "bad_id", "id"}, {start + `"id":"a\u0000"}`, "bad_id", "id"},
		{start + `"id":"a\u007f"}`, "bad_id", "id"}, {start + `"id":"a\u0085"}`, "bad_id", "id"}, {start + "\"id\":\"a\nb\"}", "bad_json", "id"},
		{`{"user":"` + long + `","name":"n"}`, "bad_user", "user"}, {`{"user":"u","name":""}`, "bad_name", "name"},
		{start + `"kind":"event"}`, "bad_kind", "kind"}, {start + `"kind":""}`, "bad_kind", "kind"}, {start + `"kind":"Behaviour"}`, "bad_kind", "kind"},
		{start + `"kind":"credit"}`, "bad_kind", "kind"}, {start + `"kind":1}`, "bad_kind", "kind"},
		{start + `"value":"1"}`, "bad_value", "value"}, {start + `"value":null}`, "bad_value", "value"}, {start + `"value":01}`, "bad_json", ""},
		{start + `"value":Infinity}`, "bad_json", "value"}, {start + `"value":9007199254740993}`, "value_out_of_range", "value"},
		{start + `"value":9007199254740992.0000000001}`, "value_out_of_range", "value"}, {start + `"value":-1e16}`, "value_out_of_range", "value"},
		{start + `"value":1e99999}`, "value_out_of_range", "value"},
		{start + `"meta":[]}`, "bad_meta", "meta"}, {start + `"meta":null}`, "bad_meta", "meta"}, {start + `"meta":{"a":1,"a":1}}`, "bad_json", "meta.a"},
		{start + `"meta":{"a":{"b":{"c":1}}}}`, "", ""}, {start + `"meta":{"a":{"b":{"c":[]}}}}`, "", ""}, {start + `"meta":{"a":{"b":{"c":{"d":1}}}}}`, "", ""}, {start + `"meta":{"a":{"b":{"c":{"d":{}}}}}}`, "meta_too_deep", "meta"},
		{start + `"meta":{"a":[[[[]]]]}}`, "meta_too_deep", "meta"}, {start + `"meta":{"a":1e16}}`, "value_out_of_range", "meta"},
		{start + `"meta":{"a":[9007199254740993]}}`, "value_out_of_range", "meta"}, {start + `"meta":{"a":"\udfff"}}`, "bad_json", "meta.a"},
		{start + `"meta":{"a":"` + strings.Repeat("x", 4096-7) + `"}}`, "meta_too_large", "meta"}, {start + `"meta":{"a":"` + strings.Repeat("x", 4096-8) + `"}}`, "", ""},
		{start + `"at":"2026-11-21T19:40:60Z"}`, "bad_time", "at"}, {start + `"at":"2026-11-21 19:40:00Z"}`, "bad_time", "at"},
		{start + `"at":"1969-12-31T23:59:59Z"}`, "bad_time", "at"}, {start + `"at":1763754000}`, "bad_time", "at"}, {start + `"at":"2026-11-21T19:40:00"}`, "bad_time", "at"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%.60s", c.raw), func(t *testing.T) {
			if _, code, field := decodeOne(c.raw); code != c.code || field != c.field {
				t.Errorf("got %q in %q, want %q in %q", code, field, c.code, c.field)
			}
		})
	}
}

// What was accepted obeys the contract, and a second reader of the same text, the standard library, agrees on every member.
func FuzzDecodeItem(f *testing.F) {
	for _, seed := range []string{`{"user":"u","name":"n"}`, `{"id":"a","user":"u","kind":"behaviour","name":"n","value":1.5,"meta":{"b":[1,"x"],"a":null},"at":"2026-11-21T19:40:00.123+01:00"}`,
		`{"user":"u","name":"n","value":NaN}`, `{"user":"u","user":"v"}`, `[{]`, `{"user":"\ud800","name":"n"}`, "{\"user\":\"\xff\"}",
		`{"user":"u","name":"n","meta":{"a":{"a":{"a":{}}}}}`, `{"user":"u","name":"n","value":9007199254740993}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a activity.Activity
		d := newItemDecoder()
		if fault := d.decode(raw, &a); fault != nil {
			if fault.Code == "" || fault.Detail == "" || !utf8.ValidString(fault.Field) {
				t.Errorf("a fault without a name: %+v", fault)
			}
			return
		}
		for _, s := range []string{string(a.User), a.Name} {
			if s == "" || len(s) > 128 || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
				t.Errorf("accepted %q", s)
			}
		}
		if math.Abs(a.Value) > 1<<53 || a.At < 0 || len(a.Meta) > 4096 {
			t.Errorf("accepted %+v", a)
		}
		var other struct {
			ID, User, Kind, Name, At string
			Value                    *float64
			Meta                     map[string]any
		}
		if err := json.Unmarshal(raw, &other); err != nil {
			t.Fatalf("accepted what is no JSON: %v", err)
		}
		if other.User != string(a.User) || other.ID != string(a.ID) || other.Name != a.Name || (other.Value != nil) != a.HasValue {
			t.Errorf("read %+v, another reader %+v", a, other)
		}
		var meta map[string]any
		if a.Meta != nil {
			if err := json.Unmarshal(a.Meta, &meta); err != nil {
				t.Fatal(err)
			}
		}
		if len(other.Meta) > 0 && !cmp.Equal(meta, other.Meta) {
			t.Errorf("meta %v, another reader %v", meta, other.Meta)
		}
		var again activity.Activity
		if fault := d.decode(raw, &again); fault != nil || !cmp.Equal(a, again) {
			t.Errorf("a second time it is %+v, %v", again, fault)
		}
	})
}

// An array of anything is cut where a parser of the whole would cut it.
func TestSplitArray_AgreesWithAParser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.StringOfN(rapid.RuneFrom([]rune(`[]{}",:\ 01a`)), 0, 24, -1).Draw(t, "inside"))
		text = append(append([]byte("["), text...), ']')
		var want []json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil {
			return // what is no JSON is found by decoding the pieces
		}
		got, err := splitArray(text)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %d pieces (%v), want %d", text, len(got), err, len(want))
		}
		for i := range want {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("%s: piece %d is %s, want %s", text, i, got[i], want[i])
			}
		}
	})
}

// No text that is not JSON may pass as an array of well-formed items.
func TestDecodeBatch_BrokenTextNeverPasses(t *testing.T) {
	a := &API{}
	a.items.New = func() any { return newItemDecoder() }
	rapid.Check(t, func(t *rapid.T) {
		item := `{"user":"u","name":"n","meta":{"a":[1,{"b":"]"}]}}`
		text := []byte("[" + item + "," + item + "]")
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		switch rapid.IntRange(0, 2).Draw(t, "damage") {
		case 0:
			text = append(text[:at], text[at+1:]...)
		case 1:
			text[at] = rapid.SampledFrom([]byte(`[]{}",:x`)).Draw(t, "byte")
		default:
			text = text[:at]
		}
		b, err := a.decodeBatch(text, formatJSON)
		if valid := json.Valid(text); !valid && err == nil && !b.single {
			t.Fatalf("%s passed as %d items", text, len(b.items))
		} else if valid && text[0] == '[' && err != nil {
			t.Fatalf("%s did not pass: %v", text, err)
		}
	})
}

// The short way to the canonical form must be the form itself.
func TestCanonical_IsRFC8785(t *testing.T) {
	var member func(depth int) *rapid.Generator[string]
	text := rapid.Map(rapid.StringOfN(rapid.RuneFrom([]rune("ab é😀\u2028")), 0, 3, -1), func(s string) string { return `"` + s + `"` })
	space := rapid.SampledFrom([]string{"", "", "", " "})
	member = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			kind := rapid.IntRange(0, 6).Draw(t, "kind")
			if depth == 0 {
				kind %= 3
			}
			n := rapid.IntRange(0, 3).Draw(t, "n")
			var parts []string
			switch kind {
			case 0:
				return rapid.SampledFrom([]string{"0", "-0", "1", "1.0", "-12", "1e3", "true", "null", "123456789012345", "1234567890123456"}).Draw(t, "literal")
			case 1:
				return text.Draw(t, "text")
			case 2:
				return `"\u0061"`
			case 3:
				for range n {
					parts = append(parts, member(depth-1).Draw(t, "element"))
				}
				return "[" + strings.Join(parts, ","+space.Draw(t, "space")) + "]"
			}
			names := rapid.SliceOfNDistinct(text, n, n, rapid.ID[string]).Draw(t, "names")
			for _, name := range names {
				parts = append(parts, name+":"+member(depth-1).Draw(t, "member"))
			}
			return "{" + strings.Join(parts, ",") + "}"
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		v := jsontext.Value(`{"m":` + member(3).Draw(t, "value") + `}`)
		want := v.Clone()
		if err := want.Canonicalize(); err != nil {
			t.Fatal(err)
		}
		if inspect(v).canonical && !bytes.Equal(v, want) {
			t.Fatalf("%s passes for canonical, which is %s", v, want)
		}
	})
}

func TestDecodeItem_Allocations(t *testing.T) {
	raw := []byte(`{"id":"c1","user":"ada","name":"commit","value":12.5,"at":"2026-11-21T20:40:00+01:00"}`)
	d := newItemDecoder()
	var a activity.Activity
	got := testing.AllocsPerRun(200, func() {
		a = activity.Activity{}
		if err := d.decode(raw, &a); err != nil {
			t.Fatal(err)
		}
	})
	if got > 2 { // the id and the user
		t.Errorf("%v allocations for an item", got)
	}
}

func BenchmarkDecodeItem(b *testing.B) {
	for name, raw := range map[string]string{
		"small":         `{"id":"c1","user":"ada","name":"commit","at":"2026-11-21T20:40:00+01:00"}`,
		"sorted meta":   `{"id":"c1","user":"ada","name":"commit","value":1,"meta":{"added":12,"deleted":3,"files":1,"language":"go"},"at":"2026-11-21T20:40:00+01:00"}`,
		"unsorted meta": `{"id":"c1","user":"ada","name":"commit","value":1,"meta":{"deleted":3,"added":12,"files":1,"language":"go"},"at":"2026-11-21T20:40:00+01:00"}`,
	} {
		b.Run(name, func(b *testing.B) {
			d, text := newItemDecoder(), []byte(raw)
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				var a activity.Activity
				if err := d.decode(text, &a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecodeBatch(b *testing.B) {
	a := &API{}
	a.items.New = func() any { return newItemDecoder() }
	var items []string
	for i := range 100 {
		items = append(items, fmt.Sprintf(`{"id":"c%d","user":"user-%d","name":"commit","at":"2026-11-21T20:40:00+01:00"}`, i, i))
	}
	text := []byte("[" + strings.Join(items, ",") + "]")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.decodeBatch(text, formatJSON); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/item")
}
