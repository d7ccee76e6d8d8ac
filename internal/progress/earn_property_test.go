package progress_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/rewards"
)

// earnedTold is what events have told of what was earned.
type earnedTold struct {
	Earned   map[string]int64
	Levels   map[string]int
	Done     map[string]bool // achievements with their periods
	Missions map[string]bool // completed
}

// hear takes in the events of a commit.
func (u *user) hear(events []progress.Event) {
	h := u.told
	for i := range events {
		e := events[i].Earned
		if e == nil || h == nil {
			continue
		}
		id, done := events[i].Rule, events[i].Rule+" "+events[i].Period
		switch e.Type {
		case rewards.PointsEarned:
			h.Earned[id] += e.Amount
		case rewards.LevelReached:
			if h.Levels[id]++; h.Levels[id] != e.Step {
				u.fatalf("level %s: step %d is told as number %d", id, e.Step, h.Levels[id])
			}
		case rewards.LevelUndone:
			if h.Levels[id] != e.Step {
				u.fatalf("level %s: step %d is undone, told was %d", id, e.Step, h.Levels[id])
			}
			h.Levels[id]--
		case rewards.AchievementCompleted:
			if h.Done[done] {
				u.fatalf("achievement %s is told twice", done)
			}
			h.Done[done] = true
		case rewards.AchievementUndone:
			if !h.Done[done] {
				u.fatalf("achievement %s is undone and was not told", done)
			}
			delete(h.Done, done)
		case rewards.MissionCompleted:
			h.Missions[id] = true
		case rewards.MissionUndone:
			delete(h.Missions, id)
		}
	}
}

// compareTold compares what was told with what the model shows. What is taken back is told of wallets only by what they are.
func (u *user) compareTold() {
	shown := u.earner.Earned(u.now)
	want := &earnedTold{map[string]int64{}, map[string]int{}, map[string]bool{}, map[string]bool{}}
	for i, w := range u.catalog.Wallets {
		want.Earned[w.ID] = shown.Wallets[i].Earned
	}
	for i, l := range u.catalog.Levels {
		want.Levels[l.ID] = shown.Levels[i]
	}
	for i, a := range u.catalog.Achievements {
		for _, label := range u.earner.Completed(i, u.now) {
			want.Done[a.ID+" "+label] = true
		}
	}
	for i, m := range u.catalog.Missions {
		if shown.Missions[i].Status == "completed" {
			want.Missions[m.ID] = true
		}
	}
	if u.told != nil {
		for id, n := range want.Earned {
			if u.told.Earned[id] >= n {
				u.told.Earned[id] = n
			}
		}
		if u.now.Sub(u.begin) > 7*24*time.Hour { // of recurring ones there is no news of periods that were summed up
			recurs := func(done string, _ bool) bool {
				return !strings.HasSuffix(done, " all") && want.Done[done] != u.told.Done[done]
			}
			maps.DeleteFunc(u.told.Done, recurs)
			for done := range want.Done {
				if recurs(done, true) {
					u.told.Done[done] = true
				}
			}
		}
		if diff := gocmp.Diff(want, u.told); diff != "" {
			u.fatalf("at %v, sealed %v: told otherwise (-model +told)\n%s", u.now, u.sealed, diff)
		}
	}
	u.told = want
}

// silence makes no activity count for a streak: what comes late is then decided by what is earned alone.
func (u *user) silence() {
	for i, rule := range u.catalog.Streaks {
		silent := *rule
		silent.Conditions = slices.Clone(rule.Conditions)
		for k := range silent.Conditions {
			silent.Conditions[k].Names, silent.Conditions[k].AnyKind = []string{"nothing"}, false
			u.streaks[i].Conditions[k].Match = named("nothing")
		}
		u.catalog.Streaks[i] = &silent
	}
	u.replan()
}

// reward changes an award, a criterion, a level and a mission, while nothing is sealed.
func (u *user) reward() {
	if !u.sealed.IsZero() {
		return
	}
	u.sweep()
	k := rapid.IntRange(0, 3).Draw(u.t, "redefined")
	source := fmt.Sprintf(definitions, u.catalog.Zone, strings.ToLower(u.catalog.WeekStart.String()))
	old := []string{"points: 2, category", "name: a}, at_least: 3", "{at: 15", "within: 10d"}[k]
	changed := []string{"points: 3, category", "name: a}, at_least: 2", "{at: 9", "within: 3d"}[k]
	if !strings.Contains(source, old) {
		u.fatalf("no %q", old)
	}
	all, err := catalog.Parse([]byte(strings.Replace(source, old, changed, 1)))
	if err != nil {
		u.t.Fatal(err)
	}
	fresh := oracleEarner(u.model, u.streaks).Earning
	switch k {
	case 0:
		fresh.Awards[0].Number = func(*oracle.Record) (float64, bool) { return 3, true }
	case 1:
		fresh.Achievements[0].Criteria[0].AtLeast = 2
	case 2:
		fresh.Levels[0].Steps[1] = 9
	case 3:
		fresh.Missions[0].Within = 3 * 24 * time.Hour
	}
	varied := *u.catalog
	varied.Earning = all[0].Earning
	u.catalog, u.earner.Earning = &varied, fresh
	u.replan()
	u.apart()
	u.rebuild()
}

// TestEarned_EqualsTheModel looks at what is earned only, over longer stretches, in which it is summed up: late and imported activities, rejects, restores, folds, other definitions, and
// what was told.
func TestEarned_EqualsTheModel(t *testing.T) {
	all := scenes()
	rapid.Check(t, func(t *rapid.T) {
		s := all[rapid.IntRange(0, len(all)-1).Draw(t, "scene")]
		s.days = rapid.SampledFrom([]int{s.days, 45, 70}).Draw(t, "days")
		u := newUser(t, &s)
		u.earnedOnly, u.begin = true, s.begin
		u.apart()
		if rapid.Bool().Draw(t, "silent") {
			u.silence()
		}
		for i := range rapid.IntRange(1, 16).Draw(t, "steps") {
			u.now = u.now.Add(time.Duration(rapid.IntRange(0, s.days*24/6).Draw(t, "hours")) * time.Hour)
			switch rapid.IntRange(0, 21).Draw(t, "step") {
			case 0, 1:
				u.toggle()
			case 2:
				u.fold(s.begin.Add(time.Duration(rapid.IntRange(0, s.days*24).Draw(t, "seal")) * time.Hour))
			case 3:
				u.move(rapid.SampledFrom(s.users).Draw(t, "zone"))
			case 4:
				u.reward()
			case 5:
				u.order()
			case 6, 7:
				u.start()
			case 8:
				u.sweep()
			case 9, 10, 11, 12, 13, 14, 15:
				for k := range rapid.IntRange(1, 4).Draw(t, "decided") {
					u.decide(&s, i*10+k)
					u.check()
				}
			default:
				batch := make([]oracle.Record, rapid.IntRange(1, 9).Draw(t, "batch"))
				imported := rapid.IntRange(0, 3).Draw(t, "imported") == 0
				for k := range batch {
					batch[k] = drawRecord(t, &s, i*10+k)
					batch[k].Imported = imported
				}
				u.submit(batch)
			}
			u.check()
		}
	})
}
