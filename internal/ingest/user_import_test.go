package ingest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/store"
)

// finished reads an import until it is finished.
func (n *node) finished(t *testing.T, org activity.Org, id string) ingest.Import {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		i, err := n.Import(t.Context(), org, id)
		if err != nil {
			t.Fatal(err)
		}
		if i.State == ingest.ImportFinished {
			return i
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not finished: %+v", i)
		}
	}
}

// randomRows are rows of few users, some of them bad, and what they amount to one after the other.
func randomRows(r *rand.Rand, rows int) (all []ingest.UserRow, want map[string]map[string]string, bad []int) {
	want = map[string]map[string]string{}
	for line := range rows {
		user := fmt.Sprintf("u%d", r.IntN(rows/4))
		row := ingest.UserRow{Line: line + 1, User: activity.User(user), Change: texts("name", fmt.Sprintf("n%d", r.IntN(100)))}
		texts := row.Change.Profile.Texts
		switch r.IntN(8) {
		case 0:
			texts["country"] = "Austria"
		case 1:
			texts["country"] = []string{"AT", "DE", ""}[r.IntN(3)]
		case 2:
			texts["email"] = fmt.Sprintf("%s-%d@x.org", user, r.IntN(3))
		case 3:
			row.Err = &ingest.ItemError{Code: "bad_json", Detail: "none"}
		}
		all = append(all, row)
		if texts["country"] == "Austria" || row.Err != nil {
			bad = append(bad, line+1)
			continue
		}
		if want[user] == nil {
			want[user] = map[string]string{}
		}
		for field, text := range texts {
			if want[user][field] = text; text == "" {
				delete(want[user], field)
			}
		}
	}
	return all, want, bad
}

func (n *node) profiles(t *testing.T, org activity.Org, of map[string]map[string]string) map[string]map[string]string {
	t.Helper()
	got := map[string]map[string]string{}
	for user := range of {
		hash, err := n.store.Hash(t.Context(), store.ProfileKey(n.store.PartitionOf(org, activity.User(user)), org, activity.User(user)))
		if err != nil {
			t.Fatal(err)
		}
		got[user] = profile.WithoutNotes(hash)
		delete(got[user], profile.CreatedAt)
	}
	return got
}

// TestUserImport_AgainstAModel: an import does what its rows do one after the other, also where the store fails now and then.
func TestUserImport_AgainstAModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	eachStore(t, func(t *testing.T, o store.Options) {
		r := rand.New(rand.NewPCG(seed, 0))
		n, org := startOrg(t, o)
		steps := atomic.Int64{}
		n.OnStep(func(string) error {
			if steps.Add(1)%17 == 0 {
				return store.ErrUnavailable
			}
			return nil
		})
		rows, want, bad := randomRows(r, 600)
		made, err := n.ImportUsers(t.Context(), org, rows)
		if err != nil || made.State != ingest.ImportWaiting || made.Rows != len(rows) {
			t.Fatal(made, err)
		}
		i := n.finished(t, org, made.ID)
		var lines []int
		for _, e := range i.Errors {
			lines = append(lines, e.Line)
		}
		if !slices.Equal(lines, bad) || i.Rejected != len(bad) || i.Created != len(want) || i.Updated != len(rows)-len(bad)-len(want) || i.Done != len(rows) {
			t.Errorf("%d rejected, %d created, %d updated, %d done; want %d, %d; lines %v, want %v", i.Rejected, i.Created, i.Updated, i.Done, len(bad), len(want), lines, bad)
		}
		if diff := cmp.Diff(want, n.profiles(t, org, want)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		jobs, err := n.store.Hash(t.Context(), store.JobsKey())
		part, err2 := n.store.Text(t.Context(), store.ImportPartKey(org, made.ID, 1))
		if err != nil || err2 != nil || len(jobs) > 0 || part != "" {
			t.Errorf("left behind: %v, %d bytes of rows; %v, %v", jobs, len(part), err, err2)
		}
	})
}

// TestUserImport_IsTakenUp: what a node leaves undone another one does, once the first is taken for dead.
func TestUserImport_IsTakenUp(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	rows, want, _ := randomRows(rand.New(rand.NewPCG(1, 2)), 600)
	made, err := n.StoreUserImport(t.Context(), org, rows, 256, n.clock.Now()) // as a node that died after the first part
	if err != nil {
		t.Fatal(err)
	}
	if err := n.WorkOffJobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i, err := n.Import(t.Context(), org, made.ID); err != nil || i.Done != 256 || i.State != ingest.ImportRunning {
		t.Fatalf("taken from a node that may live: %+v, %v", i, err)
	}
	n.set(noon.Add(31 * time.Second))
	if err := n.WorkOffJobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i := n.finished(t, org, made.ID); i.Done != len(rows) || i.Created+i.Updated+i.Rejected != len(rows)-256 {
		t.Errorf("%+v", i)
	}
	last := rows[len(rows)-1].User
	if _, ok := want[string(last)]; ok {
		if _, err := n.State(t.Context(), org, last); err != nil {
			t.Error(err)
		}
	}
}

// TestUserImport_Taken: of two who want a value one gets it, and who wants what another row lets go gets it in any order.
func TestUserImport_Taken(t *testing.T) {
	n, org := startOrg(t, embedded(t, 3))
	if err := n.SetUser(t.Context(), org, "ann", texts("email", "ann@x.org")); err != nil {
		t.Fatal(err)
	}
	made, err := n.ImportUsers(t.Context(), org, []ingest.UserRow{{Line: 2, User: "bob", Change: texts("email", "ann@x.org")}, {Line: 3, User: "ann", Change: texts("email", "a@x.org")},
		{Line: 4, User: "cid", Change: texts("email", "A@x.org")}, {Line: 5, User: "dee", Change: texts("number", "7")}, {Line: 6, User: "eve", Change: texts("number", "07")}})
	if err != nil {
		t.Fatal(err)
	}
	i := n.finished(t, org, made.ID)
	if len(i.Errors) != 2 || i.Errors[0].Code != "taken" || i.Errors[0].Line != 4 || i.Errors[1].Code != "taken" || i.Errors[1].Line != 6 {
		t.Errorf("%+v", i)
	}
	if got, err := n.Find(t.Context(), org, "email", "ann@x.org"); got != "bob" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
