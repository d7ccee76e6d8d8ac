package query

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
)

// TestBoardRank_AppendJSON: what is written by hand is what the type says.
func TestBoardRank_AppendJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[a-z0-9_-]{1,10}(\.current)?`)
		k := BoardRank{Rule: id.Draw(t, "rule"), Cycle: rapid.SampledFrom([]string{"day", "all", "14d"}).Draw(t, "cycle"), Label: rapid.String().Draw(t, "label"),
			Segment: rapid.String().Draw(t, "segment"), Rank: rapid.IntRange(1, 1<<31).Draw(t, "rank"), Total: rapid.IntRange(1, 1<<31).Draw(t, "total"),
			Score:        Score{rapid.Int64Range(-1<<53, 1<<53).Draw(t, "score"), rapid.IntRange(0, 6).Draw(t, "decimals")},
			ReachedAt:    calendar.Instant(rapid.Int64Range(0, 1<<42).Draw(t, "reached")),
			PreviousRank: rapid.IntRange(0, 1<<31).Draw(t, "previous")}
		want, err := json.Marshal(&k)
		if got := k.AppendJSON(nil); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s\nwant %s, %v", got, want, err)
		}
	})
}

// shownAt is what is made of a user's facts at an instant.
func (g *rig) shownAt(facts *ingest.Facts, user activity.User, now string) *shownUser {
	g.t.Helper()
	g.set(now)
	m, err := g.remembered(key(user), &shownUser{facts: facts})
	if err != nil || m == nil {
		g.t.Fatalf("%v, %v; want a moment", m, err)
	}
	o, view := g.userObject(m, user, facts)
	u, err := g.shown(o, m, view, facts)
	must(g.t, err)
	return u
}

// TestUser_UntilAPeriodOfAKPIEnds where nothing else of the org depends on the time.
func TestUser_UntilAPeriodOfAKPIEnds(t *testing.T) {
	g := newRig(t)
	g.publish("orgs: [{id: o, rules: [{id: r, when: {}, value: count, cycles: [day, {list: {id: cup, periods: [{id: one, start: 2026-11-25, end: 2026-11-27}]}}]}], " +
		"kpis: [{id: k, rule: r, targets: {day: 1, cup: 1}}]}]")
	g.send("ann 1 " + noon)
	facts, _, err := g.facts(t.Context(), org, "ann")
	must(t, err)
	for _, test := range [][3]string{
		{"2026-11-21T12:00:00.000Z", "2026-11-22T00:00:00.000Z", `"kpis":{"total":1}`},
		{"2026-11-22T00:00:00.000Z", "2026-11-23T00:00:00.000Z", `"kpis":{"total":0}`},
		{"2026-11-26T23:59:59.999Z", "2026-11-27T00:00:00.000Z", `"kpis":{"total":0}`},
	} {
		if u := g.shownAt(facts, "ann", test[0]); u.until != instant(t, test[1]) || !strings.Contains(string(u.head), test[2]) {
			t.Errorf("at %s until %s: %s; want until %s with %s", test[0], u.until, u.head, test[1], test[2])
		}
	}
}

// TestUser_WhatIsNoticedNowIsNotKept: that a streak has come to its length by a day that began, with an activity in it already, has no instant but that at which it is noticed.
func TestUser_WhatIsNoticedNowIsNotKept(t *testing.T) {
	g := newRig(t)
	g.publish(`orgs: [{id: o, streaks: [{id: daily, when: {name: score}, unit: day, timezone: org}], achievements: [{id: steady, any: [{streak: daily, at_least: 2}]}]}]`)
	g.set("2026-11-21T23:58:00.000Z")
	g.send("ann 1 2026-11-21T23:57:00.000Z", "ann 1 2026-11-22T00:01:00.000Z")
	facts, _, err := g.facts(t.Context(), org, "ann")
	must(t, err)
	before, then := g.shownAt(facts, "ann", "2026-11-21T23:59:59.000Z"), g.shownAt(facts, "ann", "2026-11-22T00:00:30.000Z")
	if want := instant(t, "2026-11-22T00:00:00.000Z"); before.until != want {
		t.Errorf("before until %s, want %s", before.until, want)
	}
	if completed := fmt.Sprintf(`"completed_at":%q`, then.from); !strings.Contains(string(then.head), completed) || then.until != then.from+1 {
		t.Errorf("at %s until %s: %s; want %s, until a ms later", then.from, then.until, then.head, completed)
	}
}

// TestUser_UntilAStreakCannotBeRestored: the last instant is one at which it can.
func TestUser_UntilAStreakCannotBeRestored(t *testing.T) {
	g := newRig(t)
	g.publish(`orgs: [{id: o, streaks: [{id: daily, when: {name: score}, unit: day, timezone: org, restore_window: 90m}]}]`)
	g.send("ann 1 " + noon)
	facts, _, err := g.facts(t.Context(), org, "ann")
	must(t, err)
	u := g.shownAt(facts, "ann", "2026-11-23T00:10:00.000Z")
	if last := "2026-11-23T01:30:00.000Z"; u.until != instant(t, last)+1 || !strings.Contains(string(u.head), `"restorable_until":"`+last) {
		t.Errorf("until %s: %s; want a ms after %s", u.until, u.head, last)
	}
}
