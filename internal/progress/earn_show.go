package progress

import (
	"slices"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/rewards"
)

// earner is the room in which an applier derives what a user earned.
type earner struct {
	user          rewards.User
	marks         []rewards.Mark
	values        []rewards.Value
	before, after rewards.View
	noted         bool             // before is before the changes that are told of together
	summed        calendar.Instant // what lay before it was summed up then
	changes       []rewards.Change
	notes         []rewards.Note
	rows          []rewards.Row
}

func (a *applier) room() *earner {
	if a.earner == nil {
		a.earner = &earner{}
	}
	return a.earner
}

// derive makes a view of what the user at hand earned, at now.
func (a *applier) derive(v *rewards.View, now, noticed calendar.Instant) {
	x := a.room()
	a.fill(x, now)
	a.plan.earning.calculus.Derive(v, &x.user, now, noticed)
}

// fill makes the calculus' user of the state. Ledgers share their memory with it.
func (a *applier) fill(x *earner, now calendar.Instant) {
	c, e := a.plan.Catalog, a.state.Earnings
	u := &x.user
	u.Ledgers = cleared(u.Ledgers, len(c.Wallets))
	for i, def := range c.Wallets {
		if w := e.wallet(def.ID); w != nil {
			u.Ledgers[i] = w.Ledger
		}
	}
	x.marks, x.values = x.marks[:0], x.values[:0]
	u.Achievements = cleared(u.Achievements, len(c.Achievements))
	for i, def := range c.Achievements {
		if st := e.achievement(def.ID); st != nil {
			u.Achievements[i] = st.Kept
			u.Achievements[i].Marks = x.marksOf(st, max(len(def.Criteria), 1), a.plan.earning.criteria[i])
		}
	}
	u.Longest = cleared(u.Longest, len(c.Streaks))
	for _, i := range a.plan.earning.streaks {
		if st := a.state.Streak(c.Streaks[i].ID); st != nil {
			u.Longest[i] = int64(a.calculus(i).At(st.Sealed, st.Marks, st.latest(), now).Longest.Length)
		}
	}
	u.Missions = cleared(u.Missions, len(c.Missions))
	for i, def := range c.Missions {
		if m := e.mission(def.ID); m != nil {
			u.Missions[i] = m.KeptMission
		}
	}
}

// cleared is a list of n zero elements in the memory of another.
func cleared[T any](list []T, n int) []T {
	list = slices.Grow(list[:0], n)[:n]
	clear(list)
	return list
}

// marksOf are those of an achievement with n criteria, of which some are over activities.
func (x *earner) marksOf(st *AchievementState, n int, criteria []int) []rewards.Mark {
	first := len(x.marks)
	for i, o := range st.Periods {
		at := len(x.values)
		for range n {
			x.values = append(x.values, rewards.Value{})
		}
		values := x.values[at : at+n : at+n]
		for slot, k := range criteria {
			c := &st.Conditions[i*len(criteria)+slot]
			values[k] = rewards.Value{N: c.Value, Met: c.Met, MetAt: c.MetAt}
		}
		x.marks = append(x.marks, rewards.Mark{Ordinal: o, Values: values})
	}
	return x.marks[first:len(x.marks):len(x.marks)]
}

// noteEarnings takes down what the user has earned before it changes, if that is of the plan's definitions.
func (a *applier) noteEarnings() {
	e := a.plan.earning
	if e == nil || a.why == History && !e.grants || a.state.Plan != 0 && a.state.Plan != a.plan.print {
		return
	}
	a.derive(&a.room().before, a.streakNow(), a.streakNow())
	a.earner.noted, a.earner.summed = true, a.state.summed()
}

// showEarnings derives what the user has earned now: what has to be noted is, what became of it is told, and time's next change is found.
func (a *applier) showEarnings() {
	if a.plan.earning == nil || a.state.Merged != "" {
		return
	}
	x, c, now := a.room(), a.plan.earning.calculus, a.streakNow()
	noticed := a.state.Noticed
	if noticed == 0 {
		noticed = now
	}
	a.derive(&x.after, now, noticed)
	if x.after.Stale || a.state.Earnings != nil && reaches(&x.after, a.state.Earnings.Summed) {
		a.update.NeedLog = true
		return
	}
	if x.notes = c.Notes(x.notes[:0], &x.after, &x.user); len(x.notes) > 0 {
		x.user.Take(x.notes)
		a.keepNotes(x)
	}
	if due := c.Next(&x.after, now); due != 0 && (a.state.Due == 0 || due < a.state.Due) {
		a.state.Due = due
	}
	if x.noted && a.why != History {
		x.changes = c.Changes(x.changes[:0], &x.before, &x.after)
		a.tellEarned(now, x.changes)
	}
	a.grantEarnings(x, noticed)
	a.trimEarnings(x)
}

