package progress

import (
	"errors"
	"slices"
	"strings"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/grants"
)

// Why an activity is refused; fold.ErrRange and fold.ErrTooManyValues, and catalog.ErrRange, are others. A refused activity is not stored and changes nothing.
var (
	ErrTooOld           = errors.New("activity is older than the org accepts")
	ErrInFuture         = errors.New("activity lies in the future")
	ErrUnknownBehaviour = errors.New("org declares behaviours and this is none of them")
)

// Reasons of activities that are stored as ignored.
const (
	ReasonCoolOff = "cool_off"
	ReasonCap     = "cap"
	ReasonBlocked = "blocked"
)

// Verdict is what became of one activity. With a nil Err it is to be stored with Status and Reason.
type Verdict struct {
	Status activity.Status
	Reason string
	Err    error
	// ClosedFor are the periods in which it came too late to count, in the order of the catalog. It counts everywhere else.
	ClosedFor []Unreached
}

// BoardChange is a user's standing on one board before and after.
type BoardChange struct {
	Rule, Label string
	Cycle       calendar.Cycle
	Decimals    int
	Ascending   bool
	Old, New    Standing
}

// Update is what an Apply did.
type Update struct {
	Verdicts []Verdict // one an activity, in order
	Boards   []BoardChange
	Events   []Event // what became true of streaks and of what is earned, in order of their instants
	// Grants is what completions give, where that may have changed; nil where it has not.
	Grants *grants.Due
	// NeedLog: the state alone cannot tell what became of it (a late activity moved the moment at which a streak condition was met, or the catalog
	// changed since). State, Boards and Events are not to be used; Rebuild from the log with the accepted activities, and Diff.
	NeedLog bool
}

// Apply applies new activities of one user, in order, to the state, which it consumes: it is changed in place. None of them may be
// in the log already. Events are made of all of them, or of none if they are imported.
func Apply(p *Plan, s *State, acts []activity.Activity, now calendar.Instant) Update {
	a := p.appliers.Get().(*applier)
	defer a.rest()
	a.plan, a.state, a.now = p, s, now
	a.adopt()
	a.why = CauseOf(acts)
	a.passTime()
	a.noteEarnings()
	a.update.Verdicts = make([]Verdict, len(acts))
	s.Noticed = 0
	for i := range acts {
		v := a.apply(&acts[i])
		if a.update.Verdicts[i] = v; v.Err == nil {
			s.Noticed = max(s.Noticed, acts[i].At)
		}
	}
	a.finish()
	return a.update
}

// rest makes the applier ready for another Apply of its plan: it keeps its room.
func (a *applier) rest() {
	p := a.plan
	clear(a.matches)
	clear(a.conditions)
	clear(a.touched)
	clear(a.streaks)
	a.state, a.update, a.closed, a.date, a.streaks = nil, Update{}, nil, 0, a.streaks[:0]
	a.matches, a.conditions, a.touched = a.matches[:0], a.conditions[:0], a.touched[:0]
	if clear(a.criteria); a.earner != nil {
		a.earner.noted = false
	}
	a.input.Reset(p.Catalog, nil)
	p.appliers.Put(a)
}

// applier is one Apply or Rebuild on its way.
type applier struct {
	plan    *Plan
	state   *State
	now     calendar.Instant
	input   catalog.Input
	matches []match
	// conditions are the streak conditions that match, in the order of the catalog.
	conditions []conditionMatch
	// awards are what the activity at hand earns, criteria those of achievements that match, both in the order of the catalog.
	awards   []award
	criteria []criterionMatch
	decided  []decidedRow
	earner   *earner // nil before it is needed
	date     calendar.Date
	// sorted: activities come in (at, id) order from the user's first on.
	sorted bool
	// bounded are the rules whose sums are kept in range also when sorted, by passing over what does not fit.
	bounded map[int]bool
	touched []touch
	// closed are the periods that the activity at hand does not reach.
	closed []Unreached
	// why tells what the events are of; streaks are the plan's, as far as they were looked at.
	why     Cause
	streaks []runningStreak
	update  Update
}

// match is a board that the activity at hand counts on.
type match struct {
	rule  int
	board string // what stands for the rule in the board's name
	value catalog.Value
}

// conditionMatch is a streak condition that the activity at hand counts for.
type conditionMatch struct {
	streak, condition int
	value             catalog.Value
	period            calendar.Ordinal
}

// touch is a tally that changed, and what it was.
type touch struct {
	rule, cycle int // index into plan.rules, index into plan.cycles
	board       string
	ordinal     calendar.Ordinal
	old         Standing
}

