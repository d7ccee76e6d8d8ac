package measure

import (
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{
		{nil, 0},
		{[]float64{7}, 7},
		{[]float64{9, 1}, 5},
		{[]float64{5, 1, 100}, 5},
		{[]float64{4, 1, 3, 2}, 2.5},
	} {
		if got := Median(c.in); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestMedian_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.IntRange(-1000, 1000), 1, 30).Draw(t, "in")
		xs := make([]float64, len(in))
		for i, n := range in {
			xs[i] = float64(n)
		}
		before := slices.Clone(xs)
		m := Median(xs)
		if !slices.Equal(xs, before) {
			t.Fatalf("the samples were changed: %v", xs)
		}
		below, above := 0, 0
		for _, x := range xs {
			if x < m {
				below++
			}
			if x > m {
				above++
			}
		}
		if 2*below > len(xs) || 2*above > len(xs) {
			t.Fatalf("Median(%v) = %v: %d lie below and %d above", xs, m, below, above)
		}
	})
}

func TestMedianOf(t *testing.T) {
	samples := []struct{ n float64 }{{3}, {1}, {2}}
	if got := MedianOf(samples, func(s *struct{ n float64 }) float64 { return 10 * s.n }); got != 20 {
		t.Errorf("MedianOf = %v, want 20", got)
	}
}

func TestRatio(t *testing.T) {
	if got := Ratio(3, 4); got != 0.75 {
		t.Errorf("Ratio(3, 4) = %v", got)
	}
	if got := Ratio(1, 0); got != 0 {
		t.Errorf("Ratio(1, 0) = %v, which may not reach a JSON file", got)
	}
}

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 0 -1 4194560 100 0 0 0 150 50 7 7 20 0 5 0 99"
	for _, name := range []string{"laurel", "a) b", "x y (z)"} {
		got, err := parseStat("42 (" + name + ")" + rest)
		if err != nil || got != 2*time.Second {
			t.Errorf("name %q: %v, %v; want 2s", name, got, err)
		}
	}
	for _, broken := range []string{"", "42 laurel S", "42 (laurel) S 1 2", "42 (laurel) S 1 2 3 0 -1 4194560 100 0 0 0 x y 7"} {
		if got, err := parseStat(broken); err == nil {
			t.Errorf("%q gave %v", broken, got)
		}
	}
}

func TestProcessCPU_ownProcess(t *testing.T) {
	seen, err := ProcessCPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	own, err := OwnCPU()
	if err != nil {
		t.Fatal(err)
	}
	if own < seen-20*time.Millisecond { // own was read later; /proc counts in steps of 10 ms
		t.Errorf("getrusage says %v, /proc said %v before", own, seen)
	}
}
