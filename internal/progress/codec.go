package progress

import (
	"encoding/binary"
	"errors"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/streaks"
)

// ErrBadState says that bytes are no encoded state: damaged, or written by a newer version.
var ErrBadState = errors.New("not a user state")

// Formats of encoded states. What is written is the latest; format 2 is read too.
const (
	stateFormat  = 3
	stateFormat2 = 2
)

// Flags of an encoded state.
const (
	stateHidden byte = 1 << iota
	stateBlocked
	stateMerged
	stateAttributes
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
	if d.format = d.byte(); d.format != stateFormat && d.format != stateFormat2 {
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
	e.instant(st.Latest.At)
	e.string(string(st.Latest.ID))
	e.int(int64(st.Latest.Offset))
	e.uint(uint64(st.Sealed.Total))
	e.run(&st.Sealed.Longest)
	e.run(&st.Sealed.Last)
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

// decoder takes an encoded state apart; after a fault it yields zeros and bad is set.
type decoder struct {
	s       string
	room    room
	format  byte
	bad     bool
	last    calendar.Instant
	ordinal calendar.Ordinal
}

func (d *decoder) byte() byte {
	if d.s == "" {
		d.bad = true
		return 0
	}
	c := d.s[0]
	d.s = d.s[1:]
	return c
}

func (d *decoder) uint() uint64 {
	var u uint64
	for shift := 0; shift < 64; shift += 7 {
		c := d.byte()
		u |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return u
		}
	}
	d.bad = true
	return 0
}

func (d *decoder) int() int64 {
	u := d.uint()
	return int64(u>>1) ^ -int64(u&1)
}

// count is a number of things to come, each of at least one byte: damaged input cannot ask for more memory than it has bytes.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.s)) {
		d.bad, d.s = true, ""
		return 0
	}
	return int(n)
}

func (d *decoder) string() string {
	n := d.count()
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) instant() calendar.Instant {
	d.last += calendar.Instant(d.int())
	return d.last
}

func (d *decoder) period() calendar.Ordinal {
	d.ordinal += calendar.Ordinal(d.int())
	return d.ordinal
}

func (d *decoder) user(s *State) {
	flags := d.byte()
	s.Hidden, s.Blocked = flags&stateHidden != 0, flags&stateBlocked != 0
	if flags&stateMerged != 0 {
		s.Merged = activity.User(d.string())
	}
	if flags&stateAttributes != 0 {
		s.Attributes = make([]Attribute, d.count())
		for i := range s.Attributes {
			s.Attributes[i] = Attribute{Name: d.string(), Value: d.string()}
		}
	}
}

// print is a fingerprint.
func (d *decoder) print() uint32 {
	if d.format == stateFormat2 {
		return uint32(d.uint())
	}
	if len(d.s) < 4 {
		d.bad, d.s = true, ""
		return 0
	}
	p := uint32(d.s[0])<<24 | uint32(d.s[1])<<16 | uint32(d.s[2])<<8 | uint32(d.s[3])
	d.s = d.s[4:]
	return p
}

func (d *decoder) rule(r *RuleState) {
	r.ID = d.string()
	r.Print = d.print()
	r.Cycles = take(&d.room.cycles, d.count())
	for i := range r.Cycles {
		c := &r.Cycles[i]
		c.Key = d.string()
		c.Periods = take(&d.room.periods, d.count())
		for rest := c.Periods; len(rest) > 0; {
			if d.format == stateFormat2 {
				rest = d.period2(rest)
			} else {
				rest = d.stretch(rest)
			}
		}
	}
}

func (d *decoder) stretch(periods []PeriodTally) (rest []PeriodTally) {
	first, flags, n := d.period(), d.uint(), uint64(1)
	if len(periods) > 1 {
		n = d.uint()
	}
	if n == 0 || n > uint64(len(periods)) {
		d.bad, d.s = true, ""
		return nil
	}
	for i := range int(n) {
		periods[i].Ordinal = first + calendar.Ordinal(i)
		d.tally(&periods[i].Tally, flags)
	}
	d.ordinal += calendar.Ordinal(n - 1)
	return periods[n:]
}

// next is the period after the one before, or one that is encoded.
func (d *decoder) next(is bool) calendar.Ordinal {
	if is {
		d.ordinal++
		return d.ordinal
	}
	return d.period()
}

