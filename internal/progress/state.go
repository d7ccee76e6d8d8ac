package progress

import (
	"cmp"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/streaks"
)

// State is what a user's activities amount to. The zero value is the state of a user who did nothing. A base (what the activities before the seal
// amount to) has the same form.
type State struct {
	// Sealed is the user's sealed_before: activities before it are in the base and cannot be told apart any more. It only grows.
	Sealed calendar.Instant
	// Oldest is at most the at of the oldest activity in the log; 0 if the log is empty or that is not known.
	Oldest calendar.Instant
	// Plan is the print of the catalog that the state was folded under, 0 before anything was.
	Plan uint32
	// Due is when time alone next changes something of the user's streaks, 0 for never. Apply and Diff set it; it is not stored.
	Due calendar.Instant
	// Expires is when the first of the user's grants expires, 0 for never. Who commits the state keeps it so.
	Expires calendar.Instant
	// Scheduled is the deadline that the store has for the user, 0 for none. Who commits the state keeps it equal to Deadline.
	Scheduled calendar.Instant
	// Told is up to when what time alone does to streaks has been told in events.
	Told calendar.Instant
	// Hidden: the user has no row on any board. Blocked: activities that come are stored as ignored.
	Hidden, Blocked bool
	// Merged is the user into whom this one was merged, "" for none.
	Merged activity.User
	// Activities is how many of the user's count, those that others gave rise to (credits) aside.
	Activities uint64
	// Ignored is how many are stored without effect, Gifts how many the user was given and has not lost again.
	Ignored, Gifts uint64
	// Attributes are what the customer says of the user and rules may read, in order of Name.
	Attributes []Attribute
	Zones      []ZoneChange    // in order of At
	Pauses     []streaks.Pause // in order of At
	Enrolments []Enrolment     // in target groups, explicit ones; in order of At
	Rules      []RuleState
	Streaks    []StreakState
	Behaviours []BehaviourState
	// Earnings is nil for a user who earned nothing.
	Earnings *Earnings
	// Noticed is the at of the latest activity of the commit at hand: what comes true by it without an instant of its own has come true then. 0 for now; it is not stored.
	Noticed calendar.Instant
}

// Attribute is a part of the user's profile that rules may read.
type Attribute = activity.Attribute

// ZoneChange is the command "my zone is Name from At on".
type ZoneChange struct {
	At   calendar.Instant
	Name string // IANA
}

// RuleState holds a rule's tallies: of everything that matches it, or of one segment.
type RuleState struct {
	ID     string // the rule's, or SegmentBoard
	Print  uint32 // the definition that the tallies were folded under
	Cycles []CycleState
}

// CycleState holds the tallies of one cycle, in order of Ordinal.
type CycleState struct {
	Key     string // calendar.Cycle.Key
	Periods []PeriodTally
}

// PeriodTally is the tally of one period.
type PeriodTally struct {
	Ordinal calendar.Ordinal
	fold.Tally
	touched bool // during an Apply: already among its touched
}

// StreakState holds what a streak is derived from.
type StreakState struct {
	ID string
	// Print and Terms are those of the rule that the state was folded under.
	Print, Terms uint32
	Commands     streaks.Commands
	Latest       LatestActivity
	// Sealed sums up the periods that are whole in the base, and those of marks that are Summed.
	Sealed streaks.Sum
	// Marks are the other periods, in order of Ordinal; Conditions the conditions of those that are not summed up, as many a mark as the rule has,
	// in the same order.
	Marks      []streaks.Mark
	Conditions []Condition
	// Shown is what stands on the streak's two boards.
	Shown Shown
	// Warned is the period of which streak.at_risk was told last.
	Warned Warning
}

// LatestActivity is the matching activity with the greatest (at, id).
type LatestActivity struct {
	At     calendar.Instant
	ID     activity.ID
	Offset int16
}

// Condition is one condition of a streak rule in one period.
type Condition struct {
	fold.Tally
	// MetAt is the at of the first activity, in (at, id) order, with which the value came to the target. Met says that it has; a sum may have
	// fallen below the target since.
	MetAt calendar.Instant
	Met   bool
	// LastAt is the greatest at so far; Negative says that a summand below 0 was among them.
	LastAt   calendar.Instant
	Negative bool
}

// Shown is a user's place on the boards <streak>.current and <streak>.longest; a Length of 0 is no row.
type Shown struct{ Current, Longest Standing }

// Warning is a period of which streak.at_risk was told; the zero value is none.
type Warning struct {
	Some   bool
	Period calendar.Ordinal
}

// Standing is a value on a board and when it was reached. Some is false for no row.
type Standing struct {
	Some    bool
	Value   int64
	Reached calendar.Instant
}

// BehaviourState is what cool-off and caps are decided by.
type BehaviourState struct {
	Name   string
	LastAt calendar.Instant // greatest at that was accepted
	Counts []PeriodCount    // of the cap's cycle, in order of Ordinal
}

// PeriodCount is how many activities of a behaviour were accepted in a period.
type PeriodCount struct {
	Ordinal calendar.Ordinal
	N       int
}

// rule returns the tallies of the rule or segment with the id, nil if there is none.
func (s *State) rule(id string) *RuleState {
	for i := range s.Rules {
		if s.Rules[i].ID == id {
			return &s.Rules[i]
		}
	}
	return nil
}

// Streak returns the state of the streak rule with the id, nil if there is none.
func (s *State) Streak(id string) *StreakState {
	for i := range s.Streaks {
		if s.Streaks[i].ID == id {
			return &s.Streaks[i]
		}
	}
	return nil
}

func (r *RuleState) cycle(key string) *CycleState {
	for i := range r.Cycles {
		if r.Cycles[i].Key == key {
			return &r.Cycles[i]
		}
	}
	return nil
}

func (c *CycleState) find(o calendar.Ordinal) (int, bool) {
	// The current period is the last one, and almost every activity is in it.
	if n := len(c.Periods); n == 0 || c.Periods[n-1].Ordinal < o {
		return n, false
	} else if c.Periods[n-1].Ordinal == o {
		return n - 1, true
	}
	return slices.BinarySearchFunc(c.Periods, o, func(p PeriodTally, o calendar.Ordinal) int { return cmp.Compare(p.Ordinal, o) })
}

// Tally returns the tally of a rule (or SegmentBoard) in a period of a cycle, nil if the user has none.
func (s *State) Tally(board, cycle string, o calendar.Ordinal) *fold.Tally {
	r := s.rule(board)
	if r == nil {
		return nil
	}
	c := r.cycle(cycle)
	if c == nil {
		return nil
	}
	i, found := c.find(o)
	if !found {
		return nil
	}
	return &c.Periods[i].Tally
}

func (st *StreakState) find(o calendar.Ordinal) (int, bool) {
	if n := len(st.Marks); n == 0 || st.Marks[n-1].Ordinal < o {
		return n, false
	}
	return slices.BinarySearchFunc(st.Marks, o, func(m streaks.Mark, o calendar.Ordinal) int { return cmp.Compare(m.Ordinal, o) })
}

func standing(t *fold.Tally) Standing {
	if t == nil || !t.Some {
		return Standing{}
	}
	return Standing{Some: true, Value: t.Value, Reached: t.Reached}
}
