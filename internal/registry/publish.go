package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/store"
)

// attempts bounds how often a compare-and-set that others overtook is tried again. Each failure means that another node made
// progress, so more than a few in a row is a fault, not bad luck.
const attempts = 16

// appliedField of the partition 0 meta hash remembers the last catalog file that was applied.
const appliedField = "catalog_file"

// Publish makes c its org's catalog. The stored one must have the version ifMatch ("" for an org that has none yet); with force
// whatever is there is replaced. Publishing what is there already changes nothing. When it returns, no commit computed under
// another catalog applies any more. ErrVersionMismatch; catalog.Faults for a change that what is stored cannot follow, and for a
// parent that is no org or stands below; errors of the store.
func (r *Registry) Publish(ctx context.Context, c *catalog.Catalog, ifMatch store.Version, force bool) (*Entry, error) {
	return r.publish(ctx, publication{c: c, ifMatch: ifMatch, force: force})
}

// publication is a catalog to be published, and the file that it came with, if it did.
type publication struct {
	c       *catalog.Catalog
	ifMatch store.Version
	force   bool
	file    []*catalog.Catalog
	// restored is of a backup: the parent need not be known, nor a secret.
	restored bool
	secrets  map[string]string // of the backup, by hint
}

// Restore publishes a catalog of a backup whatever is there, and wherever its org stood: the orgs above it may be still to come. secrets are those of its
// webhooks and hooks, by hint, as far as the backup has them. Errors as Publish.
func (r *Registry) Restore(ctx context.Context, c *catalog.Catalog, secrets map[string]string) (*Entry, error) {
	return r.publish(ctx, publication{c: c, force: true, restored: true, secrets: secrets})
}

func (r *Registry) publish(ctx context.Context, p publication) (*Entry, error) {
	c := p.c
	for range attempts {
		doc, err := r.document(ctx, c.Org)
		if err != nil {
			return nil, fmt.Errorf("publish catalog of org %s: %w", c.Org, err)
		}
		if !p.force && doc.Version != p.ifMatch {
			return nil, ErrVersionMismatch
		}
		writes, err := r.hookWrites(ctx, &p)
		if err != nil {
			return nil, err
		}
		if doc.Version != "" && bytes.Equal(doc.Content, c.Source) && len(writes) == 0 {
			return r.Reload(ctx, c.Org)
		}
		if err := follows(c, doc); err != nil {
			return nil, err
		}
		if !p.restored {
			if err := r.checkParent(ctx, c, p.file); err != nil {
				return nil, err
			}
		}
		group := store.Group{Org: c.Org, Doc: doc.Key, Expect: doc.Version, Content: c.Source, Writes: writes, OrgChanged: true}
		applied, err := r.commit(ctx, 0, group)
		if err != nil {
			return nil, fmt.Errorf("publish catalog of org %s: %w", c.Org, err)
		}
		if applied {
			r.log.Info().Str("org", string(c.Org)).Str("catalog", c.Hash).Msg("catalog published")
			return r.Reload(ctx, c.Org)
		}
	}
	return nil, fmt.Errorf("publish catalog of org %s: overtaken %d times: %w", c.Org, attempts, ErrVersionMismatch)
}

// follows says whether the stored data can follow from the catalog that stands in doc to c.
func follows(c *catalog.Catalog, doc store.Doc) error {
	if doc.Version == "" {
		return nil
	}
	old, err := catalog.ParseOrg(doc.Content)
	if err != nil {
		return fmt.Errorf("stored catalog of org %s: %w", c.Org, err)
	}
	return c.CheckChange(old)
}

// Apply publishes every catalog of a file, unless this very file was the last one applied: what was changed through the API since
// then stays. It returns the orgs whose catalog changed. Errors: catalog.Faults, errors of the store.
func (r *Registry) Apply(ctx context.Context, source []byte) (changed []activity.Org, err error) {
	sum := sha256.Sum256(source)
	hash := hex.EncodeToString(sum[:])
	meta, err := r.store.Hash(ctx, store.MetaKey(0))
	if err != nil {
		return nil, fmt.Errorf("apply catalog file: %w", err)
	}
	if meta[appliedField] == hash {
		return nil, nil
	}
	catalogs, err := catalog.Parse(source)
	if err != nil {
		return nil, err
	}
	for _, c := range catalogs {
		before, err := r.document(ctx, c.Org) // what is in memory may be of a history that was lost
		if err != nil {
			return changed, err
		}
		after, err := r.publish(ctx, publication{c: c, force: true, file: catalogs})
		if err != nil {
			return changed, err
		}
		if after.Version != before.Version {
			changed = append(changed, c.Org)
		}
	}
	return changed, r.SetAppliedFile(ctx, hash)
}

// document reads the org's catalog document.
func (r *Registry) document(ctx context.Context, org activity.Org) (store.Doc, error) {
	docs, err := r.store.Docs(ctx, []store.Key{store.CatalogKey(org)})
	if err != nil {
		return store.Doc{}, err
	}
	return docs[0], nil
}

// commit commits one group and says whether it applied.
func (r *Registry) commit(ctx context.Context, p store.Partition, g store.Group) (bool, error) {
	result, err := r.store.Commit(ctx, p, []store.Group{g})
	if err != nil {
		return false, err
	}
	return result.Outcomes[0].Status == store.Applied, nil
}

// AppliedFile is the hash of the catalog file that was applied last, "" for none.
func (r *Registry) AppliedFile(ctx context.Context) (string, error) {
	meta, err := r.store.Hash(ctx, store.MetaKey(0))
	if err != nil {
		return "", fmt.Errorf("read which catalog file was applied: %w", err)
	}
	return meta[appliedField], nil
}

// SetAppliedFile says that the catalog file of this hash was applied, for a store that is made of another one.
func (r *Registry) SetAppliedFile(ctx context.Context, hash string) error {
	mark := store.Group{Writes: []store.Op{{Kind: store.OpHSet, Key: store.MetaKey(0), Args: []string{appliedField, hash}}}}
	if _, err := r.commit(ctx, 0, mark); err != nil {
		return fmt.Errorf("remember the applied catalog file: %w", err)
	}
	return nil
}