// reaches says whether a completion lies before an instant.
func reaches(v *rewards.View, before calendar.Instant) bool {
	return before != 0 && slices.ContainsFunc(v.Completions, func(c rewards.Completion) bool { return c.At < before })
}

// keepNotes stores what was noted.
func (a *applier) keepNotes(x *earner) {
	for _, n := range x.notes {
		if n.Of.Kind == achievements {
			a.state.openAchievement(a.plan.Catalog.Achievements[n.Of.Index]).Noted = x.user.Achievements[n.Of.Index].Noted
			continue
		}
		m := a.state.openMission(a.plan.Catalog.Missions[n.Of.Index].ID)
		m.Noted, m.Starts = x.user.Missions[n.Of.Index].Noted, x.user.Missions[n.Of.Index].Starts
	}
}

// trimEarnings sums up what lies far enough back, once a day has come to that. What comes in order from the user's first activity on never needs the log.
func (a *applier) trimEarnings(x *earner) {
	e := a.state.Earnings
	if !a.plan.earning.trims || e == nil {
		return
	}
	if before := min(a.now-millis(keptMarks), e.Latest); before-e.Summed >= millis(24*time.Hour) {
		for i := range x.user.Missions { // SumUp drops starts, which stay in the state
			x.user.Missions[i].Starts = slices.Clone(x.user.Missions[i].Starts)
		}
		a.plan.earning.calculus.SumUp(&x.user, &x.after, before, 0) // what is final is in the base
		a.keepSums(x, 0)
		e.Summed = before
	}
}

// keepSums stores a user that was summed up. A mission's starts are commands: as long as the completion can still be undone, all of them stay.
func (a *applier) keepSums(x *earner, sealed calendar.Instant) {
	for i := range x.user.Ledgers {
		if l := &x.user.Ledgers[i]; l.Sums != (rewards.Sums{}) {
			a.state.openWallet(a.plan.Catalog.Wallets[i]).Ledger = *l
		}
	}
	for i := range x.user.Achievements {
		k, def := &x.user.Achievements[i], a.plan.Catalog.Achievements[i]
		if st := a.state.Earnings.achievement(def.ID); st != nil || k.Times > 0 {
			a.state.openAchievement(def).keep(k, len(a.plan.earning.criteria[i]))
		}
	}
	for i := range x.user.Missions {
		if k := &x.user.Missions[i]; k.Completed {
			m, def := a.state.openMission(a.plan.Catalog.Missions[i].ID), a.plan.Catalog.Missions[i]
			starts := m.Starts
			m.KeptMission = *k
			if def.Required && k.CompletedAt >= sealed {
				m.Starts = starts
			}
		}
	}
}

// keep takes over what was summed up, and drops the periods of which there is no mark any more.
func (a *AchievementState) keep(k *rewards.Kept, n int) {
	kept := 0
	for i, o := range a.Periods {
		if kept < len(k.Marks) && k.Marks[kept].Ordinal == o {
			a.Periods[kept] = o
			copy(a.Conditions[kept*n:(kept+1)*n], a.Conditions[i*n:(i+1)*n])
			kept++
		}
	}
	a.Periods, a.Conditions = a.Periods[:kept], a.Conditions[:kept*n]
	a.Kept = *k
	a.Marks = nil
}

// sealEarnings sums up all of a base that lies before the seal, with what the user's state has noted.
func (a *applier) sealEarnings(old *State, seal calendar.Instant) {
	if a.plan.earning == nil {
		return
	}
	a.state.takeEarnings(a.plan, old)
	x := a.room()
	a.derive(&x.after, seal, seal)
	a.plan.earning.calculus.SumUp(&x.user, &x.after, seal, seal)
	a.keepSums(x, seal)
}

// Follows says whether the state was made under the plan: if not, what the plan's definitions would have made of the activities only Rebuild tells.
func (s *State) Follows(p *Plan) bool { return s.Plan == p.print }

// DeriveEarned is what is shown at now of what a user has earned under the plan: nothing where it was folded under other definitions, or the org has none. It may be read, not changed.
func (s *State) DeriveEarned(p *Plan, now calendar.Instant) *rewards.View {
	v := &rewards.View{}
	if p.earning == nil {
		return v
	}
	if !s.Follows(p) {
		s = &State{Plan: p.print}
	}
	a := applier{plan: p, state: s, now: now}
	a.derive(v, a.streakNow(), a.streakNow())
	return v
}
