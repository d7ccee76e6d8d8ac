package ingest_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// TestDelete_LeavesNothing: of a user with a long history, on boards of rules that were removed since, with a profile and another user merged in, no key, no
// stream entry and no byte of a file is left, nor of that other one.
func TestDelete_LeavesNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, o store.Options) {
		o.ChangesAge = 50 * time.Millisecond
		n, org := startOrg(t, o)
		const user, from = "person@example.com", "anonymous-4711"
		m := newModel(t)
		now := noon
		for day := range 45 { // the log keeps 20 days
			now = noon.Add(time.Duration(day) * 24 * time.Hour)
			n.set(now)
			mine, other := record(user, fmt.Sprint(day), now), record("other", fmt.Sprint(day), now)
			mine.Received, other.Received = now, now
			n.submit(t, org, ingest.SubmitOptions{}, mine, other)
			m.Records = append(m.Records, other)
		}
		zone := "Asia/Tokyo"
		if err := n.SetUser(t.Context(), org, user, ingest.UserChange{Zone: &zone}); err != nil {
			t.Fatal(err)
		}
		n.setUser(t, org, user, texts("email", user, "name", "a person"))
		n.submit(t, org, ingest.SubmitOptions{}, record(from, "x", now))
		n.setUser(t, org, from, texts("username", from))
		for _, u := range []activity.User{user, "other", from, "other", user} {
			tell(t, n.store, org, u)
		}
		if err := n.Merge(t.Context(), org, from, user); err != nil {
			t.Fatal(err)
		}
		tell(t, n.store, org, user)
		before := told(t, n.store, org)
		if before[user] < 3 || before[from] < 1 || before["other"] < 2 {
			t.Errorf("after the merge: events of %v", before)
		}
		// Neither of these is defined any more when the user is deleted, nor a streak.
		fewer := fmt.Sprintf(definitions, "org")
		for _, part := range []string{"day, week, all], ties: standard", "{id: least,", "{id: mine,"} {
			if !strings.Contains(fewer, part) {
				t.Fatal(part)
			}
		}
		fewer = strings.Replace(fewer, "cycles: [day, week, all]", "cycles: [all]", 1)
		for _, id := range []string{"least", "mine"} {
			at := strings.Index(fewer, "      - {id: "+id)
			fewer = fewer[:at] + fewer[at+strings.Index(fewer[at:], "\n")+1:]
		}
		n.publish(t, fewer)

		if err := n.Delete(t.Context(), org, user); err != nil {
			t.Fatal(err)
		}
		if err := n.Delete(t.Context(), org, user); !errors.Is(err, ingest.ErrUserNotFound) {
			t.Errorf("again: %v", err)
		}
		var left []string
		for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); runtime.Gosched() {
			left = append(testenv.Mentions(t, n.store.Client(), o.DataDir, user), testenv.Mentions(t, n.store.Client(), o.DataDir, from)...)
			if len(left) == 0 {
				break
			}
		}
		if len(left) > 0 {
			t.Fatalf("named in %q", left)
		}
		if got := told(t, n.store, org); len(got) != 1 || got["other"] < before["other"] {
			t.Errorf("events are left of %v", got)
		}
		// And both names begin anew.
		n.publish(t, fmt.Sprintf(definitions, "org"))
		again := []oracle.Record{record(user, "0", now), record(from, "x", now)}
		for i := range again {
			again[i].Received = now
		}
		if got := statuses(n.submit(t, org, ingest.SubmitOptions{}, again...)); got[0] != "accepted" || got[1] != "accepted" {
			t.Errorf("as new users: %v", got)
		}
		if err := n.BackfillNow(t.Context(), org); err != nil {
			t.Fatal(err)
		}
		m.Records = append(m.Records, again...)
		n.check(t, m, org, now)
	})
}

// tell commits an event of a user, under a document that is nobody's.
func tell(t *testing.T, s *store.Store, org activity.Org, user activity.User) {
	t.Helper()
	p := s.PartitionOf(org, user)
	guard := store.ColdKey(p, org, "nobody's")
	docs, err := s.Docs(t.Context(), []store.Key{guard})
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"type":"streak.started","user":%q}`, user)
	r, err := s.Commit(t.Context(), p, []store.Group{{Org: org, User: user, Doc: guard, Expect: docs[0].Version, Content: []byte("x"), Events: [][]byte{[]byte(body)}}})
	if err != nil || r.Outcomes[0].Status != store.Applied {
		t.Fatal(r.Outcomes, err)
	}
}

// told is how many events of each user the outboxes have.
func told(t *testing.T, s *store.Store, org activity.Org) map[activity.User]int {
	t.Helper()
	users := map[activity.User]int{}
	for p := range s.Partitions() {
		events, err := s.Events(t.Context(), store.Partition(p), feed.Position{}, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Org == org {
				users[e.User]++
			}
		}
	}
	return users
}
