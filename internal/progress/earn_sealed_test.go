package progress_test

import (
	"fmt"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
	"laurel/internal/rewards"
)

// sealedUser has three activities, of which the first two are sealed, under one definition; what is left is made anew under another one.
func sealedUser(t *testing.T, before, after string) (*progress.State, *progress.State, *rewards.View) {
	t.Helper()
	plan := func(definitions string) *progress.Plan {
		all, err := catalog.Parse([]byte(`{"orgs":[{"id":"o","limits":{"max_past":"3d","close_grace":"1d","log_days":3},` + definitions + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		return progress.NewPlan(all[0])
	}
	first, second := plan(before), plan(after)
	const day = calendar.Instant(86_400_000)
	begin := calendar.Instant(instant("2026-03-10T12:00:00Z").UnixMilli())
	var log []activity.Activity
	s := &progress.State{}
	for i := range 3 {
		at := begin + calendar.Instant(i)*day
		act := activity.Activity{ID: activity.ID(fmt.Sprint(i)), User: "u", Name: "x", At: at, Received: at}
		if u := progress.Apply(first, s, []activity.Activity{act}, at); u.Verdicts[0].Err != nil || u.NeedLog {
			t.Fatalf("%+v", u)
		}
		log = append(log, act)
	}
	now := begin + 2*day
	base, dropped := progress.Fold(first, s, &progress.State{}, log, begin+day+1, now)
	if len(dropped) != 2 {
		t.Fatalf("dropped %v", dropped)
	}
	sealed := *s
	sealed.Sealed = begin + day + 1
	next, err := progress.Rebuild(second, &sealed, base, log[2:], now)
	if err != nil {
		t.Fatal(err)
	}
	progress.Diff(second, &sealed, next, now, progress.Doing)
	return base, next, next.DeriveEarned(second, now)
}

// What was earned before the seal stays as it was, whatever is defined since.
func TestEarned_SealedUnderAnotherDefinition(t *testing.T) {
	const ten = `"wallets":[{"id":"xp"}],"awards":[{"id":"a","when":{"name":"x"},"wallet":"xp","points":10}]`
	t.Run("another award", func(t *testing.T) {
		_, _, v := sealedUser(t, ten, `"wallets":[{"id":"xp"}],"awards":[{"id":"a","when":{"name":"x"},"wallet":"xp","points":1}]`)
		if v.Wallets[0].Balance != 21 {
			t.Errorf("%+v", v.Wallets[0])
		}
	})
	t.Run("it expires from now on", func(t *testing.T) {
		_, _, v := sealedUser(t, ten, `"wallets":[{"id":"xp","expires":{"days":5}}],"awards":[{"id":"a","when":{"name":"x"},"wallet":"xp","points":10}]`)
		if w := v.Wallets[0]; w.Balance != 30 || len(w.Lots) != 2 || w.Lots[0].Left != 20 || w.Lots[1].Left != 10 {
			t.Errorf("%+v", w)
		}
	})
	t.Run("it expires no more", func(t *testing.T) {
		_, _, v := sealedUser(t, `"wallets":[{"id":"xp","expires":{"days":1}}],"awards":[{"id":"a","when":{"name":"x"},"wallet":"xp","points":10}]`, ten)
		if w := v.Wallets[0]; w.Balance != 30 || len(w.Lots) != 0 { // nothing had expired by the seal
			t.Errorf("%+v", w)
		}
	})
	t.Run("another criterion", func(t *testing.T) {
		achievement := func(least, points int) string {
			return fmt.Sprintf(`"wallets":[{"id":"xp"}],"achievements":[{"id":"a","when":{"name":"x"},"at_least":%d,"points":[{"wallet":"xp","points":%d}]}]`, least, points)
		}
		base, next, v := sealedUser(t, achievement(2, 7), achievement(50, 9))
		if a := v.Achievements[0]; a.Times != 1 || !a.Met || v.Wallets[0].Balance != 7 {
			t.Errorf("a completed one: %+v, %+v", a, v.Wallets[0])
		}
		if n := len(base.Earnings.Achievements[0].Periods); n != 1 || len(next.Earnings.Achievements[0].Periods) != 1 {
			t.Errorf("the base knows %d periods", n)
		}
		if _, _, v := sealedUser(t, achievement(4, 7), achievement(3, 9)); v.Achievements[0].Times != 0 || v.Achievements[0].Progress != 1 {
			t.Errorf("one that was not completed: %+v", v.Achievements[0])
		}
	})
	t.Run("a base keeps no period that is over", func(t *testing.T) {
		daily := `"wallets":[{"id":"xp"}],"achievements":[{"id":"a","when":{"name":"x"},"at_least":1,"per":"day","points":[{"wallet":"xp","points":7}]}]`
		base, _, v := sealedUser(t, daily, daily)
		if a := base.Earnings.Achievements[0]; a.Times != 2 || len(a.Periods) != 1 || base.Earnings.Wallets[0].Earned != 14 {
			t.Errorf("%+v", a)
		}
		if v.Achievements[0].Times != 3 || v.Wallets[0].Balance != 21 {
			t.Errorf("%+v", v.Achievements[0])
		}
	})
}
