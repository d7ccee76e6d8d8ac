package query

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/ranking"
)

// tied are scores with ties at the beginning, in the middle and at the end, in the order of the board; equal ones are sent in this order.
var tied = []int{9, 9, 7, 5, 5, 5, 4, 2, 2, 2}

// sendTied sends tied as u0, u1, … and says what each numbering makes of them, counted by hand.
func (g *rig) sendTied() map[string][]int {
	for i, score := range tied {
		g.send(fmt.Sprintf("u%d %d 2026-11-21T10:00:%02dZ", i, score, i))
	}
	return map[string][]int{
		"ordinal":  {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		"standard": {1, 1, 3, 4, 4, 4, 7, 8, 8, 8},
		"dense":    {1, 1, 2, 3, 3, 3, 4, 5, 5, 5},
	}
}

// TestLeaderboard_TiesOverWindows: a window begins and ends anywhere in a tie and numbers as the whole board does.
func TestLeaderboard_TiesOverWindows(t *testing.T) {
	g := newRig(t)
	for rule, ranks := range g.sendTied() {
		var whole []string
		for i, score := range tied {
			whole = append(whole, fmt.Sprintf("%d u%d %d", ranks[i], i, score))
		}
		for offset := range len(tied) + 2 {
			for limit := range len(tied) + 2 {
				l := g.page(rule, "day", Page{Limit: limit, Offset: offset})
				from := min(offset, len(tied))
				to := min(offset+limit, len(tied))
				want := append([]string{}, whole[from:max(from, to)]...)
				if diff := cmp.Diff(want, brief(l.Rows)); diff != "" || l.Total != len(tied) {
					t.Fatalf("%s, %d rows from %d on, total %d (-want +got)\n%s", rule, limit, offset, l.Total, diff)
				}
				if more := to > from && to < len(tied); more != (l.Next != "") {
					t.Errorf("%s, %d rows from %d on: next is %q", rule, limit, offset, l.Next)
				}
			}
		}
	}
}

// TestLeaderboard_CursorWalk: pages of any length join into the whole board.
func TestLeaderboard_CursorWalk(t *testing.T) {
	g := newRig(t)
	g.sendTied()
	whole := brief(g.page("standard", "day", Page{Limit: 100}).Rows)
	for limit := 1; limit <= len(tied)+1; limit++ {
		var walked []string
		for p := (Page{Limit: limit}); ; {
			l := g.page("standard", "day", p)
			walked = append(walked, brief(l.Rows)...)
			if p.Cursor = l.Next; p.Cursor == "" {
				break
			}
		}
		if diff := cmp.Diff(whole, walked); diff != "" {
			t.Errorf("%d a page (-whole +walked)\n%s", limit, diff)
		}
	}
}

// TestLeaderboard_CursorWhileScoresMove: the walk goes on after the place where it stopped, wherever the user of that place has gone.
func TestLeaderboard_CursorWhileScoresMove(t *testing.T) {
	g := newRig(t)
	for i := range 8 {
		g.send(fmt.Sprintf("u%d %d 2026-11-21T10:00:00Z", i, 100-10*i))
	}
	first := g.page("ordinal", "day", Page{Limit: 3})
	g.send("u2 500 2026-11-21T10:01:00Z", "u1 -95 2026-11-21T10:01:00Z", "u7 70 2026-11-21T10:01:00Z")
	second := g.page("ordinal", "day", Page{Limit: 3, Cursor: first.Next})
	third := g.page("ordinal", "day", Page{Limit: 3, Cursor: second.Next})
	got := [][]string{brief(first.Rows), brief(second.Rows), brief(third.Rows)}
	want := [][]string{{"1 u0 100", "2 u1 90", "3 u2 80"}, {"4 u3 70", "5 u4 60", "6 u5 50"}, {"7 u6 40", "8 u1 -5"}}
	if diff := cmp.Diff(want, got); diff != "" || third.Next != "" {
		t.Errorf("next at the end is %q (-want +got)\n%s", third.Next, diff)
	}
}

func TestLeaderboard_CursorOfNoSuchPage(t *testing.T) {
	g := newRig(t)
	g.sendTied()
	g.send("lap u0 1 2026-11-21T10:00:00Z", "lap u1 2 2026-11-21T10:00:00Z")
	next := func(rule, period string) string { return g.page(rule, period, Page{Limit: 1}).Next }
	good := next("ordinal", "day")
	board, err := g.locate(org, "ordinal", "day", g.clock.Now())
	must(t, err)
	cursors := map[string]string{
		"another period":              next("ordinal", "week"),
		"another rule":                next("dense", "day"),
		"another order":               next("least", "week"),
		"not base64":                  "!" + good,
		"too short":                   good[:6],
		"cut":                         good[:len(good)-4],
		"longer":                      good + "AAAA",
		"of a log":                    g.sealer.seal(nil, "activities", string(org), "u0"),
		"of a part of the board":      board.cursor(g.sealer, "top_percent=5", ranking.Entry{User: "u0"}),
		"signed by another secret":    board.cursor(sealer{func() []byte { return []byte("other") }}, "", ranking.Entry{User: "u0"}),
		"long":                        strings.Repeat("A", 1<<16),
		"bits that decode to nothing": good[:len(good)-1] + "B",
	}
	raw, err := base64.RawURLEncoding.DecodeString(good)
	must(t, err)
	for i := range raw {
		forged := append([]byte{}, raw...)
		forged[i] ^= 1
		cursors[fmt.Sprint("byte ", i)] = base64.RawURLEncoding.EncodeToString(forged)
	}
	for what, cursor := range cursors {
		if _, err := g.Leaderboard(t.Context(), org, "ordinal", "day", Page{Limit: 1, Cursor: cursor}, nil); !errors.Is(err, ErrBadCursor) || Detail(err) == "" {
			t.Errorf("%s: error is %v", what, err)
		}
	}
	if l := g.page("ordinal", "day", Page{Limit: 1, Cursor: good}); l.Rows[0].User != activity.User("u1") {
		t.Errorf("the cursor itself leads to %v", brief(l.Rows))
	}
}
