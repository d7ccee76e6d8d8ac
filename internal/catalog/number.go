package catalog

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// MaxDecimals bounds Rule.Decimals: with 6, the scaled integers still reach 9·10^9 on either side.
const MaxDecimals = 6

// ErrRange says that a number leaves ±2^53 once it is scaled.
var ErrRange = errors.New("number is beyond ±2^53 in the rule's decimals")

// Round gives v·10^decimals as an integer, rounded half away from zero on the shortest decimal text of v: 1.005 with 2 decimals is 101,
// although the float64 lies below 1.005. decimals is within 0 and MaxDecimals. It fails with ErrRange, also for NaN and infinities.
func Round(v float64, decimals int) (int64, error) {
	scale := pow10(decimals)
	if v == math.Trunc(v) {
		if math.Abs(v) > float64(MaxExact/scale) {
			return 0, ErrRange
		}
		return int64(v) * scale, nil
	}
	if math.IsNaN(v) || math.Abs(v) > MaxExact {
		return 0, ErrRange
	}
	return roundText(v, decimals)
}

// roundText rounds the shortest text of a v that has a fraction: at most 17 digits and an exponent.
func roundText(v float64, decimals int) (int64, error) {
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], v, 'e', -1, 64)
	var digits, shift int64 // |v| = digits · 10^shift
	fraction := false
	for i, c := range text {
		switch {
		case c == '-', c == '+':
		case c == '.':
			fraction = true
		case c == 'e':
			exponent, _ := strconv.Atoi(string(text[i+1:]))
			shift += int64(exponent)
		default:
			digits = digits*10 + int64(c-'0')
			if fraction {
				shift--
			}
		}
		if c == 'e' {
			break
		}
	}
	n := scaled(digits, shift+int64(decimals))
	if n > MaxExact {
		return 0, ErrRange
	}
	if v < 0 {
		n = -n
	}
	return n, nil
}

// scaled is digits·10^shift, rounded half up. digits has at most 17 digits, and the result is known to be small where shift > 0: v has a
// fraction, so |v| < 2^53, and decimals ≤ 6.
func scaled(digits, shift int64) int64 {
	switch {
	case shift >= 0:
		return digits * pow10(int(shift))
	case shift < -17:
		return 0
	}
	divisor := pow10(int(-shift))
	quotient, rest := digits/divisor, digits%divisor
	if rest >= divisor-rest {
		quotient++
	}
	return quotient
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// FormatScaled appends n·10^-decimals as a JSON number: without exponent and without zeros at the end.
func FormatScaled(b []byte, n int64, decimals int) []byte {
	if decimals == 0 {
		return strconv.AppendInt(b, n, 10)
	}
	scale := pow10(decimals)
	whole, rest := n/scale, n%scale
	if rest == 0 {
		return strconv.AppendInt(b, whole, 10)
	}
	if n < 0 {
		b = append(b, '-')
		whole, rest = -whole, -rest
	}
	b = strconv.AppendInt(b, whole, 10)
	b = append(b, '.')
	for rest > 0 {
		scale /= 10
		b = append(b, byte('0'+rest/scale))
		rest %= scale
	}
	return b
}

// ParseScaled reads a decimal number (-12, 3.50) as an integer scaled by decimals: what FormatScaled writes, and the same with zeros at
// either end. It takes no exponent, no sign + and no more decimals than that, zeros aside; ok is false for these and beyond ±2^53.
func ParseScaled(text string, decimals int) (n int64, ok bool) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" || point && strings.HasSuffix(digits, ".") || len(fraction) > decimals {
		return 0, false
	}
	for _, c := range []byte(whole + fraction + strings.Repeat("0", decimals-len(fraction))) {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + int64(c-'0'); n > MaxExact {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, true
}
