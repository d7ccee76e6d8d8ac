package catalog

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"laurel/internal/activity"
)

const evalSource = `orgs:
  - id: x
    behaviours:
      - {name: commit, meta: {added: integer, ratio: number, lang: string, draft: boolean, "the key": integer}}
      - {name: review, meta: {added: integer}}
    rules:
      - id: r
        when: {name: [commit, review], where: 'WHERE'}
        value: VALUE
        decimals: 2
        cycles: [all]
`

// rule compiles one rule over the behaviours commit and review.
func rule(t testing.TB, where, value string) (*Catalog, *Rule) {
	t.Helper()
	source := strings.NewReplacer("WHERE", strings.ReplaceAll(where, "'", "''"), "VALUE", value).Replace(evalSource)
	if strings.Contains(value, "unique") || value == "count" {
		source = strings.Replace(source, "        decimals: 2\n", "", 1)
	}
	c := one(t, source)
	return c, c.Rules[0]
}

func TestSelector_Eval_Where(t *testing.T) {
	tests := []struct {
		where, meta string
		want        bool
	}{
		{`meta.added < 5`, `{"added":4}`, true},
		{`meta.added < 5`, `{"added":5}`, false},
		{`meta.added < 5`, `{}`, false},
		{`meta.added < 5`, ``, false},
		{`meta.added < 5`, `{"added":null}`, false},
		{`meta.added < 5`, `{"added":"4"}`, false},
		{`meta.added < 5`, `{"added":4.5}`, false},
		{`meta.added < 5`, `{"added":[4]}`, false},
		{`meta.added > 5`, `{"added":1e2}`, true},
		{`meta.added > 5`, `{"added":9007199254740992}`, true},
		{`meta.added > 5`, `{"added":9007199254740994}`, false},
		{`meta.added > 5`, `{"added":1e999}`, false},
		{`meta.ratio > 5`, `{"ratio":1e300}`, true},
		{`meta.ratio > 0.5`, `{"ratio":0.75}`, true},
		{`not meta.draft`, `{"draft":false}`, true},
		{`not meta.draft`, `{}`, false},
		{`meta.draft`, `{"draft":true}`, true},
		{`meta.draft`, `{"draft":false}`, false},
		{`meta.draft`, `{"draft":"true"}`, false},
		{`meta.draft or meta.added > 1`, `{"draft":true}`, false}, // all that is read must be there
		{`meta.draft or meta.added > 1`, `{"added":0,"draft":true}`, true},
		{`meta.lang in ["go", "c"]`, `{"lang":"c"}`, true},
		{`meta.lang in ["go", "c"]`, `{"lang":"d"}`, false},
		{`meta.lang not in ["go", "c"]`, `{"lang":"d"}`, true},
		{`meta.added in [1, 2, -3]`, `{"added":-3}`, true},
		{`meta.added in [1, 2]`, `{"added":3}`, false},
		{`meta.lang matches "^g.$"`, `{"lang":"go"}`, true},
		{`meta.lang contains "o" and meta.lang startsWith "g" and meta.lang endsWith "o"`, `{"lang":"go"}`, true},
		{`lower(trim(meta.lang)) == "go" && upper(meta.lang) == " GO "`, `{"lang":" Go "}`, true},
		{`len(meta.lang) == 2`, `{"lang":"\u00e9\u00e8"}`, true},
		{`meta.lang == "a\"b"`, `{"lang":"a\"b"}`, true},
		{`meta["the key"] == 1`, `{"the key":1}`, true},
		{`meta["the key"] == 1`, `{"the\u0020key":1}`, true},
		{`meta.added % 3 == 2`, `{"added":8}`, true},
		{`meta.added % 0 == 2`, `{"added":8}`, false},
		{`meta.added > 1 ? meta.ratio > 1 : false`, `{"added":2,"ratio":2}`, true},
		{`min(meta.added, 3, 7) == 3 and max(meta.added, 3) == 5 and abs(-meta.added) == 5`, `{"added":5}`, true},
		{`floor(meta.ratio) == 1 and ceil(meta.ratio) == 2 and round(meta.ratio) == 2`, `{"ratio":1.5}`, true},
		{`value == 7`, ``, true},
		{`name == "commit" and kind == "behaviour"`, ``, true},
		{`1 < 2`, ``, true},
		{`meta.added * 9007199254740992 > 0`, `{"added":4096}`, true}, // int64 would have wrapped around
		{`meta.added == 1`, `{"added":1`, false},
		{`meta.added == 1`, `[{"added":1}]`, false},
		{`meta.added == 1`, `{"deep":{"added":[2,{"x":3}]},"added":1}`, true},
	}
	for _, test := range tests {
		c, r := rule(t, test.where, "count")
		a := &activity.Activity{Name: "commit", Meta: []byte(test.meta), Value: 7, HasValue: true}
		v, ok, err := r.Eval(c.Input(a))
		if ok != test.want || err != nil || ok && v.N != 1 {
			t.Errorf("%s with %s = %v, %v, %v; want %v", test.where, test.meta, v, ok, err, test.want)
		}
	}
}

