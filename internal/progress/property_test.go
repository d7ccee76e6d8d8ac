package progress_test

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/grants"
	"laurel/internal/oracle"
	"laurel/internal/progress"
	"laurel/internal/testenv"
	"laurel/streaks"
)

type board struct{ rule, label string }

// user is one user as ingest keeps one: a state and a base as bytes, a log, and what stands on the boards; beside it the model.
type user struct {
	t         *rapid.T
	plan      *progress.Plan
	catalog   *catalog.Catalog
	rules     []oracle.Rule
	streaks   []oracle.Streak
	groups    []oracle.Group
	model     *oracle.Model
	now       time.Time
	sealed    time.Time
	state     string
	base      string
	log       []activity.Activity
	boards    map[board]progress.Standing
	committed bool // the boards are as of now

	outages     []streaks.Outage
	terms       uint32
	known       bool // the user was committed once, at committedAt for the last time
	committedAt time.Time
	earner      *oracle.Earner // nil: nothing is earned
	earnedOnly  bool           // what stands on boards and what streaks are is not looked at
	told        *earnedTold
	granted     grants.Set
	begin       time.Time
	noticed     time.Time        // by the commit at hand
	timed       [][]oracle.Event // by streak: what time does up to now
	heard       []heard          // by streak
}

func newUser(t *rapid.T, s *scene) *user {
	c, org := compile(t, rapid.SampledFrom(s.orgs).Draw(t, "org zone"), rapid.SampledFrom([]time.Weekday{time.Monday, time.Sunday, time.Saturday}).Draw(t, "week start"))
	u := &user{t: t, catalog: c, rules: withSegments(oracleRules()), streaks: oracleStreaks(t), now: s.begin, boards: map[board]progress.Standing{},
		model: &oracle.Model{Org: org, Zones: map[string][]oracle.ZoneChange{}, Hidden: map[string]bool{}, Pauses: map[string][]oracle.Pause{}}}
	u.groups = oracleGroups(u.streaks)
	u.earner = oracleEarner(u.model, u.streaks)
	for range u.streaks {
		u.heard = append(u.heard, heard{told: map[string]struct{}{}, warned: map[string]struct{}{}})
	}
	u.vary(true)
	return u
}

func (u *user) instant() calendar.Instant { return calendar.Instant(u.now.UnixMilli()) }

func (u *user) parse(content string) *progress.State {
	s, err := progress.Parse(content)
	if err != nil {
		u.t.Fatalf("parse: %v", err)
	}
	return s
}

// commit takes over a state and board changes, each of which must begin at what stands on the board.
func (u *user) commit(s *progress.State, update *progress.Update) {
	s.Scheduled = s.Due
	u.state = string(s.Append(nil))
	for _, c := range update.Boards {
		b := board{c.Rule, c.Label}
		if u.boards[b] != c.Old {
			u.t.Fatalf("%s %s: a change from %+v, but on the board stands %+v", c.Rule, c.Label, c.Old, u.boards[b])
		}
		if c.Old == c.New {
			u.t.Fatalf("%s %s: a change from %+v to itself", c.Rule, c.Label, c.Old)
		}
		if u.boards[b] = c.New; !c.New.Some {
			delete(u.boards, b)
		}
	}
	u.committed = true
	if u.timed == nil {
		u.timed = make([][]oracle.Event, len(u.streaks))
	}
	u.listen(streakEvents(update.Events))
	u.hear(update.Events)
	if u.noticed.IsZero() {
		u.noticed = u.now
	}
	if u.earner != nil {
		u.earner.Notice(u.now, u.noticed)
		u.grant(update.Grants)
		u.compareGranted()
		u.compareTold()
	}
	u.noticed = time.Time{}
	u.known, u.committedAt = true, u.now
}

// expected says what must become of a new activity by the clock alone.
func (u *user) expected(r *oracle.Record) error {
	switch {
	case r.Kind == "credit":
		return nil
	case r.At.Before(u.sealed), !r.Imported && r.At.Before(u.now.Add(-u.catalog.Limits.MaxPast)):
		return progress.ErrTooOld
	case r.At.After(u.now.Add(u.catalog.Limits.MaxFuture)):
		return progress.ErrInFuture
	}
	return nil
}

// submit applies a batch as ingest does.
func (u *user) submit(batch []oracle.Record) {
	acts := make([]activity.Activity, len(batch))
	for i := range batch {
		batch[i].Received = u.now
		acts[i] = activityOf(&batch[i])
	}
	u.apply(batch, acts)
}

