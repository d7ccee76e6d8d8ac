package catalog

// NotGiven lists what is defined, kept, checked and shown, and has no effect yet: users should not think that it works.
func (e *Earning) NotGiven() (kinds []string) {
	add := func(kind string, some bool) {
		if some {
			kinds = append(kinds, kind)
		}
	}
	grants, given := false, false
	for _, a := range e.Achievements {
		grants = grants || len(a.Grants) > 0
	}
	for _, l := range e.Levels {
		for _, s := range l.Steps {
			grants = grants || len(s.Grants) > 0
		}
	}
	for _, m := range e.Missions {
		grants = grants || len(m.Grants) > 0
	}
	for _, g := range e.Gifts {
		given = given || g.Reward >= 0
	}
	add("rewards", len(e.Rewards) > 0)
	add("grants", grants)
	add("gifts of rewards", given)
	return kinds
}
