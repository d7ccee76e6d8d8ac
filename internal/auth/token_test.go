package auth

import (
	"strings"
	"testing"
)

func TestNewToken(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		token := newToken(Secret)
		body, sum := token[:len(token)-checkLen], token[len(token)-checkLen:]
		if !strings.HasPrefix(token, "sk_") || len(token) != 3+secretLen+checkLen || checksum(body) != sum || !usableToken(token) {
			t.Fatalf("malformed token %q", token)
		}
		if seen[token] {
			t.Fatalf("token %q came twice", token)
		}
		seen[token] = true
	}
}

func TestRandomText_UsesEveryCharacterAlike(t *testing.T) {
	const n = 62 * 2000
	counts := map[rune]int{}
	for _, c := range randomText(n) {
		counts[c]++
	}
	for _, c := range base62 { // 2000 expected, standard deviation 45: eight of them
		if counts[c] < 1640 || counts[c] > 2360 {
			t.Errorf("character %c came %d times in %d", c, counts[c], n)
		}
	}
}
