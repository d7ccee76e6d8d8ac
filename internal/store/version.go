package store

import (
	cryptorand "crypto/rand"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"sync"
)

// versions draws versions: 48 bits of ChaCha8 seeded by the system, as 8 base64url characters. It is safe for concurrent use.
type versions struct {
	mu  sync.Mutex
	rng *rand.ChaCha8
}

func newVersions() (*versions, error) {
	var seed [32]byte
	if _, err := cryptorand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("seed versions: %w", err)
	}
	return &versions{rng: rand.NewChaCha8(seed)}, nil
}

func (v *versions) next() Version {
	v.mu.Lock()
	bits := v.rng.Uint64()
	v.mu.Unlock()
	raw := [6]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24), byte(bits >> 32), byte(bits >> 40)}
	return Version(base64.RawURLEncoding.EncodeToString(raw[:]))
}
