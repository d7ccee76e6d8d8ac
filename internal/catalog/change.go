package catalog

import (
	"fmt"
	"slices"

	"laurel/internal/calendar"
)

// CheckChange says whether what was stored under old can follow to c: Faults where boards would have to be written anew for users to whom
// nothing happens. Everything else may change; a user's boards follow at the next touch.
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
