package registry_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/registry"
	"laurel/internal/store"
)

func kept(first calendar.Ordinal) catalog.Kept { return catalog.Kept{"r": {"day": first}} }

func TestRegistry_CloseOnlyGrows(t *testing.T) {
	s := openStore(t, 3)
	r := node(t, s)
	open := publish(t, r, org(t, "git", "a"), "")
	closed, err := r.Close(t.Context(), "git", 500, kept(5))
	if err != nil || closed.ClosedThrough != 500 || !closed.Kept.Gone("r", "day", 4) || closed.Kept.Gone("r", "day", 5) {
		t.Fatalf("%+v, %v", closed, err)
	}
	for p := range open.Fences {
		if closed.Fences[p] == open.Fences[p] {
			t.Errorf("partition %d has the old fence: commits that do not know of the close apply", p)
		}
	}
	earlier, err := r.Close(t.Context(), "git", 400, catalog.Kept{"r": {"day": 3}, "other": {"week": 1}})
	if err != nil || earlier.ClosedThrough != 500 || !earlier.Kept.Equal(catalog.Kept{"r": {"day": 5}, "other": {"week": 1}}) {
		t.Errorf("%+v, %v", earlier, err)
	}
	again, err := r.Close(t.Context(), "git", 500, kept(5))
	if err != nil || !cmp.Equal(again.Fences, earlier.Fences) {
		t.Errorf("closing what is closed moved versions; %v", err)
	}
	published := publish(t, r, org(t, "git", "b"), again.Version)
	if published.ClosedThrough != 500 || !published.Kept.Equal(again.Kept) {
		t.Errorf("a publication forgot what is closed: %+v", published)
	}
}

// A node that died after it had written some fences leaves a close under way, which others carry forward.
func TestRegistry_CarriesADeadCloseForward(t *testing.T) {
	s := openStore(t, 3)
	r := node(t, s)
	e := publish(t, r, org(t, "git", "a"), "")
	content := []byte(`{"catalog":"` + e.Catalog.Hash + `","closed_through":700}`)
	_, err := s.Commit(t.Context(), 1, []store.Group{{Org: "git", Doc: store.FenceKey(1, "git"), Expect: e.Fence(1), Content: content}})
	if err != nil {
		t.Fatal(err)
	}
	next, err := node(t, s).Reload(t.Context(), "git")
	if err != nil || next.ClosedThrough != 700 || next.Fence(0) == e.Fence(0) || next.Fence(2) == e.Fence(2) {
		t.Errorf("%+v, %v", next, err)
	}
}

// Nodes that close and publish at once come to the same: the catalog of the document, and the latest of what was closed.
func TestRegistry_ClosersAndPublishersAgree(t *testing.T) {
	s := openStore(t, 3)
	publish(t, node(t, s), org(t, "git", "start"), "")
	var g errgroup.Group
	for i, rule := range []string{"a", "b", "c"} {
		publisher, closer, c := node(t, s), node(t, s), org(t, "git", rule)
		g.Go(func() error {
			_, err := publisher.Publish(context.Background(), c, "", true)
			return err
		})
		g.Go(func() error {
			for n := range calendar.Instant(3) {
				through := 100*n + calendar.Instant(10*i)
				e, err := closer.Close(context.Background(), "git", through, kept(calendar.Ordinal(through)))
				if err != nil {
					return err
				}
				if e.ClosedThrough < through || !e.Kept.Gone("r", "day", calendar.Ordinal(through)-1) {
					t.Errorf("closed through %v, asked for %v", e.ClosedThrough, through)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	var entries []*registry.Entry
	for range 2 {
		e, err := node(t, s).Reload(t.Context(), "git")
		if err != nil || e.ClosedThrough != 220 || !e.Kept.Equal(kept(220)) {
			t.Fatalf("%+v, %v", e, err)
		}
		entries = append(entries, e)
	}
	if !cmp.Equal(entries[0].Fences, entries[1].Fences) || entries[0].Catalog.Hash != entries[1].Catalog.Hash {
		t.Error("nodes disagree")
	}
}
