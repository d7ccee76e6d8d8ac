package progress_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/oracle"
	"laurel/internal/progress"
)

func TestSegmentBoard_Inverse(t *testing.T) {
	for _, c := range []struct{ rule, segment, board string }{{"r", "", "r"}, {"r", "AT", "r@AT"}, {"a-b", "x.y_z-1", "a-b@x.y_z-1"}} {
		rule, segment := progress.CutSegment(c.board)
		if got := progress.SegmentBoard(c.rule, c.segment); got != c.board || rule != c.rule || segment != c.segment {
			t.Errorf("%+v: %s, %s and %s", c, got, rule, segment)
		}
	}
}

func TestValidSegment(t *testing.T) {
	for value, want := range map[string]bool{"AT": true, "x.y-z_9": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
		"": false, "São Paulo": false, "a@b": false, "a:b": false, "a b": false, "AT\n": false} {
		if progress.ValidSegment(value) != want {
			t.Errorf("%q: not %v", value, want)
		}
	}
}

// redefined is an org whose one rule is segmented by an attribute, or not at all for "".
func redefined(t *rapid.T, by string) *progress.Plan {
	segment := ""
	if by != "" {
		segment = ", segment_by: user." + by
	}
	all, err := catalog.Parse([]byte(fmt.Sprintf("orgs: [{id: o, limits: {max_past: 400d, close_grace: 400d}, rules: ["+
		"{id: r, when: {}, value: count, cycles: [day, all]%s}, {id: s, when: {name: a}, value: {sum: meta.n}, cycles: [week]}]}]", segment)))
	if err != nil {
		t.Fatal(err)
	}
	return progress.NewPlan(all[0])
}

// TestSegments_Redefined: whatever a rule is segmented by, one publication after the other, its boards are what the recorded attributes say, and
// nothing is left on boards of what it was segmented by before.
func TestSegments_Redefined(t *testing.T) {
	s := scenes()[0]
	rapid.Check(t, func(t *rapid.T) {
		by := ""
		u := &user{t: t, plan: redefined(t, by), now: s.begin.AddDate(0, 0, s.days), boards: map[board]progress.Standing{},
			model: &oracle.Model{Org: oracle.Org{Zone: time.UTC, WeekStart: time.Monday, CloseGrace: 400 * 24 * time.Hour}}}
		u.catalog = u.plan.Catalog
		rules := []oracle.Rule{
			{ID: "r", Selector: oracle.Selector{Fold: "count"}, Cycles: cyclesOf("day", "all")},
			{ID: "s", Selector: oracle.Selector{Match: named("a"), Fold: "sum", Number: n}, Cycles: cyclesOf("week")},
		}
		for i := range rapid.IntRange(2, 8).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "publish") {
				by = rapid.SampledFrom([]string{"", "land", "team"}).Draw(t, "by")
				u.plan = redefined(t, by)
				u.rebuild()
			} else {
				r := drawRecord(t, &s, i)
				u.submit([]oracle.Record{r})
			}
			u.rules = slices.Clone(rules)
			if by != "" {
				for _, v := range segments {
					u.rules = append(u.rules, rules[0].Segment(by, v))
				}
			}
			want := map[board]progress.Standing{}
			for i := range u.rules {
				for _, c := range u.rules[i].Cycles {
					for label, rows := range u.model.Boards(&u.rules[i], c) {
						want[board{u.rules[i].ID, label}] = standingOf(rows[0].Value, rows[0].Reached)
					}
				}
			}
			// What nobody can read stays where it is, until the boards are defined again.
			unread := func(b board, _ progress.Standing) bool { return by == "" && strings.Contains(b.rule, "@") }
			if diff := gocmp.Diff(want, cloneWithout(u.boards, unread), gocmp.AllowUnexported(board{})); diff != "" {
				u.fatalf("boards by %q (-model +progress)\n%s", by, diff)
			}
		}
	})
}

// An activity that a segment cannot take is refused, also where the board of everyone could.
func TestSegments_RangeOfASegment(t *testing.T) {
	all, err := catalog.Parse([]byte("orgs: [{id: o, rules: [{id: r, when: {}, value: {sum: value}, cycles: [all], segment_by: user.land}]}]"))
	if err != nil {
		t.Fatal(err)
	}
	of := func(id, land string, value float64) activity.Activity {
		return activity.Activity{ID: activity.ID(id), Name: "a", At: 1000, Value: value, HasValue: true,
			Attributes: []activity.Attribute{{Name: "land", Value: land}}}
	}
	acts := []activity.Activity{of("1", "DE", -catalog.MaxExact), of("2", "AT", catalog.MaxExact), of("3", "AT", 1), of("4", "DE", 1)}
	u := progress.Apply(progress.NewPlan(all[0]), &progress.State{}, acts, 1000)
	var refused []bool
	for _, v := range u.Verdicts {
		refused = append(refused, errors.Is(v.Err, fold.ErrRange))
	}
	if diff := gocmp.Diff([]bool{false, false, true, false}, refused); diff != "" {
		t.Error(diff)
	}
}

// What a base holds of an earlier definition is not mixed with what is folded under the present one.
func TestSegments_FoldedAfterRedefinition(t *testing.T) {
	s := scenes()[0]
	rapid.Check(t, func(t *rapid.T) {
		u := &user{t: t, plan: redefined(t, "land"), now: s.begin.AddDate(0, 0, s.days), boards: map[board]progress.Standing{}, model: &oracle.Model{}}
		u.catalog = u.plan.Catalog
		for i, by := range []string{"land", "team"} {
			u.plan = redefined(t, by)
			u.rebuild()
			u.submit([]oracle.Record{drawRecord(t, &s, i), drawRecord(t, &s, 9-i)})
			before := maps.Clone(u.boards)
			u.fold(u.now.AddDate(0, 0, i-1))
			u.rebuild()
			if diff := gocmp.Diff(before, u.boards, gocmp.AllowUnexported(board{})); diff != "" {
				t.Fatalf("folding under %q changed what is shown (-before +after)\n%s", by, diff)
			}
		}
	})
}