func TestSelector_Eval_Value(t *testing.T) {
	tests := []struct {
		value, meta string
		want        Value
		ok          bool
	}{
		{`{sum: meta.added}`, `{"added":7}`, Value{N: 700}, true},
		{`{sum: meta.added}`, `{"added":-0.0}`, Value{}, true},
		{`{sum: meta.added}`, `{"added":7.5}`, Value{}, false},
		{`{sum: value}`, ``, Value{N: 1001}, true},
		{`{max: meta.ratio}`, `{"ratio":1.005}`, Value{N: 101}, true},
		{`{min: meta.ratio * 2}`, `{"ratio":-1.0025}`, Value{N: -201}, true},
		{`{last: meta.added / meta.ratio}`, `{"added":1,"ratio":0}`, Value{}, false},
		{`{last: meta.ratio - meta.ratio * 1e308 * 10}`, `{"ratio":1}`, Value{}, false},
		{`{sum: "1"}`, ``, Value{N: 100}, true},
		{`{unique: meta.lang}`, `{"lang":"go"}`, Value{S: "s:go"}, true},
		{`{unique: meta.lang}`, `{"lang":"g\u006f\n"}`, Value{S: "s:go\n"}, true},
		{`{unique: meta.lang + "!"}`, `{"lang":"go"}`, Value{S: "s:go!"}, true},
		{`{unique: meta.added}`, `{"added":1.2e1}`, Value{S: "n:12"}, true},
		{`{unique: meta.ratio}`, `{"ratio":-0.0}`, Value{S: "n:0"}, true},
		{`{unique: value}`, ``, Value{S: "n:10.005"}, true},
		{`{unique: meta.draft}`, `{"draft":true}`, Value{S: "b:true"}, true},
		{`{unique: meta.draft}`, `{"draft":1}`, Value{}, false},
		{`{unique: name}`, ``, Value{S: "s:commit"}, true},
		{`{unique: meta.lang}`, `{"lang":"` + strings.Repeat("a", 65) + `"}`, Value{S: "h:635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"}, true},
	}
	for _, test := range tests {
		c, r := rule(t, "true", test.value)
		a := &activity.Activity{Name: "commit", Meta: []byte(test.meta), Value: 10.005, HasValue: true}
		v, ok, err := r.Eval(c.Input(a))
		if v != test.want || ok != test.ok || err != nil {
			t.Errorf("%s with %s = %v, %v, %v; want %v, %v", test.value, test.meta, v, ok, err, test.want, test.ok)
		}
	}
}

