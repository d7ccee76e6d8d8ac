package rewards_test

import (
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/rewards"
)

func TestLedger_CheckRange(t *testing.T) {
	const most = catalog.MaxExact
	daily := &catalog.Wallet{Lots: calendar.Day, Expires: 3}
	for name, test := range map[string]struct {
		wallet *catalog.Wallet
		rows   []rewards.Row
		fails  bool // the last one
	}{
		"the greatest sum":            {&catalog.Wallet{}, []rewards.Row{{Amount: most - 1}, {Amount: 1}}, false},
		"one more":                    {&catalog.Wallet{}, []rewards.Row{{Amount: most}, {Amount: 1}}, true},
		"sums by type":                {&catalog.Wallet{}, []rewards.Row{{Amount: most}, {Type: rewards.Refund, Amount: most}}, false},
		"what a unit credits":         {daily, []rewards.Row{{Amount: most}, {Type: rewards.Refund, Amount: 1}}, true},
		"redeemed":                    {&catalog.Wallet{}, []rewards.Row{{Type: rewards.Redeem, Amount: -most}, {Type: rewards.Redeem, Amount: -1}}, true},
		"set, which is signed":        {&catalog.Wallet{}, []rewards.Row{{Type: rewards.Set, Amount: -most}, {Type: rewards.Set, Amount: -1}}, true},
		"set, back and forth":         {&catalog.Wallet{}, []rewards.Row{{Type: rewards.Set, Amount: -most}, {Type: rewards.Set, Amount: most}}, false},
		"set, back and forth a day":   {daily, []rewards.Row{{Type: rewards.Set, Amount: most}, {Type: rewards.Set, Amount: -1}, {Type: rewards.Set, Amount: 1}}, true},
		"a debit as great as credits": {daily, []rewards.Row{{Amount: most}, {Type: rewards.Spend, Amount: -most}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var l rewards.Ledger
			for i, row := range test.rows {
				err := l.Check(test.wallet, 7, row)
				if last := i == len(test.rows)-1; errors.Is(err, fold.ErrRange) != (last && test.fails) {
					t.Fatalf("row %d: %v", i, err)
				}
				l.Add(test.wallet, 7, row)
			}
		})
	}
}

// A balance that only completions bring out of range is shown as the nearest in it, and told.
func TestDerive_Range(t *testing.T) {
	e := &catalog.Earning{
		Wallets: []*catalog.Wallet{{}},
		Achievements: []*catalog.Achievement{{
			Per:      calendar.Cycle{Unit: calendar.All},
			Criteria: []catalog.Criterion{{Condition: catalog.Condition{AtLeast: 1}}},
			Gives:    catalog.Gives{Points: []catalog.Points{{Amount: 2}}},
		}},
		Order: []catalog.Derived{{Kind: "achievements"}, {Kind: "wallets"}},
	}
	c := rewards.New(e, calendar.New(time.UTC, time.Monday, 0))
	for amount, want := range map[int64]error{catalog.MaxExact - 2: nil, catalog.MaxExact - 1: fold.ErrRange} {
		u := &rewards.User{Ledgers: make([]rewards.Ledger, 1), Achievements: []rewards.Kept{{Marks: []rewards.Mark{{Values: []rewards.Value{{N: 1, Met: true}}}}}}}
		u.Ledgers[0].Add(e.Wallets[0], 0, rewards.Row{Amount: amount})
		var v rewards.View
		c.Derive(&v, u, epoch, epoch)
		if !errors.Is(v.Err, want) || v.Wallets[0].Balance != catalog.MaxExact || v.Wallets[0].Earned != catalog.MaxExact {
			t.Errorf("%d and 2: balance %d, earned %d, %v", amount, v.Wallets[0].Balance, v.Wallets[0].Earned, v.Err)
		}
	}
}

