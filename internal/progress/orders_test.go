package progress_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/testenv"
	"laurel/streaks"
)

// vary gives the catalog's streaks and the model's the same random terms. Only at first may they touch what is folded.
func (u *user) vary(first bool) {
	t := u.t
	varied := *u.catalog
	varied.Streaks = slices.Clone(u.catalog.Streaks)
	for i := range varied.Streaks {
		r, m := *varied.Streaks[i], &u.streaks[i]
		if first && rapid.IntRange(0, 2).Draw(t, "gracious") == 0 {
			r.Grace = time.Duration(rapid.SampledFrom([]int{2, 9, 20}).Draw(t, "grace")) * time.Hour
			m.Grace = r.Grace
		}
		if first && len(r.Conditions) == 1 {
			r.MaxTarget = rapid.Int64Range(0, 3).Draw(t, "max target")
			m.MaxTarget = r.MaxTarget
		}
		r.AtRisk = rapid.SampledFrom([]time.Duration{0, 5 * time.Hour, 22 * time.Hour}).Draw(t, "lead")
		r.Freezes = catalog.Freezes{Max: rapid.IntRange(0, 3).Draw(t, "max"), EarnEvery: rapid.IntRange(0, 3).Draw(t, "earn every")}
		r.Freezes.Initial = rapid.IntRange(0, r.Freezes.Max).Draw(t, "initial")
		r.OnMiss = rapid.SampledFrom([]catalog.OnMiss{catalog.Reset, catalog.Reset, catalog.Decay, catalog.None}).Draw(t, "on miss")
		r.Decay, r.Restore = rapid.IntRange(1, 2).Draw(t, "decay"), rapid.SampledFrom([]time.Duration{0, 100 * time.Hour, 1000 * time.Hour}).Draw(t, "window")
		r.Milestones = []catalog.Milestone{{At: 2}, {Every: 3, OncePerRun: true}}
		if first && r.Unit.Unit == calendar.Day { // with grace they decide what an activity counts for
			day := u.now.AddDate(0, 0, rapid.IntRange(0, 9).Draw(t, "holiday")).Truncate(24 * time.Hour)
			r.Holidays, m.Holidays = []calendar.Date{calendar.DateOf(day.Date())}, []time.Time{day}
		}
		u.terms++
		r.Terms = u.terms
		if first {
			r.Print += u.terms
		}
		m.AtRisk, m.Freezes, m.Decay = r.AtRisk, oracle.Freezes(r.Freezes), r.Decay
		m.OnMiss = map[catalog.OnMiss]string{catalog.Reset: "reset", catalog.Decay: "decay", catalog.None: "none"}[r.OnMiss]
		varied.Streaks[i] = &r
	}
	u.catalog = &varied
	u.replan()
}

func (u *user) replan() { u.plan = progress.NewPlanOf(u.catalog, nil, u.outages) }

// redefine changes the terms of the streaks in the middle of a life.
func (u *user) redefine() {
	u.sweep()
	u.vary(false)
	u.apart() // what a definition changes is no news
	u.rebuild()
}

// outage declares an outage, or takes one back.
func (u *user) outage() {
	u.sweep()
	open := slices.IndexFunc(u.outages, func(o streaks.Outage) bool { return o.RemoveAt == 0 })
	if open >= 0 && rapid.Bool().Draw(u.t, "take back") && u.unsealed(u.model.Outages[open].From) {
		u.outages = slices.Clone(u.outages)
		u.outages[open].RemoveAt, u.model.Outages[open].RemovedAt = u.instant(), u.now
	} else {
		from := u.now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(u.t, "ago")) * time.Hour)
		if !u.unsealed(from) {
			return
		}
		to := from.Add(time.Duration(rapid.IntRange(1, 50).Draw(u.t, "long")) * time.Hour)
		u.outages = append(slices.Clip(u.outages), streaks.Outage{ID: fmt.Sprint(len(u.outages)), At: u.instant(), From: calendar.InstantOf(from), To: calendar.InstantOf(to)})
		u.model.Outages = append(u.model.Outages, oracle.Outage{At: u.now, From: from, To: to})
	}
	u.replan()
	u.apart() // as a definition
	u.rebuild()
}

