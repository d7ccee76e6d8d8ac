package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

func TestCommit_DropsBoards(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		ctx := context.Background()
		w1, w2, w3 := weekly(1), weekly(2), weekly(3)
		at := &store.Standing{Value: 7, Reached: 9}
		var rows []store.BoardWrite
		for i := range 1500 {
			rows = append(rows, place(w1, activity.User(strconv.Itoa(i)), nil, at))
		}
		other := feed.Board{Org: org + "2", Rule: "r", Label: "l"}
		h.commit(store.Group{Org: org, Boards: append(rows, place(w2, "ann", nil, at), place(w3, "ann", nil, at))},
			store.Group{Org: other.Org, Boards: []store.BoardWrite{place(other, "ann", nil, at)}})
		if n, err := h.BoardSize(ctx, 0, w1); n != 1500 || err != nil {
			t.Errorf("%d rows, %v; want 1500", n, err)
		}
		before := h.tail()
		// A group that fails drops nothing; another of the same commit may write other boards.
		r := h.commit(store.Group{Org: org, Drops: []feed.Board{w1, weekly(99)}, OrgChanged: true},
			store.Group{Org: org, Doc: state("ann"), Expect: "AAAAAAAA", Drops: []feed.Board{w2}},
			store.Group{Org: org, Boards: []store.BoardWrite{place(w3, "bob", nil, at)}})
		wants(t, r, store.Applied, store.Stale, store.Applied)
		if got := len(h.board(w1, false)); got != 0 {
			t.Errorf("%d rows are left of the dropped board", got)
		}
		if len(h.board(w2, false)) != 1 || len(h.board(w3, false)) != 2 {
			t.Error("boards that were not dropped are not what they were")
		}
		changes := h.changes(before)
		if diff := cmp.Diff([]feed.Change{r.Change}, changes); diff != "" {
			t.Errorf("what followers see (-commit +stream):\n%s", diff)
		}
		if diff := cmp.Diff([]feed.Board{w1, weekly(99)}, changes[0].Dropped); diff != "" {
			t.Errorf("dropped (-want +got):\n%s", diff)
		}
		var left []feed.Board
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			page, next, err := h.Boards(ctx, 0, org, cursor)
			if err != nil {
				t.Fatal(err)
			}
			left, cursor = append(left, page...), next
		}
		slices.SortFunc(left, func(a, b feed.Board) int {
			return len(a.Label) - len(b.Label) + int(a.Label[len(a.Label)-1]) - int(b.Label[len(b.Label)-1])
		})
		if diff := cmp.Diff([]feed.Board{w2, w3}, left); diff != "" {
			t.Errorf("boards (-want +got):\n%s", diff)
		}
		for name, groups := range map[string][]store.Group{
			"twice":        {{Org: org, Drops: []feed.Board{w2, w2}}},
			"after writes": {{Org: org, Boards: []store.BoardWrite{place(w2, "bob", nil, at)}}, {Org: org, Drops: []feed.Board{w2}}},
			"before":       {{Org: org, Drops: []feed.Board{w2}}, {Org: org, Boards: []store.BoardWrite{place(w2, "bob", nil, at)}}},
		} {
			if _, err := h.Commit(ctx, 0, groups); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

func TestCommit_AppendKeepsSoMany(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		ctx := context.Background()
		var version store.Version
		for i := range 40 {
			g := write("ann", version, "x")
			for j := range 25 {
				g.Writes = append(g.Writes, store.Op{Kind: store.OpAppend, Key: store.TransfersKey(0), Args: []string{"n", strconv.Itoa(25*i + j)}, Keep: 300})
			}
			version = h.commit(g).Version
		}
		// A server trims whole nodes of 100 entries.
		got, err := h.Client().XRange(ctx, string(store.TransfersKey(0)), "-", "+").Result()
		if err != nil || len(got) < 300 || len(got) > 400 || got[len(got)-1].Values["n"] != "999" {
			t.Errorf("%d entries of 1000, %v; want about 300, the newest", len(got), err)
		}
	})
}

func TestEvents_InOrderUntilTrimmed(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		ctx := context.Background()
		var version store.Version
		add := func(from, n int) {
			g := write("ann", version, "x")
			for i := range n {
				g.Writes = append(g.Writes, store.AppendEvent(org, fmt.Appendf(nil, `{"n":%d}`, from+i)))
			}
			version = h.commit(g).Version
		}
		if got, err := h.Events(ctx, 0, feed.Position{}, 10); err != nil || len(got) != 0 {
			t.Errorf("without any: %v, %v", got, err)
		}
		add(0, 5)
		all, err := h.Events(ctx, 0, feed.Position{}, 10)
		if err != nil || len(all) != 5 || all[0].Org != org || string(all[4].Body) != `{"n":4}` {
			t.Fatalf("%v, %v", all, err)
		}
		two, err := h.Events(ctx, 0, all[1].ID, 2)
		if diff := cmp.Diff(all[2:4], two); err != nil || diff != "" {
			t.Errorf("after the second: %v\n%s", err, diff)
		}
		if early, err := h.Events(ctx, 0, feed.Position{Ms: 1}, 10); err != nil || len(early) != 5 {
			t.Errorf("after a position before all, of which none was trimmed: %d, %v", len(early), err)
		}
		for n := 5; n < store.OutboxKeep+300; n += 2000 {
			add(n, 2000)
		}
		if _, err := h.Events(ctx, 0, all[1].ID, 10); !errors.Is(err, store.ErrEventsGone) {
			t.Errorf("after a trimmed position: %v", err)
		}
		oldest, err := h.Events(ctx, 0, feed.Position{}, 1)
		if err != nil || len(oldest) != 1 {
			t.Fatalf("%v, %v", oldest, err)
		}
		if _, err := h.Events(ctx, 0, oldest[0].ID, 10); err != nil {
			t.Errorf("after the oldest that is kept: %v", err)
		}
	})
}
