package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/store"
)

// begin takes the first steps of a merge.
func begin(t *testing.T, n *node, org activity.Org, from, into activity.User, steps int) {
	t.Helper()
	for _, step := range n.MergeSteps(t.Context(), org, from, into)[:steps] {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

func merged(t *testing.T, err error, into activity.User) {
	t.Helper()
	var m *ingest.MergedError
	if !errors.Is(err, ingest.ErrUserMerged) || !errors.As(err, &m) || m.Into != into {
		t.Errorf("%v, want merged into %s", err, into)
	}
}

func TestMerge_Refused(t *testing.T) {
	n, org := startOrg(t, embedded(t, 3))
	n.submit(t, org, ingest.SubmitOptions{}, record("ann", "1", noon.Add(-24*time.Hour)), record("bob", "b", noon), record("eve", "e", noon))
	tests := map[[2]activity.User]error{
		{"ann", "ann"}: ingest.ErrSameUser, {"ann", "nobody"}: ingest.ErrUserNotFound, {"nobody", "ann"}: ingest.ErrUserNotFound,
	}
	for who, want := range tests {
		if err := n.Merge(t.Context(), org, who[0], who[1]); !errors.Is(err, want) {
			t.Errorf("%v: %v, want %v", who, err, want)
		}
	}
	for range 2 {
		if err := n.Merge(t.Context(), org, "ann", "bob"); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Merge(t.Context(), org, "bob", "eve"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{n.Merge(t.Context(), org, "ann", "eve"), n.Merge(t.Context(), org, "eve", "ann"), n.Hide(t.Context(), org, "ann"),
		n.Delete(t.Context(), org, "bob"), n.SetUser(t.Context(), org, "ann", ingest.UserChange{Create: true})} {
		merged(t, err, "eve")
	}
	_, err := n.Reject(t.Context(), org, "ann", "1", "")
	merged(t, err, "eve")
	_, err = n.State(t.Context(), org, "ann")
	merged(t, err, "eve")
	_, err = n.Activity(t.Context(), org, "ann", "1")
	merged(t, err, "eve")
	got := statuses(n.submit(t, org, ingest.SubmitOptions{Effects: true}, record("ann", "1", noon.Add(-24*time.Hour)), record("ann", "2", noon)))
	if diff := cmp.Diff([]string{"duplicate", "accepted"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestMerge_Sealed: what is sealed cannot be moved, and nothing can be moved in behind a seal; neither leaves a trace.
func TestMerge_Sealed(t *testing.T) {
	n, org := startOrg(t, embedded(t, 2))
	m := newModel(t)
	send := func(at time.Time, records ...oracle.Record) {
		n.set(at)
		for i := range records {
			records[i].Received = at
		}
		n.submit(t, org, ingest.SubmitOptions{}, records...)
		m.Records = append(m.Records, records...)
	}
	send(noon, record("old", "1", noon), record("idle", "1", noon), record("new", "1", noon))
	later := noon.Add(25 * 24 * time.Hour)
	send(later, record("old", "2", later)) // and so what was before is folded
	for _, who := range [][2]activity.User{{"old", "new"}, {"idle", "old"}} {
		err := n.Merge(t.Context(), org, who[0], who[1])
		if !errors.Is(err, ingest.ErrSealed) || ingest.Detail(err) == "" {
			t.Errorf("%v: %v", who, err)
		}
	}
	if err := n.SweepNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.check(t, m, org, later)
	// The refusal has left nothing behind that would keep the user from being folded, merged or deleted.
	if err := n.Merge(t.Context(), org, "idle", "new"); err != nil {
		t.Error(err)
	}
	if err := n.Delete(t.Context(), org, "old"); err != nil {
		t.Error(err)
	}
}

// TestMerge_FirstReceivedStays: of an id that both have.
func TestMerge_FirstReceivedStays(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	one, same, other := record("ann", "other", noon), record("ann", "same", noon), record("bob", "other", noon.Add(-time.Hour))
	n.submit(t, org, ingest.SubmitOptions{}, one, same)
	n.set(noon.Add(time.Minute))
	mine := same
	mine.User = "bob"
	n.submit(t, org, ingest.SubmitOptions{}, other, mine)
	if _, err := n.Reject(t.Context(), org, "bob", "other", "test"); err != nil {
		t.Fatal(err)
	}
	if err := n.Merge(t.Context(), org, "ann", "bob"); err != nil {
		t.Fatal(err)
	}
	m := newModel(t)
	one.User = "bob"
	m.Records = []oracle.Record{one, mine}
	n.check(t, m, org, noon.Add(time.Minute))
}

// TestMerge_UnderWay: what comes between the steps is as if it came after the last one.
func TestMerge_UnderWay(t *testing.T) {
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startOrg(t, o)
		for steps := 2; steps <= 4; steps++ {
			ann, bob := activity.User(fmt.Sprint("ann", steps)), activity.User(fmt.Sprint("bob", steps))
			n.submit(t, org, ingest.SubmitOptions{}, record(string(ann), "1", noon), record(string(bob), "2", noon))
			begin(t, n, org, ann, bob, steps)
			again := record(string(ann), "1", noon)
			n.submit(t, org, ingest.SubmitOptions{}, record(string(ann), "3", noon), again)
			merged(t, n.Block(t.Context(), org, ann), bob)
			merged(t, n.Merge(t.Context(), org, bob, ann), bob)
			if err := n.Merge(t.Context(), org, ann, bob); err != nil { // asked again
				t.Fatal(err)
			}
			_, records, err := n.Base(t.Context(), org, bob)
			if err != nil || len(records) != 3 {
				t.Errorf("after %d steps: %v, %v", steps, records, err)
			}
			if _, records, err := n.Base(t.Context(), org, ann); err != nil || len(records) > 0 {
				t.Errorf("after %d steps: %v, %v", steps, records, err)
			}
		}
		// Who awaits somebody is merged and deleted together with that one.
		n.submit(t, org, ingest.SubmitOptions{}, record("a", "1", noon), record("b", "2", noon), record("c", "3", noon))
		begin(t, n, org, "a", "b", 2)
		if err := n.Merge(t.Context(), org, "b", "c"); err != nil {
			t.Fatal(err)
		}
		if _, records, err := n.Base(t.Context(), org, "c"); err != nil || len(records) != 3 {
			t.Errorf("%v, %v", records, err)
		}
		n.submit(t, org, ingest.SubmitOptions{}, record("d", "4", noon))
		begin(t, n, org, "d", "c", 3)
		if err := n.Delete(t.Context(), org, "c"); err != nil {
			t.Fatal(err)
		}
		for _, user := range []activity.User{"a", "b", "c", "d"} {
			if _, err := n.State(t.Context(), org, user); !errors.Is(err, ingest.ErrUserNotFound) {
				t.Errorf("%s: %v", user, err)
			}
		}
	})
}

// TestMerge_AwaitedInVain: a merge that did not come beyond its first step keeps the other from being deleted, merged and folded for some minutes only.
func TestMerge_AwaitedInVain(t *testing.T) {
	n, org := startOrg(t, embedded(t, 2))
	n.submit(t, org, ingest.SubmitOptions{}, record("ann", "1", noon), record("bob", "1", noon), record("eve", "1", noon))
	late := n.MergeSteps(t.Context(), org, "ann", "bob")
	if err := late[0](); err != nil {
		t.Fatal(err)
	}
	busy := []error{n.Delete(t.Context(), org, "bob"), n.Merge(t.Context(), org, "bob", "eve"), n.Merge(t.Context(), org, "ann", "bob")}
	for i, err := range busy {
		if !errors.Is(err, ingest.ErrConflict) {
			t.Errorf("%d: %v", i, err)
		}
	}
	n.set(noon.Add(31 * time.Second))
	if err := late[1](); !errors.Is(err, ingest.ErrConflict) {
		t.Errorf("a late step: %v", err)
	}
	begin(t, n, org, "ann", "bob", 1) // the late one took its note back
	n.set(noon.Add(6 * time.Minute))
	if err := n.Merge(t.Context(), org, "bob", "eve"); err != nil {
		t.Error(err)
	}
	if err := n.Merge(t.Context(), org, "ann", "eve"); err != nil {
		t.Error(err)
	}
}

// TestMerge_AtOnce: users who are merged into each other from all sides while activities come for all of them, on two nodes, end as some users with every
// activity once.
func TestMerge_AtOnce(t *testing.T) { eachServer(t, 3, mergeAtOnce) }

func mergeAtOnce(t *testing.T, o store.Options) {
	nodes := []*node{startNode(t, o), startNode(t, o)}
	for _, n := range nodes {
		n.set(noon)
	}
	users := []string{"ann", "bob", "eve", "joe"}
	for round := range 6 {
		org := nodes[0].publish(t, fmt.Sprintf(definitions, fmt.Sprint("org", round)))
		if _, err := nodes[1].registry.Reload(t.Context(), org); err != nil {
			t.Fatal(err)
		}
		m := newModel(t)
		var mu sync.Mutex
		var g sync.WaitGroup
		send := func(i int) {
			r := record(users[i%4], fmt.Sprint(i), noon.Add(-time.Duration(i)*time.Minute))
			for {
				report, err := nodes[i/4%2].Submit(t.Context(), org, items(r), ingest.SubmitOptions{})
				if got := statuses(report); err == nil && (got[0] == "accepted" || got[0] == "duplicate") {
					break
				} else if !errors.Is(err, ingest.ErrConflict) && !errors.Is(err, ingest.ErrOverloaded) {
					t.Errorf("%v, %v", got, err)
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			m.Records = append(m.Records, r)
		}
		for i := range 8 {
			send(i)
		}
		for i := range 60 {
			g.Go(func() { send(8 + i) })
			if from, into := users[i%4], users[(i/4+round)%4]; i%3 == 0 {
				g.Go(func() {
					err := nodes[i%2].Merge(t.Context(), org, activity.User(from), activity.User(into))
					for _, known := range []error{nil, ingest.ErrConflict, ingest.ErrUserMerged, ingest.ErrSameUser} {
						if errors.Is(err, known) {
							return
						}
					}
					t.Error(err)
				})
			}
		}
		g.Wait()
		last := map[string]string{}
		for _, u := range users {
			_, err := nodes[0].State(t.Context(), org, activity.User(u))
			var to *ingest.MergedError
			if last[u] = u; errors.As(err, &to) {
				last[u] = string(to.Into)
			} else if err != nil {
				t.Fatal(err)
			}
		}
		for i := range m.Records {
			m.Records[i].User = last[m.Records[i].User]
		}
		for _, n := range nodes {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			for _, other := range nodes {
				if err := n.boards.WaitFor(ctx, other.boards.Revision()); err != nil {
					t.Fatal(err)
				}
			}
			cancel()
			n.check(t, m, org, noon)
		}
		t.Log(last)
	}
}

// TestMerge_AwaitedIsNotFolded: nothing is sealed in front of what is about to come.
func TestMerge_AwaitedIsNotFolded(t *testing.T) {
	n, org := startOrg(t, embedded(t, 2))
	n.submit(t, org, ingest.SubmitOptions{}, record("ann", "1", noon), record("bob", "2", noon))
	later := noon.Add(25 * 24 * time.Hour)
	n.set(later)
	steps := n.MergeSteps(t.Context(), org, "ann", "bob")
	folded := func(id string) bool {
		t.Helper()
		r := record("bob", id, later)
		n.submit(t, org, ingest.SubmitOptions{}, r)
		s, err := n.State(t.Context(), org, "bob")
		if err != nil {
			t.Fatal(err)
		}
		return s.Sealed > 0
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		if done := i >= 2; folded(fmt.Sprint("after ", i)) != done {
			t.Errorf("after step %d: folded is %v", i, !done)
		}
	}
	m := newModel(t)
	for i, at := range []time.Time{noon, noon, later, later, later, later} {
		r := record("bob", fmt.Sprint(i), at)
		r.Received = at
		m.Records = append(m.Records, r)
	}
	if err := n.SweepNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.check(t, m, org, later)
}

// TestMerge_ASlowNodeBringsNothingBack: what it has read of a user who departed is of no use once others have finished, and the other one was deleted.
func TestMerge_ASlowNodeBringsNothingBack(t *testing.T) {
	n, org := startOrg(t, embedded(t, 2))
	n.submit(t, org, ingest.SubmitOptions{}, record("ann", "1", noon), record("bob", "2", noon))
	begin(t, n, org, "ann", "bob", 2)
	slow, err := n.Absorb(t.Context(), org, "ann", "bob")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Delete(t.Context(), org, "bob"); err != nil {
		t.Fatal(err)
	}
	anew := record("bob", "3", noon)
	n.submit(t, org, ingest.SubmitOptions{}, anew)
	if err := slow(); err != nil {
		t.Fatal(err)
	}
	m := newModel(t)
	m.Records = []oracle.Record{anew}
	n.check(t, m, org, noon)
}
