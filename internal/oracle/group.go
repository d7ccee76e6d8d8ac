package oracle

import "time"

// Group is a target group: who ever counted in one of its rules, in the cycle that they share, or for one of its streaks, is enrolled since. In an explicit one is who was put into it.
type Group struct {
	ID       string
	Cycle    Cycle
	Rules    []Rule
	Streaks  []Streak
	Explicit map[string]time.Time // user → since when; nil: not explicit
}

// Enrolled is who is enrolled in a group, and since when; hidden users aside.
func (m *Model) Enrolled(g *Group) map[string]time.Time {
	since := map[string]time.Time{}
	for user, at := range g.Explicit {
		if !m.Hidden[user] {
			since[user] = at
		}
	}
	for i := range m.Records {
		r := &m.Records[i]
		if g.Explicit != nil || m.Hidden[r.User] || !m.enrols(g, r) {
			continue
		}
		if first, known := since[r.User]; !known || r.At.Before(first) {
			since[r.User] = r.At
		}
	}
	return since
}

func (m *Model) enrols(g *Group, r *Record) bool {
	for i := range g.Rules {
		if _, counts := g.Rules[i].eval(r); counts {
			if _, some := m.Label(g.Cycle, r.At); some && !m.closedFor(g.Cycle, r) {
				return true
			}
		}
	}
	for i := range g.Streaks {
		for k := range g.Streaks[i].Conditions {
			if _, counts := g.Streaks[i].Conditions[k].eval(r); counts {
				return true
			}
		}
	}
	return false
}
