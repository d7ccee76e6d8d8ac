package ws

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/clock"
	"laurel/internal/query"
)

// Source answers what views show. *query.Reader is one. Both methods are called from several goroutines at once.
type Source interface {
	// Check validates a view for an org before it is subscribed. The errors that a client is told are those of package
	// query; any other means: try again later.
	Check(ctx context.Context, org activity.Org, v query.View) error
	// Render computes the view as of now. With a previous frame of the same view it returns that very pointer if nothing
	// shown has changed. An error of package query ends the view's subscriptions; with any other, such as
	// ranking.ErrLoading, the view stays as it is and is rendered again at the next tick.
	Render(ctx context.Context, org activity.Org, v query.View, previous *query.Frame) (*query.Frame, error)
}

// Identity is who a connection belongs to.
type Identity struct {
	Org activity.Org
	Key string // id of the API key, or of the one that made the token: for limits, logs, and Options.Good
	// Secret names what signed the token, "" for a key: for Options.Good.
	Secret string
	// Public identities see boards, and of users only User.
	Public bool
	User   activity.User // the user that a signed token names, "" for none
	// Board says whether a board may be watched, named as views name it; nil: every one.
	Board func(rule, period string) bool
	// ExpiresAt is when the connection ends unless a new token comes before; 0: never.
	ExpiresAt calendar.Instant
}

// mayWatch says whether the identity may subscribe to the view. Board views show what the board's own pages show
// anyone; a user view is everything about a user.
func (i *Identity) mayWatch(v *query.View) bool {
	if v.Kind != query.ViewUser {
		return i.Board == nil || i.Board(v.Rule, v.Period)
	}
	if !i.Public && i.User == "" {
		return true
	}
	return i.User != "" && i.User == v.User
}

// Credentials are what a client shows to be let in.
type Credentials struct {
	Token  string
	InURL  bool   // Token came in the URL, which others see and keep: only a short-lived one may be good
	Origin string // the header, "" for none
	Org    string // that the client named (the header Laurel-Org, or "org" in its hello), "" for none
}

// Authenticator finds an identity. Errors: ErrUnauthorized, ErrForbidden; any other means that the answer is not known now.
type Authenticator func(context.Context, Credentials) (Identity, error)

// Options say how a Hub works. Source and Authenticate are required.
type Options struct {
	Source       Source
	Authenticate Authenticator
	// Good says whether an identity that Authenticate gave would still be given, as far as its key goes; nil: always. It is asked again at Hub.Recheck and must not
	// block.
	Good   func(*Identity) bool
	Clock  *clock.Clock  // nil: the machine's
	Tick   time.Duration // how often changed views are sent; 0: 100 ms
	Limits Limits
	// Age says how long ago Source was last known to show everything that was committed by then; what was committed before has been told to Wake. It must not
	// block. nil: Source is always current.
	Age func() time.Duration
	// StaleAfter is the age past which subscribers are told that their views are stale; 0: 2 s.
	StaleAfter time.Duration
	// Origins are the values of Origin that may connect beside the server's own host: exact, or "*" for all, which
	// leaves it to Authenticate to bind a key to its origins. No cookie is ever read, so a foreign page can only use a
	// token that it already has. Requests without Origin are always allowed.
	Origins []string
	// ClientIP tells the client's address for the limits of an address and for logs; nil: the peer's. Behind a proxy, pass
	// a function that trusts the proxy's header from the proxy only. "" is an address without limits.
	ClientIP func(*http.Request) string
	Metrics  Metrics
	Log      zerolog.Logger
}

