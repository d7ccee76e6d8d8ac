package progress

import (
	"slices"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// coupon decides what buys a reward, or gives it back. Stock is the shell's.
func (d *decider) coupon(m *Meta) error {
	if err := d.noValue(); err != nil {
		return err
	}
	if m.Action == Refund {
		return d.refundCoupon()
	}
	i, some := d.plan.Catalog.Find(catalog.Rewards, d.act.Name)
	if !some || d.plan.Catalog.Rewards[i].Price == nil {
		return &Refusal{RefusedReward, "name", "The org has no such reward with a price."}
	}
	d.made.Own.Rewards = []string{d.act.Name}
	return d.pay(d.plan.Catalog.Rewards[i].Price)
}

// pay takes what something costs; nil costs nothing.
func (d *decider) pay(price *catalog.Points) error {
	if price == nil {
		return nil
	}
	return d.move(price.Wallet, rewards.Spend, -price.Amount)
}

func (d *decider) refundCoupon() error {
	price, err := d.refundable(activity.Coupon, rewards.Spend)
	switch {
	case err != nil:
		return err
	case len(d.facts.Refunded) > 0:
		return notRefundable("It was refunded before.")
	case d.facts.Unissued:
		return &Refusal{RefusedUsed, "meta.of", "The coupon was used, or has expired."}
	}
	return d.giveBack(price, notRefundable("The org has no wallet any more that the price was paid from."))
}

// giveBack refunds a debit. gone is the answer where its wallet is not there any more.
func (d *decider) giveBack(debit activity.Row, gone error) error {
	i, some := d.plan.Catalog.Find(catalog.Wallets, debit.Wallet)
	if !some || d.plan.Catalog.Wallets[i].Decimals != int(debit.Decimals) {
		return gone
	}
	return d.move(i, rewards.Refund, -debit.Amount)
}

// gift decides what the user gives to another one.
func (d *decider) gift(m *Meta) error {
	if err := d.noValue(); err != nil {
		return err
	}
	i, some := d.plan.Catalog.Find(catalog.Gifts, d.act.Name)
	switch {
	case !some:
		return &Refusal{RefusedGift, "name", "The org has no such gift."}
	case m.To == d.act.User || d.facts.ToSelf:
		return &Refusal{RefusedSelf, "meta.to", "A gift goes to another user."}
	case !d.facts.ToFound:
		return &Refusal{RefusedUser, "meta.to", "The org does not know this user."}
	}
	def := d.plan.Catalog.Gifts[i]
	if def.Points != nil {
		row := d.row(def.Points.Wallet, rewards.Earn, def.Points.Amount)
		row.Category = uint8(def.Points.Category)
		d.made.Other.Rows = []activity.Row{row}
	}
	if def.Reward >= 0 {
		d.made.Other.Rewards = []string{d.plan.Catalog.Rewards[def.Reward].ID}
	}
	return d.pay(def.Cost)
}

// bounty decides what holds points, and what ends that.
func (d *decider) bounty(m *Meta) error {
	if m.Action == Start {
		return d.startBounty()
	}
	if err := d.noValue(); err != nil {
		return err
	}
	open := d.state.Earnings.openBounty(m.Of)
	// What ends a bounty is not older than its start, so that it is never sealed before; of a start that is sealed nothing is known but that it is older than this.
	if open == nil || open.Bounty != d.act.Name || d.facts.Of != nil && d.facts.Of.At > d.act.At {
		return &Refusal{RefusedBountyNotFound, "meta.of", "The user has no such open bounty."}
	}
	if m.Action == Cancel {
		return d.giveBack(open.Row, &Refusal{RefusedBounty, "name", "The org has no wallet any more that the points were taken from."})
	}
	switch {
	case m.To == d.act.User || d.facts.ToSelf:
		return &Refusal{RefusedBadRequest, "meta.to", "A bounty is awarded to another user."}
	case !d.facts.ToFound:
		return &Refusal{RefusedUser, "meta.to", "The org does not know this user."}
	}
	row := open.Row
	row.Type, row.Amount = uint8(rewards.Earn), -row.Amount
	d.made.Other.Rows = []activity.Row{row}
	return nil
}

func (d *decider) startBounty() error {
	i, some := d.plan.Catalog.Find(catalog.Bounties, d.act.Name)
	if !some {
		return &Refusal{RefusedBounty, "name", "The org has no such bounty."}
	}
	if d.state.Earnings.openBounties() >= MaxOpenBounties {
		return &Refusal{RefusedTooMany, "", "The user has 100 open bounties: end one first."}
	}
	def := d.plan.Catalog.Bounties[i]
	n, err := d.amount(d.plan.Catalog.Wallets[def.Wallet].Decimals, max(def.Min, 1), def.Max)
	if err != nil {
		return err
	}
	return d.move(def.Wallet, rewards.Spend, -n)
}

// openBounty is the open bounty that an activity started, nil for none.
func (e *Earnings) openBounty(start activity.ID) *OpenBounty {
	if e == nil {
		return nil
	}
	if i, found := e.findBounty(start); found && !e.Bounties[i].ended() {
		return &e.Bounties[i]
	}
	return nil
}

func (e *Earnings) openBounties() (n int) {
	if e == nil {
		return 0
	}
	for i := range e.Bounties {
		if !e.Bounties[i].ended() {
			n++
		}
	}
	return n
}

func (e *Earnings) findBounty(start activity.ID) (int, bool) {
	return slices.BinarySearchFunc(e.Bounties, start, func(b OpenBounty, id activity.ID) int {
		switch {
		case b.ID < id:
			return -1
		case b.ID > id:
			return 1
		}
		return 0
	})
}

// ended says that what ended the bounty is known, and its start is not yet: of two of one instant that may come first.
func (b *OpenBounty) ended() bool { return b.Row.Amount == 0 }

// addBounty takes in what starts or ends a bounty. The order does not matter.
func (s *State) addBounty(act *activity.Activity) {
	if act.Kind != activity.Bounty || act.Decided == nil {
		return
	}
	m, err := ReadMeta(act)
	if err != nil || m.Action == Start && len(act.Decided.Own.Rows) == 0 {
		return // not as Decide made it
	}
	e, id, made := s.openEarnings(), m.Of, OpenBounty{ID: m.Of}
	if m.Action == Start {
		id, made = act.ID, OpenBounty{ID: act.ID, Bounty: act.Name, Row: act.Decided.Own.Rows[0]}
	}
	i, found := e.findBounty(id)
	if found && e.Bounties[i].ended() != made.ended() {
		e.Bounties = slices.Delete(e.Bounties, i, i+1)
	} else if !found {
		e.Bounties = slices.Insert(e.Bounties, i, made)
	}
}
