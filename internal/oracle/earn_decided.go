package oracle

import (
	"slices"
	"time"
)

// Move is a row that was decided. Type is "earn", "redeem", "spend", "refund" or "set"; Amount is below 0 for what takes something away.
type Move struct {
	Wallet   int
	Type     string
	Amount   int64
	Category int
}

// Decided is what is decided of a record: what moves in the user's wallets, and what another gets.
type Decided struct{ Own, Other []Move }

// Bounty holds points of a wallet.
type Bounty struct {
	Wallet   int
	Min, Max int64
}

// Gift costs one user, and gives to another.
type Gift struct{ Cost, Gives Points }

// Known is what is known of a record that is to be decided, beside the user's records.
type Known struct {
	Sealed        time.Time // what lies before cannot be refunded
	ToFound, Used bool
}

// Decide says what a record moves, or why it is refused.
func (e *Earner) Decide(r *Record, k Known, now time.Time) (d Decided, refused string) {
	pay := func(wallet int, typ string, amount int64) {
		if amount == 0 {
			return
		}
		move := Move{Wallet: wallet, Type: typ, Amount: amount}
		if amount < 0 && e.with(r, move).balance(wallet, now) < 0 {
			d, refused = Decided{}, "insufficient_points"
			return
		}
		d.Own = append(d.Own, move)
	}
	switch r.Kind + " " + r.Action {
	case "point increment", "point redeem", "point set":
		if r.Def >= len(e.Wallets) {
			return d, "unknown_wallet"
		}
		n := Scale(r.Value, e.Wallets[r.Def].Decimals)
		if !r.HasValue || n < 0 || n == 0 && r.Action != "set" {
			return d, "bad_request"
		}
		switch r.Action {
		case "increment":
			pay(r.Def, "earn", n)
		case "redeem":
			pay(r.Def, "redeem", -n)
		case "set":
			pay(r.Def, "set", n-e.with(r).balance(r.Def, now))
		}
	case "point refund":
		if r.Def >= len(e.Wallets) {
			return d, "unknown_wallet"
		}
		n := Scale(r.Value, e.Wallets[r.Def].Decimals)
		left, some := e.left(r, k.Sealed)
		switch {
		case !some || left == 0:
			return d, "not_refundable"
		case r.HasValue && n <= 0:
			return d, "bad_request"
		case r.HasValue && n > left:
			return d, "not_refundable"
		case r.HasValue:
			left = n
		}
		pay(r.Def, "refund", left)
	case "coupon redeem":
		if r.Def >= len(e.Coupons) {
			return d, "unknown_reward"
		}
		pay(e.Coupons[r.Def].Wallet, "spend", -e.Coupons[r.Def].Amount)
	case "coupon refund":
		left, some := e.left(r, k.Sealed)
		if !some || left != e.Coupons[r.Def].Amount {
			return d, "not_refundable"
		}
		if k.Used {
			return d, "coupon_used"
		}
		pay(e.Coupons[r.Def].Wallet, "refund", left)
	case "gift ":
		switch {
		case r.Def >= len(e.Gifts):
			return d, "unknown_gift"
		case r.To == r.User:
			return d, "gift_to_self"
		case !k.ToFound:
			return d, "user_not_found"
		}
		g := e.Gifts[r.Def]
		d.Other = []Move{{g.Gives.Wallet, "earn", g.Gives.Amount, g.Gives.Category}}
		pay(g.Cost.Wallet, "spend", -g.Cost.Amount)
	case "bounty start":
		if r.Def >= len(e.Bounties) {
			return d, "unknown_bounty"
		}
		b := e.Bounties[r.Def]
		n := Scale(r.Value, e.Wallets[b.Wallet].Decimals)
		if !r.HasValue || n < b.Min || n > b.Max {
			return d, "bad_request"
		}
		pay(b.Wallet, "spend", -n)
	default:
		return e.endBounty(r, k)
	}
	return d, refused
}

func (e *Earner) endBounty(r *Record, k Known) (d Decided, refused string) {
	start := e.counting(func(s *Record) bool {
		return s.Kind == "bounty" && s.Action == "start" && s.ID == r.Of && s.Def == r.Def && !s.At.After(r.At)
	})
	ends := e.counting(func(s *Record) bool { return s.Kind == "bounty" && s.Of == r.Of })
	switch {
	case len(start) == 0 || len(ends) > 0:
		return d, "bounty_not_found"
	case r.Action == "cancel":
		m := start[0].Moves[0]
		d.Own = []Move{{m.Wallet, "refund", -m.Amount, 0}}
	case r.To == r.User:
		return d, "bad_request"
	case !k.ToFound:
		return d, "user_not_found"
	default:
		m := start[0].Moves[0]
		d.Other = []Move{{m.Wallet, "earn", -m.Amount, 0}}
	}
	return d, ""
}

// counting are the records that count, and are as asked.
func (e *Earner) counting(is func(*Record) bool) (list []*Record) {
	for i := range e.Records {
		if r := &e.Records[i]; !r.Rejected && !r.Ignored && is(r) {
			list = append(list, r)
		}
	}
	return list
}

