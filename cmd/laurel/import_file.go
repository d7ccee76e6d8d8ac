package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"laurel/internal/clock"
	"laurel/internal/config"
	"laurel/internal/transfer"
)

type importFileCommand struct {
	config.File
	config.Store

	Dump string `arg:"" name:"file" help:"What laurel export wrote, or - for standard input."`
}

// Help implements kong.HelpProvider.
func (*importFileCommand) Help() string {
	return `Makes a deployment of an export, on a store that is empty: give --partitions to choose their number. Boards, streaks and deadlines are made anew from the users' activities and answer as
before. A file is checked whole before anything is written. An import that was broken off goes on when it is run again with the same export; until then no server starts on
that store. No server may use the store meanwhile.`
}

// Run imports the file.
func (c *importFileCommand) Run(ctx context.Context, stdout io.Writer) (err error) {
	in := io.Reader(os.Stdin)
	if c.Dump != "-" {
		f, err := os.Open(c.Dump)
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := transfer.Check(f); err != nil {
			return fmt.Errorf("%s: %w", c.Dump, err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("%s is to be read twice; give a pipe as standard input, -: %w", c.Dump, err)
		}
		in = f
	}
	began := time.Now()
	t, err := openTool(ctx, &c.Store, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.data.Close()) }()
	n, err := transfer.Import(ctx, transfer.ImportOptions{Store: t.data, Registry: t.catalogs, Clock: new(clock.Clock)}, in)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Dump, err)
	}
	_, err = fmt.Fprintf(stdout, "imported %d orgs, %d keys, %d imports, %d users, %d activities into %s in %s\n",
		n.Orgs, n.Keys, n.Imports, n.Users, n.Activities, c.Where(), time.Since(began).Round(time.Millisecond))
	return err
}
