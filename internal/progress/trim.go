package progress

import (
	"slices"
	"time"

	"laurel/internal/calendar"
	"laurel/streaks"
)

// keptMarks is how long a streak's period stays as it is in the state after it has ended. A later activity for it is decided by the log.
const keptMarks = 7 * 24 * time.Hour

// keptShown is how many periods back from the latest mark the summed marks are kept: as many as a view shows, and one for an open period before it.
const keptShown = streaks.HistoryLen + 1

// trimStreak sums up the marks of the i-th streak rule whose periods ended long ago: what they give is in Sealed from then on, and all that is kept of a mark is what
// a view shows of it, as far back as it does. The latest mark stays as it is: history that is imported in order never needs the log.
func (a *applier) trimStreak(i int, st *StreakState) {
	c := a.calculus(i)
	n := len(a.plan.Catalog.Streaks[i].Conditions)
	first := st.summed()
	end := first
	for end < len(st.Marks)-1 && c.Decided(st.Marks[end].Ordinal, westmost) <= a.now-millis(keptMarks) {
		end++
	}
	if end > first {
		st.sumUp(c, n, end)
	}
	if st.Warned.Some && c.Decided(st.Warned.Period, westmost) <= a.now-millis(keptMarks) {
		st.Warned = Warning{}
	}
}

// sumUp sums up the marks before end, of a rule that has n conditions, and drops those that no view shows.
func (st *StreakState) sumUp(c *streaks.Calculus, n, end int) {
	first := st.summed()
	if end > first {
		st.sumMarks(c, n, first, end)
	}
	// Of those that are too old to be shown the last one stays: it tells that the user was there before.
	shown := st.Marks[len(st.Marks)-1].Ordinal - keptShown
	gone := 0
	for gone+1 < max(first, end) && st.Marks[gone+1].Ordinal <= shown {
		gone++
	}
	st.Marks = slices.Delete(st.Marks, 0, gone)
	st.Sealed.Bridged = slices.DeleteFunc(slices.Clone(st.Sealed.Bridged), func(b streaks.Bridge) bool { return b.Ordinal <= shown })
}

func (st *StreakState) sumMarks(c *streaks.Calculus, n, first, end int) {
	st.Sealed = c.Add(st.Sealed, st.Marks[first:end], st.latest())
	for j := first; j < end; j++ {
		m := &st.Marks[j]
		m.Summed, m.MetAt = true, 0
	}
	st.Conditions = slices.Delete(st.Conditions, 0, (end-first)*n)
}

// summedAs is a copy in which also the periods are summed up that are in another state of the same streak.
func (st *StreakState) summedAs(other *StreakState, c *streaks.Calculus, n int) *StreakState {
	out := *st
	if len(st.Marks) == 0 {
		return &out
	}
	out.Marks, out.Conditions = slices.Clone(st.Marks), slices.Clone(st.Conditions)
	end := 0
	for end < len(out.Marks)-1 && other.isSummed(out.Marks[end].Ordinal) {
		end++
	}
	out.sumUp(c, n, end)
	return &out
}

// summed is how many of the marks are summed up.
func (st *StreakState) summed() int {
	n := 0
	for n < len(st.Marks) && st.Marks[n].Summed {
		n++
	}
	return n
}

// isSummed says whether period o lies among those that are summed up: what an activity changes there, the state alone cannot tell.
func (st *StreakState) isSummed(o calendar.Ordinal) bool {
	n := st.summed()
	return n > 0 && o <= st.Marks[n-1].Ordinal
}

// conditions are those of a mark that is not summed up, of a rule that has n.
func (st *StreakState) conditions(mark, n int) []Condition {
	at := (mark - st.summed()) * n
	return st.Conditions[at : at+n]
}
