package progress

import (
	"errors"
	"slices"
	"time"

	"laurel/internal/calendar"
	"laurel/streaks"
)

// Why a command for streaks is refused; nothing is changed then.
var (
	ErrStreakNotFound   = errors.New("org has no such streak rule")
	ErrNoRestore        = errors.New("streak rule has no restore window")
	ErrNothingToRestore = errors.New("no streak was lost")
	ErrRestoreExpired   = errors.New("streak was lost too long ago")
	ErrNoOwnTarget      = errors.New("streak rule lets no user choose a target")
	ErrTargetRange      = errors.New("target is outside what the streak rule allows")
	ErrPausePast        = errors.New("pause begins in the past")
	ErrPauseRange       = errors.New("pause ends before it begins, is too long, or too far ahead")
	ErrPauseOverlaps    = errors.New("pause overlaps another one")
	ErrPauseNotFound    = errors.New("user has no such pause")
	ErrPauseOver        = errors.New("pause is over")
	ErrTooManyCommands  = errors.New("too many commands for one user")
	ErrZoneChanges      = errors.New("too many changes of the user's zone")
)

// Limits of commands.
const (
	// MaxCommands bounds the pauses of a user, and the commands of each kind for one streak.
	MaxCommands = 1_000
	// MaxPause is how long a pause may be, and how far ahead it may begin, in days.
	MaxPause = 366
	// MaxZoneChanges is how often a user may change zones within ZoneWindow.
	MaxZoneChanges = 4
	ZoneWindow     = 24 * time.Hour
)

// with is a copy of the state whose commands can be added to: the state itself stays as it is.
func (s *State) with() *State {
	next := *s
	next.Pauses, next.Zones = slices.Clip(s.Pauses), slices.Clip(s.Zones)
	next.Streaks, next.Earnings = slices.Clone(s.Streaks), s.Earnings.with()
	for i := range next.Streaks {
		c := &next.Streaks[i].Commands
		c.Grants, c.Restores, c.Targets, c.OptOuts = slices.Clip(c.Grants), slices.Clip(c.Restores), slices.Clip(c.Targets), slices.Clip(c.OptOuts)
	}
	return &next
}

// streakRule is the place of a streak rule in the catalog.
func (p *Plan) streakRule(id string) (int, error) {
	i := slices.IndexFunc(p.calculi, func(c *streaks.Calculus) bool { return c.Rule.ID == id })
	if i < 0 {
		return 0, ErrStreakNotFound
	}
	return i, nil
}

// moment is the i-th streak of the plan as of now.
func (s *State) moment(p *Plan, i int, now calendar.Instant) (*streaks.Calculus, *StreakState, streaks.Moment) {
	c := p.Calculus(i, s)
	st := orNone(s.Streak(c.Rule.ID))
	return c, st, c.At(st.Sealed, st.Marks, st.latest(), now)
}

// GrantFreezes gives the user n freezes, as far as the rule's max allows; that is granted. The state with the command is returned, or s where nothing could be granted.
// ErrStreakNotFound, ErrTooManyCommands.
func (s *State) GrantFreezes(p *Plan, rule string, n int, now calendar.Instant) (next *State, granted int, err error) {
	i, err := p.streakRule(rule)
	if err != nil {
		return nil, 0, err
	}
	c, st, m := s.moment(p, i, now)
	granted = max(min(n, c.Rule.Freezes.Max-m.Held), 0)
	if granted == 0 {
		return s, 0, nil
	}
	if len(st.Commands.Grants) >= MaxCommands {
		return nil, 0, ErrTooManyCommands
	}
	next = s.with()
	own := &next.openStreak(c.Rule).Commands
	own.Grants = append(own.Grants, streaks.Grant{At: now, From: c.GrantedFrom(now, st.latest()), N: granted})
	return next, granted, nil
}

