package catalog

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	for k, ids := range map[Kind][]string{Wallets: {"xp", "coins"}, Rules: {"commits", "lines"}, Streaks: {"daily-commit"}, Prizes: {"monthly"}} {
		for i, id := range ids {
			if got, ok := c.Find(k, id); !ok || got != i {
				t.Errorf("Find(%s, %s) = %d, %t", k, id, got, ok)
			}
		}
		if _, ok := c.Find(k, "none"); ok {
			t.Errorf("there is a %s none", k)
		}
	}
	if c.Rules[1].Number != 367 || c.Streaks[0].Number != 368 {
		t.Errorf("numbers %d and %d", c.Rules[1].Number, c.Streaks[0].Number)
	}
}
