package progress_test

import (
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"laurel/internal/activity"
	"laurel/internal/calendar"
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

// TestParse_ReadsFormat3: a state as it was written in format 3; it must be read for as long as there are such states, and is written in the form of today.
func TestParse_ReadsFormat3(t *testing.T) {
	text, err := os.ReadFile("testdata/format3")
	if err != nil {
		t.Fatal(err)
	}
	s, err := progress.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Rules) == 0 || len(s.Zones) != 1 || len(s.Streaks) == 0 || len(s.Streaks[0].Marks) == 0 {
		t.Errorf("%+v", s)
	}
	again, err := progress.Parse(string(s.Append(nil)))
	if diff := cmp.Diff(s, again, cmpopts.IgnoreUnexported(progress.PeriodTally{}, streaks.Sum{}), cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v (-format 3 +format 4)\n%s", err, diff)
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

// TestParse_ReadsFormat4: a state as it was written in format 4, of a user of whom everything but earnings was known. That of today differs in the number alone.
func TestParse_ReadsFormat4(t *testing.T) {
	text, err := os.ReadFile("testdata/format4")
	if err != nil {
		t.Fatal(err)
	}
	s, err := progress.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("\x06"+string(text[1:]), string(s.Append(nil))); text[0] != 4 || s.Earnings != nil || diff != "" {
		t.Error(diff)
	}
}

// TestParse_ReadsFormat5: a state as it was written in format 5, of a user who earned. That of today differs in the number and in having no bounties.
func TestParse_ReadsFormat5(t *testing.T) {
	text, err := os.ReadFile("testdata/format5")
	if err != nil {
		t.Fatal(err)
	}
	s, err := progress.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("\x06"+string(text[1:])+"\x00", string(s.Append(nil))); text[0] != 5 || s.Earnings == nil || diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	whole := sampleState(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
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
		if _, err := progress.Parse(string(s.Append(nil))); err != nil {
			t.Errorf("what it wrote again: %v", err)
		}
	})
}
