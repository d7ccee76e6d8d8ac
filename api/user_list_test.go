package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What the short way reads, the general way reads too, and the same.
func TestPlainUsers_AgreesWithTheGeneralWay(t *testing.T) {
	general := func(body string) (rankQuery, bool) {
		var q rankQuery
		if decodeStrict([]byte(body), &q) != nil {
			return q, false
		}
		for _, u := range q.Users {
			if !validText(string(u)) {
				return q, false
			}
		}
		return q, true
	}
	check := func(t interface {
		Helper()
		Fatalf(string, ...any)
	}, body string) bool {
		t.Helper()
		list, ok := plainUsers([]byte(body))
		if !ok {
			return false
		}
		if want, good := general(body); !good || !cmp.Equal(want, rankQuery{Users: list}) {
			t.Fatalf("%s: read as %q; in general: %t %v", body, list, good, want)
		}
		return true
	}
	for body, want := range map[string]bool{
		`{"users":["a"]}`: true, `{"users": ["a", "b"]}`: true, `{"users":["a","a b~!"]}`: true,
		`{"users":["` + strings.Repeat("x", maxID) + `"]}`: true, `{"users":["` + strings.Repeat("x", maxID+1) + `"]}`: false,
		`{"users":[]}`: false, `{"users":[""]}`: false, `{"users":["a"],"relative":true}`: false, `{"users":["a"]}x`: false, `{"users":["a"]`: false, `{"users":["a",]}`: false,
		`{"users":["a" "b"]}`: false, `{"users":["a\n"]}`: false, `{"users":["é"]}`: false, `{"users":null}`: false, `{"users":["a"`: false, `{"users":["a",`: false, `{"users":`: false,
		"{\"users\":[\"\x7f\"]}": false, ``: false,
	} {
		if got := check(t, body); got != want {
			t.Errorf("%s: read %v, want %v", body, got, want)
		}
	}
	piece := rapid.SampledFrom([]string{`{"users":`, `[`, `]`, `}`, `"a"`, `"b c"`, `""`, `,`, ` `, `"`, `\`, `\n`, "\n", `é`, `null`, `1`, `,"relative":true`, "\x00", "\xff", `"users":`})
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
		if rapid.Bool().Draw(t, "framed") {
			body = `{"users":["a"` + body + `]}`
		}
		check(t, body)
	})
}
