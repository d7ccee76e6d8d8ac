package oracle

import (
	"slices"
	"time"
)

// Streak is a streak rule.
type Streak struct {
	ID         string
	All        bool // conditions are joined by all; else by any
	Conditions []Condition
	MaxTarget  int64 // how high a user may raise the target of the one condition; 0: not at all
	Unit       Cycle
	ActiveDays []time.Weekday // nil: all
	Holidays   []time.Time    // UTC midnights
	Mode       string         // org, user, named, event
	Zone       *time.Location // named: that zone; user: of users without one (nil: the org's)
	DayStart   time.Duration
	Grace      time.Duration
	AtRisk     time.Duration
	Freezes    Freezes
	OnMiss     string // reset (also ""), none, decay
	Decay      int    // what a miss takes off the length: 1 or more
}

// Freezes says how a user comes by freezes: Initial ones, one more at each EarnEvery-th met period (0: never), Max at once.
type Freezes struct{ Initial, EarnEvery, Max int }

// Condition holds in a period where its fold is AtLeast (scaled) or more.
type Condition struct {
	Selector
	AtLeast int64
}

// Span is a streak, by the labels of its first and last met periods. The zero value is none.
type Span struct {
	Length      int // met periods, less what misses took off
	First, Last string
	Reached     time.Time // the at of the activity that met the last one
}

// Ended is a streak that ended, with the length that was lost, and when.
type Ended struct {
	Span
	At time.Time
}

// Period is one period of a streak.
type Period struct {
	Label, Status string // met, frozen, paused, restored, inactive, missed, open
	Values        []int64
	Target        int64 // of the first condition
	Met           bool
}

// View is a user's streak at an instant.
type View struct {
	Current, Longest         Span
	Total                    int
	State                    string // paused, frozen, broken, none, at_risk, active
	Zone                     string
	LastExtendedAt, Deadline time.Time
	History                  []Period // oldest first, at most 30; the last is the open one

	DiesAt     time.Time // the deadline with the freezes held, and the decays, counted
	Held, Used int       // freezes
	Past       []Ended   // all streaks that ended, oldest first
	Lost       Ended     // the last of them
	OptedOut   bool
}

// view is a computation of one View.
type view struct {
	*clockwork
	orders
	now     time.Time
	periods map[time.Time]*period // those for which any matching activity counts
	open    time.Time
	*walk
}

// Streak computes a user's streak as shown at now.
func (m *Model) Streak(s *Streak, user string, now time.Time) View {
	return m.view(s, user, m.known(user, s.ID, now), now).show()
}

func (m *Model) view(s *Streak, user string, known orders, now time.Time) *view {
	v := m.gathered(s, user, known)
	v.now = now
	v.open = v.openAt()
	v.walk = v.decide()
	return v
}

// gathered is a view that knows what counts for which period, and nothing that depends on now.
func (m *Model) gathered(s *Streak, user string, known orders) *view {
	activities := m.matching(s, user)
	v := &view{clockwork: m.clockwork(s, user, activities), orders: known}
	v.gather(activities)
	return v
}

// History is that of View without its limit: every existing period from the first with an activity to the open one. Of one who opted out it is the open one.
func (m *Model) History(s *Streak, user string, now time.Time) []Period {
	v := m.view(s, user, m.known(user, s.ID, now), now)
	if v.optedOut() {
		v.periods = nil
	}
	return v.history(1 << 20)
}

// openAt is the period that runs now, for event rules never before one with an activity, or the earliest before it that can still be met.
func (v *view) openAt() time.Time {
	running := v.runningAt(v.now)
	newest := v.newest()
	if v.rule.Mode == "event" && newest.After(running) {
		running = newest
	}
	open := running
	for p := v.before(running); !v.exists(p) || v.deadline(p).After(v.now); p = v.before(p) { // a date that was skipped ends with the one before
		over := v.rule.Mode == "event" && newest.After(p)
		if v.active(p) && !v.paused(p) && !v.metIn(p) && !over {
			open = p
		}
	}
	return open
}

// newest is the latest period with an activity, the zero time if there is none.
func (v *view) newest() time.Time {
	var newest time.Time
	for first := range v.periods {
		if first.After(newest) {
			newest = first
		}
	}
	return newest
}

func (v *view) show() View {
	out := View{Zone: v.zoneName(v.now)}
	if v.optedOut() {
		out.OptedOut, out.State = true, "none"
		idle := *v
		idle.periods = nil // as if nothing had been done
		out.History = []Period{idle.showPeriod(v.open)}
		return out
	}
	out.Current, out.Longest, out.Total, out.LastExtendedAt = v.current(), v.longest, v.total, v.extendedAt
	out.Held, out.Used, out.Past = v.held, v.used, v.past
	if n := len(v.past); n > 0 {
		out.Lost = v.past[n-1]
	}
	if v.runs && v.rule.OnMiss != "none" {
		out.Deadline, out.DiesAt = v.deadline(v.due()), v.diesAt()
	}
	out.History = v.history(30)
	out.State = v.state(&out)
	return out
}

// due is the next period that has to be met.
func (v *view) due() time.Time {
	if v.active(v.open) && !v.metIn(v.open) && !v.paused(v.open) {
		return v.open
	}
	return v.dueAfter(v.open)
}

func (v *view) dueAfter(first time.Time) time.Time {
	for first = v.activeAfter(first); v.paused(first); first = v.activeAfter(first) {
	}
	return first
}

// diesAt misses one period after the other until the streak ends.
func (v *view) diesAt() time.Time {
	held, length := v.held, v.length
	for p := v.due(); ; p = v.dueAfter(p) {
		switch {
		case held > 0:
			held--
		case v.rule.OnMiss == "decay" && length > v.rule.Decay:
			length -= v.rule.Decay
		default:
			return v.deadline(p)
		}
	}
}

// history lists existing periods from the first with an activity to the open one, so many dates of them at most.
func (v *view) history(most int) []Period {
	first := v.open
	for p := range v.periods {
		if p.Before(first) {
			first = p
		}
	}
	var all []Period
	n := 0
	for p := v.open; !p.Before(first) && n < most; p = v.before(p) {
		n++
		if !p.Equal(v.open) && !v.exists(p) {
			continue
		}
		all = append(all, v.showPeriod(p))
	}
	slices.Reverse(all)
	return all
}

func (v *view) showPeriod(first time.Time) Period {
	p := Period{Label: v.label(first), Values: make([]int64, len(v.rule.Conditions)), Target: v.target(0, first), Met: v.metIn(first)}
	if had := v.periods[first]; had != nil {
		copy(p.Values, had.values)
	}
	switch {
	case !v.active(first):
		p.Status = "inactive"
	case p.Met:
		p.Status = "met"
	case v.paused(first):
		p.Status = "paused"
	case first.Equal(v.open):
		p.Status = "open"
	case v.bridged[first] != "":
		p.Status = v.bridged[first]
	default:
		p.Status = "missed"
	}
	return p
}

func (v *view) state(out *View) string {
	unmet := !v.metIn(v.open)
	switch {
	case v.paused(v.open):
		return "paused"
	case unmet && v.bridged[v.activeBefore(v.open)] == "frozen":
		return "frozen"
	case !v.runs && v.total > 0:
		return "broken"
	case !v.runs:
		return "none"
	case v.rule.AtRisk > 0 && unmet && !out.Deadline.IsZero() && out.Deadline.Sub(v.now) <= v.rule.AtRisk:
		return "at_risk"
	}
	return "active"
}
