package progress

import (
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// Earnings is what is kept of what a user earned (docs/REWARDS.md): what activities gave, and the instants that none of them gives. What is shown is derived from it. The zero value is
// that of a user who earned nothing.
type Earnings struct {
	// Latest is the greatest at of an activity that earned something or counted for a criterion. What lies before Summed is summed up (rewards.Calculus.SumUp): what an activity
	// changes there, the state alone cannot tell.
	Latest, Summed calendar.Instant
	Wallets        []WalletState
	Achievements   []AchievementState
	Missions       []MissionState
	// Bounties are those that hold points, in order of their starts' ids. One whose Row is of 0 was ended by an activity whose start is still to come.
	Bounties []OpenBounty
}

// MaxOpenBounties is how many bounties of a user may be open at once.
const MaxOpenBounties = 100

// OpenBounty is a bounty that was started and neither cancelled nor awarded: ID is the start's, Bounty the definition's, Row what took the points.
type OpenBounty struct {
	ID     activity.ID
	Bounty string
	Row    activity.Row
}

// WalletState is a user's ledger in a wallet.
type WalletState struct {
	ID    string
	Print uint32 // the definition that it was folded under
	rewards.Ledger
}

// AchievementState is what is known of an achievement. Its Marks are in Periods and Conditions.
type AchievementState struct {
	ID    string
	Print uint32
	rewards.Kept
	// Periods are those with an activity that counts, in order; Conditions are as many of each as the definition has criteria over activities, in the same order.
	Periods    []calendar.Ordinal
	Conditions []Condition
}

// MissionState is what is known of a mission.
type MissionState struct {
	ID string
	rewards.KeptMission
}

// earningPlan is what a plan knows of what is earned.
type earningPlan struct {
	calculus *rewards.Calculus
	criteria [][]int // by achievement: those over activities; of one by rank its only one, that is met by a close
	streaks  []int   // those that a criterion looks at
	trims    bool    // there is something to sum up as time goes by
	grants   bool    // something that is derived grants a reward
}

// newEarningPlan is nil where nothing can be earned.
func newEarningPlan(c *catalog.Catalog, cal *calendar.Calendar) *earningPlan {
	if len(c.Order) == 0 {
		return nil
	}
	e := &earningPlan{calculus: rewards.New(&c.Earning, cal), criteria: make([][]int, len(c.Achievements)), grants: grantsRewards(c)}
	for i, a := range c.Achievements {
		e.trims = e.trims || a.Rank == nil && a.Per.Unit != calendar.All
		if a.Rank != nil {
			e.criteria[i] = []int{0}
		}
		for k := range a.Criteria {
			switch a.Criteria[k].Kind {
			case catalog.OfActivities:
				e.criteria[i] = append(e.criteria[i], k)
			case catalog.OfStreak:
				e.streaks = append(e.streaks, a.Criteria[k].Of)
			}
		}
	}
	slices.Sort(e.streaks)
	e.streaks = slices.Compact(e.streaks)
	for _, w := range c.Wallets {
		e.trims = e.trims || w.Expires > 0
	}
	return e
}

func find[T any](list []T, id string, of func(*T) string) *T {
	for i := range list {
		if of(&list[i]) == id {
			return &list[i]
		}
	}
	return nil
}

func (e *Earnings) wallet(id string) *WalletState {
	if e == nil {
		return nil
	}
	return find(e.Wallets, id, func(w *WalletState) string { return w.ID })
}

func (e *Earnings) achievement(id string) *AchievementState {
	if e == nil {
		return nil
	}
	return find(e.Achievements, id, func(a *AchievementState) string { return a.ID })
}

func (e *Earnings) mission(id string) *MissionState {
	if e == nil {
		return nil
	}
	return find(e.Missions, id, func(m *MissionState) string { return m.ID })
}

func (s *State) openEarnings() *Earnings {
	if s.Earnings == nil {
		s.Earnings = &Earnings{}
	}
	return s.Earnings
}

func (s *State) openWallet(def *catalog.Wallet) *WalletState {
	e := s.openEarnings()
	if w := e.wallet(def.ID); w != nil {
		return w
	}
	e.Wallets = append(e.Wallets, WalletState{ID: def.ID, Print: def.Print})
	return &e.Wallets[len(e.Wallets)-1]
}

func (s *State) openAchievement(def *catalog.Achievement) *AchievementState {
	e := s.openEarnings()
	if a := e.achievement(def.ID); a != nil {
		return a
	}
	e.Achievements = append(e.Achievements, AchievementState{ID: def.ID, Print: def.Print})
	return &e.Achievements[len(e.Achievements)-1]
}

func (s *State) openMission(id string) *MissionState {
	e := s.openEarnings()
	if m := e.mission(id); m != nil {
		return m
	}
	e.Missions = append(e.Missions, MissionState{ID: id})
	return &e.Missions[len(e.Missions)-1]
}

// open returns the conditions of a period, of a definition that has n criteria over activities.
func (a *AchievementState) open(o calendar.Ordinal, n int) []Condition {
	i, found := a.find(o)
	if !found {
		a.Periods = slices.Insert(a.Periods, i, o)
		a.Conditions = slices.Insert(a.Conditions, i*n, make([]Condition, n)...)
	}
	return a.Conditions[i*n : (i+1)*n]
}

func (a *AchievementState) find(o calendar.Ordinal) (int, bool) {
	if n := len(a.Periods); n == 0 || a.Periods[n-1] < o {
		return n, false
	} else if a.Periods[n-1] == o {
		return n - 1, true
	}
	return slices.BinarySearch(a.Periods, o)
}

// continueEarnings takes over what a base has: all of it is of before the seal.
func (s *State) continueEarnings(p *Plan, base *State) {
	if base.Earnings == nil {
		return
	}
	from := base.Earnings
	if len(from.Bounties) > 0 {
		s.openEarnings().Bounties = slices.Clone(from.Bounties)
	}
	if p.earning == nil {
		return
	}
	s.openEarnings().Latest = from.Latest
	for _, def := range p.Catalog.Wallets {
		if w := from.wallet(def.ID); w != nil {
			own := *w
			own.Units, own.Carry.Lots = slices.Clone(w.Units), slices.Clone(w.Carry.Lots)
			own.redefine(p, def, base.Sealed)
			s.Earnings.Wallets = append(s.Earnings.Wallets, own)
		}
	}
	for _, def := range p.Catalog.Achievements {
		if a := from.achievement(def.ID); a != nil {
			own := *a
			own.Periods, own.Conditions = slices.Clone(a.Periods), slices.Clone(a.Conditions)
			for i := range own.Conditions {
				own.Conditions[i] = own.Conditions[i].clone()
			}
			own.redefine(p, def)
			s.Earnings.Achievements = append(s.Earnings.Achievements, own)
		}
	}
	for _, m := range from.Missions {
		m.Starts = slices.Clone(m.Starts)
		s.Earnings.Missions = append(s.Earnings.Missions, m)
	}
}

// takeEarnings takes over from an earlier state what is not derived from activities: when missions were started, and what was noted. What a base has completed stays as it is.
func (s *State) takeEarnings(p *Plan, old *State) {
	if old.Earnings == nil {
		return
	}
	for _, def := range p.Catalog.Achievements {
		if was := old.Earnings.achievement(def.ID); was != nil && was.Noted != 0 || s.Earnings.achievement(def.ID) != nil {
			if a := s.openAchievement(def); a.Times == 0 {
				a.Noted = 0
				if was != nil {
					a.Noted = was.Noted
				}
			}
		}
	}
	for i := range old.Earnings.Missions {
		was := &old.Earnings.Missions[i]
		if m := s.openMission(was.ID); !m.Completed {
			m.Starts, m.Noted = slices.Clone(was.Starts), was.Noted
		}
	}
}

// redefineEarnings brings a base under the plan.
func (s *State) redefineEarnings(p *Plan) {
	if s.Earnings == nil {
		return
	}
	for _, def := range p.Catalog.Wallets {
		if w := s.Earnings.wallet(def.ID); w != nil {
			w.redefine(p, def, s.Sealed)
		}
	}
	for _, def := range p.Catalog.Achievements {
		if a := s.Earnings.achievement(def.ID); a != nil {
			a.redefine(p, def)
		}
	}
}

// redefine brings a sealed ledger under another definition: its rows stay. What is left in a wallet that expires from now on counts as credited in the last unit before the seal; what
// had expired in one that does not expire any more stays taken.
func (w *WalletState) redefine(p *Plan, def *catalog.Wallet, sealed calendar.Instant) {
	if w.Print == def.Print {
		return
	}
	w.Print = def.Print
	walked := len(w.Units) > 0 || w.Carry.From != 0
	switch {
	case def.Expires == 0 && walked:
		w.Set -= w.Carry.Expired
		w.Units, w.Carry = nil, rewards.Carry{}
	case def.Expires > 0 && !walked:
		unit := rewards.UnitAt(def, p.cal, sealed)
		w.Carry = rewards.Carry{From: unit}
		if net := w.Earned - w.Redeemed - w.Spent + w.Refunded + w.Set; net > 0 {
			w.Carry.Lots = []rewards.Lot{{Ordinal: unit - 1, Left: net}}
		} else {
			w.Carry.Owed = -net
		}
	}
}

// redefine brings a sealed achievement under another definition: what was completed stays, what was not is begun anew.
func (a *AchievementState) redefine(p *Plan, def *catalog.Achievement) {
	if a.Print == def.Print {
		return
	}
	a.Print, a.Periods, a.Conditions = def.Print, nil, nil
	if a.Times > 0 && def.Rank == nil {
		a.Last, _ = p.cal.OrdinalAt(def.Per, a.LastAt)
	}
}
