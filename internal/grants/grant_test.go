package grants_test

import (
	"errors"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/grants"
)

func TestGrant_Life(t *testing.T) {
	const at, day = calendar.Instant(1_000), 24 * time.Hour
	end := at + calendar.Instant(day.Milliseconds())
	step := func(do func(*grants.Grant, calendar.Instant) (bool, error)) func(*grants.Grant, calendar.Instant) (bool, error) {
		return do
	}
	claim, redeem := step((*grants.Grant).Claim), step((*grants.Grant).Redeem)
	for name, test := range map[string]struct {
		lasts   time.Duration
		before  []func(*grants.Grant, calendar.Instant) (bool, error)
		do      func(*grants.Grant, calendar.Instant) (bool, error)
		now     calendar.Instant
		changed bool
		err     error
		want    grants.Status
	}{
		"claim":                        {day, nil, claim, end - 1, true, nil, grants.StatusClaimed},
		"claim at the end":             {day, nil, claim, end, false, grants.ErrExpired, grants.StatusExpired},
		"claim without an end":         {0, nil, claim, end * 1000, true, nil, grants.StatusClaimed},
		"claim again":                  {day, []func(*grants.Grant, calendar.Instant) (bool, error){claim}, claim, end - 1, false, nil, grants.StatusClaimed},
		"redeem":                       {day, nil, redeem, end - 1, true, nil, grants.StatusRedeemed},
		"redeem what was claimed":      {day, []func(*grants.Grant, calendar.Instant) (bool, error){claim}, redeem, end - 1, true, nil, grants.StatusRedeemed},
		"redeem what expired":          {day, []func(*grants.Grant, calendar.Instant) (bool, error){claim}, redeem, end, false, grants.ErrExpired, grants.StatusExpired},
		"redeem again, after the end":  {day, []func(*grants.Grant, calendar.Instant) (bool, error){redeem}, redeem, end, false, nil, grants.StatusRedeemed},
		"claim what was redeemed":      {day, []func(*grants.Grant, calendar.Instant) (bool, error){redeem}, claim, end, false, nil, grants.StatusRedeemed},
		"redeemed stays after the end": {day, []func(*grants.Grant, calendar.Instant) (bool, error){redeem}, claim, end + 5, false, nil, grants.StatusRedeemed},
	} {
		t.Run(name, func(t *testing.T) {
			g := grants.Grant{ID: "g", Reward: "mug"}
			g.Issue(at, test.lasts)
			for _, do := range test.before {
				if _, err := do(&g, at); err != nil {
					t.Fatal(err)
				}
			}
			changed, err := test.do(&g, test.now)
			if changed != test.changed || !errors.Is(err, test.err) || g.Status(test.now) != test.want {
				t.Errorf("changed %v, %v, then %q; want %v, %v, %q", changed, err, g.Status(test.now), test.changed, test.err, test.want)
			}
		})
	}
}

func drawGrant(t *rapid.T, id string) grants.Grant {
	instant := rapid.Custom(func(t *rapid.T) calendar.Instant { return calendar.Instant(rapid.Int64Range(0, 9).Draw(t, "instant")) })
	return grants.Grant{ID: id, Reward: rapid.SampledFrom([]string{"mug", "cap"}).Draw(t, "reward"), By: rapid.SampledFrom([]string{"", "achievement:a", "level:l"}).Draw(t, "by"),
		State: grants.State(rapid.IntRange(0, 4).Draw(t, "state")), Count: rapid.Int64Range(1, 3).Draw(t, "count"), Code: rapid.SampledFrom([]string{"", "X-1"}).Draw(t, "code"),
		IssuedAt: instant.Draw(t, "issued"), ClaimedAt: instant.Draw(t, "claimed"), RedeemedAt: instant.Draw(t, "redeemed"), ExpiresAt: instant.Draw(t, "expires"),
		Hold: rapid.SampledFrom([]string{"", "h"}).Draw(t, "hold"), Derived: rapid.Bool().Draw(t, "derived"), Told: rapid.Bool().Draw(t, "told")}
}

