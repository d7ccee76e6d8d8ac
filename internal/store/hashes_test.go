package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/store"
)

// More hashes than one read asks for come in the order of their keys, empty where there is none.
func TestHashes(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		var keys []store.Key
		var want []map[string]string
		for i := range 1100 {
			key := store.ProfileKey(0, org, activity.User(fmt.Sprint(i)))
			fields := map[string]string{}
			if i%200 == 0 {
				fields["name"] = fmt.Sprint("user ", i)
				h.commit(store.Group{Org: org, Writes: []store.Op{{Kind: store.OpHSet, Key: key, Args: []string{"name", fields["name"]}}}})
			}
			keys, want = append(keys, key), append(want, fields)
		}
		got, err := h.Hashes(context.Background(), keys)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
