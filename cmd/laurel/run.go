package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"laurel/api"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/clientip"
	"laurel/internal/clock"
	"laurel/internal/closing"
	"laurel/internal/config"
	"laurel/internal/ingest"
	"laurel/internal/query"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/telemetry"
	"laurel/internal/webhook"
	"laurel/ranking"
	"laurel/web"
	"laurel/ws"
)

// addresses are where a node listens, with the ports that it got.
type addresses struct{ Public, Admin string }

// run is a node from its start to its end: it returns nil after ctx has ended and everything has been stopped in order, and an error
// if it could not start or a part of it failed. started is called once, when requests are taken.
func run(ctx context.Context, cfg config.Serve, stdout io.Writer, started func(addresses)) error {
	log := telemetry.NewLog(stdout, telemetry.Format(cfg.LogFormat), cfg.LogLevel)
	store.LogClients(log)
	metrics := telemetry.New(version())
	now := new(clock.Clock)

	n := &node{group: newGroup(ctx)}
	var err error
	if n.clients, err = listen(ctx, cfg.Listen, log); err != nil {
		return err
	}
	defer n.clients.close()
	if n.operators, err = listen(ctx, cfg.AdminListen, log); err != nil {
		return err
	}
	defer n.operators.close()

	data, err := store.Open(ctx, store.Options{
		URL: cfg.Redis.Reveal(), DataDir: cfg.DataDir, Fsync: store.FsyncPolicy(cfg.Fsync), Partitions: cfg.Partitions,
		ChangesBytes: cfg.Changes, Replicas: cfg.Replicas(), Log: log,
	})
	if err != nil {
		return err
	}
	n.closeStore = sync.OnceValue(data.Close)
	defer n.closeStore()

	known := &knowledge{cfg: cfg, store: data, catalogs: registry.New(data, log), keys: auth.New(data, now), log: log}
	if err := known.begin(ctx); err != nil {
		return err
	}
	catalogs, keys := known.catalogs, known.keys

	changes := newFollower(known, log)
	boards := ranking.NewBoards(ranking.Options{Source: boardSource{data}, OnChange: changes.apply, OnReset: changes.reset, Renew: boardSource{data}.Renew, Log: log})
	writes := ingest.New(ingest.Options{Store: data, Registry: catalogs, Boards: boards, Clock: now, Metrics: ingestMetrics(metrics), Log: log})
	reads := query.New(writes, boards, now, known.cursorSecret)
	closer := closing.New(closing.Options{Store: data, Registry: catalogs, Boards: boards, Clock: now, Pending: writes.Pending, Log: log})
	hooks := webhook.New(webhook.Options{Store: data, Registry: catalogs, Events: closer, Clock: now, AllowPrivate: cfg.WebhookPrivate, Metrics: webhook.Metrics{Sent: metrics.Webhook, Gap: metrics.WebhookGap}, Log: log})
	n.hub = ws.New(ws.Options{
		Limits: socketLimits(&cfg.Sockets), ClientIP: clientip.Resolver{Trusted: cfg.Proxies()}.Of,
		Source: reads, Authenticate: authenticator(keys, changes.settled), Good: stillGood(keys), Age: changes.age, StaleAfter: staleAfter, Clock: now, Origins: origins(cfg.WSOrigin), Metrics: socketMetrics(metrics), Log: log,
	})
	changes.to(boards, writes, n.hub, closer)
	metrics.WatchIndex(indexStats(boards, changes.age))
	metrics.WatchStreaks(streakStats(writes))
	metrics.WatchTransfers(transferStats(writes))
	metrics.WatchWebhooks(hooks.Lag)

	behind := func() (calendar.Instant, bool) { return changes.lag(now.Now()) }
	public, err := api.New(api.Options{
		Writes: writes, Reads: reads, Events: closer, Webhooks: hooks, Registry: catalogs, Keys: keys, WebSocket: n.hub, Streams: n.hub.Streams(), Home: web.Handler(), Pages: web.NewUI(), NodeMetrics: metrics.Handler(), Ready: changes.settled, Stale: behind,
		Version: version(), Metrics: api.Metrics{Request: metrics.Request}, Log: log,
	})
	if err != nil {
		return err
	}
	ready := func() bool {
		_, stale := behind()
		return n.taking.Load() && boards.Ready() && changes.settled() && !stale
	}
	n.upkeep = n.group.start("store", data.Run)
	n.following = n.group.start("boards", boards.Run)
	n.reloading = n.group.start("reload", changes.run)
	n.writing = n.group.start("ingest", writes.Run)
	n.closing = n.group.start("closing", closer.Run)
	n.pushing = n.group.start("websockets", n.hub.Run)
	n.sending = n.group.start("webhooks", hooks.Run)
	n.operators.start(n.group, "admin listener", adminHandler(metrics.Handler(), ready, testClock(cfg, now)))
	n.clients.start(n.group, "listener", public)
	n.taking.Store(true)
	where := addresses{Public: n.clients.address(), Admin: n.operators.address()}
	log.Info().Str("listen", where.Public).Str("admin", where.Admin).Str("store", cfg.Where()).Str("version", version()).Msg("laurel is up")
	started(where)
	return n.untilStopped(ctx, &cfg, log)
}

