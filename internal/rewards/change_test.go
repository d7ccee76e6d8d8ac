package rewards_test

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

func TestChanges_EqualModel(t *testing.T) {
	check(t, func(t *rapid.T) {
		w := drawWorld(t)
		now := drawNow(t, w)
		some := slices.DeleteFunc(slices.Clone(w.items), func(item) bool { return chance(t, 20) })
		others := slices.DeleteFunc(slices.Clone(w.items), func(item) bool { return chance(t, 10) })
		later := now + calendar.Instant(number(t, 0, 2)*number(t, 0, 30))*aDay
		u, o := w.user(some), w.user(others)
		before, after := w.derive(u, now), w.derive(o, later)
		want := modelChanges(w.model(some, now, u).show(), w.model(others, later, o).show())
		if diff := gocmp.Diff(want, w.calc.Changes(nil, before, after), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("changes (-model +derived):\n%s", diff)
		}
	})
}

func modelChanges(was, is shown) (list []rewards.Change) {
	for i := range is.Wallets {
		if more := is.Wallets[i].Earned - was.Wallets[i].Earned; more > 0 {
			list = append(list, rewards.Change{Type: "points.earned", Of: catalog.Derived{Kind: "wallets", Index: i}, Amount: more})
		}
	}
	for i := range is.Levels {
		of := catalog.Derived{Kind: "levels", Index: i}
		for n := was.Levels[i].Index; n > is.Levels[i].Index; n-- {
			list = append(list, rewards.Change{Type: "level.undone", Of: of, Step: n})
		}
		for n := was.Levels[i].Index; n < is.Levels[i].Index; n++ {
			list = append(list, rewards.Change{Type: "level.reached", Of: of, Step: n + 1})
		}
	}
	for i := range is.Achievements {
		list = append(list, completionChanges(was.Completions, is.Completions, catalog.Derived{Kind: "achievements", Index: i})...)
	}
	for i := range is.Missions {
		list = append(list, missionChanges(&was.Missions[i], &is.Missions[i], catalog.Derived{Kind: "missions", Index: i})...)
	}
	return list
}

func completionChanges(was, is []rewards.Completion, of catalog.Derived) (list []rewards.Change) {
	lacks := func(done []rewards.Completion, c rewards.Completion) bool {
		return c.Of == of && !slices.ContainsFunc(done, func(o rewards.Completion) bool { return o.Of == of && o.Period == c.Period })
	}
	for _, c := range was {
		if lacks(is, c) {
			list = append(list, rewards.Change{Type: "achievement.undone", Of: of, At: c.At, Period: c.Period})
		}
	}
	for _, c := range is {
		if lacks(was, c) {
			list = append(list, rewards.Change{Type: "achievement.completed", Of: of, At: c.At, Period: c.Period})
		}
	}
	slices.SortStableFunc(list, func(x, y rewards.Change) int { return cmp.Compare(x.Period, y.Period) })
	return list
}

func missionChanges(was, is *rewards.Mission, of catalog.Derived) (list []rewards.Change) {
	if is.Failures > was.Failures {
		list = append(list, rewards.Change{Type: "mission.failed", Of: of, At: is.FailedAt})
	}
	if is.Attempts > was.Attempts {
		list = append(list, rewards.Change{Type: "mission.started", Of: of, At: is.StartedAt})
	}
	slices.SortStableFunc(list, func(x, y rewards.Change) int { return cmp.Compare(x.At, y.At) })
	if was.Status == rewards.Completed && is.Status != rewards.Completed {
		list = slices.Insert(list, 0, rewards.Change{Type: "mission.undone", Of: of, At: was.CompletedAt})
	}
	if is.Status == rewards.Completed && was.Status != rewards.Completed {
		list = append(list, rewards.Change{Type: "mission.completed", Of: of, At: is.CompletedAt})
	}
	return list
}
