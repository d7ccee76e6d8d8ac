package catalog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestParse_Circles(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"through a level", `wallets: [{id: c}]
levels: [{id: b, wallet: c, steps: [{at: 1}]}]
achievements:
  - {id: other, when: {}, at_least: 1, points: [{wallet: c, points: 1}]}
  - id: a
    any:
      - {when: {}, at_least: 1}
      - {level: b, at_least: 1}
    points: [{wallet: c, points: 1}]`,
			"line 10: achievements[1].any[1].level: goes round in a circle: achievement a needs level b, which needs wallet c, into which achievement a gives points"},
		{"through a wallet", "wallets: [{id: c}]\nachievements: [{id: a, all: [{wallet: c, at_least: 1}], points: [{wallet: c, points: 1}]}]",
			"line 4: achievements[0].all[0].wallet: goes round in a circle: achievement a needs wallet c, into which achievement a gives points"},
		{"of one", "achievements: [{id: a, all: [{achievement: a}]}]", "line 3: achievements[0].all[0].achievement: goes round in a circle: achievement a needs achievement a"},
		{"of achievements", "achievements: [{id: a, all: [{achievement: b}]}, {id: b, all: [{achievement: a}]}]",
			"line 3: achievements[0].all[0].achievement: goes round in a circle: achievement a needs achievement b, which needs achievement a"},
		{"through a mission", `wallets: [{id: c}, {id: d}]
levels: [{id: b, wallet: c, steps: [{at: 1}]}]
missions: [{id: m, needs: [{level: b, at_least: 1}], points: [{wallet: d, points: 1}, {wallet: c, points: 1}]}]`,
			"line 5: missions[0].needs[0].level: goes round in a circle: mission m needs level b, which needs wallet c, into which mission m gives points"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseOrg([]byte("id: x\n\n" + test.source))
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}

// Two circles that have nothing in common are two faults; what is on one of them already is not told again.
func TestParse_ManyCircles(t *testing.T) {
	var circles strings.Builder
	for i := range 100 {
		fmt.Fprintf(&circles, "{id: a%d, all: [{achievement: b%d}]}, {id: b%d, any: [{achievement: a%d}, {achievement: b%d}]}, ", i, i, i, i, i)
	}
	_, err := ParseOrg([]byte("{id: x, achievements: [" + circles.String() + "]}"))
	if faults, _ := err.(Faults); len(faults) != 100 {
		t.Errorf("%d faults: %.300v", len(faults), err)
	}
}

// network is random definitions as plain lists of names, and what each rests on: the model that the order is compared with.
type network struct {
	source string
	needs  map[string][]string
}

func randomNetwork(r *rand.Rand) network {
	n := network{needs: map[string][]string{}}
	wallets, levels, achievements, missions := 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(5), 1+r.IntN(3)
	var b strings.Builder
	b.WriteString("{id: x, streaks: [{id: s, when: {}, unit: day}], wallets: [")
	for i := range wallets {
		n.needs[fmt.Sprintf("wallets %d", i)] = nil
		fmt.Fprintf(&b, "{id: w%d},", i)
	}
	b.WriteString("], levels: [")
	for i := range levels {
		w := r.IntN(wallets)
		n.needs[fmt.Sprintf("levels %d", i)] = []string{fmt.Sprintf("wallets %d", w)}
		fmt.Fprintf(&b, "{id: l%d, wallet: w%d, steps: [{at: 1}]},", i, w)
	}
	points := func(me string) {
		if r.IntN(3) == 0 {
			w := r.IntN(wallets)
			n.needs[fmt.Sprintf("wallets %d", w)] = append(n.needs[fmt.Sprintf("wallets %d", w)], me)
			fmt.Fprintf(&b, "points: [{wallet: w%d, points: 1}], ", w)
		}
	}
	b.WriteString("], achievements: [")
	for i := range achievements {
		me := fmt.Sprintf("achievements %d", i)
		n.needs[me] = nil
		fmt.Fprintf(&b, "{id: a%d, ", i)
		points(me)
		b.WriteString("all: [{streak: s, at_least: 1}")
		for range r.IntN(3) {
			kind := r.IntN(3)
			of := r.IntN([]int{wallets, levels, achievements}[kind])
			n.needs[me] = append(n.needs[me], fmt.Sprintf("%s %d", []string{"wallets", "levels", "achievements"}[kind], of))
			fmt.Fprintf(&b, []string{", {wallet: w%d, at_least: 1}", ", {level: l%d, at_least: 1}", ", {achievement: a%d}"}[kind], of)
		}
		b.WriteString("]},")
	}
	b.WriteString("], missions: [")
	for i := range missions {
		me, of := fmt.Sprintf("missions %d", i), r.IntN(achievements)
		n.needs[me] = []string{fmt.Sprintf("achievements %d", of)}
		fmt.Fprintf(&b, "{id: m%d, ", i)
		points(me)
		fmt.Fprintf(&b, "needs: [{achievement: a%d}]},", of)
	}
	b.WriteString("]}")
	n.source = b.String()
	return n
}

// reaches says whether one rests on another, however far away.
func (n network) reaches(from, to string, steps int) bool {
	return steps > 0 && slices.ContainsFunc(n.needs[from], func(next string) bool { return next == to || n.reaches(next, to, steps-1) })
}

func TestOrder_AgainstModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	circles := 0
	for range 400 {
		n := randomNetwork(r)
		circle := false
		for name := range n.needs {
			circle = circle || n.reaches(name, name, len(n.needs))
		}
		c, err := ParseOrg([]byte(n.source))
		if (err != nil) != circle {
			t.Fatalf("circle %t, but %v of\n%s", circle, err, n.source)
		}
		if circle {
			circles++
			if faults := err.(Faults); slices.ContainsFunc(faults, func(f Fault) bool { return !strings.HasPrefix(f.Detail, "goes round in a circle: ") }) {
				t.Fatalf("%v of\n%s", err, n.source)
			}
			continue
		}
		at := map[string]int{}
		for i, d := range c.Order {
			at[fmt.Sprintf("%s %d", d.Kind, d.Index)] = i
		}
		if len(at) != len(n.needs) || len(c.Order) != len(at) {
			t.Fatalf("order is %v of\n%s", c.Order, n.source)
		}
		for name, needs := range n.needs {
			for _, need := range needs {
				if at[need] >= at[name] {
					t.Fatalf("%s stands after %s of\n%s", need, name, n.source)
				}
			}
		}
	}
	if circles < 20 || circles > 380 {
		t.Errorf("%d circles in 400 are no test", circles)
	}
}
