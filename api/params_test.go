package api

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
)

// TestParameters_AsParseQuery: of every well-formed query net/url has the same to say.
func TestParameters_AsParseQuery(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([&=]|a|b|c|%61|%20|%3D|%26|\+|ü){0,12}`).Draw(t, "query")
		want, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b", "ab", "a b", "", "ü", "="} {
			if p := parameters(text); p.Get(name) != want.Get(name) || p.Has(name) != want.Has(name) {
				t.Fatalf("%q, parameter %q: %q, %v, want %q, %v", text, name, p.Get(name), p.Has(name), want.Get(name), want.Has(name))
			}
		}
	})
}

// TestUserList_AsReflection: what is taken, and what is said of what is not, is as it is for any other list of texts.
func TestUserList_AsReflection(t *testing.T) {
	for _, users := range []string{`[]`, `["a"]`, `["a","\u0062\n\"","ü"]`, `null`, `{}`, `"a"`, `3`, `["a",3]`, `["a",null]`, `["a",["b"]]`, `["a",{"b":1}]`, `["a"`, `["a",]`,
		`["a" "b"]`, `["a"}`, `["\ud800"]`, "[\"\xff\"]", `[,]`, ``, `["a",x]`, `[true]`, `[null,"a"]`} {
		var got rankQuery
		var want struct {
			Users    []activity.User `json:"users"`
			Relative bool            `json:"relative,omitempty"`
		}
		body := []byte(`{"users":` + users + `}`)
		gotErr, wantErr := decodeStrict(body, &got), decodeStrict(body, &want)
		if d := cmp.Diff(wantErr, gotErr, cmp.AllowUnexported(fault{})); d != "" {
			t.Errorf("%s: (-reflection +own)\n%s", users, d)
		}
		if d := cmp.Diff(want.Users, []activity.User(got.Users)); wantErr == nil && d != "" {
			t.Errorf("%s: (-reflection +own)\n%s", users, d)
		}
	}
}
