package progress

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// Who is enrolled in a target group stands on a board of the group, at the value 1 and the instant since when. Of a group that enrols by itself that is the at of the earliest activity
// that counted, in the cycle of the group, in one of its rules, or for one of its streaks: a fold of activities like that of a rule, so it is kept as one (a tally in the cycle all), and rejecting,
// folding, hiding, merging and defining anew do with it what they do with every rule. What was sealed under an earlier definition of the group stays as it was. Of an explicit one it is a command.

// EnrolledSuffix follows the id of a target group in the id of its board.
const EnrolledSuffix = ".enrolled"

// ErrNotExplicit: the target group enrols by itself.
var ErrNotExplicit = errors.New("target group enrols by itself")

// ErrGroupNotFound: the org has no such target group.
var ErrGroupNotFound = errors.New("org has no such target group")

// Enrolment is the command "in this target group from At on".
type Enrolment struct {
	Group string
	At    calendar.Instant
}

// groupsPlan says whom an activity enrols where. Its rules are those of the plan from first on, one a target group, in the order of the catalog.
type groupsPlan struct {
	first    int
	ofRule   [][]groupCycle // by rule
	ofStreak [][]int        // by streak rule: places in the plan's rules
}

// groupCycle is a group that a rule is of: its place in the plan's rules, and the cycle that its rules share.
type groupCycle struct{ rule, cycle int }

// addGroups adds to the rules of a plan those of its target groups. index finds the place of a cycle in the plan.
func (p *Plan) addGroups(index func(calendar.Cycle) int) {
	if len(p.Catalog.TargetGroups) == 0 {
		return
	}
	p.groups = &groupsPlan{first: len(p.rules), ofRule: make([][]groupCycle, len(p.rules)), ofStreak: make([][]int, len(p.Catalog.Streaks))}
	all := calendar.Cycle{Unit: calendar.All}
	for _, g := range p.Catalog.TargetGroups {
		at := len(p.rules)
		h := fnv.New32a()
		fmt.Fprintln(h, "group", g.ID, g.Explicit)
		rule := &catalog.Rule{ID: g.ID + EnrolledSuffix, Selector: catalog.Selector{Fold: catalog.Max}, Cycles: []calendar.Cycle{all}, Print: max(h.Sum32(), 1)}
		p.rules = append(p.rules, rulePlan{Rule: rule, cycles: []int{index(all)}})
		for _, m := range g.Rules {
			switch {
			case g.Explicit:
			case m.Streak:
				p.groups.ofStreak[m.Index] = append(p.groups.ofStreak[m.Index], at)
			default:
				p.groups.ofRule[m.Index] = append(p.groups.ofRule[m.Index], groupCycle{at, index(g.Cycle)})
			}
		}
	}
}

// printGroup tells definitions of a target group apart that enrol others.
func (p *Plan) printGroup(h hash.Hash32, g *catalog.TargetGroup) {
	fmt.Fprintln(h, "group", g.ID, g.Explicit, identity(g.Cycle))
	for _, m := range g.Rules {
		if m.Streak {
			fmt.Fprintln(h, "streak", p.Catalog.Streaks[m.Index].ID, p.Catalog.Streaks[m.Index].Print)
		} else {
			fmt.Fprintln(h, "rule", p.Catalog.Rules[m.Index].ID, p.Catalog.Rules[m.Index].Print)
		}
	}
}

// evaluateGroups finds the target groups that the activity at hand enrols in, when its rules and streak conditions are known. Of who is enrolled already, as nearly everyone
// is, nothing has to be folded.
func (a *applier) evaluateGroups(act *activity.Activity) {
	groups := a.plan.groups
	if groups == nil {
		return
	}
	counted := len(a.matches)
	for _, m := range a.matches[:counted] {
		if m.board != a.plan.rules[m.rule].ID {
			continue // a segment's, of the same rule
		}
		for _, g := range groups.ofRule[m.rule] {
			if o, ok := a.ordinal(g.cycle, act.At); ok && !a.plan.closedFor(g.cycle, o, act) {
				a.enrol(g.rule, counted, act)
			}
		}
	}
	for _, m := range a.conditions {
		for _, rule := range groups.ofStreak[m.streak] {
			a.enrol(rule, counted, act)
		}
	}
}

// enrol adds a match of a group's rule, once: from is where those of groups begin.
func (a *applier) enrol(rule, from int, act *activity.Activity) {
	id := a.plan.rules[rule].ID
	if t := a.state.Tally(id, calendar.All.String(), 0); t != nil && t.Some && t.Reached <= act.At {
		return
	}
	if !slices.ContainsFunc(a.matches[from:], func(m match) bool { return m.rule == rule }) {
		a.matches = append(a.matches, match{rule, id, catalog.Value{N: 1}})
	}
}

// takeEnrolments enrols the user where that was ordered.
func (s *State) takeEnrolments(p *Plan) {
	for i, g := range p.Catalog.TargetGroups {
		at := slices.IndexFunc(s.Enrolments, func(e Enrolment) bool { return e.Group == g.ID })
		if at < 0 || !g.Explicit {
			continue
		}
		r := &p.rules[p.groups.first+i]
		s.openBoard(r.ID, r.Print).openCycle(p.keys[r.cycles[0]]).open(0).Add(r.Fold, catalog.Value{N: 1}, s.Enrolments[at].At, "")
	}
}

// Enrolled is since when the user is in a target group, as far as the board of the group is concerned; some is false for one who is not.
func (s *State) Enrolled(group string) (since calendar.Instant, some bool) {
	t := s.Tally(group+EnrolledSuffix, calendar.All.String(), 0)
	if t == nil || !t.Some {
		return 0, false
	}
	return t.Reached, true
}

// Enrol puts the user into a target group, or takes the user out of it. It returns s where nothing changes. ErrGroupNotFound, ErrNotExplicit, ErrTooManyCommands.
func (s *State) Enrol(p *Plan, group string, in bool, now calendar.Instant) (*State, error) {
	i, some := p.Catalog.Find(catalog.TargetGroups, group)
	at := slices.IndexFunc(s.Enrolments, func(e Enrolment) bool { return e.Group == group })
	switch {
	case !some:
		return nil, ErrGroupNotFound
	case !p.Catalog.TargetGroups[i].Explicit:
		return nil, ErrNotExplicit
	case in == (at >= 0):
		return s, nil
	case in && len(s.Enrolments) >= MaxCommands:
		return nil, ErrTooManyCommands
	}
	next := s.with()
	if next.Enrolments = slices.Clone(s.Enrolments); in {
		next.Enrolments = append(next.Enrolments, Enrolment{Group: group, At: now})
	} else {
		next.Enrolments = slices.Delete(next.Enrolments, at, at+1)
	}
	return next, nil
}
