//go:build linux

package live

import (
	"context"
	"fmt"
	"time"
)

// quieten waits until nothing has come for a while.
func (r *run) quieten(ctx context.Context, end time.Time) error {
	const quiet = 1500 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		last := max(r.poller.heard.Load(), end.UnixNano())
		wait := quiet - time.Since(time.Unix(0, last))
		if wait <= 0 {
			r.result.Final.QuietMillis = float64(last-end.UnixNano()) / 1e6
			return nil
		}
		if err := pause(ctx, wait); err != nil {
			return fmt.Errorf("messages do not cease: %w", err)
		}
	}
}

// storm cuts all connections, and has the clients come back.
func (r *run) storm(ctx context.Context) error {
	before, err := r.used(ctx)
	if err != nil {
		return err
	}
	r.say("all connect again")
	r.poller.do(func() {
		for _, c := range r.clients {
			r.poller.cut(c)
		}
		r.poller.log.settled = nil
		r.poller.ready.Store(0)
	})
	start := time.Now()
	if err := r.dialer.connect(ctx, r.poller, r.clients, r.o.Storm); err != nil {
		return err
	}
	if err := r.awaitStates(ctx); err != nil {
		return err
	}
	t := &Storm{Seconds: time.Since(start).Seconds(), Views: len(r.views)}
	r.result.Storm = t
	after, err := r.used(ctx)
	if err != nil {
		return err
	}
	r.poller.do(func() { t.Settled = quantilesOf(r.poller.log.settled) })
	of := func(name string) float64 { return after.metrics[name] - before.metrics[name] }
	t.ServerCPU, t.Renders = of("process_cpu_seconds_total"), int(of("laurel_ws_renders_total"))
	return nil
}

// compare compares what each client holds with what a read answers.
func (r *run) compare(ctx context.Context) error {
	r.say("comparing")
	held := make([]*state, len(r.clients))
	r.poller.do(func() {
		for i, c := range r.clients {
			held[i] = c.held
		}
	})
	final := &r.result.Final
	final.Lost = int(r.poller.lost.Load())
	if err := r.firstError(); err != nil {
		final.Error = err.Error()
	}
	answers := make([]*state, len(r.views))
	for i, v := range r.views {
		var err error
		if answers[i], err = r.server.read(ctx, &r.o.Settings, v.user); err != nil {
			return err
		}
	}
	for i, c := range r.clients {
		if !held[i].shows(answers[c.view.index], r.o.View) {
			final.Wrong++
		}
	}
	return nil
}
