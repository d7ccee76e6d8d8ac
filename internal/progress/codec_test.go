package progress_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/rewards"
	"laurel/streaks"
)

// sampleState is the bytes of a state with something in every part of it.
func sampleState(t interface{ Fatal(...any) }) string {
	c, _ := compile(t, "UTC", time.Monday)
	p := progress.NewPlan(c)
	s := &progress.State{Sealed: 5, Attributes: []progress.Attribute{{Name: "country", Value: "AT"}}, Zones: []progress.ZoneChange{{At: 7, Name: "Europe/Berlin"}}}
	begin := date("2026-03-10")
	var acts []activity.Activity
	for i := range 12 {
		r := oracle.Record{ID: string(rune('a' + i)), User: "u", Name: string("abc"[i%3]), At: begin.Add(time.Duration(i) * 9 * time.Hour),
			Value: float64(i) - 3, HasValue: i%2 == 0, Meta: map[string]any{"n": float64(i - 4), "tag": string("xyz"[i%3])}}
		acts = append(acts, activityOf(&r))
	}
	progress.Apply(p, s, acts, acts[11].At)
	s.Hidden, s.Blocked, s.Merged = true, true, "ada"
	e := s.Earnings
	e.Summed, e.Missions = 6, []progress.MissionState{{ID: "onboarding", KeptMission: rewards.KeptMission{Starts: []calendar.Instant{4, 8}, Noted: 11}},
		{ID: "hard", KeptMission: rewards.KeptMission{Completed: true, CompletedAt: 12}}}
	e.Achievements[0].Noted, e.Achievements[1].Times, e.Achievements[1].Last, e.Achievements[1].FirstAt, e.Achievements[1].LastAt = 3, 2, 20_000, 14, 15
	w := &e.Wallets[1]
	w.Redeemed, w.Spent, w.Refunded, w.Set, w.Categories[3] = 1, 2, 3, -4, 5
	w.Carry = rewards.Carry{From: 20_500, Lots: []rewards.Lot{{Ordinal: 20_499, Left: 7}}, Owed: 8, Expired: 9}
	e.Bounties = []progress.OpenBounty{{ID: "a"}, {ID: "b", Bounty: "bug", Row: activity.Row{Wallet: "gems", Decimals: 2, Type: uint8(rewards.Spend), Category: 1, Amount: -3}}}
	s.Behaviours = []progress.BehaviourState{{Name: "a", LastAt: 9, Counts: []progress.PeriodCount{{Ordinal: 3, N: 4}}}}
	return string(s.Append(nil))
}

func TestParse_TakesWholeStatesOnly(t *testing.T) {
	whole := sampleState(t)
	s, err := progress.Parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, string(s.Append(nil))); diff != "" {
		t.Error(diff)
	}
	if e := s.Earnings; e == nil || len(e.Wallets) != 3 || len(e.Achievements) < 5 || len(e.Missions) != 2 || e.Achievements[0].Noted != 3 || e.Wallets[1].Carry.Expired != 9 {
		t.Errorf("the sample lacks something that was earned: %+v", e)
	}
	if b := s.Earnings.Bounties; len(b) != 2 || b[1].Row.Amount != -3 {
		t.Errorf("bounties %+v", b)
	}
	if len(s.Rules) == 0 || len(s.Streaks) == 0 || len(s.Zones) != 1 || len(s.Behaviours) != 1 || s.Sealed != 5 {
		t.Errorf("the sample lacks something: %+v", s)
	}
	for n := 1; n < len(whole); n++ {
		if _, err := progress.Parse(whole[:n]); !errors.Is(err, progress.ErrBadState) {
			t.Fatalf("the first %d bytes of %d: %v", n, len(whole), err)
		}
	}
	if _, err := progress.Parse(whole + "x"); !errors.Is(err, progress.ErrBadState) {
		t.Errorf("a byte too many: %v", err)
	}
	if s, err := progress.Parse(""); err != nil || s.Plan != 0 {
		t.Errorf("no bytes: %+v, %v", s, err)
	}
}

