package catalog

import (
	"strings"
	"testing"
)

const changing = `{id: o, timezone: UTC, rules: [
  {id: a, when: {}, value: count, order: desc, cycles: [day, {every: 14d, from: 2026-01-05},
    {list: {id: seasons, periods: [{id: s1, start: 2026-01-01, end: 2026-02-01}, {id: s2, start: 2026-02-01, end: 2026-03-01}]}}]}]}`

func TestCheckChange(t *testing.T) {
	checkChanges(t, changing, []change{
		{"nothing", "", "", ""},
		{"another value", "value: count", "value: {sum: value}", ""},
		{"segments", "value: count", "value: count, segment_by: user.country", ""},
		{"fewer cycles", "cycles: [day,", "cycles: [", ""},
		{"an anchor moved by whole periods", "2026-01-05", "2026-01-19", ""},
		{"a season more", "]}}]}]}", ", {id: s3, start: 2026-04-01, end: 2026-05-01}]}}]}]}", ""},
		{"another zone", "timezone: UTC", "timezone: Asia/Kathmandu", "timezone: cannot be changed from UTC"},
		{"another week start", "timezone: UTC", "timezone: UTC, week_start: sunday", "week_start: cannot be changed"},
		{"another order", "order: desc", "order: asc", "rules[0].order: cannot be changed"},
		{"other decimals", "value: count", "value: {sum: value}, decimals: 2", "rules[0].decimals: cannot be changed"},
		{"a season moved", "end: 2026-03-01", "end: 2026-03-02", "rules[0].cycles[2].list: may only grow at its end"},
		{"a season less", ", {id: s2, start: 2026-02-01, end: 2026-03-01}", "", "rules[0].cycles[2].list: may only grow at its end"},
	})
}

const changingEarning = `{id: o, wallets: [{id: xp}, {id: coins, decimals: 2, expires: {days: 30}}], rewards: [{id: mug, stock: 3}, {id: raffle, type: entry}],
  awards: [{id: a, when: {}, wallet: coins, points: 1}], levels: [{id: l, wallet: xp, steps: [{at: 5}]}], bounties: [{id: b, wallet: coins}]}`

func TestCheckChange_WhatIsEarned(t *testing.T) {
	checkChanges(t, changingEarning, []change{
		{"nothing", "", "", ""},
		{"points", "points: 1", "points: 2", ""},
		{"into another wallet", "wallet: coins, points: 1", "wallet: xp, points: 1", ""},
		{"a level", "at: 5", "at: 7", ""},
		{"stock", "stock: 3", "stock: 1", ""},
		{"expiry begins", "{id: xp}", "{id: xp, expires: {months: 2}}", ""},
		{"expiry ends", ", expires: {days: 30}", "", ""},
		{"another length", "days: 30", "days: 10", ""},
		{"a new wallet first", "{id: xp}", "{id: new, decimals: 4}, {id: xp}", ""},
		{"decimals", "decimals: 2", "decimals: 3", "wallets[1].decimals: cannot be changed: stored amounts are scaled by it"},
		{"decimals of a wallet that moved", "{id: xp}", "{id: new, decimals: 4}, {id: xp, decimals: 1}", "wallets[1].decimals: cannot be changed"},
		{"days to months", "days: 30", "months: 1", "wallets[1].expires: cannot be changed from days to months: what is left was counted by day"},
		{"asset to entry", "stock: 3", "type: entry", "rewards[0].type: cannot be changed"},
		{"entry to asset", ", type: entry", "", "rewards[1].type: cannot be changed"},
	})
}

type change struct{ name, from, to, fault string }

func checkChanges(t *testing.T, source string, changes []change) {
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			old, err := ParseOrg([]byte(source))
			if err != nil {
				t.Fatal(err)
			}
			next, err := ParseOrg([]byte(strings.Replace(source, c.from, c.to, 1)))
			if err != nil {
				t.Fatal(err)
			}
			switch err := next.CheckChange(old); {
			case c.fault == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.fault != "" && (err == nil || !strings.HasPrefix(err.Error(), c.fault)):
				t.Errorf("got %v, want %s", err, c.fault)
			}
		})
	}
}
