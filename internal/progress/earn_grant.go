package progress

import (
	"fmt"
	"io"
	"strconv"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/grants"
	"laurel/internal/rewards"
)

// Grants are no part of the state: they are decided once (codes, stock, claims), and what completions give is only one side of them. The state says when it may have changed; who commits
// compares it with the grants that are there (grants.Set.Judge), whatever changed it: an activity, a rejection, an import, or other definitions.

// Deadline is when time alone next changes something of the user, 0 for never: of Due and Expires the earlier.
func (s *State) Deadline() calendar.Instant {
	if s.Expires != 0 && (s.Due == 0 || s.Expires < s.Due) {
		return s.Expires
	}
	return s.Due
}

// grantsRewards says whether anything that is derived grants a reward.
func grantsRewards(c *catalog.Catalog) bool {
	for _, l := range c.Levels {
		for _, step := range l.Steps {
			if len(step.Grants) > 0 {
				return true
			}
		}
	}
	for _, a := range c.Achievements {
		if len(a.Grants) > 0 {
			return true
		}
	}
	for _, m := range c.Missions {
		if len(m.Grants) > 0 {
			return true
		}
	}
	return false
}

// printGrants tells what is granted. Where nothing is, nothing is written.
func (p *Plan) printGrants(h io.Writer) {
	c := p.Catalog
	list := func(kind, id string, of []int) {
		for _, i := range of {
			fmt.Fprintln(h, "grant", kind, id, c.Rewards[i].ID)
		}
	}
	for _, l := range c.Levels {
		for i, step := range l.Steps {
			list("level", l.ID+" "+strconv.Itoa(i), step.Grants)
		}
	}
	for _, a := range c.Achievements {
		list("achievement", a.ID, a.Grants)
	}
	for _, m := range c.Missions {
		list("mission", m.ID, m.Grants)
	}
}

// grantEarnings says what completions give if that may be something else than it was.
func (a *applier) grantEarnings(x *earner, noticed calendar.Instant) {
	if !a.plan.earning.grants {
		return
	}
	comparable := x.noted && x.summed == a.state.summed() && len(x.notes) == 0
	if comparable && !a.plan.grantsDiffer(&x.before, &x.after) {
		return
	}
	a.update.Grants = a.dueGrants(&x.after, noticed)
	a.update.Grants.Told = a.why != History
}

// DueGrants is what completions give a user under the plan, as of now; nil where the state was folded under other definitions, or nothing is granted.
func (s *State) DueGrants(p *Plan, now calendar.Instant) *grants.Due {
	if p.earning == nil || !p.earning.grants || s.Plan != p.print || s.Merged != "" {
		return nil
	}
	a := applier{plan: p, state: s, now: now}
	at := a.streakNow()
	return a.dueGrants(s.DeriveEarned(p, now), at)
}

func (a *applier) dueGrants(v *rewards.View, noticed calendar.Instant) *grants.Due {
	due, c := &grants.Due{Since: max(a.state.Sealed, a.state.summed())}, a.plan.Catalog
	give := func(of []int, id, by string, at calendar.Instant, noticed bool) {
		for _, i := range of {
			reward := c.Rewards[i].ID
			due.Given = append(due.Given, grants.Given{ID: id + ":" + reward, Reward: reward, By: by, At: at, Noticed: noticed})
		}
	}
	for i, l := range c.Levels {
		for step := range v.Levels[i].Index {
			by := grants.ByLevel + l.ID
			give(l.Steps[step].Grants, by+":"+strconv.Itoa(step+1), by, noticed, true)
		}
	}
	for _, done := range v.Completions {
		if done.Of.Kind == missions {
			m := c.Missions[done.Of.Index]
			give(m.Grants, "mission:"+m.ID, "mission:"+m.ID, done.At, false)
			continue
		}
		def := c.Achievements[done.Of.Index]
		by := "achievement:" + def.ID
		id := by
		if per := perOf(def); per.Unit != calendar.All {
			id += ":" + a.plan.cal.Label(per, done.Period)
		}
		give(def.Grants, id, by, done.At, false)
	}
	return due
}

// summed is up to when what was earned has been summed up.
func (s *State) summed() calendar.Instant {
	if s.Earnings == nil {
		return 0
	}
	return s.Earnings.Summed
}

// grantsDiffer says whether two views give something else.
func (p *Plan) grantsDiffer(before, after *rewards.View) bool {
	for i, l := range p.Catalog.Levels {
		was := 0
		if i < len(before.Levels) {
			was = before.Levels[i].Index
		}
		is := after.Levels[i].Index
		for step := min(was, is); step < max(was, is); step++ {
			if len(l.Steps[step].Grants) > 0 {
				return true
			}
		}
	}
	was, is := before.Completions, after.Completions
	for {
		var x, y *rewards.Completion
		x, was = p.granting(was)
		y, is = p.granting(is)
		if x == nil || y == nil {
			return x != y
		}
		if *x != *y {
			return true
		}
	}
}

// granting is the first of the completions that grants something, and what follows it.
func (p *Plan) granting(list []rewards.Completion) (*rewards.Completion, []rewards.Completion) {
	for i := range list {
		if len(p.earning.calculus.Gives(list[i].Of).Grants) > 0 {
			return &list[i], list[i+1:]
		}
	}
	return nil, nil
}
