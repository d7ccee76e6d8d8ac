package progress

import (
	"cmp"
	"math"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/streaks"
)

// Rebuild computes a user's state anew: base ⊕ fold(records). old gives what is not derived from activities (zones, seal, behaviours' counters, what
// stands on the streak boards); records are all activities of the log, in any order, of which those that count are folded. The result shares no
// memory with base or old that either would change later. It does not bring the streak boards up to date; Diff does.
//
// With fold.ErrRange a sum would leave the exact range, because what balanced it was taken back, or because the rule is newer than the activities. The
// state is whole even then: the sums of that rule pass over, in (at, id) order, what would take them out of range.
func Rebuild(p *Plan, old, base *State, records []activity.Activity, now calendar.Instant) (*State, error) {
	s, over := rebuild(p, old, base, records, now, nil)
	if over == nil {
		return s, nil
	}
	s, _ = rebuild(p, old, base, records, now, over)
	return s, fold.ErrRange
}

// rebuild returns the state and the rules whose sums are out of range.
func rebuild(p *Plan, old, base *State, records []activity.Activity, now calendar.Instant, bounded map[int]bool) (next *State, over map[int]bool) {
	s := &State{Sealed: old.Sealed, Scheduled: old.Scheduled, Expires: old.Expires, Told: old.Told, Plan: p.print, Zones: old.Zones, Pauses: old.Pauses, Enrolments: old.Enrolments, Behaviours: old.Behaviours,
		Hidden: old.Hidden, Blocked: old.Blocked, Merged: old.Merged, Attributes: old.Attributes}
	for i := range records {
		s.noteOldest(records[i].At)
	}
	s.takeCommands(p, old)
	s.keepUndefinedStreaks(p, old)
	s.continueFrom(p, base)
	s.takeEarnings(p, old)
	if old.shown() {
		s.keepUndefined(p, old)
	}
	a := applier{plan: p, state: s, now: now, sorted: true, bounded: bounded}
	for _, act := range inOrder(records) {
		if act.At < s.Sealed { // in the base already
			continue
		}
		if !act.Counts() {
			s.count(act)
			continue
		}
		a.evaluate(act)
		a.add(act)
	}
	s.takeEnrolments(p)
	for _, rule := range p.Catalog.Streaks {
		if was := old.Streak(rule.ID); was != nil && was.Warned.Some {
			s.openStreak(rule).Warned = was.Warned
		}
	}
	return s, a.release()
}

// keepUndefined keeps what stands on boards that the plan does not define any more. Should they be defined again, Diff must know what to take off
// them.
func (s *State) keepUndefined(p *Plan, old *State) {
	for i := range old.Rules {
		was := &old.Rules[i]
		r := p.ruleOf(was.ID)
		for _, c := range was.Cycles {
			if r != nil && slices.ContainsFunc(r.Cycles, func(cy calendar.Cycle) bool { return cy.Key() == c.Key }) {
				continue
			}
			to := s.rule(was.ID)
			if to == nil {
				s.Rules = append(s.Rules, RuleState{ID: was.ID, Print: was.Print})
				to = &s.Rules[len(s.Rules)-1]
			}
			to.Cycles = append(to.Cycles, CycleState{Key: c.Key, Periods: slices.Clone(c.Periods)})
		}
	}
}

// keepUndefinedStreaks keeps what stands on the boards of streaks that the plan does not define any more, and what was ordered for them.
func (s *State) keepUndefinedStreaks(p *Plan, old *State) {
	for i := range old.Streaks {
		if was := &old.Streaks[i]; p.Catalog.Streak(was.ID) == nil {
			s.Streaks = append(s.Streaks, StreakState{ID: was.ID, Print: was.Print, Terms: was.Terms, Commands: was.Commands, Shown: was.Shown, Warned: was.Warned})
		}
	}
}

// takeCommands takes over what was ordered for the streaks of the plan.
func (s *State) takeCommands(p *Plan, old *State) {
	for _, rule := range p.Catalog.Streaks {
		if was := old.Streak(rule.ID); was != nil && !was.uncommanded() {
			s.openStreak(rule).Commands = was.Commands
		}
	}
}

// inOrder returns the activities in (at, id) order.
func inOrder(records []activity.Activity) []*activity.Activity {
	sorted := make([]*activity.Activity, len(records))
	for i := range records {
		sorted[i] = &records[i]
	}
	slices.SortFunc(sorted, func(a, b *activity.Activity) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
	})
	return sorted
}