func (u *user) unsealed(at time.Time) bool { return !at.Before(u.sealed) }

// order gives a command to the state and, as it was decided, to the model.
func (u *user) order() {
	s := u.parse(u.state)
	if s.Plan == 0 { // such a user does not exist
		return
	}
	i := rapid.IntRange(0, len(u.streaks)-1).Draw(u.t, "commanded")
	rule := u.streaks[i].ID
	var next *progress.State
	var err error
	why := progress.Doing
	switch rapid.IntRange(0, 7).Draw(u.t, "order") {
	case 7:
		u.start()
		return
	case 0:
		next, _, err = s.GrantFreezes(u.plan, rule, rapid.IntRange(1, 3).Draw(u.t, "granted"), u.instant())
	case 1, 2:
		next, err = s.RestoreStreak(u.plan, rule, "", u.instant())
		u.wants(err, u.restorable(i))
		why = progress.Restoring
	case 3:
		var target *int64
		if n := rapid.Int64Range(0, 3).Draw(u.t, "own"); n > 0 {
			target = &n
		}
		next, err = s.SetTarget(u.plan, rule, target, u.instant())
	case 4:
		next, err = s.OptOut(u.plan, rule, rapid.IntRange(0, 2).Draw(u.t, "out") == 0, u.instant())
		u.apart()
	case 5:
		today := s.Today(u.plan, u.instant())
		from := today + calendar.Date(rapid.IntRange(0, 2).Draw(u.t, "from"))
		next, _, err = s.Pause(u.plan, from, from+calendar.Date(rapid.IntRange(0, 3).Draw(u.t, "dates")), u.instant())
	case 6:
		next, err = s.Unpause(u.plan, uint32(rapid.IntRange(1, 3).Draw(u.t, "pause")), u.instant())
	}
	if err != nil || next == s {
		u.refused(err)
		return
	}
	testenv.GiveCommands(u.model, "u", u.plan, next)
	u.rebuildFrom(next, why)
}

// restorable is what RestoreStreak answers by what the model shows.
func (u *user) restorable(i int) error {
	v := u.model.Streak(&u.streaks[i], "u", u.now)
	if v.OptedOut {
		return u.optedOutRestore(i)
	}
	window := u.catalog.Streaks[i].Restore
	switch {
	case window == 0:
		return progress.ErrNoRestore
	case v.Lost.Length == 0:
		return progress.ErrNothingToRestore
	case u.now.Sub(v.Lost.At) > window:
		return progress.ErrRestoreExpired
	}
	return nil
}

// optedOutRestore is that for a user who opted out: the streak that is not shown can be restored.
func (u *user) optedOutRestore(i int) error {
	rule := u.streaks[i].ID
	c := u.model.Commands("u", rule)
	outs := c.OptOuts
	c.OptOuts = nil
	defer func() { c.OptOuts = outs }()
	return u.restorable(i)
}

func (u *user) wants(err, want error) {
	if !errors.Is(err, want) {
		u.fatalf("%v, want %v", err, want)
	}
}

// refused fails for an error that a command cannot have here.
func (u *user) refused(err error) {
	known := []error{nil, progress.ErrNoRestore, progress.ErrNothingToRestore, progress.ErrRestoreExpired, progress.ErrNoOwnTarget, progress.ErrTargetRange,
		progress.ErrPauseOverlaps, progress.ErrPauseNotFound, progress.ErrPauseOver, progress.ErrZoneChanges}
	if !slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) }) {
		u.fatalf("refused: %v", err)
	}
}

// sweep decides the user to whom nothing happens but time.
func (u *user) sweep() {
	s := u.parse(u.state)
	if s.Plan == 0 {
		return
	}
	update := progress.Apply(u.plan, s, nil, u.instant())
	if update.NeedLog {
		u.rebuild()
		return
	}
	u.commit(s, &update)
}

// heard is what a streak's events have told so far.
type heard struct {
	current int
	apart   bool                // something changed of which nothing is told
	told    map[string]struct{} // growth that was told and has not been taken back, milestones
	warned  map[string]struct{} // periods of which streak.at_risk was told
}

