package registry

import (
	"context"
	"fmt"

	"laurel/internal/activity"
	"laurel/internal/catalog"
)

// maxAbove is how many orgs may stand above one.
const maxAbove = 16

// checkParent says whether an org can stand where its catalog puts it: catalog.Faults where there is no such parent, where the org would stand above
// itself, or under too many. file are catalogs that are published together with c, some of them later; they hold instead of what is stored.
//
// Two publications at the same time, of different orgs, may still put each under the other: whoever walks up or down a hierarchy keeps to maxAbove.
func (r *Registry) checkParent(ctx context.Context, c *catalog.Catalog, file []*catalog.Catalog) error {
	refuse := func(format string, args ...any) error {
		return catalog.Faults{{Path: "parent", Detail: fmt.Sprintf(format, args...)}}
	}
	above := c.Parent
	for n := 1; above != ""; n++ {
		switch {
		case above == c.Org:
			return refuse("goes round in a circle: the org is above %s already", c.Parent)
		case n > maxAbove:
			return refuse("more than %d orgs stand above this one", maxAbove)
		}
		parent, err := r.definedIn(ctx, above, file)
		switch {
		case err != nil:
			return err
		case parent == nil && n == 1:
			return refuse("there is no org %s", above)
		case parent == nil: // its child was published with a file of which the rest failed
			return nil
		}
		above = parent.Parent
	}
	return nil
}

// definedIn is an org's catalog of a file, else the stored one, or nil.
func (r *Registry) definedIn(ctx context.Context, org activity.Org, file []*catalog.Catalog) (*catalog.Catalog, error) {
	for _, c := range file {
		if c.Org == org {
			return c, nil
		}
	}
	doc, err := r.document(ctx, org)
	if err != nil || doc.Version == "" {
		return nil, err
	}
	return catalog.ParseOrg(doc.Content)
}

// Below returns the org and those that stand below it at any depth, as this node knows them, sorted. An org names its parent itself, so that what is below
// has agreed to be read from above; nothing is to be read from below or beside.
func (r *Registry) Below(org activity.Org) (orgs []activity.Org) {
	entries := *r.entries.Load()
	for _, candidate := range r.Orgs() {
		at := candidate
		for n := 0; n <= maxAbove && at != org && entries[at] != nil; n++ {
			at = entries[at].Catalog.Parent
		}
		if at == org {
			orgs = append(orgs, candidate)
		}
	}
	return orgs
}
