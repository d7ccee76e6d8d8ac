package streaks

import (
	"math"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
)

// Mark is what a user did in one period.
type Mark struct {
	Ordinal calendar.Ordinal
	// Summed says that the Sum beside the marks has the period already: the mark is kept to be shown. Summed marks come first.
	Summed bool
	// Values are the values of the rule's conditions, scaled, in their order.
	Values []int64
	// Met says that the condition holds, MetAt is the at of the activity that met it, in (at, id) order; it is not kept where Summed.
	Met   bool
	MetAt calendar.Instant
}

// Run is an unbroken row of met periods. The zero value is no run.
type Run struct {
	First, Last calendar.Ordinal
	Length      int              // met active periods, less what decayed
	Reached     calendar.Instant // the at that brought the length: MetAt of Last
}

// Ended is a run that ended, with the miss of a period.
type Ended struct {
	Run
	Missed calendar.Ordinal
}

// Bridge is a period that was not met and did not end the run.
type Bridge struct {
	Ordinal calendar.Ordinal
	Status  PeriodStatus // Frozen or Restored
}

// Sum is what deciding periods in order has come to. The zero value is that of no period. Stored, it sums up the first marks of a streak, up to a met one; what
// follows is decided on.
type Sum struct {
	Total   int // periods met
	Longest Run // the earliest of the longest
	Run     Run // the one that goes on, Length 0 for none
	Met     int // met periods of it: its length before anything decayed
	Lost    Ended
	Begun   bool // there was an activity
	Grants  int  // how many of the grants have been given
	// Held freezes are there to be spent, Used ones were and did not come back, Earned ones came with met periods.
	Held, Used, Earned int
	// Bridged are the periods that are frozen or restored, in order; of the first ones they may have been forgotten.
	Bridged []Bridge

	gap    int  // freezes spent since the last met period
	frozen bool // the last required period was covered by one
}

// walk decides periods in order.
type walk struct {
	*Calculus
	Sum
	next   calendar.Ordinal // the first that is not decided, while a run goes on
	offset int16
	// step, if not nil, gets what the decision on a period did: on one that was met, or one that was missed.
	step func(o calendar.Ordinal, was, is Sum)
}

func (c *Calculus) walkFrom(s Sum, offset int16) walk {
	s.Bridged = slices.Clip(s.Bridged) // the caller's stay as they are
	return walk{Calculus: c, Sum: s, next: s.Run.Last + 1, offset: offset}
}

// Add sums up more marks, which come after those of s and in order of Ordinal.
func (c *Calculus) Add(s Sum, marks []Mark, latest Latest) Sum {
	w := c.walkFrom(s, latest.offset())
	for i := range marks {
		w.mark(&marks[i])
	}
	return w.Sum
}

// until decides everything before the open period, and that one if it is met.
func (w *walk) until(marks []Mark, open calendar.Ordinal) {
	if len(marks) > 0 {
		w.begin()
	}
	for i := range marks {
		if m := &marks[i]; m.Ordinal > open {
			break
		} else if !m.Summed {
			w.mark(m)
		}
	}
	w.misses(open)
	w.give(math.MaxInt32)
}

// begin gives the freezes of the first activity.
func (w *walk) begin() {
	if !w.Begun {
		w.Begun = true
		w.hold(w.Rule.Freezes.Initial)
	}
}

func (w *walk) mark(m *Mark) {
	w.begin()
	if !m.Met || !w.active(m.Ordinal) { // a period with an activity exists
		return
	}
	w.misses(m.Ordinal)
	if w.step == nil {
		w.meet(m)
		return
	}
	was := w.Sum
	w.meet(m)
	w.step(m.Ordinal, was, w.Sum)
}

func (w *walk) meet(m *Mark) {
	w.next = m.Ordinal + 1
	w.gap, w.frozen = 0, false
	if w.Run.Length == 0 {
		w.Run, w.Met = Run{First: m.Ordinal}, 0
	}
	w.Total++
	w.Met++
	w.Run.Length++
	w.Run.Last, w.Run.Reached = m.Ordinal, m.MetAt
	if w.Run.Length > w.Longest.Length {
		w.Longest = w.Run
	}
	if n := w.Rule.Freezes.EarnEvery; n > 0 && w.Met%n == 0 {
		w.give(m.Ordinal)
		w.Earned += w.hold(1)
	}
}

// misses decides the periods before a period. Without a run, or where misses do nothing, there is nothing to decide.
func (w *walk) misses(before calendar.Ordinal) {
	if w.Rule.OnMiss == catalog.None && len(w.Commands.Restores) == 0 {
		return
	}
	for ; w.Run.Length > 0 && w.next < before; w.next++ {
		if !w.required(w.next) {
			continue
		}
		if w.step == nil {
			w.miss(w.next)
			continue
		}
		was := w.Sum
		w.miss(w.next)
		w.step(w.next, was, w.Sum)
	}
}

func (w *walk) miss(o calendar.Ordinal) {
	w.frozen = false
	switch {
	case w.paused(o, w.offset):
		return
	case w.restored(o):
		w.Bridged = append(w.Bridged, Bridge{o, Restored})
		return
	case w.Rule.OnMiss == catalog.None:
		return
	}
	w.give(o)
	switch {
	case w.Held > 0:
		w.Held, w.Used, w.gap, w.frozen = w.Held-1, w.Used+1, w.gap+1, true
		w.Bridged = append(w.Bridged, Bridge{o, Frozen})
	case w.Rule.OnMiss == catalog.Decay && w.Run.Length > w.Rule.Decay:
		w.Run.Length -= w.Rule.Decay
	default:
		w.end(o)
	}
}

// end ends the run with a miss that nothing covers. The freezes of the gap come back.
func (w *walk) end(o calendar.Ordinal) {
	last := w.Run.Last
	w.Bridged = slices.DeleteFunc(w.Bridged, func(b Bridge) bool { return b.Ordinal > last && b.Status == Frozen })
	w.Lost = Ended{w.Run, o}
	w.Used -= w.hold(w.gap)
	w.Run, w.Met, w.gap = Run{}, 0, 0
}

// give gives the freezes that were granted while the period could still be met.
func (w *walk) give(until calendar.Ordinal) {
	for w.Grants < len(w.Commands.Grants) && w.Commands.Grants[w.Grants].From <= until {
		w.hold(w.Commands.Grants[w.Grants].N)
		w.Grants++
	}
}

// hold adds n freezes, as far as they stay within the rule's max, and returns how many did.
func (w *walk) hold(n int) int {
	n = max(min(n, w.Rule.Freezes.Max-w.Held), 0)
	w.Held += n
	return n
}
