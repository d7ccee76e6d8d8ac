package auth_test

import (
	"errors"
	"testing"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/clock"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// TestKeys_WipedStore: until somebody has noticed that the store was wiped keys stay as they were, and no new one is made that would keep the bootstrap
// key from coming back.
func TestKeys_WipedStore(t *testing.T) {
	server := testenv.StartRedis(t)
	s, err := store.Open(t.Context(), store.Options{URL: server.URL(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	k := auth.New(s, &clock.Clock{})
	orgs := []activity.Org{"git"}
	begin := func() {
		t.Helper()
		if err := k.Bootstrap(t.Context(), "root", orgs); err != nil {
			t.Fatal(err)
		}
		if err := k.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	good := func(token string) bool {
		_, err := k.Authenticate(token, "")
		return err == nil
	}
	begin()
	spec := auth.Spec{Name: "x", Kind: auth.Secret, Scopes: []auth.Scope{auth.BoardsRead}}
	made, token, err := k.Create(t.Context(), "git", spec)
	if err != nil {
		t.Fatal(err)
	}

	server.Flush()
	for what, err := range map[string]error{"reload": k.Reload(t.Context()), "revoke": k.Revoke(t.Context(), "git", made.ID)} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, _, err := k.Create(t.Context(), "git", spec); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("create: %v", err)
	}
	if !good("root") || !good(token) {
		t.Error("keys are forgotten before anybody noticed that all was lost")
	}
	begin()
	if !good("root") || good(token) {
		t.Errorf("afterwards the bootstrap key is good: %v, a key that was lost: %v", good("root"), good(token))
	}
}
