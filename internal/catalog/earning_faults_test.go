package catalog

import (
	"fmt"
	"strings"
	"testing"
)

// earningBase stands above what a test adds, which begins on line 12.
const earningBase = `orgs:
  - id: x
    rules:
      - {id: r, number: 1, when: {}, cycles: [day, month, all, {every: 14d, from: 2026-01-05}]}
      - {id: other, when: {}, value: {sum: value}, decimals: 1, cycles: [week, {every: 14d, from: 2026-01-06}]}
    streaks: [{id: s, number: 2, when: {}, unit: day}]
    wallets: [{id: xp, categories: true}, {id: coins, decimals: 2}]
    rewards: [{id: mug}]
    levels: [{id: tier, wallet: xp, steps: [{at: 10}, {at: 20}]}]
    achievements: [{id: first, when: {}, at_least: 1}]
    awards: [{id: a, when: {}, wallet: xp, points: 1}]
`

func TestParse_OneFaultOfWhatIsEarned(t *testing.T) {
	for _, test := range []struct{ name, add, want string }{
		{"unknown key", "gifts: [{id: g, colour: red}]", "gifts[0].colour: unknown key; known here: banner, cost, description, gives, id, name, number"},
		{"id twice", "gifts: [{id: g}, {id: g}]", "gifts[1].id: the id g is that of gifts[0] too"},
		{"number twice", "gifts: [{id: g, number: 4}, {id: h, number: 4}]", "gifts[1].number: the number 4 is that of gifts[0] too"},
		{"number of nothing", "gifts: [{id: g, number: 0}]", "gifts[0].number: must be at least 1, not 0"},
		{"banner", "gifts: [{id: g, banner: 'javascript:alert(1)'}]", "gifts[0].banner: \"javascript:alert(1)\" does not fit: a banner is a URL of http or https"},
		{"name", "gifts: [{id: g, name: ''}]", "gifts[0].name: \"\" does not fit: a name has 1 to 200 characters"},
		{"long name", "gifts: [{id: g, name: " + strings.Repeat("x", 201) + "}]", "gifts[0].name: a name has 1 to 200 characters"},
		{"long description", "gifts: [{id: g, description: " + strings.Repeat("x", 2001) + "}]", "gifts[0].description: a description has at most 2000 characters"},

		{"price in an unknown wallet", "gifts: [{id: g, cost: {wallet: gold, points: 1}}]", "gifts[0].cost.wallet: there is no wallet \"gold\""},
		{"price of nothing", "gifts: [{id: g, cost: {wallet: xp, points: 0}}]", "gifts[0].cost.points: must be above 0, not 0"},
		{"digits", "gifts: [{id: g, cost: {wallet: coins, points: 0.125}}]", "gifts[0].cost.points: 0.125 has more digits after the point than the 2 of decimals"},
		{"range", "gifts: [{id: g, cost: {wallet: coins, points: 9007199254740992}}]", "gifts[0].cost.points: 9007199254740992 is beyond ±2^53 in 2 decimals"},
		{"category of a price", "gifts: [{id: g, cost: {wallet: xp, points: 1, category: loyalty}}]", "gifts[0].cost.category: unknown key"},
		{"category of another wallet", "gifts: [{id: g, gives: {wallet: coins, points: 1, category: loyalty}}]", "gifts[0].gives.category: the wallet coins has no categories"},
		{"unknown category", "gifts: [{id: g, gives: {wallet: xp, points: 1, category: fun}}]", "gifts[0].gives.category: must be one of knowledge, creativity"},
		{"gives both", "gifts: [{id: g, gives: {reward: mug, points: 1}}]", "gifts[0].gives.points: points does not go together with reward"},
		{"gives half", "gifts: [{id: g, gives: {wallet: xp}}]", "gifts[0].gives: points is missing"},
		{"gives an unknown reward", "gifts: [{id: g, gives: {reward: cup}}]", "gifts[0].gives.reward: there is no reward \"cup\""},

		{"bounty without wallet", "bounties: [{id: b}]", "bounties[0]: wallet is missing"},
		{"bounty", "bounties: [{id: b, wallet: coins, min: 2, max: 1.5}]", "bounties[0].max: is less than min"},

		{"KPI of no rule", "kpis: [{id: k, rule: s, targets: {day: 1}}]", "kpis[0].rule: there is no rule \"s\""},
		{"KPI of another cycle", "kpis: [{id: k, rule: r, targets: {week: 1}}]", "kpis[0].targets.week: \"week\" is no cycle of the rule r"},
		{"KPI without targets", "kpis: [{id: k, rule: r, targets: {}}]", "kpis[0].targets: targets names at least one cycle of the rule"},
		{"KPI of nothing", "kpis: [{id: k, rule: r, targets: {day: 0}}]", "kpis[0].targets.day: must be above 0, not 0"},
		{"digits of a KPI", "kpis: [{id: k, rule: other, targets: {week: 0.25}}]", "kpis[0].targets.week: 0.25 has more digits"},

		{"group of another cycle", "target_groups: [{id: g, cycle: week, rules: [other, r]}]", "target_groups[0].rules[1]: \"week\" is no cycle of the rule r"},
		{"group of another anchor", "target_groups: [{id: g, cycle: 14d, rules: [r, other]}]", "target_groups[0].rules[1]: 14d of the rule other begins on another date than that of r"},
		{"group of nothing", "target_groups: [{id: g, cycle: week, rules: []}]", "target_groups[0].rules: needs at least 1 item"},
		{"group of one twice", "target_groups: [{id: g, cycle: day, rules: [r, r]}]", "target_groups[0].rules: items 0 and 1 are equal"},
		{"group of an unknown rule", "target_groups: [{id: g, cycle: day, rules: [r, q]}]", "target_groups[0].rules[1]: there is no rule or streak \"q\""},
		{"group of streaks", "target_groups: [{id: g, cycle: 14d, rules: [s]}]", "target_groups[0].cycle: \"14d\" is the cycle of no rule of this group"},
		{"enrolment", "target_groups: [{id: g, cycle: day, rules: [s], enrolment: no}]", "target_groups[0].enrolment: must be one of auto, explicit, not"},

		{"prize that is never given", "prizes: [{id: p, rule: r, cycle: all, ranks: [{from: 1}]}]", "prizes[0].cycle: all never closes"},
		{"prize of another cycle", "prizes: [{id: p, rule: r, cycle: week, ranks: [{from: 1}]}]", "prizes[0].cycle: \"week\" is no cycle of the rule r"},
		{"prizes that overlap", "prizes: [{id: p, rule: r, cycle: day, ranks: [{from: 3, to: 9}, {from: 1, to: 3}]}]", "prizes[0].ranks[0]: rank 3 is in another range too"},
		{"prizes of one rank", "prizes: [{id: p, rule: r, cycle: day, ranks: [{from: 3}, {from: 3, to: 4}]}]", "prizes[0].ranks[1]: rank 3 is in another range too"},
		{"prize the wrong way round", "prizes: [{id: p, rule: r, cycle: day, ranks: [{from: 3, to: 2}]}]", "prizes[0].ranks[0].to: 2 is less than from, which is 3"},
		{"prize of too many", "prizes: [{id: p, rule: r, cycle: day, ranks: [{from: 1, to: 10001}]}]", "prizes[0].ranks[0].to: must be at most 10000, not 10001"},
		{"prize of an unknown reward", "prizes: [{id: p, rule: r, cycle: day, ranks: [{from: 1, grants: [mug, cup]}]}]", "prizes[0].ranks[0].grants[1]: there is no reward \"cup\""},

		{"mission without needs", "missions: [{id: m, needs: []}]", "missions[0].needs: needs at least 1 item"},
		{"mission of an unknown achievement", "missions: [{id: m, needs: [{achievement: last}]}]", "missions[0].needs[0].achievement: there is no achievement \"last\""},
		{"mission of both", "missions: [{id: m, needs: [{achievement: first, level: tier}]}]", "missions[0].needs[0].level: level does not go together with achievement"},
		{"mission of neither", "missions: [{id: m, needs: [{}]}]", "missions[0].needs[0]: one of achievement and level is missing"},
		{"mission of no step", "missions: [{id: m, needs: [{level: tier}]}]", "missions[0].needs[0]: at_least is missing beside level"},
		{"mission of a step that there is not", "missions: [{id: m, needs: [{level: tier, at_least: 3}]}]", "missions[0].needs[0].at_least: the level tier has only 2 steps"},
		{"attempts without start", "missions: [{id: m, needs: [{achievement: first}], attempts: 3}]", "missions[0].attempts: attempts goes together with start: required only"},
		{"attempts beside auto", "missions: [{id: m, needs: [{achievement: first}], start: auto, attempts: 3}]", "missions[0].attempts: attempts goes together with start: required only"},
		{"within no time", "missions: [{id: m, needs: [{achievement: first}], within: 0s}]", "missions[0].within: must be longer than 0s"},

		{"custom field", "users: {fields: {revenue: money}}", "users.fields.revenue: must be one of integer, number, string, boolean, not \"money\""},
		{"name of a custom field", "users: {fields: {\"a\\nb\": string}}", "users.fields[\"a\\nb\"]: the types of up to 100 custom fields"},
		{"parent", "parent: X", "parent: \"X\" does not fit: an id"},
		{"own parent", "parent: x", "parent: goes round in a circle: x is under x"},
		{"unknown door", "doors: {nodge: {}}", "doors.nodge: unknown key; known here: nudj, returning"},
		{"wallet of a door", "doors: {returning: {coins: gold}}", "doors.returning.coins: there is no wallet \"gold\""},
		{"wallet of a door without categories", "doors: {nudj: {xp: coins}}", "doors.nudj.xp: the wallet coins has no categories"},
		{"level of a door", "doors: {nudj: {level: xp}}", "doors.nudj.level: there is no level \"xp\""},
		{"counter", "doors: {returning: {counters: {visitCount: other}}}", "doors.returning.counters.visitCount: the rule other has no cycle all"},
		{"streak as counter", "doors: {returning: {counters: {visitCount: s}}}", "doors.returning.counters.visitCount: there is no rule \"s\""},
		{"rule as streak", "doors: {returning: {counters: {loginStreak: r}}}", "doors.returning.counters.loginStreak: there is no streak \"r\""},
		{"role", "doors: {returning: {roles: [Gold]}}", "doors.returning.roles[0]: \"Gold\" does not fit: a role is @"},
		{"role twice", "doors: {returning: {roles: ['@a', '@a']}}", "doors.returning.roles: items 0 and 1 are equal"},
	} {
		oneFault(t, test.name, earningBase+"    "+test.add, "line 12: orgs[0]."+test.want)
	}
}

