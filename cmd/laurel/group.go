package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"
)

// group runs the long-lived parts of a node. Unlike an errgroup it does not stop them all at once: a stop is a list of steps, in an order
// that has reasons.
type group struct {
	ctx   context.Context
	ended chan error // the first part that ended without having been stopped
}

// part is something that runs until it is stopped.
type part struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
	err    error // set before done is closed
}

// newGroup makes a group whose parts see the values of ctx, but not its end: they end when they are stopped.
func newGroup(ctx context.Context) *group {
	return &group{ctx: context.WithoutCancel(ctx), ended: make(chan error, 1)}
}

// start runs a part in a goroutine, which ends when run returns.
func (g *group) start(name string, run func(context.Context) error) *part {
	ctx, cancel := context.WithCancel(g.ctx)
	p := &part{name: name, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		err := run(ctx)
		if ctx.Err() != nil {
			if err != nil && !errors.Is(err, context.Canceled) {
				p.err = fmt.Errorf("%s: %w", name, err)
			}
			return
		}
		cancel()
		if err == nil {
			err = errors.New("ended by itself")
		}
		select {
		case g.ended <- fmt.Errorf("%s: %w", name, err):
		default: // an earlier one is the cause
		}
	}()
	return p
}

// stop ends the part and waits for it, at most until ctx ends.
func (p *part) stop(ctx context.Context) error {
	p.cancel()
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return fmt.Errorf("%s did not end in time: %w", p.name, ctx.Err())
	}
}

// step is one step of a shutdown.
type step struct {
	name   string
	reason string // why it stands where it does
	do     func(context.Context) error
}

// stopInOrder takes every step, also after one that failed, and returns all errors.
func stopInOrder(ctx context.Context, log zerolog.Logger, steps []step) error {
	var errs []error
	for _, s := range steps {
		log.Debug().Str("step", s.name).Str("reason", s.reason).Msg("stopping")
		if err := s.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return errors.Join(errs...)
}
