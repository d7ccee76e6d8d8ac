package query

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
)

func TestPercentile_RoundsAsExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.OneOf(rapid.IntRange(2, 500), rapid.IntRange(2, 2_000_000_000)).Draw(t, "total")
		rank := rapid.IntRange(1, total).Draw(t, "rank")
		exact := big.NewRat(100*int64(total-rank), int64(total-1))
		want, err := strconv.ParseFloat(exact.FloatString(2), 64) // halves away from zero
		if err != nil {
			t.Fatal(err)
		}
		if got := percentile(rank, total); got != want {
			t.Errorf("rank %d of %d is %v, want %v", rank, total, got, want)
		}
	})
}

func TestPercentile_Ends(t *testing.T) {
	for _, tt := range []struct {
		rank, total int
		want        float64
	}{{1, 1, 100}, {1, 2, 100}, {2, 2, 0}, {2, 3, 50}, {3, 4, 33.33}, {2, 4, 66.67}, {1, 1_000_000, 100}, {1_000_000, 1_000_000, 0}} {
		if got := percentile(tt.rank, tt.total); got != tt.want {
			t.Errorf("rank %d of %d is %v, want %v", tt.rank, tt.total, got, tt.want)
		}
	}
}

func TestUserRank_Around(t *testing.T) {
	g := newRig(t)
	for i := range 5 {
		g.send(fmt.Sprintf("u%d %d 2026-11-21T10:00:00Z", i, 50-10*i))
	}
	rows := []string{"1 u0 50", "2 u1 40", "3 u2 30", "4 u3 20", "5 u4 10"}
	for _, tt := range []struct {
		user   activity.User
		around int
		want   []string
	}{
		{"u2", 0, rows[2:3]}, {"u2", 1, rows[1:4]}, {"u2", 2, rows}, {"u2", 500, rows},
		{"u0", 0, rows[:1]}, {"u0", 2, rows[:3]}, {"u1", 2, rows[:4]}, {"u4", 1, rows[3:]}, {"u3", 3, rows},
	} {
		u := g.rank("ordinal", "day", tt.user, tt.around)
		if diff := cmp.Diff(tt.want, brief(u.Around)); diff != "" {
			t.Errorf("%d around %s (-want +got)\n%s", tt.around, tt.user, diff)
		}
	}
	u := g.rank("ordinal", "day", "u1", -1)
	if u.Around != nil || u.Total != 5 || u.Percentile != 75 || u.Rank != 2 {
		t.Errorf("without around: %+v", u)
	}
}

func TestUserRank_Absent(t *testing.T) {
	g := newRig(t)
	g.send("ann 1 2026-11-21T10:00:00Z")
	for _, tt := range []struct {
		rule, period string
		user         activity.User
		want         error
	}{
		{"ordinal", "day", "nobody", ErrUserNotFound}, {"ordinal", "day~1", "ann", ErrNotRanked}, {"least", "week", "ann", ErrNotRanked},
		{"ordinal", "2030-01-01", "ann", ErrNotRanked}, {"none", "day", "ann", ErrRuleNotFound}, {"ordinal", "today", "ann", ErrBadPeriod},
		{"ordinal", "day~9", "ann", ErrPeriodGone},
	} {
		if _, err := g.UserRank(t.Context(), org, tt.rule, tt.period, tt.user, 1, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s on %s %s: %v, want %v", tt.user, tt.rule, tt.period, err, tt.want)
		}
	}
	if _, err := g.UserRanks(t.Context(), org, "nobody", ""); !errors.Is(err, ErrUserNotFound) {
		t.Errorf("ranks of nobody: %v", err)
	}
}

// sendTwoDays gives ann, bob and cyd scores for yesterday and today, dan for today only.
func (g *rig) sendTwoDays() {
	g.send("ann 1 2026-11-20T10:00:00Z", "bob 2 2026-11-20T10:00:00Z", "cyd 2 2026-11-20T10:00:01Z",
		"ann 9 2026-11-21T10:00:00Z", "bob 3 2026-11-21T10:00:00Z", "cyd 3 2026-11-21T10:00:01Z", "dan 7 2026-11-21T10:00:00Z")
}