func TestSelector_Eval_Range(t *testing.T) {
	c, r := rule(t, "true", "{sum: value}")
	a := &activity.Activity{Name: "commit", Value: 1 << 53, HasValue: true}
	if _, ok, err := r.Eval(c.Input(a)); ok || !errors.Is(err, ErrRange) {
		t.Errorf("Eval = %v, %v; want ErrRange", ok, err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		if _, ok, err := r.Eval(c.Input(&activity.Activity{Name: "commit", Value: v, HasValue: true})); ok || err != nil {
			t.Errorf("Eval of %v = %v, %v; want no match", v, ok, err)
		}
	}
	if _, ok, err := r.Eval(c.Input(&activity.Activity{Name: "commit"})); ok || err != nil {
		t.Errorf("Eval without value = %v, %v; want no match", ok, err)
	}
}

// TestSelector_Eval_SeesOnlyDeclaredMeta: an undeclared key is kept with the activity, and no rule sees it.
func TestSelector_Eval_SeesOnlyDeclaredMeta(t *testing.T) {
	c := one(t, `orgs:
  - id: x
    behaviours: [{name: a, meta: {n: integer}}, {name: b}]
    rules:
      - {id: both, when: {name: [a, b]}, value: {sum: meta.n}, cycles: [all]}
      - {id: any, when: {}, value: {sum: meta.n}, cycles: [all]}
      - {id: points, when: {kind: point}, value: {sum: meta.m}, cycles: [all]}
`)
	in := new(Input)
	for _, test := range []struct {
		rule string
		a    activity.Activity
		want bool
	}{
		{"both", activity.Activity{Name: "a", Meta: []byte(`{"n":1}`)}, true},
		{"both", activity.Activity{Name: "b", Meta: []byte(`{"n":1}`)}, false},
		{"both", activity.Activity{Name: "a", Kind: activity.Point, Meta: []byte(`{"n":1}`)}, false},
		{"any", activity.Activity{Name: "gone", Meta: []byte(`{"n":1}`)}, false},
		{"any", activity.Activity{Name: "a", Kind: activity.Point, Meta: []byte(`{"n":1}`)}, true},
		{"any", activity.Activity{Name: "a", Kind: activity.Point, Meta: []byte(`{"n":true}`)}, false},
		{"any", activity.Activity{Name: "a", Kind: activity.Credit, Meta: []byte(`{"n":1}`)}, false},
		{"points", activity.Activity{Name: "p", Kind: activity.Point, Meta: []byte(`{"m":2}`)}, true},
		{"points", activity.Activity{Name: "p", Kind: activity.Point, Meta: []byte(`{"m":true}`)}, false},
	} {
		in.Reset(c, &test.a)
		if _, ok, err := c.Rule(test.rule).Eval(in); ok != test.want || err != nil {
			t.Errorf("%s of %v %s %s = %v, %v; want %v", test.rule, test.a.Kind, test.a.Name, test.a.Meta, ok, err, test.want)
		}
	}
}

// TestSelector_Eval_Untyped: without declared behaviours types show at evaluation, and one that does not fit is no match.
func TestSelector_Eval_Untyped(t *testing.T) {
	c := one(t, `orgs: [{id: x, rules: [{id: r, when: {where: 'meta.n > 3 and meta.s != "x"'}, value: {sum: meta.n + 1}, cycles: [all]}, {id: u, when: {}, value: {unique: abs(meta.n)}, cycles: [all]}]}]`)
	for meta, want := range map[string]bool{
		`{"n":4,"s":"y"}`:  true,
		`{"n":4,"s":5}`:    true,
		`{"n":"4","s":""}`: false,
		`{"n":true,"s":0}`: false,
		`{"n":4,"s":null}`: false,
		`{"n":4,"s":{}}`:   false,
	} {
		in := c.Input(&activity.Activity{Meta: []byte(meta)})
		if _, ok, err := c.Rules[0].Eval(in); ok != want || err != nil {
			t.Errorf("%s = %v, %v; want %v", meta, ok, err, want)
		}
		if _, ok, _ := c.Rules[1].Eval(in); ok != strings.Contains(meta, `"n":4`) {
			t.Errorf("abs of %s = %v", meta, ok)
		}
	}
}

// TestSelector_Eval_Concurrent is for the race detector: one catalog, an input for each goroutine.
func TestSelector_Eval_Concurrent(t *testing.T) {
	c, r := rule(t, `meta.lang matches "^g" and min(meta.added, 3) == 3`, "{sum: meta.added % 7}")
	a := &activity.Activity{Name: "commit", Meta: []byte(`{"added":12,"lang":"go"}`)}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			in := new(Input)
			for range 200 {
				in.Reset(c, a)
				if v, ok, err := r.Eval(in); v.N != 500 || !ok || err != nil {
					t.Errorf("Eval = %v, %v, %v", v, ok, err)
					return
				}
			}
		})
	}
	group.Wait()
}

