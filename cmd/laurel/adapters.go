package main

import (
	"context"
	"errors"
	"time"

	"laurel/internal/activity"
	"laurel/internal/auth"
	"laurel/internal/calendar"
	"laurel/internal/config"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/store"
	"laurel/internal/telemetry"
	"laurel/ranking"
	"laurel/ws"
)

// boardSource is a store as the ranking package sees it: partitions as plain numbers, orders as its own type.
type boardSource struct{ data *store.Store }

func (s boardSource) Partitions() int { return s.data.Partitions() }

func (s boardSource) Tail(ctx context.Context, partition int) (feed.Position, error) {
	return s.data.Tail(ctx, store.Partition(partition))
}

func (s boardSource) Changes(ctx context.Context, partition int, after feed.Position, most int, block time.Duration) ([]feed.Change, error) {
	return s.data.Changes(ctx, store.Partition(partition), after, most, block)
}

func (s boardSource) LoadBoard(ctx context.Context, partition int, b feed.Board, order ranking.Order, yield func(ranking.Entry) error) error {
	return s.data.LoadBoard(ctx, store.Partition(partition), b, order == ranking.Ascending,
		func(user activity.User, value int64, reached calendar.Instant) error {
			return yield(ranking.Entry{User: user, Value: value, Reached: reached})
		})
}

func (s boardSource) Epoch(ctx context.Context, partition int) (string, error) {
	return s.data.Epoch(ctx, store.Partition(partition))
}

// Renew is ranking.Options.Renew.
func (s boardSource) Renew(ctx context.Context, partition int, epoch string) error {
	return s.data.Renew(ctx, store.Partition(partition), epoch)
}

// errUnsettled makes a client try again, here or elsewhere.
var errUnsettled = errors.New("this node is reading its keys anew")

// authenticator makes API keys and signed tokens work for live views. A key that may not read users sees boards only, as a publishable one does.
func authenticator(keys *auth.Keys, settled func() bool) ws.Authenticator {
	return func(_ context.Context, shown ws.Credentials) (ws.Identity, error) {
		if !settled() {
			return ws.Identity{}, errUnsettled
		}
		check := keys.Authenticate
		if shown.InURL {
			check = keys.AuthenticateSigned
		}
		id, err := check(shown.Token, shown.Origin)
		if errors.Is(err, auth.ErrForbidden) {
			return ws.Identity{}, ws.ErrForbidden
		} else if err != nil {
			return ws.Identity{}, ws.ErrUnauthorized
		}
		of, err := id.Org(shown.Org)
		if err != nil || !id.Allows(auth.BoardsRead) {
			return ws.Identity{}, ws.ErrForbidden
		}
		return ws.Identity{Org: of, Key: id.KeyID(of), Public: id.Kind != auth.Secret || !id.Allows(auth.UsersRead), User: id.User, Board: id.Boards.Allow,
			ExpiresAt: id.ExpiresAt, Secret: id.Secret}, nil
	}
}

// stillGood is ws.Options.Good.
func stillGood(keys *auth.Keys) func(*ws.Identity) bool {
	return func(i *ws.Identity) bool { return keys.Good(i.Org, i.Key) && keys.GoodSecret(i.Secret) }
}

// socketLimits are those that the operator has set; what is 0 is the hub's default.
func socketLimits(s *config.Sockets) ws.Limits {
	const burst = 10 // times what is allowed a second
	return ws.Limits{
		Connections: s.WSConnections, ConnectionsPerIP: s.WSConnectionsPerIP, ConnectionsPerKey: s.WSConnectionsPerKey,
		HandshakeRate: s.WSHandshakes, HandshakeBurst: burst * s.WSHandshakes, MessageRate: s.WSMessages, MessageBurst: burst * s.WSMessages,
		MessageBytes: s.WSMessageBytes, Subscriptions: s.WSSubscriptions,
	}
}

// origins leaves the choice of web origins to the keys, each of which is bound to its own, unless the operator narrows it.
func origins(configured []string) []string {
	if len(configured) == 0 {
		return []string{"*"}
	}
	return configured
}

func ingestMetrics(m *telemetry.Metrics) ingest.Metrics {
	return ingest.Metrics{Activities: m.Activities, Ingest: m.Ingest, Commit: m.Commit, Conflicts: m.Conflicts, Partition: m.Partition, Org: m.Org, Dropped: m.Dropped}
}

func socketMetrics(m *telemetry.Metrics) ws.Metrics {
	return ws.Metrics{
		Connections: m.Connections, Subscriptions: m.Subscriptions, Frames: m.Frames, Renders: m.Renders, Push: m.Push,
		Closed: func(code ws.CloseCode) { m.Closed(int(code)) },
	}
}

// scrapeTimeout bounds what a scrape asks of the store.
const scrapeTimeout = time.Second

// streakStats asks the store for the deadlines; a store that does not answer counts as none.
func streakStats(writes *ingest.Service) func() telemetry.Streaks {
	return func() telemetry.Streaks {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		n, lag, err := writes.Deadlines(ctx)
		if err != nil {
			return telemetry.Streaks{}
		}
		return telemetry.Streaks{Deadlines: int(n), Lag: lag}
	}
}

// transferStats asks the store for the transfers; a store that does not answer counts as none.
func transferStats(writes *ingest.Service) func() telemetry.Transfers {
	return func() telemetry.Transfers {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		open, lag, err := writes.Transfers(ctx)
		if err != nil {
			return telemetry.Transfers{}
		}
		return telemetry.Transfers{Open: int(open), Lag: lag}
	}
}

func indexStats(boards *ranking.Boards, age func() time.Duration) func() telemetry.Index {
	return func() telemetry.Index {
		s := boards.Stats()
		return telemetry.Index{Boards: s.Boards, Members: s.Members, Lag: s.Lag, Age: age()}
	}
}