// apply applies activities of which was decided what is to be.
func (u *user) apply(batch []oracle.Record, acts []activity.Activity) {
	s := u.parse(u.state)
	update := progress.Apply(u.plan, s, acts, u.instant())
	stored := 0
	for i, v := range update.Verdicts {
		if want := u.expected(&batch[i]); !errors.Is(v.Err, want) {
			u.t.Fatalf("%v at %v: %v, want %v", batch[i], u.now, v.Err, want)
		}
		if v.Err == nil {
			if ignored := v.Status == activity.Ignored; ignored != (s.Blocked && batch[i].Kind != "credit") {
				u.t.Fatalf("%v: ignored %v, blocked %v", batch[i], ignored, s.Blocked)
			}
			acts[i].Status, acts[i].WasIgnored = v.Status, v.Status == activity.Ignored
			batch[i].Ignored = acts[i].WasIgnored
			u.log = append(u.log, acts[i])
			u.model.Records = append(u.model.Records, batch[i])
			stored++
			if batch[i].At.After(u.noticed) {
				u.noticed = batch[i].At
			}
		}
	}
	switch {
	case stored == 0: // nothing to write, and the state is thrown away
	case update.NeedLog:
		if imported(acts) {
			u.apart()
		}
		u.rebuildFrom(u.parse(u.state), progress.CauseOf(acts))
	default:
		if imported(acts) {
			u.apart()
		}
		u.commit(s, &update)
	}
}

// rebuild folds the log anew.
func (u *user) rebuild() { u.rebuildFrom(u.parse(u.state), progress.Doing) }

// rebuildFrom does so with the commands that a state has beside the stored one's.
func (u *user) rebuildFrom(with *progress.State, why progress.Cause) {
	old := u.parse(u.state)
	next, err := progress.Rebuild(u.plan, with, u.parse(u.base), u.log, u.instant())
	if err != nil {
		u.t.Fatalf("rebuild: %v", err)
	}
	if !u.noticed.IsZero() {
		next.Noticed = calendar.InstantOf(u.noticed)
	}
	update := progress.Diff(u.plan, old, next, u.instant(), why)
	u.commit(next, &update)
}

// toggle rejects or restores an activity of the log.
func (u *user) toggle() {
	if len(u.log) == 0 {
		return
	}
	u.toggleAt(rapid.IntRange(0, len(u.log)-1).Draw(u.t, "toggled"))
}

// toggleAt rejects or restores an activity, -1 for one that is sealed.
func (u *user) toggleAt(i int) {
	if i < 0 {
		return
	}
	a := &u.log[i]
	if a.At < calendar.Instant(u.sealed.UnixMilli()) || !u.mayToggle(i) {
		return
	}
	switch {
	case a.Status != activity.Rejected:
		a.Status = activity.Rejected
	case a.WasIgnored:
		a.Status = activity.Ignored
	default:
		a.Status = activity.Accepted
	}
	for j := range u.model.Records {
		if u.model.Records[j].ID == string(a.ID) {
			u.model.Records[j].Rejected = a.Status == activity.Rejected
		}
	}
	u.rebuild()
}

// fold seals what lies before an instant.
func (u *user) fold(seal time.Time) {
	if !seal.After(u.sealed) || seal.After(u.now) {
		return
	}
	u.sweep()
	old := u.parse(u.state)
	before := u.parse(u.state)
	base, dropped := progress.Fold(u.plan, old, u.parse(u.base), u.log, calendar.Instant(seal.UnixMilli()), u.instant())
	kept := u.log[:0:0]
	for _, a := range u.log {
		if gone := slices.Contains(dropped, a.ID); gone != a.At.Time().Before(seal) {
			u.t.Fatalf("seal %v: activity of %v dropped: %v", seal, a.At, gone)
		} else if !gone {
			kept = append(kept, a)
		}
	}
	u.base, u.log, u.sealed = string(base.Append(nil)), kept, seal
	old.Sealed = calendar.Instant(seal.UnixMilli())
	next, err := progress.Rebuild(u.plan, old, u.parse(u.base), u.log, u.instant())
	if err != nil {
		u.t.Fatalf("rebuild after folding: %v", err)
	}
	update := progress.Diff(u.plan, before, next, u.instant(), progress.History)
	if len(update.Boards)+len(update.Events) > 0 {
		u.fatalf("folding changes %v and tells %v", update.Boards, update.Events)
	}
	if u.earner != nil {
		u.earner.Seal(seal)
	}
	u.commit(next, &update)
	u.model.Records = slices.DeleteFunc(u.model.Records, func(r oracle.Record) bool { return r.Rejected && r.At.Before(seal) })
}

