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

// A credit or debit ahead of now brings with it what ends before its unit. A row of 0 is neither: the point that is left can be spent until its own end.
func TestDerive_RowAhead(t *testing.T) {
	day := func(m time.Month, d int) calendar.Instant {
		return calendar.InstantOf(time.Date(2011, m, d, 0, 0, 0, 0, time.UTC))
	}
	november, january := calendar.Ordinal(41*12+10), calendar.Ordinal(42*12)
	first, ahead := day(11, 20), day(13, 1)
	kept := rewards.Wallet{Sums: rewards.Sums{Earned: 5, Redeemed: 4}, Balance: 1, First: first, Lots: []rewards.Lot{{Ordinal: november, Left: 1}}}
	for name, test := range map[string]struct {
		row  rewards.Row
		want rewards.Wallet
	}{
		"a set of 0":    {rewards.Row{At: ahead, Type: rewards.Set}, kept},
		"an award of 0": {rewards.Row{At: ahead, Type: rewards.Earn}, kept},
		"a credit": {rewards.Row{At: ahead, Type: rewards.Set, Amount: 2}, rewards.Wallet{
			Sums: rewards.Sums{Earned: 5, Redeemed: 4, Set: 2}, Expired: 1, Balance: 2, First: first, Lots: []rewards.Lot{{Ordinal: january, Left: 2}},
		}},
		"a debit": {rewards.Row{At: ahead, Type: rewards.Set, Amount: -1}, rewards.Wallet{
			Sums: rewards.Sums{Earned: 5, Redeemed: 4, Set: -1}, Expired: 1, Balance: -1, First: first, Owed: 1,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := &catalog.Earning{Wallets: []*catalog.Wallet{{Lots: calendar.Month, Expires: 1}}, Order: []catalog.Derived{{Kind: "wallets"}}}
			cal := calendar.New(time.UTC, time.Monday, 0)
			c, u := rewards.New(e, cal), &rewards.User{Ledgers: make([]rewards.Ledger, 1)}
			for _, row := range []rewards.Row{{At: first, Amount: 5}, {At: first, Type: rewards.Redeem, Amount: -4}, test.row} {
				u.Ledgers[0].Add(e.Wallets[0], rewards.UnitAt(e.Wallets[0], cal, row.At), row)
			}
			var v rewards.View
			now := day(12, 31)
			c.Derive(&v, u, now, now)
			if diff := gocmp.Diff(test.want, v.Wallets[0], cmpopts.IgnoreUnexported(rewards.Wallet{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the day before (-want +got):\n%s", diff)
			}
			if next := c.Next(&v, now); next != ahead {
				t.Errorf("something ends at %v, want %v", next, ahead)
			}
		})
	}
}