// RestoreStreak names the unmet periods between the streak that was lost last and the one that goes on now; reason is kept with it. ErrStreakNotFound, ErrNoRestore,
// ErrNothingToRestore, ErrRestoreExpired, ErrTooManyCommands.
func (s *State) RestoreStreak(p *Plan, rule, reason string, now calendar.Instant) (*State, error) {
	i, err := p.streakRule(rule)
	if err != nil {
		return nil, err
	}
	c, st, m := s.moment(p, i, now)
	switch {
	case c.Rule.Restore == 0:
		return nil, ErrNoRestore
	case m.Lost.Length == 0:
		return nil, ErrNothingToRestore
	case now-c.EndedAt(&m.Lost, st.latest()) > millis(c.Rule.Restore):
		return nil, ErrRestoreExpired
	case len(st.Commands.Restores) >= MaxCommands:
		return nil, ErrTooManyCommands
	}
	last := m.Open - 1
	if m.Run.Length > 0 {
		last = m.Run.First - 1
	}
	next := s.with()
	own := &next.openStreak(c.Rule).Commands
	own.Restores = append(own.Restores, streaks.Restore{At: now, First: m.Lost.Last + 1, Last: last, Reason: reason})
	return next, nil
}

// SetTarget sets the user's own target (scaled) from the next period on, or takes it back (nil). It returns s where nothing changes. ErrStreakNotFound, ErrNoOwnTarget,
// ErrTargetRange, ErrTooManyCommands.
func (s *State) SetTarget(p *Plan, rule string, n *int64, now calendar.Instant) (*State, error) {
	i, err := p.streakRule(rule)
	if err != nil {
		return nil, err
	}
	c, st, m := s.moment(p, i, now)
	if c.Rule.MaxTarget == 0 {
		return nil, ErrNoOwnTarget
	}
	set, had, at := int64(0), int64(0), now
	if n != nil {
		set = *n
		if set < c.Rule.Conditions[0].AtLeast || set > c.Rule.MaxTarget {
			return nil, ErrTargetRange
		}
	}
	if k := len(st.Commands.Targets); k > 0 {
		last := &st.Commands.Targets[k-1]
		had, at = last.N, max(now, last.At) // the clock of another node may be ahead: what is ordered last holds
	}
	switch {
	case set == had:
		return s, nil
	case len(st.Commands.Targets) >= MaxCommands:
		return nil, ErrTooManyCommands
	}
	next := s.with()
	own := &next.openStreak(c.Rule).Commands
	own.Targets = append(own.Targets, streaks.Target{At: at, From: max(m.Open, c.Zoning.Stamp(now, st.Latest.Offset)) + 1, N: set})
	return next, nil
}

// OptOut takes the user out of a streak, or in again. It returns s where nothing changes. ErrStreakNotFound, ErrTooManyCommands.
func (s *State) OptOut(p *Plan, rule string, out bool, now calendar.Instant) (*State, error) {
	i, err := p.streakRule(rule)
	if err != nil {
		return nil, err
	}
	c := p.Calculus(i, s)
	switch {
	case c.OptedOut() == out:
		return s, nil
	case len(c.Commands.OptOuts) >= MaxCommands:
		return nil, ErrTooManyCommands
	}
	next := s.with()
	own := &next.openStreak(c.Rule).Commands
	if k := len(own.OptOuts); k > 0 {
		now = max(now, own.OptOuts[k-1].At) // as of targets
	}
	own.OptOuts = append(own.OptOuts, streaks.OptOut{At: now, Out: out})
	return next, nil
}

// Today is the user's local date.
func (s *State) Today(p *Plan, now calendar.Instant) calendar.Date {
	cal := *p.cal
	if n := len(s.Zones); n > 0 {
		if loc := p.location(s.Zones[n-1].Name); loc != nil {
			cal = calendar.Calendar{Zone: loc, WeekStart: cal.WeekStart}
		}
	}
	return cal.DateAt(now)
}

