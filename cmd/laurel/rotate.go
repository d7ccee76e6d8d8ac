package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/clock"
	"laurel/internal/config"
)

type rotateCommand struct {
	config.File
	config.Store

	Now bool `help:"End every token that was made until now, and its connections, at once."`
}

// Help implements kong.HelpProvider.
func (*rotateCommand) Help() string {
	return `The new secret signs 10 seconds later, when every node has heard of it, and what the old ones signed is good until it ends by itself, 24 hours later at the latest.
With --now it ends at once: clients have to ask for new tokens. Connections of API keys stay. With --redis servers may run meanwhile, and notice; a data directory must not be in
use by one. To end the tokens of one key only, revoke the key.`
}

// Run rotates and says what follows.
func (c *rotateCommand) Run(ctx context.Context, stdout io.Writer) (err error) {
	t, err := openTool(ctx, &c.Store, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.data.Close()) }()
	grace := auth.MaxTTL
	if c.Now {
		grace = 0
	}
	done, err := auth.New(t.data, new(clock.Clock)).Rotate(ctx, grace)
	if err != nil {
		return err
	}
	at := func(i calendar.Instant) string { return time.UnixMilli(int64(i)).UTC().Format(time.RFC3339) }
	if done.Until == 0 {
		_, err = fmt.Fprintf(stdout, "%s signs tokens from now on; those made before have ended\n", done.Secret)
	} else {
		_, err = fmt.Fprintf(stdout, "%s signs tokens from %s on; those made before end by %s\n", done.Secret, at(done.Signs), at(done.Until))
	}
	return err
}
