package auth_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/store"
)

// signer is a fixture with a key that makes tokens for the org git.
type signer struct {
	fixture
	t   *testing.T
	id  string
	key *auth.Identity
}

func newSigner(t *testing.T) signer {
	f := setUp(t)
	made, text, err := f.Create(t.Context(), "git", secret(auth.TokensWrite))
	if err != nil {
		t.Fatal(err)
	}
	identity, err := f.Authenticate(text, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer{f, t, made.ID, identity}
}

func (s signer) sign(spec auth.TokenSpec) string {
	s.t.Helper()
	token, _, err := s.Sign(s.key, "git", spec)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

// wants says what authenticating gives: nil for a good token.
func (s signer) wants(what, token string, want error) {
	s.t.Helper()
	if _, err := s.Authenticate(token, ""); !errors.Is(err, want) {
		s.t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// secrets are the deployment's own, as the store has them.
func (s signer) secrets() map[string][]byte {
	s.t.Helper()
	fields, err := s.store.Hash(s.t.Context(), store.SecretsKey())
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string][]byte{}
	for name, text := range fields {
		if strings.HasPrefix(name, "since.") || strings.HasPrefix(name, "until.") { // times
			continue
		}
		if out[name], err = hex.DecodeString(text); err != nil {
			s.t.Fatal(err)
		}
	}
	return out
}

func TestSigned_SaysWhatItIsFor(t *testing.T) {
	s := newSigner(t)
	token, expires, err := s.Sign(s.key, "git", auth.TokenSpec{User: "ada", Boards: auth.Boards{"commits/week", "lines"}, Origins: []string{"https://shop.example"}, TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if want := s.clock.Now() + 60_000; expires != want {
		t.Errorf("expires at %v, want %v", expires, want)
	}
	want := &auth.Identity{KeyIDs: []string{s.id}, Kind: auth.Signed, Orgs: []activity.Org{"git"}, Scopes: []auth.Scope{auth.BoardsRead},
		Origins: []string{"https://shop.example"}, ExpiresAt: expires, User: "ada", Boards: auth.Boards{"commits/week", "lines"}, Secret: "tokens.1"}
	for node, keys := range map[string]*auth.Keys{"this node": s.Keys, "another": s.node(t)} {
		for _, origin := range []string{"", "https://shop.example"} {
			got, err := keys.Authenticate(token, origin)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s, origin %q: %v\n%s", node, origin, err, diff)
			}
		}
		for _, origin := range []string{"null", "http://shop.example", "https://shop.example:8443", "https://evil.example"} {
			if _, err := keys.Authenticate(token, origin); !errors.Is(err, auth.ErrForbidden) {
				t.Errorf("%s, origin %q: %v", node, origin, err)
			}
		}
	}
	all, none := s.sign(auth.TokenSpec{}), s.sign(auth.TokenSpec{Boards: auth.Boards{}})
	for token, sees := range map[string]bool{all: true, none: false} {
		id, err := s.Authenticate(token, "https://any.example")
		if err != nil || id.Boards.Allow("commits", "week") != sees || id.ExpiresAt != s.clock.Now()+3_600_000 {
			t.Errorf("%+v %v", id, err)
		}
	}
}

func TestSigned_Time(t *testing.T) {
	s := newSigner(t)
	s.at("2026-11-21T12:00:00.400Z")
	token := s.sign(auth.TokenSpec{TTL: 10 * time.Second})
	for now, want := range map[string]error{
		"2026-11-21T11:59:29.999Z": auth.ErrUnauthorized, // made in the future, beyond what clocks may be apart
		"2026-11-21T11:59:30Z":     nil,
		"2026-11-21T12:00:10.400Z": nil,
		"2026-11-21T12:00:40.999Z": nil,
		"2026-11-21T12:00:41Z":     auth.ErrUnauthorized, // whole seconds, rounded up, and 30 s for clocks that are apart
		"2036-11-21T12:00:00Z":     auth.ErrUnauthorized,
	} {
		s.at(now)
		s.wants(now, token, want)
		if id, err := s.Authenticate(token, ""); err == nil && id.ExpiresAt <= s.clock.Now() {
			t.Errorf("at %s it is good, and expired at %v", now, id.ExpiresAt)
		}
	}
}

func TestSigned_EndsWithItsKey(t *testing.T) {
	s := newSigner(t)
	other := s.node(t)
	token := s.sign(auth.TokenSpec{User: "ada"})
	if err := s.Revoke(t.Context(), "git", s.id); err != nil {
		t.Fatal(err)
	}
	s.wants("key revoked", token, auth.ErrUnauthorized)
	if s.Good("git", s.id) || !other.Good("git", s.id) || s.Good("git", "key_unknown") || other.Good("shop", s.id) {
		t.Error("Good is wrong")
	}
	if err := other.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Authenticate(token, ""); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("another node, after it reloaded: %v", err)
	}

	brief := secret(auth.UsersWrite)
	brief.Expires = s.clock.Now() + 5_000
	_, text, err := s.Create(t.Context(), "git", brief)
	if err != nil {
		t.Fatal(err)
	}
	by, err := s.Authenticate(text, "")
	if err != nil || !by.Allows(auth.TokensWrite) {
		t.Fatal(by, err)
	}
	token, expires, err := s.Sign(by, "git", auth.TokenSpec{})
	if err != nil || expires != brief.Expires {
		t.Errorf("expires at %v, its key at %v: %v", expires, brief.Expires, err)
	}
	s.at("2026-11-21T12:00:05Z")
	s.wants("key expired, whatever the leeway", token, auth.ErrUnauthorized)
}

// TestSigned_SharedKey: a bootstrap key is one record in each org, and ends in each by itself.
func TestSigned_SharedKey(t *testing.T) {
	s := newSigner(t)
	if err := s.Bootstrap(t.Context(), "sk_dev", []activity.Org{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	by, err := s.Authenticate("sk_dev", "")
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[activity.Org]string{}
	for _, org := range []activity.Org{"a", "b"} {
		if tokens[org], _, err = s.Sign(by, org, auth.TokenSpec{}); err != nil {
			t.Fatal(err)
		}
		if id, err := s.Authenticate(tokens[org], ""); err != nil || id.Orgs[0] != org || id.KeyID(org) != "bootstrap_"+string(org) || id.KeyID("c") != "" {
			t.Errorf("%+v %v", id, err)
		}
	}
	if err := s.Revoke(t.Context(), "a", "bootstrap_a"); err != nil {
		t.Fatal(err)
	}
	s.wants("revoked in a", tokens["a"], auth.ErrUnauthorized)
	s.wants("not in b", tokens["b"], nil)
}

// TestSigned_Forged: everything that is not exactly what Sign wrote is refused, also with a good signature under it.
func TestSigned_Forged(t *testing.T) {
	s := newSigner(t)
	good := s.sign(auth.TokenSpec{User: "ada", TTL: time.Minute})
	s.wants("good", good, nil)
	secrets := s.secrets()
	now := s.clock.Now()
	claims := func(change map[string]any) jwt.MapClaims {
		c := jwt.MapClaims{"aud": []string{"laurel/git"}, "sub": "ada", "key": s.id, "iat": int64(now / 1000), "nbf": int64(now / 1000), "exp": int64(now/1000) + 60}
		maps.Copy(c, change)
		maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
		return c
	}
	forge := func(method jwt.SigningMethod, kid any, secret any, c jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, c)
		if token.Header["kid"] = kid; kid == nil {
			delete(token.Header, "kid")
		}
		text, err := token.SignedString(secret)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	const kid = "tokens.1"
	h, own := jwt.SigningMethodHS256, secrets[kid]
	s.wants("forged with the secret itself", forge(h, kid, own, claims(nil)), nil) // so that the others fail for what they say
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT","kid":"tokens.1"}`))
	for what, token := range map[string]string{
		"alg none":                  none + "." + parts[1] + ".",
		"alg none, by the library":  forge(jwt.SigningMethodNone, kid, jwt.UnsafeAllowNoneSignatureType, claims(nil)),
		"alg none, with signature":  none + "." + parts[1] + "." + parts[2],
		"another alg":               forge(jwt.SigningMethodHS512, kid, own, claims(nil)),
		"another secret":            forge(h, kid, []byte(strings.Repeat("x", 32)), claims(nil)),
		"empty secret":              forge(h, kid, []byte{}, claims(nil)),
		"secret of cursors":         forge(h, "cursors", s.cursorSecret(), claims(nil)),
		"unknown kid":               forge(h, "tokens.2", own, claims(nil)),
		"no kid":                    forge(h, nil, own, claims(nil)),
		"kid that is no text":       forge(h, 1, own, claims(nil)),
		"another org":               forge(h, kid, own, claims(map[string]any{"aud": "laurel/shop"})),
		"two orgs":                  forge(h, kid, own, claims(map[string]any{"aud": []string{"laurel/git", "laurel/shop"}})),
		"another service":           forge(h, kid, own, claims(map[string]any{"aud": "elsewhere/git"})),
		"no audience":               forge(h, kid, own, claims(map[string]any{"aud": nil})),
		"good for over a day":       forge(h, kid, own, claims(map[string]any{"exp": int64(now/1000) + 86_400 + 32})),
		"no expiry":                 forge(h, kid, own, claims(map[string]any{"exp": nil})),
		"expired":                   forge(h, kid, own, claims(map[string]any{"exp": int64(now/1000) - 31})),
		"expiry beyond time":        forge(h, kid, own, claims(map[string]any{"exp": "never"})),
		"not yet":                   forge(h, kid, own, claims(map[string]any{"nbf": int64(now/1000) + 31})),
		"no beginning":              forge(h, kid, own, claims(map[string]any{"nbf": nil})),
		"no key":                    forge(h, kid, own, claims(map[string]any{"key": nil})),
		"unknown key":               forge(h, kid, own, claims(map[string]any{"key": "key_0000000000000000"})),
		"huge":                      forge(h, kid, own, claims(map[string]any{"pad": strings.Repeat("x", 8<<10)})),
		"huge and no token":         "eyJ" + strings.Repeat("a", 1<<20) + "..",
		"other claims, signature":   parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":["laurel/git"],"sub":"bob"}`)) + "." + parts[2],
		"no signature":              parts[0] + "." + parts[1] + ".",
		"four parts":                good + ".x",
		"two parts":                 parts[0] + "." + parts[1],
		"padded":                    good + "=",
		"white space":               good + " ",
		"another last character":    good[:len(good)-1] + string(good[len(good)-1]^1),
		"claims that are no object": forgeRaw(own, `[1]`),
		"claims that are no JSON":   forgeRaw(own, `{"aud":`),
	} {
		s.wants(what, token, auth.ErrUnauthorized)
	}
}

// cursorSecret is a secret of the deployment that signs other things.
func (s signer) cursorSecret() []byte {
	s.t.Helper()
	text, err := auth.SharedSecret(s.t.Context(), s.store, "cursors")
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// forgeRaw signs any payload.
func forgeRaw(secret []byte, payload string) string {
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT","kid":"tokens.1"}`)) + "." + enc.EncodeToString([]byte(payload))
	signature, err := jwt.SigningMethodHS256.Sign(text, secret)
	if err != nil {
		panic(err)
	}
	return text + "." + enc.EncodeToString(signature)
}

// TestSigned_Tampered: no single changed byte leaves a token good.
func TestSigned_Tampered(t *testing.T) {
	s := newSigner(t)
	good := s.sign(auth.TokenSpec{User: "ada"})
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(good)-1).Draw(t, "at")
		to := rapid.Byte().Draw(t, "to")
		if good[at] == to {
			return
		}
		bad := good[:at] + string([]byte{to}) + good[at+1:]
		if id, err := s.Authenticate(bad, ""); !errors.Is(err, auth.ErrUnauthorized) {
			t.Fatalf("%+v %v", id, err)
		}
	})
}

func TestSigned_Rotation(t *testing.T) {
	s := newSigner(t)
	old := s.sign(auth.TokenSpec{})
	if _, err := auth.SharedSecret(t.Context(), s.store, "tokens.10"); err != nil {
		t.Fatal(err)
	}
	rotated := s.node(t)
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := s.sign(auth.TokenSpec{})
	for _, token := range []string{old, fresh} {
		s.wants("before the old one goes", token, nil)
		if _, err := rotated.Authenticate(token, ""); err != nil {
			t.Error(err)
		}
	}
	remove := []store.Group{{Writes: []store.Op{{Kind: store.OpHDel, Key: store.SecretsKey(), Args: []string{"tokens.1"}}}}}
	if _, err := s.store.Commit(t.Context(), 0, remove); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wants("signed by the old one", old, auth.ErrUnauthorized)
	s.wants("signed by the new one", fresh, nil)
}

func TestSign_Refuses(t *testing.T) {
	s := newSigner(t)
	for field, spec := range map[string]auth.TokenSpec{
		"user":       {User: activity.User(strings.Repeat("u", 129))},
		"expires_in": {TTL: 24*time.Hour + time.Second},
		"boards":     {Boards: make(auth.Boards, 33)},
		"boards[1]":  {Boards: auth.Boards{"commits", "commits/"}},
		"boards[0]":  {Boards: auth.Boards{"a/b/c"}},
		"origins":    {Origins: make([]string, 9)},
		"origins[0]": {Origins: []string{"null"}},
	} {
		_, _, err := s.Sign(s.key, "git", spec)
		var bad *auth.SpecError
		if !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	boards := make(auth.Boards, 32)
	for i := range boards {
		boards[i] = fmt.Sprintf("%s%02d/2026-W47", strings.Repeat("r", 60), i)
	}
	widest := s.sign(auth.TokenSpec{User: activity.User(strings.Repeat("ü", 64)), Boards: boards})
	s.wants("the widest", widest, nil)
	if id, err := s.AuthenticateSigned(widest, ""); err != nil || !cmp.Equal(id.Boards, boards) {
		t.Errorf("%v", err)
	}
	if _, err := s.AuthenticateSigned("sk_dev", ""); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("a key where only tokens are good: %v", err)
	}
	var header map[string]any
	text, _, _ := strings.Cut(widest, ".")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err := errors.Join(err, json.Unmarshal(b, &header)); err != nil || !cmp.Equal(header, map[string]any{"alg": "HS256", "typ": "JWT", "kid": "tokens.1"}) {
		t.Errorf("%v %v", header, err)
	}
}

func TestBoards(t *testing.T) {
	some := auth.Boards{"commits/week", "lines"}
	for _, c := range []struct {
		boards       auth.Boards
		rule, period string
		board, rules bool
	}{
		{nil, "x", "day", true, true}, {auth.Boards{}, "x", "day", false, false},
		{some, "commits", "week", true, true}, {some, "commits", "week~1", false, true}, {some, "commits", "2026-W47", false, true},
		{some, "lines", "2026-W47", true, true}, {some, "line", "week", false, false}, {some, "", "", false, false}, {some, "commits/week", "", false, false},
	} {
		if c.boards.Allow(c.rule, c.period) != c.board || c.boards.AllowSome(c.rule) != c.rules {
			t.Errorf("%q: %s/%s is %v, %v", c.boards, c.rule, c.period, !c.board, !c.rules)
		}
	}
}

func TestOrigins(t *testing.T) {
	s := newSigner(t)
	for origin, ok := range map[string]bool{
		"https://shop.example": true, "http://localhost:5173": true, "https://shop.example:8443": true, "http://[::1]:8080": true, "https://*.shop.example": true,
		"https://xn--mnchen-3ya.example": true, "https://*.shop.example:8443": true, "http://127.0.0.1": true,
		"null": false, "*": false, "": false, "https://": false, "https://*": false, "https://*.com": false, "https://shop.*": false, "https://a.*.example": false,
		"https://*.*.example": false, "https://*shop.example": false, "https://shop.example/": false, "https://u@shop.example": false, "https://Shop.example": false,
		"HTTPS://shop.example": false, "https://münchen.example": false, "https://shop.example:": false,
		"https://shop.example?": false, "https://shop.example#": false, "ftp://shop.example": false, "shop.example": false, "https://:8443": false,
	} {
		_, _, err := s.Sign(s.key, "git", auth.TokenSpec{Origins: []string{origin}})
		if (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
	spec := auth.Spec{Name: "page", Kind: auth.Publishable, Scopes: []auth.Scope{auth.BoardsRead}, Origins: []string{"https://*.shop.example", "http://localhost:5173"}}
	_, key, err := s.Create(t.Context(), "git", spec)
	if err != nil {
		t.Fatal(err)
	}
	for origin, ok := range map[string]bool{
		"https://a.shop.example": true, "https://a.b.shop.example": true, "http://localhost:5173": true,
		"https://shop.example": false, "https://.shop.example": false, "http://a.shop.example": false, "https://a.shop.example:8443": false, "https://evilshop.example": false,
		"https://a.shop.example.evil": false, "https://evil/.shop.example": false, "https://evil?.shop.example": false, "https://u@a.shop.example": false, "null": false,
		"http://localhost": false, "http://localhost:51730": false, "https://*.shop.example": true, // which no browser sends
	} {
		_, err := s.Authenticate(key, origin)
		if (err == nil) != ok || !ok && !errors.Is(err, auth.ErrForbidden) || s.KnowsOrigin(origin) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
}
