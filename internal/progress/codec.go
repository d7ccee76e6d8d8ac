package progress

import (
	"encoding/binary"
	"errors"

	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/streaks"
)

// ErrBadState says that bytes are no encoded state: damaged, or written by a newer version.
var ErrBadState = errors.New("not a user state")

// Formats of encoded states. What is written is the latest; format 3, which had no freezes, pauses and events, is read too.
const (
	stateFormat  = 4
	stateFormat3 = 3
)

// Flags of an encoded state.
const (
	stateHidden byte = 1 << iota
	stateBlocked
	stateMerged
	stateAttributes
	stateTold
	statePauses
)

// Flags of an encoded streak: what it has beside a length.
const (
	streakLongest  uint64 = 1 << iota // the longest run is not the one that goes on
	streakLost                        // a run ended
	streakFreezes                     // there are freezes, or were
	streakDecayed                     // the run is shorter than what was met
	streakBridged                     // periods were bridged
	streakCommands                    // something was ordered
	streakUnbegun                     // there was no activity
)

// Flags of an encoded tally. Those that are rare come last: a condition's flags are a varint.
const (
	tallySome uint64 = 1 << iota
	tallyNonzero
	// Of conditions only: the target was met; at the moment that Reached says; Reached is the last at.
	conditionMet
	conditionMetReached
	conditionLastReached
	tallyNegative // the value is below 0, and encoded as its complement
	tallyID
	tallySet
	conditionNegative
)

// Flags of an encoded mark.
const (
	markNext uint64 = 1 << iota // of the period after that of the mark before
	markMet
	// markFirst, of a mark that is not summed: met as its first condition is, and when that was. markValue, of one that is: the first value does not
	// fit into the bits above.
	markFirst
	markValue = markFirst
	markFlags = 3 // how many bits they are
)

// Append appends the state in its stored form: a format number, then varints, instants as differences to the one before.
func (s *State) Append(b []byte) []byte {
	e := encoder{b: append(b, stateFormat)}
	e.instant(s.Sealed)
	e.instant(s.Oldest)
	e.instant(s.Scheduled)
	e.print(s.Plan)
	e.user(s)
	e.uint(uint64(len(s.Zones)))
	for _, z := range s.Zones {
		e.instant(z.At)
		e.string(z.Name)
	}
	e.uint(uint64(len(s.Rules)))
	for i := range s.Rules {
		e.rule(&s.Rules[i])
	}
	e.uint(uint64(len(s.Streaks)))
	for i := range s.Streaks {
		e.streak(&s.Streaks[i])
	}
	e.uint(uint64(len(s.Behaviours)))
	for i := range s.Behaviours {
		e.behaviour(&s.Behaviours[i])
	}
	return e.b
}

// Parse is the inverse of Append; no bytes at all are the zero state. The state keeps parts of content, which must not change.
func Parse(content string) (*State, error) {
	if content == "" {
		return &State{}, nil
	}
	all := &roomy{}
	s := &all.State
	d := decoder{s: content, room: room{all.rules[:], all.cycles[:], all.periods[:], all.streaks[:], all.marks[:], all.conditions[:], all.values[:]}}
	if d.format = d.byte(); d.format != stateFormat && d.format != stateFormat3 {
		return nil, ErrBadState
	}
	s.Sealed = d.instant()
	s.Oldest = d.instant()
	s.Scheduled = d.instant()
	s.Plan = d.print()
	d.user(s)
	s.Zones = make([]ZoneChange, d.count())
	for i := range s.Zones {
		s.Zones[i] = ZoneChange{At: d.instant(), Name: d.string()}
	}
	s.Rules = take(&d.room.rules, d.count())
	for i := range s.Rules {
		d.rule(&s.Rules[i])
	}
	s.Streaks = take(&d.room.streaks, d.count())
	for i := range s.Streaks {
		d.streak(&s.Streaks[i])
	}
	s.Behaviours = make([]BehaviourState, d.count())
	for i := range s.Behaviours {
		d.behaviour(&s.Behaviours[i])
	}
	if d.bad || d.s != "" {
		return nil, ErrBadState
	}
	return s, nil
}

type encoder struct {
	b       []byte
	last    calendar.Instant
	ordinal calendar.Ordinal
}

func (e *encoder) byte(c byte)     { e.b = append(e.b, c) }
func (e *encoder) uint(u uint64)   { e.b = binary.AppendUvarint(e.b, u) }
func (e *encoder) int(i int64)     { e.b = binary.AppendVarint(e.b, i) }
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.b = append(e.b, s...) }
func (e *encoder) print(p uint32)  { e.b = binary.BigEndian.AppendUint32(e.b, p) }

func (e *encoder) instant(i calendar.Instant) {
	e.int(int64(i - e.last))
	e.last = i
}

func (e *encoder) period(o calendar.Ordinal) {
	e.int(int64(o) - int64(e.ordinal))
	e.ordinal = o
}

