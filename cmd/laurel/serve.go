package main

import (
	"context"
	"io"
	"os"
	"runtime/debug"

	"laurel/internal/config"
)

type serveCommand struct {
	config.Serve
}

// collectAt is the garbage collector's percentage unless GOGC says otherwise. What lives long is mostly free of pointers and cheap to keep; ingest makes much
// that lives for one batch: collecting a third as often is worth at most twice the memory (docs/adr/0004).
const collectAt = 300

// Run runs a node until ctx ends.
func (c *serveCommand) Run(ctx context.Context, stdout io.Writer) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	return run(ctx, c.Serve, stdout, func(addresses) {})
}
