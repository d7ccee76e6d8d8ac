// Package auth keeps the API keys: who may call, for which org, and what for. A request is authenticated from memory; the
// store is read at start and when a commit says that an org's keys changed. Only the SHA-256 of a key is ever stored.
//
// A key also makes signed tokens: JWTs that are good for an hour or a day, for boards and one user's own data. They are stored nowhere; each names the key that
// made it, and ends with that key at the latest.
package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/golang-jwt/jwt/v5"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/clock"
	"laurel/internal/store"
)

// What authentication and key management may answer.
var (
	// ErrUnauthorized: the key is unknown, revoked or expired. Which of them is not told.
	ErrUnauthorized = errors.New("unknown, revoked or expired key")
	// ErrForbidden: the key is good, but not for this origin, org or scope.
	ErrForbidden = errors.New("key does not allow this")
	// ErrOrgRequired: the key is good for several orgs and the request names none.
	ErrOrgRequired = errors.New("key is for several orgs and the request names none")
	// ErrKeyNotFound: the org has no key of that id.
	ErrKeyNotFound = errors.New("no such key")
	// ErrBadKey: a key to be created is described wrongly; always inside a *SpecError.
	ErrBadKey = errors.New("malformed key description")
)

// SpecError says which member of a key's description is wrong, in words for the client.
type SpecError struct{ Field, Detail string }

// Error implements error.
func (e *SpecError) Error() string { return e.Field + " " + e.Detail }

// Unwrap makes a SpecError an ErrBadKey.
func (e *SpecError) Unwrap() error { return ErrBadKey }

// Kind says where a key may be held.
type Kind string

// Secret keys are for servers. Publishable keys are for browsers: bound to origins, and good for boards only.
const (
	Secret      Kind = "sk"
	Publishable Kind = "pk"
)

// Identity is what a good key or token stands for. It is immutable.
type Identity struct {
	KeyIDs    []string // one for each of Orgs; of a token: that of the key that made it
	Kind      Kind
	Orgs      []activity.Org // sorted, at least one
	Scopes    []Scope
	Origins   []string         // of publishable keys and tokens
	ExpiresAt calendar.Instant // 0: never

	// Of tokens only.
	User   activity.User // whose own data may be read, "" for nobody's
	Boards Boards
	Secret string // the name of what signed it
}

// KeyID returns the id under which the org knows the key, "" if it is not for that org.
func (i *Identity) KeyID(org activity.Org) string {
	at, ok := slices.BinarySearch(i.Orgs, org)
	if !ok {
		return ""
	}
	return i.KeyIDs[at]
}

// Org returns the org that a request is about: the key's only one, or the one that the header names. ErrOrgRequired,
// ErrForbidden.
func (i *Identity) Org(header string) (activity.Org, error) {
	switch {
	case header != "" && slices.Contains(i.Orgs, activity.Org(header)):
		return activity.Org(header), nil
	case header != "":
		return "", ErrForbidden
	case len(i.Orgs) > 1:
		return "", ErrOrgRequired
	}
	return i.Orgs[0], nil
}

// Allows says whether the key has the scope. UsersWrite includes TokensWrite: whoever writes users is answered with all that a token shows of them.
func (i *Identity) Allows(s Scope) bool {
	return slices.Contains(i.Scopes, s) || s == TokensWrite && slices.Contains(i.Scopes, UsersWrite)
}

// Keys is every API key of a deployment. It is safe for concurrent use.
type Keys struct {
	store  *store.Store
	clock  *clock.Clock
	parser *jwt.Parser

	table atomic.Pointer[table]
	ring  atomic.Pointer[ring] // of which there is always one
	// A reload that began later has seen at least as much. Tickets keep one that began earlier and ended later from bringing
	// an older state back, without a lock across the read.
	tickets atomic.Uint64
	mu      sync.Mutex
	applied uint64
}

// New returns Keys without any key in memory: call Load before serving.
func New(s *store.Store, c *clock.Clock) *Keys {
	k := &Keys{store: s, clock: c}
	k.parser = k.newParser()
	k.table.Store(newTable(nil))
	k.ring.Store(&ring{})
	return k
}

// Load reads every key from the store, and forgets those that it no longer has. In a new store it makes the secret that signs tokens.
func (k *Keys) Load(ctx context.Context) error {
	secrets, err := k.loadRing(ctx)
	if err != nil {
		return err
	}
	k.ring.Store(&secrets)
	ticket := k.tickets.Add(1)
	records, err := k.read(ctx)
	if err != nil {
		return err
	}
	k.put(ticket, records)
	return nil
}

// Reload reads the keys again, when another node says that an org changed. Identities that requests under way hold stay as
// they were. A record never goes: a store that lacks one has lost its history, and then everything stays as it was until whoever notices that
// has called Load. store.ErrUnavailable.
func (k *Keys) Reload(ctx context.Context) error {
	ticket := k.tickets.Add(1)
	records, err := k.read(ctx)
	if err != nil {
		return err
	}
	secrets, err := k.readRing(ctx)
	if err != nil {
		return err
	}
	for id := range k.table.Load().records {
		if _, ok := records[id]; !ok {
			return fmt.Errorf("API key %s is gone: %w", id, store.ErrUnavailable)
		}
	}
	if len(secrets) > 0 {
		k.ring.Store(&secrets)
	}
	k.put(ticket, records)
	return nil
}

// put makes records known unless a read that began later was faster.
func (k *Keys) put(ticket uint64, records map[string]record) {
	t := newTable(records)
	k.mu.Lock()
	defer k.mu.Unlock()
	if ticket > k.applied {
		k.applied = ticket
		k.table.Store(t)
	}
}

// Authenticate returns what a key or a signed token stands for. Origin is the request's Origin header, "" for none: a browser sends it with
// every request to another site, and whoever is no browser could write any, so a publishable key is refused for a foreign
// origin only; so is a token that names origins. For a key it costs one hash and one map read. ErrUnauthorized, ErrForbidden.
func (k *Keys) Authenticate(token, origin string) (*Identity, error) {
	if len(token) > maxToken {
		return k.AuthenticateSigned(token, origin)
	}
	id, ok := k.table.Load().identities[sha256.Sum256([]byte(token))]
	if !ok && IsSigned(token) {
		return k.AuthenticateSigned(token, origin)
	}
	if !ok || id.ExpiresAt != 0 && id.ExpiresAt <= k.clock.Now() {
		return nil, ErrUnauthorized
	}
	if id.Kind == Publishable && origin != "" && !originIn(id.Origins, origin) {
		return nil, ErrForbidden
	}
	return id, nil
}

// KnowsOrigin says whether any live publishable key is bound to the origin: all that a preflight request, which carries no key,
// can be asked.
func (k *Keys) KnowsOrigin(origin string) bool {
	t := k.table.Load()
	_, ok := t.origins[origin]
	return ok || originIn(t.wildcards, origin)
}
