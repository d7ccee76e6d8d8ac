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

const stateFormat = 2

// Flags of an encoded state.
const (
	stateHidden byte = 1 << iota
	stateBlocked
	stateMerged
	stateAttributes
)

// Flags of an encoded tally.
const (
	tallySome byte = 1 << iota
	tallyNonzero
	tallyID
	tallySet
)

// Flags of an encoded condition.
const (
	conditionNegative byte = 1 << iota
	conditionMet
)

// Append appends the state in its stored form: a format number, then varints, instants as differences to the one before.
func (s *State) Append(b []byte) []byte {
	e := encoder{b: append(b, stateFormat)}
	e.instant(s.Sealed)
	e.instant(s.Oldest)
	e.instant(s.Scheduled)
	e.uint(uint64(s.Plan))
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
	s := &State{}
	if content == "" {
		return s, nil
	}
	d := decoder{s: content}
	if d.byte() != stateFormat {
		return nil, ErrBadState
	}
	s.Sealed = d.instant()
	s.Oldest = d.instant()
	s.Scheduled = d.instant()
	s.Plan = uint32(d.uint())
	d.user(s)
	s.Zones = make([]ZoneChange, d.count())
	for i := range s.Zones {
		s.Zones[i] = ZoneChange{At: d.instant(), Name: d.string()}
	}
	s.Rules = make([]RuleState, d.count())
	for i := range s.Rules {
		d.rule(&s.Rules[i])
	}
	s.Streaks = make([]StreakState, d.count())
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
	e.uint(uint64(r.Print))
	e.uint(uint64(len(r.Cycles)))
	for i := range r.Cycles {
		c := &r.Cycles[i]
		e.string(c.Key)
		e.uint(uint64(len(c.Periods)))
		for j := range c.Periods {
			e.period(c.Periods[j].Ordinal)
			e.tally(&c.Periods[j].Tally)
		}
	}
}

func (e *encoder) tally(t *fold.Tally) {
	var flags byte
	if t.Some {
		flags |= tallySome
	}
	if t.Nonzero {
		flags |= tallyNonzero
	}
	if t.ID != "" {
		flags |= tallyID
	}
	if len(t.Set) > 0 {
		flags |= tallySet
	}
	e.byte(flags)
	e.int(t.Value)
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
	e.uint(uint64(st.Print))
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
	n := len(st.Conditions) / len(st.Marks)
	e.uint(uint64(n))
	for i := range st.Marks {
		m := &st.Marks[i]
		e.period(m.Ordinal)
		var met byte
		if m.Met {
			met = 1
		}
		e.byte(met)
		e.instant(m.MetAt)
		for k := range n {
			e.condition(&st.Conditions[i*n+k])
		}
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
	e.tally(&c.Tally)
	var flags byte
	if c.Negative {
		flags |= conditionNegative
	}
	if c.Met {
		flags |= conditionMet
	}
	e.byte(flags)
	e.instant(c.MetAt)
	e.instant(c.LastAt)
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

// decoder takes an encoded state apart; after a fault it yields zeros and bad is set.
type decoder struct {
	s       string
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

func (d *decoder) rule(r *RuleState) {
	r.ID = d.string()
	r.Print = uint32(d.uint())
	r.Cycles = make([]CycleState, d.count())
	for i := range r.Cycles {
		c := &r.Cycles[i]
		c.Key = d.string()
		c.Periods = make([]PeriodTally, d.count())
		for j := range c.Periods {
			c.Periods[j].Ordinal = d.period()
			d.tally(&c.Periods[j].Tally)
		}
	}
}

func (d *decoder) tally(t *fold.Tally) {
	flags := d.byte()
	t.Some = flags&tallySome != 0
	t.Nonzero = flags&tallyNonzero != 0
	t.Value = d.int()
	t.Reached = d.instant()
	if flags&tallyID != 0 {
		t.ID = activity.ID(d.string())
	}
	if flags&tallySet != 0 {
		t.Set = make([]fold.Distinct, d.count())
		for i := range t.Set {
			t.Set[i] = fold.Distinct{Value: d.string(), First: d.instant()}
		}
	}
}

func (d *decoder) streak(st *StreakState) {
	st.ID = d.string()
	st.Print = uint32(d.uint())
	st.Latest.At = d.instant()
	st.Latest.ID = activity.ID(d.string())
	st.Latest.Offset = int16(d.int())
	st.Sealed.Total = int(d.uint())
	d.run(&st.Sealed.Longest)
	d.run(&st.Sealed.Last)
	st.Shown.Current = d.standing()
	st.Shown.Longest = d.standing()
	marks := d.count()
	if marks == 0 {
		return
	}
	n := d.count()
	if marks*n > len(d.s) {
		d.bad = true
		return
	}
	st.Marks = make([]streaks.Mark, marks)
	st.Conditions = make([]Condition, marks*n)
	values := make([]int64, marks*n)
	for i := range st.Marks {
		m := &st.Marks[i]
		m.Ordinal = d.period()
		m.Met = d.byte() != 0
		m.MetAt = d.instant()
		m.Values = values[i*n : (i+1)*n : (i+1)*n]
		for k := range n {
			c := &st.Conditions[i*n+k]
			d.condition(c)
			m.Values[k] = c.Value
		}
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
	d.tally(&c.Tally)
	flags := d.byte()
	c.Negative = flags&conditionNegative != 0
	c.Met = flags&conditionMet != 0
	c.MetAt = d.instant()
	c.LastAt = d.instant()
}

func (d *decoder) behaviour(b *BehaviourState) {
	b.Name = d.string()
	b.LastAt = d.instant()
	b.Counts = make([]PeriodCount, d.count())
	for i := range b.Counts {
		b.Counts[i] = PeriodCount{Ordinal: d.period(), N: int(d.uint())}
	}
}