// TestPreviousRank: every row of a board says the same, whichever read shows it.
func TestPreviousRank(t *testing.T) {
	g := newRig(t)
	g.sendTwoDays()
	want := []string{"1 ann 9 <3", "2 dan 7", "3 bob 3 <1", "3 cyd 3 <1"}
	ranks, err := g.Ranks(t.Context(), org, "standard", "day", []activity.User{"cyd", "ann", "dan", "bob"}, false)
	must(t, err)
	for read, rows := range map[string][]Row{
		"page":   g.page("standard", "day", Page{Limit: 9}).Rows,
		"around": g.rank("standard", "day", "dan", 9).Around,
		"ranks":  ranks.Rows,
	} {
		if diff := cmp.Diff(want, brief(rows)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", read, diff)
		}
	}
	u := g.rank("dense", "day", "ann", 0)
	if diff := cmp.Diff(&Previous{Label: "2026-11-20", Rank: 2, Score: Score{Scaled: 1}}, u.Previous); diff != "" {
		t.Errorf("previous (-want +got)\n%s", diff)
	}
	if u.PreviousRank != 0 {
		t.Errorf("the place itself has previous, and previous_rank %d beside it", u.PreviousRank)
	}
	for _, of := range []struct {
		period string
		user   activity.User
	}{{"day", "dan"}, {"all", "ann"}, {"week", "ann"}, {"day~1", "ann"}} {
		if p := g.rank("ordinal", of.period, of.user, 0).Previous; p != nil {
			t.Errorf("%s of %s has a place before: %+v", of.period, of.user, p)
		}
	}
}

// TestPreviousRank_NotPastRetention: a board that cannot be read does not show through the next one either.
func TestPreviousRank_NotPastRetention(t *testing.T) {
	g := newRig(t)
	g.sendTwoDays()
	g.set("2026-11-27T23:00:00Z") // of the closed ones 25, 24, 23, 22 and 21 are kept
	if _, err := g.UserRank(t.Context(), org, "ordinal", "2026-11-20", "ann", 0, nil); !errors.Is(err, ErrPeriodGone) {
		t.Fatalf("the period before is still there: %v", err)
	}
	if u := g.rank("ordinal", "2026-11-21", "ann", 0); u.Previous != nil || u.Around[0].PreviousRank != 0 {
		t.Errorf("got %+v", u)
	}
	if u := g.rank("standard", "2026-11-21", "ann", 0); u.Previous == nil {
		t.Error("a rule that keeps all lost its period before")
	}
}

func TestRanks(t *testing.T) {
	g := newRig(t)
	g.sendTied() // 9 9 7 5 5 5 4 2 2 2
	asked := []activity.User{"u9", "nobody", "u4", "u1", "u9", "u0", "nobody", "u5", "no one"}
	for rule, want := range map[string][2][]string{ // over the whole board, relative
		"ordinal":  {{"1 u0 9", "2 u1 9", "5 u4 5", "6 u5 5", "10 u9 2"}, {"1 u0 9", "2 u1 9", "3 u4 5", "4 u5 5", "5 u9 2"}},
		"standard": {{"1 u0 9", "1 u1 9", "4 u4 5", "4 u5 5", "8 u9 2"}, {"1 u0 9", "1 u1 9", "3 u4 5", "3 u5 5", "5 u9 2"}},
		"dense":    {{"1 u0 9", "1 u1 9", "3 u4 5", "3 u5 5", "5 u9 2"}, {"1 u0 9", "1 u1 9", "2 u4 5", "2 u5 5", "3 u9 2"}},
	} {
		for i, relative := range []bool{false, true} {
			got, err := g.Ranks(t.Context(), org, rule, "day", asked, relative)
			must(t, err)
			if diff := cmp.Diff(want[i], brief(got.Rows)); diff != "" {
				t.Errorf("%s, relative %v (-want +got)\n%s", rule, relative, diff)
			}
			if diff := cmp.Diff([]activity.User{"nobody", "no one"}, got.Missing); diff != "" {
				t.Errorf("missing (-want +got)\n%s", diff)
			}
		}
	}
	none, err := g.Ranks(t.Context(), org, "dense", "day", nil, true)
	if err != nil || string(none.AppendJSON(nil)) != `{"rows":[],"missing":[],"total":0}` {
		t.Errorf("of nobody: %s, %v", none.AppendJSON(nil), err)
	}
}

// TestRanks_Ascending: the least first, of equal ones who reached it first, and then by user.
func TestRanks_Ascending(t *testing.T) {
	g := newRig(t)
	g.send("lap cyd 2.5 2026-11-21T10:00:00Z", "lap bob 2.5 2026-11-21T10:00:00Z", "lap ann 2.5 2026-11-21T10:00:01Z", "lap dan 0.25 2026-11-21T10:00:02Z")
	want := []string{"1 dan 0.25", "2 bob 2.5", "3 cyd 2.5", "4 ann 2.5"}
	got, err := g.Ranks(t.Context(), org, "least", "14d", []activity.User{"ann", "bob", "cyd", "dan"}, true)
	must(t, err)
	if diff := cmp.Diff(want, brief(got.Rows)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if l := g.page("least", "14d", Page{Limit: 9}); l.Order != "asc" || cmp.Diff(want, brief(l.Rows)) != "" {
		t.Errorf("order %s, rows %v", l.Order, brief(l.Rows))
	}
}
