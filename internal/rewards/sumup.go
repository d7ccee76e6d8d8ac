package rewards

import (
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// SumUp moves what lies before an instant into sums: the points of completions become rows of the ledgers, units of wallets that expire are carried, and periods of achievements that
// are over are forgotten, but for how many of them were completed. v must be derived from u, at or after before; afterwards it is that of another User. Nothing before that
// instant may be added, taken away, or come true any more, but by making the User anew from what is not summed up.
//
// What rests on noted instants keeps them, and View.Stale says when it should no longer hold; what was noted before sealed is so for good.
func (c *Calculus) SumUp(u *User, v *View, before, sealed calendar.Instant) {
	for _, done := range v.Completions {
		if done.At >= before {
			continue
		}
		if done.Of.Kind == missions {
			c.sumUpMission(u, v, done)
		} else {
			k := u.achievement(done.Of.Index)
			if k.Times == 0 {
				k.FirstAt = done.At
			}
			k.Times++
			k.Last, k.LastAt = done.Period, done.At
		}
		c.give(u, done)
	}
	for i := range u.Achievements {
		k := &u.Achievements[i]
		c.forget(k, c.earning.Achievements[i], before)
		if k.Times > 0 && k.LastAt < sealed {
			k.Noted = 0
		}
	}
	for i := range u.Missions {
		if m := &u.Missions[i]; m.Completed && m.CompletedAt < sealed {
			m.Noted = 0
		}
	}
	for i := range u.Ledgers {
		def := c.earning.Wallets[i]
		u.Ledgers[i].sumUp(def, UnitAt(def, c.calendar, before))
	}
}

func (c *Calculus) sumUpMission(u *User, v *View, done Completion) {
	k, m := u.mission(done.Of.Index), &v.Missions[done.Of.Index]
	k.Completed, k.CompletedAt = true, done.At
	if !c.earning.Missions[done.Of.Index].Required {
		k.Starts = []calendar.Instant{m.StartedAt}
	}
	k.Starts = slices.DeleteFunc(k.Starts, func(s calendar.Instant) bool { return s > m.StartedAt })
}

// give makes rows of what a completion gives.
func (c *Calculus) give(u *User, done Completion) {
	for _, p := range c.Gives(done.Of).Points {
		w := c.earning.Wallets[p.Wallet]
		row := Row{At: done.At, Type: Earn, Amount: p.Amount, Category: p.Category}
		u.ledger(p.Wallet).Add(w, UnitAt(w, c.calendar, done.At), row)
	}
}

// forget drops the marks of periods that are over, but for completions that are not summed up: those by rank come after the period.
func (c *Calculus) forget(k *Kept, def *catalog.Achievement, before calendar.Instant) {
	cycle := def.Per
	if def.Rank != nil {
		cycle = def.Rank.Cycle
	}
	if cycle.Unit == calendar.All || len(k.Marks) == 0 {
		return
	}
	k.Marks = slices.DeleteFunc(k.Marks, func(m Mark) bool {
		done := k.Times > 0 && m.Ordinal <= k.Last
		return (done || def.Rank == nil) && c.calendar.PeriodOf(cycle, m.Ordinal).End <= before
	})
}
