package catalog

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRound(t *testing.T) {
	tests := []struct {
		v        float64
		decimals int
		want     int64
		fails    bool
	}{
		{1.005, 2, 101, false},
		{-1.005, 2, -101, false},
		{2.675, 2, 268, false},
		{0.5, 0, 1, false},
		{-0.5, 0, -1, false},
		{0.49999999999999994, 0, 0, false},
		{1e-300, 6, 0, false},
		{5e-7, 6, 1, false},
		{4.9e-7, 6, 0, false},
		{math.Copysign(0, -1), 3, 0, false},
		{1 << 53, 0, 1 << 53, false},
		{-(1 << 53), 0, -(1 << 53), false},
		{1<<53 + 2, 0, 0, true},
		{9007199254.740992, 6, 1 << 53, false},
		{9007199254.740994, 6, 0, true},
		{9007199255, 6, 0, true},
		{1e300, 0, 0, true},
		{math.Inf(1), 0, 0, true},
		{math.NaN(), 2, 0, true},
	}
	for _, test := range tests {
		got, err := Round(test.v, test.decimals)
		if got != test.want || errors.Is(err, ErrRange) != test.fails {
			t.Errorf("Round(%v, %d) = %d, %v; want %d, fails %v", test.v, test.decimals, got, err, test.want, test.fails)
		}
	}
}

// modelRound rounds the shortest text exactly, in rationals.
func modelRound(v float64, decimals int) *big.Int {
	exact, ok := new(big.Rat).SetString(strconv.FormatFloat(v, 'f', -1, 64))
	if !ok {
		return nil
	}
	exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)))
	negative := exact.Sign() < 0
	exact.Abs(exact).Add(exact, big.NewRat(1, 2))
	floor := new(big.Int).Div(exact.Num(), exact.Denom())
	if negative {
		floor.Neg(floor)
	}
	return floor
}

func TestRound_AgreesWithRationals(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 53)
	rapid.Check(t, func(t *rapid.T) {
		decimals := rapid.IntRange(0, MaxDecimals).Draw(t, "decimals")
		v := rapid.OneOf(
			rapid.Float64(),
			rapid.Float64Range(-10_000_000_000, 10_000_000_000),
			// Halves of the last digit, where rounding the binary value would go astray.
			rapid.Custom(func(t *rapid.T) float64 {
				f, _ := strconv.ParseFloat(strconv.FormatInt(rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "n"), 10)+"5e-"+
					strconv.Itoa(rapid.IntRange(1, 9).Draw(t, "e")), 64)
				return f
			}),
		).Draw(t, "v")
		want := modelRound(v, decimals)
		got, err := Round(v, decimals)
		if want.CmpAbs(limit) > 0 {
			if !errors.Is(err, ErrRange) {
				t.Fatalf("Round(%v, %d) = %d, want ErrRange", v, decimals, got)
			}
			return
		}
		if err != nil || want.Int64() != got {
			t.Fatalf("Round(%v, %d) = %d, %v; want %v", v, decimals, got, err, want)
		}
	})
}

func TestFormatScaled(t *testing.T) {
	for _, test := range []struct {
		n        int64
		decimals int
		want     string
	}{{12, 0, "12"}, {150, 2, "1.5"}, {-1, 2, "-0.01"}, {1200, 2, "12"}, {0, 6, "0"}, {1 << 53, 6, "9007199254.740992"}, {-100500, 3, "-100.5"}} {
		if got := string(FormatScaled([]byte("x"), test.n, test.decimals)); got != "x"+test.want {
			t.Errorf("FormatScaled(%d, %d) = %s", test.n, test.decimals, got)
		}
	}
}

func TestFormatScaled_IsTheExactNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-MaxExact, MaxExact).Draw(t, "n")
		decimals := rapid.IntRange(0, MaxDecimals).Draw(t, "decimals")
		text := string(FormatScaled(nil, n, decimals))
		got, ok := new(big.Rat).SetString(text)
		want := new(big.Rat).SetFrac(big.NewInt(n), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("FormatScaled(%d, %d) = %s, want %v", n, decimals, text, want)
		}
		if strings.Contains(text, ".") && strings.HasSuffix(text, "0") {
			t.Fatalf("%s has zeros at the end", text)
		}
		if max(n, -n) > 1_000_000_000_000_000 && decimals > 0 {
			return // beyond 15 digits, neighbours with a fraction share a float64
		}
		if f, err := strconv.ParseFloat(text, 64); err != nil {
			t.Fatal(err)
		} else if back, err := Round(f, decimals); err != nil || back != n {
			t.Fatalf("%s read again is %d, %v; want %d", text, back, err, n)
		}
	})
}

func TestParseScaled(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "-0": 0, "12": 1200, "-12.5": -1250, "3.50": 350, "003.0500000": 305, "90071992547409.92": MaxExact,
		"-90071992547409.92": -MaxExact} {
		if n, ok := ParseScaled(text, 2); n != want || !ok {
			t.Errorf("ParseScaled(%q) = %d, %v, want %d", text, n, ok, want)
		}
	}
	for _, text := range []string{"", "-", ".", ".5", "5.", "1.001", "+1", "1e3", "0x1", " 1", "1 ", "--1", "1.2.3", "NaN", "٣", "90071992547409.93", "99999999999999999999"} {
		if n, ok := ParseScaled(text, 2); ok {
			t.Errorf("ParseScaled(%q) = %d", text, n)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n, decimals := rapid.Int64Range(-MaxExact, MaxExact).Draw(t, "n"), rapid.IntRange(0, MaxDecimals).Draw(t, "decimals")
		if got, ok := ParseScaled(string(FormatScaled(nil, n, decimals)), decimals); got != n || !ok {
			t.Errorf("written and read again, %d is %d", n, got)
		}
	})
}
