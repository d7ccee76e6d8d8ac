package store

import (
	cryptorand "crypto/rand"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"sync"
)

// versions draws versions: 48 bits of ChaCha8 seeded by the system, as 8 base64url characters. It remembers the latest of them. It is safe for
// concurrent use.
type versions struct {
	mu     sync.Mutex
	rng    *rand.ChaCha8
	drawn  [rememberedVersions]Version // a ring
	place  int
	latest map[Version]struct{} // what the ring holds
}

// rememberedVersions is far more than there are commits on their way.
const rememberedVersions = 1024

func newVersions() (*versions, error) {
	var seed [32]byte
	if _, err := cryptorand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("seed versions: %w", err)
	}
	return &versions{rng: rand.NewChaCha8(seed), latest: map[Version]struct{}{}}, nil
}

func (v *versions) next() Version {
	v.mu.Lock()
	defer v.mu.Unlock()
	bits := v.rng.Uint64()
	raw := [6]byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24), byte(bits >> 32), byte(bits >> 40)}
	version := Version(base64.RawURLEncoding.EncodeToString(raw[:]))
	delete(v.latest, v.drawn[v.place])
	v.drawn[v.place] = version
	v.latest[version] = struct{}{}
	v.place = (v.place + 1) % rememberedVersions
	return version
}

// Own says whether a version is of one of this process's latest commits: a follower need not compare what it cached with it.
func (s *Store) Own(version string) bool {
	s.versions.mu.Lock()
	defer s.versions.mu.Unlock()
	_, own := s.versions.latest[Version(version)]
	return own
}
