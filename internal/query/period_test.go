package query

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/calendar"
)

func TestLeaderboard_Periods(t *testing.T) {
	tests := []struct {
		rule, period string
		now          string // "": noon
		want         string // "label start end", with " closed"
		err          error
		detail       []string // parts of it
	}{
		{rule: "ordinal", period: "day", want: "2026-11-21 2026-11-21 2026-11-22"},
		{rule: "ordinal", period: "day~0", want: "2026-11-21 2026-11-21 2026-11-22"},
		{rule: "ordinal", period: "day~1", want: "2026-11-20 2026-11-20 2026-11-21"}, // within close_grace
		{rule: "ordinal", period: "day~2", want: "2026-11-19 2026-11-19 2026-11-20 closed"},
		{rule: "ordinal", period: "week~46", want: "2026-W01 2025-12-29 2026-01-05 closed"},
		{rule: "ordinal", period: "2020-W53", want: "2020-W53 2020-12-28 2021-01-04 closed"},
		{rule: "ordinal", period: "2030-02-28", want: "2030-02-28 2030-02-28 2030-03-01"},
		{rule: "ordinal", period: "all", want: "all"},
		{rule: "ordinal", period: "all~0", want: "all"},
		{rule: "least", period: "14d", want: "14d-2026-11-09 2026-11-09 2026-11-23"},
		{rule: "least", period: "14d~1", want: "14d-2026-10-26 2026-10-26 2026-11-09 closed"},
		{rule: "least", period: "14d-2026-01-05", want: "14d-2026-01-05 2026-01-05 2026-01-19 closed"},
		{rule: "daily.current", period: "all", want: "all"},
		{rule: "both.longest", period: "all", want: "all"},

		{rule: "seasons", period: "season", want: "finals 2026-11-20 2026-12-01"},
		{rule: "seasons", period: "season~1", want: "autumn 2026-09-01 2026-11-01 closed"},
		{rule: "seasons", period: "summer", want: "summer 2026-06-01 2026-09-01 closed"},
		{rule: "seasons", period: "season~4", err: ErrBadPeriod, detail: []string{"season has no period 4 before"}},
		{rule: "seasons", period: "season", now: "2026-11-10T00:00:00Z", err: ErrBadPeriod, detail: []string{"no period of cycle season runs now"}},
		{rule: "seasons", period: "winter", err: ErrBadPeriod, detail: []string{`"winter"`, "season or one of spring, summer, autumn, finals"}},

		{rule: "ordinal", period: "2026-11-16", want: "2026-11-16 2026-11-16 2026-11-17 closed"}, // 19, 18, 17, 16, 15 are kept
		{rule: "ordinal", period: "2026-11-15", want: "2026-11-15 2026-11-15 2026-11-16 closed"},
		{rule: "ordinal", period: "2026-11-14", err: ErrPeriodGone, detail: []string{"ordinal keeps 5 periods of cycle day"}},
		{rule: "ordinal", period: "day~7", err: ErrPeriodGone},
		{rule: "standard", period: "2000-01-01", want: "2000-01-01 2000-01-01 2000-01-02 closed"}, // keeps all
		{rule: "seasons", period: "spring", err: ErrPeriodGone},
		{rule: "seasons", period: "spring", now: "2026-10-01T00:00:00Z", want: "spring 2026-03-01 2026-05-01 closed"},
		{rule: "seasons", period: "spring", now: "2026-11-10T00:00:00Z", err: ErrPeriodGone}, // between listed periods
		{rule: "seasons", period: "summer", now: "2026-11-10T00:00:00Z", want: "summer 2026-06-01 2026-09-01 closed"},
		{rule: "seasons", period: "summer", now: "2027-01-01T00:00:00Z", err: ErrPeriodGone}, // after all of them
		{rule: "seasons", period: "finals", now: "2027-01-01T00:00:00Z", want: "finals 2026-11-20 2026-12-01 closed"},

		{rule: "none", period: "day", err: ErrRuleNotFound, detail: []string{`"none"`}},
		{rule: "none.current", period: "all", err: ErrRuleNotFound},
		{rule: "daily.shortest", period: "all", err: ErrRuleNotFound},
		{rule: "daily.current", period: "day", err: ErrBadPeriod, detail: []string{"all"}},
		{rule: "ordinal", period: "month", err: ErrBadPeriod, detail: []string{"cycle~N", "day or YYYY-MM-DD", "week or YYYY-Www", "all"}},
		{rule: "ordinal", period: "2026-W54", err: ErrBadPeriod},
		{rule: "ordinal", period: "2026-W53x", err: ErrBadPeriod},
		{rule: "ordinal", period: "2026-02-30", err: ErrBadPeriod},
		{rule: "ordinal", period: "2026-11", err: ErrBadPeriod},
		{rule: "ordinal", period: "", err: ErrBadPeriod},
		{rule: "ordinal", period: "all~1", err: ErrBadPeriod},
		{rule: "ordinal", period: "day~", err: ErrBadPeriod, detail: []string{"after ~ comes a number"}},
		{rule: "ordinal", period: "day~-1", err: ErrBadPeriod},
		{rule: "ordinal", period: "day~01", err: ErrBadPeriod},
		{rule: "ordinal", period: "day~1~1", err: ErrBadPeriod},
		{rule: "ordinal", period: "day~100001", err: ErrBadPeriod, detail: []string{"0 to 100000"}},
		{rule: "ordinal", period: "2026-11-21~1", err: ErrBadPeriod},
		{rule: "least", period: "14d-2026-01-06", err: ErrBadPeriod, detail: []string{"such as 14d-2026-11-09"}},
	}
	g := newRig(t)
	for _, tt := range tests {
		t.Run(tt.rule+"/"+tt.period+tt.now, func(t *testing.T) {
			g.set(noon)
			if tt.now != "" {
				g.set(tt.now)
			}
			l, err := g.Leaderboard(t.Context(), org, tt.rule, tt.period, Page{Limit: 10}, nil)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Fatalf("error is %v, want %v", err, tt.err)
			}
			for _, part := range tt.detail {
				if !strings.Contains(Detail(err), part) {
					t.Errorf("detail %q does not say %q", Detail(err), part)
				}
			}
			if err == nil {
				if diff := cmp.Diff(tt.want, wording(l.Period)); diff != "" || l.Rows == nil || l.Total != 0 || l.Next != "" {
					t.Errorf("%+v (-want +got)\n%s", l, diff)
				}
			} else if Detail(err) == "" {
				t.Error("no detail for the client")
			}
		})
	}
}

