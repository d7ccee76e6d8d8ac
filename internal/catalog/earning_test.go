package catalog

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// documented is an org with every definition that docs/REWARDS.md shows, and the rules and the streak that they name.
func documented(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/REWARDS.md")
	if err != nil {
		t.Fatal(err)
	}
	source := `id: git
behaviours: [{name: commit, meta: {added: integer, files: integer, language: string}}]
rules:
  - {id: commits, number: 366, when: {name: commit}, cycles: [day, week, month]}
  - {id: lines, number: 367, when: {name: commit}, value: {sum: meta.added}, cycles: [week, month]}
  - {id: messages, when: {}, cycles: [all]}
  - {id: visits, when: {}, cycles: [all]}
streaks:
  - {id: daily-commit, number: 368, when: {name: commit}, unit: day}
`
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, block := range blocks {
		source += block[1]
	}
	if len(blocks) < 6 {
		t.Fatalf("only %d blocks of YAML in REWARDS.md", len(blocks))
	}
	return source
}

func parseOrg(t testing.TB, source string) *Catalog {
	t.Helper()
	c, err := ParseOrg([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParse_WhatREWARDSShows(t *testing.T) {
	c := parseOrg(t, documented(t))
	commit := Selector{Names: []string{"commit"}, Fold: Count}
	unique, sum := commit, commit
	unique.Fold, sum.Fold = Unique, Sum
	loyal := []Points{{Wallet: 0, Amount: 500, Category: Loyalty}}
	want := Earning{
		Wallets: []*Wallet{{ID: "xp", Shown: Shown{Name: "XP"}, Categories: true}, {ID: "coins", Decimals: 2, Lots: calendar.Month, Expires: 12}},
		Awards:  []*Award{{ID: "commit-xp", Selector: sum, Category: Knowledge}, {ID: "line-xp", Selector: sum}},
		Levels:  []*Level{{ID: "tier", Shown: Shown{Name: "Tier"}, Steps: []Step{{At: 100, Name: "Bronze", Grants: []int{0}}, {At: 1000, Name: "Silver"}}}},
		Achievements: []*Achievement{
			{ID: "hundred", Criteria: []Criterion{{Condition: Condition{Selector: commit, AtLeast: 100}, Of: -1}},
				Per: calendar.Cycle{Unit: calendar.All}, Gives: Gives{Points: loyal, Grants: []int{0}}},
			{ID: "all-rounder", All: true, Per: calendar.Cycle{Unit: calendar.All}, Criteria: []Criterion{
				{Condition: Condition{Selector: unique, AtLeast: 3}, Of: -1},
				{Kind: OfStreak, Condition: Condition{AtLeast: 30}},
				{Kind: OfWallet, Condition: Condition{Selector: Selector{Decimals: 2}, AtLeast: 5000}, Of: 1},
				{Kind: OfLevel, Condition: Condition{AtLeast: 2}},
				{Kind: OfAchievement, Condition: Condition{AtLeast: 1}},
			}},
			{ID: "champion", Per: calendar.Cycle{Unit: calendar.All}, Rank: &RankCriterion{Cycle: calendar.Cycle{Unit: calendar.Month}, AtMost: 3}},
		},
		Missions: []*Mission{{ID: "onboarding", Needs: []Need{{Kind: OfAchievement}, {Kind: OfLevel, Step: 1}}, Required: true, Within: 30 * day, Attempts: 3,
			Gives: Gives{Points: []Points{{Wallet: 1, Amount: 1000}}, Grants: []int{0}}}},
		Rewards: []*Reward{
			{ID: "mug", Shown: Shown{Name: "Mug"}, Stock: 100, Expires: 30 * day, Code: "MUG-########", Price: &Points{Wallet: 1, Amount: 2500}, EventCategory: "swag"},
			{ID: "raffle", Entry: true, Stock: -1},
		},
		Gifts:    []*Gift{{ID: "coffee", Cost: &Points{Wallet: 1, Amount: 300}, Points: &Points{Wallet: 1, Amount: 300}, Reward: -1}},
		Bounties: []*Bounty{{ID: "bug", Wallet: 1, Min: 1000, Max: 100000}},
		KPIs: []*KPI{{ID: "commits", Shown: Shown{Name: "Commits"}, Targets: []Target{
			{calendar.Cycle{Unit: calendar.Day}, 3}, {calendar.Cycle{Unit: calendar.Week}, 10}, {calendar.Cycle{Unit: calendar.Month}, 40}}}},
		TargetGroups: []*TargetGroup{{ID: "devs", Shown: Shown{Number: 232, Name: "Devs"}, Cycle: calendar.Cycle{Unit: calendar.Month},
			Rules: []GroupRule{{}, {Index: 1}, {Streak: true}}, Leaderboard: true, Active: true}},
		Prizes: []*Prize{{ID: "monthly", Cycle: calendar.Cycle{Unit: calendar.Month}, Ranks: []PrizeRank{
			{From: 1, To: 1, Gives: Gives{Points: []Points{{Wallet: 1, Amount: 10000}}, Grants: []int{0}}}, {From: 2, To: 10, Gives: Gives{Grants: []int{1}}}}}},
		Order: []Derived{{Achievements, 0}, {Wallets, 0}, {Levels, 0}, {Missions, 0}, {Wallets, 1}, {Achievements, 1}, {Achievements, 2}},
	}
	if diff := cmp.Diff(want, c.Earning, compareCatalogs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for k, ids := range map[Kind][]string{Wallets: {"xp", "coins"}, Rules: {"commits", "lines", "messages", "visits"}, Streaks: {"daily-commit"}, Prizes: {"monthly"}} {
		for i, id := range ids {
			if got, ok := c.Find(k, id); !ok || got != i {
				t.Errorf("Find(%s, %s) = %d, %t", k, id, got, ok)
			}
		}
		if _, ok := c.Find(k, "none"); ok {
			t.Errorf("there is a %s none", k)
		}
	}
	if c.Parent != "brand" || c.Doors.Returning.LoginStreak != c.Streaks[0] || c.Doors.Returning.Counters["visitCount"] != c.Rules[3] || c.Doors.Nudj.CommunityName != "Builders" {
		t.Errorf("parent %s, doors %+v", c.Parent, c.Doors)
	}
	if c.Rules[1].Number != 367 || c.Streaks[0].Number != 368 {
		t.Errorf("numbers %d and %d", c.Rules[1].Number, c.Streaks[0].Number)
	}
}

func TestAward_Earns(t *testing.T) {
	c := parseOrg(t, `{id: x, behaviours: [{name: commit, meta: {added: integer}}, {name: push}], wallets: [{id: xp}, {id: coins, decimals: 2}], awards: [
		{id: each, when: {name: commit}, wallet: coins, points: 0.07},
		{id: large, when: {}, wallet: xp, points: 9007199254740992},
		{id: lines, when: {name: commit}, wallet: xp, points: "meta.added / 10.0"},
		{id: cents, when: {name: commit}, wallet: coins, points: "meta.added / 1000"},
		{id: some, when: {name: commit, where: "meta.added > 10"}, wallet: xp, points: "1"}]}`)
	for _, test := range []struct {
		name, meta string
		want       []int64 // by award
	}{
		{"commit", `{"added":25}`, []int64{7, 1 << 53, 3, 3, 1}}, // 2.5 and 0.025, half away from zero
		{"commit", `{"added":4}`, []int64{7, 1 << 53, 0, 0, 0}},
		{"commit", `{"added":5}`, []int64{7, 1 << 53, 1, 1, 0}},
		{"commit", `{"added":-500}`, []int64{7, 1 << 53, 0, 0, 0}}, // below 0, nothing is earned
		{"commit", `{}`, []int64{7, 1 << 53, 0, 0, 0}},
		{"push", `{"added":25}`, []int64{0, 1 << 53, 0, 0, 0}},
	} {
		in := c.Input(&activity.Activity{Name: test.name, Meta: []byte(test.meta)})
		for i, a := range c.Awards {
			if got, err := a.Earns(in); got != test.want[i] || err != nil {
				t.Errorf("%s of %s %s = %d, %v; want %d", a.ID, test.name, test.meta, got, err, test.want[i])
			}
		}
	}
	huge := parseOrg(t, `{id: x, wallets: [{id: xp}], awards: [{id: a, when: {}, wallet: xp, points: "value * 1e300"}]}`)
	if got, err := huge.Awards[0].Earns(huge.Input(&activity.Activity{Value: 2, HasValue: true})); got != 0 || !errors.Is(err, ErrRange) {
		t.Errorf("too large: %d, %v", got, err)
	}
}

func TestParse_Doors(t *testing.T) {
	c := parseOrg(t, `{id: x, users: {fields: {revenue: number, "custom date": string}},
		rules: [{id: messages, when: {}, cycles: [all]}], streaks: [{id: login, when: {}, unit: day}],
		wallets: [{id: xp, categories: true}, {id: coins}], levels: [{id: tier, wallet: xp, steps: [{at: 0}, {at: 5}]}],
		doors: {returning: {xp: xp, coins: coins, counters: {totalMessages: messages, loginStreak: login}, roles: ["@Gold", "@Silver"]},
			nudj: {points: coins, xp: xp, level: tier, community: {id: c1, name: The Community}}}}`)
	want := Doors{
		Returning: ReturningDoor{XP: c.Wallets[0], Coins: c.Wallets[1], Counters: map[string]*Rule{"totalMessages": c.Rules[0]}, LoginStreak: c.Streaks[0], Roles: []string{"@Gold", "@Silver"}},
		Nudj:      NudjDoor{Points: c.Wallets[1], XP: c.Wallets[0], Level: c.Levels[0], CommunityID: "c1", CommunityName: "The Community"},
	}
	if diff := cmp.Diff(want, c.Doors, compareCatalogs()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]MetaType{"revenue": Number, "custom date": String}, c.Fields); diff != "" {
		t.Error(diff)
	}
	if bare := parseOrg(t, "{id: x}"); bare.Doors.Nudj.XP != nil || bare.Doors.Returning.Counters != nil || bare.Order != nil || bare.Fields != nil || !bare.Leaderboards {
		t.Errorf("an org that says nothing has %+v", bare)
	}
}

func TestParse_LeftOut(t *testing.T) {
	c := parseOrg(t, `{id: x, wallets: [{id: coins, decimals: 2}], gifts: [{id: kudos}], bounties: [{id: b, wallet: coins}],
		rules: [{id: r, when: {}, cycles: [day, {every: 14d, from: 2026-01-05}]}, {id: q, when: {}, cycles: [{every: 14d, from: 2026-01-19}]}],
		prizes: [{id: p, rule: r, cycle: 14d, ranks: [{from: 3}, {from: 1, to: 2}]}], achievements: [{id: a, when: {}, at_least: 1, per: week}], missions: [{id: m, needs: [{achievement: a}]}],
		target_groups: [{id: g, cycle: 14d, rules: [r, q], enrolment: explicit, leaderboard: false, active: false}]}`)
	fortnight := calendar.Cycle{Unit: calendar.Days, N: 14, From: date(t, "1970-01-05")}
	if diff := cmp.Diff([]*Gift{{ID: "kudos", Reward: -1}}, c.Gifts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]*Bounty{{ID: "b", Min: 1, Max: MaxExact}}, c.Bounties); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]*Prize{{ID: "p", Cycle: fortnight, Ranks: []PrizeRank{{From: 1, To: 2}, {From: 3, To: 3}}}}, c.Prizes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]*TargetGroup{{ID: "g", Cycle: fortnight, Rules: []GroupRule{{}, {Index: 1}}, Explicit: true}}, c.TargetGroups); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]*Mission{{ID: "m", Needs: []Need{{Kind: OfAchievement}}, Attempts: 1}}, c.Missions); diff != "" {
		t.Error(diff)
	}
	if c.Achievements[0].Per.Unit != calendar.Week {
		t.Errorf("per %s", c.Achievements[0].Per)
	}
}