// Limits bound what clients can make the hub hold. A zero field means its default.
type Limits struct {
	Connections       int           // of the node; default 10,000
	ConnectionsPerIP  int           // default 1,000, as an office may have one address
	ConnectionsPerKey int           // default as Connections, as all visitors of a page share its public key
	HandshakeBurst    int           // of an address at once, good or not; default 200
	HandshakeRate     int           // and then per second; default 20
	Subscriptions     int           // of a connection; default 64
	MessageBytes      int           // of a message from a client; default 16 KiB
	MessageBurst      int           // messages that a client may send at once; default 200
	MessageRate       int           // and then per second; default 20
	Users             int           // of a "users" view; default 100
	Rows              int           // of a "top" or "range" view; default 1,000
	Span              int           // of an "around" view; default 100
	Events            int           // kept for a subscription until they can be sent; default 32
	Hello             time.Duration // time to say hello; default 5 s
	Ping              time.Duration // between pings; default 25 s
	Pong              time.Duration // time to answer one; default 10 s
	Heartbeat         time.Duration // between signs of life on a stream; default 15 s
	Write             time.Duration // for one message of the server to be taken by the socket; default 10 s
	Linger            time.Duration // a view without subscribers keeps its epoch so long; default 30 s
}

const (
	defaultRows   = 50              // of a "top" view without limit, as in REST
	maxControl    = 256             // answers to commands that may wait for the socket: more than MessageBurst brings
	maxIdleViews  = 1_000           // views that linger
	splitBytes    = 64 << 10        // a message to a client is closed and a new one begun past this
	closeWait     = 2 * time.Second // for the client to answer a close frame, as RFC 6455 asks of it
	sourceTimeout = 5 * time.Second // for Authenticate, Check, and a round of user views
)

// Metrics are told what happens. Nil functions are not called.
type Metrics struct {
	Connections   func(delta int)
	Subscriptions func(delta int)
	Frames        func(n int)           // messages written to sockets
	Renders       func(n int)           // views computed, each for all who watch it
	Closed        func(code CloseCode)  // a closed set: this package's codes, 1000 (by the client), 1006 (lost), 1011
	Push          func(d time.Duration) // from Wake to the end of the socket write, for each subscriber
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = new(clock.Clock)
	}
	if o.ClientIP == nil {
		o.ClientIP = peerIP
	}
	if o.Age == nil {
		o.Age = func() time.Duration { return 0 }
	}
	setDefault(&o.Tick, 100*time.Millisecond)
	setDefault(&o.StaleAfter, 2*time.Second)
	o.Limits = o.Limits.withDefaults()
	o.Metrics = o.Metrics.withDefaults()
	return o
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.Connections, 10_000)
	setDefault(&l.ConnectionsPerIP, min(1_000, l.Connections))
	setDefault(&l.ConnectionsPerKey, l.Connections)
	setDefault(&l.HandshakeBurst, 200)
	setDefault(&l.HandshakeRate, 20)
	setDefault(&l.Subscriptions, 64)
	setDefault(&l.MessageBytes, 16<<10)
	setDefault(&l.MessageBurst, 200)
	setDefault(&l.MessageRate, 20)
	setDefault(&l.Users, 100)
	setDefault(&l.Rows, 1_000)
	setDefault(&l.Span, 100)
	setDefault(&l.Events, 32)
	setDefault(&l.Hello, 5*time.Second)
	setDefault(&l.Ping, 25*time.Second)
	setDefault(&l.Pong, 10*time.Second)
	setDefault(&l.Heartbeat, 15*time.Second)
	setDefault(&l.Write, 10*time.Second)
	setDefault(&l.Linger, 30*time.Second)
	return l
}

func (m Metrics) withDefaults() Metrics {
	ignoreInt := func(int) {}
	if m.Connections == nil {
		m.Connections = ignoreInt
	}
	if m.Subscriptions == nil {
		m.Subscriptions = ignoreInt
	}
	if m.Frames == nil {
		m.Frames = ignoreInt
	}
	if m.Renders == nil {
		m.Renders = ignoreInt
	}
	if m.Closed == nil {
		m.Closed = func(CloseCode) {}
	}
	if m.Push == nil {
		m.Push = func(time.Duration) {}
	}
	return m
}

func setDefault[T int | time.Duration](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

func peerIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
