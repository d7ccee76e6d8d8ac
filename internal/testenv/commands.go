package testenv

import (
	"time"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/internal/progress"
)

// GiveCommands hands a model a user's pauses, and the commands for every streak of the plan, as a state has them: with what was decided when they were given.
func GiveCommands(m *oracle.Model, user string, p *progress.Plan, s *progress.State) {
	m.Pauses[user] = nil
	for _, x := range s.Pauses {
		pause := oracle.Pause{At: x.At.Time(), From: midnight(x.From), To: midnight(x.To)}
		if x.CutAt != 0 {
			pause.CutAt, pause.CutTo = x.CutAt.Time(), midnight(x.CutTo)
		}
		m.Pauses[user] = append(m.Pauses[user], pause)
	}
	for i := range p.Catalog.Streaks {
		giveStreak(m, user, p, s, i)
	}
}

func giveStreak(m *oracle.Model, user string, p *progress.Plan, s *progress.State, i int) {
	c := p.Calculus(i, s)
	first := func(o calendar.Ordinal) time.Time {
		d, _ := c.Zoning.Dates(o)
		return midnight(d)
	}
	to := m.Commands(user, c.Rule.ID)
	*to = oracle.Commands{}
	for _, g := range c.Commands.Grants {
		grant := oracle.Grant{At: g.At.Time(), N: g.N}
		if c.Rule.ZoneMode == catalog.ZoneEvent { // else the model knows by At
			grant.From = first(g.From)
		}
		to.Grants = append(to.Grants, grant)
	}
	for _, r := range c.Commands.Restores {
		to.Restores = append(to.Restores, oracle.Restore{At: r.At.Time(), First: first(r.First), Last: first(r.Last)})
	}
	for _, x := range c.Commands.Targets {
		to.Targets = append(to.Targets, oracle.Target{At: x.At.Time(), From: first(x.From), N: x.N})
	}
	for _, o := range c.Commands.OptOuts {
		to.OptOuts = append(to.OptOuts, oracle.OptOut{At: o.At.Time(), Out: o.Out})
	}
}

func midnight(d calendar.Date) time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }
