package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/config"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// tool is a store that a command works on itself, without a server.
type tool struct {
	data     *store.Store
	catalogs *registry.Registry
}

// openTool opens the store of the flags and reads its catalogs. With existing, a store that nobody has used is refused and nothing is made.
func openTool(ctx context.Context, c *config.Store, existing bool) (*tool, error) {
	data, err := store.Open(ctx, store.Options{
		URL: c.Redis.Reveal(), DataDir: c.DataDir, Fsync: store.FsyncPolicy(c.Fsync), Partitions: c.Partitions, Existing: existing,
	})
	if errors.Is(err, store.ErrInUse) {
		return nil, fmt.Errorf("%w: stop the server first (a store on Redis, --redis, can be worked on while servers run)", err)
	} else if err != nil {
		return nil, err
	}
	t := &tool{data, registry.New(data, zerolog.Nop())}
	if err := t.catalogs.Load(ctx); err != nil {
		return nil, errors.Join(err, data.Close())
	}
	return t, nil
}

// orgs are those that were named, which must exist; nil for all.
func (t *tool) orgs(named []string) ([]activity.Org, error) {
	var orgs []activity.Org
	for _, name := range named {
		if !slices.Contains(t.catalogs.Orgs(), activity.Org(name)) {
			return nil, fmt.Errorf("--org %s: %w", name, registry.ErrOrgNotFound)
		}
		orgs = append(orgs, activity.Org(name))
	}
	return orgs, nil
}
