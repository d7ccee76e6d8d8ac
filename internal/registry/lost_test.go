package registry_test

import (
	"testing"

	"laurel/internal/activity"
	"laurel/internal/store"
	"laurel/internal/testenv"

	"github.com/google/go-cmp/cmp"
)

// TestRegistry_WipedStore: what was applied once is applied again where the store no longer has it, and orgs that it does not have go.
func TestRegistry_WipedStore(t *testing.T) {
	server := testenv.StartRedis(t)
	s, err := store.Open(t.Context(), store.Options{URL: server.URL(), Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := node(t, s)
	file := []byte("orgs:\n  - " + indented(source("git", "a")))
	apply := func(want ...activity.Org) {
		t.Helper()
		if changed, err := r.Apply(t.Context(), file); err != nil || !cmp.Equal(changed, want) {
			t.Fatalf("apply: %v, %v; want %v", changed, err, want)
		}
	}
	apply("git")
	apply()
	publish(t, r, org(t, "shop", "a"), "")

	server.Flush()
	if empty, err := r.Empty(t.Context()); err != nil || !empty {
		t.Errorf("empty %v, %v", empty, err)
	}
	apply("git")
	if _, ok := r.Get("shop"); !ok {
		t.Error("an org went before everything was loaded")
	}
	if err := r.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]activity.Org{"git"}, r.Orgs()); diff != "" {
		t.Error(diff)
	}
	publish(t, r, org(t, "shop", "b"), "")
	if got := r.Orgs(); len(got) != 2 {
		t.Errorf("%v: an org cannot come back", got)
	}
}

func indented(text string) string {
	out := ""
	for _, c := range text {
		out += string(c)
		if c == '\n' {
			out += "    "
		}
	}
	return out
}
