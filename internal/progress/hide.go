package progress

import (
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// A user who is hidden, or merged into another one, has no row on any board; everything else of the state goes on as ever. So the tallies of a state say
// what stands on the boards only while the user is shown, and showing the user again means putting all of them back: those of the state, and
// those of the periods that only the base has.

// shown says whether the user has rows on boards.
func (s *State) shown() bool { return !s.Hidden && s.Merged == "" }

// TakeOff returns the changes that take all rows of a user off the boards of the plan's rules and of all streaks; none if the user is not shown. The state then says
// that nothing stands there: whoever calls this also sets Hidden or Merged, or drops the state. Strays has the other boards.
func TakeOff(p *Plan, s, base *State) []BoardChange {
	if !s.shown() {
		return nil
	}
	var boards []BoardChange
	p.eachRow(s, base, func(r *rulePlan, board string, cycle int, pt *PeriodTally) {
		boards = append(boards, p.boardChange(r, board, cycle, pt.Ordinal, standing(&pt.Tally), Standing{}))
	})
	for i := range s.Streaks {
		st := &s.Streaks[i]
		for _, b := range []struct {
			suffix string
			shown  Standing
		}{{CurrentSuffix, st.Shown.Current}, {LongestSuffix, st.Shown.Longest}} {
			if b.shown.Some {
				boards = append(boards, lengthChange(st.ID+b.suffix, b.shown, Standing{}))
			}
		}
		st.Shown = Shown{}
	}
	return boards
}

// PutBack returns what puts a user who is shown from now on back on all boards that the org still keeps, and sets Due and Told. Streaks are
// as of now.
func PutBack(p *Plan, s, base *State, now calendar.Instant) Update {
	a := applier{plan: p, state: s, now: now}
	a.passTime()
	p.eachRow(s, base, func(r *rulePlan, board string, cycle int, pt *PeriodTally) {
		a.change(r, board, cycle, pt.Ordinal, Standing{}, standing(&pt.Tally))
	})
	a.showStreaks()
	a.showEarnings()
	return a.update
}

// eachRow gives every row that a user who is shown has on the boards of the plan's rules that are kept.
func (p *Plan) eachRow(s, base *State, yield func(r *rulePlan, board string, cycle int, pt *PeriodTally)) {
	for i := range p.rules {
		r := &p.rules[i]
		for _, board := range r.boards(s, base) {
			for _, k := range r.cycles {
				p.rowsOf(r, board, k, s, base, yield)
			}
		}
	}
}

func (p *Plan) rowsOf(r *rulePlan, board string, k int, s, base *State, yield func(r *rulePlan, board string, cycle int, pt *PeriodTally)) {
	in, below := periods(s, board, p.keys[k]), periods(base, board, p.keys[k])
	for i := range in {
		if pt := &in[i]; pt.Some && !r.gone(k, pt.Ordinal) {
			yield(r, board, k, pt)
		}
	}
	// Of a period that is sealed in part the state has all, the base a part.
	for i := range below {
		pt := &below[i]
		if pt.Some && !r.gone(k, pt.Ordinal) && p.whollyBefore(k, pt.Ordinal, s.Sealed) && s.Tally(board, p.keys[k], pt.Ordinal) == nil {
			yield(r, board, k, pt)
		}
	}
}

// Stray is what a user has on boards of a rule that the plan does not define, or not in that cycle. Their labels and order are not known any more.
type Stray struct {
	Rule      string
	Standings []Standing // candidates: on one board each, or on none
}

// Strays lists what TakeOff does not find.
func Strays(p *Plan, s, base *State) []Stray {
	if !s.shown() {
		return nil
	}
	var strays []Stray
	for _, rs := range slices.Concat(s.Rules, base.Rules) {
		found := p.undefined(&rs)
		if len(found) == 0 {
			continue
		}
		i := slices.IndexFunc(strays, func(st Stray) bool { return st.Rule == rs.ID })
		if i < 0 {
			i = len(strays)
			strays = append(strays, Stray{Rule: rs.ID})
		}
		strays[i].Standings = append(strays[i].Standings, found...)
	}
	return strays
}

// undefined lists what a rule's state has of cycles that the plan does not define.
func (p *Plan) undefined(rs *RuleState) (found []Standing) {
	r := p.ruleOf(rs.ID)
	for _, c := range rs.Cycles {
		if r != nil && slices.ContainsFunc(r.Cycles, func(cy calendar.Cycle) bool { return cy.Key() == c.Key }) {
			continue
		}
		for i := range c.Periods {
			if c.Periods[i].Some {
				found = append(found, standing(&c.Periods[i].Tally))
			}
		}
	}
	return found
}

// NoteMoved makes the counters of cool-offs and caps go on from activities that another user brought along. What was ignored then is not among them.
func (s *State) NoteMoved(p *Plan, moved []activity.Activity) {
	for i := range moved {
		if !moved[i].WasIgnored {
			s.noteBehaviour(p, p.behaviourOf(&moved[i]), &moved[i])
		}
	}
}