// user encodes what is known of the user beside activities: nothing, mostly.
func (e *encoder) user(s *State) {
	var flags byte
	set := func(on bool, f byte) {
		if on {
			flags |= f
		}
	}
	set(s.Hidden, stateHidden)
	set(s.Blocked, stateBlocked)
	set(s.Merged != "", stateMerged)
	set(len(s.Attributes) > 0, stateAttributes)
	set(s.Told != 0, stateTold)
	set(len(s.Pauses) > 0, statePauses)
	e.byte(flags)
	if s.Merged != "" {
		e.string(string(s.Merged))
	}
	if len(s.Attributes) > 0 {
		e.uint(uint64(len(s.Attributes)))
		for _, a := range s.Attributes {
			e.string(a.Name)
			e.string(a.Value)
		}
	}
	if s.Told != 0 {
		e.instant(s.Told)
	}
	if len(s.Pauses) > 0 {
		e.pauses(s.Pauses)
	}
}

func (e *encoder) pauses(pauses []streaks.Pause) {
	e.uint(uint64(len(pauses)))
	for i := range pauses {
		p := &pauses[i]
		e.uint(uint64(p.ID))
		e.instant(p.At)
		e.period(calendar.Ordinal(p.From))
		e.period(calendar.Ordinal(p.To))
		cut := p.CutAt != 0
		e.bool(cut)
		if cut {
			e.instant(p.CutAt)
			e.period(calendar.Ordinal(p.CutTo))
		}
	}
}

