package main

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"laurel/api"
	"laurel/ws"
)

// listener is an HTTP server that has its address, and serves when it is started.
type listener struct {
	net    net.Listener
	server *http.Server
	part   *part
	log    zerolog.Logger
}

// listen takes an address; clients that connect wait until it is started. Bodies are bounded by the handlers; here are the bounds that keep idle or
// slow clients from holding connections. There is none on writing, because streams are answers that last.
func listen(ctx context.Context, address string, log zerolog.Logger) (*listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return &listener{net: l, log: log, server: &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          stdlog.New(log.With().Str("listen", l.Addr().String()).Logger(), "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return ws.ConnContext(api.ConnContext(ctx, c), c)
		},
	}}, nil
}

// address is what was listened on, with the port that it got.
func (l *listener) address() string { return l.net.Addr().String() }

// close gives up the address; after a stop it does nothing.
func (l *listener) close() { l.net.Close() }

// start serves handler as a part of the group.
func (l *listener) start(g *group, name string, handler http.Handler) {
	l.server.Handler = handler
	l.part = g.start(name, func(context.Context) error {
		if err := l.server.Serve(api.Listener(l.net)); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

// stop takes no more requests and waits for those under way. When ctx ends they are cut off, which is no failure of the stop: a client that sends half a
// request and waits must not make it one.
func (l *listener) stop(ctx context.Context) error {
	l.part.cancel() // from here on the end of Serve is no failure
	err := l.server.Shutdown(ctx)
	if err != nil {
		l.log.Warn().Err(err).Str("listen", l.address()).Msg("requests were cut off")
		err = l.server.Close()
	}
	<-l.part.done // Serve has returned by then
	return errors.Join(err, l.part.err)
}
