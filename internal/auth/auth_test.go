package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/clock"
	"laurel/internal/store"
)

// fixture is an embedded store, a clock that stands still, and keys on top.
type fixture struct {
	*auth.Keys
	store *store.Store
	clock *clock.Clock
}

func setUp(t *testing.T) fixture {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f := fixture{store: s, clock: &clock.Clock{}}
	f.at("2026-11-21T12:00:00Z")
	f.Keys = f.node(t)
	return f
}

// node is another server on the same store.
func (f fixture) node(t *testing.T) *auth.Keys {
	t.Helper()
	k := auth.New(f.store, f.clock)
	if err := k.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

func (f fixture) at(s string) {
	i, _, err := calendar.ParseInstant(s)
	if err != nil {
		panic(err)
	}
	f.clock.Set(&i)
}

func secret(scopes ...auth.Scope) auth.Spec {
	return auth.Spec{Name: "backend", Kind: auth.Secret, Scopes: scopes}
}

func TestKeys_CreateAuthenticateRevoke(t *testing.T) {
	f := setUp(t)
	other := f.node(t)
	key, token, err := f.Create(t.Context(), "git", secret(auth.UsersRead, auth.BoardsRead, auth.UsersRead))
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Authenticate(token, "")
	want := &auth.Identity{KeyIDs: []string{key.ID}, Kind: auth.Secret, Orgs: []activity.Org{"git"}, Scopes: []auth.Scope{auth.BoardsRead, auth.UsersRead}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, identity differs:\n%s", err, diff)
	}
	if !got.Allows(auth.UsersRead) || got.Allows(auth.KeysAdmin) {
		t.Error("the identity allows other scopes than its own")
	}
	if _, err := other.Authenticate(token, ""); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("another node knows the key before it reloads: %v", err)
	}
	if err := other.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Authenticate(token, ""); err != nil {
		t.Errorf("another node does not know the key after it reloads: %v", err)
	}
	for range 2 {
		if err := f.Revoke(t.Context(), "git", key.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Authenticate(token, ""); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("a revoked key: %v", err)
	}
	if got := f.List(t.Context(), "git"); len(got) != 1 || got[0].RevokedAt != f.clock.Now() {
		t.Errorf("the revoked key is not listed as such: %+v", got)
	}
}

func TestKeys_OneOrgCannotTouchAnothers(t *testing.T) {
	f := setUp(t)
	key, token, err := f.Create(t.Context(), "git", secret(auth.KeysAdmin))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Revoke(t.Context(), "shop", key.ID); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Errorf("revoke by another org: %v", err)
	}
	if _, err := f.Get(t.Context(), "shop", key.ID); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Errorf("get by another org: %v", err)
	}
	if list := f.List(t.Context(), "shop"); len(list) != 0 {
		t.Errorf("another org lists %v", list)
	}
	if _, err := f.Authenticate(token, ""); err != nil {
		t.Errorf("the key is gone: %v", err)
	}
}

func TestKeys_Expire(t *testing.T) {
	f := setUp(t)
	s := secret(auth.UsersRead)
	s.Expires = f.clock.Now() + 1000
	_, token, err := f.Create(t.Context(), "git", s)
	if err != nil {
		t.Fatal(err)
	}
	f.at("2026-11-21T12:00:00.999Z")
	if _, err := f.Authenticate(token, ""); err != nil {
		t.Errorf("a millisecond before: %v", err)
	}
	f.at("2026-11-21T12:00:01Z")
	if _, err := f.Authenticate(token, ""); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("at the instant: %v", err)
	}
}

func TestKeys_Origins(t *testing.T) {
	f := setUp(t)
	spec := auth.Spec{Name: "page", Kind: auth.Publishable, Scopes: []auth.Scope{auth.BoardsRead}, Origins: []string{"https://shop.example"}}
	key, token, err := f.Create(t.Context(), "git", spec)
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]error{"https://shop.example": nil, "": nil, "https://evil.example": auth.ErrForbidden,
		"http://shop.example": auth.ErrForbidden, "null": auth.ErrForbidden} {
		if _, err := f.Authenticate(token, origin); !errors.Is(err, want) {
			t.Errorf("origin %q: %v, want %v", origin, err, want)
		}
	}
	if !f.KnowsOrigin("https://shop.example") || f.KnowsOrigin("https://evil.example") {
		t.Error("KnowsOrigin is wrong")
	}
	if err := f.Revoke(t.Context(), "git", key.ID); err != nil {
		t.Fatal(err)
	}
	if f.KnowsOrigin("https://shop.example") {
		t.Error("the origin outlives its only key")
	}
}

