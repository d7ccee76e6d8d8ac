package query

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/profile"
)

// anyUser are ids as they may come: any runes but control characters, and often those that mean something in JSON, HTML or JavaScript.
var anyUser = rapid.Custom(func(t *rapid.T) activity.User {
	plain := rapid.Rune().Filter(func(r rune) bool { return !unicode.IsControl(r) })
	special := rapid.SampledFrom([]rune("\"\\/<>&'\u2028\u2029\ufeff\ufffd😀é"))
	return activity.User(rapid.StringOfN(rapid.OneOf(plain, special), 1, 20, 128).Draw(t, "user"))
})

var anyScore = rapid.Custom(func(t *rapid.T) Score {
	return Score{rapid.Int64Range(-catalog.MaxExact, catalog.MaxExact).Draw(t, "scaled"), rapid.IntRange(0, 6).Draw(t, "decimals")}
})

var anyInstant = rapid.Custom(func(t *rapid.T) calendar.Instant {
	return calendar.Instant(rapid.Int64Range(0, 4102444800000).Draw(t, "instant"))
})

var anyRows = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Row {
	return Row{Rank: rapid.IntRange(1, 1e9).Draw(t, "rank"), User: anyUser.Draw(t, "user"), Score: anyScore.Draw(t, "score"), ReachedAt: anyInstant.Draw(t, "at"),
		PreviousRank: rapid.IntRange(0, 2).Draw(t, "previous"), Profile: anyProfile.Draw(t, "profile")}
}), 0, 4)

var anyProfile = rapid.Custom(func(t *rapid.T) (p profile.Profile) {
	if rapid.Bool().Draw(t, "named") {
		p.Name = string(anyUser.Draw(t, "name"))
	}
	if rapid.Bool().Draw(t, "pictured") {
		p.Picture = "https://x.example/" + string(anyUser.Draw(t, "picture"))
	}
	return p
})

// checkJSON holds an encoder of this package against encoding/json, which goes by the fields' tags.
func checkJSON(t *rapid.T, v interface{ AppendJSON([]byte) []byte }) {
	got := v.AppendJSON([]byte("kept"))
	if !bytes.HasPrefix(got, []byte("kept")) {
		t.Fatalf("what was there before is gone: %s", got)
	}
	reference, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode(t, reference), decode(t, got[len("kept"):])); diff != "" {
		t.Fatalf("%s (-encoding/json +AppendJSON)\n%s", got, diff)
	}
}

func decode(t interface{ Fatalf(string, ...any) }, b []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // to the last digit
	if err := d.Decode(&v); err != nil || d.More() {
		t.Fatalf("%s is no JSON value: %v", b, err)
	}
	return v
}

func TestAppendJSON_AsEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, end := anyInstant.Draw(t, "start"), anyInstant.Draw(t, "end")
		period := &Period{Label: string(anyUser.Draw(t, "label")), Closed: rapid.Bool().Draw(t, "closed")}
		if rapid.Bool().Draw(t, "bounded") {
			period.Start, period.End = &start, &end
		}
		segment := rapid.SampledFrom([]string{"", "AT", "a\"b"}).Draw(t, "segment")
		checkJSON(t, &Leaderboard{Rule: "a.current", Segment: segment, Cycle: "14d", Period: period, Order: "desc", Ties: "dense", Total: rapid.IntRange(0, 1e9).Draw(t, "total"),
			AsOf: end, Revision: "aB_-3:1763754000000-0", Rows: anyRows.Draw(t, "rows"), Next: rapid.SampledFrom([]string{"", "aB_-"}).Draw(t, "next")})

		u := &UserRank{Row: Row{Rank: 3, User: anyUser.Draw(t, "user"), Score: anyScore.Draw(t, "score"), ReachedAt: start, Profile: anyProfile.Draw(t, "own profile")}, Segment: segment, Total: 9,
			Percentile: percentile(rapid.IntRange(1, 1e6).Draw(t, "rank"), 1e6)}
		if rapid.Bool().Draw(t, "before") {
			u.Previous = &Previous{Label: period.Label, Rank: 7, Score: u.Score}
		}
		if u.Around = anyRows.Draw(t, "around"); len(u.Around) == 0 {
			u.Around = nil
		}
		checkJSON(t, u)

		checkJSON(t, &Ranks{Segment: segment, Rows: anyRows.Draw(t, "ranks"), Missing: append([]activity.User{}, rapid.SliceOfN(anyUser, 0, 3).Draw(t, "missing")...)})
	})
}

// TestAppendJSON_PlainNumbers: whole, fractional and extreme scores are numbers without an exponent.
func TestAppendJSON_PlainNumbers(t *testing.T) {
	for want, s := range map[string]Score{
		"0": {}, "-1": {-1, 0}, "9007199254740992": {catalog.MaxExact, 0}, "-9007199254740.992": {-catalog.MaxExact, 3},
		"0.000001": {1, 6}, "12.5": {1250, 2}, "-0.05": {-5, 2},
	} {
		if got := string(s.AppendJSON(nil)); got != want {
			t.Errorf("%+v is %s, want %s", s, got, want)
		}
	}
}

// TestUser_OddID: an id that means something elsewhere comes through a whole read unharmed.
func TestUser_OddID(t *testing.T) {
	g := newRig(t)
	const odd = "</script>\"\\&'\u2028😀"
	g.send(odd + " 4 2026-11-21T10:00:00Z")
	got, err := g.User(t.Context(), org, odd)
	must(t, err)
	if id := decode(t, got).(map[string]any)["id"]; id != odd {
		t.Errorf("id is %q in %s", id, got)
	}
	l := decode(t, g.page("ordinal", "day", Page{Limit: 1}).AppendJSON(nil)).(map[string]any)
	if user := l["rows"].([]any)[0].(map[string]any)["user"]; user != odd {
		t.Errorf("the row's user is %q", user)
	}
}