// untilStopped waits until ctx is done or a part fails, and stops the node. An interrupt does not wait for balancers.
func (n *node) untilStopped(ctx context.Context, cfg *config.Serve, log zerolog.Logger) (err error) {
	delay := time.Duration(0)
	select {
	case <-ctx.Done():
		if !errors.Is(context.Cause(ctx), errInterrupted) {
			delay = cfg.DrainDelay
		}
	case err = <-n.group.ended:
		log.Error().Err(err).Msg("stopping because a part failed")
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), delay+cfg.Drain)
	defer cancel()
	err = errors.Join(err, stopInOrder(stopping, log, n.shutdown(delay)))
	log.Info().Msg("laurel has stopped")
	return err
}

// node is what runs, and has to be stopped.
type node struct {
	group                                                            *group
	taking                                                           atomic.Bool // requests: what /readyz tells, with the boards' own state
	clients, operators                                               *listener
	upkeep, following, reloading, writing, closing, pushing, sending *part
	hub                                                              *ws.Hub
	closeStore                                                       func() error
}

// shutdown is the order in which a node stops. Load balancers have so long to notice.
func (n *node) shutdown(delay time.Duration) []step {
	return []step{
		{"readiness off", "load balancers stop sending before anything is refused", func(context.Context) error {
			n.taking.Store(false)
			return nil
		}},
		{"serve on", "load balancers ask for readiness now and then, and send until they have noticed", func(context.Context) error {
			return n.serveOn(delay)
		}},
		{"stop webhooks", "they read events as long as those can be waited for; what comes later waits in the outbox, and another node takes over at once", n.sending.stop},
		{"stop closing", "requests that wait for events are answered at once, and hold up nobody", n.closing.stop},
		{"drain streams", "http.Server.Shutdown waits for them as for any request; what is committed after, their clients read at another node", half(func(ctx context.Context) error {
			n.hub.DrainStreams(ctx)
			return nil
		})},
		{"stop accepting", "requests under way still need every part below", half(n.clients.stop)},
		{"finish ingest", "what was taken is committed while the boards still follow", n.writing.stop},
		{"drain WebSockets", "http.Server.Shutdown ignores hijacked connections; after ingest, so that clients see the last commits", func(ctx context.Context) error {
			n.hub.Drain(ctx)
			return n.pushing.stop(ctx)
		}},
		{"stop following", "nobody reads the boards any more", func(ctx context.Context) error {
			return errors.Join(n.reloading.stop(ctx), n.following.stop(ctx))
		}},
		{"close the store", "nobody writes any more; its last act is to force the file to disk", func(ctx context.Context) error {
			return errors.Join(n.upkeep.stop(ctx), n.closeStore())
		}},
		{"stop the admin listener", "until here metrics and probes tell how the stop goes", n.operators.stop},
	}
}

// serveOn waits, unless a part of the node fails.
func (n *node) serveOn(delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case err := <-n.group.ended:
		return err
	}
}

// half gives a step half of the time that is left, so that the steps after it have some.
func half(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
		return do(ctx)
	}
}
