package query

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// TestActivities_FilteredAndSorted compares pages of a log with what a look through all of it gives.
func TestActivities_FilteredAndSorted(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	g := newRig(t)
	type line struct {
		id, name string
		at       time.Time
		rejected bool
		value    int
	}
	begin, err := time.Parse(time.RFC3339, "2026-11-19T12:00:00Z")
	must(t, err)
	var all []line
	for i := range 120 {
		l := line{fmt.Sprint("a", i+1), []string{"score", "lap"}[r.IntN(2)], begin.Add(time.Duration(r.IntN(40)) * time.Hour), r.IntN(4) == 0, r.IntN(5)}
		g.send(fmt.Sprint(l.name, " ann ", l.value, " ", l.at.Format(time.RFC3339)))
		if l.rejected {
			_, err := g.ingest.Reject(t.Context(), org, "ann", activity.ID(l.id), "")
			must(t, err)
		}
		all = append(all, l)
	}
	bound := func() *calendar.Instant {
		if r.IntN(2) == 0 {
			return nil
		}
		i := calendar.InstantOf(begin.Add(time.Duration(r.IntN(40)) * time.Hour))
		return &i
	}
	for range 60 {
		q := ActivityQuery{Kind: []string{"", "behaviour", "point"}[r.IntN(3)], Name: []string{"", "lap"}[r.IntN(2)], Status: []string{"", "accepted", "rejected", "ignored"}[r.IntN(4)],
			From: bound(), To: bound(), Sort: append(ActivitySorts(), "")[r.IntN(9)], Limit: 1 + r.IntN(30)}
		var want, got []string
		kept := slices.DeleteFunc(slices.Clone(all), func(l line) bool {
			at := calendar.InstantOf(l.at)
			return q.Kind == "point" || q.Name != "" && l.name != q.Name || q.Status == "ignored" || q.Status != "" && (q.Status == "rejected") != l.rejected ||
				q.From != nil && at < *q.From || q.To != nil && at >= *q.To
		})
		slices.SortFunc(kept, func(a, b line) int {
			by, differ := strings.TrimPrefix(q.Sort, "-"), a.at.Compare(b.at)
			if by == "name" && a.name != b.name {
				differ = strings.Compare(a.name, b.name)
			} else if by == "value" && a.value != b.value {
				differ = a.value - b.value
			}
			if differ != 0 {
				return differ
			}
			return map[bool]int{true: -1, false: 1}[a.id < b.id]
		})
		if q.Sort == "" || strings.HasPrefix(q.Sort, "-") {
			slices.Reverse(kept)
		}
		for _, l := range kept {
			want = append(want, l.id)
		}
		for {
			list, next, err := g.Activities(t.Context(), org, "ann", q)
			must(t, err)
			if len(list) > q.Limit {
				t.Fatalf("%d of %d", len(list), q.Limit)
			}
			for _, a := range list {
				got = append(got, string(a.ID))
			}
			if q.Cursor = next; next == "" {
				break
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("%+v (-want +got)\n%s", q, diff)
		}
	}
	_, next, err := g.Activities(t.Context(), org, "ann", ActivityQuery{Limit: 1})
	must(t, err)
	if _, _, err := g.Activities(t.Context(), org, "ann", ActivityQuery{Limit: 1, Name: "lap", Cursor: next}); !errors.Is(err, ErrBadCursor) {
		t.Errorf("the cursor of another list: %v", err)
	}
	for field, q := range map[string]ActivityQuery{"kind": {Kind: "x"}, "status": {Status: "x"}, "sort": {Sort: "id"}} {
		var wrong *ParamError
		if _, _, err := g.Activities(t.Context(), org, "ann", q); !errors.As(err, &wrong) || wrong.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
