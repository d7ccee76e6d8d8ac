package rewards

import (
	"cmp"
	"slices"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
)

// The kinds of definitions that are derived.
const (
	wallets      catalog.Kind = "wallets"
	levels       catalog.Kind = "levels"
	achievements catalog.Kind = "achievements"
	missions     catalog.Kind = "missions"
)

// Calculus derives what an org's users have earned.
type Calculus struct {
	earning  *catalog.Earning
	calendar *calendar.Calendar
	// What of a definition no activity gives an instant for, so that it is noted: the completion of an achievement, that all needs of a mission hold, and its start.
	achievements, held, starts []bool
	// begins says of which achievements no instant is known at which they began.
	begins []bool
}

// New returns the calculus of definitions in an org's calendar. Definitions must be valid, and Order complete.
func New(e *catalog.Earning, c *calendar.Calendar) *Calculus {
	x := &Calculus{
		earning: e, calendar: c,
		achievements: make([]bool, len(e.Achievements)), begins: make([]bool, len(e.Achievements)),
		held: make([]bool, len(e.Missions)), starts: make([]bool, len(e.Missions)),
	}
	for _, d := range e.Order {
		switch d.Kind {
		case achievements:
			for _, k := range e.Achievements[d.Index].Criteria {
				of := k.Kind == catalog.OfAchievement
				x.achievements[d.Index] = x.achievements[d.Index] || k.Kind != catalog.OfActivities && !(of && !x.achievements[k.Of])
				x.begins[d.Index] = x.begins[d.Index] || k.Kind == catalog.OfStreak || of && x.begins[k.Of]
			}
		case missions:
			m := e.Missions[d.Index]
			for _, n := range m.Needs {
				of := n.Kind == catalog.OfAchievement
				x.held[d.Index] = x.held[d.Index] || !of
				x.starts[d.Index] = x.starts[d.Index] || !m.Required && of && x.begins[n.Of]
			}
		}
	}
	return x
}

// Gives is what a completion gives.
func (c *Calculus) Gives(of catalog.Derived) *catalog.Gives {
	if of.Kind == missions {
		return &c.earning.Missions[of.Index].Gives
	}
	return &c.earning.Achievements[of.Index].Gives
}

// Derive makes v the view of u at now. What holds without an instant that an activity gives, and without a noted one, is taken to have come true at noticed: the at of the latest
// activity of a commit, or the instant of what time brought; readers give now.
func (c *Calculus) Derive(v *View, u *User, now, noticed calendar.Instant) {
	d := deriver{Calculus: c, view: v, user: u, now: now, noticed: max(noticed, 1)}
	v.Completions, v.parts, v.Stale, v.Err = v.Completions[:0], v.parts[:0], false, nil
	v.Wallets = resize(v.Wallets, len(c.earning.Wallets))
	v.Levels = resize(v.Levels, len(c.earning.Levels))
	v.Achievements = resize(v.Achievements, len(c.earning.Achievements))
	v.Missions = resize(v.Missions, len(c.earning.Missions))
	for i := range v.Wallets {
		d.openWallet(i)
	}
	for _, o := range c.earning.Order {
		switch o.Kind {
		case wallets:
			d.wallet(o.Index)
		case levels:
			d.level(o.Index)
		case achievements:
			d.achievement(o.Index)
		case missions:
			d.mission(o.Index)
		}
	}
}

// resize returns a list of n elements in the memory of another, whose elements stay for the memory that they hold.
func resize[T any](list []T, n int) []T {
	if n > cap(list) {
		list = append(list[:cap(list)], make([]T, n-cap(list))...)
	}
	return list[:n]
}

// deriver is one Derive.
type deriver struct {
	*Calculus
	view         *View
	user         *User
	now, noticed calendar.Instant
	current      [calendar.All + 1]struct {
		ordinal calendar.Ordinal
		known   bool
	}
}

// today is the current period of a unit, day to all.
func (d *deriver) today(u calendar.Unit) calendar.Ordinal {
	if u == calendar.All {
		return 0
	}
	t := &d.current[u]
	if !t.known {
		t.ordinal, t.known = d.calendar.OrdinalOf(calendar.Cycle{Unit: u}, d.calendar.DateAt(d.now)), true
	}
	return t.ordinal
}

// exact returns n, or the nearest number to it that is in range.
func (d *deriver) exact(n int64) int64 {
	if in := min(max(n, -catalog.MaxExact), catalog.MaxExact); in != n {
		d.view.Err = fold.ErrRange
		return in
	}
	return n
}

// openWallet begins with the rows of the ledger; completions add theirs, as they come before the wallet in the order.
func (d *deriver) openWallet(i int) {
	l, w := or(d.user.Ledgers, i, &Ledger{}), &d.view.Wallets[i]
	*w = Wallet{Sums: l.Sums, Categories: l.Categories, First: l.First, Lots: w.Lots[:0], given: w.given[:0]}
}

func (d *deriver) wallet(i int) {
	def, w := d.earning.Wallets[i], &d.view.Wallets[i]
	if def.Expires > 0 {
		l, today := or(d.user.Ledgers, i, &Ledger{}), d.today(def.Lots)
		var x walk
		x.begin(def, &l.Carry, w.Lots)
		x.today = today
		w.given = inOrder(w.given)
		x.units(l.Units, w.given)
		x.end(today)
		w.Lots, w.Owed, w.Expired = x.left(), x.owed, d.exact(x.expired)
		w.ending, w.ends = x.ahead, x.isAhead
		if !w.ends && len(w.Lots) > 0 {
			w.ending, w.ends = w.Lots[0].Ordinal, true
		}
	}
	w.Earned = d.exact(w.Earned)
	for k := range w.Categories {
		w.Categories[k] = d.exact(w.Categories[k])
	}
	w.Balance = d.exact(w.net() - w.Expired)
}

// inOrder sorts what completions gave, and makes one of those of the same unit.
func inOrder(given []Unit) []Unit {
	slices.SortFunc(given, func(x, y Unit) int { return cmp.Compare(x.Ordinal, y.Ordinal) })
	n := 0
	for i, u := range given {
		if i > 0 && given[n-1].Ordinal == u.Ordinal {
			given[n-1].In += u.In
			continue
		}
		given[n] = u
		n++
	}
	return given[:n]
}

// complete takes down a completion and gives its points.
func (d *deriver) complete(of catalog.Derived, gives *catalog.Gives, period calendar.Ordinal, at calendar.Instant) {
	d.view.Completions = append(d.view.Completions, Completion{of, period, at})
	for _, p := range gives.Points {
		w, def := &d.view.Wallets[p.Wallet], d.earning.Wallets[p.Wallet]
		if w.Earned == 0 || at < w.First {
			w.First = at
		}
		w.Earned += p.Amount
		if p.Category != catalog.NoCategory {
			w.Categories[p.Category-1] += p.Amount
		}
		if def.Expires > 0 {
			unit := UnitAt(def, d.calendar, at)
			if p.Wallet < len(d.user.Ledgers) {
				unit = max(unit, d.user.Ledgers[p.Wallet].Carry.floor())
			}
			w.given = append(w.given, Unit{Ordinal: unit, In: p.Amount})
		}
	}
}

func (d *deriver) level(i int) {
	def, l := d.earning.Levels[i], &d.view.Levels[i]
	earned := d.view.Wallets[def.Wallet].Earned
	*l = Level{}
	for l.Index < len(def.Steps) && def.Steps[l.Index].At <= earned {
		l.Index++
	}
	if l.Index < len(def.Steps) {
		l.Missing = def.Steps[l.Index].At - earned
	}
}