const printed = `{id: x, behaviours: [{name: a, meta: {n: number}}, {name: b, meta: {n: integer}}], rules: [{id: r, when: {name: a}, value: {sum: meta.n}, cycles: [day]}],
  streaks: [{id: s, when: {name: a}, unit: day}], wallets: [{id: w, name: W}, {id: other}], awards: [{id: c, when: {name: a}, wallet: w, points: 2}, {id: d, when: {name: a}, wallet: w, points: meta.n}],
  achievements: [{id: e, per: week, any: [{when: {name: a}, at_least: 3}, {when: {name: b}, value: {sum: meta.n}, at_least: 4}], points: [{wallet: w, points: 3}]},
    {id: f, all: [{when: {name: a}, at_least: 1}, {wallet: other, at_least: 5}]}]}`

func TestPrint_OfWhatIsEarned(t *testing.T) {
	before := parseOrg(t, printed)
	for _, test := range []struct{ name, from, to, changed string }{
		{"nothing", "", "", ""},
		{"a name", "name: W", "name: V", ""},
		{"what completing gives", "points: 3", "points: 4", ""},
		{"how much of a wallet", "at_least: 5", "at_least: 6", ""},
		{"another award's id", "id: c", "id: z", ""},
		{"constant points", "points: 2", "points: 3", "w"},
		{"points", "points: meta.n", "points: meta.n * 2", "w"},
		{"category", "name: W}", "name: W, categories: true}", "w"},
		{"decimals", "name: W}", "name: W, decimals: 1}", "w"},
		{"expiry", "name: W}", "name: W, expires: {days: 3}}", "w"},
		{"an award's wallet", "wallet: w, points: 2", "wallet: other, points: 2", "other w"},
		{"an award's filter", "{name: a}, wallet: w, points: 2", "{name: a, where: \"true\"}, wallet: w, points: 2", "w"},
		{"period", "per: week", "per: month", "e"},
		{"any to all", "any:", "all:", "e"},
		{"target", "at_least: 3", "at_least: 2", "e"},
		{"one criterion less", ", {wallet: other, at_least: 5}", "", "f"},
		{"type of meta that is read", "n: integer", "n: number", "e"},
	} {
		after := parseOrg(t, strings.Replace(printed, test.from, test.to, 1))
		var changed []string
		note := func(id string, a, b uint32) {
			if a == 0 || b == 0 {
				t.Errorf("%s: no print of %s", test.name, id)
			}
			if a != b {
				changed = append(changed, id)
			}
		}
		for i := range before.Wallets {
			note(before.Wallets[i].ID, before.Wallets[i].Print, after.Wallets[i].Print)
		}
		for i := range before.Achievements {
			note(before.Achievements[i].ID, before.Achievements[i].Print, after.Achievements[i].Print)
		}
		note("r", before.Rules[0].Print, after.Rules[0].Print)
		note("s", before.Streaks[0].Print, after.Streaks[0].Print)
		slices.Sort(changed)
		if got := strings.Join(changed, " "); got != test.changed {
			t.Errorf("%s changes %q, want %q", test.name, got, test.changed)
		}
	}
}

// States that are stored name these prints: were they others, every user would have to be folded again.
func TestPrint_OfRulesAndStreaksStays(t *testing.T) {
	c := one(t, example)
	got := []uint32{c.Rules[0].Print, c.Rules[1].Print, c.Streaks[0].Print, c.Streaks[0].Terms, c.Streaks[1].Print, c.Streaks[1].Terms}
	if diff := cmp.Diff([]uint32{3060264978, 3522725993, 1979095022, 2082612839, 1374545011, 3919437470}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
