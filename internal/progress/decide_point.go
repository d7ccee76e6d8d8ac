package progress

import (
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// point decides what moves points of the wallet that the activity names.
func (d *decider) point(m *Meta) error {
	i, some := d.plan.Catalog.Find(catalog.Wallets, d.act.Name)
	if !some {
		return &Refusal{RefusedWallet, "name", "The org has no such wallet."}
	}
	decimals := d.plan.Catalog.Wallets[i].Decimals
	n, err := d.amount(decimals, 1, catalog.MaxExact)
	if err != nil {
		return err
	}
	return d.move(i, rewards.Earn, n)
}
