package store

import (
	"context"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// LogClients sends what the Redis client library has to say to log, for the whole process; by default it writes lines of its own to stderr.
func LogClients(log zerolog.Logger) { redis.SetLogger(clientLog{log}) }

type clientLog struct{ log zerolog.Logger }

// Printf implements the library's interface. What matters comes back as errors too, so this is for who looks closer.
func (l clientLog) Printf(_ context.Context, format string, v ...any) {
	l.log.Debug().Str("from", "redis client").Msgf(format, v...)
}