// TestParse_ReadsEarlierFormats: states as they were written once. They must be read for as long as there are such states, and are written in the form of today, which means the same.
func TestParse_ReadsEarlierFormats(t *testing.T) {
	for _, c := range []struct {
		format byte
		has    func(*progress.State) bool
	}{
		{3, func(s *progress.State) bool { return len(s.Streaks[0].Marks) > 0 && s.Earnings == nil }},
		{4, func(s *progress.State) bool { return len(s.Behaviours) > 0 && s.Earnings == nil }},
		{5, func(s *progress.State) bool { return len(s.Earnings.Achievements) > 0 && len(s.Earnings.Bounties) == 0 }},
		{6, func(s *progress.State) bool {
			a, w := s.Earnings.Achievements, s.Earnings.Wallets
			return len(a) > 4 && a[1].Times == 2 && len(a[0].Conditions) > 0 && w[1].Carry.Expired == 9 && len(s.Earnings.Bounties) == 2
		}},
	} {
		t.Run(fmt.Sprint(c.format), func(t *testing.T) {
			text, err := os.ReadFile(fmt.Sprint("testdata/format", c.format))
			if err != nil {
				t.Fatal(err)
			}
			s, err := progress.Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if text[0] != c.format || len(s.Rules) == 0 || len(s.Zones) != 1 || len(s.Streaks) == 0 || !c.has(s) {
				t.Errorf("format %d lacks something: %d rules, %d streaks, earnings %+v", text[0], len(s.Rules), len(s.Streaks), s.Earnings)
			}
			written := s.Append(nil)
			again, err := progress.Parse(string(written))
			if diff := cmp.Diff(s, again, cmpopts.IgnoreUnexported(progress.PeriodTally{}, streaks.Sum{}), cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("%v (-as written once +as written today)\n%s", err, diff)
			}
			if len(written) >= len(text) {
				t.Errorf("%d bytes became %d", len(text), len(written))
			}
		})
	}
}

// maxParseBytes bounds what a byte of a damaged state may make Parse allocate: each level of lists may claim as many elements as bytes are left.
const maxParseBytes = 4096

// TestParse_DamagedStatesTakeLittleMemory puts a great number in the place of each byte in turn.
func TestParse_DamagedStatesTakeLittleMemory(t *testing.T) {
	whole := sampleState(t)
	var before, after runtime.MemStats
	for i := range len(whole) {
		for _, n := range []string{"\xff\x7f", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
			damaged := whole[:i] + n + whole[i+1:]
			runtime.ReadMemStats(&before)
			_, err := progress.Parse(damaged)
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > maxParseBytes*uint64(len(damaged)) {
				t.Fatalf("byte %d as %x: %d bytes made it allocate %d (%v)", i, n, len(damaged), got, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	whole := sampleState(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	for n := 3; n < 7; n++ {
		text, err := os.ReadFile(fmt.Sprint("testdata/format", n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Add("\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\x7f")
	f.Fuzz(func(t *testing.T, content string) {
		s, err := progress.Parse(content)
		if err != nil {
			if !errors.Is(err, progress.ErrBadState) {
				t.Errorf("unnamed error %v", err)
			}
			return
		}
		written := string(s.Append(nil))
		again, err := progress.Parse(written)
		if err != nil {
			t.Fatalf("what it wrote again: %v", err)
		}
		if string(again.Append(nil)) != written {
			t.Error("what it wrote again is another state")
		}
	})
}

// TestAppend_InstantsThatRecur: lists that name the same instants in the same order, in another one, and with others in between, are read as they were written.
func TestAppend_InstantsThatRecur(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		at := make([]calendar.Instant, 1+random.IntN(400))
		for i := range at {
			at[i] = calendar.Instant(1_700_000_000_000 + int64(i)*int64(1+random.IntN(200_000_000)))
		}
		s := &progress.State{Sealed: at[0], Plan: 1}
		for r := range 1 + random.IntN(5) {
			from, orderly, sets := random.IntN(len(at)), random.IntN(3) > 0, random.IntN(3) == 0
			if random.IntN(2) == 0 {
				from = 0 // as others do
			}
			var periods []progress.PeriodTally
			for i := range 1 + random.IntN(30) {
				n := (from + i) % len(at)
				if !orderly {
					n = random.IntN(len(at))
				}
				p := progress.PeriodTally{Ordinal: calendar.Ordinal(20_000 + i + i/9), Tally: fold.Tally{Some: true, Value: int64(random.IntN(300)), Reached: at[n]}}
				if sets {
					for range 1 + random.IntN(3) {
						p.Set = append(p.Set, fold.Distinct{Value: "v", First: at[random.IntN(len(at))]})
					}
				}
				periods = append(periods, p)
			}
			s.Rules = append(s.Rules, progress.RuleState{ID: fmt.Sprint("r", r), Cycles: []progress.CycleState{{Key: "day", Periods: periods}}})
		}
		again, err := progress.Parse(string(s.Append(nil)))
		if diff := cmp.Diff(s, again, cmpopts.IgnoreUnexported(progress.PeriodTally{}, streaks.Sum{}), cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatalf("%v (-written +read)\n%s", err, diff)
		}
	}
}
