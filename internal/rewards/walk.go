package rewards

import (
	"cmp"
	"math"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// none says that nothing was summed up.
func (c *Carry) none() bool { return c.From == 0 && len(c.Lots) == 0 && c.Owed == 0 && c.Expired == 0 }

// floor is the first unit that a row can belong to.
func (c *Carry) floor() calendar.Ordinal {
	if c.none() {
		return math.MinInt32
	}
	return c.From
}

func (c *Carry) merge(o *Carry) {
	w := walk{lots: slices.Concat(c.Lots, o.Lots)}
	slices.SortFunc(w.lots, func(x, y Lot) int { return cmp.Compare(x.Ordinal, y.Ordinal) })
	w.lots = joined(w.lots)
	w.debit(c.Owed + o.Owed)
	*c = Carry{From: max(c.floor(), o.floor()), Lots: w.left(), Owed: w.owed, Expired: c.Expired + o.Expired}
}

// joined makes one of neighbours of the same unit.
func joined(lots []Lot) []Lot {
	n := 0
	for i, l := range lots {
		if i > 0 && lots[n-1].Ordinal == l.Ordinal {
			lots[n-1].Left += l.Left
			continue
		}
		lots[n] = l
		n++
	}
	return lots[:n]
}

// walk takes units in order: first what ended is taken away, then credits pay what is owed and become a lot, then debits take from the oldest lot on; what they lack is owed.
// What is left is always in and Carry less out and expired: Σ lots − owed.
type walk struct {
	expires       calendar.Ordinal // how many units after its own a lot can be spent
	lots          []Lot            // from head on are those that are left
	head          int
	owed, expired int64
	// ended are the lots that expired, in order, if keep. ahead is the first of them that ends after today only: a row that lies ahead of now brought that.
	ended   []Lot
	keep    bool
	today   calendar.Ordinal
	ahead   calendar.Ordinal
	isAhead bool
}

// begin starts from a carry, in the memory of lots.
func (w *walk) begin(wallet *catalog.Wallet, c *Carry, lots []Lot) {
	*w = walk{expires: calendar.Ordinal(wallet.Expires), lots: append(lots[:0], c.Lots...), owed: c.Owed, expired: c.Expired}
}

// units walks two lists, both in order.
func (w *walk) units(own, given []Unit) {
	for len(own) > 0 || len(given) > 0 {
		var u Unit
		switch {
		case len(given) == 0 || len(own) > 0 && own[0].Ordinal < given[0].Ordinal:
			u, own = own[0], own[1:]
		case len(own) == 0 || given[0].Ordinal < own[0].Ordinal:
			u, given = given[0], given[1:]
		default:
			u = own[0]
			u.In += given[0].In
			own, given = own[1:], given[1:]
		}
		w.unit(u)
	}
}

func (w *walk) unit(u Unit) {
	w.end(u.Ordinal)
	paid := min(w.owed, u.In)
	w.owed -= paid
	if left := u.In - paid; left > 0 {
		w.lots = append(w.lots, Lot{u.Ordinal, left})
	}
	w.debit(u.Out)
}

// end takes away what could be spent in units before one only.
func (w *walk) end(unit calendar.Ordinal) {
	for ; w.head < len(w.lots) && w.lots[w.head].Ordinal+w.expires < unit; w.head++ {
		lot := w.lots[w.head]
		w.expired += lot.Left
		if w.keep {
			w.ended = append(w.ended, lot)
		}
		if !w.isAhead && lot.Ordinal+w.expires >= w.today {
			w.ahead, w.isAhead = lot.Ordinal, true
		}
	}
}

func (w *walk) debit(out int64) {
	for out > 0 && w.head < len(w.lots) {
		taken := min(out, w.lots[w.head].Left)
		out -= taken
		w.lots[w.head].Left -= taken
		if w.lots[w.head].Left == 0 {
			w.head++
		}
	}
	w.owed += out
}

// left returns the lots that are left, from the front of the memory.
func (w *walk) left() []Lot {
	if w.head > 0 {
		w.lots = w.lots[:copy(w.lots, w.lots[w.head:])]
		w.head = 0
	}
	return w.lots
}

// sumUp moves the units before one into the carry.
func (l *Ledger) sumUp(wallet *catalog.Wallet, to calendar.Ordinal) {
	if wallet.Expires == 0 || to <= l.Carry.floor() || len(l.Units) == 0 && l.Carry.none() {
		return
	}
	var w walk
	w.begin(wallet, &l.Carry, nil)
	n, _ := l.find(to)
	w.units(l.Units[:n], nil)
	w.end(to)
	l.Units = slices.Delete(l.Units, 0, n)
	l.Carry = Carry{From: to, Lots: w.left(), Owed: w.owed, Expired: w.expired}
}
