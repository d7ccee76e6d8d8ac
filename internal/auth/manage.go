package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/store"
)

const (
	maxName    = 128
	maxOrigins = 32
)

// Spec describes a key to be made.
type Spec struct {
	Name    string
	Kind    Kind
	Scopes  []Scope          // at least one; publishable keys: boards:read
	Origins []string         // publishable keys: at least one, as browsers write it: https://shop.example
	Expires calendar.Instant // 0: never
}

// check returns a *SpecError for a key that may not be made.
func (s *Spec) check(now calendar.Instant) error {
	switch {
	case s.Name == "" || len(s.Name) > maxName || !printable(s.Name):
		return &SpecError{"name", "must be 1 to 128 bytes of text without control characters"}
	case s.Kind != Secret && s.Kind != Publishable:
		return &SpecError{"kind", "must be sk or pk"}
	case len(s.Scopes) == 0:
		return &SpecError{"scopes", "must name at least one scope"}
	case s.Expires != 0 && s.Expires <= now:
		return &SpecError{"expires_at", "must lie in the future"}
	case s.Kind == Secret && len(s.Origins) > 0:
		return &SpecError{"origins", "are for pk keys only"}
	}
	for i, scope := range s.Scopes {
		if !slices.Contains(Scopes(), scope) {
			return &SpecError{fmt.Sprintf("scopes[%d]", i), "is no scope"}
		}
		if s.Kind == Publishable && scope != BoardsRead {
			return &SpecError{fmt.Sprintf("scopes[%d]", i), "is not for pk keys, which may only read boards"}
		}
	}
	return s.checkOrigins()
}

func (s *Spec) checkOrigins() error {
	if s.Kind == Publishable && (len(s.Origins) == 0 || len(s.Origins) > maxOrigins) {
		return &SpecError{"origins", "must name 1 to 32 origins for a pk key"}
	}
	for i, origin := range s.Origins {
		if fault := checkOrigin(origin); fault != "" {
			return &SpecError{fmt.Sprintf("origins[%d]", i), fault}
		}
	}
	return nil
}

// Create makes a key for the org and returns it beside the token, which is not stored and cannot be had again. This node knows the
// key when Create returns. *SpecError; errors of the store.
func (k *Keys) Create(ctx context.Context, org activity.Org, s Spec) (Key, string, error) {
	now := k.clock.Now()
	if err := s.check(now); err != nil {
		return Key{}, "", err
	}
	token := newToken(s.Kind)
	r := record{Org: org, Name: s.Name, Kind: s.Kind, Scopes: slices.Compact(slices.Sorted(slices.Values(s.Scopes))),
		Origins: s.Origins, Created: now, Expires: s.Expires, SHA256: hashOf(token)}
	id := "key_" + randomText(idLen)
	if err := k.Reload(ctx); err != nil { // a store that lost its keys must not get one that keeps the bootstrap key out
		return Key{}, "", fmt.Errorf("create API key: %w", err)
	}
	if err := k.add(ctx, map[string]record{id: r}); err != nil {
		return Key{}, "", fmt.Errorf("create API key: %w", err)
	}
	if err := k.Reload(ctx); err != nil {
		return Key{}, "", fmt.Errorf("create API key: %w", err)
	}
	return r.key(id), token, nil
}

// Revoke ends a key for good: its record stays, so that its id is never used again. Revoking twice is fine; the first time
// stands. ErrKeyNotFound; errors of the store.
func (k *Keys) Revoke(ctx context.Context, org activity.Org, id string) error {
	if err := k.Reload(ctx); err != nil {
		return err
	}
	r, ok := k.table.Load().records[id]
	if !ok || r.Org != org {
		return ErrKeyNotFound
	}
	if r.Revoked != 0 {
		return nil
	}
	r.Revoked = k.clock.Now()
	group := store.Group{Org: org, OrgChanged: true, Writes: []store.Op{setRecord(id, r)}}
	if _, err := k.store.Commit(ctx, 0, []store.Group{group}); err != nil {
		return fmt.Errorf("revoke API key %s: %w", id, err)
	}
	return k.Reload(ctx)
}

// Bootstrap makes token a secret key with all scopes for every one of the orgs that never had a key. An org that had one, revoked
// or expired though it may be, is left alone: what an operator took away does not come back at the next start. Each org has a
// record of its own, so that one org's administrator cannot revoke another's. Two nodes that start at once make it once.
func (k *Keys) Bootstrap(ctx context.Context, token string, orgs []activity.Org) error {
	if !usableToken(token) {
		return &SpecError{"bootstrap key", "must be 1 to 256 printable ASCII characters without spaces"}
	}
	records, err := k.read(ctx) // the table in memory stays until there is a better one
	if err != nil {
		return err
	}
	had := map[activity.Org]bool{}
	for _, r := range records {
		had[r.Org] = true
	}
	fresh := map[string]record{}
	for _, org := range orgs {
		if !had[org] {
			fresh["bootstrap_"+string(org)] = record{Org: org, Name: "bootstrap", Kind: Secret, Scopes: Scopes(),
				Created: k.clock.Now(), SHA256: hashOf(token)}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := k.add(ctx, fresh); err != nil {
		return fmt.Errorf("create bootstrap key: %w", err)
	}
	return k.Load(ctx)
}

// add stores the records whose ids are not taken.
func (k *Keys) add(ctx context.Context, records map[string]record) error {
	groups := make([]store.Group, 0, len(records))
	for id, r := range records {
		groups = append(groups, store.Group{Org: r.Org, AbsentIn: store.KeysKey(), Absent: []string{id},
			Writes: []store.Op{setRecord(id, r)}, OrgChanged: true})
	}
	_, err := k.store.Commit(ctx, 0, groups)
	return err
}

func setRecord(id string, r record) store.Op {
	text, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		panic("auth: a record that was checked cannot be written: " + err.Error())
	}
	return store.Op{Kind: store.OpHSet, Key: store.KeysKey(), Args: []string{id, string(text)}}
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func printable(s string) bool {
	for _, c := range s {
		if unicode.IsControl(c) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// usableToken says whether a client could send the token in an Authorization header.
func usableToken(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxToken
}
