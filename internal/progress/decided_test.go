package progress_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
	"laurel/internal/rewards"
)

const bank = `
orgs:
  - id: o
    limits: {max_past: 20d}
    rules: [{id: all, when: {}, value: count, cycles: [week]}]
    wallets: [{id: coins, decimals: 2}]
    awards: [{id: a, when: {name: a}, wallet: coins, points: %v}]
    achievements: [{id: champion, rank: {rule: all, cycle: week, at_most: 3}, points: [{wallet: coins, points: 7}]}]
    bounties: [{id: bug, wallet: coins}]
`

// account is a user of the bank who is written as ingest does, and whose log is kept.
type account struct {
	t     *testing.T
	plan  *progress.Plan
	state *progress.State
	log   []activity.Activity
}

func newAccount(t *testing.T) *account {
	return &account{t: t, plan: planOf(t, fmt.Sprintf(bank, 2.5)), state: &progress.State{}}
}

// decided is an activity of the given hour; the meta is as JSON.
func decided(kind activity.Kind, id, name, meta string, value, hours float64) activity.Activity {
	a := at(name, hours)
	a.ID, a.Kind, a.Meta, a.Value, a.HasValue = activity.ID(id), kind, []byte(meta), value, value != 0
	return a
}

func (a *account) decide(act activity.Activity, f progress.Facts) (*activity.Decided, error) {
	return progress.Decide(a.plan, a.state, &act, f, begin+100*hour)
}

// do decides and applies, and returns the code of a refusal.
func (a *account) do(act activity.Activity) string {
	a.t.Helper()
	f := progress.Facts{ToFound: true}
	if m, err := progress.ReadMeta(&act); act.Kind != activity.Behaviour && err == nil {
		f.NoteRefund(a.log, m.Of)
	}
	made, err := a.decide(act, f)
	if refused := (*progress.Refusal)(nil); errors.As(err, &refused) {
		return refused.Code
	}
	if err != nil {
		a.t.Fatal(err)
	}
	act.Decided = made
	if u := progress.Apply(a.plan, a.state, []activity.Activity{act}, begin+100*hour); u.Verdicts[0].Err != nil || u.NeedLog {
		a.t.Fatalf("%+v", u)
	}
	a.log = append(a.log, act)
	return "accepted"
}

func (a *account) coins() int64 {
	return a.state.DeriveEarned(a.plan, begin+100*hour).Wallets[0].Balance
}

// Under other definitions, or other decimals, the state does not tell what is there: the log does.
func TestDecide_NeedsTheLog(t *testing.T) {
	a := newAccount(t)
	if got := a.do(at("a", 1)); got != "accepted" {
		t.Fatal(got)
	}
	redeem := decided(activity.Point, "r", "coins", `{"action":"redeem"}`, 4, 2)
	if got := a.do(redeem); got != "insufficient_points" {
		t.Errorf("of 2.5 4 are redeemed: %s", got)
	}
	a.plan = planOf(t, fmt.Sprintf(bank, 4))
	if _, err := a.decide(redeem, progress.Facts{}); !errors.Is(err, progress.ErrNeedLog) {
		t.Fatalf("under other definitions: %v", err)
	}
	whole, err := progress.Rebuild(a.plan, a.state, &progress.State{}, a.log, begin+100*hour)
	if err != nil {
		t.Fatal(err)
	}
	if a.state = whole; a.do(redeem) != "accepted" || a.coins() != 0 {
		t.Errorf("%d are left", a.coins())
	}
}

// No order of what starts and ends bounties, also of one instant, leaves another one open; and not more than 100 may be.
func TestDecide_Bounties(t *testing.T) {
	a := newAccount(t)
	a.do(decided(activity.Point, "i", "coins", `{"action":"increment"}`, 1000, 1))
	for i := range progress.MaxOpenBounties {
		if got := a.do(decided(activity.Bounty, fmt.Sprintf("s%03d", i), "bug", `{"action":"start"}`, 1, 2)); got != "accepted" {
			t.Fatal(got)
		}
	}
	if got := a.do(decided(activity.Bounty, "one more", "bug", `{"action":"start"}`, 1, 2)); got != "too_many_bounties" {
		t.Error(got)
	}
	for _, i := range []int{7, 50, 99} { // by ids that come before those of the starts
		if got := a.do(decided(activity.Bounty, fmt.Sprint("c", i), "bug", fmt.Sprintf(`{"action":"cancel","of":"s%03d"}`, i), 0, 2)); got != "accepted" {
			t.Fatal(got)
		}
	}
	if got := a.do(decided(activity.Bounty, "early", "bug", `{"action":"cancel","of":"s001"}`, 0, 1)); got != "bounty_not_found" {
		t.Errorf("a cancel from before the start: %s", got)
	}
	for seal := begin; seal <= begin+3*hour; seal += hour {
		base, dropped := progress.Fold(a.plan, a.state, &progress.State{}, a.log, seal, begin+100*hour)
		old := *a.state
		old.Sealed = seal
		kept := slices.DeleteFunc(slices.Clone(a.log), func(r activity.Activity) bool { return slices.Contains(dropped, r.ID) })
		again, err := progress.Rebuild(a.plan, &old, base, kept, begin+100*hour)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a.state.Earnings.Bounties, again.Earnings.Bounties); diff != "" || len(again.Earnings.Bounties) != progress.MaxOpenBounties-3 {
			t.Errorf("sealed at %v: %d are open (-as they came +folded)\n%s", seal, len(again.Earnings.Bounties), diff)
		}
	}
}