func (d *decoder) tally(t *fold.Tally, flags uint64) {
	t.Some = flags&tallySome != 0
	t.Nonzero = flags&tallyNonzero != 0
	t.Value = int64(d.uint())
	if flags&tallyNegative != 0 {
		t.Value = ^t.Value
	}
	t.Reached = d.instant()
	if flags&tallyID != 0 {
		t.ID = activity.ID(d.string())
	}
	if flags&tallySet != 0 {
		d.set(t)
	}
}

func (d *decoder) set(t *fold.Tally) {
	t.Set = make([]fold.Distinct, d.count())
	for i := range t.Set {
		t.Set[i] = fold.Distinct{Value: d.string(), First: d.instant()}
	}
}

func (d *decoder) streak(st *StreakState) {
	st.ID = d.string()
	st.Print = d.print()
	st.Latest.At = d.instant()
	st.Latest.ID = activity.ID(d.string())
	st.Latest.Offset = int16(d.int())
	st.Sealed.Total = int(d.uint())
	d.run(&st.Sealed.Longest)
	d.run(&st.Sealed.Last)
	st.Shown.Current = d.standing()
	st.Shown.Longest = d.standing()
	if marks := d.count(); marks > 0 {
		d.marks(st, marks)
	}
}

func (d *decoder) marks(st *StreakState, marks int) {
	summed := 0
	if d.format != stateFormat2 {
		summed = d.count()
	}
	n := d.count()
	if n == 0 || marks*n > len(d.s) || summed > marks {
		d.bad = true
		return
	}
	st.Marks = take(&d.room.marks, marks)
	st.Conditions = take(&d.room.conditions, (marks-summed)*n)
	values := take(&d.room.values, marks*n)
	for i := range st.Marks {
		m := &st.Marks[i]
		m.Values = values[i*n : (i+1)*n : (i+1)*n]
		if m.Summed = i < summed; m.Summed {
			d.summed(m)
			continue
		}
		conditions := st.Conditions[(i-summed)*n:][:n]
		if d.format == stateFormat2 {
			d.mark2(m, conditions)
		} else {
			d.mark(m, conditions)
		}
		for k := range conditions {
			m.Values[k] = conditions[k].Value
		}
	}
}

func (d *decoder) summed(m *streaks.Mark) {
	flags := d.uint()
	m.Ordinal = d.next(flags&markNext != 0)
	m.Met = flags&markMet != 0
	if m.Values[0] = int64(flags >> markFlags); flags&markValue != 0 {
		m.Values[0] = d.int()
	}
	for k := 1; k < len(m.Values); k++ {
		m.Values[k] = d.int()
	}
}

func (d *decoder) mark(m *streaks.Mark, conditions []Condition) {
	flags := d.uint()
	m.Ordinal = d.next(flags&markNext != 0)
	m.Met = flags&markMet != 0
	if m.Met && flags&markFirst == 0 {
		m.MetAt = d.instant()
	}
	for k := range conditions {
		d.condition(&conditions[k])
	}
	if flags&markFirst != 0 {
		m.Met, m.MetAt = conditions[0].Met, conditions[0].MetAt
	}
}

func (d *decoder) run(r *streaks.Run) {
	r.Length = int(d.uint())
	if r.Length > 0 {
		r.First = d.period()
		r.Last = d.period()
		r.Reached = d.instant()
	}
}

func (d *decoder) standing() Standing {
	if d.byte() == 0 {
		return Standing{}
	}
	return Standing{Some: true, Value: d.int(), Reached: d.instant()}
}

func (d *decoder) condition(c *Condition) {
	flags := d.uint()
	d.tally(&c.Tally, flags)
	c.Negative = flags&conditionNegative != 0
	c.MetAt, c.LastAt = 0, c.Reached
	if c.Met = flags&conditionMet != 0; c.Met {
		if c.MetAt = c.Reached; flags&conditionMetReached == 0 {
			c.MetAt = d.instant()
		}
	}
	if flags&conditionLastReached == 0 {
		c.LastAt = d.instant()
	}
}

func (d *decoder) behaviour(b *BehaviourState) {
	b.Name = d.string()
	b.LastAt = d.instant()
	b.Counts = make([]PeriodCount, d.count())
	for i := range b.Counts {
		b.Counts[i] = PeriodCount{Ordinal: d.period(), N: int(d.uint())}
	}
}