// hide takes the user off all boards or puts the user back.
func (u *user) hide() {
	old, base := u.parse(u.state), u.parse(u.base)
	hidden := !old.Hidden
	u.model.Hidden["u"] = hidden
	var update progress.Update
	changes := progress.TakeOff(u.plan, old, base)
	old.Hidden = hidden
	next, err := progress.Rebuild(u.plan, old, base, u.log, u.instant())
	if err != nil {
		u.t.Fatalf("rebuild: %v", err)
	}
	if hidden {
		update = progress.Diff(u.plan, old, next, u.instant(), progress.History)
	} else {
		update = progress.PutBack(u.plan, next, base, u.instant())
	}
	update.Boards = append(changes, update.Boards...)
	u.commit(next, &update)
}

func (u *user) block() {
	s := u.parse(u.state)
	s.Blocked = !s.Blocked
	u.state = string(s.Append(nil))
}

func (u *user) move(zone string) {
	s := u.parse(u.state)
	next, err := s.ChangeZone(zone, u.instant())
	if err != nil || next == s {
		u.refused(err)
		return
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		u.t.Fatal(err)
	}
	u.model.Zones["u"] = append(u.model.Zones["u"], oracle.ZoneChange{At: u.now, Zone: loc})
	u.rebuildFrom(next, progress.Doing)
}

// check compares everything with the model.
func (u *user) check() {
	if u.earnedOnly {
		u.checkEarned(u.parse(u.state), u.now)
		u.checkRows(u.parse(u.state))
		u.checkEarned(u.parse(u.state), u.now.Add(75*time.Hour))
		return
	}
	want := map[board]progress.Standing{}
	for i := range u.rules {
		r := &u.rules[i]
		for _, c := range r.Cycles {
			for label, rows := range u.model.Boards(r, c) {
				want[board{r.ID, label}] = standingOf(rows[0].Value, rows[0].Reached)
			}
		}
	}
	for i := range u.streaks {
		s := &u.streaks[i]
		v := u.model.Streak(s, "u", u.now)
		if u.model.Hidden["u"] {
			break
		}
		for suffix, span := range map[string]oracle.Span{progress.CurrentSuffix: v.Current, progress.LongestSuffix: v.Longest} {
			if span.Length > 0 {
				want[board{s.ID + suffix, "all"}] = standingOf(int64(span.Length), span.Reached)
			}
		}
	}
	u.expectEnrolments(want)
	got := u.boards
	if !u.committed { // the boards of streaks are as of the last commit
		skip := func(b board, _ progress.Standing) bool {
			return slices.ContainsFunc(u.streaks, func(s oracle.Streak) bool { return b.rule == s.ID+".current" || b.rule == s.ID+".longest" })
		}
		got = cloneWithout(got, skip)
		want = cloneWithout(want, skip)
	}
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(board{})); diff != "" {
		u.fatalf("boards (-model +progress)\n%s", diff)
	}
	u.checkPlaces()
	state := u.parse(u.state)
	counted, ignored, gifts := uint64(0), uint64(0), uint64(0)
	for _, r := range u.model.Records {
		switch {
		case r.Rejected:
		case r.Ignored:
			ignored++
		case r.Kind != "credit":
			counted++
		case strings.HasPrefix(r.ID, "gift:"):
			gifts++
		}
	}
	if state.Activities != counted || state.Ignored != ignored || state.Gifts != gifts {
		u.fatalf("%d activities, %d ignored ones and %d gifts, not %d, %d and %d", state.Activities, state.Ignored, state.Gifts, counted, ignored, gifts)
	}
	for _, at := range []time.Time{u.now, u.now.Add(11 * time.Hour), u.now.Add(75 * time.Hour)} {
		for i := range u.streaks {
			u.checkStreak(state, i, at)
		}
	}
	u.checkEarned(state, u.now)
	u.checkRows(state)
	for i := range u.streaks {
		u.checkWhole(state, i)
	}
}

func cloneWithout(m map[board]progress.Standing, skip func(board, progress.Standing) bool) map[board]progress.Standing {
	kept := map[board]progress.Standing{}
	for b, s := range m {
		if !skip(b, s) {
			kept[b] = s
		}
	}
	return kept
}

// checkStreak compares what is derived of a streak at an instant. Of the periods before the seal the product remembers no details.
func (u *user) checkStreak(state *progress.State, i int, at time.Time) {
	s := &u.streaks[i]
	want := u.model.Streak(s, "u", at)
	want.Past = nil
	c := u.plan.Calculus(i, state)
	v := state.Derive(u.plan, i, calendar.Instant(at.UnixMilli()))
	got := testenv.StreakView(c, &v)
	if n := len(want.History) - len(got.History); n > 0 && !u.sealed.IsZero() {
		want.History = want.History[n:]
	}
	if diff := gocmp.Diff(want, got, gocmp.Comparer(time.Time.Equal)); diff != "" {
		u.fatalf("streak %s at %v, now %v, sealed %v (-model +progress)\n%s", s.ID, at, u.now, u.sealed, diff)
	}
}

