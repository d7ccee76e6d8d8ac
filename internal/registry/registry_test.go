package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/registry"
	"laurel/internal/store"
)

func openStore(t *testing.T, partitions int) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo, Partitions: partitions,
		Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func node(t *testing.T, s *store.Store) *registry.Registry {
	t.Helper()
	r := registry.New(s, zerolog.Nop())
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func org(t *testing.T, id, rule string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.ParseOrg([]byte(source(id, rule)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func source(id, rule string) string {
	return "id: " + id + "\nrules:\n  - {id: " + rule + ", when: {name: commit}, value: count, cycles: [day]}\n"
}

func publish(t *testing.T, r *registry.Registry, c *catalog.Catalog, match store.Version) *registry.Entry {
	t.Helper()
	e, err := r.Publish(t.Context(), c, match, false)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRegistry_PublishNeedsTheVersion(t *testing.T) {
	r := node(t, openStore(t, 1))
	first := publish(t, r, org(t, "git", "a"), "")
	if _, err := r.Publish(t.Context(), org(t, "git", "b"), "", false); !errors.Is(err, registry.ErrVersionMismatch) {
		t.Errorf("publishing over a catalog without its version: %v", err)
	}
	second := publish(t, r, org(t, "git", "b"), first.Version)
	if second.Version == first.Version || second.Fence(0) == first.Fence(0) {
		t.Error("a new catalog has the old version or fence")
	}
	if _, err := r.Publish(t.Context(), org(t, "git", "c"), first.Version, false); !errors.Is(err, registry.ErrVersionMismatch) {
		t.Errorf("publishing over a newer catalog: %v", err)
	}
	if got, ok := r.Get("git"); !ok || got.Catalog.Hash != second.Catalog.Hash {
		t.Error("the refused catalog is served")
	}
	third, err := r.Publish(t.Context(), org(t, "git", "c"), "", true)
	if err != nil || third.Catalog.Rules[0].ID != "c" {
		t.Errorf("forced: %v", err)
	}
}

func TestRegistry_PublishingTheSameChangesNothing(t *testing.T) {
	r := node(t, openStore(t, 3))
	first := publish(t, r, org(t, "git", "a"), "")
	again := publish(t, r, org(t, "git", "a"), first.Version)
	if again.Version != first.Version || !cmp.Equal(again.Fences, first.Fences) {
		t.Error("versions moved")
	}
}

func TestRegistry_FenceStopsOldCommits(t *testing.T) {
	s := openStore(t, 3)
	r := node(t, s)
	before := publish(t, r, org(t, "git", "a"), "")
	after := publish(t, r, org(t, "git", "b"), before.Version)
	for p := range store.Partition(3) {
		commit := func(e *registry.Entry) store.Status {
			result, err := s.Commit(t.Context(), p, []store.Group{{Org: "git", Fence: e.Fence(p),
				Writes: []store.Op{{Kind: store.OpHSet, Key: store.ProfileKey(p, "git", "ada"), Args: []string{"a", "b"}}}}})
			if err != nil {
				t.Fatal(err)
			}
			return result.Outcomes[0].Status
		}
		if got := commit(before); got != store.Fenced {
			t.Errorf("partition %d: a commit under the old catalog: status %d", p, got)
		}
		if got := commit(after); got != store.Applied {
			t.Errorf("partition %d: a commit under the new catalog: status %d", p, got)
		}
	}
}

func TestRegistry_OtherNodesFollow(t *testing.T) {
	s := openStore(t, 2)
	a, b := node(t, s), node(t, s)
	published := publish(t, a, org(t, "git", "a"), "")
	if _, ok := b.Get("git"); ok {
		t.Error("another node knows the catalog before it reloads")
	}
	got, err := b.Reload(t.Context(), "git")
	if err != nil || got.Version != published.Version || !cmp.Equal(got.Fences, published.Fences) {
		t.Errorf("after reload: %v", err)
	}
	if diff := cmp.Diff([]activity.Org{"git"}, b.Orgs()); diff != "" {
		t.Error(diff)
	}
	if _, err := b.Reload(t.Context(), "none"); !errors.Is(err, registry.ErrOrgNotFound) {
		t.Errorf("an org without a catalog: %v", err)
	}
}

// A publisher that died after writing the catalog and before its fences must not leave the org stuck.
func TestRegistry_CarriesADeadPublicationForward(t *testing.T) {
	s := openStore(t, 3)
	r := node(t, s)
	first := publish(t, r, org(t, "git", "a"), "")
	next := org(t, "git", "b")
	_, err := s.Commit(t.Context(), 0, []store.Group{{Org: "git", Doc: store.CatalogKey("git"), Expect: first.Version, Content: next.Source}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := node(t, s).Reload(t.Context(), "git")
	if err != nil || e.Catalog.Hash != next.Hash {
		t.Fatalf("reload: %v", err)
	}
	for p, fence := range e.Fences {
		if fence == first.Fences[p] {
			t.Errorf("partition %d still has the old fence", p)
		}
	}
}

func TestRegistry_ConcurrentPublishersAgree(t *testing.T) {
	s := openStore(t, 3)
	r := node(t, s)
	publish(t, r, org(t, "git", "start"), "")
	var g errgroup.Group
	for _, rule := range []string{"a", "b", "c", "d"} {
		publisher, c := node(t, s), org(t, "git", rule)
		g.Go(func() error {
			_, err := publisher.Publish(context.Background(), c, "", true)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	one, err := node(t, s).Reload(t.Context(), "git")
	if err != nil {
		t.Fatal(err)
	}
	two, err := r.Reload(t.Context(), "git")
	if err != nil || one.Version != two.Version || !cmp.Equal(one.Fences, two.Fences) || one.Catalog.Hash != two.Catalog.Hash {
		t.Errorf("nodes disagree: %v", err)
	}
}

func TestRegistry_ApplyOnlyAnotherFile(t *testing.T) {
	s := openStore(t, 1)
	r := node(t, s)
	file := func(rule string) []byte {
		return []byte("orgs:\n  - " + strings.ReplaceAll(strings.TrimSpace(source("git", rule)), "\n", "\n    ") + "\n  - {id: shop}\n")
	}
	apply := func(r *registry.Registry, source []byte, want ...activity.Org) {
		t.Helper()
		changed, err := r.Apply(t.Context(), source)
		if diff := cmp.Diff(want, changed); err != nil || diff != "" {
			t.Errorf("error %v, changed differs:\n%s", err, diff)
		}
	}
	apply(r, file("a"), "git", "shop")
	apply(r, file("a"))
	first, _ := r.Get("git")
	publish(t, r, org(t, "git", "api"), first.Version)
	restarted := node(t, s)
	apply(restarted, file("a"))
	if e, _ := restarted.Get("git"); e.Catalog.Rules[0].ID != "api" {
		t.Error("a restart with the same file took back what was published since")
	}
	apply(restarted, file("b"), "git")

	var faults catalog.Faults
	if _, err := r.Apply(t.Context(), []byte("orgs: [{id: git, rules: 7}]")); !errors.As(err, &faults) {
		t.Errorf("a faulty file: %v", err)
	}
}
