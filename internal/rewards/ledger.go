package rewards

import (
	"cmp"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
)

// UnitAt is the unit of a wallet that a row belongs to; 0 where nothing expires.
func UnitAt(w *catalog.Wallet, c *calendar.Calendar, at calendar.Instant) calendar.Ordinal {
	if w.Expires == 0 {
		return 0
	}
	o, _ := c.OrdinalAt(calendar.Cycle{Unit: w.Lots}, at)
	return o
}

// Open says whether a unit is not summed up: a row of one that is can be taken in only by making the ledger anew.
func (l *Ledger) Open(w *catalog.Wallet, unit calendar.Ordinal) bool {
	return w.Expires == 0 || unit >= l.Carry.From
}

// Check says whether a row could be added: with fold.ErrRange, that a sum which it moves would leave ±2^53.
func (l *Ledger) Check(w *catalog.Wallet, unit calendar.Ordinal, row Row) error {
	s := l.Sums
	s.add(row)
	sums, was := s.list(), l.list()
	if w.Expires > 0 {
		u := Unit{}
		if i, found := l.find(unit); found {
			u = l.Units[i]
		}
		was[unitIn], was[unitOut] = u.In, u.Out
		u.add(row.Amount)
		sums[unitIn], sums[unitOut] = u.In, u.Out
	}
	for i, n := range sums {
		if n != was[i] && max(n, -n) > catalog.MaxExact {
			return fold.ErrRange
		}
	}
	return nil
}

// The places of a unit's credits and debits behind the sums.
const unitIn, unitOut = 5, 6

func (s *Sums) list() [7]int64 {
	return [...]int64{s.Earned, s.Redeemed, s.Spent, s.Refunded, s.Set, unitIn: 0, unitOut: 0}
}

// Add adds a row, without a range check; unit is the row's (UnitAt). The order of rows does not matter. A row of type Expire is derived and never added; one of 0 moves
// nothing, so that it does not bring what ends before its unit either. One of a unit that is not Open counts in the first that is.
func (l *Ledger) Add(w *catalog.Wallet, unit calendar.Ordinal, row Row) {
	if row.Type == Earn && row.Amount > 0 {
		if l.Earned == 0 || row.At < l.First {
			l.First = row.At
		}
		if row.Category != catalog.NoCategory {
			l.Categories[row.Category-1] += row.Amount
		}
	}
	l.Sums.add(row)
	if w.Expires == 0 || row.Amount == 0 || row.Type == Expire {
		return
	}
	unit = max(unit, l.Carry.floor())
	i, found := l.find(unit)
	if !found {
		l.Units = slices.Insert(l.Units, i, Unit{Ordinal: unit})
	}
	l.Units[i].add(row.Amount)
}

func (l *Ledger) find(unit calendar.Ordinal) (int, bool) {
	if n := len(l.Units); n > 0 && l.Units[n-1].Ordinal <= unit { // rows come in order mostly
		if l.Units[n-1].Ordinal == unit {
			return n - 1, true
		}
		return n, false
	}
	return slices.BinarySearchFunc(l.Units, unit, func(u Unit, o calendar.Ordinal) int { return cmp.Compare(u.Ordinal, o) })
}

func (s *Sums) add(row Row) {
	switch row.Type {
	case Earn:
		s.Earned += row.Amount
	case Redeem:
		s.Redeemed -= row.Amount
	case Spend:
		s.Spent -= row.Amount
	case Refund:
		s.Refunded += row.Amount
	case Set:
		s.Set += row.Amount
	}
}

func (s *Sums) merge(o *Sums) {
	s.Earned += o.Earned
	s.Redeemed += o.Redeemed
	s.Spent += o.Spent
	s.Refunded += o.Refunded
	s.Set += o.Set
}

// net is the balance but for what expired.
func (s *Sums) net() int64 { return s.Earned - s.Redeemed - s.Spent + s.Refunded + s.Set }

func (u *Unit) add(amount int64) {
	if amount > 0 {
		u.In += amount
	} else {
		u.Out -= amount
	}
}

// Merge adds the rows of another ledger, which is not changed. If both were summed up, they are merged as of the later Carry.From: what one owed then is paid by the
// other's lots, oldest first. Otherwise the result is that of adding all rows to one.
func (l *Ledger) Merge(w *catalog.Wallet, o *Ledger) {
	if o.Earned > 0 && (l.Earned == 0 || o.First < l.First) {
		l.First = o.First
	}
	l.Sums.merge(&o.Sums)
	for i := range o.Categories {
		l.Categories[i] += o.Categories[i]
	}
	other := Ledger{Units: slices.Clone(o.Units), Carry: o.Carry}
	if !l.Carry.none() || !o.Carry.none() {
		from := max(l.Carry.floor(), o.Carry.floor())
		l.sumUp(w, from)
		other.sumUp(w, from)
		l.Carry.merge(&other.Carry)
	}
	for _, u := range other.Units {
		i, found := l.find(u.Ordinal)
		if !found {
			l.Units = slices.Insert(l.Units, i, Unit{Ordinal: u.Ordinal})
		}
		l.Units[i].In += u.In
		l.Units[i].Out += u.Out
	}
}
