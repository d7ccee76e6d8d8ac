package rewards_test

import (
	"fmt"
	"testing"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// typical is a busy user of an org with 3 wallets, of which one expires by day, a level, 20 achievements, of which 4 can be completed every day or week, and a mission.
func typical() (*rewards.Calculus, *rewards.User, calendar.Instant) {
	e := &catalog.Earning{
		Wallets: []*catalog.Wallet{{ID: "xp", Categories: true}, {ID: "coins", Lots: calendar.Day, Expires: 30}, {ID: "gems", Lots: calendar.Month, Expires: 12}},
		Levels:  []*catalog.Level{{ID: "tier", Wallet: 0, Steps: []catalog.Step{{At: 100}, {At: 1000}, {At: 100_000}}}},
	}
	for i := range 20 {
		a := &catalog.Achievement{ID: fmt.Sprint("a", i), Per: calendar.Cycle{Unit: calendar.All}}
		a.Criteria = []catalog.Criterion{{Condition: catalog.Condition{AtLeast: 10}}}
		a.Points = []catalog.Points{{Wallet: i % 3, Amount: 50}}
		switch {
		case i < 2:
			a.Per.Unit = calendar.Day
		case i < 4:
			a.Per.Unit = calendar.Week
		case i == 19:
			a.Criteria[0] = catalog.Criterion{Kind: catalog.OfAchievement, Of: 18, Condition: catalog.Condition{AtLeast: 1}}
		}
		e.Achievements = append(e.Achievements, a)
		e.Order = append(e.Order, catalog.Derived{Kind: "achievements", Index: i})
	}
	e.Missions = []*catalog.Mission{{ID: "m", Needs: []catalog.Need{{Kind: catalog.OfAchievement, Of: 5}, {Kind: catalog.OfAchievement, Of: 6}}, Attempts: 1}}
	e.Order = append(e.Order, catalog.Derived{Kind: "missions"})
	for i := range e.Wallets {
		e.Order = append(e.Order, catalog.Derived{Kind: "wallets", Index: i})
	}
	e.Order = append(e.Order, catalog.Derived{Kind: "levels"})
	cal := calendar.New(time.UTC, time.Monday, 0)
	now, _, _ := calendar.ParseInstant("2026-11-21T12:00:00Z")
	return rewards.New(e, cal), busy(e, cal, now), now
}

// busy is a user who did something on each of the last 36 days.
func busy(e *catalog.Earning, cal *calendar.Calendar, now calendar.Instant) *rewards.User {
	u := &rewards.User{Ledgers: make([]rewards.Ledger, len(e.Wallets)), Achievements: make([]rewards.Kept, len(e.Achievements))}
	for day := range 36 {
		at := now - calendar.Instant(35-day)*86_400_000
		for i, w := range e.Wallets {
			u.Ledgers[i].Add(w, rewards.UnitAt(w, cal, at), rewards.Row{At: at, Amount: 20})
			u.Ledgers[i].Add(w, rewards.UnitAt(w, cal, at), rewards.Row{At: at, Type: rewards.Spend, Amount: -7})
		}
		for i, a := range e.Achievements {
			o, _ := cal.OrdinalAt(a.Per, at)
			k := &u.Achievements[i]
			if n := len(k.Marks); n == 0 || k.Marks[n-1].Ordinal != o {
				k.Marks = append(k.Marks, rewards.Mark{Ordinal: o, Values: make([]rewards.Value, 1)})
			}
			v := &k.Marks[len(k.Marks)-1].Values[0]
			if v.N++; v.N == int64(1+i%4) {
				v.Met, v.MetAt = true, at
			}
			k.Begun = true
		}
	}
	return u
}

func BenchmarkDerive(b *testing.B) {
	c, u, now := typical()
	var v rewards.View
	for b.Loop() {
		c.Derive(&v, u, now, now)
	}
}

func TestDerive_Allocations(t *testing.T) {
	c, u, now := typical()
	var before, after rewards.View
	var changes []rewards.Change
	c.Derive(&before, u, now, now)
	c.Derive(&after, u, now, now)
	if n := testing.AllocsPerRun(100, func() {
		c.Derive(&before, u, now, now)
		c.Derive(&after, u, now, now)
		changes = c.Changes(changes[:0], &before, &after)
	}); n != 0 {
		t.Errorf("deriving twice and comparing allocates %v times, want none", n)
	}
}