// Pause adds a pause over local dates, both inclusive. It returns s and the pause that is there where there is the same one. ErrPausePast, ErrPauseRange, ErrPauseOverlaps, ErrTooManyCommands.
func (s *State) Pause(p *Plan, from, to calendar.Date, now calendar.Instant) (*State, streaks.Pause, error) {
	today := s.Today(p, now)
	if i := slices.IndexFunc(s.Pauses, func(x streaks.Pause) bool { return x.From == from && x.To == to && x.CutAt == 0 }); i >= 0 {
		return s, s.Pauses[i], nil
	}
	pause := streaks.Pause{ID: 1, At: now, From: from, To: to}
	switch {
	case from < today:
		return nil, pause, ErrPausePast
	case to < from || to-from >= MaxPause || from-today > MaxPause:
		return nil, pause, ErrPauseRange
	case len(s.Pauses) >= MaxCommands:
		return nil, pause, ErrTooManyCommands
	}
	for i := range s.Pauses {
		if x := &s.Pauses[i]; x.From <= to && from <= x.Until() {
			return nil, pause, ErrPauseOverlaps
		}
		pause.ID = max(pause.ID, s.Pauses[i].ID+1)
	}
	next := s.with()
	next.Pauses = append(next.Pauses, pause)
	return next, pause, nil
}

// Unpause ends a pause: one that runs keeps its days up to yesterday, one that has not begun is no more. Doing it again changes nothing: it returns s then.
// ErrPauseNotFound, ErrPauseOver.
func (s *State) Unpause(p *Plan, id uint32, now calendar.Instant) (*State, error) {
	i := slices.IndexFunc(s.Pauses, func(x streaks.Pause) bool { return x.ID == id })
	today := s.Today(p, now)
	switch {
	case i < 0:
		return nil, ErrPauseNotFound
	case s.Pauses[i].CutAt != 0:
		return s, nil
	case s.Pauses[i].To < today:
		return nil, ErrPauseOver
	}
	next := s.with()
	next.Pauses = slices.Clone(s.Pauses)
	next.Pauses[i].CutAt, next.Pauses[i].CutTo = now, today-1
	return next, nil
}

// Zone is the name of the user's zone, "" for one who named none.
func (s *State) Zone() string {
	if n := len(s.Zones); n > 0 {
		return s.Zones[n-1].Name
	}
	return ""
}

// ChangeZone makes a zone the user's from now on. It returns s where nothing changes. ErrZoneChanges after too many within ZoneWindow, ErrTooManyCommands.
func (s *State) ChangeZone(name string, now calendar.Instant) (*State, error) {
	n := len(s.Zones)
	switch {
	case s.Zone() == name:
		return s, nil
	case n >= MaxZoneChanges && s.Zones[n-MaxZoneChanges].At > now-millis(ZoneWindow):
		return nil, ErrZoneChanges
	case n >= MaxCommands:
		return nil, ErrTooManyCommands
	}
	next := s.with()
	at := now
	if n > 0 {
		at = max(at, s.Zones[n-1].At) // another node's clock may be ahead
	}
	next.Zones = append(next.Zones, ZoneChange{At: at, Name: name})
	return next, nil
}

// AsOf is a copy of the state that knows only the commands that were given up to an instant.
func (s *State) AsOf(at calendar.Instant) *State {
	then := s.with()
	then.Zones = slices.DeleteFunc(slices.Clone(s.Zones), func(z ZoneChange) bool { return z.At > at })
	then.Pauses = slices.DeleteFunc(slices.Clone(s.Pauses), func(x streaks.Pause) bool { return x.At > at })
	for i := range then.Pauses {
		if then.Pauses[i].CutAt > at {
			then.Pauses[i].CutAt, then.Pauses[i].CutTo = 0, 0
		}
	}
	for i := range then.Streaks {
		c := &then.Streaks[i].Commands
		c.Grants = slices.DeleteFunc(slices.Clone(c.Grants), func(g streaks.Grant) bool { return g.At > at })
		c.Restores = slices.DeleteFunc(slices.Clone(c.Restores), func(r streaks.Restore) bool { return r.At > at })
		c.Targets = slices.DeleteFunc(slices.Clone(c.Targets), func(t streaks.Target) bool { return t.At > at })
		c.OptOuts = slices.DeleteFunc(slices.Clone(c.OptOuts), func(o streaks.OptOut) bool { return o.At > at })
	}
	return then
}
