package oracle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/oracle"
)

// TestCourse asks for the streaks of random users at one instant after the other, while they do things, late ones too: a Course says what Streak does.
func TestCourse(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	rules := []*oracle.Streak{daily(1), daily(1, event, freezes(1, 2, 2)), daily(2, grace(20), freezes(0, 3, 1)), daily(1, decay(2), workdays), daily(1, none, holiday),
		daily(1, user, lead(6), grace(6)), daily(1, weekly, freezes(1, 0, 1)), daily(1, raised, freezes(0, 0, 2))}
	for range 60 {
		m := model("")
		courses := make([]*oracle.Course, len(rules))
		for i, rule := range rules {
			courses[i] = m.Course(rule, "u")
		}
		somewhen := func(days int) time.Time { return at("02").Add(time.Duration(random.IntN(days*24*60)) * time.Minute) }
		moves(fmt.Sprintf("%02dT10:00", 3+random.IntN(9)), "Pacific/Honolulu")(m)
		pause("03T00:00", "09", fmt.Sprintf("%02d", 8+random.IntN(3)))(m)
		grant(fmt.Sprintf("%02dT10:00", 3+random.IntN(9)), 1)(m)
		restore(fmt.Sprintf("%02dT10:00", 10+random.IntN(9)), "07", "09")(m)
		optOut(fmt.Sprintf("%02dT10:00", 3+random.IntN(90)%27), true)(m)
		var instants []time.Time
		for range 12 {
			instants = append(instants, somewhen(26))
		}
		slices.SortFunc(instants, time.Time.Compare)
		for n, now := range instants {
			for k := range random.IntN(4) {
				late := now.Add(-time.Duration(random.IntN(3*24)) * time.Hour).In(time.FixedZone("", 3600*(random.IntN(2))))
				m.Records = append(m.Records, oracle.Record{ID: fmt.Sprint(n, k), User: "u", At: late})
			}
			for i, rule := range rules {
				want, got := m.Streak(rule, "u", now), courses[i].At(now)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("rule %d at %s (-Streak +Course)\n%s", i, now, diff)
				}
			}
		}
		if want, got := m.Streak(rules[0], "u", instants[3]), courses[0].At(instants[3]); !cmp.Equal(want, got) {
			t.Fatalf("at an earlier instant (-Streak +Course)\n%s", cmp.Diff(want, got))
		}
	}
}
