package closing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/store"
	"laurel/ranking"
)

const kept = `
orgs:
  - id: org
    limits: {max_past: 1d, close_grace: 1h, log_days: 90}
    rules:
      - {id: count, when: {name: a}, value: count, cycles: [day, all], keep: {day: %d}}
`

const day = 24 * time.Hour

// dayBoard is the board of the day that is so many days after noon's.
func dayBoard(n int) feed.Board {
	return feed.Board{Org: org, Rule: "count", Label: noon.Add(time.Duration(n) * day).Format("2006-01-02")}
}

// live submits one activity of every user at each of n noons from the first on, closing in between.
func live(t *testing.T, ids *sent, nodes []*node, from, to, users int) {
	t.Helper()
	for d := from; d < to; d++ {
		at := noon.Add(time.Duration(d) * day)
		for _, n := range nodes {
			n.set(at)
		}
		var items []ingest.Item
		for u := range users {
			items = append(items, ids.item(fmt.Sprint("u", u), "a", 1, at))
		}
		nodes[d%len(nodes)].submit(t, ingest.SubmitOptions{}, items...)
		nodes[(d+1)%len(nodes)].close(t)
	}
}

func expectDays(t *testing.T, n *node, from, to int) {
	t.Helper()
	want := []string{}
	for d := from; d < to; d++ {
		want = append(want, dayBoard(d).Label)
	}
	got := append([]string{}, n.labels(t, "count")...)
	if diff := cmp.Diff(append(want, "all"), got); diff != "" {
		t.Errorf("boards in the store (-want +got)\n%s", diff)
	}
}

func (n *node) mustOpen(t *testing.T, b feed.Board) *ranking.Board {
	t.Helper()
	open, err := n.boards.Open(t.Context(), b, ranking.Descending)
	if err != nil {
		t.Fatal(err)
	}
	return open
}

// settle waits until the node has followed everything that the other has written.
func (n *node) settle(t *testing.T, other *node) {
	t.Helper()
	if err := n.boards.WaitFor(t.Context(), other.boards.Revision()); err != nil {
		t.Fatal(err)
	}
}

// keys is how many keys the store has.
func (n *node) keys(t *testing.T) int {
	t.Helper()
	size, err := n.store.Client().DBSize(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return int(size)
}

// tallies are the days that a user's state has.
func (n *node) tallies(t *testing.T, user activity.User) (days int) {
	t.Helper()
	s, err := n.State(t.Context(), org, user)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Rules[0].Cycles {
		if c.Key == "day" {
			days = len(c.Periods)
		}
	}
	return days
}

// TestRetention_FreesAndStaysGone: periods past their retention leave the store, every node's memory and the users' states, and nothing brings them back.
func TestRetention_FreesAndStaysGone(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		const users = 40
		one, two := nodes[0], nodes[1]
		var ids sent
		one.set(noon)
		two.set(noon)
		publish(t, fmt.Sprintf(kept, 3), one, two)
		one.close(t)
		live(t, &ids, nodes, 0, 4, users)
		two.settle(t, one)
		for d := range 4 {
			one.mustOpen(t, dayBoard(d))
			two.mustOpen(t, dayBoard(d))
		}
		expectDays(t, one, 0, 4)
		before, members := one.keys(t), two.boards.Stats().Members
		if members != 4*users {
			t.Fatalf("%d members", members)
		}
		// Days 0 to 6 close; the last three of those stay, and day 7, which is open.
		live(t, &ids, nodes, 4, 8, users)
		expectDays(t, one, 4, 8)
		one.settle(t, two)
		two.settle(t, one)
		for _, n := range nodes {
			if s := n.boards.Stats(); s.Members != 0 {
				t.Errorf("%d members of boards that are gone are in memory", s.Members)
			}
			if open := n.mustOpen(t, dayBoard(0)); size(open) != 0 {
				t.Errorf("%d rows of a day that is gone", size(open))
			}
		}
		if after := one.keys(t); after > before+one.store.Partitions() { // as many days on the boards as before; the document of deadlines aside
			t.Errorf("%d keys became %d", before, after)
		}
		if got := one.tallies(t, "u0"); got != 5 { // as of the last activity, when four had closed
			t.Errorf("a user has the tallies of %d days", got)
		}
		writesNothing(t, &ids, nodes)
		expectDays(t, one, 4, 8)
		changesOfKeep(t, &ids, nodes)
	})
}

func size(b *ranking.Board) (n int) {
	b.View(func(x *ranking.Index, _ uint64) { n = x.Len() })
	return n
}

