package progress

import "laurel/streaks"

// Flags of an encoded streak: what it has beside a length.
const (
	streakLongest  uint64 = 1 << iota // the longest run is not the one that goes on
	streakLost                        // a run ended
	streakFreezes                     // there are freezes, or were
	streakDecayed                     // the run is shorter than what was met
	streakBridged                     // periods were bridged
	streakCommands                    // something was ordered
	streakUnbegun                     // there was no activity
	streakWarned                      // it was told that it is at risk
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

func (e *encoder) streak(st *StreakState) {
	e.string(st.ID)
	e.print(st.Print)
	e.print(st.Terms)
	e.instant(st.Latest.At)
	e.again(string(st.Latest.ID))
	e.int(int64(st.Latest.Offset))
	e.sum(st)
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
func (e *encoder) sum(st *StreakState) {
	s, c := &st.Sealed, &st.Commands
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
	set(st.Warned.Some, streakWarned)
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
	if flags&streakWarned != 0 {
		e.period(st.Warned.Period)
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
	e.tally(&c.Tally, false)
	if c.Met && c.MetAt != c.Reached {
		e.instant(c.MetAt)
	}
	if c.LastAt != c.Reached {
		e.instant(c.LastAt)
	}
}
