package progress

import (
	"encoding/binary"
	"errors"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/streaks"
)

// ErrBadState says that bytes are no encoded state: damaged, or written by a newer version.
var ErrBadState = errors.New("not a user state")

// Formats of encoded states. What is written is the latest. Format 6, in which each instant stood as often as it was needed, format 5, which had no bounties, format 4, which had nothing of
// what is earned, and format 3, which had no freezes, pauses and events, are read too.
const (
	stateFormat  = 7
	stateFormat5 = 5
	stateFormat4 = 4
	stateFormat3 = 3
)

// Flags of an encoded state, a varint: those that are rare come last.
const (
	stateHidden uint64 = 1 << iota
	stateBlocked
	stateMerged
	stateAttributes
	stateTold
	statePauses
	stateEarnings
	stateExpires
	stateEnrolments
	stateActivities
	stateIgnored
	stateGifts
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
	// Of stretches of tallies only: each was reached at the instant that is likely to come next.
	tallyNext
)

// Append appends the state in its stored form: a format number, then varints, and instants, each of them once (codec_instant.go).
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
	if s.Earnings != nil {
		e.earnings(s.Earnings)
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
	if d.format = d.byte(); d.format < stateFormat3 || d.format > stateFormat {
		return nil, ErrBadState
	}
	s.Sealed = d.instant()
	s.Oldest = d.instant()
	s.Scheduled = d.instant()
	s.Plan = d.print()
	earned := d.user(s)
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
	if earned {
		s.Earnings = d.earnings()
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
	text    string // that stood there last
	seen    seen
	places  places
}

func (e *encoder) byte(c byte)     { e.b = append(e.b, c) }
func (e *encoder) uint(u uint64)   { e.b = binary.AppendUvarint(e.b, u) }
func (e *encoder) int(i int64)     { e.b = binary.AppendVarint(e.b, i) }
func (e *encoder) string(s string) { e.uint(uint64(len(s))); e.b = append(e.b, s...) }
func (e *encoder) print(p uint32)  { e.b = binary.BigEndian.AppendUint32(e.b, p) }

// again is a string that is often the one before.
func (e *encoder) again(s string) {
	if s != "" && s == e.text {
		e.uint(1)
		return
	}
	n := uint64(len(s))
	if n > 0 {
		n++
	}
	e.uint(n)
	e.b, e.text = append(e.b, s...), s
}

// cycleKeys are the keys of cycles that stand in a state as a number.
var cycleKeys = [...]string{"all", "day", "week", "month", "quarter", "year"}

// cycle is the key of a cycle: its place in cycleKeys, or its length behind them and itself.
func (e *encoder) cycle(key string) {
	if i := slices.Index(cycleKeys[:], key); i >= 0 {
		e.uint(uint64(i))
		return
	}
	e.uint(uint64(len(cycleKeys) + len(key)))
	e.b = append(e.b, key...)
}

func (e *encoder) period(o calendar.Ordinal) {
	e.int(int64(o) - int64(e.ordinal))
	e.ordinal = o
}

// user encodes what is known of the user beside activities: nothing, mostly.
func (e *encoder) user(s *State) {
	var flags uint64
	set := func(on bool, f uint64) {
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
	set(s.Earnings != nil, stateEarnings)
	set(s.Expires != 0, stateExpires)
	set(len(s.Enrolments) > 0, stateEnrolments)
	set(s.Activities > 0, stateActivities)
	set(s.Ignored > 0, stateIgnored)
	set(s.Gifts > 0, stateGifts)
	e.uint(flags)
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
	if s.Expires != 0 {
		e.instant(s.Expires)
	}
	if len(s.Enrolments) > 0 {
		e.uint(uint64(len(s.Enrolments)))
		for _, m := range s.Enrolments {
			e.string(m.Group)
			e.instant(m.At)
		}
	}
	for _, n := range []uint64{s.Activities, s.Ignored, s.Gifts} {
		if n > 0 {
			e.uint(n)
		}
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
		e.cycle(c.Key)
		e.uint(uint64(len(c.Periods)))
		for rest := c.Periods; len(rest) > 0; {
			rest = e.stretch(rest)
		}
	}
}

// stretch encodes the first of the periods, as many as follow each other and have equal flags, and returns the others.
func (e *encoder) stretch(periods []PeriodTally) (rest []PeriodTally) {
	first, flags, n := periods[0].Ordinal, tallyFlags(&periods[0].Tally), 1
	follow := flags&tallySet == 0 && e.seen.follows(0, periods[0].Reached) // a set has instants of its own, after which another comes next
	for n < len(periods) && periods[n].Ordinal == first+calendar.Ordinal(n) && tallyFlags(&periods[n].Tally) == flags && (!follow || e.seen.follows(n, periods[n].Reached)) {
		n++
	}
	if follow = follow && n > 1; follow {
		flags |= tallyNext
	}
	e.period(first)
	e.uint(flags)
	if len(periods) > 1 {
		e.uint(uint64(n))
	}
	for i := range n {
		e.tally(&periods[i].Tally, follow)
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

// tally encodes what the flags do not say; of one that is next, not when it was reached.
func (e *encoder) tally(t *fold.Tally, next bool) {
	e.uint(uint64(t.Value ^ t.Value>>63))
	if next {
		e.last, e.seen.next = t.Reached, e.seen.next+1
	} else {
		e.instant(t.Reached)
	}
	if t.ID != "" {
		e.again(string(t.ID))
	}
	if len(t.Set) > 0 {
		e.uint(uint64(len(t.Set)))
		for _, d := range t.Set {
			e.string(d.Value)
			e.instant(d.First)
		}
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

// chunk is take from a room that grows by pieces.
func chunk[T any](room *[]T, n int) []T {
	if n > len(*room) {
		*room = make([]T, max(n, 16))
	}
	return take(room, n)
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
