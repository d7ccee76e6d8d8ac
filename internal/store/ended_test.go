package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/calendar"
	"laurel/internal/store"
)

func TestEnded(t *testing.T) {
	onBoth(t, func(t *testing.T, s *harness) {
		g := store.Group{}
		for k := range 5 {
			g.Writes = append(g.Writes, store.Op{Kind: store.OpZAdd, Key: store.EndedKey(), Args: []string{fmt.Sprint(100 * k), fmt.Sprint("org:", k)}})
		}
		s.commit(g)
		for _, c := range []struct {
			name        string
			now         int64
			keep, limit int
			want        []string
		}{
			{"none is due", -1, 5, 9, []string{}},
			{"two are due", 100, 5, 9, []string{"org:0", "org:1"}},
			{"a page of them", 100, 5, 1, []string{"org:0"}},
			{"too many", -1, 2, 9, []string{"org:0", "org:1", "org:2"}},
			{"a page of too many", 400, 2, 2, []string{"org:0", "org:1"}},
		} {
			got, err := s.Ended(t.Context(), calendar.Instant(c.now), c.keep, c.limit)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got)\n%s", c.name, err, diff)
			}
		}
	})
}