func (e *encoder) bool(b bool) {
	if b {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

func (e *encoder) rule(r *RuleState) {
	e.string(r.ID)
	e.print(r.Print)
	e.uint(uint64(len(r.Cycles)))
	for i := range r.Cycles {
		c := &r.Cycles[i]
		e.string(c.Key)
		e.uint(uint64(len(c.Periods)))
		for rest := c.Periods; len(rest) > 0; {
			rest = e.stretch(rest)
		}
	}
}

// stretch encodes the first of the periods, as many as follow each other and have equal flags, and returns the others.
func (e *encoder) stretch(periods []PeriodTally) (rest []PeriodTally) {
	first, flags, n := periods[0].Ordinal, tallyFlags(&periods[0].Tally), 1
	for n < len(periods) && periods[n].Ordinal == first+calendar.Ordinal(n) && tallyFlags(&periods[n].Tally) == flags {
		n++
	}
	e.period(first)
	e.uint(flags)
	if len(periods) > 1 {
		e.uint(uint64(n))
	}
	for i := range n {
		e.tally(&periods[i].Tally)
	}
	e.ordinal += calendar.Ordinal(n - 1)
	return periods[n:]
}

func tallyFlags(t *fold.Tally) (flags uint64) {
	if t.Some {
		flags |= tallySome
	}
	if t.Nonzero {
		flags |= tallyNonzero
	}
	if t.Value < 0 {
		flags |= tallyNegative
	}
	if t.ID != "" {
		flags |= tallyID
	}
	if len(t.Set) > 0 {
		flags |= tallySet
	}
	return flags
}

// tally encodes what the flags do not say.
func (e *encoder) tally(t *fold.Tally) {
	e.uint(uint64(t.Value ^ t.Value>>63))
	e.instant(t.Reached)
	if t.ID != "" {
		e.string(string(t.ID))
	}
	if len(t.Set) > 0 {
		e.uint(uint64(len(t.Set)))
		for _, d := range t.Set {
			e.string(d.Value)
			e.instant(d.First)
		}
	}
}

func (e *encoder) streak(st *StreakState) {
	e.string(st.ID)
	e.print(st.Print)
	e.print(st.Terms)
	e.instant(st.Latest.At)
	e.string(string(st.Latest.ID))
	e.int(int64(st.Latest.Offset))
	e.sum(&st.Sealed, &st.Commands)
	e.standing(st.Shown.Current)
	e.standing(st.Shown.Longest)
	e.uint(uint64(len(st.Marks)))
	if len(st.Marks) == 0 {
		return
	}
	summed, n := st.summed(), len(st.Marks[0].Values)
	e.uint(uint64(summed))
	e.uint(uint64(n))
	for i := range st.Marks {
		if i < summed {
			e.summed(&st.Marks[i])
		} else {
			e.mark(&st.Marks[i], st.conditions(i, n))
		}
	}
}

// sum encodes what most streaks do not have behind flags.
func (e *encoder) sum(s *streaks.Sum, c *streaks.Commands) {
	var flags uint64
	set := func(on bool, f uint64) {
		if on {
			flags |= f
		}
	}
	set(s.Longest != s.Run, streakLongest)
	set(s.Lost.Length > 0, streakLost)
	set(s.Held|s.Used|s.Earned|s.Grants != 0, streakFreezes)
	set(s.Met != s.Run.Length, streakDecayed)
	set(len(s.Bridged) > 0, streakBridged)
	set(len(c.Grants)+len(c.Restores)+len(c.Targets)+len(c.OptOuts) > 0, streakCommands)
	set(!s.Begun, streakUnbegun)
	e.uint(flags)
	e.uint(uint64(s.Total))
	e.run(&s.Run)
	if flags&streakLongest != 0 {
		e.run(&s.Longest)
	}
	if flags&streakLost != 0 {
		e.run(&s.Lost.Run)
		e.period(s.Lost.Missed)
	}
	if flags&streakFreezes != 0 {
		for _, n := range [...]int{s.Held, s.Used, s.Earned, s.Grants} {
			e.uint(uint64(n))
		}
	}
	if flags&streakDecayed != 0 {
		e.uint(uint64(s.Met))
	}
	if flags&streakBridged != 0 {
		e.uint(uint64(len(s.Bridged)))
		for _, b := range s.Bridged {
			e.period(b.Ordinal)
			e.bool(b.Status == streaks.Frozen)
		}
	}
	if flags&streakCommands != 0 {
		e.commands(c)
	}
}

func (e *encoder) commands(c *streaks.Commands) {
	e.uint(uint64(len(c.Grants)))
	for _, g := range c.Grants {
		e.instant(g.At)
		e.period(g.From)
		e.uint(uint64(g.N))
	}
	e.uint(uint64(len(c.Restores)))
	for _, r := range c.Restores {
		e.instant(r.At)
		e.period(r.First)
		e.period(r.Last)
		e.string(r.Reason)
	}
	e.uint(uint64(len(c.Targets)))
	for _, t := range c.Targets {
		e.instant(t.At)
		e.period(t.From)
		e.int(t.N)
	}
	e.uint(uint64(len(c.OptOuts)))
	for _, o := range c.OptOuts {
		e.instant(o.At)
		e.bool(o.Out)
	}
}

// markHead encodes the flags and, in the bits above them, the extra, and the period where the flags do not tell it.
func (e *encoder) markHead(m *streaks.Mark, flags, extra uint64) {
	if m.Met {
		flags |= markMet
	}
	next := m.Ordinal == e.ordinal+1
	if next {
		flags |= markNext
	}
	e.uint(extra<<markFlags | flags)
	if next {
		e.ordinal++
	} else {
		e.period(m.Ordinal)
	}
}

// summed encodes values other than the first, or great ones, behind the head.
func (e *encoder) summed(m *streaks.Mark) {
	v := m.Values[0]
	if v < 0 || v >= 1<<(7-markFlags) {
		e.markHead(m, markValue, 0)
		e.int(v)
	} else {
		e.markHead(m, 0, uint64(v))
	}
	for _, v := range m.Values[1:] {
		e.int(v)
	}
}

func (e *encoder) mark(m *streaks.Mark, conditions []Condition) {
	c := &conditions[0]
	asFirst := m.Met == c.Met && m.MetAt == c.MetAt
	var flags uint64
	if asFirst {
		flags = markFirst
	}
	e.markHead(m, flags, 0)
	if m.Met && !asFirst {
		e.instant(m.MetAt)
	}
	for k := range conditions {
		e.condition(&conditions[k])
	}
}

func (e *encoder) run(r *streaks.Run) {
	e.uint(uint64(r.Length))
	if r.Length > 0 {
		e.period(r.First)
		e.period(r.Last)
		e.instant(r.Reached)
	}
}

func (e *encoder) standing(s Standing) {
	if !s.Some {
		e.byte(0)
		return
	}
	e.byte(1)
	e.int(s.Value)
	e.instant(s.Reached)
}

func (e *encoder) condition(c *Condition) {
	flags := tallyFlags(&c.Tally)
	set := func(on bool, f uint64) {
		if on {
			flags |= f
		}
	}
	set(c.Met, conditionMet)
	set(c.Met && c.MetAt == c.Reached, conditionMetReached)
	set(c.LastAt == c.Reached, conditionLastReached)
	set(c.Negative, conditionNegative)
	e.uint(flags)
	e.tally(&c.Tally)
	if c.Met && c.MetAt != c.Reached {
		e.instant(c.MetAt)
	}
	if c.LastAt != c.Reached {
		e.instant(c.LastAt)
	}
}

func (e *encoder) behaviour(b *BehaviourState) {
	e.string(b.Name)
	e.instant(b.LastAt)
	e.uint(uint64(len(b.Counts)))
	for _, c := range b.Counts {
		e.period(c.Ordinal)
		e.uint(uint64(c.N))
	}
}

// roomy is a state with room for the parts that most users' states have, so that taking one apart is one allocation.
type roomy struct {
	State
	rules      [1]RuleState
	cycles     [4]CycleState
	periods    [4]PeriodTally
	streaks    [1]StreakState
	marks      [2]streaks.Mark
	conditions [2]Condition
	values     [2]int64
}

// room is what is left of a roomy.
type room struct {
	rules      []RuleState
	cycles     []CycleState
	periods    []PeriodTally
	streaks    []StreakState
	marks      []streaks.Mark
	conditions []Condition
	values     []int64
}

// take gives n zero elements of the room, or new ones. What follows them in the room is safe from appends.
func take[T any](room *[]T, n int) []T {
	if n > len(*room) {
		return make([]T, n)
	}
	taken := (*room)[:n:n]
	*room = (*room)[n:]
	return taken
}
