package progress

import (
	"slices"
	"strings"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/rewards"
)

// award is what the activity at hand earns by one of the plan's awards.
type award struct {
	index  int
	amount int64
}

// decidedRow is a row that was decided with the activity at hand, of one of the plan's wallets.
type decidedRow struct {
	wallet int
	rewards.Row
}

// criterionMatch is a criterion of an achievement that the activity at hand counts for.
type criterionMatch struct {
	achievement int
	slot        int // among the criteria over activities
	value       catalog.Value
	period      calendar.Ordinal
}

// evaluateEarnings finds what the activity at hand earns and counts for, and whether all of it can be taken.
func (a *applier) evaluateEarnings(act *activity.Activity) error {
	a.awards, a.criteria, a.decided = a.awards[:0], a.criteria[:0], a.decided[:0]
	if a.plan.earning == nil {
		return nil
	}
	a.evaluateDecided(act)
	for i, def := range a.plan.Catalog.Awards {
		amount, err := def.Earns(&a.input)
		if err == nil && amount > 0 {
			err = a.checkAward(def, amount, act)
		}
		switch {
		case err != nil && !a.sorted:
			return err
		case err == nil && amount > 0:
			a.awards = append(a.awards, award{i, amount})
		}
	}
	for i := range a.plan.Catalog.Achievements {
		if err := a.evaluateAchievement(i); err != nil {
			return err
		}
	}
	return nil
}

// evaluateDecided finds the wallets of the rows that were decided, and the achievement by rank. They were checked then.
func (a *applier) evaluateDecided(act *activity.Activity) {
	if act.Decided == nil {
		return
	}
	a.evaluateStanding(act.Decided.Own.Achieved)
	for i := range act.Decided.Own.Rows {
		row := &act.Decided.Own.Rows[i]
		at, some := a.plan.Catalog.Find(catalog.Wallets, row.Wallet)
		if some && a.plan.Catalog.Wallets[at].Decimals == int(row.Decimals) && row.Type < uint8(rewards.Expire) && row.Category <= catalog.Categories {
			a.decided = append(a.decided, decidedRow{at, rewards.Row{At: act.At, Type: rewards.RowType(row.Type), Amount: row.Amount, Category: catalog.Category(row.Category)}})
		}
	}
}

// evaluateStanding finds the achievement by rank that a close completed.
func (a *applier) evaluateStanding(achieved string) {
	id, label, _ := strings.Cut(achieved, ":")
	i, some := a.plan.Catalog.Find(catalog.Achievements, id)
	if !some || a.plan.Catalog.Achievements[i].Rank == nil {
		return
	}
	if o, err := a.plan.cal.ParseLabel(a.plan.Catalog.Achievements[i].Rank.Cycle, label); err == nil {
		a.criteria = append(a.criteria, criterionMatch{achievement: i, period: o})
	}
}

// checkAward says whether a wallet can take what an award gives, with what others give into it. What a wallet has earned only grows, so in whatever order activities were accepted, each of
// them is when they come in order.
func (a *applier) checkAward(def *catalog.Award, amount int64, act *activity.Activity) error {
	for _, other := range a.awards {
		if a.plan.Catalog.Awards[other.index].Wallet == def.Wallet {
			amount += other.amount
		}
	}
	wallet := a.plan.Catalog.Wallets[def.Wallet]
	ledger, unit := a.ledgerWith(def.Wallet), rewards.UnitAt(wallet, a.plan.cal, act.At)
	return ledger.Check(wallet, unit, rewards.Row{At: act.At, Type: rewards.Earn, Amount: amount})
}

// ledgerWith is that of a wallet, with the rows that were decided with the activity at hand.
func (a *applier) ledgerWith(i int) *rewards.Ledger {
	wallet := a.plan.Catalog.Wallets[i]
	ledger := &rewards.Ledger{}
	if w := a.state.Earnings.wallet(wallet.ID); w != nil {
		ledger = &w.Ledger
	}
	shared := true
	for _, row := range a.decided {
		if row.wallet != i {
			continue
		}
		if shared {
			own := *ledger
			own.Units, ledger, shared = slices.Clone(own.Units), &own, false
		}
		ledger.Add(wallet, rewards.UnitAt(wallet, a.plan.cal, row.At), row.Row)
	}
	return ledger
}

func (a *applier) evaluateAchievement(i int) error {
	def := a.plan.Catalog.Achievements[i]
	if def.Rank != nil {
		return nil
	}
	for slot, k := range a.plan.earning.criteria[i] {
		v, ok, err := def.Criteria[k].Eval(&a.input)
		if ok && err == nil {
			m := criterionMatch{achievement: i, slot: slot, value: v, period: a.plan.cal.OrdinalOf(def.Per, a.date)}
			if f := def.Criteria[k].Fold; f == catalog.Unique || f == catalog.Sum && !a.sorted {
				err = a.checkCriterion(&m, f)
			}
			if err == nil {
				a.criteria = append(a.criteria, m)
			}
		}
		if err != nil && !a.sorted {
			return err
		}
	}
	return nil
}

func (a *applier) checkCriterion(m *criterionMatch, f catalog.Fold) error {
	st := a.state.Earnings.achievement(a.plan.Catalog.Achievements[m.achievement].ID)
	if st == nil {
		return nil
	}
	i, found := st.find(m.period)
	if !found {
		return nil
	}
	return st.Conditions[i*len(a.plan.earning.criteria[m.achievement])+m.slot].Check(f, m.value)
}

// addEarnings folds the evaluated activity into what the user earned.
func (a *applier) addEarnings(act *activity.Activity) {
	if len(a.awards) == 0 && len(a.criteria) == 0 && len(a.decided) == 0 {
		return
	}
	e := a.state.openEarnings()
	if act.At < e.Summed {
		a.update.NeedLog = true
		return
	}
	e.Latest = max(e.Latest, act.At)
	for _, w := range a.decided {
		wallet := a.plan.Catalog.Wallets[w.wallet]
		a.state.openWallet(wallet).Add(wallet, rewards.UnitAt(wallet, a.plan.cal, act.At), w.Row)
	}
	for _, w := range a.awards {
		def := a.plan.Catalog.Awards[w.index]
		wallet := a.plan.Catalog.Wallets[def.Wallet]
		row := rewards.Row{At: act.At, Type: rewards.Earn, Amount: w.amount, Category: def.Category}
		a.state.openWallet(wallet).Add(wallet, rewards.UnitAt(wallet, a.plan.cal, act.At), row)
	}
	for i := range a.criteria {
		a.addCriterion(&a.criteria[i], act)
	}
}

func (a *applier) addCriterion(m *criterionMatch, act *activity.Activity) {
	def, slots := a.plan.Catalog.Achievements[m.achievement], a.plan.earning.criteria[m.achievement]
	st := a.state.openAchievement(def)
	if !st.Begun || act.At < st.First {
		st.Begun, st.First = true, act.At
	}
	if def.Rank != nil {
		st.open(m.period, len(slots))[m.slot] = Condition{Tally: fold.Tally{Some: true, Value: 1}, Met: true, MetAt: act.At, LastAt: act.At}
		return
	}
	c := &def.Criteria[slots[m.slot]]
	if !st.open(m.period, len(slots))[m.slot].add(c.Fold, c.AtLeast, m.value, act, a.sorted) {
		a.update.NeedLog = true
	}
}
