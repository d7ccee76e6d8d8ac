//go:build linux

package live

import (
	"fmt"
	"strconv"
	"strings"
)

// names are the user ids of a run: its own, so that a server that has users already is no matter.
type names struct{ prefix string }

const nameDigits = 7

func (n names) user(i int) string { return fmt.Sprintf("%s%0*d", n.prefix, nameDigits, i) }

// index is which user an id names; ok is false for an id of someone else.
func (n names) index(user string) (i int, ok bool) {
	digits, ok := strings.CutPrefix(user, n.prefix)
	if !ok || len(digits) != nameDigits {
		return 0, false
	}
	i, err := strconv.Atoi(digits)
	return i, err == nil
}
