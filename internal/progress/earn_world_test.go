package progress_test

import (
	"slices"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"laurel/internal/calendar"
	"laurel/internal/oracle"
	"laurel/internal/progress"
)

// earningDefinitions are what is earned in the property tests, and oracleEarner the same once more: wallets that expire by days, by months and not, expressions, periods of achievements,
// criteria of all kinds, missions that start by themselves, by what is noted, and by command.
const earningDefinitions = `
    wallets:
      - {id: xp, categories: true}
      - {id: coins, decimals: 1, expires: {days: 4}}
      - {id: gems, expires: {months: 1}}
    rewards: [{id: mug, price: {wallet: coins, points: 2}}, {id: pin}, {id: raffle, type: entry}]
    awards:
      - {id: a-xp, when: {name: a}, wallet: xp, points: 2, category: knowledge}
      - {id: n-xp, when: {name: [a, b], where: "meta.n < 5"}, wallet: xp, points: "meta.n", category: loyalty}
      - {id: v-coins, when: {}, wallet: coins, points: "value * 1"}
      - {id: c-gems, when: {name: c}, wallet: gems, points: 1}
    levels:
      - {id: tier, wallet: xp, steps: [{at: 5, name: A}, {at: 15, name: B, grants: [pin, mug]}, {at: 40, name: C}]}
      - {id: rich, wallet: coins, steps: [{at: 0, name: Z}, {at: 3.5, name: R}]}
    achievements:
      - {id: three-a, when: {name: a}, at_least: 3, points: [{wallet: coins, points: 2.5}], grants: [mug]}
      - {id: daily, when: {}, value: {sum: meta.n}, at_least: 3, per: day, points: [{wallet: coins, points: 1}, {wallet: gems, points: 2}], grants: [raffle]}
      - {id: weekly, all: [{when: {name: a}, at_least: 2}, {when: {}, value: {unique: meta.tag}, at_least: 2}], per: week, points: [{wallet: xp, points: 4, category: influence}]}
      - {id: monthly, any: [{when: {name: b}, value: {sum: value}, decimals: 1, at_least: 2.5}, {when: {name: c}, value: {max: meta.n}, at_least: 4}], per: month, points: [{wallet: xp, points: 3}]}
      - {id: streaky, any: [{streak: user-day, at_least: 3}, {streak: event-day, at_least: 2}], points: [{wallet: gems, points: 5}], grants: [mug, raffle]}
      - {id: mixed, all: [{achievement: three-a}, {level: tier, at_least: 1}], points: [{wallet: coins, points: 1.5}], grants: [pin]}
      - {id: either, any: [{wallet: gems, at_least: 4}, {achievement: streaky}, {when: {name: b}, at_least: 4}]}
      - {id: champion, rank: {rule: count, cycle: week, at_most: 3}, points: [{wallet: gems, points: 1}]}
    gifts:
      - {id: coffee, cost: {wallet: coins, points: 1.5}, gives: {wallet: xp, points: 2, category: loyalty}}
    bounties:
      - {id: bug, wallet: gems, min: 1, max: 3}
    missions:
      - {id: onboarding, needs: [{achievement: three-a}, {achievement: monthly}], within: 10d, points: [{wallet: coins, points: 7}], grants: [mug]}
      - {id: hard, needs: [{achievement: mixed}, {level: tier, at_least: 2}], start: required, within: 5d, attempts: 3, points: [{wallet: gems, points: 3}]}
      - {id: streak-run, needs: [{achievement: either}, {achievement: weekly}], points: [{wallet: coins, points: 2}], grants: [raffle]}
`

