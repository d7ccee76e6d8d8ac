package progress_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/streaks"
)

// TestEvents_AnotherOffset: in mode event the latest activity says at which offset now is read. A streak that was told to be lost goes on where that puts the deadline off, though
// the activity counts for a period that was met before.
func TestEvents_AnotherOffset(t *testing.T) {
	p := planOf(t, `{orgs: [{id: o, streaks: [{id: s, when: {}, unit: day, timezone: event}]}]}`)
	s := &progress.State{}
	home, abroad := at("home", 12), at("abroad", 20)
	abroad.Offset = -8 * 60 // where it is noon of the same day
	progress.Apply(p, s, []activity.Activity{home}, begin+12*hour)
	s.Scheduled = s.Due
	update := progress.Apply(p, s, []activity.Activity{abroad}, begin+53*hour)
	if update.NeedLog {
		t.Fatal("the state alone can tell")
	}
	type told struct {
		At                calendar.Instant
		Type, Undone      streaks.EventType
		Previous, Current int
	}
	var got []told
	for _, e := range update.Events {
		got = append(got, told{e.At, e.Type, e.Undone, e.Previous, e.Current})
	}
	want := []told{{begin + 48*hour, streaks.WasLost, "", 1, 0}, {begin + 53*hour, streaks.Undone, streaks.WasLost, 0, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if v := s.Derive(p, 0, begin+53*hour); v.Run.Length != 1 {
		t.Errorf("the streak is %d long", v.Run.Length)
	}
}
