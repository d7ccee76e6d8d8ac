package progress

import (
	"fmt"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/streaks"
)

// Place is where a user stands on one board.
type Place struct {
	Rule, Label string
	Cycle       calendar.Cycle
	Ordinal     calendar.Ordinal
	Ascending   bool
	Standing
}

// Places is what stands on the boards that the plan defines and keeps for a user with this state and base: the periods of the state, those that are wholly in
// the base and stay on their boards as they are, and the streaks as s has them shown. Nothing for a user who is hidden or merged.
func Places(p *Plan, s, base *State) []Place {
	if !s.shown() {
		return nil
	}
	var out []Place
	p.eachRow(s, base, func(r *rulePlan, board string, cycle int, pt *PeriodTally) {
		out = append(out, Place{Rule: board, Label: p.label(cycle, pt.Ordinal), Cycle: p.cycles[cycle], Ordinal: pt.Ordinal, Ascending: r.Ascending,
			Standing: standing(&pt.Tally)})
	})
	for _, rule := range p.Catalog.Streaks {
		if st := s.Streak(rule.ID); st != nil {
			out = appendLength(out, rule.ID+CurrentSuffix, st.Shown.Current)
			out = appendLength(out, rule.ID+LongestSuffix, st.Shown.Longest)
		}
	}
	return out
}

func appendLength(out []Place, board string, s Standing) []Place {
	if !s.Some {
		return out
	}
	return append(out, Place{Rule: board, Label: calendar.All.String(), Cycle: calendar.Cycle{Unit: calendar.All}, Standing: s})
}

// Recover is what can be known of a user whose state was lost: the seal, the zones and what was ordered for streaks as of the last folding, and the
// counters of behaviours as far as the log tells. What was said of the user since (zone, commands, hidden, blocked, merged, attributes) is gone. Rebuild
// makes the rest of it.
func Recover(p *Plan, base *State, records []activity.Activity) *State {
	s := &State{Sealed: base.Sealed, Zones: slices.Clone(base.Zones), Pauses: slices.Clone(base.Pauses), Enrolments: base.Enrolments, Plan: p.print}
	s.takeCommands(p, base)
	s.takeEarnings(p, base)
	for _, act := range inOrder(records) {
		if act.At >= s.Sealed && !act.WasIgnored {
			s.noteBehaviour(p, p.Catalog.Behaviours[act.Name], act)
		}
	}
	return s
}

// Difference says in words where two states of a user differ in what they show under the plan, or will: "" where they do not. It names have first, then want.
// What is only a hint (Oldest) and what no rule of the plan reads is left aside.
func Difference(p *Plan, have, want *State) string {
	if have.Sealed != want.Sealed {
		return fmt.Sprintf("sealed before %v, not %v", have.Sealed, want.Sealed)
	}
	if have.Activities != want.Activities {
		return fmt.Sprintf("counts %d activities, not %d", have.Activities, want.Activities)
	}
	if have.Ignored != want.Ignored || have.Gifts != want.Gifts {
		return fmt.Sprintf("counts %d ignored activities and %d gifts, not %d and %d", have.Ignored, have.Gifts, want.Ignored, want.Gifts)
	}
	for i := range p.rules {
		r := &p.rules[i]
		for _, board := range r.boards(have, want) {
			for _, k := range r.cycles {
				if d := p.periodsDiffer(r, k, periods(have, board, p.keys[k]), periods(want, board, p.keys[k])); d != "" {
					return "rule " + board + " " + d
				}
			}
		}
	}
	for i, rule := range p.Catalog.Streaks {
		if d := p.streaksDiffer(i, p.Calculus(i, want), have.Streak(rule.ID), want.Streak(rule.ID)); d != "" {
			return "streak " + rule.ID + " " + d
		}
	}
	return p.earnedDiffers(have, want)
}

func (p *Plan) periodsDiffer(r *rulePlan, cycle int, have, want []PeriodTally) string {
	for len(have) > 0 || len(want) > 0 {
		var h, w fold.Tally
		o := calendar.Ordinal(0)
		switch {
		case len(want) == 0 || len(have) > 0 && have[0].Ordinal < want[0].Ordinal:
			o, h, have = have[0].Ordinal, have[0].Tally, have[1:]
		case len(have) == 0 || want[0].Ordinal < have[0].Ordinal:
			o, w, want = want[0].Ordinal, want[0].Tally, want[1:]
		default:
			o, h, w, have, want = have[0].Ordinal, have[0].Tally, want[0].Tally, have[1:], want[1:]
		}
		if !sameTally(&h, &w) && !r.gone(cycle, o) { // what is gone leaves a state when that is decided again
			return fmt.Sprintf("%s: %s, not %s", p.label(cycle, o), describe(&h), describe(&w))
		}
	}
	return ""
}