func oracleEarner(m *oracle.Model, streaks []oracle.Streak) *oracle.Earner {
	sum := func(match func(*oracle.Record) bool, decimals int, of func(*oracle.Record) (float64, bool)) oracle.Selector {
		return oracle.Selector{Match: match, Fold: "sum", Number: of, Decimals: decimals}
	}
	always := func(v float64) func(*oracle.Record) (float64, bool) {
		return func(*oracle.Record) (float64, bool) { return v, true }
	}
	of := func(s oracle.Selector, least int64) oracle.Criterion {
		return oracle.Criterion{Condition: oracle.Condition{Selector: s, AtLeast: least}}
	}
	count := func(least int64, name string) oracle.Criterion {
		return of(oracle.Selector{Match: named(name), Fold: "count"}, least)
	}
	other := func(kind string, i int, least int64) oracle.Criterion {
		c := of(oracle.Selector{}, least)
		c.Kind, c.Of = kind, i
		return c
	}
	streak := func(id string, least int64) oracle.Criterion {
		c := other("streak", 0, least)
		c.Streak = &streaks[slices.IndexFunc(streaks, func(s oracle.Streak) bool { return s.ID == id })]
		return c
	}
	few := func(r *oracle.Record) bool { f, ok := n(r); return ok && f < 5 && named("a", "b")(r) }
	per := func(unit string) oracle.Cycle { return oracle.Cycle{Unit: unit} }
	points := func(wallet int, amount int64, category int) oracle.Points {
		return oracle.Points{Wallet: wallet, Amount: amount, Category: category}
	}
	achievement := func(i int) oracle.Need { return oracle.Need{Kind: "achievement", Of: i} }
	return &oracle.Earner{
		Model: m, User: "u", Noted: map[string]time.Time{}, Final: map[string]bool{}, Starts: map[int][]time.Time{},
		Earning: oracle.Earning{
			Wallets:  []oracle.Wallet{{}, {Days: 4, Decimals: 1}, {Months: 1}},
			Coupons:  []oracle.Points{points(1, 20, 0)},
			Gifts:    []oracle.Gift{{Cost: points(1, 15, 0), Gives: points(0, 2, 4)}},
			Bounties: []oracle.Bounty{{Wallet: 2, Min: 1, Max: 3}},
			Awards: []oracle.Award{
				{Selector: sum(named("a"), 0, always(2)), Wallet: 0, Category: 1},
				{Selector: sum(few, 0, n), Wallet: 0, Category: 4},
				{Selector: sum(nil, 1, value), Wallet: 1},
				{Selector: sum(named("c"), 0, always(1)), Wallet: 2},
			},
			Levels: []oracle.Level{{Wallet: 0, Steps: []int64{5, 15, 40}}, {Wallet: 1, Steps: []int64{0, 35}}},
			Achievements: []oracle.Achievement{
				{Criteria: []oracle.Criterion{count(3, "a")}, Per: per("all"), Points: []oracle.Points{points(1, 25, 0)}},
				{Criteria: []oracle.Criterion{of(sum(nil, 0, n), 3)}, Per: per("day"), Points: []oracle.Points{points(1, 10, 0), points(2, 2, 0)}},
				{All: true, Criteria: []oracle.Criterion{count(2, "a"), of(oracle.Selector{Fold: "unique", Text: tag}, 2)}, Per: per("week"), Points: []oracle.Points{points(0, 4, 5)}},
				{Criteria: []oracle.Criterion{of(sum(named("b"), 1, value), 25), of(oracle.Selector{Match: named("c"), Fold: "max", Number: n}, 4)}, Per: per("month"),
					Points: []oracle.Points{points(0, 3, 0)}},
				{Criteria: []oracle.Criterion{streak("user-day", 3), streak("event-day", 2)}, Per: per("all"), Points: []oracle.Points{points(2, 5, 0)}},
				{All: true, Criteria: []oracle.Criterion{other("achievement", 0, 1), other("level", 0, 1)}, Per: per("all"), Points: []oracle.Points{points(1, 15, 0)}},
				{Criteria: []oracle.Criterion{other("wallet", 2, 4), other("achievement", 4, 1), count(4, "b")}, Per: per("all")},
				{Rank: true, Per: per("week"), Points: []oracle.Points{points(2, 1, 0)}},
			},
			Missions: []oracle.Mission{
				{Needs: []oracle.Need{achievement(0), achievement(3)}, Within: 10 * 24 * time.Hour, Attempts: 1, Points: []oracle.Points{points(1, 70, 0)}},
				{Needs: []oracle.Need{achievement(5), {Kind: "level", Of: 0, Step: 2}}, Required: true, Within: 5 * 24 * time.Hour, Attempts: 3, Points: []oracle.Points{points(2, 3, 0)}},
				{Needs: []oracle.Need{achievement(6), achievement(2)}, Attempts: 1, Points: []oracle.Points{points(1, 20, 0)}},
			},
		},
	}
}

// checkEarned compares what is shown of wallets, levels, achievements and missions at an instant.
func (u *user) checkEarned(state *progress.State, at time.Time) {
	if state.Plan == 0 {
		return
	}
	var got oracle.Earned
	v := state.DeriveEarned(u.plan, calendar.InstantOf(at))
	instant := func(i calendar.Instant) time.Time {
		if i == 0 {
			return time.Time{}
		}
		return i.Time()
	}
	for _, w := range v.Wallets {
		got.Wallets = append(got.Wallets, oracle.EarnedWallet{Earned: w.Earned, Expired: w.Expired, Balance: w.Balance, Categories: w.Categories,
			Redeemed: w.Redeemed, Spent: w.Spent, Refunded: w.Refunded, Set: w.Set})
	}
	for _, l := range v.Levels {
		got.Levels = append(got.Levels, l.Index)
	}
	for _, a := range v.Achievements {
		got.Achievements = append(got.Achievements, oracle.EarnedAchievement{Progress: a.Progress, Max: a.Max, CompletedAt: instant(a.CompletedAt),
			FirstAt: instant(a.FirstAt), LastAt: instant(a.LastAt), Times: a.Times})
	}
	for _, m := range v.Missions {
		got.Missions = append(got.Missions, oracle.EarnedMission{Status: m.Status.String(), Attempts: m.Attempts, Failures: m.Failures,
			StartedAt: instant(m.StartedAt), Done: instant(m.CompletedAt)})
	}
	if diff := gocmp.Diff(u.earner.Earned(at), got, gocmp.Comparer(time.Time.Equal)); diff != "" || v.Stale || v.Err != nil {
		u.fatalf("earned at %v, now %v, sealed %v, stale %v, %v (-model +progress)\n%s", at, u.now, u.sealed, v.Stale, v.Err, diff)
	}
}

// start begins a mission by command.
func (u *user) start() {
	s := u.parse(u.state)
	next, err := s.StartMission(u.plan, "hard", u.instant())
	shown := u.earner.Earned(u.now).Missions[1]
	startable := (shown.Status == "available" || shown.Status == "failed") && shown.Attempts < 3
	if startable != (err == nil) {
		u.fatalf("start of a mission that is %+v: %v", shown, err)
	}
	if err != nil {
		return
	}
	u.earner.Starts[1] = append(u.earner.Starts[1], u.now)
	u.rebuildFrom(next, progress.Doing)
}

func streakEvents(events []progress.Event) []progress.Event {
	return slices.DeleteFunc(slices.Clone(events), func(e progress.Event) bool { return e.Earned != nil })
}