func wording(p *Period) string {
	s := p.Label
	for _, i := range []*calendar.Instant{p.Start, p.End} {
		if i != nil {
			s += " " + strings.TrimSuffix(i.String(), "T00:00:00.000Z")
		}
	}
	if p.Closed {
		s += " closed"
	}
	return s
}

// TestLeaderboards_ListsEveryBoard: also that of a rule of which no period runs.
func TestLeaderboards_ListsEveryBoard(t *testing.T) {
	g := newRig(t)
	g.set("2026-11-10T00:00:00Z")
	list, err := g.Leaderboards(t.Context(), org)
	must(t, err)
	var got []string
	for _, info := range list.Leaderboards {
		s := info.Rule + " " + info.Order + " " + info.Ties
		for _, c := range info.Cycles {
			s += " " + c.Cycle
			if c.Period != nil {
				s += "=" + c.Period.Label
			}
		}
		got = append(got, s)
	}
	want := []string{
		"ordinal desc ordinal day=2026-11-10 week=2026-W46 all=all", "standard desc standard day=2026-11-10", "dense desc dense day=2026-11-10",
		"least asc ordinal week=2026-W46 14d=14d-2026-11-09", "debts desc ordinal all=all", "seasons desc ordinal season",
		"daily.current desc ordinal all=all", "daily.longest desc ordinal all=all", "both.current desc ordinal all=all", "both.longest desc ordinal all=all",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
