package progress

import (
	"fmt"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/rewards"
)

// earnedDiffers says where two states of a user show something else of what was earned. When something was summed up makes no difference.
func (p *Plan) earnedDiffers(have, want *State) string {
	if a, b := have.Earnings.bounties(), want.Earnings.bounties(); !slices.Equal(a, b) {
		return fmt.Sprintf("%d bounties are open, not %d, or others", len(a), len(b))
	}
	if p.earning == nil {
		return ""
	}
	now := max(have.Told, want.Told, have.latestEarned(), want.latestEarned())
	h, w := have.DeriveEarned(p, now), want.DeriveEarned(p, now)
	for i, def := range p.Catalog.Wallets {
		if a, b := &h.Wallets[i], &w.Wallets[i]; a.Sums != b.Sums || a.Categories != b.Categories || a.Balance != b.Balance {
			return fmt.Sprintf("wallet %s has earned %d and %d left, not %d and %d", def.ID, a.Earned, a.Balance, b.Earned, b.Balance)
		}
	}
	for i, def := range p.Catalog.Achievements {
		if a, b := shownOf(&h.Achievements[i]), shownOf(&w.Achievements[i]); a != b {
			return fmt.Sprintf("achievement %s was completed %d times, lastly %v, not %d times, lastly %v", def.ID, a.Times, a.LastAt, b.Times, b.LastAt)
		}
	}
	for i, def := range p.Catalog.Missions {
		if a, b := &h.Missions[i], &w.Missions[i]; a.Status != b.Status || a.Attempts != b.Attempts || a.CompletedAt != b.CompletedAt {
			return fmt.Sprintf("mission %s is %v in attempt %d, not %v in attempt %d", def.ID, a.Status, a.Attempts, b.Status, b.Attempts)
		}
	}
	return ""
}

func (e *Earnings) bounties() []OpenBounty {
	if e == nil {
		return nil
	}
	return e.Bounties
}

func (s *State) latestEarned() calendar.Instant {
	if s.Earnings == nil {
		return 0
	}
	return s.Earnings.Latest
}

// shownOf is what is shown of an achievement, without where the view keeps the rest of it.
func shownOf(a *rewards.Achievement) rewards.Achievement {
	return rewards.Achievement{Part: a.Part, CompletedAt: a.CompletedAt, Times: a.Times, FirstAt: a.FirstAt, LastAt: a.LastAt}
}
