package auth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"laurel/internal/store"
)

const sharedLen = 32

// SharedSecret returns a secret of the deployment: 32 random bytes under a name. Whoever asks first makes it; from then on every node, and every later
// start, gets the same. Errors of the store.
func SharedSecret(ctx context.Context, s *store.Store, name string) ([]byte, error) {
	if text, err := readSecret(ctx, s, name); text != nil || err != nil {
		return text, err
	}
	fresh := make([]byte, sharedLen)
	_, _ = rand.Read(fresh) // never fails: see its documentation
	// Of two nodes that start at once one finds the field taken. Who won is read back.
	_, err := s.Commit(ctx, 0, []store.Group{{AbsentIn: store.SecretsKey(), Absent: []string{name},
		Writes: []store.Op{{Kind: store.OpHSet, Key: store.SecretsKey(), Args: []string{name, hex.EncodeToString(fresh)}}}}})
	if err != nil {
		return nil, fmt.Errorf("make secret %s: %w", name, err)
	}
	stored, err := readSecret(ctx, s, name)
	if err == nil && stored == nil {
		err = fmt.Errorf("secret %s was made and is not there", name)
	}
	return stored, err
}

// readSecret is nil for a secret that was never made.
func readSecret(ctx context.Context, s *store.Store, name string) ([]byte, error) {
	fields, err := s.Hash(ctx, store.SecretsKey())
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	text, ok := fields[name]
	if !ok {
		return nil, nil
	}
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) != sharedLen {
		return nil, fmt.Errorf("secret %s is not %d bytes in hex", name, sharedLen)
	}
	return secret, nil
}
