package verify_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/ingest"
	"laurel/internal/store"
	"laurel/internal/verify"
)

func TestCheck_Stocks(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		w.Live(rand.New(rand.NewPCG(1, 2)), 40)
		w.mustBeClean()
		p := ingest.StockPartition(w.Store, "org", "mug")
		hash, err := w.Store.Hash(t.Context(), store.HoldsKey(p, "org", "mug"))
		if err != nil || len(hash) == 0 {
			t.Fatalf("holds %v, %v", hash, err)
		}
		for hold := range hash {
			_, err := w.Store.Commit(t.Context(), p, []store.Group{{Org: "org", Writes: []store.Op{{Kind: store.OpHDel, Key: store.HoldsKey(p, "org", "mug"), Args: []string{hold}}}}})
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		r, err := verify.Check(t.Context(), verify.Options{Store: w.Store, Registry: w.Registry, Clock: w.Clock})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[verify.Kind]int{verify.StockWrong: 2}, r.Counts); diff != "" { // of the user, and of the count
			t.Errorf("(-want +found)\n%s", diff)
		}
	})
}

// TestMend_RemembersWhenGrantsExpire: a state that was lost comes back with the deadline of the user's grants.
func TestMend_RemembersWhenGrantsExpire(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		at := calendar.InstantOf(w.Now)
		var items []ingest.Item
		for i := range 2 { // which is a busy day, and has a pin for four days
			items = append(items, ingest.Item{Activity: activity.Activity{ID: activity.ID(fmt.Sprint("p", i)), User: "u:pin", Name: "b", At: at, AtGiven: true}})
		}
		if r, err := w.Writes.Submit(t.Context(), org, items, ingest.SubmitOptions{}); err != nil || r.Accepted != 2 {
			t.Fatal(r, err)
		}
		key := store.StateKey(w.Store.PartitionOf(org, "u:pin"), org, "u:pin")
		w.commit("u:pin", store.Op{Kind: store.OpDel, Key: key})
		if r, err := verify.Mend(t.Context(), w.options()); err != nil || r.Mended == 0 {
			t.Fatal(r, err)
		}
		w.mustBeClean()
		a, err := account.Read(t.Context(), w.Store, org, "u:pin")
		if want := at + 4*24*3600_000; err != nil || a.Stored == nil || a.Stored.Expires != want || a.Stored.Scheduled != want {
			t.Errorf("%+v, %v, want %v", a.Stored, err, want)
		}
	})
}
