package catalog

import (
	"fmt"
	"strings"
	"testing"
)

// One circle through everything that may be is told once, and what is wrong everywhere is cut.
func TestParse_HostileEarning(t *testing.T) {
	var circle, unknown strings.Builder
	for i := range 500 {
		fmt.Fprintf(&circle, "{id: a%d, all: [%s{achievement: a%d}]}, ", i, strings.Repeat(fmt.Sprintf("{achievement: a%d}, ", (i+7)%500), 15), (i+1)%500)
		fmt.Fprintf(&unknown, "{id: a%d, all: [%s{achievement: b}]}, ", i, strings.Repeat("{achievement: b}, ", 15))
	}
	for source, faults := range map[string]int{circle.String(): 1, unknown.String(): maxFaults + 1} {
		_, err := ParseOrg([]byte("{id: x, achievements: [" + source + "]}"))
		if told, _ := err.(Faults); len(told) != faults || len(err.Error()) > 100_000 {
			t.Errorf("%d faults in %d bytes, want %d", len(told), len(err.Error()), faults)
		}
	}
}
