//go:build !race

package query

import "testing"

// TestAppendUser_Allocates: who is remembered is read without the store, which would take a hundred allocations, and shown in memory that is used again. (The race detector has pools forget.)
func TestAppendUser_Allocates(t *testing.T) {
	g := newRig(t)
	g.send("ann 1 " + noon)
	b, err := g.User(t.Context(), org, "ann")
	must(t, err)
	for g.recalled(key("ann")) == nil { // on a busy machine the follower may be late
		_, err = g.User(t.Context(), org, "ann")
		must(t, err)
	}
	most := 2.0 // now and then a pool is empty
	if n := testing.AllocsPerRun(100, func() { b, err = g.AppendUser(t.Context(), b[:0], org, "ann") }); n > most || err != nil {
		t.Errorf("%v allocations, %v; want at most %v", n, err, most)
	}
}