// adopt brings a state under the plan, or asks for a rebuild if it was made under another one.
func (a *applier) adopt() {
	a.state.dropGone(a.plan)
	if a.state.Plan == a.plan.print {
		return
	}
	if a.state.Plan != 0 {
		a.update.NeedLog = true
		a.state.Earnings = nil
		a.state.dropRedefined(a.plan) // what is left of the decision must not meet tallies of another form
	}
	a.state.Plan = a.plan.print
}

func (a *applier) apply(act *activity.Activity) Verdict {
	if act.Kind == activity.Credit {
		return a.receive(act)
	}
	if err := a.admit(act); err != nil {
		return Verdict{Err: err}
	}
	if a.state.Blocked {
		return a.ignore(act, ReasonBlocked)
	}
	b := a.plan.behaviourOf(act)
	if reason := a.state.ignores(a.plan, b, act); reason != "" {
		return a.ignore(act, reason)
	}
	if err := a.evaluate(act); err != nil {
		return Verdict{Err: err}
	}
	a.state.noteOldest(act.At)
	a.state.noteBehaviour(a.plan, b, act)
	a.closed = nil
	a.add(act)
	return Verdict{Status: activity.Accepted, ClosedFor: a.closed}
}

// ignore takes an activity that has no effect.
func (a *applier) ignore(act *activity.Activity, reason string) Verdict {
	a.state.noteOldest(act.At)
	a.state.Ignored++
	return Verdict{Status: activity.Ignored, Reason: reason}
}

// receive takes a credit: whatever the user may do, and however old it is, as nobody could be told that it was refused.
func (a *applier) receive(act *activity.Activity) Verdict {
	if err := a.evaluate(act); err != nil {
		return Verdict{Err: err}
	}
	a.state.noteOldest(act.At)
	a.add(act)
	return Verdict{Status: activity.Accepted}
}

func (s *State) noteOldest(at calendar.Instant) {
	if s.Oldest == 0 || at < s.Oldest {
		s.Oldest = at
	}
}

// admit decides by the clock and the declared names.
func (a *applier) admit(act *activity.Activity) error {
	limits := &a.plan.Catalog.Limits
	switch {
	case act.At < a.state.Sealed:
		return ErrTooOld
	case act.At > a.now+millis(limits.MaxFuture):
		return ErrInFuture
	case !act.Imported && act.At < a.now-millis(limits.MaxPast):
		return ErrTooOld
	case len(a.plan.Catalog.Behaviours) > 0 && act.Kind == activity.Behaviour && a.plan.Catalog.Behaviours[act.Name] == nil:
		return ErrUnknownBehaviour
	}
	return nil
}

func millis(d time.Duration) calendar.Instant { return calendar.Instant(d.Milliseconds()) }

// evaluate finds the rules that match and whether all of them, and the streak conditions, can take the activity. In a rebuild nothing is refused: the
// activities were accepted once, in another order; a rule that came later passes over what it could not take.
func (a *applier) evaluate(act *activity.Activity) error {
	a.input.Reset(a.plan.Catalog, act)
	a.matches = a.matches[:0]
	a.date = a.plan.cal.DateAt(act.At)
	for i := range a.plan.Catalog.Rules { // the others of the plan are of target groups
		r := &a.plan.rules[i]
		v, ok, err := r.Eval(&a.input)
		segment := ""
		if ok {
			segment = r.segmentBoard(act)
		}
		if err == nil && ok && (!a.sorted || r.Fold == catalog.Unique || a.bounded[i]) {
			if err = a.check(i, r.ID, v, act); err == nil && segment != "" {
				err = a.check(i, segment, v, act)
			}
		}
		if err != nil && !a.sorted {
			return err
		}
		if !ok || err != nil {
			continue
		}
		a.matches = append(a.matches, match{i, r.ID, v})
		if segment != "" {
			a.matches = append(a.matches, match{i, segment, v})
		}
	}
	if err := a.evaluateStreaks(act); err != nil {
		return err
	}
	a.evaluateGroups(act)
	return a.evaluateEarnings(act)
}