// continueFrom takes over from a base what activities after the seal may still change, and sums up the rest.
func (s *State) continueFrom(p *Plan, base *State) {
	if base == nil {
		return
	}
	s.Activities += base.Activities
	s.Ignored += base.Ignored
	s.Gifts += base.Gifts
	for i := range base.Rules {
		from := &base.Rules[i]
		r := p.ruleOf(from.ID)
		if r == nil || from.Print != r.Print {
			continue // of another definition: what the log still has is all there is
		}
		for _, k := range r.cycles {
			c := from.cycle(p.keys[k])
			if c == nil {
				continue
			}
			for j := range c.Periods {
				if pt := &c.Periods[j]; !p.whollyBefore(k, pt.Ordinal, s.Sealed) && !r.gone(k, pt.Ordinal) {
					to := s.openBoard(from.ID, r.Print).openCycle(p.keys[k]).open(pt.Ordinal)
					to.Merge(r.Fold, &pt.Tally)
				}
			}
		}
	}
	for i, rule := range p.Catalog.Streaks {
		if from := base.Streak(rule.ID); from != nil && from.Print == rule.Print {
			s.continueStreak(p, i, from, s.Sealed)
		}
	}
	s.continueEarnings(p, base)
}

func (p *Plan) whollyBefore(cycle int, o calendar.Ordinal, seal calendar.Instant) bool {
	period := p.cal.PeriodOf(p.cycles[cycle], o)
	return period.Bounded && period.End <= seal
}

// westmost is an offset in minutes beyond that of any zone: a local date has ended everywhere once it has ended there.
const westmost = -24 * 60

// continueStreak takes over a streak from a base, of which it sums up the periods that were decided by the seal.
func (s *State) continueStreak(p *Plan, i int, from *StreakState, seal calendar.Instant) {
	rule := p.Catalog.Streaks[i]
	n := len(rule.Conditions)
	c := p.Calculus(i, s)
	if from.Terms != rule.Terms {
		from = from.underTerms(c)
	}
	st := s.openStreak(rule)
	st.Latest = from.Latest
	split := 0
	for split < len(from.Marks) && c.Decided(from.Marks[split].Ordinal, westmost) <= seal {
		split++
	}
	st.Sealed = c.Add(from.Sealed, from.Marks[:split], st.latest())
	shown := calendar.Ordinal(math.MinInt32)
	if last := len(from.Marks) - 1; last >= 0 {
		shown = from.Marks[last].Ordinal - keptShown
	}
	for j := range split { // as in sumUp, the last one stays of those that are too old to be shown
		if m := &from.Marks[j]; m.Ordinal > shown || j+1 < len(from.Marks) && from.Marks[j+1].Ordinal > shown {
			st.Marks = append(st.Marks, streaks.Mark{Ordinal: m.Ordinal, Summed: true, Values: slices.Clone(m.Values), Met: m.Met})
		}
	}
	for j := split; j < len(from.Marks); j++ {
		m := st.open(rule, from.Marks[j].Ordinal)
		for k := range n {
			st.conditions(m, n)[k] = from.conditions(j, n)[k].clone()
		}
		st.judge(c, m)
	}
}

func (c Condition) clone() Condition {
	c.Set = slices.Clone(c.Set)
	return c
}

// Diff is what Rebuild changed: on the boards of the rules of the plan, and of its streaks as of now, whose Shown it sets in next, with Due and Told; and the
// events of streaks that come of it.
func Diff(p *Plan, old, next *State, now calendar.Instant, why Cause) Update {
	a := applier{plan: p.followed(old), state: old, now: now, why: why}
	a.passTime()
	a.noteAll()
	a.noteEarnings()
	a.plan = p
	a.look(next)
	a.turnAll(old)
	next.Told = old.Told
	for i := range p.rules {
		r := &p.rules[i]
		for _, board := range r.boards(old, next) {
			for _, k := range r.cycles {
				a.diffCycle(r, board, k, periods(old, board, p.keys[k]), periods(next, board, p.keys[k]))
			}
		}
	}
	for _, rule := range p.Catalog.Streaks {
		if was := old.Streak(rule.ID); was != nil {
			st := next.openStreak(rule)
			st.Shown, st.Warned = was.Shown, was.Warned
		}
	}
	a.showStreaks()
	a.showEarnings()
	return a.update
}

