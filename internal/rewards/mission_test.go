package rewards_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// An attempt runs from its start until just before start and within.
func TestMission_Ends(t *testing.T) {
	const within = 100
	for name, test := range map[string]struct {
		starts []calendar.Instant
		met    calendar.Instant
		want   rewards.Mission
	}{
		"in the last moment":       {[]calendar.Instant{1000}, 1099, rewards.Mission{Status: rewards.Completed, Attempts: 1, StartedAt: 1000, CompletedAt: 1099}},
		"at the end":               {[]calendar.Instant{1000}, 1100, rewards.Mission{Status: rewards.Failed, Attempts: 1, Failures: 1, StartedAt: 1000, FailedAt: 1100, Startable: true}},
		"started again at the end": {[]calendar.Instant{1000, 1100}, 1100, rewards.Mission{Status: rewards.Completed, Attempts: 2, Failures: 1, StartedAt: 1100, FailedAt: 1100, CompletedAt: 1100}},
		"started while it runs":    {[]calendar.Instant{1000, 1099}, 1100, rewards.Mission{Status: rewards.Failed, Attempts: 1, Failures: 1, StartedAt: 1000, FailedAt: 1100, Startable: true}},
		"met before the start":     {[]calendar.Instant{1000}, 5, rewards.Mission{Status: rewards.Completed, Attempts: 1, StartedAt: 1000, CompletedAt: 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			e := &catalog.Earning{
				Achievements: []*catalog.Achievement{{Per: calendar.Cycle{Unit: calendar.All}, Criteria: make([]catalog.Criterion, 1)}},
				Missions:     []*catalog.Mission{{Needs: []catalog.Need{{Kind: catalog.OfAchievement}}, Required: true, Within: within * time.Millisecond, Attempts: 2}},
				Order:        []catalog.Derived{{Kind: "achievements"}, {Kind: "missions"}},
			}
			c := rewards.New(e, calendar.New(time.UTC, time.Monday, 0))
			u := &rewards.User{
				Achievements: []rewards.Kept{{Marks: []rewards.Mark{{Values: []rewards.Value{{N: 1, Met: true, MetAt: test.met}}}}}},
				Missions:     []rewards.KeptMission{{Starts: test.starts}},
			}
			var none, v rewards.View
			c.Derive(&v, u, 2000, 2000)
			if diff := gocmp.Diff(test.want, v.Missions[0], cmpopts.IgnoreUnexported(rewards.Mission{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var types []rewards.ChangeType
			for _, x := range c.Changes(nil, &none, &v)[1:] { // the first is the achievement
				types = append(types, x.Type)
			}
			if test.want.Attempts == 2 {
				if diff := gocmp.Diff([]rewards.ChangeType{rewards.MissionFailed, rewards.MissionStarted, rewards.MissionCompleted}, types); diff != "" {
					t.Errorf("changes (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// A mission whose needs hold without any progress starts, by itself, when that was noticed.
func TestMission_HoldsFromTheStart(t *testing.T) {
	e := &catalog.Earning{
		Wallets:  []*catalog.Wallet{{}},
		Levels:   []*catalog.Level{{Steps: []catalog.Step{{At: 0}}}},
		Missions: []*catalog.Mission{{Needs: []catalog.Need{{Kind: catalog.OfLevel, Step: 1}}, Attempts: 1}},
		Order:    []catalog.Derived{{Kind: "wallets"}, {Kind: "levels"}, {Kind: "missions"}},
	}
	var v rewards.View
	rewards.New(e, calendar.New(time.UTC, time.Monday, 0)).Derive(&v, &rewards.User{}, epoch, epoch)
	if m := v.Missions[0]; m.Status != rewards.Completed || m.StartedAt != epoch || m.CompletedAt != epoch {
		t.Errorf("%s, started at %v, completed at %v", m.Status, m.StartedAt, m.CompletedAt)
	}
}

// A lot of a day ends at the end of the last day that it can be spent on, which is after the instant before and at that instant.
func TestExpiries_Bounds(t *testing.T) {
	e := &catalog.Earning{Wallets: []*catalog.Wallet{{Lots: calendar.Day, Expires: 1}}, Order: []catalog.Derived{{Kind: "wallets"}}}
	c := rewards.New(e, calendar.New(time.UTC, time.Monday, 0))
	u := &rewards.User{Ledgers: make([]rewards.Ledger, 1)}
	u.Ledgers[0].Add(e.Wallets[0], 10, rewards.Row{At: 10 * aDay, Amount: 5})
	const end = 12 * aDay
	for now, balance := range map[calendar.Instant]int64{end - 1: 5, end: 0} {
		var v rewards.View
		c.Derive(&v, u, now, now)
		if v.Wallets[0].Balance != balance {
			t.Errorf("at %v the balance is %d, want %d", now, v.Wallets[0].Balance, balance)
		}
		for _, span := range []struct {
			after, to calendar.Instant
			rows      int
		}{{end - 1, end, 1}, {end, end + 1, 0}, {0, end - 1, 0}} {
			if rows := c.Expiries(nil, 0, &v, u, span.after, span.to); len(rows) != span.rows {
				t.Errorf("after %v to %v: %v", span.after, span.to, rows)
			}
		}
	}
}