// writesNothing does all that could write rows of days that are gone: history of them comes, and what was counted in them is taken back and restored.
func writesNothing(t *testing.T, ids *sent, nodes []*node) {
	t.Helper()
	one, two := nodes[0], nodes[1]
	r := one.submit(t, ingest.SubmitOptions{Import: imported(t, one)}, ids.item("new", "a", 1, noon.Add(-600*day)), ids.item("u1", "a", 1, noon))
	for i, label := range []string{noon.Add(-600 * day).Format("2006-01-02"), dayBoard(0).Label} {
		if got := r.Outcomes[i].ClosedFor; len(got) != 1 || got[0].Label != label {
			t.Errorf("history: closed for %v", got)
		}
	}
	if _, err := two.Reject(t.Context(), org, "u1", r.Outcomes[1].ID, "test"); err != nil {
		t.Error(err)
	}
	if _, err := two.Reject(t.Context(), org, "u0", "i1", "of day 0"); err != nil {
		t.Error(err)
	}
	if _, err := one.Restore(t.Context(), org, "u0", "i1"); err != nil {
		t.Error(err)
	}
	all := one.rows(t, feed.Board{Org: org, Rule: "count", Label: "all"}, false)
	if all["new"].Value != 1 || all["u0"].Value != 8 || all["u1"].Value != 8 {
		t.Errorf("on the board of all: %v", all)
	}
}

// changesOfKeep: with less to keep more is dropped at once; with more nothing comes back.
func changesOfKeep(t *testing.T, ids *sent, nodes []*node) {
	t.Helper()
	one, two := nodes[0], nodes[1]
	publish(t, fmt.Sprintf(kept, 2), one, two)
	two.close(t)
	expectDays(t, one, 5, 8)
	publish(t, fmt.Sprintf(kept, 100), one, two)
	one.close(t)
	publish(t, strings.Replace(fmt.Sprintf(kept, 100), ", keep: {day: 100}", "", 1), two, one)
	r := one.submit(t, ingest.SubmitOptions{Import: imported(t, one)}, ids.item("u2", "a", 1, noon.Add(2*day)))
	if len(r.Outcomes[0].ClosedFor) != 1 {
		t.Error("a later catalog brought a day back")
	}
	expectDays(t, one, 5, 8)
	live(t, ids, nodes, 8, 12, 2)
	expectDays(t, one, 5, 12)
}

// TestRetention_Segments: the boards of segments go with their rule's, day by day.
func TestRetention_Segments(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		one := nodes[0]
		one.set(noon)
		publish(t, strings.Replace(fmt.Sprintf(kept, 2), "value: count", "value: count, segment_by: user.country", 1), nodes...)
		one.close(t)
		live(t, &sent{}, nodes[:1], 0, 1, 3)
		stray := store.Standing{Value: 1, Reached: 1}
		at := feed.Board{Org: org, Rule: "count@AT", Label: dayBoard(0).Label}
		group := store.Group{Org: org, Boards: []store.BoardWrite{{Board: at, User: "u0", New: &stray}}}
		if _, err := one.store.Commit(t.Context(), one.store.PartitionOf(org, "u0"), []store.Group{group}); err != nil {
			t.Fatal(err)
		}
		live(t, &sent{n: 10}, nodes[:1], 1, 3, 3)
		if got := one.labels(t, "count@AT"); len(got) != 1 {
			t.Errorf("too early: %v", got)
		}
		live(t, &sent{n: 100}, nodes[:1], 3, 4, 3)
		if got := one.labels(t, "count@AT"); len(got) != 0 {
			t.Errorf("%v is left", got)
		}
	})
}

// TestRetention_FirstSeen: an org that existed before has its old boards found and dropped, segments' too, and those of rules that are no longer defined stay.
func TestRetention_FirstSeen(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		one := nodes[0]
		one.set(noon)
		stray := store.Standing{Value: 1, Reached: 1}
		var group store.Group
		for d := range 1200 {
			group.Boards = append(group.Boards, store.BoardWrite{Board: dayBoard(-d), User: "old", New: &stray})
		}
		for _, rule := range []string{"count@AT", "removed"} {
			group.Boards = append(group.Boards, store.BoardWrite{Board: feed.Board{Org: org, Rule: rule, Label: dayBoard(-4).Label}, User: "old", New: &stray})
		}
		group.Org = org
		if _, err := one.store.Commit(t.Context(), one.store.PartitionOf(org, "old"), []store.Group{group}); err != nil {
			t.Fatal(err)
		}
		publish(t, fmt.Sprintf(kept, 3), nodes...)
		one.close(t)
		if got := one.labels(t, "count"); len(got) != 4 {
			t.Errorf("days %v", got)
		}
		if at, removed := one.labels(t, "count@AT"), one.labels(t, "removed"); len(at) != 0 || len(removed) != 1 {
			t.Errorf("%v of a segment, %v of a rule that is not defined", at, removed)
		}
		if e, _ := one.registry.Get(org); !e.Kept.Gone("count", "day", ordinal(t, one, dayBoard(-4).Label)) || e.Kept.Gone("count", "day", ordinal(t, one, dayBoard(-3).Label)) {
			t.Errorf("%v", e.Kept)
		}
	})
}

func ordinal(t *testing.T, n *node, label string) calendar.Ordinal {
	t.Helper()
	e, _ := n.registry.Get(org)
	o, err := e.Catalog.Calendar().ParseLabel(calendar.Cycle{Unit: calendar.Day}, label)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
