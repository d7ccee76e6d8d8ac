package store

import (
	"fmt"
	"strings"
	"testing"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// TestCommit_AllocatesLittle: what the usual commit costs before it is sent: 256 activities of as many users, each with a document, a log record and three
// boards.
func TestCommit_AllocatesLittle(t *testing.T) {
	const n = 256
	groups := make([]Group, n)
	was, now := &Standing{Value: 12345, Reached: 1_790_000_000_000}, &Standing{Value: 12346, Reached: 1_790_000_001_000}
	for i := range groups {
		user, id := activity.User(fmt.Sprintf("user-%07d", i)), fmt.Sprint("a", i)
		log := LogKey(0, "o", user)
		groups[i] = Group{Org: "o", User: user, Fence: "FFFFFFFF", Doc: StateKey(0, "o", user), Expect: "EEEEEEEE", Content: []byte(strings.Repeat("s", 200)),
			AbsentIn: log, Absent: []string{id}, Writes: []Op{{Kind: OpHSet, Key: log, Args: []string{id, strings.Repeat("r", 40)}}}}
		for _, label := range []string{"2026-W47", "2026-11", "all"} {
			groups[i].Boards = append(groups[i].Boards, BoardWrite{Board: feed.Board{Org: "o", Rule: "points", Label: label}, User: user, Old: was, New: now})
		}
	}
	words := 0
	allocations := testing.AllocsPerRun(20, func() {
		c, err := prepare(0, "VVVVVVVV", groups)
		if err != nil {
			t.Fatal(err)
		}
		words = len(newLayout(c, 1000).command("EVALSHA", "sha"))
	})
	const budget = 2.0
	if got := allocations / n; got > budget {
		t.Errorf("%.2f allocations an activity, the budget is %v", got, budget)
	} else {
		t.Logf("%.2f of %v", got, budget)
	}
	// Each word is read, held and copied by the server. Two keys an activity have to be words of their own.
	if limit := 2*n + 32; words > limit {
		t.Errorf("%d words for %d activities, want at most %d", words, n, limit)
	}
}