func TestGrant_Record(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := drawGrant(t, "g")
		text, err := g.Record()
		if err != nil {
			t.Fatal(err)
		}
		back, err := grants.ParseRecord("g", text)
		if diff := cmp.Diff(g, back); diff != "" || err != nil {
			t.Fatalf("%v (-written +read)\n%s", err, diff)
		}
	})
	for _, text := range []string{"", "{", `{"s":9}`} {
		if _, err := grants.ParseRecord("g", text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// What Judge says is carried out, and compared with what is to be so grant by grant.
func TestSet_Judge(t *testing.T) {
	ids := []string{"a", "b", "c", "d"}
	rapid.Check(t, func(t *rapid.T) {
		set, due := grants.Set{}, &grants.Due{Since: calendar.Instant(rapid.Int64Range(0, 9).Draw(t, "since"))}
		for _, id := range ids {
			if rapid.Bool().Draw(t, "there") {
				set[id] = drawGrant(t, id)
			}
			if rapid.Bool().Draw(t, "given") {
				due.Given = append(due.Given, grants.Given{ID: id, Reward: "mug", By: "achievement:a", At: calendar.Instant(rapid.Int64Range(0, 9).Draw(t, "at")), Noticed: rapid.Bool().Draw(t, "noticed")})
			}
		}
		got := map[string]grants.Judgement{}
		for _, j := range set.Judge(due) {
			if _, twice := got[j.ID]; twice {
				t.Fatalf("%q is judged twice", j.ID)
			}
			got[j.ID] = j
		}
		for _, id := range ids {
			have, there := set[id]
			at := slices.IndexFunc(due.Given, func(g grants.Given) bool { return g.ID == id })
			want := grants.Verdict(0)
			switch {
			case at >= 0 && (!there || have.State == grants.Revoked):
				want = grants.Comes
			case at >= 0 && (have.State == grants.Issued || have.State == grants.Refused) && !due.Given[at].Noticed && have.IssuedAt != due.Given[at].At:
				want = grants.Moves
			case at >= 0 || !there || !have.Derived:
			case have.By != "level:l" && have.IssuedAt < due.Since:
			case have.State == grants.Issued:
				want = grants.Goes
			case have.State == grants.Refused:
				want = grants.Forgotten
			}
			if got[id].Verdict != want {
				t.Fatalf("%q, which is %+v (%v), given %+v since %v: verdict %v, want %v", id, have, there, due.Given, due.Since, got[id].Verdict, want)
			}
		}
	})
}

func TestCode(t *testing.T) {
	const pattern = "MUG-########-################################################"
	form := regexp.MustCompile(`^MUG-[2-9A-HJ-NP-Z]{8}-[2-9A-HJ-NP-Z]{48}$`)
	seen := map[string]bool{}
	for _, secret := range []string{"a", "b"} {
		for _, org := range []activity.Org{"x", "xy"} {
			for _, user := range []activity.User{"y", "u"} {
				for _, grant := range []string{"1", "2"} {
					for attempt := range 2 {
						code := grants.Code([]byte(secret), pattern, org, user, grant, attempt)
						if !form.MatchString(code) || seen[code] || code != grants.Code([]byte(secret), pattern, org, user, grant, attempt) {
							t.Fatalf("code %q", code)
						}
						seen[code] = true
					}
				}
			}
		}
	}
	if got := grants.Code(nil, "PLAIN", "o", "u", "g", 0); got != "PLAIN" {
		t.Errorf("a pattern without placeholders gives %q", got)
	}
}

func TestSet_Next(t *testing.T) {
	set := grants.Set{"told": {State: grants.Issued, ExpiresAt: 1, Told: true}, "redeemed": {State: grants.Redeemed, ExpiresAt: 2}, "never": {}}
	if got := set.Next(); got != 0 {
		t.Errorf("next is %v, want none", got)
	}
	set["claimed"], set["issued"] = grants.Grant{State: grants.Claimed, ExpiresAt: 3}, grants.Grant{ExpiresAt: 4}
	if got := set.Next(); got != 3 {
		t.Errorf("next is %v, want 3", got)
	}
	if diff := cmp.Diff(grants.Set{}, must(grants.ParseSet(nil)), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
