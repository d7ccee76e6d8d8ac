package query

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
)

// TestLeaderboard_CursorProperty walks boards of all numberings and both orders page by page while users move, enter, and move again. Who did not
// move comes exactly once, in the order of the board.
func TestLeaderboard_CursorProperty(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	g := newRig(t)
	send := func(user int) {
		at := fmt.Sprintf("2026-11-21T10:%02d:%02dZ", random.IntN(60), random.IntN(60))
		g.send(fmt.Sprintf("u%d %d %s", user, random.IntN(9)-3, at), fmt.Sprintf("lap u%d %d.%02d %s", user, random.IntN(5), random.IntN(3), at))
	}
	for user := range 30 {
		send(user)
	}
	for walk := range 40 {
		rule, period := "least", "week"
		if walk%4 > 0 {
			rule, period = []string{"ordinal", "standard", "dense"}[walk%4-1], "day"
		}
		before := g.page(rule, period, Page{Limit: 1000}).Rows
		seen, moved := map[activity.User]int{}, map[activity.User]bool{}
		var order []activity.User
		for p := (Page{Limit: 1 + random.IntN(5)}); ; p.Limit = 1 + random.IntN(5) {
			l := g.page(rule, period, p)
			for _, row := range l.Rows {
				seen[row.User]++
				order = append(order, row.User)
			}
			if p.Cursor = l.Next; p.Cursor == "" {
				break
			}
			user := random.IntN(33)
			send(user)
			moved[activity.User(fmt.Sprint("u", user))] = true
		}
		place := 0
		for _, row := range before {
			if moved[row.User] {
				continue
			}
			if seen[row.User] != 1 {
				t.Fatalf("walk %d of %s: %s did not move and came %d times", walk, rule, row.User, seen[row.User])
			}
			for ; place < len(order) && order[place] != row.User; place++ {
			}
			if place == len(order) {
				t.Fatalf("walk %d of %s: %s came before one that is ahead", walk, rule, row.User)
			}
		}
	}
}

// TestActivities_Cursor: pages of a log join into the whole, and nothing but a next of the same log is taken.
func TestActivities_Cursor(t *testing.T) {
	g := newRig(t)
	for i := range 7 {
		g.send(fmt.Sprintf("ann 1 2026-11-21T10:00:%02dZ", i/3), fmt.Sprintf("bob 1 2026-11-21T10:00:%02dZ", i))
	}
	walked, next := []activity.ID{}, ""
	for {
		list, more, err := g.Activities(t.Context(), org, "ann", ActivityQuery{Limit: 2, Cursor: next})
		must(t, err)
		for i := range list {
			walked = append(walked, list[i].ID)
		}
		if next = more; next == "" {
			break
		}
	}
	if diff := cmp.Diff([]activity.ID{"a13", "a9", "a7", "a11", "a5", "a3", "a1"}, walked); diff != "" {
		t.Errorf("the pages of a log (-want +got)\n%s", diff)
	}
	_, ofBob, err := g.Activities(t.Context(), org, "bob", ActivityQuery{Limit: 2, Cursor: ""})
	must(t, err)
	_, ofAnn, err := g.Activities(t.Context(), org, "ann", ActivityQuery{Limit: 2, Cursor: ""})
	must(t, err)
	g.sendTied()
	for what, cursor := range map[string]string{"another user's": ofBob, "cut": ofAnn[:len(ofAnn)-3], "of old": "1763719200000.a1", "garbage": "x",
		"of a board": g.page("ordinal", "day", Page{Limit: 1}).Next} {
		if _, _, err := g.Activities(t.Context(), org, "ann", ActivityQuery{Limit: 2, Cursor: cursor}); !errors.Is(err, ErrBadCursor) || Detail(err) == "" {
			t.Errorf("%s: error is %v", what, err)
		}
	}
}
