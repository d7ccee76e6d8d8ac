package streaks_test

import (
	"testing"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/streaks"
)

func zoning(t *testing.T, changes ...streaks.ZoneChange) *streaks.Zoning {
	t.Helper()
	rule := &catalog.Streak{ID: "s", Unit: calendar.Cycle{Unit: calendar.Day}, ZoneMode: catalog.ZoneUser}
	return streaks.NewZoning(rule, calendar.New(time.UTC, time.Monday, 0), changes)
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func instant(t *testing.T, s string) calendar.Instant {
	t.Helper()
	i, _, err := calendar.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestZoning_Changes(t *testing.T) {
	noon := instant(t, "2026-11-18T12:00:00Z")
	apia, honolulu := location(t, "Pacific/Apia"), location(t, "Pacific/Honolulu")
	for _, c := range []struct {
		name     string
		changes  []streaks.ZoneChange
		at, want string
	}{
		{"none", nil, "2026-11-18T23:59:59Z", "2026-11-18"},
		{"from the beginning", []streaks.ZoneChange{{Zone: apia}}, "2026-11-18T12:00:00Z", "2026-11-19"},
		{"from the beginning, then another", []streaks.ZoneChange{{Zone: apia}, {At: noon, Zone: honolulu}}, "2026-11-19T10:59:59Z", "2026-11-19"},
		{"the running period stays", []streaks.ZoneChange{{At: noon, Zone: apia}}, "2026-11-18T23:59:59Z", "2026-11-18"},
		{"the next one is the new zone's", []streaks.ZoneChange{{At: noon, Zone: apia}}, "2026-11-19T11:00:00Z", "2026-11-20"},
		{"westwards the running period is prolonged", []streaks.ZoneChange{{At: noon, Zone: honolulu}}, "2026-11-19T09:59:59Z", "2026-11-18"},
		{"westwards, after it", []streaks.ZoneChange{{At: noon, Zone: honolulu}}, "2026-11-19T10:00:00Z", "2026-11-19"},
		{"two in one period: it ends in the latest", []streaks.ZoneChange{{At: noon, Zone: honolulu}, {At: noon + 1, Zone: apia}}, "2026-11-19T09:59:59Z", "2026-11-18"},
		{"two in one period: the last counts after it", []streaks.ZoneChange{{At: noon, Zone: honolulu}, {At: noon + 1, Zone: apia}}, "2026-11-19T11:00:00Z", "2026-11-20"},
		{"two in one period, the other way round", []streaks.ZoneChange{{At: noon, Zone: apia}, {At: noon + 1, Zone: honolulu}}, "2026-11-19T10:00:00Z", "2026-11-19"},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := zoning(t, c.changes...)
			if got := z.Label(z.Stamp(instant(t, c.at), 0)); got != c.want {
				t.Errorf("%s is in %s, want %s", c.at, got, c.want)
			}
		})
	}
}

func TestZoning_EndOfAProlongedPeriod(t *testing.T) {
	z := zoning(t, streaks.ZoneChange{At: instant(t, "2026-11-18T12:00:00Z"), Zone: location(t, "Pacific/Honolulu")})
	o := z.Stamp(instant(t, "2026-11-18T13:00:00Z"), 0)
	if got, want := z.End(o, 0).String(), "2026-11-19T10:00:00.000Z"; got != want {
		t.Errorf("ends %s, want %s", got, want)
	}
}