func sameTally(a, b *fold.Tally) bool {
	return a.Some == b.Some && a.Value == b.Value && a.Reached == b.Reached && a.Nonzero == b.Nonzero && a.ID == b.ID && slices.Equal(a.Set, b.Set)
}

func describe(t *fold.Tally) string {
	if !t.Some {
		return "nothing"
	}
	return standing(t).String()
}

// String is the standing for people: its scaled value and the time.
func (s Standing) String() string {
	if !s.Some {
		return "nothing"
	}
	return fmt.Sprintf("%d reached %v", s.Value, s.Reached)
}

func (p *Plan) streaksDiffer(i int, c *streaks.Calculus, have, want *StreakState) string {
	have, want = orNone(have), orNone(want)
	n := len(p.Catalog.Streaks[i].Conditions)
	have, want = have.summedAs(want, c, n), want.summedAs(have, c, n) // time alone sums up more of one that is made anew
	switch {
	case have.Shown != want.Shown:
		return fmt.Sprintf("shows %v and %v, not %v and %v", have.Shown.Current, have.Shown.Longest, want.Shown.Current, want.Shown.Longest)
	case have.Latest != want.Latest:
		return fmt.Sprintf("follows activity %q of %v, not %q of %v", have.Latest.ID, have.Latest.At, want.Latest.ID, want.Latest.At)
	case !sameSum(&have.Sealed, &want.Sealed):
		return fmt.Sprintf("has %d sealed periods, not %d", have.Sealed.Total, want.Sealed.Total)
	case len(have.Marks) != len(want.Marks) || len(have.Conditions) != len(want.Conditions) || len(want.Conditions) != n*(len(want.Marks)-want.summed()):
		return fmt.Sprintf("has %d periods, not %d", len(have.Marks), len(want.Marks))
	}
	for j := range want.Marks {
		h, w := &have.Marks[j], &want.Marks[j]
		if h.Ordinal != w.Ordinal || h.Met != w.Met || h.MetAt != w.MetAt || !slices.Equal(h.Values, w.Values) {
			return fmt.Sprintf("has in %s the values %v, not %v", c.Zoning.Label(w.Ordinal), h.Values, w.Values)
		}
	}
	for j := range want.Conditions {
		if !sameTally(&have.Conditions[j].Tally, &want.Conditions[j].Tally) {
			return "counts a condition otherwise"
		}
	}
	return ""
}

func sameSum(a, b *streaks.Sum) bool {
	return a.Total == b.Total && a.Longest == b.Longest && a.Run == b.Run && a.Met == b.Met && a.Lost == b.Lost && a.Begun == b.Begun &&
		a.Grants == b.Grants && a.Held == b.Held && a.Used == b.Used && a.Earned == b.Earned && slices.Equal(a.Bridged, b.Bridged)
}

func orNone(st *StreakState) *StreakState {
	if st == nil {
		return &StreakState{}
	}
	return st
}

// BoardOf finds the rule, cycle and period that a board of these names is of. ok is false where the plan defines none.
func (p *Plan) BoardOf(rule, label string) (pl Place, ok bool) {
	for _, s := range p.Catalog.Streaks {
		if rule == s.ID+CurrentSuffix || rule == s.ID+LongestSuffix {
			pl = Place{Rule: rule, Label: label, Cycle: calendar.Cycle{Unit: calendar.All}}
			return pl, label == calendar.All.String()
		}
	}
	r := p.ruleOf(rule)
	if r == nil {
		return pl, false
	}
	for _, cy := range r.Cycles {
		if o, err := p.cal.ParseLabel(cy, label); err == nil {
			return Place{Rule: rule, Label: label, Cycle: cy, Ordinal: o, Ascending: r.Ascending}, true
		}
	}
	return pl, false
}

// Place is where the state has the user on a board that BoardOf found: not what is wholly in the base.
func (s *State) Place(b *Place, c *catalog.Catalog) Standing {
	if !s.shown() {
		return Standing{}
	}
	for _, rule := range c.Streaks {
		if b.Rule != rule.ID+CurrentSuffix && b.Rule != rule.ID+LongestSuffix {
			continue
		}
		st := orNone(s.Streak(rule.ID))
		if b.Rule == rule.ID+CurrentSuffix {
			return st.Shown.Current
		}
		return st.Shown.Longest
	}
	return standing(s.Tally(b.Rule, b.Cycle.Key(), b.Ordinal))
}