func periods(s *State, board, cycle string) []PeriodTally {
	if r := s.rule(board); r != nil {
		if c := r.cycle(cycle); c != nil {
			return c.Periods
		}
	}
	return nil
}

// diffCycle walks two ordered lists of periods side by side.
func (a *applier) diffCycle(r *rulePlan, board string, cycle int, old, next []PeriodTally) {
	for len(old) > 0 || len(next) > 0 {
		switch {
		case len(next) == 0 || len(old) > 0 && old[0].Ordinal < next[0].Ordinal:
			// A period that was folded away whole stays on its board as it is.
			if !a.plan.whollyBefore(cycle, old[0].Ordinal, a.state.Sealed) {
				a.change(r, board, cycle, old[0].Ordinal, standing(&old[0].Tally), Standing{})
			}
			old = old[1:]
		case len(old) == 0 || next[0].Ordinal < old[0].Ordinal:
			a.change(r, board, cycle, next[0].Ordinal, Standing{}, standing(&next[0].Tally))
			next = next[1:]
		default:
			a.change(r, board, cycle, next[0].Ordinal, standing(&old[0].Tally), standing(&next[0].Tally))
			old, next = old[1:], next[1:]
		}
	}
}

// Fold moves the activities before seal from the log into the base, which it consumes, and returns it with the ids of the records that the
// log no longer needs. seal must not be before old.Sealed. The state after it is Rebuild's from the new base and the other records.
func Fold(p *Plan, old, base *State, records []activity.Activity, seal calendar.Instant, now calendar.Instant) (next *State, dropped []activity.ID) {
	// The base is folded as a state that has never been sealed: nothing in it is summed up.
	a := applier{plan: p, state: base, now: now, sorted: true}
	base.Zones, base.Pauses, base.Enrolments, base.Plan = old.Zones, old.Pauses, old.Enrolments, p.print
	base.redefine(p)
	base.takeCommands(p, old)
	base.takeTerms(p)
	base.dropGone(p)
	for _, act := range inOrder(records) {
		if act.At >= seal {
			continue
		}
		dropped = append(dropped, act.ID)
		if !act.Counts() {
			base.count(act)
			continue
		}
		a.evaluate(act)
		a.add(act)
	}
	a.release() // every sum was in range when its activities were accepted; as a part of it this one may be out of it for a while
	a.sealEarnings(old, seal)
	base.Sealed = seal
	return base, dropped
}

// dropRedefined drops what was folded under definitions that are no longer the plan's.
func (s *State) dropRedefined(p *Plan) {
	s.Rules = slices.DeleteFunc(s.Rules, func(rs RuleState) bool {
		r := p.ruleOf(rs.ID)
		return r != nil && r.Print != rs.Print
	})
	s.Streaks = slices.DeleteFunc(s.Streaks, func(st StreakState) bool {
		r := p.Catalog.Streak(st.ID)
		return r != nil && r.Print != st.Print
	})
}

// redefine brings a base under the plan. Of a rule that is another one now it keeps the periods that were sealed whole: nothing can change them any more, and
// what they amounted to stands on their boards.
func (s *State) redefine(p *Plan) {
	for i := range s.Rules {
		rs := &s.Rules[i]
		r := p.ruleOf(rs.ID)
		if r == nil || rs.Print == r.Print {
			continue
		}
		rs.Print = r.Print
		for _, k := range r.cycles {
			if c := rs.cycle(p.keys[k]); c != nil {
				c.Periods = slices.DeleteFunc(c.Periods, func(pt PeriodTally) bool { return !p.whollyBefore(k, pt.Ordinal, s.Sealed) })
			}
		}
	}
	s.dropRedefined(p) // now only streaks
	s.redefineEarnings(p)
}

// release forgets what was touched, without effects, and returns the rules with a sum out of range.
func (a *applier) release() (over map[int]bool) {
	for _, t := range a.touched {
		pt := a.tally(t)
		pt.touched = false
		if pt.Value <= catalog.MaxExact && pt.Value >= -catalog.MaxExact {
			continue
		}
		if over == nil {
			over = map[int]bool{}
		}
		over[t.rule] = true
	}
	return over
}