func TestSelector_Eval_Allocations(t *testing.T) {
	a := &activity.Activity{Name: "commit", Meta: []byte(`{"added":12,"draft":false,"lang":"go","ratio":0.125,"zzz":{"a":[1,2,3]}}`), Value: 3.25, HasValue: true}
	for _, test := range []struct {
		where, value string
		budget       float64
	}{
		{"", "count", 0},
		{"", "{sum: value}", 0},
		{"", "{sum: meta.added}", 0},
		{"", "{max: meta.ratio}", 0},
		{"", "{unique: meta.lang}", 1},
		{"meta.added < 500", "count", 4},
	} {
		c, r := rule(t, "true", test.value)
		if test.where == "" {
			r.where = nil
		} else {
			c, r = rule(t, test.where, test.value)
		}
		in := c.Input(a)
		got := testing.AllocsPerRun(100, func() {
			in.Reset(c, a)
			if _, ok, err := r.Eval(in); !ok || err != nil {
				t.Fatalf("%s: %v, %v", test.value, ok, err)
			}
		})
		if got > test.budget {
			t.Errorf("where %q value %s: %v allocations, budget %v", test.where, test.value, got, test.budget)
		}
	}
}

func BenchmarkSelector_Eval(b *testing.B) {
	a := &activity.Activity{Name: "commit", Meta: []byte(`{"added":12,"draft":false,"lang":"go","ratio":0.125}`)}
	for _, bench := range []struct{ name, where, value string }{
		{"count", "", "count"},
		{"sum", "", "{sum: meta.added}"},
		{"where", "meta.added < 500", "count"},
		{"expression", "", "{sum: meta.added * 2 + 1}"},
	} {
		c, r := rule(b, "true", bench.value)
		if bench.where == "" {
			r.where = nil
		} else {
			c, r = rule(b, bench.where, bench.value)
		}
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			in := c.Input(a)
			for b.Loop() {
				in.Reset(c, a)
				if _, ok, _ := r.Eval(in); !ok {
					b.Fatal("no match")
				}
			}
		})
	}
}

func FuzzEval(f *testing.F) {
	f.Add(`meta.added < 5 and value in [1, 2]`, `{"added":1}`, 1.0, true)
	f.Add(`meta["a b"] matches "^x+$" ? len(name) % 2 == 1 : -value ** 3 > 1e9`, `{"a b":"\ud83d\ude00"}`, math.Inf(1), true)
	f.Add(`[1, "a", true][0]`, `{"a":[[[`, 0.0, false)
	f.Add(`"a" + meta.x in ["ab"] or not (kind == "point")`, `{"x":null}`, math.NaN(), true)
	f.Add(`min(1, meta.x) | max(2)`, `{"x":1e400}`, 1.0, false)
	f.Fuzz(func(t *testing.T, text, meta string, value float64, hasValue bool) {
		if len(text) > 1_000 {
			return
		}
		tab := &table{slots: map[string]int{}}
		p, _, faults := compile(text, &scope{untyped: true}, tab)
		if p == nil {
			if len(faults) == 0 {
				t.Fatalf("%q is refused without a fault", text)
			}
			return
		}
		in := new(Input)
		in.Reset(&Catalog{table: tab}, &activity.Activity{Name: "n", Meta: []byte(meta), Value: value, HasValue: hasValue})
		for fold := Count; fold <= Unique; fold++ {
			s := Selector{AnyKind: true, Fold: fold, where: p, value: p, Decimals: 6}
			_, _, _ = s.Eval(in)
			s.where = nil
			first, ok, _ := s.Eval(in)
			if second, again, _ := s.Eval(in); first != second || ok != again {
				t.Fatalf("%q with %q gives %v, then %v", text, meta, first, second)
			}
		}
	})
}
