package registry

import (
	"context"
	"errors"
	"fmt"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/store"
)

// Change makes another catalog of one. It may be called several times, and its errors come out as they are.
type Change func(*catalog.Catalog) (*catalog.Catalog, error)

// Edit publishes what change makes of the org's stored catalog, as Publish does. With anyVersion, change is called again with the newer catalog where
// another publication was faster, so that no edit undoes another one; else the stored one must have the version ifMatch. ErrOrgNotFound;
// ErrVersionMismatch; errors of change; those of Publish.
//
// The edits of a node take turns, waiting no longer than their contexts: each would otherwise be overtaken by the others again and again, and only those of
// other nodes are left to do so.
func (r *Registry) Edit(ctx context.Context, org activity.Org, ifMatch store.Version, anyVersion bool, change Change) (*Entry, error) {
	select {
	case r.editing <- struct{}{}:
		defer func() { <-r.editing }()
	case <-ctx.Done():
		return nil, fmt.Errorf("edit catalog of org %s: %w", org, ctx.Err())
	}
	for range attempts {
		old, version, err := r.stored(ctx, org)
		if err != nil {
			return nil, fmt.Errorf("edit catalog of org %s: %w", org, err)
		}
		if !anyVersion && version != ifMatch {
			return nil, ErrVersionMismatch
		}
		next, err := change(old)
		if err != nil {
			return nil, err
		}
		e, err := r.Publish(ctx, next, version, false)
		if !anyVersion || !errors.Is(err, ErrVersionMismatch) {
			return e, err
		}
	}
	return nil, fmt.Errorf("edit catalog of org %s: overtaken %d times: %w", org, attempts, store.ErrUnavailable)
}

// stored reads the org's catalog from the store.
func (r *Registry) stored(ctx context.Context, org activity.Org) (*catalog.Catalog, store.Version, error) {
	doc, err := r.document(ctx, org)
	if err != nil {
		return nil, "", err
	}
	if doc.Version == "" {
		return nil, "", ErrOrgNotFound
	}
	c, err := catalog.ParseOrg(doc.Content)
	return c, doc.Version, err
}