// checkWhole compares all of a streak's past, of which the seal takes nothing away.
func (u *user) checkWhole(state *progress.State, i int) {
	s, now := &u.streaks[i], u.instant()
	w := state.Whole(u.plan, i, u.parse(u.base), u.log)
	if w.Calculus.OptedOut() {
		return // there is no such streak to look at
	}
	first, open := w.Bounds(now)
	view := streaks.View{History: w.History(now, first, open)}
	for k, e := range w.Explain(now, first, open) {
		if e.Exempt == streaks.NoSuchDate && k != int(open-first) {
			continue
		}
		if diff := gocmp.Diff(e.PeriodView, view.History[0]); diff != "" {
			u.fatalf("streak %s: explained as another period than it is\n%s", s.ID, diff)
		}
		view.History = view.History[1:]
	}
	view.History = w.History(now, first, open)
	if diff := gocmp.Diff(u.model.History(s, "u", u.now), testenv.StreakView(w.Calculus, &view).History); diff != "" {
		u.fatalf("streak %s at %v, sealed %v: all periods (-model +progress)\n%s", s.ID, u.now, u.sealed, diff)
	}
	var past []oracle.Ended
	for _, p := range w.Past(now) {
		v := streaks.View{Moment: streaks.Moment{Sum: streaks.Sum{Lost: p.Ended}}, LostAt: p.At, History: nil}
		past = append(past, testenv.StreakView(w.Calculus, &v).Lost)
	}
	want := u.model.Streak(s, "u", u.now)
	if diff := gocmp.Diff(want.Past, past, gocmp.Comparer(time.Time.Equal)); diff != "" {
		u.fatalf("streak %s at %v, sealed %v: past (-model +progress)\n%s", s.ID, u.now, u.sealed, diff)
	}
	shown := w.View(now)
	want.Past = nil
	if diff := gocmp.Diff(want, testenv.StreakView(w.Calculus, &shown), gocmp.Comparer(time.Time.Equal)); diff != "" {
		u.fatalf("streak %s at %v, sealed %v: as a whole (-model +progress)\n%s", s.ID, u.now, u.sealed, diff)
	}
}

func (u *user) fatalf(format string, args ...any) {
	u.t.Helper()
	records := slices.Clone(u.model.Records)
	slices.SortFunc(records, func(a, b oracle.Record) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	for _, r := range records {
		u.t.Log(r)
	}
	u.t.Fatalf(format, args...)
}

// TestProgress_EqualsTheModel is the set law and exact undo: whatever comes in whatever order and batches, through bytes, folding, undo and changes of
// zone, the boards as accumulated from changes and the streaks equal the model's, which looks at the set of activities alone.
func TestProgress_EqualsTheModel(t *testing.T) {
	all := scenes()
	rapid.Check(t, func(t *rapid.T) {
		s := &all[rapid.IntRange(0, len(all)-1).Draw(t, "scene")]
		u := newUser(t, s)
		for i := range rapid.IntRange(1, 10).Draw(t, "steps") {
			u.committed = false
			u.now = u.now.Add(time.Duration(rapid.IntRange(0, s.days*24/4).Draw(t, "hours")) * time.Hour)
			u.foresee()
			switch rapid.IntRange(0, 23).Draw(t, "step") {
			case 0:
				u.toggle()
			case 1:
				u.fold(s.begin.Add(time.Duration(rapid.IntRange(0, s.days*24).Draw(t, "seal")) * time.Hour))
			case 2:
				u.move(rapid.SampledFrom(s.users).Draw(t, "zone"))
			case 3:
				u.hide()
			case 4:
				u.block()
			case 5:
				u.redefine()
			case 6:
				u.outage()
			case 7, 8, 9, 10, 11:
				u.order()
			case 12:
				u.sweep()
			case 13, 14, 15:
				u.decide(s, i*10)
			case 16, 17:
				u.enrol()
			default:
				batch := make([]oracle.Record, rapid.IntRange(1, 6).Draw(t, "batch"))
				imported := rapid.IntRange(0, 3).Draw(t, "imported") == 0
				for k := range batch {
					batch[k] = drawRecord(t, s, i*10+k)
					batch[k].Imported = imported
				}
				u.submit(batch)
			}
			u.check()
		}
	})
}