// Parts of a debit are refunded until nothing is left of it, and not by what is not its own.
func TestDecide_Refunds(t *testing.T) {
	a := newAccount(t)
	a.do(decided(activity.Point, "i", "coins", `{"action":"increment"}`, 10, 1))
	a.do(decided(activity.Point, "r", "coins", `{"action":"redeem"}`, 5, 2))
	a.do(decided(activity.Point, "zero", "coins", `{"action":"set"}`, 5, 2)) // to what it is: nothing moves
	refund := func(id, of string, value, hours float64) string {
		return a.do(decided(activity.Point, id, "coins", fmt.Sprintf(`{"action":"refund","of":%q}`, of), value, hours))
	}
	for i, test := range []struct {
		of           string
		value, hours float64
		want         string
	}{
		{"r", 2, 3, "accepted"}, {"r", 2, 3, "accepted"}, {"r", 2, 3, "not_refundable"}, {"r", 0, 1, "not_refundable"}, {"i", 1, 3, "not_refundable"}, {"zero", 1, 3, "not_refundable"},
		{"gone", 1, 3, "not_refundable"}, {"r", 0, 3, "accepted"}, {"r", 0, 3, "not_refundable"},
	} {
		if got := refund(fmt.Sprint("f", i), test.of, test.value, test.hours); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
	if a.coins() != 1000 {
		t.Errorf("%d are left", a.coins())
	}
	i := slices.IndexFunc(a.log, func(r activity.Activity) bool { return r.ID == "r" })
	if err := a.state.CheckReject(a.log, i); !errors.Is(err, progress.ErrRefunded) {
		t.Errorf("a debit that was refunded is rejected: %v", err)
	}
	a.log[i+2].Status = activity.Rejected // a refund of 2, in the place of which come 1 and 1
	if a.log[i+2].ID != "f0" || refund("g", "r", 1, 3) != "accepted" || refund("h", "r", 1, 3) != "accepted" {
		t.Fatal("no room for refunds")
	}
	if err := a.state.CheckRestore(a.log, i+2); !errors.Is(err, progress.ErrNotRefundable) {
		t.Errorf("what was refunded otherwise is restored: %v", err)
	}
}

// What would leave the exact range is refused, together with what awards give.
func TestDecide_Range(t *testing.T) {
	a := newAccount(t)
	most := float64(catalog.MaxExact / 100)
	for i, want := range []string{"accepted", "value_out_of_range"} {
		if got := a.do(decided(activity.Point, fmt.Sprint(i), "coins", `{"action":"increment"}`, most, 1)); got != want {
			t.Errorf("%d: %s", i, got)
		}
	}
	if got := a.do(decided(activity.Point, "set", "coins", `{"action":"set"}`, 1, 1)); got != "accepted" || a.coins() != 100 {
		t.Errorf("%s, %d", got, a.coins())
	}
}

// A close completes an achievement by rank, once for each period, and for good.
func TestApply_Standing(t *testing.T) {
	a := newAccount(t)
	for i, label := range []string{"2026-W10", "2026-W11", "of no period"} {
		credit := at("champion", float64(24*i))
		credit.ID, credit.Kind = activity.ID("rank:champion:"+label), activity.Credit
		credit.Decided = &activity.Decided{Own: activity.Effect{Achieved: "champion:" + label}}
		u := progress.Apply(a.plan, a.state, []activity.Activity{credit}, begin+100*hour)
		completed := slices.ContainsFunc(u.Events, func(e progress.Event) bool {
			return e.Earned != nil && e.Earned.Type == rewards.AchievementCompleted && e.Period == label
		})
		if completed != (i < 2) {
			t.Errorf("%s: %+v", label, u.Events)
		}
	}
	v := a.state.DeriveEarned(a.plan, begin+100*hour)
	if c := v.Achievements[0]; c.Times != 2 || c.LastAt != begin+24*hour || !c.Met || v.Wallets[0].Balance != 1400 {
		t.Errorf("%+v, %+v", c, v.Wallets[0])
	}
}

// Rows of a wallet that is gone, or has other decimals, move nothing; nor do those that no decision makes.
func TestApply_ForeignRows(t *testing.T) {
	a := newAccount(t)
	act := decided(activity.Credit, "1", "x", "", 0, 1)
	act.Decided = &activity.Decided{Own: activity.Effect{Achieved: "nothing:2026-W10", Rows: []activity.Row{{Wallet: "gold", Amount: 5}, {Wallet: "coins", Amount: 5},
		{Wallet: "coins", Decimals: 2, Type: uint8(rewards.Expire), Amount: 5}, {Wallet: "coins", Decimals: 2, Category: catalog.Categories + 1, Amount: 5}}}}
	progress.Apply(a.plan, a.state, []activity.Activity{act}, begin+calendar.Instant(hour))
	if a.coins() != 0 {
		t.Errorf("%d", a.coins())
	}
}
