package progress

import (
	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// point decides what moves points of the wallet that the activity names.
func (d *decider) point(m *Meta) error {
	i, some := d.plan.Catalog.Find(catalog.Wallets, d.act.Name)
	if !some {
		return &Refusal{RefusedWallet, "name", "The org has no such wallet."}
	}
	if m.Action == Refund {
		return d.refundPoints(i, m.Of)
	}
	least := int64(1)
	if m.Action == Set {
		least = 0
	}
	n, err := d.amount(d.plan.Catalog.Wallets[i].Decimals, least, catalog.MaxExact)
	if err != nil {
		return err
	}
	switch m.Action {
	case Increment:
		return d.move(i, rewards.Earn, n)
	case Redeem:
		return d.move(i, rewards.Redeem, -n)
	}
	return d.set(i, n)
}

// set moves what the asked balance is more, or less, than the balance.
func (d *decider) set(i int, asked int64) error {
	have, err := d.balance(i, rewards.Set, 0)
	if err != nil {
		return err
	}
	return d.move(i, rewards.Set, asked-have)
}

// refundPoints gives back what is left of a redeem, or a part of it.
func (d *decider) refundPoints(i int, of activity.ID) error {
	debit, err := d.refundable(activity.Point, rewards.Redeem)
	if err != nil {
		return err
	}
	def := d.plan.Catalog.Wallets[i]
	if debit.Wallet != def.ID || debit.Decimals != uint8(def.Decimals) {
		return notRefundable("The activity " + string(of) + " redeemed points of another wallet.")
	}
	left := -debit.Amount
	for _, row := range d.facts.Refunded {
		left -= row.Amount
	}
	if left <= 0 {
		return notRefundable("All of it was refunded before.")
	}
	n := left
	if d.act.HasValue {
		if n, err = d.amount(def.Decimals, 1, catalog.MaxExact); err != nil {
			return err
		}
	}
	if n > left {
		return notRefundable("Of it are left " + string(catalog.FormatScaled(nil, left, def.Decimals)) + ".")
	}
	return d.move(i, rewards.Refund, n)
}

// refundable is the debit of the activity that a refund is of. A refund is not older than that, so that it is never sealed before.
func (d *decider) refundable(kind activity.Kind, typ rewards.RowType) (activity.Row, error) {
	of := d.facts.Of
	if of == nil || of.Kind != kind || of.Name != d.act.Name || !of.Counts() || of.Decided == nil || of.At > d.act.At {
		return activity.Row{}, notRefundable("There is no such redeem before this, or it is sealed.")
	}
	for _, row := range of.Decided.Own.Rows {
		if row.Type == uint8(typ) {
			return row, nil
		}
	}
	return activity.Row{}, notRefundable("The activity redeemed nothing.")
}

func notRefundable(detail string) error { return &Refusal{RefusedRefund, "meta.of", detail} }
