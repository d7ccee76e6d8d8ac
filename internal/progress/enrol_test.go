package progress_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/calendar"
	"laurel/internal/oracle"
	"laurel/internal/progress"
)

// groupDefinitions are the target groups of the property tests, and oracleGroups the same once more.
const groupDefinitions = `
    target_groups:
      - {id: monthly, cycle: month, rules: [least]}
      - {id: seasonal, cycle: seasons, rules: [count], enrolment: auto}
      - {id: daily, cycle: day, rules: [falling, latest, lands]}
      - {id: steady, cycle: week, rules: [org-month, apia]}
      - {id: both, cycle: week, rules: [user-1d, best]}
      - {id: invited, cycle: week, rules: [best], enrolment: explicit}
      - {id: chosen, cycle: day, rules: [apia], enrolment: explicit}
`

func oracleGroups(streaks []oracle.Streak) []oracle.Group {
	rules := oracleRules()
	rule := func(ids ...string) []oracle.Rule {
		return slices.DeleteFunc(slices.Clone(rules), func(r oracle.Rule) bool { return !slices.Contains(ids, r.ID) })
	}
	streak := func(ids ...string) []oracle.Streak {
		return slices.DeleteFunc(slices.Clone(streaks), func(s oracle.Streak) bool { return !slices.Contains(ids, s.ID) })
	}
	count := rule("count")[0]
	cycle := func(unit string) oracle.Cycle { return oracle.Cycle{Unit: unit} }
	return []oracle.Group{
		{ID: "monthly", Cycle: cycle("month"), Rules: rule("least")},
		{ID: "seasonal", Cycle: count.Cycles[len(count.Cycles)-1], Rules: rule("count")},
		{ID: "daily", Cycle: cycle("day"), Rules: rule("falling", "latest", "lands")},
		{ID: "steady", Streaks: streak("org-month", "apia")},
		{ID: "both", Cycle: cycle("week"), Rules: rule("best"), Streaks: streak("user-1d")},
		{ID: "invited", Explicit: map[string]time.Time{}},
		{ID: "chosen", Explicit: map[string]time.Time{}},
	}
}

// enrol puts the user into a target group, or takes the user out of it.
func (u *user) enrol() {
	g := rapid.SampledFrom(u.groups).Draw(u.t, "group")
	in := rapid.Bool().Draw(u.t, "in")
	s := u.parse(u.state)
	next, err := s.Enrol(u.plan, g.ID, in, u.instant())
	if g.Explicit == nil {
		if !errors.Is(err, progress.ErrNotExplicit) {
			u.t.Fatalf("enrolled in %s: %v", g.ID, err)
		}
		return
	}
	if err != nil {
		u.t.Fatal(err)
	}
	if _, was := g.Explicit["u"]; was == in {
		if next != s {
			u.t.Fatalf("enrolled again: %+v", next.Enrolments)
		}
		return
	}
	if delete(g.Explicit, "u"); in {
		g.Explicit["u"] = u.now
	}
	u.rebuildFrom(next, progress.Doing)
}

// expectEnrolments adds what must stand on the boards of target groups.
func (u *user) expectEnrolments(want map[board]progress.Standing) {
	for i := range u.groups {
		g := &u.groups[i]
		if at, is := u.model.Enrolled(g)["u"]; is {
			want[board{g.ID + progress.EnrolledSuffix, "all"}] = standingOf(1, at)
		}
	}
}

func TestEnrol_Refused(t *testing.T) {
	c, _ := compile(t, "UTC", time.Monday)
	p := progress.NewPlan(c)
	s := &progress.State{}
	if _, err := s.Enrol(p, "none", true, 1); !errors.Is(err, progress.ErrGroupNotFound) {
		t.Error(err)
	}
	for i := range progress.MaxCommands {
		s.Enrolments = append(s.Enrolments, progress.Enrolment{Group: "gone", At: calendar.Instant(i)})
	}
	if _, err := s.Enrol(p, "invited", true, 1); !errors.Is(err, progress.ErrTooManyCommands) {
		t.Error(err)
	}
}
