package catalog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/calendar"
)

// fragment stands under "- id: x" of an org from line 3 on.
func fragment(text string) string { return "orgs:\n  - id: x\n" + text }

const aRule = "    rules:\n      - id: r\n        when: {}\n        cycles: [day]\n" // lines 3 to 6; more keys of the rule follow on line 7

// dates are so many different ones.
func dates(n int) string {
	var b strings.Builder
	for d := range calendar.Date(n) {
		b.WriteString(d.String() + ", ")
	}
	return b.String()
}

func TestParse_OneFault(t *testing.T) {
	behaviours := "    behaviours:\n      - {name: commit, meta: {files: integer, lang: string}}\n      - {name: review, meta: {files: number}}\n"
	where := func(name, text string) string {
		return behaviours + "    rules:\n      - id: r\n        cycles: [day]\n        when:\n          name: " + name + "\n          where: '" + text + "'\n"
	}
	value := func(text string) string {
		return behaviours + "    rules:\n      - id: r\n        cycles: [day]\n        when: {name: commit}\n        value: " + text + "\n"
	}
	list := func(periods string) string {
		return "    rules:\n      - id: r\n        when: {}\n        cycles:\n          - list:\n              id: s\n              periods: " + periods + "\n"
	}
	tests := []struct{ name, source, want string }{
		{"empty", "", "line 1: the source is empty"},
		{"only a comment", "# nothing", "line 1: the source is empty"},
		{"only a marker", "---\n", "line 2: must be an object, not empty"},
		{"text after JSON", "{\"orgs\": [{\"id\": \"x\"}]}\nmore", "line 2: something follows the end of the definition"},
		{"duration too long", fragment("    limits: {max_past: 10000d}"), "line 3: orgs[0].limits.max_past: \"10000d\" does not fit"},
		{"no object", "- a", "line 1: must be an object, not an array: a file is an object with orgs"},
		{"not YAML", "orgs:\n  - id: x\n a: [", "line 2: not YAML: did not find expected"},
		{"not JSON", "{\"orgs\":\n[}", "line 2: not JSON: "},
		{"second document", "orgs: [{id: x}]\n---\na: b", "line 2: a second document"},
		{"duplicate key", "orgs:\n  - id: x\n    id: y", "line 3: orgs[0].id: this key is there twice in one object"},
		{"duplicate key in JSON", "{\"orgs\": [{\"id\": \"x\",\n\"id\": \"y\"}]}", "line 2: orgs[0].id: this key is there twice in one object"},
		{"key of another type", fragment("    1: a"), "line 3: orgs[0].1: this key is not a word"},
		{"merge key", "orgs:\n  - &a {id: x}\n  - <<: *a\n    id: y", "line 3: orgs[1][\"<<\"]: this key is not a word"},
		{"tag", fragment("    number: !!binary aGk="), "line 3: orgs[0].number: \"aGk=\" with the tag !!binary"},
		{"infinite number", fragment("    number: .inf"), "line 3: orgs[0].number: \".inf\" with the tag !!float is not a value that JSON could hold"},
		{"no orgs", "orgs: []", "line 1: orgs: needs at least 1 item"},
		{"unknown key", fragment("    colour: red"), "line 3: orgs[0].colour: unknown key; known here: achievements, awards, behaviours, bounties, doors, gifts, hooks, id, kpis"},
		{"id", "orgs:\n  - id: Git Hub", "line 2: orgs[0].id: \"Git Hub\" does not fit: an id is 1 to 64 of a-z, 0-9, _ and -"},
		{"number as id", "orgs:\n  - id: 7", "line 2: orgs[0].id: must be a string, not a number: put it in quotes"},
		{"number beyond 2^53", fragment("    number: 9007199254740994"), "line 3: orgs[0].number: must be at most 9007199254740992, not 9007199254740994"},
		{"huge number", fragment("    number: 1e308"), "line 3: orgs[0].number: must be at most 9007199254740992"},
		{"same org", "orgs:\n  - id: x\n  - id: x", "line 3: orgs[1].id: the id x is that of orgs[0] too"},
		{"same number", "orgs:\n  - {id: x, number: 1}\n  - {id: y, number: 1}", "line 3: orgs[1].number: the number 1 is that of orgs[0] too"},
		{"zone", fragment("    timezone: Europe/Atlantis"), "line 3: orgs[0].timezone: unknown time zone \"Europe/Atlantis\""},
		{"local zone", fragment("    timezone: Local"), "line 3: orgs[0].timezone: unknown time zone \"Local\""},
		{"zone as path", fragment("    timezone: ../etc/passwd"), "line 3: orgs[0].timezone: \"../etc/passwd\" does not fit: a zone is named"},
		{"week start", fragment("    week_start: mon"), "line 3: orgs[0].week_start: must be one of monday, tuesday"},
		{"duration", fragment("    limits:\n      max_past: 35 days"), "line 4: orgs[0].limits.max_past: \"35 days\" does not fit: a duration is whole days"},
		{"log days", fragment("    limits: {log_days: always}"), "line 3: orgs[0].limits.log_days: must be \"forever\", not \"always\""},
		{"behaviour twice", fragment("    behaviours:\n      - name: a\n      - name: a"), "line 5: orgs[0].behaviours[1].name: the behaviour \"a\" is declared twice"},
		{"long name", fragment("    behaviours:\n      - name: " + strings.Repeat("é", 65)), "line 4: orgs[0].behaviours[0].name: the name has 130 bytes, more than 128"},
		{"control character", fragment("    behaviours:\n      - name: \"a\\u0085b\""), "line 4: orgs[0].behaviours[0].name: \"a\\u0085b\" does not fit: the name of an activity"},
		{"meta type", fragment("    behaviours:\n      - {name: a, meta: {n: int}}"), "line 4: orgs[0].behaviours[0].meta.n: must be one of integer, number, string, boolean, not \"int\""},
		{"meta key", fragment("    behaviours:\n      - {name: a, meta: {\"\": integer}}"), "line 4: orgs[0].behaviours[0].meta[\"\"]: the types of up to 200 meta keys; a key is 1 to 64 characters"},
		{"cap", fragment("    behaviours:\n      - {name: a, cap: {per: day}}"), "line 4: orgs[0].behaviours[0].cap: count is missing"},
		{"rule without keys", fragment("    rules:\n      - id: r"), "line 4: orgs[0].rules[0]: when and cycles are missing"},
		{"shared id", fragment(aRule + "    streaks:\n      - {id: r, when: {}, unit: day}"), "line 8: orgs[0].streaks[0].id: the id r is that of orgs[0].rules[0] too"},
		{"kind", fragment("    rules:\n      - {id: r, cycles: [day], when: {kind: coin}}"), "line 4: orgs[0].rules[0].when.kind: must be one of behaviour, point, coupon, gift, bounty, not \"coin\""},
		{"unknown behaviour", fragment(where("[commit, push]", "true")), "line 10: orgs[0].rules[0].when.name[1]: no behaviour \"push\" is declared; there are commit and review"},
		{"value word", fragment(aRule + "        value: total"), "line 7: orgs[0].rules[0].value: must be \"count\", not \"total\""},
		{"two values", fragment(aRule + "        value: {sum: value, max: value}"), "line 7: orgs[0].rules[0].value: a value is count, or exactly one of sum"},
		{"value list", fragment(aRule + "        value: [sum]"), "line 7: orgs[0].rules[0].value: must be an object, not an array: a value is count"},
		{"decimals of count", fragment(aRule + "        decimals: 2"), "line 7: orgs[0].rules[0].decimals: count gives whole numbers"},
		{"decimals", fragment(aRule + "        value: {sum: value}\n        decimals: 7"), "line 8: orgs[0].rules[0].decimals: must be at most 6, not 7"},
		{"order", fragment(aRule + "        order: down"), "line 7: orgs[0].rules[0].order: must be one of desc, asc, not \"down\""},
		{"cycle", fragment("    rules:\n      - {id: r, when: {}, cycles: [fortnight]}"), "line 4: orgs[0].rules[0].cycles[0]: must be one of day, week, month, quarter, year, all"},
		{"every without from", fragment("    rules:\n      - {id: r, when: {}, cycles: [{every: 14d}]}"), "line 4: orgs[0].rules[0].cycles[0]: from is missing beside every"},
		{"no such date", fragment("    rules:\n      - {id: r, when: {}, cycles: [{every: 14d, from: 2026-02-30}]}"), "line 4: orgs[0].rules[0].cycles[0].from: there is no date 2026-02-30"},
		{"cycle twice", fragment("    rules:\n      - {id: r, when: {}, cycles: [{every: 14d, from: 2026-01-05}, {every: 14d, from: 2026-01-06}]}"), "line 4: orgs[0].rules[0].cycles[1]: \"14d\" is in this rule already, as or in orgs[0].rules[0].cycles[0]"},
		{"segment by meta", fragment(aRule + "        segment_by: meta.country"), "line 7: orgs[0].rules[0].segment_by: \"meta.country\" does not fit: user. and the name of an attribute"},
		{"segment by a list", fragment(aRule + "        segment_by: [user.country]"), "line 7: orgs[0].rules[0].segment_by: must be a string, not an array"},
		{"keep too few", fragment(aRule + "        keep: {day: 69}"), "line 7: orgs[0].rules[0].keep.day: 69 periods are less than max_past + close_grace (70d): at least 70"},
		{"keep of all", fragment("    rules:\n      - {id: r, when: {}, cycles: [all], keep: {all: 100}}"), "line 4: orgs[0].rules[0].keep.all: all never ends"},
		{"keep of no cycle", fragment(aRule + "        keep: {week: 100}"), "line 7: orgs[0].rules[0].keep.week: \"week\" is no cycle of this rule"},
		{"overlapping periods", fragment(list("[{id: a, start: 2026-01-01, end: 2026-02-01}, {id: b, start: 2026-01-31, end: 2026-03-01}]")), "line 9: orgs[0].rules[0].cycles[0].list.periods[1]: begins before \"a\" ends"},
		{"period backwards", fragment(list("[{id: a, start: 2026-02-01, end: 2026-02-01}]")), "line 9: orgs[0].rules[0].cycles[0].list.periods[0].end: ends at or before its start"},
		{"period named as date", fragment(list("[{id: 2026-11, start: 2026-02-01, end: 2026-02-02}]")), "line 9: orgs[0].rules[0].cycles[0].list.periods[0].id: \"2026-11\" could be taken for a cycle or a date"},
		{"period named as cycle", fragment(list("[{id: week, start: 2026-02-01, end: 2026-02-02}]")), "line 9: orgs[0].rules[0].cycles[0].list.periods[0].id: \"week\" could be taken for a cycle"},
		{"period with ~", fragment(list("[{id: a~1, start: 2026-02-01, end: 2026-02-02}]")), "line 9: orgs[0].rules[0].cycles[0].list.periods[0].id: \"a~1\" does not fit: an id is"},
		{"period twice", fragment(list("[{id: a, start: 2026-02-01, end: 2026-02-02}, {id: a, start: 2026-03-01, end: 2026-03-02}]")), "line 9: orgs[0].rules[0].cycles[0].list.periods[1].id: the id a is that of period 0"},
		{"period without offset", fragment(list("[{id: a, start: 2026-02-01T10:00:00, end: 2026-02-02}]")), "line 9: orgs[0].rules[0].cycles[0].list.periods[0].start: \"2026-02-01T10:00:00\" does not fit: a start or end is a date"},
		{"list with two meanings", fragment(list("[{id: a, start: 2026-02-01, end: 2026-02-02}]") + "      - {id: q, when: {}, cycles: [{list: {id: s, periods: [{id: a, start: 2026-02-01, end: 2026-02-03}]}}]}"), "line 10: orgs[0].rules[1].cycles[0].list.id: the list s has other periods in orgs[0].rules[0].cycles[0].list"},

		{"syntax", fragment(where("commit", "meta.files <")), "line 11: orgs[0].rules[0].when.where: unexpected token EOF (column 12)"},
		{"undeclared key", fragment(where("commit", "meta.fils < 3")), "line 11: orgs[0].rules[0].when.where: meta.fils is not declared; commit declares files and lang"},
		{"clashing key", fragment(where("[commit, review]", "meta.files < 3")), "line 11: orgs[0].rules[0].when.where: meta.files has not the same type in all of commit and review"},
		{"mismatched types", fragment(where("commit", "meta.lang < 3")), "line 11: orgs[0].rules[0].when.where: invalid operation: < (mismatched types string and number) (column 11)"},
		{"where no boolean", fragment(where("commit", "meta.files + 1")), "line 11: orgs[0].rules[0].when.where: where must be true or false, but this is a number"},
		{"unknown name", fragment(where("commit", "user == \"a\"")), "line 11: orgs[0].rules[0].when.where: unknown name user; there are value, name, kind and meta.<key>"},
		{"function", fragment(where("commit", "now() > 1")), "line 11: orgs[0].rules[0].when.where: there is no function now; there are abs, ceil"},
		{"closure", fragment(where("commit", "any([1], # > 1)")), "line 11: orgs[0].rules[0].when.where: there is no function any"},
		{"range", fragment(where("commit", "meta.files in 1..9")), "line 11: orgs[0].rules[0].when.where: on the right of in stands a list"},
		{"coalescing", fragment(where("commit", "(meta.files ?? 0) > 1")), "line 11: orgs[0].rules[0].when.where: ?? has no use"},
		{"variable", fragment(where("commit", "let x = 1; x == 1")), "line 11: orgs[0].rules[0].when.where: variables, closures, maps and slices are not part"},
		{"environment", fragment(where("commit", "$env.value == 1")), "line 11: orgs[0].rules[0].when.where: only meta has keys"},
		{"pattern", fragment(where("commit", "meta.lang matches \"(\"")), "line 11: orgs[0].rules[0].when.where: error parsing regexp"},
		{"pattern from meta", fragment(where("commit", "meta.lang matches meta.lang")), "line 11: orgs[0].rules[0].when.where: on the right of matches stands a pattern in quotes"},
		{"inexact literal", fragment(where("commit", "meta.files < 9007199254740993")), "line 11: orgs[0].rules[0].when.where: 9007199254740993 is beyond ±2^53"},
		{"too many nodes", fragment(where("commit", "1"+strings.Repeat("+1", 150)+" > 2")), "line 11: orgs[0].rules[0].when.where: "},
		{"too long", fragment(where("commit", strings.Repeat("(", 1001))), "line 11: orgs[0].rules[0].when.where: an expression has 1 to 1000 characters"},
		{"value no number", fragment(value("{sum: meta.lang}")), "line 10: orgs[0].rules[0].value.sum: the value of sum must be a number, but this is a string"},
		{"arguments", fragment(value("{sum: 'abs(1, 2)'}")), "line 10: orgs[0].rules[0].value.sum: too many arguments to call abs (column 1)"},

		{"streak without condition", fragment("    streaks:\n      - {id: s, unit: day}"), "line 4: orgs[0].streaks[0]: one of when, any and all is missing"},
		{"when beside any", fragment("    streaks:\n      - {id: s, unit: day, when: {}, any: [{when: {}, at_least: 1}]}"), "line 4: orgs[0].streaks[0].any: any does not go together with when"},
		{"any beside all", fragment("    streaks:\n      - {id: s, unit: day, all: [{when: {}, at_least: 1}], any: [{when: {}, at_least: 1}]}"), "line 4: orgs[0].streaks[0].all: all does not go together with any"},
		{"target beside any", fragment("    streaks:\n      - {id: s, unit: day, target: 2, any: [{when: {}, at_least: 1}]}"), "line 4: orgs[0].streaks[0].target: target goes together with when only"},
		{"fold of condition", fragment("    streaks:\n      - {id: s, unit: day, any: [{when: {}, value: {min: value}, at_least: 1}]}"), "line 4: orgs[0].streaks[0].any[0].value.min: unknown key; known here: max, sum, unique"},
		{"at_least of count", fragment("    streaks:\n      - {id: s, unit: day, any: [{when: {}, at_least: 0}]}"), "line 4: orgs[0].streaks[0].any[0].at_least: count is always at least that much"},
		{"digits of at_least", fragment("    streaks:\n      - {id: s, unit: day, any: [{when: {}, value: {sum: value}, at_least: 0.25, decimals: 1}]}"), "line 4: orgs[0].streaks[0].any[0].at_least: 0.25 has more digits after the point than the 1 of decimals"},
		{"range of at_least", fragment("    streaks:\n      - {id: s, unit: day, any: [{when: {}, value: {sum: value}, at_least: 9007199254740992, decimals: 1}]}"), "line 4: orgs[0].streaks[0].any[0].at_least: 9007199254740992 is beyond ±2^53 in 1 decimals"},
		{"unit", fragment("    streaks:\n      - {id: s, unit: year, when: {}}"), "line 4: orgs[0].streaks[0].unit: must be one of day, week, month, not \"year\""},
		{"weekday", fragment("    streaks:\n      - {id: s, unit: day, when: {}, active_days: [mon, mon]}"), "line 4: orgs[0].streaks[0].active_days: items 0 and 1 are equal"},
		{"streak's zone", fragment("    streaks:\n      - {id: s, unit: day, when: {}, timezone: {user: Mars/Base}}"), "line 4: orgs[0].streaks[0].timezone.user: unknown time zone \"Mars/Base\""},
		{"day start", fragment("    streaks:\n      - {id: s, unit: day, when: {}, day_start: 24h}"), "line 4: orgs[0].streaks[0].day_start: a day starts within its 24 hours"},
		{"grace", fragment("    streaks:\n      - {id: s, unit: day, when: {}, grace: 1d}"), "line 4: orgs[0].streaks[0].grace: the grace must be shorter than a period, which may have 1d"},
		{"freezes", fragment("    streaks:\n      - {id: s, unit: day, when: {}, freezes: {initial: 3, max: 2}}"), "line 4: orgs[0].streaks[0].freezes.initial: 3 freezes are more than max, which is 2"},
		{"earned freezes", fragment("    streaks:\n      - {id: s, unit: day, when: {}, freezes: {earn_every: 3}}"), "line 4: orgs[0].streaks[0].freezes: max is missing beside earn_every"},
		{"on_miss", fragment("    streaks:\n      - {id: s, unit: day, when: {}, on_miss: {decay: 0}}"), "line 4: orgs[0].streaks[0].on_miss.decay: must be at least 1, not 0"},
		{"milestone", fragment("    streaks:\n      - {id: s, unit: day, when: {}, milestones: [{at: 1, every: 2}]}"), "line 4: orgs[0].streaks[0].milestones[0].every: every does not go together with at"},
		{"grace of weeks", fragment("    streaks:\n      - {id: s, unit: week, when: {}, grace: 7d}"), "line 4: orgs[0].streaks[0].grace: the grace must be shorter than a period, which may have 7d"},
		{"day start of weeks", fragment("    streaks:\n      - {id: s, unit: week, when: {}, day_start: 1d}"), "line 4: orgs[0].streaks[0].day_start: a day starts within its 24 hours"},
		{"at_risk", fragment("    streaks:\n      - {id: s, unit: day, when: {}, grace: 6h, at_risk: 31h}"), "line 4: orgs[0].streaks[0].at_risk: the lead must not be longer than a period with its grace, which may have 30h0m0s"},
		{"at_risk of months", fragment("    streaks:\n      - {id: s, unit: month, when: {}, at_risk: 29d}"), "line 4: orgs[0].streaks[0].at_risk: the lead must not be longer than a period with its grace, which may have 28d"},
		{"restore window", fragment("    streaks:\n      - {id: s, unit: day, when: {}, restore_window: -1d}"), "line 4: orgs[0].streaks[0].restore_window: \"-1d\" does not fit: a duration is"},
		{"initial freezes alone", fragment("    streaks:\n      - {id: s, unit: day, when: {}, freezes: {initial: 101}}"), "line 4: orgs[0].streaks[0].freezes.initial: must be at most 100, not 101"},
		{"freezes without bound", fragment("    streaks:\n      - {id: s, unit: day, when: {}, freezes: {initial: 1, max: 101}}"), "line 4: orgs[0].streaks[0].freezes.max: must be at most 100, not 101"},
		{"negative freezes", fragment("    streaks:\n      - {id: s, unit: day, when: {}, freezes: {initial: -1}}"), "line 4: orgs[0].streaks[0].freezes.initial: must be at least 0, not -1"},
		{"freezes never earned", fragment("    streaks:\n      - {id: s, unit: day, when: {}, freezes: {earn_every: 0, max: 2}}"), "line 4: orgs[0].streaks[0].freezes.earn_every: must be at least 1, not 0"},
		{"on_miss word", fragment("    streaks:\n      - {id: s, unit: day, when: {}, on_miss: decay}"), "line 4: orgs[0].streaks[0].on_miss: must be one of reset, none, not \"decay\""},
		{"on_miss without number", fragment("    streaks:\n      - {id: s, unit: day, when: {}, on_miss: {}}"), "line 4: orgs[0].streaks[0].on_miss: decay is missing"},
		{"empty milestone", fragment("    streaks:\n      - {id: s, unit: day, when: {}, milestones: [{once: run}]}"), "line 4: orgs[0].streaks[0].milestones[0]: every is missing"},
		{"milestone of nothing", fragment("    streaks:\n      - {id: s, unit: day, when: {}, milestones: [{at: 0}]}"), "line 4: orgs[0].streaks[0].milestones[0].at: must be at least 1, not 0"},
		{"milestone of nothing again", fragment("    streaks:\n      - {id: s, unit: day, when: {}, milestones: [{every: -1}]}"), "line 4: orgs[0].streaks[0].milestones[0].every: must be at least 1, not -1"},
		{"milestone twice", fragment("    streaks:\n      - {id: s, unit: day, when: {}, milestones: [{at: 7}, {every: 7}, {at: 7, once: run}]}"), "line 4: orgs[0].streaks[0].milestones[2]: this is what milestone 0 says"},
		{"no such holiday", fragment("    streaks:\n      - {id: s, unit: day, when: {}, holidays: [2026-12-25, 2026-02-29]}"), "line 4: orgs[0].streaks[0].holidays[1]: there is no date 2026-02-29"},
		{"no such holiday of weeks", fragment("    streaks:\n      - {id: s, unit: week, when: {}, holidays: [2026-13-01]}"), "line 4: orgs[0].streaks[0].holidays[0]: there is no date 2026-13-01"},
		{"form of a holiday", fragment("    streaks:\n      - {id: s, unit: day, when: {}, holidays: [12-25]}"), "line 4: orgs[0].streaks[0].holidays[0]: \"12-25\" does not fit: a date is YYYY-MM-DD"},
		{"holiday twice", fragment("    streaks:\n      - {id: s, unit: day, when: {}, holidays: [2026-12-25, 2026-12-25]}"), "line 4: orgs[0].streaks[0].holidays: items 0 and 1 are equal"},
		{"target of users", fragment("    streaks:\n      - {id: s, unit: day, when: {}, target: 5, user_target: {max: 4}}"), "line 4: orgs[0].streaks[0].user_target.max: 4 is less than target, which is 5"},
		{"unbounded target of users", fragment("    streaks:\n      - {id: s, unit: day, when: {}, user_target: {}}"), "line 4: orgs[0].streaks[0].user_target: max is missing"},
		{"target of users beside any", fragment("    streaks:\n      - {id: s, unit: day, user_target: {max: 4}, any: [{when: {}, at_least: 1}]}"), "line 4: orgs[0].streaks[0].user_target: user_target goes together with when only"},
		{"target of users beside all", fragment("    streaks:\n      - {id: s, unit: day, user_target: {max: 4}, all: [{when: {}, at_least: 1}]}"), "line 4: orgs[0].streaks[0].user_target: user_target goes together with when only"},
		{"no conditions", fragment("    streaks:\n      - {id: s, unit: day, any: []}"), "line 4: orgs[0].streaks[0].any: needs at least 1 item"},
		{"many streaks", fragment("    streaks: [" + strings.Repeat("{id: s, unit: day, when: {}}, ", 1001) + "]"), "line 3: orgs[0].streaks: has more than 1000 items"},
		{"many conditions", fragment("    streaks:\n      - {id: s, unit: day, all: [" + strings.Repeat("{when: {}, at_least: 1}, ", 17) + "]}"), "line 4: orgs[0].streaks[0].all: has more than 16 items"},
		{"many milestones", fragment("    streaks:\n      - {id: s, unit: day, when: {}, milestones: [" + strings.Repeat("{at: 1}, ", 201) + "]}"), "line 4: orgs[0].streaks[0].milestones: has more than 200 items"},
		{"many holidays", fragment("    streaks:\n      - {id: s, unit: day, when: {}, holidays: [" + dates(1001) + "]}"), "line 4: orgs[0].streaks[0].holidays: has more than 1000 items"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			catalogs, err := Parse([]byte(test.source))
			faults, ok := err.(Faults)
			if !ok || len(faults) != 1 || catalogs != nil {
				t.Fatalf("Parse = %v, %v; want one fault: %s", catalogs, err, test.want)
			}
			if !strings.Contains(faults[0].String(), test.want) || strings.HasPrefix(test.want, "line") && !strings.HasPrefix(faults[0].String(), test.want) {
				t.Errorf("fault\n got %s\nwant %s", faults[0], test.want)
			}
		})
	}
}