func TestKeys_RefusesBadSpecs(t *testing.T) {
	f := setUp(t)
	boards := []auth.Scope{auth.BoardsRead}
	origins := []string{"https://shop.example"}
	cases := map[string]struct {
		spec  auth.Spec
		field string
	}{
		"no name":                {auth.Spec{Kind: auth.Secret, Scopes: boards}, "name"},
		"control in name":        {auth.Spec{Name: "a\nb", Kind: auth.Secret, Scopes: boards}, "name"},
		"no kind":                {auth.Spec{Name: "a", Scopes: boards}, "kind"},
		"no scopes":              {auth.Spec{Name: "a", Kind: auth.Secret}, "scopes"},
		"unknown scope":          {auth.Spec{Name: "a", Kind: auth.Secret, Scopes: []auth.Scope{"root"}}, "scopes[0]"},
		"pk without origins":     {auth.Spec{Name: "a", Kind: auth.Publishable, Scopes: boards}, "origins"},
		"pk that writes":         {auth.Spec{Name: "a", Kind: auth.Publishable, Scopes: []auth.Scope{auth.ActivitiesWrite}, Origins: origins}, "scopes[0]"},
		"sk with origins":        {auth.Spec{Name: "a", Kind: auth.Secret, Scopes: boards, Origins: origins}, "origins"},
		"origin with a path":     {auth.Spec{Name: "a", Kind: auth.Publishable, Scopes: boards, Origins: []string{"https://shop.example/"}}, "origins[0]"},
		"origin without scheme":  {auth.Spec{Name: "a", Kind: auth.Publishable, Scopes: boards, Origins: []string{"shop.example"}}, "origins[0]"},
		"expires before its day": {auth.Spec{Name: "a", Kind: auth.Secret, Scopes: boards, Expires: 1}, "expires_at"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := f.Create(t.Context(), "git", c.spec)
			var spec *auth.SpecError
			if !errors.As(err, &spec) || !errors.Is(err, auth.ErrBadKey) || spec.Field != c.field {
				t.Errorf("got %v, want a fault of %s", err, c.field)
			}
		})
	}
}

func TestKeys_Bootstrap(t *testing.T) {
	f := setUp(t)
	const token = "sk_dev"
	bootstrap := func(k *auth.Keys, orgs ...activity.Org) {
		t.Helper()
		if err := k.Bootstrap(t.Context(), token, orgs); err != nil {
			t.Fatal(err)
		}
	}
	bootstrap(f.Keys, "git", "shop")
	id, err := f.Authenticate(token, "")
	if err != nil || !cmp.Equal(id.Orgs, []activity.Org{"git", "shop"}) || !cmp.Equal(id.Scopes, auth.Scopes()) {
		t.Fatalf("error %v, identity %+v", err, id)
	}

	git := f.List(t.Context(), "git")
	if err := f.Revoke(t.Context(), "git", git[0].ID); err != nil {
		t.Fatal(err)
	}
	restarted := f.node(t)
	bootstrap(restarted, "git", "shop", "new")
	id, err = restarted.Authenticate(token, "")
	if err != nil || !cmp.Equal(id.Orgs, []activity.Org{"new", "shop"}) {
		t.Errorf("after a restart: error %v, identity %+v: the revoked org must stay out and the new one come in", err, id)
	}
	if err := restarted.Bootstrap(t.Context(), "another", []activity.Org{"git", "shop"}); err != nil {
		t.Fatal(err)
	}
	if _, err := restarted.Authenticate("another", ""); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("another bootstrap key for orgs that had one: %v", err)
	}
	for _, bad := range []string{"", "two words", "ünicode", strings.Repeat("x", 257)} {
		if err := f.Bootstrap(t.Context(), bad, []activity.Org{"x"}); !errors.Is(err, auth.ErrBadKey) {
			t.Errorf("token %q: %v", bad, err)
		}
	}
}

func TestIdentity_Org(t *testing.T) {
	one := &auth.Identity{Orgs: []activity.Org{"git"}}
	two := &auth.Identity{Orgs: []activity.Org{"git", "shop"}}
	cases := []struct {
		id     *auth.Identity
		header string
		org    activity.Org
		err    error
	}{
		{one, "", "git", nil}, {one, "git", "git", nil}, {one, "shop", "", auth.ErrForbidden},
		{two, "", "", auth.ErrOrgRequired}, {two, "shop", "shop", nil}, {two, "x", "", auth.ErrForbidden},
	}
	for _, c := range cases {
		if org, err := c.id.Org(c.header); org != c.org || !errors.Is(err, c.err) {
			t.Errorf("%v, header %q: got %q, %v", c.id.Orgs, c.header, org, err)
		}
	}
}

func TestKeys_AuthenticateRefusesWithoutStore(t *testing.T) {
	f := setUp(t)
	for _, token := range []string{"", "sk_unknown", strings.Repeat("x", 1<<20)} {
		if _, err := f.Authenticate(token, ""); !errors.Is(err, auth.ErrUnauthorized) {
			t.Errorf("token of %d bytes: %v", len(token), err)
		}
	}
	if allocs := testing.AllocsPerRun(100, func() { _, _ = f.Authenticate("sk_0123456789012345678901234567890", "") }); allocs > 1 {
		t.Errorf("%v allocations for a lookup", allocs)
	}
}

func TestParseScope(t *testing.T) {
	if s, ok := auth.ParseScope("Get User Data"); !ok || s != auth.UsersRead {
		t.Errorf("the alias gives %q, %v", s, ok)
	}
	for _, s := range auth.Scopes() {
		if got, ok := auth.ParseScope(string(s)); !ok || got != s {
			t.Errorf("%q gives %q, %v", s, got, ok)
		}
	}
	if _, ok := auth.ParseScope("Boards:Read"); ok {
		t.Error("a scope in other letters is known")
	}
}
