package main

import (
	"context"
	"errors"
	"io"

	"laurel/internal/clock"
	"laurel/internal/config"
	"laurel/internal/transfer"
)

type exportCommand struct {
	config.File
	config.Store

	Org         []string `placeholder:"ORG" help:"Only this org (repeatable)."`
	WithoutKeys bool     `help:"Leave out the API keys (they are stored and exported as hashes) and the secrets of webhooks and hooks (which are exported as they are)."`
}

// Help implements kong.HelpProvider.
func (*exportCommand) Help() string {
	return `Writes definitions, API keys (hashes), imports, users and all their activities to standard output, as lines of JSON that laurel import reads: a backup, and the way to another
store or another number of partitions (docs/EXPORT.md). With --redis servers may run meanwhile; a data directory must not be in use by one. Events that webhooks have yet to
get are not in it.`
}

// Run exports to stdout.
func (c *exportCommand) Run(ctx context.Context, stdout io.Writer) (err error) {
	t, err := openTool(ctx, &c.Store, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.data.Close()) }()
	orgs, err := t.orgs(c.Org)
	if err != nil {
		return err
	}
	o := transfer.ExportOptions{Store: t.data, Registry: t.catalogs, Clock: new(clock.Clock), Orgs: orgs, WithoutKeys: c.WithoutKeys}
	_, err = transfer.Export(ctx, o, stdout)
	return err
}