// Here a definition of a kind that the base has takes the place of those.
func TestParse_OneFaultInPlace(t *testing.T) {
	for _, test := range []struct{ name, key, put, want string }{
		{"many wallets", "wallets", "[" + strings.Repeat("{id: w}, ", 65) + "]", "wallets: has more than 64 items"},
		{"decimals", "wallets", "[{id: xp, categories: true}, {id: coins, decimals: 7}]", "wallets[1].decimals: must be at most 6, not 7"},
		{"expiry in both", "wallets", "[{id: xp, categories: true, expires: {days: 3, months: 1}}]", "wallets[0].expires.months: months does not go together with days"},
		{"expiry in none", "wallets", "[{id: xp, categories: true, expires: {}}]", "wallets[0].expires: months is missing"},
		{"long expiry", "wallets", "[{id: xp, categories: true, expires: {days: 93}}]", "wallets[0].expires.days: must be at most 92, not 93"},
		{"longer expiry", "wallets", "[{id: xp, categories: true, expires: {months: 61}}]", "wallets[0].expires.months: must be at most 60, not 61"},

		{"award of nothing", "awards", "[{id: a, when: {}, wallet: xp, points: 0}]", "awards[0].points: must be above 0, not 0"},
		{"award of less", "awards", "[{id: a, when: {}, wallet: xp, points: -1}]", "awards[0].points: must be above 0, not -1"},
		{"award of a part", "awards", "[{id: a, when: {}, wallet: xp, points: 0.5}]", "awards[0].points: 0.5 has more digits after the point than the 0 of decimals"},
		{"award of a list", "awards", "[{id: a, when: {}, wallet: xp, points: [1]}]", "awards[0].points: must be a number, not an array"},
		{"award of a word", "awards", "[{id: a, when: {}, wallet: xp, points: \"'a'\"}]", "awards[0].points: the value of sum must be a number, but this is a string"},
		{"award of an unknown name", "awards", "[{id: a, when: {}, wallet: xp, points: amount}]", "awards[0].points: unknown name amount; there are value"},
		{"award of no text", "awards", "[{id: a, when: {}, wallet: xp, points: ''}]", "awards[0].points: an expression has 1 to 1000 characters"},
		{"award without points", "awards", "[{id: a, when: {}, wallet: xp}]", "awards[0]: points is missing"},
		{"award into no wallet", "awards", "[{id: a, when: {}, wallet: gold, points: 1}]", "awards[0].wallet: there is no wallet \"gold\""},
		{"award without categories", "awards", "[{id: a, when: {}, wallet: coins, points: 1, category: loyalty}]", "awards[0].category: the wallet coins has no categories"},
		{"award of points in no wallet", "awards", "[{id: a, when: {kind: point, name: gold}, wallet: xp, points: 1}]", "awards[0].when.name: there is no wallet \"gold\""},
		{"award of an unknown coupon", "awards", "[{id: a, when: {kind: coupon, name: [mug, cup]}, wallet: xp, points: 1}]", "awards[0].when.name[1]: there is no reward \"cup\""},

		{"level without steps", "levels", "[{id: tier, wallet: xp, steps: []}]", "levels[0].steps: needs at least 1 item"},
		{"level with many", "levels", "[{id: tier, wallet: xp, steps: [" + strings.Repeat("{at: 1}, ", 201) + "]}]", "levels[0].steps: has more than 200 items"},
		{"level down", "levels", "[{id: tier, wallet: xp, steps: [{at: 5}, {at: 5}]}]", "levels[0].steps[1].at: 5 is not above the step before"},
		{"level below 0", "levels", "[{id: tier, wallet: xp, steps: [{at: -1}]}]", "levels[0].steps[0].at: must be at least 0, not -1"},
		{"level of a part", "levels", "[{id: tier, wallet: xp, steps: [{at: 0.5}]}]", "levels[0].steps[0].at: 0.5 has more digits"},
		{"level for nothing", "levels", "[{id: tier, wallet: xp, steps: [{at: 0, grants: [mug]}]}]", "levels[0].steps[0].grants: whoever has earned nothing is at this step already"},
		{"level of no wallet", "levels", "[{id: tier, wallet: gold, steps: [{at: 5}]}]", "levels[0].wallet: there is no wallet \"gold\""},

		{"reward's code", "rewards", "[{id: mug, code: MUG-#######}]", "rewards[0].code: \"MUG-#######\" does not fit: a code is up to 64"},
		{"reward's long code", "rewards", "[{id: mug, code: '" + strings.Repeat("#", 65) + "'}]", "rewards[0].code: a code is up to 64"},
		{"reward's stock", "rewards", "[{id: mug, stock: -1}]", "rewards[0].stock: must be at least 0, not -1"},
		{"reward of another type", "rewards", "[{id: mug, type: cup}]", "rewards[0].type: must be one of asset, entry, not \"cup\""},
		{"reward for no time", "rewards", "[{id: mug, expires: 0s}]", "rewards[0].expires: must be longer than 0s"},
		{"reward's price", "rewards", "[{id: mug, price: {wallet: coins}}]", "rewards[0].price: points is missing"},

		{"achievement of nothing", "achievements", "[{id: b}]", "achievements[0]: one of when, any, all and rank is missing"},
		{"achievement of both", "achievements", "[{id: b, when: {}, at_least: 1, any: [{when: {}, at_least: 1}]}]", "achievements[0].any: any does not go together with when"},
		{"rank alone", "achievements", "[{id: b, rank: {rule: r, cycle: day, at_most: 1}, all: [{when: {}, at_least: 1}]}]", "achievements[0].rank: rank does not go together with all"},
		{"rank in each period", "achievements", "[{id: b, rank: {rule: r, cycle: day, at_most: 1}, per: day}]", "achievements[0].per: per does not go together with rank"},
		{"rank of nobody", "achievements", "[{id: b, rank: {rule: r, cycle: day, at_most: 0}}]", "achievements[0].rank.at_most: must be at least 1, not 0"},
		{"rank at no end", "achievements", "[{id: b, rank: {rule: r, cycle: all, at_most: 1}}]", "achievements[0].rank.cycle: all never closes"},
		{"rank of a streak", "achievements", "[{id: b, rank: {rule: s, cycle: day, at_most: 1}}]", "achievements[0].rank.rule: there is no rule \"s\""},
		{"without at_least", "achievements", "[{id: b, when: {}}]", "achievements[0]: at_least is missing"},
		{"at_least of nothing", "achievements", "[{id: b, when: {}, at_least: 0}]", "achievements[0].at_least: must be above 0, not 0"},
		{"at_least of a part", "achievements", "[{id: b, when: {}, at_least: 1.5}]", "achievements[0].at_least: 1.5 has more digits"},
		{"fold", "achievements", "[{id: b, when: {}, value: {last: value}, at_least: 1}]", "achievements[0].value.last: unknown key; known here: max, sum, unique"},
		{"no criteria", "achievements", "[{id: b, all: []}]", "achievements[0].all: needs at least 1 item"},
		{"many criteria", "achievements", "[{id: b, all: [" + strings.Repeat("{when: {}, at_least: 1}, ", 17) + "]}]", "achievements[0].all: has more than 16 items"},
		{"criterion of nothing", "achievements", "[{id: b, all: [{at_least: 1}]}]", "achievements[0].all[0]: one of when, streak, wallet, level and achievement is missing"},
		{"criterion of both", "achievements", "[{id: b, all: [{streak: s, wallet: xp, at_least: 1}]}]", "achievements[0].all[0].wallet: wallet does not go together with streak"},
		{"value of a streak", "achievements", "[{id: b, all: [{streak: s, value: count, at_least: 1}]}]", "achievements[0].all[0].value: value goes together with when only"},
		{"half a streak", "achievements", "[{id: b, all: [{streak: s, at_least: 1.5}]}]", "achievements[0].all[0].at_least: must be an integer, not a number"},
		{"unknown streak", "achievements", "[{id: b, all: [{streak: r, at_least: 1}]}]", "achievements[0].all[0].streak: there is no streak \"r\""},
		{"unknown wallet", "achievements", "[{id: b, all: [{wallet: gold, at_least: 1}]}]", "achievements[0].all[0].wallet: there is no wallet \"gold\""},
		{"part of a coin", "achievements", "[{id: b, all: [{wallet: coins, at_least: 0.001}]}]", "achievements[0].all[0].at_least: 0.001 has more digits"},
		{"unknown step", "achievements", "[{id: b, all: [{level: tier, at_least: 3}]}]", "achievements[0].all[0].at_least: the level tier has only 2 steps"},
		{"level without step", "achievements", "[{id: b, all: [{level: tier}]}]", "achievements[0].all[0]: at_least is missing"},
		{"unknown achievement", "achievements", "[{id: b, all: [{achievement: c}]}]", "achievements[0].all[0].achievement: there is no achievement \"c\""},
		{"times of an achievement", "achievements", "[{id: c, when: {}, at_least: 1}, {id: b, all: [{achievement: c, at_least: 2}]}]", "achievements[1].all[0].at_least: at_least does not go together with achievement"},
		{"period of a streak", "achievements", "[{id: b, per: week, all: [{when: {}, at_least: 1}, {streak: s, at_least: 1}]}]", "achievements[0].per: week goes together with criteria over activities only"},
		{"points of nothing", "achievements", "[{id: b, when: {}, at_least: 1, points: [{wallet: xp}]}]", "achievements[0].points[0]: points is missing"},
		{"granted twice", "achievements", "[{id: b, when: {}, at_least: 1, grants: [mug, mug]}]", "achievements[0].grants: items 0 and 1 are equal"},
		{"number of a rule", "streaks", "[{id: s, number: 1, when: {}, unit: day}]", "streaks[0].number: the number 1 is that of orgs[0].rules[0] too; rules and streaks share their numbers"},
		// A definition that is lost to a fault is not missed by those that refer to it.
		{"faulty id", "wallets", "[{id: XP, categories: true}, {id: coins, decimals: 2}]", "wallets[0].id: \"XP\" does not fit: an id"},
		{"no list", "wallets", "{id: xp}", "wallets: must be an array, not an object"},
		{"no definition", "wallets", "[7, {id: coins, decimals: 2}]", "wallets[0]: must be an object, not a number: A ledger of one type of points"},
		{"faulty cycle", "rules", "[{id: r, number: 1, when: {}, cycles: [dy]}]", "rules[0].cycles[0]: must be one of day"},
	} {
		source, line := replaceLine(earningBase, test.key, test.put)
		if test.name == "faulty cycle" {
			source = strings.Replace(source, "      - {id: other", "      # ", 1)
		}
		oneFault(t, test.name, source+"    kpis: [{id: k, rule: r, targets: {day: 1}}]\n", fmt.Sprintf("line %d: orgs[0].%s", line, test.want))
	}
}

