package progress

import (
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// Facts are what deciding an activity needs beside the state; the shell gathers them. The zero value is that nothing else is known.
type Facts struct {
	// Of is the user's record that meta.of names; nil for none, and for one that is sealed.
	Of *activity.Activity
	// Refunded is what accepted refunds of Of gave already.
	Refunded []activity.Row
	// Unissued: the grant of the coupon Of is not issued any more, but claimed, redeemed, expired or gone.
	Unissued bool
	// ToFound: the user that meta.to names exists. ToSelf: it was merged into the one who acts.
	ToFound, ToSelf bool
}

// NoteRefund takes down what a refund needs of the user's log.
func (f *Facts) NoteRefund(records []activity.Activity, of activity.ID) {
	for i := range records {
		if records[i].ID == of {
			f.Of, f.Refunded = &records[i], Refunded(records, &records[i])
		}
	}
}

// Decide decides an activity of kind point, coupon, gift or bounty against the state as of now. Nothing of s changes. A nil Decided without an error is that nothing is to be decided: of
// an activity of another kind, and of one that Apply will ignore. It fails with *Refusal, as Apply would with ErrTooOld and ErrInFuture, and with ErrNeedLog.
func Decide(p *Plan, s *State, act *activity.Activity, f Facts, now calendar.Instant) (*activity.Decided, error) {
	if act.Kind == activity.Behaviour || act.Kind == activity.Credit {
		return nil, nil
	}
	d := decider{applier: applier{plan: p, state: s, now: now}, act: act, facts: f}
	if err := d.admit(act); err != nil || s.Blocked {
		return nil, err
	}
	if s.Plan != 0 && s.Plan != p.print || s.Earnings != nil && act.At < s.Earnings.Summed {
		return nil, ErrNeedLog
	}
	m, err := ReadMeta(act)
	if err != nil {
		return nil, err
	}
	switch act.Kind {
	case activity.Point:
		err = d.point(&m)
	case activity.Coupon:
		err = d.coupon(&m)
	case activity.Gift:
		err = d.gift(&m)
	case activity.Bounty:
		err = d.bounty(&m)
	}
	if err != nil {
		return nil, err
	}
	return &d.made, nil
}

// decider is one Decide on its way. Its applier is not used to apply anything.
type decider struct {
	applier
	act   *activity.Activity
	facts Facts
	made  activity.Decided
}

// amount reads the activity's value as points in so many decimals.
func (d *decider) amount(decimals int, least, most int64) (int64, error) {
	if !d.act.HasValue {
		return 0, badValue("This activity needs its value: the points.")
	}
	n, err := catalog.Round(d.act.Value, decimals)
	switch {
	case err != nil:
		return 0, &Refusal{RefusedRange, "value", "The points are beyond ±2^53 in the wallet's decimals."}
	case n < least || n > most:
		return 0, badValue("The points must be " + between(least, most, decimals) + ".")
	}
	return n, nil
}

func badValue(detail string) error { return &Refusal{RefusedBadRequest, "value", detail} }

// between says in words what a number may be.
func between(least, most int64, decimals int) string {
	text := string(catalog.FormatScaled(nil, least, decimals)) + " or more"
	if most < catalog.MaxExact {
		text = "within " + string(catalog.FormatScaled(nil, least, decimals)) + " and " + string(catalog.FormatScaled(nil, most, decimals))
	}
	return text
}

// noValue refuses a value where none has a meaning.
func (d *decider) noValue() error {
	if d.act.HasValue {
		return badValue("This activity takes no value.")
	}
	return nil
}

// move adds a row to what was decided, of the i-th wallet. A debit that the balance does not cover is refused.
func (d *decider) move(i int, typ rewards.RowType, amount int64) error {
	if amount == 0 {
		return nil // a set to what the balance is
	}
	def := d.plan.Catalog.Wallets[i]
	after, err := d.balance(i, typ, amount)
	switch {
	case err != nil:
		return &Refusal{RefusedRange, "value", "What the wallet " + def.ID + " adds up to would leave ±2^53."}
	case amount < 0 && after < 0:
		return &Refusal{RefusedPoints, "", "The wallet " + def.ID + " lacks " + string(catalog.FormatScaled(nil, -after, def.Decimals)) + "."}
	}
	d.made.Own.Rows = append(d.made.Own.Rows, d.row(i, typ, amount))
	return nil
}

func (d *decider) row(i int, typ rewards.RowType, amount int64) activity.Row {
	def := d.plan.Catalog.Wallets[i]
	return activity.Row{Wallet: def.ID, Decimals: uint8(def.Decimals), Type: uint8(typ), Amount: amount}
}

// balance is the i-th wallet's, with everything that is known now and a row of the activity's instant; one of 0 changes nothing. fold.ErrRange where the wallet cannot take the row.
func (d *decider) balance(i int, typ rewards.RowType, amount int64) (int64, error) {
	x, def := d.room(), d.plan.Catalog.Wallets[i]
	d.fill(x, d.streakNow())
	ledger, unit := &x.user.Ledgers[i], rewards.UnitAt(def, d.plan.cal, d.act.At)
	row := rewards.Row{At: d.act.At, Type: typ, Amount: amount}
	if err := ledger.Check(def, unit, row); err != nil {
		return 0, err
	}
	ledger.Units = slices.Clone(ledger.Units) // those of the state
	ledger.Add(def, unit, row)
	d.plan.earning.calculus.Derive(&x.after, &x.user, d.streakNow(), d.streakNow())
	return x.after.Wallets[i].Balance, nil
}
