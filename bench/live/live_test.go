//go:build linux

package live

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/bench/process"
)

// TestRun runs everything with tiny numbers, on real servers. How fast it was is worth nothing; that nothing was missed or wrong is.
func TestRun(t *testing.T) {
	program, err := process.BuildLaurel(t.Context(), "../..", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Settings{
		"top":    {View: "top", Connections: 40, Slow: 3, Limit: 5, Storm: 100 * time.Millisecond},
		"around": {View: "around", Connections: 20, PerView: 2, Span: 3, MaxHz: 5},
		"users":  {View: "users", Connections: 5},
		"user":   {View: "user", Connections: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.Rule, s.Period, s.Members, s.Rate, s.Duration = "points", "week", 300, 200, time.Second
			s.PerView, s.Limit = max(s.PerView, 1), max(s.Limit, 1)
			r, err := Run(t.Context(), Options{Settings: s, Program: program, Progress: io.Discard})
			if err != nil {
				t.Fatal(err)
			}
			if r.Final.Wrong != 0 || r.Final.Lost != 0 || r.Push.Missed != 0 {
				t.Errorf("wrong %d, lost %d (%s), missed %d", r.Final.Wrong, r.Final.Lost, r.Final.Error, r.Push.Missed)
			}
			if p := r.Push; p.Updates != 200 || p.Frames == 0 || p.Renders == 0 || p.ServerRSS == 0 || s.View != "user" && (p.Learned == 0 || p.FromSent.P99 <= 0) {
				t.Errorf("numbers are missing: %+v", p)
			}
			if storm := r.Storm; s.Storm > 0 && (storm == nil || storm.Settled.Max <= 0) {
				t.Errorf("numbers of the storm are missing: %+v", storm)
			}
			if err := r.Print(io.Discard); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestArrived: an update came with the first seq that shows its user with its score or more, whichever client was told so and when.
func TestArrived(t *testing.T) {
	updates := []update{{user: 1, batch: 0, score: 10}, {user: 1, batch: 1, score: 15}, {user: 2, batch: 1, score: 7}, {user: 1, batch: 2, score: 20}}
	seen := []shown{
		{view: 0, user: 1, seq: 6, score: 20}, {view: 0, user: 1, seq: 4, score: 15}, {view: 0, user: 2, seq: 5, score: 7}, // told in another order
		{view: 1, user: 2, seq: 1, score: 9},
	}
	want := []arrivals{{4: {0, 1}, 5: {1}, 6: {2}}, {1: {1}}}
	if diff := cmp.Diff(want, arrived(updates, seen, 2)); diff != "" {
		t.Error(diff)
	}
}

func TestMostWithin(t *testing.T) {
	at := func(client int32, ms ...int) (list []receipt) {
		for _, n := range ms {
			list = append(list, receipt{at: time.Duration(n) * time.Millisecond, client: client})
		}
		return list
	}
	all := append(at(1, 0, 400, 900, 1000, 1300, 1300, 1399), at(2, 0, 999, 2000)...)
	if most, apart := mostWithin(all, time.Second); most != 6 || apart != 5 { // 400 to 1399
		t.Errorf("%d, read apart %d; want 6, 5", most, apart)
	}
}

func TestFrame_Pieces(t *testing.T) {
	var stream []byte
	want := [][]byte{[]byte("a"), bytes.Repeat([]byte("b"), 300), bytes.Repeat([]byte("c"), 70_000)}
	stream = append(stream, 0x81, 1, 'a', 0x81, 126, 300>>8, 300&0xff)
	stream = append(stream, want[1]...)
	stream = append(stream, 0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70)
	stream = append(stream, want[2]...)
	var held []byte
	var got [][]byte
	for len(stream) > 0 {
		n := min(7, len(stream))
		held, stream = append(held, stream[:n]...), stream[n:]
		for {
			_, payload, rest, ok, err := frame(held)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			got, held = append(got, bytes.Clone(payload)), rest
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("frames came otherwise than they were sent")
	}
	if _, _, _, _, err := frame([]byte{0x01, 1, 'a'}); err == nil {
		t.Error("a fragment was taken for a message")
	}
}

// TestState_Apply takes a client through deltas, one of which it must refuse.
func TestState_Apply(t *testing.T) {
	var s *state
	for _, text := range []string{
		`{"type":"snapshot","id":"v","epoch":"e","seq":3,"total":2,"rows":[{"rank":1,"user":"a","score":5},{"rank":2,"user":"b","score":4}]}`,
		`{"type":"delta","id":"v","prev":3,"seq":4,"total":3,"upsert":[{"rank":1,"user":"c","score":9},{"rank":2,"user":"a","score":5}],"remove":["b"]}`,
	} {
		list, err := decode([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if s, _, err = s.apply(&list[0]); err != nil {
			t.Fatal(err)
		}
	}
	want := &state{total: 3, rows: []row{{Rank: 1, User: "c", Score: 9}, {Rank: 2, User: "a", Score: 5}}}
	if !s.shows(want, "top") || s.seq != 4 {
		t.Errorf("%+v", s)
	}
	if _, _, err := s.apply(&message{Type: "delta", Prev: 3, Seq: 5}); err == nil {
		t.Error("a delta from another seq was applied")
	}
	if s.shows(&state{total: 3, rows: want.rows[:1]}, "top") || (*state)(nil).shows(want, "top") {
		t.Error("a wrong view was taken for right")
	}
}
