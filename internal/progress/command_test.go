package progress_test

import (
	"errors"
	"testing"

	"laurel/internal/calendar"
	"laurel/internal/progress"
)

// TestCommands_AreBounded: whoever goes on ordering is refused in the end, and the state stays as it was.
func TestCommands_AreBounded(t *testing.T) {
	p := planOf(t, `{orgs: [{id: o, streaks: [{id: s, when: {}, unit: day, timezone: org, user_target: {max: 5}, freezes: {max: 1}}]}]}`)
	const day = 24 * hour
	for name, order := range map[string]func(s *progress.State, i int, now calendar.Instant) (*progress.State, error){
		"opting out": func(s *progress.State, i int, now calendar.Instant) (*progress.State, error) {
			return s.OptOut(p, "s", i%2 == 0, now)
		},
		"own targets": func(s *progress.State, i int, now calendar.Instant) (*progress.State, error) {
			n := int64(2 + i%2)
			return s.SetTarget(p, "s", &n, now)
		},
		"pauses": func(s *progress.State, _ int, now calendar.Instant) (*progress.State, error) {
			next, _, err := s.Pause(p, s.Today(p, now), s.Today(p, now), now)
			return next, err
		},
		"zones": func(s *progress.State, i int, now calendar.Instant) (*progress.State, error) {
			return s.ChangeZone([]string{"Europe/Berlin", "UTC"}[i%2], now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := &progress.State{}, error(nil)
			for i := range progress.MaxCommands {
				if s, err = order(s, i, calendar.Instant(i+1)*day); err != nil {
					t.Fatalf("the %dth: %v", i+1, err)
				}
			}
			if next, err := order(s, progress.MaxCommands, (progress.MaxCommands+1)*day); !errors.Is(err, progress.ErrTooManyCommands) || next != nil {
				t.Errorf("one more: %v", err)
			}
		})
	}
}