// A ledger that was summed up takes the rows of one that was not, as those of what follows a base; two that were are merged as of the later one.
func TestLedger_Merge(t *testing.T) {
	wallet := &catalog.Wallet{Lots: calendar.Day, Expires: 4}
	base := rewards.Ledger{Carry: rewards.Carry{From: 10, Lots: []rewards.Lot{{Ordinal: 7, Left: 5}, {Ordinal: 9, Left: 5}}, Expired: 3}}
	base.Earned, base.First = 13, 1
	owing := rewards.Ledger{Carry: rewards.Carry{From: 8, Owed: 6}, Units: []rewards.Unit{{Ordinal: 9, In: 2}, {Ordinal: 12, In: 1}}}
	owing.Earned, owing.Spent, owing.First = 3, 6, 2
	want := rewards.Ledger{
		Sums: rewards.Sums{Earned: 16, Spent: 6}, First: 1,
		Units: []rewards.Unit{{Ordinal: 12, In: 1}},
		Carry: rewards.Carry{From: 10, Lots: []rewards.Lot{{Ordinal: 7, Left: 1}, {Ordinal: 9, Left: 5}}, Expired: 3},
	}
	for name, order := range map[string][2]rewards.Ledger{"owing into base": {base, owing}, "base into owing": {owing, base}} {
		var l rewards.Ledger
		l.Merge(wallet, &order[0])
		l.Merge(wallet, &order[1])
		if diff := gocmp.Diff(want, l, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if base.Open(wallet, 9) || !base.Open(wallet, 10) || !base.Open(&catalog.Wallet{}, 0) {
		t.Error("units before the carry are open, or others are not")
	}
}

// A row of a unit that was summed up counts in the first that was not: nothing is lost until the ledger is made anew.
func TestLedger_AddLate(t *testing.T) {
	l := rewards.Ledger{Carry: rewards.Carry{From: 10, Expired: 3}}
	l.Add(&catalog.Wallet{Lots: calendar.Day, Expires: 4}, 8, rewards.Row{Amount: 2})
	if diff := gocmp.Diff([]rewards.Unit{{Ordinal: 10, In: 2}}, l.Units); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
}

// What was summed up and what came after, merged, is what all rows would have come to.
func TestLedger_MergeBase(t *testing.T) {
	check(t, func(t *rapid.T) {
		wallet := &catalog.Wallet{Lots: calendar.Day, Expires: number(t, 1, 5)}
		e := &catalog.Earning{Wallets: []*catalog.Wallet{wallet}, Order: []catalog.Derived{{Kind: "wallets"}}}
		w := &world{earning: e, cal: calendar.New(time.UTC, time.Monday, 0)}
		w.calc = rewards.New(e, w.cal)
		all, base, later := w.user(nil), w.user(nil), w.user(nil)
		sealed := epoch + calendar.Instant(number(t, 0, 20))*aDay
		for range number(t, 0, 30) {
			i := item{at: epoch + calendar.Instant(number(t, 0, 30))*aDay}
			i.row = drawRow(t, i.at)
			w.add(all, i)
			if i.at < sealed {
				w.add(base, i)
			} else {
				w.add(later, i)
			}
		}
		if chance(t, 80) {
			w.calc.SumUp(base, w.derive(base, sealed), sealed, sealed)
		}
		base.Ledgers[0].Merge(wallet, &later.Ledgers[0])
		now := epoch + calendar.Instant(number(t, 30, 40))*aDay
		if diff := show(w.derive(all, now)).diff(show(w.derive(base, now))); diff != "" {
			t.Fatalf("(-all +merged):\n%s", diff)
		}
	})
}

func TestMission_SuccessRate(t *testing.T) {
	for _, test := range []struct {
		m    rewards.Mission
		want float64
	}{
		{rewards.Mission{}, 0},
		{rewards.Mission{Status: rewards.Failed, Attempts: 1}, 0},
		{rewards.Mission{Status: rewards.Completed, Attempts: 1}, 100},
		{rewards.Mission{Status: rewards.Completed, Attempts: 3}, 33.33},
	} {
		if got := test.m.SuccessRate(); got != test.want {
			t.Errorf("%s after %d attempts: %v, want %v", test.m.Status, test.m.Attempts, got, test.want)
		}
	}
}
