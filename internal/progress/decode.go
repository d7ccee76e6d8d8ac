package progress

import (
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/fold"
	"laurel/streaks"
)

// decoder takes an encoded state apart; after a fault it yields zeros and bad is set.
type decoder struct {
	s       string
	room    room
	format  byte
	bad     bool
	last    calendar.Instant
	ordinal calendar.Ordinal
	text    string
	seen    seen
	// periods and criteria are rooms for achievements.
	periods  []calendar.Ordinal
	criteria []Condition
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

func (d *decoder) again() string {
	if d.format < stateFormat {
		return d.string()
	}
	n := d.uint()
	if n == 1 {
		return d.text
	}
	if n > 0 {
		n--
	}
	d.text = d.cut(n)
	return d.text
}

func (d *decoder) cycle() string {
	if d.format < stateFormat {
		return d.string()
	}
	n := d.uint()
	if n < uint64(len(cycleKeys)) {
		return cycleKeys[n]
	}
	return d.cut(n - uint64(len(cycleKeys)))
}

// cut takes n bytes.
func (d *decoder) cut(n uint64) string {
	if n > uint64(len(d.s)) {
		d.bad, d.s = true, ""
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) period() calendar.Ordinal {
	d.ordinal += calendar.Ordinal(d.int())
	return d.ordinal
}

// user returns whether something was earned, which comes last.
func (d *decoder) user(s *State) (earned bool) {
	flags := d.uint()
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
	if flags&stateTold != 0 {
		s.Told = d.instant()
	}
	if flags&statePauses != 0 {
		s.Pauses = make([]streaks.Pause, d.count())
		for i := range s.Pauses {
			d.pause(&s.Pauses[i])
		}
	}
	if flags&stateExpires != 0 {
		s.Expires = d.instant()
	}
	if flags&stateEnrolments != 0 {
		s.Enrolments = make([]Enrolment, d.count())
		for i := range s.Enrolments {
			s.Enrolments[i] = Enrolment{Group: d.string(), At: d.instant()}
		}
	}
	if flags&stateActivities != 0 {
		s.Activities = d.uint()
	}
	if flags&stateIgnored != 0 {
		s.Ignored = d.uint()
	}
	if flags&stateGifts != 0 {
		s.Gifts = d.uint()
	}
	return flags&stateEarnings != 0
}

func (d *decoder) pause(p *streaks.Pause) {
	p.ID = uint32(d.uint())
	p.At = d.instant()
	p.From, p.To = calendar.Date(d.period()), calendar.Date(d.period())
	if d.bool() {
		p.CutAt, p.CutTo = d.instant(), calendar.Date(d.period())
	}
}

func (d *decoder) bool() bool { return d.byte() != 0 }

// print is a fingerprint.
func (d *decoder) print() uint32 {
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
		c.Key = d.cycle()
		c.Periods = take(&d.room.periods, d.count())
		for rest := c.Periods; len(rest) > 0; {
			rest = d.stretch(rest)
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
	if flags&tallyNext == 0 {
		t.Reached = d.instant()
	} else {
		d.referred(0)
		t.Reached = d.last
	}
	if flags&tallyID != 0 {
		t.ID = activity.ID(d.again())
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
	if d.format != stateFormat3 {
		st.Terms = d.print()
	}
	st.Latest.At = d.instant()
	st.Latest.ID = activity.ID(d.again())
	st.Latest.Offset = int16(d.int())
	if d.format == stateFormat3 {
		d.sum3(&st.Sealed)
	} else {
		d.sum(st)
	}
	st.Shown.Current = d.standing()
	st.Shown.Longest = d.standing()
	if marks := d.count(); marks > 0 {
		d.marks(st, marks)
	}
}

func (d *decoder) sum(st *StreakState) {
	s, c := &st.Sealed, &st.Commands
	flags := d.uint()
	s.Begun = flags&streakUnbegun == 0
	s.Total = int(d.uint())
	d.run(&s.Run)
	if s.Longest = s.Run; flags&streakLongest != 0 {
		s.Longest = streaks.Run{}
		d.run(&s.Longest)
	}
	if flags&streakLost != 0 {
		d.run(&s.Lost.Run)
		s.Lost.Missed = d.period()
	}
	if flags&streakFreezes != 0 {
		for _, n := range [...]*int{&s.Held, &s.Used, &s.Earned, &s.Grants} {
			*n = int(d.uint())
		}
	}
	if s.Met = s.Run.Length; flags&streakDecayed != 0 {
		s.Met = int(d.uint())
	}
	if flags&streakBridged != 0 {
		s.Bridged = make([]streaks.Bridge, d.count())
		for i := range s.Bridged {
			s.Bridged[i] = streaks.Bridge{Ordinal: d.period(), Status: streaks.Restored}
			if d.bool() {
				s.Bridged[i].Status = streaks.Frozen
			}
		}
	}
	if flags&streakCommands != 0 {
		d.commands(c)
	}
	if flags&streakWarned != 0 {
		st.Warned = Warning{true, d.period()}
	}
}

// sum3 is that of format 3, in which the run was the last one, whether or not it went on.
func (d *decoder) sum3(s *streaks.Sum) {
	s.Total = int(d.uint())
	d.run(&s.Longest)
	d.run(&s.Run)
	s.Met, s.Begun = s.Run.Length, s.Total > 0
}

func (d *decoder) commands(c *streaks.Commands) {
	c.Grants = make([]streaks.Grant, d.count())
	for i := range c.Grants {
		c.Grants[i] = streaks.Grant{At: d.instant(), From: d.period(), N: int(d.uint())}
	}
	c.Restores = make([]streaks.Restore, d.count())
	for i := range c.Restores {
		c.Restores[i] = streaks.Restore{At: d.instant(), First: d.period(), Last: d.period(), Reason: d.string()}
	}
	c.Targets = make([]streaks.Target, d.count())
	for i := range c.Targets {
		c.Targets[i] = streaks.Target{At: d.instant(), From: d.period(), N: d.int()}
	}
	c.OptOuts = make([]streaks.OptOut, d.count())
	for i := range c.OptOuts {
		c.OptOuts[i] = streaks.OptOut{At: d.instant(), Out: d.bool()}
	}
}

func (d *decoder) marks(st *StreakState, marks int) {
	summed := d.count()
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
		d.mark(m, conditions)
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
