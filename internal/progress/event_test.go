package progress_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/streaks"
)

// told is what an event says of a length.
type told struct {
	At                calendar.Instant
	Type, Undone      streaks.EventType
	Previous, Current int
}

func toldBy(updates ...progress.Update) (all []told) {
	for _, u := range updates {
		for _, e := range u.Events {
			all = append(all, told{e.At, e.Type, e.Undone, e.Previous, e.Current})
		}
	}
	return all
}

// step applies activities to a state at an instant, as one commit.
func step(t *testing.T, p *progress.Plan, s *progress.State, now calendar.Instant, acts ...activity.Activity) progress.Update {
	t.Helper()
	update := progress.Apply(p, s, acts, now)
	if update.NeedLog {
		t.Fatal("the state alone can tell")
	}
	s.Scheduled = s.Due
	return update
}

// TestEvents_AnotherOffset: in mode event the latest activity says at which offset now is read. That puts the deadline off, also where it counts for a period that was met before: a
// streak that was told to be lost goes on, and one that was told to be at risk is not told so again.
func TestEvents_AnotherOffset(t *testing.T) {
	p := planOf(t, `{orgs: [{id: o, streaks: [{id: s, when: {}, unit: day, timezone: event, at_risk: 4h}]}]}`)
	home, abroad := at("home", 12), at("abroad", 20)
	abroad.Offset = -8 * 60 // where it is noon of the same day
	for name, test := range map[string]struct {
		abroad calendar.Instant // when the activity from there comes
		want   []told
	}{
		"after the loss": {begin + 49*hour, []told{
			{begin + 12*hour, streaks.Started, "", 0, 1}, {begin + 44*hour, streaks.InDanger, "", 1, 1}, {begin + 48*hour, streaks.WasLost, "", 1, 0},
			{begin + 49*hour, streaks.Undone, streaks.WasLost, 0, 1}, {begin + 56*hour, streaks.WasLost, "", 1, 0},
		}},
		"after the warning": {begin + 45*hour, []told{
			{begin + 12*hour, streaks.Started, "", 0, 1}, {begin + 44*hour, streaks.InDanger, "", 1, 1}, {begin + 56*hour, streaks.WasLost, "", 1, 0},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &progress.State{}
			got := toldBy(step(t, p, s, begin+12*hour, home), step(t, p, s, test.abroad, abroad), step(t, p, s, begin+60*hour))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
