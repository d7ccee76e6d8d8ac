package store_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/feed"
	"laurel/internal/store"
)

func TestWalkAndScores(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo, Partitions: 2}, walks)
}

func walks(t *testing.T, s *harness) {
	ctx := context.Background()
	board := feed.Board{Org: "o", Rule: "r", Label: "all"}
	for p := range store.Partition(2) {
		g := store.Group{Org: "o", User: "u", Doc: store.StateKey(p, "o", "u"), Content: []byte("x"),
			Writes: []store.Op{{Kind: store.OpHSet, Key: store.LogKey(p, "o", "u"), Args: []string{"1", "r"}}},
			Boards: []store.BoardWrite{{Board: board, User: "u", New: &store.Standing{Value: 0, Reached: 5}}}}
		if _, err := s.Commit(ctx, p, []store.Group{g}); err != nil {
			t.Fatal(err)
		}
	}
	var got []store.Named
	if err := s.Walk(ctx, func(n store.Named) error { got = append(got, n); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b store.Named) int {
		return 10*int(a.Partition-b.Partition) + int(a.Kind) - int(b.Kind)
	})
	var want []store.Named
	for p := range store.Partition(2) {
		want = append(want, store.Named{Partition: p, Kind: store.StateOf, Org: "o", User: "u"}, store.Named{Partition: p, Kind: store.LogOf, Org: "o", User: "u"},
			store.Named{Partition: p, Kind: store.BoardOf, Org: "o", Board: board})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	member := store.Member(store.Standing{Reached: 5}, false, "u")
	scores, err := s.Scores(ctx, store.BoardKey(1, board), []string{"x", member})
	if diff := cmp.Diff([]store.Score{{}, {0, true}}, scores); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if none, err := s.Scores(ctx, "{0}:none", []string{"x"}); err != nil || none[0].Some {
		t.Errorf("of a set that is not there: %v %v", none, err)
	}
	texts, err := s.Texts(ctx, []store.Key{store.StateKey(0, "o", "v"), store.StateKey(0, "o", "u")})
	if err != nil || texts[0] != "" || !strings.HasSuffix(texts[1], "x") || len(texts[1]) != store.VersionLen+1 {
		t.Errorf("%q %v", texts, err)
	}
	members := 0
	if err := s.Members(ctx, store.BoardKey(0, board), func(m string, f float64) error {
		if members++; m != member || f != 0 {
			t.Errorf("%q %v", m, f)
		}
		return nil
	}); err != nil || members != 1 {
		t.Error(members, err)
	}
}
