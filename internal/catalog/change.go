package catalog

import (
	"fmt"
	"slices"

	"laurel/internal/calendar"
)

// CheckChange says whether what was stored under old can follow to c: Faults where boards would have to be written anew for users to whom
// nothing happens, or where what was decided, and is never decided again, would come to mean something else. Everything else may change; a user's boards,
// and what is derived, follow at the next touch.
func (c *Catalog) CheckChange(old *Catalog) error {
	var f Faults
	if c.Zone.String() != old.Zone.String() {
		f = append(f, Fault{Path: "timezone", Detail: fmt.Sprintf("cannot be changed from %s: the periods of every stored board depend on it", old.Zone)})
	}
	if c.WeekStart != old.WeekStart {
		f = append(f, Fault{Path: "week_start", Detail: "cannot be changed: the weeks of every stored board depend on it"})
	}
	for i, r := range c.Rules {
		was := old.Rule(r.ID)
		if was == nil {
			continue
		}
		if was.Ascending != r.Ascending {
			f = append(f, Fault{Path: fmt.Sprintf("rules[%d].order", i), Detail: "cannot be changed: stored rows are written for one order. Give the rule another id"})
		}
		if was.Decimals != r.Decimals {
			f = append(f, Fault{Path: fmt.Sprintf("rules[%d].decimals", i), Detail: "cannot be changed: stored rows are scaled by it. Give the rule another id"})
		}
		f = append(f, changedLists(i, was, r)...)
	}
	f = append(f, c.changedEarning(old)...)
	if len(f) > 0 {
		return f
	}
	return nil
}

// changedLists finds listed cycles whose known periods are not what they were: windows may only be added after them.
func changedLists(i int, was, r *Rule) (f Faults) {
	for k, cy := range r.Cycles {
		before, ok := was.Cycle(cy.Key())
		if cy.Unit != calendar.Listed || !ok {
			continue
		}
		n := len(before.Windows)
		if n > len(cy.Windows) || !slices.Equal(before.Windows, cy.Windows[:n]) {
			f = append(f, Fault{Path: fmt.Sprintf("rules[%d].cycles[%d].list", i, k),
				Detail: "may only grow at its end: stored boards are of its other periods. Give the list another id"})
		}
	}
	return f
}

// changedEarning finds what decided amounts and grants could not follow. That expiry begins, ends, or takes another number of units is for what is still
// known one by one, and for the lots that are left.
func (c *Catalog) changedEarning(old *Catalog) (f Faults) {
	for i, w := range c.Wallets {
		at, some := old.Find(Wallets, w.ID)
		if !some {
			continue
		}
		was := old.Wallets[at]
		if was.Decimals != w.Decimals {
			f = append(f, Fault{Path: fmt.Sprintf("wallets[%d].decimals", i), Detail: "cannot be changed: stored amounts are scaled by it. Give the wallet another id"})
		}
		if was.Expires > 0 && w.Expires > 0 && was.Lots != w.Lots {
			f = append(f, Fault{Path: fmt.Sprintf("wallets[%d].expires", i),
				Detail: fmt.Sprintf("cannot be changed from %ss to %ss: what is left was counted by %s", was.Lots, w.Lots, was.Lots)})
		}
	}
	for i, r := range c.Rewards {
		if at, some := old.Find(Rewards, r.ID); some && old.Rewards[at].Entry != r.Entry {
			f = append(f, Fault{Path: fmt.Sprintf("rewards[%d].type", i), Detail: "cannot be changed: what was granted is of it. Give the reward another id"})
		}
	}
	return f
}
