package index

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSpeed_Conclude(t *testing.T) {
	var s Speed
	for _, ns := range [][2]float64{{100, 900}, {100, 500}, {100, 300}} {
		p := Pair{}
		p.run(len(s.Pairs), []func(){
			func() { p.Board, p.Single = Side{N: 1, PerSecond: 4, CPUNanos: ns[0]}, Side{CPUNanos: 2 * ns[0]} },
			func() { p.Redis = Side{N: 1, PerSecond: 2, CPUNanos: ns[1]} },
		})
		s.Pairs = append(s.Pairs, p)
	}
	s.conclude(5)
	if m := s.Median; m.CPURatio != 5 || m.Ratio != 2 || m.SingleCPURatio != 2.5 || m.Redis.CPUNanos != 500 || !s.Met {
		t.Errorf("%+v, met %v", m, s.Met)
	}
	if s.conclude(5.1); s.Met {
		t.Error("5 meets a bar of 5.1")
	}
}

func TestPair_RunsInTurn(t *testing.T) {
	var order []int
	sides := make([]func(), 3)
	for i := range sides {
		sides[i] = func() { order = append(order, i) }
	}
	for turn := range 3 {
		(&Pair{}).run(turn, sides)
	}
	if d := cmp.Diff([]int{0, 1, 2, 1, 2, 0, 2, 0, 1}, order); d != "" {
		t.Error(d)
	}
}

func TestSize_Conclude(t *testing.T) {
	s := Size{Members: barMembers, Memory: Memory{Heap: 60, Resident: 63, HeapAfter: 64}}
	for _, seconds := range []float64{1, 2.9, 9} {
		p := LoadPair{Board: LoadSide{Seconds: seconds}, Client: LoadSide{Seconds: 2}, Raw: LoadSide{Seconds: 1}}
		p.conclude()
		s.Load.Pairs = append(s.Load.Pairs, p)
	}
	s.conclude()
	if !s.Memory.Met || !s.Load.Met || s.Load.Median.RatioRaw != 2.9 || s.Load.Median.RatioClient != 1.45 {
		t.Errorf("%+v %+v", s.Memory, s.Load.Median)
	}
	r := Result{Sizes: []Size{s}}
	if r.Met() { // updates and ranks have no pairs
		t.Error("a bar without a measurement is met")
	}
	r.Sizes[0].Updates.Met, r.Sizes[0].Ranks.Met = true, true
	if !r.Met() {
		t.Error("all bars are met, and the result says otherwise")
	}
	r.Sizes[0].Memory.HeapAfter = 64.1
	if r.Sizes[0].conclude(); r.Sizes[0].Memory.Met {
		t.Error("64.1 bytes meet a bar of 64")
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil || !strings.Contains(out.String(), "MISSED") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestSpans(t *testing.T) {
	var s spans
	for i := range 1001 {
		s = append(s, time.Duration(1000-i)*time.Microsecond)
	}
	if d := cmp.Diff(Pause{N: 1001, P50: 500, P99: 990, P999: 999, Max: 1000}, s.pause()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(Pause{}, spans(nil).pause()); d != "" {
		t.Error(d)
	}
}

func TestSettings_Validate(t *testing.T) {
	good := Settings{Members: []int{1000}, Pairs: 1, Seconds: 0.1}
	if err := good.validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Settings{{}, {Members: []int{999}, Pairs: 1, Seconds: 1}, {Members: []int{5000}, Seconds: 1}, {Members: []int{5000}, Pairs: 1}} {
		if bad.validate() == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestAppendUser(t *testing.T) {
	for n, want := range map[int]string{0: "user-00000000", 7654321: "user-07654321", 99999999: "user-99999999"} {
		if got := string(appendUser(nil, n)); got != want || len(got) != userLength {
			t.Errorf("member %d is %q", n, got)
		}
	}
}
