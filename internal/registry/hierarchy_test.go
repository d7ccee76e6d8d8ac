package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/registry"
)

// under is a catalog of an org that stands under another one.
func under(t *testing.T, id, parent string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.ParseOrg(fmt.Appendf(nil, "{id: %s, parent: %s}", id, parent))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func refused(t *testing.T, r *registry.Registry, c *catalog.Catalog, want string) {
	t.Helper()
	var faults catalog.Faults
	if _, err := r.Publish(t.Context(), c, "", true); !errors.As(err, &faults) || faults[0].Path != "parent" || !strings.Contains(faults[0].Detail, want) {
		t.Errorf("%s under %s: %v, want %s", c.Org, c.Parent, err, want)
	}
}

func TestRegistry_Hierarchy(t *testing.T) {
	s := openStore(t, 1)
	r, other := node(t, s), node(t, s)
	refused(t, r, under(t, "shop", "brand"), "there is no org brand")
	publish(t, r, org(t, "brand", "a"), "")
	publish(t, r, org(t, "elsewhere", "a"), "")
	publish(t, other, under(t, "shop", "brand"), "") // a node that has not heard of the parent reads the store
	publish(t, r, under(t, "till", "shop"), "")
	refused(t, other, under(t, "brand", "till"), "goes round in a circle: the org is above till already")
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[activity.Org][]activity.Org{"brand": {"brand", "shop", "till"}, "shop": {"shop", "till"}, "till": {"till"}, "elsewhere": {"elsewhere"}, "none": nil} {
		if diff := cmp.Diff(want, r.Below(id)); diff != "" {
			t.Errorf("below %s (-want +got):\n%s", id, diff)
		}
	}
}

func TestRegistry_HierarchyIsBounded(t *testing.T) {
	r := node(t, openStore(t, 1))
	publish(t, r, org(t, "o0", "a"), "")
	for i := range 16 {
		publish(t, r, under(t, fmt.Sprintf("o%d", i+1), fmt.Sprintf("o%d", i)), "")
	}
	refused(t, r, under(t, "o17", "o16"), "more than 16 orgs stand above this one")
	if below := r.Below("o0"); len(below) != 17 {
		t.Errorf("below the first: %v", below)
	}
}

// The orgs of a file may come in any order, and a file may turn a hierarchy round.
func TestRegistry_ApplyHierarchy(t *testing.T) {
	r := node(t, openStore(t, 1))
	for _, file := range []string{
		"orgs: [{id: shop, parent: brand}, {id: brand}]",
		"orgs: [{id: brand, parent: shop}, {id: shop}]",
	} {
		if _, err := r.Apply(t.Context(), []byte(file)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if diff := cmp.Diff([]activity.Org{"brand", "shop"}, r.Below("shop")); diff != "" {
		t.Error(diff)
	}
	if _, err := r.Apply(t.Context(), []byte("orgs: [{id: till, parent: none}]")); err == nil || err.Error() != "parent: there is no org none" {
		t.Errorf("a parent that there is not: %v", err)
	}
}

// A backup holds orgs in the order of their ids.
func TestRegistry_RestoresAChildFirst(t *testing.T) {
	r := node(t, openStore(t, 1))
	for _, c := range []*catalog.Catalog{under(t, "a", "b"), org(t, "b", "r")} {
		if _, err := r.Restore(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
	}
	if below := r.Below("b"); len(below) != 2 {
		t.Errorf("below b: %v", below)
	}
}
