package progress

import (
	"cmp"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// WalletRow is one row of a wallet, and what it comes from.
type WalletRow struct {
	rewards.Row
	// From is an award, achievement or mission by its id, or what an activity that was decided names, and Kind what of these ("award", or the kind of the activity, or of what gave a credit); "" of what expired.
	Kind, From string
	Activity   activity.ID   // of an award, and of what was decided
	Giver      activity.User // of a gift or a bounty that was received
	Period     string        // of an achievement or a prize: the label
}

// ID tells the rows of one instant apart, and orders them.
func (r *WalletRow) ID() string {
	return r.Kind + " " + r.From + " " + string(r.Activity) + r.Period
}

// WalletRows are the rows of the i-th wallet of the plan since the seal, newest first, made from the user's base and log. What is older has been summed up.
func (s *State) WalletRows(p *Plan, i int, base *State, records []activity.Activity, now calendar.Instant) ([]WalletRow, error) {
	whole, err := Rebuild(p, s, base, records, now)
	if whole == nil {
		return nil, err
	}
	a := applier{plan: p, state: whole, now: now, sorted: true}
	var rows []WalletRow
	for j := range records {
		if act := &records[j]; act.Counts() && act.At >= s.Sealed {
			a.evaluate(act)
			rows = a.decidedRows(a.awardRows(rows, i, act), i, act)
		}
	}
	x := a.room()
	a.derive(&x.after, a.streakNow(), a.streakNow())
	for _, done := range x.after.Completions {
		rows = a.givenRows(rows, i, done)
	}
	for _, row := range p.earning.calculus.Expiries(nil, i, &x.after, &x.user, s.Sealed, now) {
		rows = append(rows, WalletRow{Row: row})
	}
	slices.SortFunc(rows, func(x, y WalletRow) int { return cmp.Or(cmp.Compare(y.At, x.At), cmp.Compare(y.ID(), x.ID())) })
	return rows, nil
}

// awardRows appends what the evaluated activity earned.
func (a *applier) awardRows(rows []WalletRow, wallet int, act *activity.Activity) []WalletRow {
	for _, w := range a.awards {
		if def := a.plan.Catalog.Awards[w.index]; def.Wallet == wallet {
			row := rewards.Row{At: act.At, Type: rewards.Earn, Amount: w.amount, Category: def.Category}
			rows = append(rows, WalletRow{Row: row, Kind: "award", From: def.ID, Activity: act.ID})
		}
	}
	return rows
}

// decidedRows appends what was decided with the evaluated activity.
func (a *applier) decidedRows(rows []WalletRow, wallet int, act *activity.Activity) []WalletRow {
	for _, w := range a.decided {
		if w.wallet == wallet {
			row := WalletRow{Row: w.Row, Kind: act.Kind.String(), From: act.Name, Activity: act.ID}
			if act.Kind == activity.Credit {
				g := ReadGiver(act)
				row.Kind, row.Giver, row.Period = g.Kind, g.From, g.Period
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// givenRows appends what a completion gives.
func (a *applier) givenRows(rows []WalletRow, wallet int, done rewards.Completion) []WalletRow {
	for _, given := range a.plan.earning.calculus.Gives(done.Of).Points {
		if given.Wallet != wallet {
			continue
		}
		row := WalletRow{Row: rewards.Row{At: done.At, Type: rewards.Earn, Amount: given.Amount, Category: given.Category}}
		if done.Of.Kind == missions {
			row.Kind, row.From = "mission", a.plan.Catalog.Missions[done.Of.Index].ID
		} else {
			def := a.plan.Catalog.Achievements[done.Of.Index]
			row.Kind, row.From, row.Period = "achievement", def.ID, a.plan.cal.Label(perOf(def), done.Period)
		}
		rows = append(rows, row)
	}
	return rows
}

// perOf is the cycle of whose periods an achievement is completed in each.
func perOf(def *catalog.Achievement) calendar.Cycle {
	if def.Rank != nil {
		return def.Rank.Cycle
	}
	return def.Per
}

// Ends is when a lot of the i-th wallet ends.
func (p *Plan) Ends(i int, lot rewards.Lot) calendar.Instant {
	def := p.Catalog.Wallets[i]
	_, after := p.cal.Dates(calendar.Cycle{Unit: def.Lots}, lot.Ordinal+calendar.Ordinal(def.Expires))
	return p.cal.StartOf(after)
}
