package fold

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
)

var folds = []catalog.Fold{catalog.Count, catalog.Sum, catalog.Max, catalog.Min, catalog.Last, catalog.Unique}

// one is an activity as a fold sees it.
type one struct {
	v  catalog.Value
	at calendar.Instant
	id activity.ID
}

// drawOnes makes activities with different ids, and few instants and values.
func drawOnes(t *rapid.T) []one {
	ones := make([]one, rapid.IntRange(0, 12).Draw(t, "activities"))
	for i := range ones {
		ones[i] = one{
			v:  catalog.Value{N: int64(rapid.IntRange(-2, 2).Draw(t, "n")), S: rapid.SampledFrom([]string{"s:x", "s:y", "n:1"}).Draw(t, "s")},
			at: calendar.Instant(rapid.IntRange(0, 4).Draw(t, "at")), id: activity.ID(fmt.Sprintf("%c%d", 'z'-rune(i%3), i)),
		}
	}
	return ones
}

func tally(f catalog.Fold, ones []one) *Tally {
	t := new(Tally)
	for _, o := range ones {
		t.Add(f, o.v, o.at, o.id)
	}
	return t
}

func diff(a, b *Tally) string { return gocmp.Diff(a, b, cmpopts.EquateEmpty()) }

// TestTally_IsACommutativeMonoid: any order, any grouping, with the zero value as the neutral element.
func TestTally_IsACommutativeMonoid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(folds).Draw(t, "fold")
		ones := drawOnes(t)
		whole := tally(f, ones)
		if d := diff(whole, tally(f, rapid.Permutation(ones).Draw(t, "order"))); d != "" {
			t.Fatalf("%v in another order\n%s", f, d)
		}
		i := rapid.IntRange(0, len(ones)).Draw(t, "first cut")
		j := rapid.IntRange(i, len(ones)).Draw(t, "second cut")
		a, b, c := tally(f, ones[:i]), tally(f, ones[i:j]), tally(f, ones[j:])
		left := tally(f, ones[:i])
		left.Merge(f, b)
		left.Merge(f, c)
		right := tally(f, ones[i:j])
		right.Merge(f, c)
		turned := tally(f, ones[i:j])
		turned.Merge(f, c)
		turned.Merge(f, a)
		right2 := tally(f, ones[:i])
		right2.Merge(f, right)
		for name, got := range map[string]*Tally{"(a+b)+c": left, "a+(b+c)": right2, "(b+c)+a": turned} {
			if d := diff(whole, got); d != "" {
				t.Fatalf("%v %s\n%s", f, name, d)
			}
		}
		if d := diff(b, tally(f, ones[i:j])); d != "" {
			t.Fatalf("%v: merging changed what was merged in\n%s", f, d)
		}
	})
}

// TestTally_EqualsTheModel compares with the oracle, which sorts and walks the whole list.
func TestTally_EqualsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(folds).Draw(t, "fold")
		ones := drawOnes(t)
		if len(ones) == 0 {
			return
		}
		m := oracle.Model{Org: oracle.Org{Zone: time.UTC}}
		for _, o := range ones {
			m.Records = append(m.Records, oracle.Record{ID: string(o.id), User: "u", At: o.at.Time(), Value: float64(o.v.N), Meta: map[string]any{"s": o.v.S}})
		}
		rule := oracle.Rule{Selector: oracle.Selector{Fold: f.String(),
			Number: func(r *oracle.Record) (float64, bool) { return r.Value, true },
			Text:   func(r *oracle.Record) (string, bool) { return r.Meta["s"].(string), true }}}
		want := m.Board(&rule, oracle.Cycle{Unit: "all"}, "all")[0]
		got := tally(f, ones)
		if got.Value != want.Value || got.Reached.Time() != want.Reached.UTC() {
			t.Fatalf("%v: %d at %v, the model has %d at %v", f, got.Value, got.Reached, want.Value, want.Reached)
		}
		if f == catalog.Unique {
			checkNth(t, got, ones)
		}
	})
}

func checkNth(t *rapid.T, got *Tally, ones []one) {
	slices.SortFunc(ones, func(a, b one) int { return cmp.Compare(a.at, b.at) })
	seen := map[string]bool{}
	for _, o := range ones {
		if seen[o.v.S] {
			continue
		}
		seen[o.v.S] = true
		if n := len(seen); got.NthFirst(n) != o.at {
			t.Fatalf("value number %d came at %v, want %v", n, got.NthFirst(n), o.at)
		}
	}
}

func TestTally_Check(t *testing.T) {
	sum := Tally{Value: catalog.MaxExact - 1, Some: true}
	for n, want := range map[int64]error{1: nil, 2: ErrRange, -2 * catalog.MaxExact: ErrRange, 1 - 2*catalog.MaxExact: nil} {
		if err := sum.Check(catalog.Sum, catalog.Value{N: n}); !errors.Is(err, want) {
			t.Errorf("adding %d: %v, want %v", n, err, want)
		}
	}
	full := Tally{Some: true}
	for i := range catalog.MaxUnique {
		full.Set = append(full.Set, Distinct{Value: fmt.Sprintf("s:%06d", i)})
	}
	if err := full.Check(catalog.Unique, catalog.Value{S: "s:000007"}); err != nil {
		t.Errorf("a value that is there: %v", err)
	}
	if err := full.Check(catalog.Unique, catalog.Value{S: "s:" + strings.Repeat("9", 6)}); !errors.Is(err, ErrTooManyValues) {
		t.Errorf("one too many: %v", err)
	}
}
