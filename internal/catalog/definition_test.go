package catalog

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const editable = `{id: x, number: 7, limits: {segments: 3}, behaviours: [{name: run, meta: {km: number}}, {name: "a/b c"}], rules: [
	{id: a, when: {name: run}, cycles: [day]}, {id: b, when: {name: run}, value: {sum: meta.km}, decimals: 1, cycles: [week]}], streaks: [
	{id: s, when: {name: run}, unit: day}, {id: t, when: {}, unit: week, grace: 0s}],
	wallets: [{id: w}, {id: w2}], awards: [{id: a, when: {}, wallet: w, points: 1}], levels: [{id: l, wallet: w, steps: [{at: 5, grants: [r]}]}],
	achievements: [{id: done, when: {}, at_least: 2}, {id: a, all: [{level: l, at_least: 1}, {achievement: done}]}], missions: [{id: m, needs: [{achievement: a}]}],
	rewards: [{id: r, price: {wallet: w, points: 1}}], gifts: [{id: g, gives: {reward: r}}], bounties: [{id: b, wallet: w}], kpis: [{id: k, rule: a, targets: {day: 1}}],
	target_groups: [{id: t, cycle: week, rules: [b, s]}], prizes: [{id: p, rule: b, cycle: week, ranks: [{from: 1, grants: [r]}]}]}`

// kinds is every kind.
func kinds() []Kind {
	return []Kind{Rules, Streaks, Behaviours, Wallets, Awards, Levels, Achievements, Missions, Rewards, Gifts, Bounties, KPIs, TargetGroups, Prizes}
}

