package rewards

import (
	"laurel/internal/calendar"
)

// Next is the next instant after now, which v was derived at, at which time alone changes something: a lot ends, or an attempt at a mission fails; 0 for never.
func (c *Calculus) Next(v *View, now calendar.Instant) calendar.Instant {
	next := calendar.Instant(0)
	earlier := func(at calendar.Instant) {
		if at > now && (next == 0 || at < next) {
			next = at
		}
	}
	for i := range v.Wallets {
		if w := &v.Wallets[i]; w.ends {
			earlier(c.end(i, w.ending))
		}
	}
	for i := range v.Missions {
		if m := &v.Missions[i]; m.Deadline != 0 {
			earlier(m.Deadline)
		}
	}
	return next
}

// end is when a lot of a unit of the i-th wallet ends.
func (c *Calculus) end(i int, unit calendar.Ordinal) calendar.Instant {
	def := c.earning.Wallets[i]
	_, after := c.calendar.Dates(calendar.Cycle{Unit: def.Lots}, unit+calendar.Ordinal(def.Expires))
	return c.calendar.StartOf(after)
}

// Expiries appends the rows of type Expire of the i-th wallet after one instant, up to and with another, in order; what was summed up has none. v is derived from u, at any now. At most
// one row is of an instant, as long as no zone skipped a day.
func (c *Calculus) Expiries(rows []Row, i int, v *View, u *User, after, to calendar.Instant) []Row {
	def := c.earning.Wallets[i]
	if def.Expires == 0 {
		return rows
	}
	l := or(u.Ledgers, i, &Ledger{})
	var x walk
	x.begin(def, &l.Carry, nil)
	x.keep = true
	x.units(l.Units, v.Wallets[i].given)
	x.end(UnitAt(def, c.calendar, to))
	for _, lot := range x.ended {
		if at := c.end(i, lot.Ordinal); after < at && at <= to {
			rows = append(rows, Row{At: at, Type: Expire, Amount: -lot.Left})
		}
	}
	return rows
}
