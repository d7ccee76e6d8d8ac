package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/store"
)

// Key is an API key as its org's administrators see it. The key itself is shown once, when it is made.
type Key struct {
	ID        string
	Org       activity.Org
	Name      string
	Kind      Kind
	Scopes    []Scope
	Origins   []string
	CreatedAt calendar.Instant
	ExpiresAt calendar.Instant // 0: never
	RevokedAt calendar.Instant // 0: not revoked
}

// record is a field's value in the hash of keys. Instants are milliseconds since 1970.
type record struct {
	Org     activity.Org     `json:"org"`
	Name    string           `json:"name"`
	Kind    Kind             `json:"kind"`
	Scopes  []Scope          `json:"scopes"`
	Origins []string         `json:"origins,omitempty"`
	Created calendar.Instant `json:"created_ms"`
	Expires calendar.Instant `json:"expires_ms,omitzero"`
	Revoked calendar.Instant `json:"revoked_ms,omitzero"`
	SHA256  string           `json:"sha256"`
}

func (r *record) key(id string) Key {
	return Key{ID: id, Org: r.Org, Name: r.Name, Kind: r.Kind, Scopes: r.Scopes, Origins: r.Origins,
		CreatedAt: r.Created, ExpiresAt: r.Expires, RevokedAt: r.Revoked}
}

// table is all keys at one moment, arranged for lookups. It is immutable.
type table struct {
	records    map[string]record
	identities map[[sha256.Size]byte]*Identity
	origins    map[string]struct{}
	wildcards  []string // origins that stand for many
}

// newTable leaves revoked records out of what a request can find. Records with the same secret (a bootstrap key has one for each
// org) are one identity.
func newTable(records map[string]record) *table {
	t := &table{records: records, identities: map[[sha256.Size]byte]*Identity{}, origins: map[string]struct{}{}}
	for _, id := range slices.Sorted(maps.Keys(records)) {
		r := records[id]
		sum, err := hex.DecodeString(r.SHA256)
		if r.Revoked != 0 || err != nil || len(sum) != sha256.Size {
			continue
		}
		for _, o := range r.Origins {
			if strings.Contains(o, anySubdomain) {
				t.wildcards = append(t.wildcards, o)
			} else {
				t.origins[o] = struct{}{}
			}
		}
		if known := t.identities[[sha256.Size]byte(sum)]; known != nil {
			at, _ := slices.BinarySearch(known.Orgs, r.Org)
			known.Orgs, known.KeyIDs = slices.Insert(known.Orgs, at, r.Org), slices.Insert(known.KeyIDs, at, id)
			continue
		}
		t.identities[[sha256.Size]byte(sum)] = &Identity{KeyIDs: []string{id}, Kind: r.Kind, Orgs: []activity.Org{r.Org},
			Scopes: r.Scopes, Origins: r.Origins, ExpiresAt: r.Expires}
	}
	return t
}

// read returns the stored records by key id.
func (k *Keys) read(ctx context.Context) (map[string]record, error) {
	fields, err := k.store.Hash(ctx, store.KeysKey())
	if err != nil {
		return nil, fmt.Errorf("read API keys: %w", err)
	}
	records := make(map[string]record, len(fields))
	for id, text := range fields {
		var r record
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return nil, fmt.Errorf("read API key %s: %w", id, err)
		}
		records[id] = r
	}
	return records, nil
}

// List returns the org's keys, revoked and expired ones too, oldest first, as this node knows them.
func (k *Keys) List(_ context.Context, org activity.Org) []Key {
	list := []Key{}
	for id, r := range k.table.Load().records {
		if r.Org == org {
			list = append(list, r.key(id))
		}
	}
	slices.SortFunc(list, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return list
}

// Get returns one key of the org. ErrKeyNotFound.
func (k *Keys) Get(_ context.Context, org activity.Org, id string) (Key, error) {
	r, ok := k.table.Load().records[id]
	if !ok || r.Org != org {
		return Key{}, ErrKeyNotFound
	}
	return r.key(id), nil
}