func editableOrg(t testing.TB) *Catalog {
	t.Helper()
	c, err := ParseOrg([]byte(editable))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// texts is every definition by kind and position, and the rest of the org: what an edit must leave alone.
func texts(c *Catalog) map[string]string {
	all := map[string]string{"org": fmt.Sprint(c.Org, c.Number, c.Limits)}
	for _, k := range kinds() {
		for i, text := range c.Definitions(k) {
			all[fmt.Sprintf("%s[%d]", k, i)] = string(text)
		}
	}
	return all
}

func TestDefinition_StandsAsInTheSource(t *testing.T) {
	c := editableOrg(t)
	for id, want := range map[string]string{"s": `{"id":"s","unit":"day","when":{"name":"run"}}`, "t": `{"grace":"0s","id":"t","unit":"week","when":{}}`} {
		if got, err := c.Definition(Streaks, id); err != nil || string(got) != want {
			t.Errorf("%s = %s, %v", id, got, err)
		}
	}
	if got, err := c.Definition(Behaviours, "a/b c"); err != nil || string(got) != `{"name":"a/b c"}` {
		t.Errorf("%s, %v", got, err)
	}
	for k, id := range map[Kind]string{Rules: "s", Streaks: "", Behaviours: "a"} {
		if _, err := c.Definition(k, id); !errors.Is(err, ErrNoDefinition) {
			t.Errorf("%s %q: %v", k, id, err)
		}
	}
	if bare := must(t)(ParseOrg([]byte("{id: x}"))); len(bare.Definitions(Rules)) != 0 {
		t.Error("an org without rules has some")
	}
}

func must(t *testing.T) func(*Catalog, error) *Catalog {
	return func(c *Catalog, err error) *Catalog {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func TestEdit_ChangesOneDefinition(t *testing.T) {
	added := func(c *Catalog, k Kind, text string) (*Catalog, error) {
		next, _, err := c.Add(k, []byte(text))
		return next, err
	}
	for name, test := range map[string]struct {
		edit func(*Catalog) (*Catalog, error)
		want map[string]string // what is other than before; "" for gone
	}{
		"replace": {func(c *Catalog) (*Catalog, error) {
			return c.Put(Streaks, "s", []byte("id: s\nunit: month\nwhen: {}\n"))
		},
			map[string]string{"streaks[0]": `{"id":"s","unit":"month","when":{}}`}},
		"replace without id": {func(c *Catalog) (*Catalog, error) { return c.Put(Behaviours, "a/b c", []byte(`{"cool_off":"1m"}`)) },
			map[string]string{"behaviours[1]": `{"cool_off":"1m","name":"a/b c"}`}},
		"put a new one": {func(c *Catalog) (*Catalog, error) { return c.Put(Rules, "c", []byte(`{"when":{},"cycles":["all"]}`)) },
			map[string]string{"rules[2]": `{"cycles":["all"],"id":"c","when":{}}`}},
		"add": {func(c *Catalog) (*Catalog, error) { return added(c, Behaviours, `{"name":"swim"}`) },
			map[string]string{"behaviours[2]": `{"name":"swim"}`}},
		"remove":           {func(c *Catalog) (*Catalog, error) { return c.Remove(Awards, "a") }, map[string]string{"awards[0]": ""}},
		"remove the first": {func(c *Catalog) (*Catalog, error) { return c.Remove(Wallets, "w2") }, map[string]string{"wallets[1]": ""}},
		"replace what others refer to": {func(c *Catalog) (*Catalog, error) { return c.Put(Wallets, "w", []byte("name: W\ncategories: true")) },
			map[string]string{"wallets[0]": `{"categories":true,"id":"w","name":"W"}`}},
		"add a prize": {func(c *Catalog) (*Catalog, error) {
			return added(c, Prizes, `{"id":"q","rule":"b","cycle":"week","ranks":[{"from":1}]}`)
		}, map[string]string{"prizes[1]": `{"cycle":"week","id":"q","ranks":[{"from":1}],"rule":"b"}`}},
	} {
		c := editableOrg(t)
		before := texts(c)
		next, err := test.edit(c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := maps.Clone(before)
		maps.Copy(want, test.want)
		maps.DeleteFunc(want, func(_, text string) bool { return text == "" })
		if diff := cmp.Diff(want, texts(next)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(before, texts(c)); diff != "" {
			t.Errorf("%s changes the catalog that it began with:\n%s", name, diff)
		}
	}
}

func TestEdit_FirstOfItsKind(t *testing.T) {
	bare := must(t)(ParseOrg([]byte("{id: x}")))
	next, id, err := bare.Add(Streaks, []byte(`{id: s, when: {}, unit: day}`))
	if err != nil || id != "s" || next.Streak("s") == nil {
		t.Errorf("%v %q %v", next, id, err)
	}
	last := must(t)(next.Remove(Streaks, "s"))
	if len(last.Streaks) != 0 {
		t.Error("it is still there")
	}
}

func TestEdit_Faults(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*Catalog) (*Catalog, error)
		want Faults
	}{
		"lines and paths": {func(c *Catalog) (*Catalog, error) {
			return c.Put(Streaks, "t", []byte("unit: day\nwhen: {name: fly}\ngrace: 24h\ncolour: 1\nunit: week\n"))
		}, Faults{
			{2, "streaks[1].when.name", `no behaviour "fly" is declared; there are a/b c and run`},
			{3, "streaks[1].grace", "the grace must be shorter than a period, which may have 1d"},
			{4, "streaks[1].colour", "unknown key; known here: active_days, all, any, at_risk, day_start, freezes, grace, holidays, id, milestones, name, number, on_miss, restore_window, target, timezone, unit, user_target, when"},
			{5, "streaks[1].unit", "this key is there twice in one object"}}},
		"another id": {func(c *Catalog) (*Catalog, error) { return c.Put(Streaks, "t", []byte("when: {}\nunit: day\nid: u")) },
			Faults{{3, "streaks[1].id", `must be "t", as it was asked for, or left out`}}},
		"no id": {func(c *Catalog) (*Catalog, error) { return c.Put(Streaks, "Not One", []byte("{when: {}, unit: day}")) }, Faults{{1, "streaks[2].id", `"Not One" does not fit: an id is 1 to 64 of a-z, 0-9, _ and -`}}},
		"id of a rule": {func(c *Catalog) (*Catalog, error) { return c.Put(Streaks, "a", []byte("{when: {}, unit: day}")) },
			Faults{{1, "streaks[2].id", "the id a is that of rules[0] too; rules and streaks share their ids"}}},
		"no text":   {func(c *Catalog) (*Catalog, error) { return c.Put(Rules, "a", nil) }, Faults{{1, "rules[0]", "the source is empty"}}},
		"no object": {func(c *Catalog) (*Catalog, error) { return c.Put(Rules, "a", []byte("[1]")) }, Faults{{1, "rules[0]", "must be an object, not an array: A leaderboard for every period of every cycle"}}},
		"what others refer to": {func(c *Catalog) (*Catalog, error) { return c.Remove(Behaviours, "run") }, Faults{
			{0, "rules[0].when.name", `no behaviour "run" is declared; there are a/b c`},
			{0, "rules[1].when.name", `no behaviour "run" is declared; there are a/b c`},
			{0, "streaks[0].when.name", `no behaviour "run" is declared; there are a/b c`}}},
		"a rule that others refer to": {func(c *Catalog) (*Catalog, error) { return c.Remove(Rules, "b") }, Faults{
			{0, "prizes[0].rule", `there is no rule "b"`}, {0, "target_groups[0].rules[0]", `there is no rule or streak "b"`}}},
		"a streak that others refer to": {func(c *Catalog) (*Catalog, error) { return c.Remove(Streaks, "s") }, Faults{{0, "target_groups[0].rules[1]", `there is no rule or streak "s"`}}},
		"a wallet that others refer to": {func(c *Catalog) (*Catalog, error) { return c.Remove(Wallets, "w") }, Faults{
			{0, "awards[0].wallet", `there is no wallet "w"`}, {0, "bounties[0].wallet", `there is no wallet "w"`},
			{0, "levels[0].wallet", `there is no wallet "w"`}, {0, "rewards[0].price.wallet", `there is no wallet "w"`}}},
		"a level that others refer to":        {func(c *Catalog) (*Catalog, error) { return c.Remove(Levels, "l") }, Faults{{0, "achievements[1].all[0].level", `there is no level "l"`}}},
		"an achievement that others refer to": {func(c *Catalog) (*Catalog, error) { return c.Remove(Achievements, "a") }, Faults{{0, "missions[0].needs[0].achievement", `there is no achievement "a"`}}},
		"a reward that others refer to": {func(c *Catalog) (*Catalog, error) { return c.Remove(Rewards, "r") }, Faults{
			{0, "gifts[0].gives.reward", `there is no reward "r"`}, {0, "levels[0].steps[0].grants[0]", `there is no reward "r"`},
			{0, "prizes[0].ranks[0].grants[0]", `there is no reward "r"`}}},
		"a circle": {func(c *Catalog) (*Catalog, error) {
			return c.Put(Achievements, "done", []byte("all:\n - achievement: a"))
		},
			Faults{{2, "achievements[0].all[0].achievement", "goes round in a circle: achievement done needs achievement a, which needs achievement done"}}},
		"meta that others read": {func(c *Catalog) (*Catalog, error) { return c.Put(Behaviours, "run", []byte("{meta: {km: string}}")) },
			Faults{{0, "rules[1].value.sum", "the value of sum must be a number, but this is a string"}}},
	} {
		next, err := test.edit(editableOrg(t))
		if diff := cmp.Diff(error(test.want), err); diff != "" || next != nil {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEdit_Refused(t *testing.T) {
	c := editableOrg(t)
	for text, k := range map[string]Kind{"{id: a}": Rules, "{id: s, unit: 4}": Rules, "{id: b}": Streaks, `{"name": "run"}`: Behaviours, "{id: w}": Wallets, "{id: t}": TargetGroups} {
		if _, _, err := c.Add(k, []byte(text)); !errors.Is(err, ErrExists) {
			t.Errorf("%s %s: %v", k, text, err)
		}
	}
	if _, err := c.Remove(Streaks, "a"); !errors.Is(err, ErrNoDefinition) {
		t.Errorf("remove: %v", err)
	}
	var faults Faults
	if _, _, err := c.Add(Rules, []byte("{when: {}, cycles: [day]}")); !errors.As(err, &faults) || faults[0].Path != "rules[2]" || faults[0].Detail != "id is missing" {
		t.Errorf("without an id: %v", err)
	}
}

// Edits add up: what comes of one must be readable for the next.
func TestEdit_GrowsOnlyToWhatASourceMayHave(t *testing.T) {
	c := must(t)(ParseOrg([]byte("{id: x}"))) // any name of a point is accepted
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprintf("%0120d%q", i, "")[:120]+"n")
	}
	condition := `{"at_least":1,"when":{"kind":"point","name":["` + strings.Join(names, `","`) + `"]}}`
	definition := `{"unit":"day","all":[` + strings.Repeat(condition+",", 15) + condition + "]}"
	for i := range 9 {
		next, err := c.Put(Streaks, fmt.Sprintf("r%d", i), []byte(definition))
		if err == nil {
			c = next
			continue
		}
		faults, _ := err.(Faults)
		if i < 2 || len(faults) != 1 || faults[0].Line != 0 || !strings.HasSuffix(faults[0].Detail, "more than 1048576") {
			t.Errorf("edit %d: %v", i, err)
		}
		if _, err := ParseOrg(c.Source); err != nil {
			t.Error(err)
		}
		return
	}
	t.Error("the catalog grew without bound")
}

// FuzzEdit: whatever is sent as a definition, what comes of it is refused with faults, or is a whole catalog in which nothing else has changed.
func FuzzEdit(f *testing.F) {
	for _, text := range []string{`{"id":"s","when":{},"unit":"day"}`, "id: s\nunit: week\nany: &a [{when: {}, at_least: 1}]\nholidays: [2026-12-25]", "{id: a, when: {name: run}, cycles: [day], value: {sum: 'meta.km * 2'}}",
		"{id: s, wallet: w, steps: [{at: 5}], all: [{wallet: w, at_least: 1}], points: [{wallet: w, points: 1}]}", "{id: s, when: {}, wallet: w, points: value, gives: {reward: r}}",
		`{"name":"run","meta":{"km":"number"}}`, `{"name":"\ud83d\ude00"}`, "- 1", "", "{}", `{"id":{}}`, "&a {id: *a}", "? {}: 1", "id: !!binary aGk=", `{"id":"s","id":"t"}`, "{name: \"a\u2028b\"}"} {
		for kind := range uint8(14) {
			f.Add(kind, "s", text)
			f.Add(kind, "run", text)
		}
	}
	c := editableOrg(f)
	before := texts(c)
	f.Fuzz(func(t *testing.T, kind uint8, id, text string) {
		k := kinds()[int(kind)%len(kinds())]
		place := c.Place(k, id)
		next, err := c.Put(k, id, []byte(text))
		checkEdit(t, before, place, next, err)
		if err == nil {
			if _, err := next.Definition(k, id); err != nil {
				t.Errorf("put, and not there: %v", err)
			}
		}
		end := fmt.Sprintf("%s[%d]", k, len(c.Definitions(k)))
		next, id, err = c.Add(k, []byte(text))
		if errors.Is(err, ErrExists) {
			return
		}
		checkEdit(t, before, end, next, err)
		if err == nil {
			if gone, err := next.Remove(k, id); err != nil || gone.Hash != c.Hash {
				t.Errorf("add and remove: %v", err)
			}
		}
	})
}

func checkEdit(t *testing.T, before map[string]string, place string, next *Catalog, err error) {
	t.Helper()
	if err != nil {
		if faults, ok := err.(Faults); !ok || len(faults) == 0 || next != nil {
			t.Fatalf("err = %#v", err)
		}
		return
	}
	after := texts(next)
	if after[place] == "" {
		t.Errorf("nothing stands at %s", place)
	}
	for _, same := range slices.Sorted(maps.Keys(before)) {
		if same != place && after[same] != before[same] {
			t.Errorf("%s changed %s", place, same)
		}
	}
	again, err := ParseOrg(next.Source)
	if err != nil || again.Hash != next.Hash {
		t.Errorf("what is stored cannot be read: %v", err)
	}
}
