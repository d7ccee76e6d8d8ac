package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/rs/zerolog"

	"laurel/internal/auth"
	"laurel/internal/catalog"
	"laurel/internal/config"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/transfer"
)

// knowledge is what a node knows of the store before it can serve anybody: definitions, keys, and what cursors are signed with.
type knowledge struct {
	cfg      config.Serve
	store    *store.Store
	catalogs *registry.Registry
	keys     *auth.Keys
	log      zerolog.Logger
	cursors  atomic.Pointer[[]byte]

	// What the node was started with, as it was then: a store that is wiped later gets the same.
	source    []byte // of the catalog file, or the default one
	bootstrap config.Secret
}

// errUnfinished: serving a part of the users, and letting others be created anew, could not be put right afterwards.
var errUnfinished = errors.New("an import into this store was broken off: run laurel import again with the same export")

// begin brings definitions and keys into the store and into memory when the node starts.
func (k *knowledge) begin(ctx context.Context) (err error) {
	if unfinished, err := transfer.Unfinished(ctx, k.store); err != nil {
		return err
	} else if unfinished {
		return errUnfinished
	}
	if k.bootstrap, err = k.cfg.Bootstrap(); err != nil {
		return err
	}
	k.source = catalog.Default()
	if path := k.cfg.Catalog; path != "" {
		if k.source, err = os.ReadFile(path); err != nil {
			return fmt.Errorf("--catalog: %w", err)
		}
	}
	if err := k.applyCatalog(ctx, k.cfg.Catalog != ""); err != nil {
		return err
	}
	if err := k.load(ctx); err != nil {
		return err
	}
	for _, org := range k.catalogs.Orgs() {
		if len(k.keys.List(ctx, org)) == 0 {
			k.log.Warn().Str("org", string(org)).Msg("this org has no API key, so nobody can use it: start once with --bootstrap-key-file")
		}
	}
	return nil
}

// again does so where the store may be another one than before. One that was wiped is given what a new one gets. Else the store's own catalogs stay, also
// where --catalog says something else: of two nodes that were started with different files, the older must not undo the newer one's.
func (k *knowledge) again(ctx context.Context) error {
	if err := k.applyCatalog(ctx, false); err != nil {
		return err
	}
	return k.load(ctx)
}

// load replaces what is in memory, last of all: requests under way never find it empty.
func (k *knowledge) load(ctx context.Context) error {
	if err := k.catalogs.Load(ctx); err != nil {
		return err
	}
	if k.bootstrap != "" {
		if err := k.keys.Bootstrap(ctx, k.bootstrap.Reveal(), k.catalogs.Orgs()); err != nil {
			return err
		}
	}
	secret, err := auth.SharedSecret(ctx, k.store, "cursors")
	if err != nil {
		return err
	}
	k.cursors.Store(&secret)
	return k.keys.Load(ctx)
}

func (k *knowledge) cursorSecret() []byte { return *k.cursors.Load() }

// applyCatalog applies the file, or what a server starts with that has no definitions at all; unless always, only to a store that has none.
func (k *knowledge) applyCatalog(ctx context.Context, always bool) error {
	empty, err := k.catalogs.Empty(ctx)
	if err != nil || !empty && !always {
		return err
	}
	changed, err := k.catalogs.Apply(ctx, k.source)
	if err != nil {
		return fmt.Errorf("catalog %s: %w", k.cfg.Catalog, err)
	}
	for _, org := range changed {
		k.log.Info().Str("org", string(org)).Msg("catalog applied")
	}
	return nil
}
