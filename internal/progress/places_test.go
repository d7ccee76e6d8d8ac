package progress_test

import (
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/progress"
	"laurel/internal/rewards"
)

// checkPlaces compares what the state and the base say of the boards with what stands on them, and the state with one that is made anew of the log.
func (u *user) checkPlaces() {
	state, base := u.parse(u.state), u.parse(u.base)
	got := map[board]progress.Standing{}
	for _, p := range progress.Places(u.plan, state, base) {
		b := board{p.Rule, p.Label}
		if _, twice := got[b]; twice {
			u.fatalf("%v twice", b)
		}
		got[b] = p.Standing
		found, ok := u.plan.BoardOf(p.Rule, p.Label)
		found.Standing = p.Standing
		if diff := gocmp.Diff(p, found); diff != "" || !ok {
			u.fatalf("the board of %v %v: %s", p, ok, diff)
		}
		if at := state.Place(&p, u.catalog); at != p.Standing && at.Some {
			u.fatalf("%v: at %v", p, at)
		}
	}
	if diff := gocmp.Diff(u.boards, got, gocmp.AllowUnexported(board{})); diff != "" {
		u.fatalf("places (-boards +places)\n%s", diff)
	}
	if len(u.log) == 0 {
		return
	}
	next, err := progress.Rebuild(u.plan, state, base, u.log, u.instant())
	if err != nil {
		u.fatalf("rebuild: %v", err)
	}
	progress.Diff(u.plan, state, next, u.instant(), progress.History)
	if diff := progress.Difference(u.plan, state, next); diff != "" && u.committed {
		u.fatalf("the state differs from one that is made anew: %s", diff)
	}
	// A state that was lost comes back, but for what was said of the user since the last folding.
	lost := progress.Recover(u.plan, base, u.log)
	lost.Zones, lost.Behaviours, lost.Hidden, lost.Pauses, lost.Enrolments, lost.Streaks = state.Zones, state.Behaviours, state.Hidden, state.Pauses, state.Enrolments, nil
	for i := range state.Streaks {
		lost.Streaks = append(lost.Streaks, progress.StreakState{ID: state.Streaks[i].ID, Commands: state.Streaks[i].Commands})
	}
	lost.Earnings = notesOf(state.Earnings)
	again, err := progress.Rebuild(u.plan, lost, base, u.log, u.instant())
	if err != nil {
		u.fatalf("rebuild: %v", err)
	}
	progress.Diff(u.plan, &progress.State{}, again, u.instant(), progress.History)
	if diff := progress.Difference(u.plan, next, again); diff != "" {
		u.fatalf("the recovered state differs: %s", diff)
	}
}

// notesOf is what no activity gives of earnings.
func notesOf(e *progress.Earnings) *progress.Earnings {
	if e == nil {
		return nil
	}
	notes := &progress.Earnings{}
	for i := range e.Achievements {
		a := &e.Achievements[i]
		notes.Achievements = append(notes.Achievements, progress.AchievementState{ID: a.ID, Kept: rewards.Kept{Noted: a.Noted}})
	}
	for i := range e.Missions {
		m := &e.Missions[i]
		notes.Missions = append(notes.Missions, progress.MissionState{ID: m.ID, KeptMission: rewards.KeptMission{Starts: m.Starts, Noted: m.Noted}})
	}
	return notes
}

// daily is a user who did a and b, under the catalog of the property tests.
func daily(t *testing.T) (*progress.Plan, func() *progress.State) {
	c, _ := compile(t, "UTC", time.Monday)
	p := progress.NewPlan(c)
	return p, func() *progress.State {
		s := &progress.State{}
		progress.Apply(p, s, []activity.Activity{at("a", 1), at("b", 2)}, begin+3*hour)
		return s
	}
}

func TestDifference_SeesWhatIsShown(t *testing.T) {
	p, state := daily(t)
	for name, change := range map[string]func(s *progress.State){
		"value":        func(s *progress.State) { s.Rules[0].Cycles[0].Periods[0].Value++ },
		"reached":      func(s *progress.State) { s.Rules[0].Cycles[0].Periods[0].Reached++ },
		"period":       func(s *progress.State) { s.Rules[0].Cycles[0].Periods[0].Ordinal-- },
		"lost rule":    func(s *progress.State) { s.Rules = s.Rules[1:] },
		"seal":         func(s *progress.State) { s.Sealed = 1 },
		"shown":        func(s *progress.State) { s.Streaks[0].Shown.Current.Value++ },
		"mark":         func(s *progress.State) { s.Streaks[0].Marks[0].Met = false },
		"latest":       func(s *progress.State) { s.Streaks[0].Latest.ID = "x" },
		"condition":    func(s *progress.State) { s.Streaks[0].Conditions[0].Reached++ },
		"lost streak":  func(s *progress.State) { s.Streaks = s.Streaks[1:] },
		"sealed total": func(s *progress.State) { s.Streaks[0].Sealed.Total = 7 },
	} {
		t.Run(name, func(t *testing.T) {
			other := state()
			change(other)
			if progress.Difference(p, other, state()) == "" || progress.Difference(p, state(), other) == "" {
				t.Error("not seen")
			}
		})
	}
	reordered := state()
	slices.Reverse(reordered.Rules)
	slices.Reverse(reordered.Streaks)
	reordered.Oldest = 1
	if d := progress.Difference(p, reordered, state()); d != "" {
		t.Error(d)
	}
}

func TestPlaces_NobodyWhoIsHiddenOrMerged(t *testing.T) {
	p, state := daily(t)
	for name, change := range map[string]func(s *progress.State){
		"hidden": func(s *progress.State) { s.Hidden = true },
		"merged": func(s *progress.State) { s.Merged = "v" },
	} {
		s := state()
		change(s)
		if got := progress.Places(p, s, &progress.State{}); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if len(progress.Places(p, state(), &progress.State{})) == 0 {
		t.Error("nobody else either")
	}
}

func TestRecover_CountsBehavioursAgain(t *testing.T) {
	p := planOf(t, limited)
	s := &progress.State{}
	var log []activity.Activity
	for _, act := range []activity.Activity{at("run", 1), at("run", 1.5), at("run", 3), at("walk", 1), at("walk", 2), at("walk", 3), at("walk", 30)} {
		u := progress.Apply(p, s, []activity.Activity{act}, act.At)
		act.Status, act.Reason = u.Verdicts[0].Status, u.Verdicts[0].Reason
		act.WasIgnored = act.Status == activity.Ignored
		log = append(log, act)
	}
	log[2].Status = activity.Rejected // it was accepted once: that decision stays
	if diff := gocmp.Diff(s.Behaviours, progress.Recover(p, &progress.State{}, log).Behaviours); diff != "" || len(s.Behaviours) != 2 {
		t.Error(diff)
	}
}
