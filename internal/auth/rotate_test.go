package auth_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/store"
)

// TestRotate_Gently: the new secret signs when every node can know it; what the old one signed is good until it ends, and what somebody forges with it is not, from then on.
func TestRotate_Gently(t *testing.T) {
	s := newSigner(t)
	start := s.clock.Now()
	day := calendar.Instant(24 * time.Hour / time.Millisecond)
	old := s.sign(auth.TokenSpec{TTL: auth.MaxTTL})
	done, err := s.Rotate(t.Context(), auth.MaxTTL)
	if err != nil || done != (auth.Rotation{Secret: "tokens.2", Signs: start + 10_000, Until: start + 10_000 + day}) {
		t.Fatalf("%+v %v", done, err)
	}
	meanwhile := s.sign(auth.TokenSpec{TTL: auth.MaxTTL})
	other := s.node(t)
	s.moment(start + 10_000)
	fresh := s.sign(auth.TokenSpec{TTL: auth.MaxTTL})
	for token, signed := range map[string]string{old: "tokens.1", meanwhile: "tokens.1", fresh: "tokens.2"} {
		for _, keys := range []*auth.Keys{s.Keys, other} {
			if id, err := keys.Authenticate(token, ""); err != nil || id.Secret != signed || !keys.GoodSecret(signed) {
				t.Errorf("%+v %v, want one of %s", id, err, signed)
			}
		}
	}
	s.moment(done.Until - 1)
	s.wants("until the end of the old one", meanwhile, nil)
	s.moment(done.Until)
	s.wants("past the end of the old one", meanwhile, auth.ErrUnauthorized)
	if s.GoodSecret("tokens.1") || !s.GoodSecret("tokens.2") || !s.GoodSecret("") {
		t.Error("which secrets are good is told wrongly")
	}
	if _, err := s.Rotate(t.Context(), auth.MaxTTL); err != nil {
		t.Fatal(err)
	}
	if left := s.secrets(); left["tokens.1"] != nil || left["tokens.2"] == nil || s.NewestSecret() != "tokens.3" {
		t.Errorf("there are %v", left)
	}
}

func (s signer) moment(now calendar.Instant) { s.clock.Set(&now) }

func TestRotate_Now(t *testing.T) {
	s := newSigner(t)
	old := s.sign(auth.TokenSpec{})
	other := s.node(t)
	if _, err := s.Rotate(t.Context(), auth.MaxTTL); err != nil {
		t.Fatal(err)
	}
	done, err := s.Rotate(t.Context(), 0)
	if err != nil || done != (auth.Rotation{Secret: "tokens.3", Signs: s.clock.Now()}) {
		t.Fatalf("%+v %v", done, err)
	}
	s.wants("signed before", old, auth.ErrUnauthorized)
	s.wants("signed after", s.sign(auth.TokenSpec{}), nil)
	if err := other.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Authenticate(old, ""); !errors.Is(err, auth.ErrUnauthorized) {
		t.Errorf("another node: %v", err)
	}
	if left, err := s.store.Hash(t.Context(), store.SecretsKey()); err != nil || len(left) != 1 { // no times either
		t.Errorf("there are %v, %v", left, err)
	}
}

// TestRotate_AtOnce: of several rotations at once none is lost and none is half done.
func TestRotate_AtOnce(t *testing.T) {
	s := newSigner(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[string]bool{}
	for range 8 {
		keys := s.node(t)
		wg.Go(func() {
			done, err := keys.Rotate(t.Context(), auth.MaxTTL)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil && !strings.Contains(err.Error(), "rotated by someone else"), err == nil && made[done.Secret]:
				t.Errorf("%+v %v", done, err)
			case err == nil:
				made[done.Secret] = true
			}
		})
	}
	wg.Wait()
	if !made["tokens.2"] {
		t.Errorf("made %v", made)
	}
}
