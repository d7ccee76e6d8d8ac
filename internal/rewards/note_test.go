package rewards_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/rewards"
)

// What no longer holds is noted as none, and noted anew when it holds again.
func TestNotes_Undone(t *testing.T) {
	streak := catalog.Criterion{Kind: catalog.OfStreak, Condition: catalog.Condition{AtLeast: 3}}
	e := &catalog.Earning{
		Achievements: []*catalog.Achievement{{Per: calendar.Cycle{Unit: calendar.All}, Criteria: []catalog.Criterion{streak}}},
		Missions:     []*catalog.Mission{{Needs: []catalog.Need{{Kind: catalog.OfAchievement}}, Attempts: 1}},
		Order:        []catalog.Derived{{Kind: "achievements"}, {Kind: "missions"}},
	}
	c := rewards.New(e, calendar.New(time.UTC, time.Monday, 0))
	u := &rewards.User{Longest: []int64{0}}
	achievement, mission := catalog.Derived{Kind: "achievements"}, catalog.Derived{Kind: "missions"}
	for i, step := range []struct {
		longest int64
		want    []rewards.Note
	}{
		{1, []rewards.Note{{Of: mission, Start: true, At: epoch}}},
		{3, []rewards.Note{{Of: achievement, At: epoch + 1}}},
		{2, []rewards.Note{{Of: achievement}}},
		{0, []rewards.Note{{Of: mission, Start: true}}},
		{4, []rewards.Note{{Of: achievement, At: epoch + 4}, {Of: mission, Start: true, At: epoch + 4}}},
	} {
		u.Longest[0] = step.longest
		var v rewards.View
		now := epoch + calendar.Instant(i)
		c.Derive(&v, u, now, now)
		got := c.Notes(nil, &v, u)
		if diff := gocmp.Diff(step.want, got); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
		u.Take(got)
	}
}

// Which of any is nearest is compared exactly, also where the products leave 64 bits.
func TestAchievement_Nearest(t *testing.T) {
	const most = catalog.MaxExact
	criterion := catalog.Criterion{Condition: catalog.Condition{AtLeast: most}}
	e := &catalog.Earning{
		Achievements: []*catalog.Achievement{{Per: calendar.Cycle{Unit: calendar.All}, Criteria: []catalog.Criterion{criterion, criterion, criterion, criterion}}},
		Order:        []catalog.Derived{{Kind: "achievements"}},
	}
	values := []rewards.Value{{N: most / 2}, {N: most - 3}, {N: most - 1}, {N: most - 2}}
	u := &rewards.User{Achievements: []rewards.Kept{{Marks: []rewards.Mark{{Values: values}}}}}
	var v rewards.View
	rewards.New(e, calendar.New(time.UTC, time.Monday, 0)).Derive(&v, u, epoch, epoch)
	if got := v.Achievements[0].Progress; got != most-1 {
		t.Errorf("the nearest is at %d, want %d", got, int64(most-1))
	}
}
