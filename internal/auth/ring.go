package auth

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"laurel/internal/calendar"
	"laurel/internal/store"
)

// Secrets that sign tokens are named tokens.1, tokens.2, … among the deployment's own. Of those whose time has come (since.tokens.N, ms; absent: always) the one with the
// greatest number signs. All verify until their end (until.tokens.N, ms; absent: none). Nodes read them at start and whenever an org changed, which Rotate says of one.
const (
	ringPrefix  = "tokens."
	sincePrefix = "since."
	untilPrefix = "until."
	firstSecret = ringPrefix + "1"
)

// signer is a secret that signs tokens.
type signer struct {
	number       uint64
	name         string // the kid of what it signs
	secret       []byte
	since, until calendar.Instant // 0: always, no end
}

// ring is the secrets that sign tokens, the newest first. It is immutable.
type ring []signer

// readRing returns what is there; an empty ring if none was ever made.
func (k *Keys) readRing(ctx context.Context) (ring, error) {
	fields, err := k.store.Hash(ctx, store.SecretsKey())
	if err != nil {
		return nil, fmt.Errorf("read secrets of tokens: %w", err)
	}
	var r ring
	for name, text := range fields {
		number, ours := strings.CutPrefix(name, ringPrefix)
		if !ours {
			continue
		}
		s := signer{name: name}
		var faults [4]error
		s.number, faults[0] = strconv.ParseUint(number, 10, 32)
		s.secret, faults[1] = hex.DecodeString(text)
		s.since, faults[2] = instantOf(fields[sincePrefix+name])
		s.until, faults[3] = instantOf(fields[untilPrefix+name])
		if errors.Join(faults[:]...) != nil || len(s.secret) != sharedLen {
			return nil, fmt.Errorf("secret %s is not %d bytes in hex under a number, with its times in ms", name, sharedLen)
		}
		r = append(r, s)
	}
	slices.SortFunc(r, func(a, b signer) int { return cmp.Compare(b.number, a.number) })
	return r, nil
}

// instantOf is 0 for "".
func instantOf(text string) (calendar.Instant, error) {
	if text == "" {
		return 0, nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	return calendar.Instant(ms), err
}

// current is the one that signs now; the oldest, where the clock stands before them all.
func (r ring) current(now calendar.Instant) *signer {
	for i := range r {
		if r[i].since <= now {
			return &r[i]
		}
	}
	return &r[len(r)-1]
}

// find returns the secret of that name if it verifies now, else nil.
func (r ring) find(name string, now calendar.Instant) *signer {
	i := slices.IndexFunc(r, func(s signer) bool { return s.name == name })
	if i < 0 || r[i].until != 0 && r[i].until <= now {
		return nil
	}
	return &r[i]
}

// loadRing reads the ring, and makes its first secret if there is none.
func (k *Keys) loadRing(ctx context.Context) (ring, error) {
	r, err := k.readRing(ctx)
	if err != nil || len(r) > 0 {
		return r, err
	}
	if _, err := SharedSecret(ctx, k.store, firstSecret); err != nil {
		return nil, err
	}
	return k.readRing(ctx)
}

var errUnknownSecret = errors.New("signed by no secret of this deployment")

// verifier is a jwt.Keyfunc.
func (k *Keys) verifier(t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	s := k.ring.Load().find(kid, k.clock.Now())
	if s == nil {
		return nil, errUnknownSecret
	}
	return s.secret, nil
}
