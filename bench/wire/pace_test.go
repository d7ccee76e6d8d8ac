package wire

import (
	"bufio"
	"net"
	"testing"
	"time"
)

// TestPace_CountsTheWait: a server that stands still once makes every arrival of that time late, not only the one that it was busy with.
func TestPace_CountsTheWait(t *testing.T) {
	const stall = 200 * time.Millisecond
	first := make(chan struct{}, 1)
	first <- struct{}{}
	slow := func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			select {
			case <-first:
				timer := time.NewTimer(stall)
				<-timer.C
			default:
			}
			c.Write(line)
		}
	}
	got, err := Pace(t.Context(), dial(t, listen(t, slow), 1, NewRESP(1)), Arrivals{Requests: [][]byte{{'0', '\n'}}, PerSecond: 500, For: 2 * stall})
	if err != nil {
		t.Fatal(err)
	}
	if n := got.TotalCount(); n != 200 {
		t.Errorf("%d answers, want 200", n)
	}
	if half := time.Duration(got.ValueAtQuantile(75)) * time.Microsecond; half < stall/4 {
		t.Errorf("a quarter of the arrivals waited %v or more, though half of them came while the server stood still for %v", half, stall)
	}
	if worst := time.Duration(got.Max()) * time.Microsecond; worst < stall {
		t.Errorf("the longest wait is %v", worst)
	}
}
