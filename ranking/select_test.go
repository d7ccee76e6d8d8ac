package ranking

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// TestIndex_SelectByValue holds what is asked by value against counting through all entries, for values on the board, between and beyond them.
func TestIndex_SelectByValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := Order(rapid.IntRange(0, 1).Draw(t, "order"))
		value := rapid.OneOf(rapid.Int64Range(-9, 9), rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64 - 1, math.MaxInt64}))
		values := rapid.SliceOfN(value, 0, 300).Draw(t, "values")
		x := NewIndex(order)
		for i, v := range values {
			at := rapid.SampledFrom([]calendar.Instant{math.MinInt64, 0, 5, math.MaxInt64}).Draw(t, "reached")
			x.Upsert(Entry{User: activity.User(fmt.Sprint("u", i)), Value: v, Reached: at})
		}
		v := value.Draw(t, "v")
		ahead, through, distinct := 0, 0, map[int64]bool{}
		for _, w := range values {
			better := order == Descending && w > v || order == Ascending && w < v
			if better {
				ahead++
				distinct[w] = true
			}
			if better || w == v {
				through++
			}
		}
		if got := x.Ahead(v); got != ahead {
			t.Errorf("Ahead(%d) = %d, want %d", v, got, ahead)
		}
		if got := x.Through(v); got != through {
			t.Errorf("Through(%d) = %d, want %d", v, got, through)
		}
		for ties, want := range map[Ties]int{Ordinal: through + 1, Standard: ahead + 1, Dense: len(distinct) + 1} {
			if got := x.RankOf(v, ties); got != want {
				t.Errorf("RankOf(%d, %d) = %d, want %d", v, ties, got, want)
			}
			x.Upsert(Entry{User: "newcomer", Value: v, Reached: math.MaxInt64})
			place, _ := x.Position("newcomer")
			if got, _ := x.Rank("newcomer", ties); x.RankAt(place, ties) != got || ties != Ordinal && got != want {
				t.Errorf("who comes to %d is number %d and %d by ties %d, want %d", v, x.RankAt(place, ties), got, ties, want)
			}
			x.Remove("newcomer")
		}
	})
}
