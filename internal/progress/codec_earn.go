package progress

import (
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/rewards"
)

// Flags of an encoded wallet: what it has beside its id.
const (
	walletEarned uint64 = 1 << iota
	walletCategories
	walletUnits
	walletCarry
	walletOther // sums beside what was earned
)

// Flags of an encoded mission, and of an achievement up to format 6.
const (
	keptNoted uint64 = 1 << iota
	keptBegun
	keptDone // summed up
)

func flagsOf(on ...bool) (flags uint64) {
	for i, is := range on {
		if is {
			flags |= 1 << i
		}
	}
	return flags
}

func (e *encoder) earnings(s *Earnings) {
	e.instant(s.Latest)
	e.instant(s.Summed)
	e.uint(uint64(len(s.Wallets)))
	for i := range s.Wallets {
		e.wallet(&s.Wallets[i])
	}
	e.uint(uint64(len(s.Achievements)))
	for i := range s.Achievements {
		e.achievement(s.Achievements, i)
	}
	e.uint(uint64(len(s.Missions)))
	for i := range s.Missions {
		e.mission(&s.Missions[i])
	}
	e.uint(uint64(len(s.Bounties)))
	for i := range s.Bounties {
		e.bounty(&s.Bounties[i])
	}
}

func (d *decoder) earnings() *Earnings {
	s := &Earnings{Latest: d.instant(), Summed: d.instant()}
	s.Wallets = make([]WalletState, d.count())
	for i := range s.Wallets {
		d.wallet(&s.Wallets[i])
	}
	s.Achievements = make([]AchievementState, d.count())
	for i := range s.Achievements {
		if d.format < stateFormat {
			d.achievement6(&s.Achievements[i])
		} else {
			d.achievement(s.Achievements, i)
		}
	}
	s.Missions = make([]MissionState, d.count())
	for i := range s.Missions {
		d.mission(&s.Missions[i])
	}
	if d.format > stateFormat5 {
		s.Bounties = make([]OpenBounty, d.count())
		for i := range s.Bounties {
			d.bounty(&s.Bounties[i])
		}
	}
	return s
}

func (e *encoder) wallet(w *WalletState) {
	c := &w.Carry
	carried := c.From != 0 || len(c.Lots) > 0 || c.Owed != 0 || c.Expired != 0
	flags := flagsOf(w.Earned != 0, w.Categories != [len(w.Categories)]int64{}, len(w.Units) > 0, carried, w.Sums != rewards.Sums{Earned: w.Earned})
	e.string(w.ID)
	e.print(w.Print)
	e.uint(flags)
	if flags&walletEarned != 0 {
		e.uint(uint64(w.Earned))
		e.instant(w.First)
	}
	if flags&walletCategories != 0 {
		for _, n := range w.Categories {
			e.uint(uint64(n))
		}
	}
	if flags&walletUnits != 0 {
		e.uint(uint64(len(w.Units)))
		for _, u := range w.Units {
			e.period(u.Ordinal)
			e.uint(uint64(u.In))
			e.uint(uint64(u.Out))
		}
	}
	if flags&walletCarry != 0 {
		e.period(c.From)
		e.uint(uint64(len(c.Lots)))
		for _, l := range c.Lots {
			e.period(l.Ordinal)
			e.uint(uint64(l.Left))
		}
		e.uint(uint64(c.Owed))
		e.uint(uint64(c.Expired))
	}
	if flags&walletOther != 0 {
		for _, n := range [...]int64{w.Redeemed, w.Spent, w.Refunded, w.Set} {
			e.int(n)
		}
	}
}

func (d *decoder) wallet(w *WalletState) {
	w.ID, w.Print = d.string(), d.print()
	flags := d.uint()
	if flags&walletEarned != 0 {
		w.Earned, w.First = int64(d.uint()), d.instant()
	}
	if flags&walletCategories != 0 {
		for i := range w.Categories {
			w.Categories[i] = int64(d.uint())
		}
	}
	if flags&walletUnits != 0 {
		w.Units = make([]rewards.Unit, d.count())
		for i := range w.Units {
			w.Units[i] = rewards.Unit{Ordinal: d.period(), In: int64(d.uint()), Out: int64(d.uint())}
		}
	}
	if flags&walletCarry != 0 {
		w.Carry.From = d.period()
		w.Carry.Lots = make([]rewards.Lot, d.count())
		for i := range w.Carry.Lots {
			w.Carry.Lots[i] = rewards.Lot{Ordinal: d.period(), Left: int64(d.uint())}
		}
		w.Carry.Owed, w.Carry.Expired = int64(d.uint()), int64(d.uint())
	}
	if flags&walletOther != 0 {
		for _, n := range [...]*int64{&w.Redeemed, &w.Spent, &w.Refunded, &w.Set} {
			*n = d.int()
		}
	}
}

func (e *encoder) mission(m *MissionState) {
	flags := flagsOf(m.Noted != 0, false, m.Completed)
	e.string(m.ID)
	e.uint(flags)
	if flags&keptNoted != 0 {
		e.instant(m.Noted)
	}
	if flags&keptDone != 0 {
		e.instant(m.CompletedAt)
	}
	e.uint(uint64(len(m.Starts)))
	for _, at := range m.Starts {
		e.instant(at)
	}
}

func (d *decoder) mission(m *MissionState) {
	m.ID = d.string()
	flags := d.uint()
	if flags&keptNoted != 0 {
		m.Noted = d.instant()
	}
	if flags&keptDone != 0 {
		m.Completed, m.CompletedAt = true, d.instant()
	}
	m.Starts = make([]calendar.Instant, d.count())
	for i := range m.Starts {
		m.Starts[i] = d.instant()
	}
}

func (e *encoder) bounty(b *OpenBounty) {
	e.string(string(b.ID))
	e.string(b.Bounty)
	e.string(b.Row.Wallet)
	e.byte(b.Row.Decimals)
	e.byte(b.Row.Type)
	e.byte(b.Row.Category)
	e.int(b.Row.Amount)
}

func (d *decoder) bounty(b *OpenBounty) {
	b.ID, b.Bounty = activity.ID(d.string()), d.string()
	b.Row = activity.Row{Wallet: d.string(), Decimals: d.byte(), Type: d.byte(), Category: d.byte(), Amount: d.int()}
}
