package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"laurel/internal/store"
)

// Secrets that sign tokens are named tokens.1, tokens.2, … among the deployment's own. The one with the greatest number signs and all of them verify, so
// that adding one rotates, and removing the older ones a day later, when nothing they signed is good any more, completes it. Nodes read them at start and whenever a
// key was made or revoked.
const (
	ringPrefix  = "tokens."
	firstSecret = ringPrefix + "1"
)

// ring is the secrets that sign tokens. It is immutable.
type ring struct {
	current string // the name, which is the kid of what it signs
	secrets map[string][]byte
}

// readRing returns what is there; an empty ring if none was ever made.
func (k *Keys) readRing(ctx context.Context) (*ring, error) {
	fields, err := k.store.Hash(ctx, store.SecretsKey())
	if err != nil {
		return nil, fmt.Errorf("read secrets of tokens: %w", err)
	}
	r := &ring{secrets: map[string][]byte{}}
	greatest := uint64(0)
	for name, text := range fields {
		number, ours := strings.CutPrefix(name, ringPrefix)
		if !ours {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 32)
		secret, bad := hex.DecodeString(text)
		if err != nil || bad != nil || len(secret) != sharedLen {
			return nil, fmt.Errorf("secret %s is not %d bytes in hex under a number", name, sharedLen)
		}
		r.secrets[name] = secret
		if n >= greatest {
			greatest, r.current = n, name
		}
	}
	return r, nil
}

// loadRing reads the ring, and makes its first secret if there is none.
func (k *Keys) loadRing(ctx context.Context) (*ring, error) {
	r, err := k.readRing(ctx)
	if err != nil || r.current != "" {
		return r, err
	}
	if _, err := SharedSecret(ctx, k.store, firstSecret); err != nil {
		return nil, err
	}
	return k.readRing(ctx)
}

var errUnknownSecret = errors.New("signed by no secret of this deployment")

// find is a jwt.Keyfunc.
func (r *ring) find(t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	secret, ok := r.secrets[kid]
	if !ok {
		return nil, errUnknownSecret
	}
	return secret, nil
}