// once leaves out the warnings of periods that were warned of before: a deadline that was put off comes near again, and the model looks at no events of earlier.
func (h *heard) once(timed []oracle.Event) (rest []oracle.Event) {
	for _, e := range timed {
		if e.Type == "at_risk" {
			if _, twice := h.warned[e.Period]; twice {
				continue
			}
			h.warned[e.Period] = struct{}{}
		}
		rest = append(rest, e)
	}
	return rest
}

// apart: what the next commit changes beside time is not told.
func (u *user) apart() {
	u.told = nil
	for i := range u.heard {
		u.heard[i].apart = true
	}
}

// listen compares the events of a commit with what the model says of time, which is not in the model's present yet, and what they must bear out.
func (u *user) listen(events []progress.Event) {
	want := u.timed
	u.timed = nil
	if u.earnedOnly {
		return
	}
	byRule := map[string][]progress.Event{}
	for k, e := range events {
		byRule[e.Rule] = append(byRule[e.Rule], e)
		if k > 0 && e.At < events[k-1].At {
			u.fatalf("%s at %v is told after what was at %v", e.Type, e.At, events[k-1].At)
		}
	}
	for i := range u.streaks {
		rule := u.streaks[i].ID
		want[i] = u.heard[i].once(want[i])
		timed := min(len(want[i]), len(byRule[rule]))
		var got []oracle.Event
		for _, e := range byRule[rule][:timed] {
			o := oracle.Event{Type: string(e.Type)[len("streak."):], At: e.At.Time(), Period: e.Period, Length: e.Current, Returned: e.Returned}
			if e.Type == streaks.WasLost {
				o.Length = e.Previous
			}
			got = append(got, o)
		}
		if diff := gocmp.Diff(want[i], got, gocmp.Comparer(time.Time.Equal)); diff != "" {
			u.fatalf("streak %s: what time did up to %v (-model +progress)\n%s", rule, u.now, diff)
		}
		u.follow(i, byRule[rule], timed)
	}
}

// follow checks one streak's events, of which the first ones are time's.
func (u *user) follow(i int, events []progress.Event, timed int) {
	h := &u.heard[i]
	before := h.current
	for k, e := range events {
		if k == timed {
			before = h.current
		}
		key := fmt.Sprint(e.Type, " ", e.Period, " ", e.Milestone)
		switch e.Type {
		case streaks.Undone:
			delete(h.told, fmt.Sprint(e.Event.Undone, " ", e.Period, " ", e.Milestone))
			maps.DeleteFunc(h.told, func(k string, _ struct{}) bool { return e.Event.Undone != streaks.Reached })
		case streaks.WasLost:
			if e.Previous != h.current && e.Previous != before {
				u.t.Logf("%+v", events)
				u.fatalf("streak %s: %d was lost of %d at %v", e.Rule, e.Previous, h.current, e.At)
			}
			clear(h.told)
		case streaks.Started, streaks.Extended, streaks.WasFrozen:
			if _, twice := h.told[key]; twice {
				u.t.Logf("%+v", events)
				u.fatalf("streak %s: %s is told twice, at %v", e.Rule, key, e.At)
			}
			h.told[key] = struct{}{}
		}
		h.current = e.Current
	}
	shown := u.model.Streak(&u.streaks[i], "u", u.now)
	switch {
	case h.apart || shown.OptedOut:
		h.current, h.apart = shown.Current.Length, shown.OptedOut
		clear(h.told)
	case h.current != shown.Current.Length:
		for _, e := range events {
			u.t.Logf("%+v", e)
		}
		u.fatalf("streak %s: its events tell %d at %v, it is %+v; before %d", u.streaks[i].ID, h.current, u.now, shown, before)
	}
}

// foresee asks the model what time does up to now.
func (u *user) foresee() {
	if !u.known {
		return
	}
	u.timed = make([][]oracle.Event, len(u.streaks))
	for i := range u.streaks {
		u.timed[i] = u.model.Events(&u.streaks[i], "u", u.committedAt, u.now)
	}
}

// imported says whether what came is history, of which nothing is told.
func imported(acts []activity.Activity) bool { return progress.CauseOf(acts) == progress.History }
