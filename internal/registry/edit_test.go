package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"laurel/internal/catalog"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// put edits one streak rule of the org git.
func put(ctx context.Context, r *registry.Registry, id, unit string, ifMatch store.Version, anyVersion bool) (*registry.Entry, error) {
	return r.Edit(ctx, "git", ifMatch, anyVersion, func(c *catalog.Catalog) (*catalog.Catalog, error) {
		return c.Put(catalog.Streaks, id, fmt.Appendf(nil, "{when: {}, unit: %s}", unit))
	})
}

func TestRegistry_Edit(t *testing.T) {
	s := openStore(t, 2)
	r, other := node(t, s), node(t, s)
	if _, err := put(t.Context(), r, "s", "day", "", true); !errors.Is(err, registry.ErrOrgNotFound) {
		t.Errorf("an org without a catalog: %v", err)
	}
	first := publish(t, r, org(t, "git", "a"), "")
	second, err := put(t.Context(), r, "s", "day", first.Version, false)
	if err != nil || second.Version == first.Version || second.Fence(1) == first.Fence(1) || second.Catalog.Streak("s") == nil || second.Catalog.Rule("a") == nil {
		t.Fatalf("edit: %v", err)
	}
	if _, err := put(t.Context(), r, "s", "week", first.Version, false); !errors.Is(err, registry.ErrVersionMismatch) {
		t.Errorf("with the version before: %v", err)
	}
	// A node that has not heard of the edit edits what is stored.
	third, err := put(t.Context(), other, "q", "week", "", true)
	if err != nil || third.Catalog.Streak("s") == nil {
		t.Errorf("another node: %v", err)
	}
	same, err := put(t.Context(), r, "q", "week", "", true)
	if err != nil || same.Version != third.Version {
		t.Errorf("an edit that changes nothing: %v", err)
	}
	var faults catalog.Faults
	if _, err := put(t.Context(), r, "a", "week", "", true); !errors.As(err, &faults) {
		t.Errorf("a fault: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := put(ctx, r, "z", "day", "", true); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}

// An edit that is overtaken is made again of what overtook it; with a version it is refused instead.
func TestRegistry_EditIsOvertaken(t *testing.T) {
	for _, anyVersion := range []bool{true, false} {
		s := openStore(t, 1)
		r, other := node(t, s), node(t, s)
		first := publish(t, r, org(t, "git", "a"), "")
		calls := 0
		e, err := r.Edit(t.Context(), "git", first.Version, anyVersion, func(c *catalog.Catalog) (*catalog.Catalog, error) {
			if calls++; calls == 1 {
				if _, err := put(t.Context(), other, "faster", "day", "", true); err != nil {
					t.Fatal(err)
				}
			}
			return c.Put(catalog.Streaks, "slower", []byte("{when: {}, unit: day}"))
		})
		if anyVersion && (err != nil || calls != 2 || e.Catalog.Streak("faster") == nil || e.Catalog.Streak("slower") == nil) {
			t.Errorf("after %d calls: %v", calls, err)
		}
		if !anyVersion && (!errors.Is(err, registry.ErrVersionMismatch) || calls != 1) {
			t.Errorf("with a version, after %d calls: %v", calls, err)
		}
	}
}

func TestRegistry_ConcurrentEditsAreNeverLost(t *testing.T) {
	const editors, edits = 8, 6
	s := openStore(t, 2)
	nodes := []*registry.Registry{node(t, s), node(t, s)}
	publish(t, nodes[0], org(t, "git", "a"), "")
	var g errgroup.Group
	for i := range editors {
		g.Go(func() error {
			for k := range edits {
				if _, err := put(context.Background(), nodes[i%2], fmt.Sprintf("s%d-%d", i, k), "day", "", true); err != nil {
					return fmt.Errorf("editor %d, edit %d: %w", i, k, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	e, err := nodes[0].Reload(t.Context(), "git")
	if err != nil || len(e.Catalog.Streaks) != editors*edits || e.Catalog.Rule("a") == nil {
		t.Errorf("%d streaks, want %d: %v", len(e.Catalog.Streaks), editors*edits, err)
	}
}
