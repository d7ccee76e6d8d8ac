package ingest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/store"
)

// directory is the list of users as it is stored: when each one came.
func (n *node) directory(t *testing.T, org activity.Org) map[string]int64 {
	t.Helper()
	rows := map[string]int64{}
	for p := range n.store.Partitions() {
		err := n.store.Members(t.Context(), store.BoardKey(store.Partition(p), profile.Directory(org)), func(member string, score float64) error {
			_, user, err := store.ParseMember(member, true)
			rows[string(user)] = int64(score)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// TestDirectory_ListsWhoWasThere: who came before there was a list of users comes into it, once.
func TestDirectory_ListsWhoWasThere(t *testing.T) {
	eachStore(t, listsWhoWasThere)
}

func listsWhoWasThere(t *testing.T, o store.Options) {
	ctx := t.Context()
	n, org := startOrg(t, o)
	n.waitFilled(t, org)
	want := map[string]int64{}
	for i := range 40 {
		user := fmt.Sprintf("u%02d", i)
		n.submit(t, org, ingest.SubmitOptions{}, record(user, "1", noon))
		want[user] = noon.UnixMilli()
	}
	if err := n.Delete(ctx, org, "u00"); err != nil {
		t.Fatal(err)
	}
	if err := n.Merge(ctx, org, "u01", "u02"); err != nil {
		t.Fatal(err)
	}
	delete(want, "u00")
	delete(want, "u01")
	if diff := cmp.Diff(want, n.directory(t, org)); diff != "" {
		t.Fatalf("as they came (-want +got)\n%s", diff)
	}
	n.unlist(t, org, want)
	if err := n.Delete(ctx, org, "u03"); err != nil { // who is not in the list can go too
		t.Fatal(err)
	}
	delete(want, "u03")
	if n.waitFilled(t, org); !n.Listed(org) {
		t.Fatal("not known to be whole")
	}
	if diff := cmp.Diff(want, n.directory(t, org)); diff != "" {
		t.Errorf("after the walk (-want +got)\n%s", diff)
	}
}

// unlist makes the store what it was before there was a list: no rows, of one user not even when it came, and users who follow the catalog.
func (n *node) unlist(t *testing.T, org activity.Org, want map[string]int64) {
	t.Helper()
	commit := func(ctx context.Context, p store.Partition, k store.Key, kind store.OpKind, args ...string) {
		if _, err := n.store.Commit(ctx, p, []store.Group{{Org: org, Writes: []store.Op{{Kind: kind, Key: k, Args: args}}}}); err != nil {
			t.Fatal(err)
		}
	}
	for p := range n.store.Partitions() {
		commit(t.Context(), store.Partition(p), store.BoardKey(store.Partition(p), profile.Directory(org)), store.OpDel)
	}
	p := n.store.PartitionOf(org, "u05")
	commit(t.Context(), p, store.ProfileKey(p, org, "u05"), store.OpHDel, profile.CreatedAt)
	want["u05"] = 0
	docs, err := n.store.Docs(t.Context(), []store.Key{store.BackfillKey(org)})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := n.registry.Get(org)
	r, err := n.store.Commit(t.Context(), 0, []store.Group{{Org: org, Doc: store.BackfillKey(org), Expect: docs[0].Version, Content: fmt.Appendf(nil, `{"catalog":%q}`, e.Edition)}})
	if err != nil || r.Outcomes[0].Status != store.Applied {
		t.Fatal(r, err)
	}
	n.Forget(0) // asks the store again
}