// left is what may be refunded yet of the record that a refund is of.
func (e *Earner) left(refund *Record, sealed time.Time) (left int64, some bool) {
	debits := e.counting(func(r *Record) bool {
		return r.ID == refund.Of && r.Kind == refund.Kind && r.Action == "redeem" && r.Def == refund.Def && !r.At.Before(sealed) && !r.At.After(refund.At)
	})
	if len(debits) == 0 || len(debits[0].Moves) == 0 {
		return 0, false
	}
	for _, r := range append(debits, e.counting(func(r *Record) bool { return r.Action == "refund" && r.Kind == refund.Kind && r.Of == refund.Of })...) {
		for _, m := range r.Moves {
			left -= m.Amount
		}
	}
	return left, true
}

// with is the earner as if rows were there at the instant of a record that counts for nothing else.
func (e *Earner) with(r *Record, moves ...Move) *Earner {
	model, next := *e.Model, *e
	phantom := Record{Kind: "credit", User: r.User, At: r.At, Moves: moves}
	model.Records = append(slices.Clip(model.Records), phantom)
	next.Model = &model
	return &next
}

func (e *Earner) balance(wallet int, now time.Time) int64 {
	w, _ := e.at(now, now).wallet(wallet)
	return w.Balance
}

// Sound says that everything that gives back has something to give back: each refund its debit, which is not exceeded, and each bounty's end its start, to itself.
func (e *Earner) Sound() bool {
	for _, r := range e.counting(func(r *Record) bool { return r.Of != "" }) {
		of := e.counting(func(d *Record) bool { return d.ID == r.Of })
		others := e.counting(func(o *Record) bool { return o.Of == r.Of && o.Kind == r.Kind })
		if len(of) == 0 || r.Kind == "bounty" && len(others) > 1 {
			return false
		}
		var sum int64
		for _, d := range append(of, others...) {
			for _, m := range d.Moves {
				sum += m.Amount
			}
		}
		if sum > 0 {
			return false
		}
	}
	return true
}

// moved are the rows of a wallet that were decided.
func (c *earned) moved(wallet int) (rows []row) {
	for _, r := range c.counting(func(*Record) bool { return true }) {
		for _, m := range r.Moves {
			if m.Wallet == wallet {
				rows = append(rows, row{r.At, m.Amount, m.Category, m.Type})
			}
		}
	}
	return rows
}

// wallet is what all rows amount to.
func (c *earned) wallet(i int) (w EarnedWallet, all []row) {
	def := c.Wallets[i]
	all = slices.Clone(c.rows(i))
	for _, r := range all {
		w.Earned += r.amount
		if r.category > 0 {
			w.Categories[r.category-1] += r.amount
		}
	}
	for _, r := range c.moved(i) {
		switch r.typ {
		case "earn":
			continue
		case "redeem":
			w.Redeemed -= r.amount
		case "spend":
			w.Spent -= r.amount
		case "refund":
			w.Refunded += r.amount
		case "set":
			w.Set += r.amount
		}
		all = append(all, r)
	}
	if def.Days+def.Months > 0 {
		w.Expired = c.expired(&def, all, c.now)
	}
	for _, r := range all {
		w.Balance += r.amount
	}
	w.Balance -= w.Expired
	return w, all
}

// stood are the closes at which the user stood well enough for an achievement by rank.
func (c *earned) stood(i int) (done []completion) {
	for _, r := range c.counting(func(r *Record) bool { return r.Achieved != "" && r.Def == i }) {
		done = append(done, completion{r.Achieved, r.At})
	}
	slices.SortFunc(done, func(x, y completion) int { return x.at.Compare(y.at) })
	return done
}

// expired is what has expired by the beginning of a day: of what was credited in each unit, and all before, what was not taken away by its end. A unit's credits come before its debits,
// and the oldest points go first, so that nothing but sums is needed.
func (c *earned) expired(def *Wallet, rows []row, now time.Time) (total int64) {
	var ends []time.Time
	for _, r := range rows {
		if r.amount > 0 {
			ends = append(ends, c.endOfLot(def, r.at))
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	last := c.day(now)
	for _, r := range rows {
		if d := c.day(r.at); r.amount != 0 && d.After(last) {
			last = d
		}
	}
	for _, end := range ends {
		// What lies ahead of now ends lots as far as its own unit begins after them.
		if end.After(last) || def.Months > 0 && end.After(time.Date(last.Year(), last.Month(), 1, 0, 0, 0, 0, time.UTC)) {
			break
		}
		var in, out int64
		for _, r := range rows {
			if r.amount > 0 && !c.endOfLot(def, r.at).After(end) {
				in += r.amount
			}
			if r.amount < 0 && c.day(r.at).Before(end) {
				out -= r.amount
			}
		}
		total += max(0, in-out-total)
	}
	return total
}

func (c *earned) day(at time.Time) time.Time { return DateIn(at, c.Org.Zone, 0) }

// endOfLot is the first day on which what was credited at an instant cannot be spent any more.
func (c *earned) endOfLot(def *Wallet, at time.Time) time.Time {
	d := c.day(at)
	if def.Months > 0 {
		return time.Date(d.Year(), d.Month()+time.Month(def.Months)+1, 1, 0, 0, 0, 0, time.UTC)
	}
	return d.AddDate(0, 0, def.Days+1)
}
