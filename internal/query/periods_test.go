package query

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/calendar"
)

// Whatever was asked before, a period is the one that the calendar says.
func TestPeriods_AreTheCalendars(t *testing.T) {
	var cals []*calendar.Calendar
	for _, zone := range []string{"UTC", "America/Sao_Paulo"} {
		for _, start := range []time.Weekday{time.Monday, time.Sunday} {
			in, err := time.LoadLocation(zone)
			must(t, err)
			cals = append(cals, calendar.New(in, start, 0))
		}
	}
	window := calendar.Window{ID: "finals", Start: 5, End: 9}
	cycles := []calendar.Cycle{{Unit: calendar.All}, {Unit: calendar.Listed, ID: "seasons", Windows: []calendar.Window{window}}}
	for _, unit := range []calendar.Unit{calendar.Day, calendar.Week, calendar.Month, calendar.Quarter, calendar.Year} {
		cycles = append(cycles, calendar.Cycle{Unit: unit})
	}
	for _, n := range []int{2, 14} {
		for _, from := range []calendar.Date{0, 1} {
			cycles = append(cycles, calendar.Cycle{Unit: calendar.Days, N: n, From: from})
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var p periods
		for range rapid.IntRange(1, 60).Draw(t, "asked") {
			cal, cy := rapid.SampledFrom(cals).Draw(t, "calendar"), rapid.SampledFrom(cycles).Draw(t, "cycle")
			o := calendar.Ordinal(0)
			if cy.Unit != calendar.All && cy.Unit != calendar.Listed {
				o = calendar.Ordinal(rapid.SampledFrom([]int{0, 1, 8, 16, 64}).Draw(t, "ordinal"))
			}
			if diff := cmp.Diff(cal.PeriodOf(cy, o), p.of(cal, cy, o)); diff != "" {
				t.Fatalf("%v %d (-want +got)\n%s", cy, o, diff)
			}
		}
	})
}
