package ingest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// randomDeeds are incomes and gifts of few users, some of which are malformed, refused or there twice.
func randomDeeds(r *rand.Rand, n int) []ingest.Item {
	user := func() string { return fmt.Sprint("u", r.IntN(5)) }
	items := make([]ingest.Item, n)
	for i := range items {
		switch id := fmt.Sprint(r.IntN(n)); r.IntN(8) {
		case 0:
			items[i] = ingest.Item{Err: &ingest.ItemError{Code: "bad_at", Field: "at"}}
		case 1:
			items[i] = gift(user(), id, "coffee", user())
		case 2:
			items[i] = deed(activity.Behaviour, user(), id, "read", 0)
		default:
			items[i] = income(user(), id, float64(1+r.IntN(4)))
		}
	}
	return items
}

// TestSubmitLater_EqualsSubmit: what is submitted later comes to what it would have come to at once.
func TestSubmitLater_EqualsSubmit(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	eachStore(t, func(t *testing.T, o store.Options) {
		at := startNode(t, o)
		at.set(noon)
		org := at.publish(t, economy)
		later := startNode(t, store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 2})
		later.set(noon)
		later.publish(t, economy)

		users := []activity.User{"u0", "u1", "u2", "u3", "u4"}
		for _, u := range users { // everybody is known, and rich: what comes in one request for several has no order
			at.does(t, org, income(string(u), "first", 1000))
			later.does(t, org, income(string(u), "first", 1000))
		}
		items := randomDeeds(rand.New(rand.NewPCG(seed, 0)), 600)
		want := ingest.Report{}
		for chunk := range 2 { // a job's rows come in parts
			r, err := at.Submit(t.Context(), org, items[300*chunk:300*chunk+300], ingest.SubmitOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want.Accepted, want.Duplicates, want.Rejected = want.Accepted+r.Accepted, want.Duplicates+r.Duplicates, want.Rejected+r.Rejected
			want.Outcomes = append(want.Outcomes, r.Outcomes...)
			made, err := later.SubmitLater(t.Context(), org, items[300*chunk:300*chunk+300], false)
			if err != nil {
				t.Fatal(err)
			}
			i := later.finished(t, org, made.ID)
			if i.Accepted != r.Accepted || i.Duplicates != r.Duplicates || i.Rejected != r.Rejected || len(i.Errors) != r.Rejected || i.Done != 300 {
				t.Fatalf("%+v, want %d accepted, %d duplicates, %d rejected", i, r.Accepted, r.Duplicates, r.Rejected)
			}
			for _, e := range i.Errors {
				if o := r.Outcomes[e.Line-1]; o.Err == nil || o.Err.Code != e.Code || o.Err.Field != e.Field {
					t.Errorf("item %d: %+v, want %+v", e.Line, e, o.Err)
				}
			}
			at.pump(t)
			later.pump(t)
		}
		if diff := cmp.Diff(at.balances(t, org, users...), later.balances(t, org, users...)); diff != "" {
			t.Errorf("balances (-at once +later)\n%s", diff)
		}
		if want.Accepted == 0 || want.Duplicates == 0 || want.Rejected == 0 {
			t.Errorf("not much of a history: %+v", want)
		}
	})
}

// TestSubmitLater_OfWhenItCame: an activity without a time happened when it was taken, however late it is decided, and was recorded once by whoever decided it before.
func TestSubmitLater_OfWhenItCame(t *testing.T) {
	n, start := newNode(t, embedded(t, 1), 0)
	n.set(noon)
	org := n.publish(t, economy)
	item := income("ada", "", 5)
	item.Activity.AtGiven, item.Activity.At = false, 0
	items := []ingest.Item{item, income("ada", "known", 1)}
	made, err := n.SubmitLater(t.Context(), org, items, false)
	if err != nil {
		t.Fatal(err)
	}
	if items[0].Activity.ID == "" {
		t.Error("it has no id")
	}
	n.set(noon.Add(time.Hour))
	start()
	if _, err := n.Submit(t.Context(), org, items[1:], ingest.SubmitOptions{}); err != nil { // as a node did that stopped before it had counted
		t.Fatal(err)
	}
	i := n.finished(t, org, made.ID)
	if i.Accepted+i.Duplicates != 2 || i.Rejected != 0 {
		t.Errorf("%+v", i)
	}
	a, err := n.Activity(t.Context(), org, "ada", items[0].Activity.ID)
	if err != nil || a.AtGiven || !a.At.Time().Equal(noon) {
		t.Errorf("%+v, %v", a, err)
	}
	n.expect(t, org, []int64{6}, "ada")
}

// TestSubmitLater_Bounded: no more wait than may, and what has ended goes.
func TestSubmitLater_Bounded(t *testing.T) {
	n, start := newNode(t, embedded(t, 1), 0)
	n.set(noon)
	org := n.publish(t, economy)
	var ids []string
	for k := range 100 {
		made, err := n.SubmitLater(t.Context(), org, []ingest.Item{income("ada", fmt.Sprint(k), 1)}, true)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	if _, err := n.SubmitLater(t.Context(), org, []ingest.Item{income("ada", "more", 1)}, true); !errors.Is(err, ingest.ErrOverloaded) {
		t.Errorf("one more: %v", err)
	}
	start()
	for _, id := range ids {
		if i := n.finished(t, org, id); i.Report == nil || i.Report.Outcomes[0].Effects == nil {
			t.Fatalf("%+v", i)
		}
	}
	n.expect(t, org, []int64{100}, "ada")

	left := func() (there int) {
		for _, id := range ids {
			switch _, err := n.Import(t.Context(), org, id); {
			case err == nil:
				there++
			case !errors.Is(err, ingest.ErrImportNotFound):
				t.Error(err)
			}
		}
		return there
	}
	if err := n.WorkOffJobs(t.Context()); err != nil || left() != 100 {
		t.Errorf("%d left at once, %v", left(), err)
	}
	n.set(noon.Add(time.Hour))
	if err := n.WorkOffJobs(t.Context()); err != nil || left() != 0 {
		t.Errorf("%d left after an hour, %v", left(), err)
	}
}