// replaceLine puts a list in the place of that under a key, and gives its line.
func replaceLine(source, key, put string) (string, int) {
	lines := strings.Split(source, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "    "+key+":") {
			lines[i] = "    " + key + ": " + put
			if key == "rules" {
				lines[i+1], lines[i+2] = "    # ", "    # "
			}
			return strings.Join(lines, "\n"), i + 1
		}
	}
	panic("no " + key)
}

func oneFault(t *testing.T, name, source, want string) {
	t.Run(name, func(t *testing.T) {
		catalogs, err := Parse([]byte(source))
		faults, ok := err.(Faults)
		if !ok || len(faults) != 1 || catalogs != nil {
			t.Fatalf("Parse = %v, %v; want one fault: %s", catalogs, err, want)
		}
		if !strings.HasPrefix(faults[0].String(), want) {
			t.Errorf("fault\n got %s\nwant %s", faults[0], want)
		}
	})
}

func TestParse_Hierarchy(t *testing.T) {
	oneFault(t, "circle", "orgs:\n  - {id: w, parent: a}\n  - {id: a, parent: b}\n  - {id: b, parent: c}\n  - {id: c, parent: a}",
		"line 3: orgs[1].parent: goes round in a circle: a is under b is under c is under a")
	catalogs, err := Parse([]byte("orgs: [{id: a, parent: elsewhere, leaderboards: false}, {id: b, parent: a}]"))
	if err != nil || catalogs[0].Parent != "elsewhere" || catalogs[0].Leaderboards || catalogs[1].Parent != "a" || !catalogs[1].Leaderboards {
		t.Errorf("%v, %v", catalogs, err)
	}
	if _, err := ParseOrg([]byte("{id: a,\n parent: a}")); err == nil || err.Error() != "line 2: parent: an org does not stand above itself" {
		t.Errorf("alone: %v", err)
	}
}
