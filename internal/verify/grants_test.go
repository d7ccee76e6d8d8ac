package verify_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

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