func TestParse_ManyFaults(t *testing.T) {
	source := `orgs:
  - id: Git Hub
    colour: 3
    timezone: Mars/Base
    timezone: UTC
    rules:
      - when: {name: [a, b]}
        value: {sum: "meta.a + "}
        cycles: [day, fortnight, {every: 14d, from: 2026-02-30}]
      - id: r
        when: {where: "foo() or meta.a.b or nil == 5"}
        cycles: [day]
        keep: {day: 1}
    streaks:
      - {id: r, unit: week, when: {}}
      - id: s
        unit: day
        target: 0
        when: {kind: 4}
        any: 4
  - id: y
    limits: {max_past: soon}
    streaks: {}
`
	want := Faults{
		{2, "orgs[0].id", `"Git Hub" does not fit: an id is 1 to 64 of a-z, 0-9, _ and -`},
		{3, "orgs[0].colour", "unknown key; known here: achievements, awards, behaviours, bounties, doors, gifts, hooks, id, kpis, leaderboards, levels, limits, missions, " +
			"number, parent, prizes, rewards, rules, streaks, target_groups, timezone, users, wallets, webhooks, week_start"},
		{4, "orgs[0].timezone", `unknown time zone "Mars/Base"`},
		{5, "orgs[0].timezone", "this key is there twice in one object"},
		{7, "orgs[0].rules[0]", "id is missing"},
		{8, "orgs[0].rules[0].value.sum", "unexpected token EOF (column 9)"},
		{9, "orgs[0].rules[0].cycles[1]", `must be one of day, week, month, quarter, year, all, not "fortnight"`},
		{9, "orgs[0].rules[0].cycles[2].from", "there is no date 2026-02-30"},
		{11, "orgs[0].rules[1].when.where", "there is no function foo; there are abs, ceil, floor, round, min, max, len, lower, upper, trim"},
		{11, "orgs[0].rules[1].when.where", "only meta has keys, and they are written out, such as meta.added"},
		{11, "orgs[0].rules[1].when.where", "nil and ?. have no use: an activity whose value is missing does not match"},
		{13, "orgs[0].rules[1].keep.day", "1 periods are less than max_past + close_grace (70d): at least 70"},
		{15, "orgs[0].streaks[0].id", "the id r is that of orgs[0].rules[1] too; rules and streaks share their ids"},
		{18, "orgs[0].streaks[1].target", "must be at least 1, not 0"},
		{19, "orgs[0].streaks[1].when.kind", "must be one of behaviour, point, coupon, gift, bounty, not 4"},
		{20, "orgs[0].streaks[1].any", "must be an array, not a number"},
		{20, "orgs[0].streaks[1].any", "any does not go together with when"},
		{22, "orgs[1].limits.max_past", `"soon" does not fit: a duration is whole days, hours, minutes and seconds in that order, such as 35d, 5m or 1h30m, of up to 9999d`},
		{23, "orgs[1].streaks", "must be an array, not an object"},
	}
	_, err := Parse([]byte(source))
	if diff := cmp.Diff(want, err); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(want) {
		t.Errorf("Error has %d lines, want %d", lines, len(want))
	}
}

func TestParseOrg_PathsBeginAtTheOrg(t *testing.T) {
	_, err := ParseOrg([]byte("{\"id\": \"x\",\n \"rules\": [{\"id\": \"r\", \"when\": {}, \"cycles\": [\"day\"],\n \"order\": 1}]}"))
	if err == nil || err.Error() != "line 3: rules[0].order: must be one of desc, asc, not 1" {
		t.Errorf("err = %v", err)
	}
}