// check says whether the tallies of one of a rule's boards can take the activity.
func (a *applier) check(rule int, board string, v catalog.Value, act *activity.Activity) error {
	r := &a.plan.rules[rule]
	if r.Fold != catalog.Sum && r.Fold != catalog.Unique {
		return nil
	}
	for _, c := range r.cycles {
		o, ok := a.ordinal(c, act.At)
		if !ok || !a.reaches(r, c, o, act) {
			continue
		}
		if t := a.state.Tally(board, a.plan.keys[c], o); t != nil {
			if err := t.Check(r.Fold, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// ordinal is the period of a cycle that at lies in; a.date is its local date.
func (a *applier) ordinal(cycle int, at calendar.Instant) (calendar.Ordinal, bool) {
	cy := a.plan.cycles[cycle]
	if cy.Unit == calendar.Listed {
		return a.plan.cal.OrdinalAt(cy, at)
	}
	return a.plan.cal.OrdinalOf(cy, a.date), true
}

// count counts an activity that is stored, by what it is and whether it has an effect.
func (s *State) count(act *activity.Activity) {
	switch {
	case act.Status == activity.Ignored:
		s.Ignored++
	case !act.Counts():
	case act.Kind != activity.Credit:
		s.Activities++
	case strings.HasPrefix(string(act.ID), giftCredit):
		s.Gifts++
	}
}

// giftCredit begins the ids of credits that are gifts.
const giftCredit = "gift:"

// add folds an evaluated activity into the state.
func (a *applier) add(act *activity.Activity) {
	a.state.count(act)
	for _, m := range a.matches {
		r := &a.plan.rules[m.rule]
		rs := a.state.openBoard(m.board, r.Print)
		for _, c := range r.cycles {
			o, ok := a.ordinal(c, act.At)
			if !ok {
				continue
			}
			if !a.reaches(r, c, o, act) {
				if !a.sorted && m.board == r.ID { // a segment's periods are the rule's
					a.closed = append(a.closed, Unreached{r.ID, a.plan.label(c, o)})
				}
				continue
			}
			pt := rs.openCycle(a.plan.keys[c]).open(o)
			if !pt.touched {
				pt.touched = true
				a.touched = append(a.touched, touch{m.rule, c, m.board, o, standing(&pt.Tally)})
			}
			pt.Add(r.Fold, m.value, act.At, act.ID)
		}
	}
	for rest := a.conditions; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].streak == rest[0].streak {
			n++
		}
		a.addStreak(rest[:n], act)
		rest = rest[n:]
	}
	a.addEarnings(act)
	a.state.addBounty(act)
}

// closedFor says whether the period had been closed when the activity arrived. Both are recorded, so that the answer never changes.
func (p *Plan) closedFor(cycle int, o calendar.Ordinal, act *activity.Activity) bool {
	grace := millis(p.Catalog.Limits.CloseGrace)
	if act.Imported || act.Received < act.At+grace { // a period ends after every at in it
		return false
	}
	period := p.cal.PeriodOf(p.cycles[cycle], o)
	return period.Bounded && act.Received >= period.End+grace
}

func (s *State) openBoard(board string, print uint32) *RuleState {
	if rs := s.rule(board); rs != nil {
		return rs
	}
	s.Rules = append(s.Rules, RuleState{ID: board, Print: print})
	return &s.Rules[len(s.Rules)-1]
}

func (r *RuleState) openCycle(key string) *CycleState {
	if c := r.cycle(key); c != nil {
		return c
	}
	r.Cycles = append(r.Cycles, CycleState{Key: key})
	return &r.Cycles[len(r.Cycles)-1]
}

func (c *CycleState) open(o calendar.Ordinal) *PeriodTally {
	i, found := c.find(o)
	if !found {
		c.Periods = slices.Insert(c.Periods, i, PeriodTally{Ordinal: o})
	}
	return &c.Periods[i]
}

// finish turns what was touched into board changes.
func (a *applier) finish() {
	if n := len(a.touched); n > 0 {
		a.update.Boards = make([]BoardChange, 0, n+2)
	}
	for _, t := range a.touched {
		r := &a.plan.rules[t.rule]
		pt := a.tally(t)
		pt.touched = false
		a.change(r, t.board, t.cycle, t.ordinal, t.old, standing(&pt.Tally))
	}
	a.showStreaks()
	a.showEarnings()
}

func (a *applier) tally(t touch) *PeriodTally {
	c := a.state.rule(t.board).cycle(a.plan.keys[t.cycle])
	i, _ := c.find(t.ordinal)
	return &c.Periods[i]
}

func (a *applier) change(r *rulePlan, board string, cycle int, o calendar.Ordinal, before, after Standing) {
	if before == after || r.gone(cycle, o) || !a.state.shown() {
		return
	}
	a.update.Boards = append(a.update.Boards, a.plan.boardChange(r, board, cycle, o, before, after))
}

func (p *Plan) boardChange(r *rulePlan, board string, cycle int, o calendar.Ordinal, before, after Standing) BoardChange {
	return BoardChange{
		Rule: board, Label: p.label(cycle, o), Cycle: p.cycles[cycle], Decimals: r.Decimals, Ascending: r.Ascending, Old: before, New: after,
	}
}
