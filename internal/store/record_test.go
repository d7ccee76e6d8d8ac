package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/store"
)

// A record's id is checked after all else of its group and written only then, whatever else the group writes. This is the form of most commits, which a server's
// script does in another way than the rest.
func TestCommit_RecordIsWrittenIfAllElseHolds(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		record := func(user activity.User, id string, more ...store.Op) store.Group {
			log := store.LogKey(0, org, user)
			return store.Group{Org: org, User: user, Doc: state(user), Content: []byte(user), AbsentIn: log, Absent: []string{id},
				Writes: append([]store.Op{{Kind: store.OpHSet, Key: log, Args: []string{id, "of " + string(user)}}}, more...)}
		}
		fence := h.commit(store.Group{Org: org, Doc: store.FenceKey(0, org), Content: []byte("f"), OrgChanged: true})
		first := h.commit(record("ann", "a1"), record("bob", "a1"))
		wants(t, first, store.Applied, store.Applied)

		again, stale, fenced, good, two := record("ann", "a1"), record("bob", "a2"), record("cat", "a1"), record("dan", "a1"), record("eve", "a1")
		again.Expect, stale.Expect = first.Version, "AAAAAAAA"
		fenced.Fence, good.Fence = "AAAAAAAA", fence.Version
		good.Writes = append(good.Writes, store.Op{Kind: store.OpZAdd, Key: store.DueKey(0), Args: []string{"7", "dan"}},
			store.Op{Kind: store.OpSet, Key: store.ColdKey(0, org, "dan"), Args: []string{"12345678cold"}})
		two.Writes[0].Args = append(two.Writes[0].Args, "a2", "too")
		r := h.commit(again, stale, fenced, good, two)
		wants(t, r, store.Exists, store.Stale, store.Fenced, store.Applied, store.Applied)
		if diff := cmp.Diff(map[string]string{"a1": "of ann"}, r.Outcomes[0].Found); diff != "" {
			t.Errorf("found (-want +got):\n%s", diff)
		}
		want := map[activity.User]map[string]string{"ann": {"a1": "of ann"}, "bob": {"a1": "of bob"}, "cat": {}, "dan": {"a1": "of dan"}, "eve": {"a1": "of eve", "a2": "too"}}
		for user, records := range want {
			if diff := cmp.Diff(records, h.hash(store.LogKey(0, org, user))); diff != "" {
				t.Errorf("log of %s (-want +got):\n%s", user, diff)
			}
		}
		due, err := h.Due(t.Context(), 0, 100, 10)
		if diff := cmp.Diff([]store.DueItem{{Member: "dan", At: 7}}, due); diff != "" || err != nil {
			t.Errorf("deadlines: %v (-want +got):\n%s", err, diff)
		}
		if got := string(h.doc(store.ColdKey(0, org, "dan")).Content); got != "cold" {
			t.Errorf("the write behind the record gave %q", got)
		}
	})
}
