package progress_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
)

const day = 24 * hour

// runs are two activities, a month apart.
func runs() []activity.Activity { return []activity.Activity{at("run", 1), at("run", 30*24)} }

// taken lists what TakeOff takes off, as rule and label to value.
func taken(changes []progress.BoardChange) map[string]int64 {
	boards := map[string]int64{}
	for _, c := range changes {
		if c.Old.Some && !c.New.Some {
			boards[c.Rule+" "+c.Label] = c.Old.Value
		}
	}
	return boards
}

func put(changes []progress.BoardChange) map[string]int64 {
	boards := map[string]int64{}
	for _, c := range changes {
		if !c.Old.Some && c.New.Some {
			boards[c.Rule+" "+c.Label] = c.New.Value
		}
	}
	return boards
}

func definition(rules string) string {
	return "orgs: [{id: o, limits: {max_past: 40d, close_grace: 1d}, rules: [" + rules + "]}]"
}

const counts = "{id: n, when: {}, value: count, cycles: [day, all]}"

// folded is a user who did acts under a plan, all but the last of them sealed.
func folded(t *testing.T, p *progress.Plan, acts []activity.Activity, now calendar.Instant) (s, base *progress.State) {
	t.Helper()
	s, base = &progress.State{}, &progress.State{}
	seal := acts[len(acts)-1].At - day
	base, _ = progress.Fold(p, s, base, acts, seal, now)
	s.Sealed = seal
	s, err := progress.Rebuild(p, s, base, acts, now)
	if err != nil {
		t.Fatal(err)
	}
	progress.Diff(p, &progress.State{}, s, now, progress.History)
	return s, base
}

func TestPutBack_OnlyWhatIsKept(t *testing.T) {
	kept := "{id: n, when: {}, value: count, cycles: [day, all], keep: {day: 41}}"
	c := planOf(t, definition(kept)).Catalog
	acts := runs()
	for _, tt := range []struct {
		days int // after the first
		want map[string]int64
	}{
		{42, map[string]int64{"n 2026-03-10": 1, "n 2026-04-09": 1, "n all": 2}}, // its day is closed a day later than it ends
		{43, map[string]int64{"n 2026-04-09": 1, "n all": 2}},
	} {
		now := begin + calendar.Instant(tt.days)*day
		p := progress.NewPlanOf(c, c.Kept(now), nil)
		s, base := folded(t, p, acts, now)
		if diff := cmp.Diff(tt.want, put(progress.PutBack(p, s, base, now).Boards)); diff != "" {
			t.Errorf("after %d days (-want +got)\n%s", tt.days, diff)
		}
	}
}

// TestTakeOff_AfterADefinitionChanged: what was sealed whole stays on its board when the rule becomes another one, so it must be known what it is.
func TestTakeOff_AfterADefinitionChanged(t *testing.T) {
	acts := runs()
	now := begin + 31*day
	s, base := folded(t, planOf(t, definition(counts)), acts, now)
	p := planOf(t, definition("{id: n, when: {name: run}, value: count, cycles: [day, all]}"))
	base, _ = progress.Fold(p, s, base, nil, acts[1].At, now)
	s.Sealed = acts[1].At
	next, err := progress.Rebuild(p, s, base, acts[1:], now)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{"n 2026-03-10": 1, "n 2026-04-09": 1, "n all": 1}
	if diff := cmp.Diff(want, taken(progress.TakeOff(p, next, base))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestStrays_AreWhatIsNoLongerDefined(t *testing.T) {
	acts := runs()
	now := begin + 31*day
	s, base := folded(t, planOf(t, definition(counts)), acts, now)
	first, last := progress.Standing{Some: true, Value: 1, Reached: acts[0].At}, progress.Standing{Some: true, Value: 1, Reached: acts[1].At}
	both := progress.Standing{Some: true, Value: 2, Reached: acts[1].At}
	for _, tt := range []struct {
		rules string
		want  []progress.Stray
		taken map[string]int64
	}{
		{counts, nil, map[string]int64{"n 2026-03-10": 1, "n 2026-04-09": 1, "n all": 2}},
		{"{id: n, when: {}, value: count, cycles: [all]}", []progress.Stray{{Rule: "n", Standings: []progress.Standing{last, first}}}, map[string]int64{"n all": 2}},
		{"{id: m, when: {}, value: count, cycles: [all]}", []progress.Stray{{Rule: "n", Standings: []progress.Standing{both, last, first, first}}}, map[string]int64{}},
	} {
		p := planOf(t, definition(tt.rules))
		if diff := cmp.Diff(tt.want, progress.Strays(p, s, base)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rules, diff)
		}
		if diff := cmp.Diff(tt.taken, taken(progress.TakeOff(p, s, base))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rules, diff)
		}
	}
}

func TestApply_BlockedIsIgnored(t *testing.T) {
	p := planOf(t, limited)
	s := &progress.State{Blocked: true}
	imported := at("run", 2)
	imported.Imported = true
	u := progress.Apply(p, s, []activity.Activity{at("run", 1), imported, at("swim", 3)}, begin+4*hour)
	got := []string{outcome(u.Verdicts[0]), outcome(u.Verdicts[1]), outcome(u.Verdicts[2])}
	if diff := cmp.Diff([]string{"ignored blocked", "ignored blocked", progress.ErrUnknownBehaviour.Error()}, got); diff != "" || len(u.Boards) > 0 {
		t.Errorf("%s %v", diff, u.Boards)
	}
	s.Blocked = false
	if u := progress.Apply(p, s, []activity.Activity{at("run", 1.5)}, begin+4*hour); outcome(u.Verdicts[0]) != "accepted" {
		t.Errorf("what was ignored counts for the cool-off: %v", u.Verdicts)
	}
}

func TestNoteMoved_CountsForCoolOffAndCap(t *testing.T) {
	p := planOf(t, limited)
	s := &progress.State{}
	ignored := at("run", 20)
	ignored.WasIgnored = true
	s.NoteMoved(p, []activity.Activity{at("run", 10), ignored, at("walk", 1), at("walk", 2)})
	u := progress.Apply(p, s, []activity.Activity{at("run", 10.5), at("run", 20.5), at("walk", 3), at("walk", 25)}, begin+30*hour)
	var got []string
	for _, v := range u.Verdicts {
		got = append(got, outcome(v))
	}
	if diff := cmp.Diff([]string{"ignored cool_off", "accepted", "ignored cap", "accepted"}, got); diff != "" {
		t.Error(diff)
	}
}
