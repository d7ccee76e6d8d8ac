package main

import (
	"context"
	"io"

	"laurel/internal/config"
)

type serveCommand struct {
	config.Serve
}

// Run runs a node until ctx ends.
func (c *serveCommand) Run(ctx context.Context, stdout io.Writer) error {
	return run(ctx, c.Serve, stdout, func(addresses) {})
}
