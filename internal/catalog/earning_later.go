package catalog

// NotGiven lists what is defined, kept, checked and shown, and has no effect yet: users should not think that it works.
func (e *Earning) NotGiven() (kinds []string) {
	add := func(kind string, some bool) {
		if some {
			kinds = append(kinds, kind)
		}
	}
	grants, byRank := false, false
	for _, a := range e.Achievements {
		grants, byRank = grants || len(a.Grants) > 0, byRank || a.Rank != nil
	}
	for _, l := range e.Levels {
		for _, s := range l.Steps {
			grants = grants || len(s.Grants) > 0
		}
	}
	for _, m := range e.Missions {
		grants = grants || len(m.Grants) > 0
	}
	add("activities of kind point", len(e.Wallets) > 0)
	add("rewards", len(e.Rewards) > 0)
	add("grants", grants)
	add("achievements by rank", byRank)
	add("gifts", len(e.Gifts) > 0)
	add("bounties", len(e.Bounties) > 0)
	add("target_groups", len(e.TargetGroups) > 0)
	add("prizes", len(e.Prizes) > 0)
	return kinds
}
