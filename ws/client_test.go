package ws

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"

	"laurel/internal/calendar"
	"laurel/internal/clock"
)

// fixture is a hub over a fake source whose clock stands at r1.
type fixture struct {
	t      testing.TB
	hub    *Hub
	source *fakeSource
	clock  *clock.Clock

	mu    sync.Mutex
	codes []CloseCode
	live  map[string]int // gauges
}

// tokens of the fixture: "secret", "other" (of another org), "public", "visitor" (a user's signed token), "brief" (ends at 60 s), and others below.
func authenticate(_ context.Context, c Credentials) (Identity, error) {
	if c.InURL && c.Token != "visitor" {
		return Identity{}, ErrUnauthorized
	}
	switch c.Token {
	case "secret":
		return Identity{Org: "o", Key: "k1"}, nil
	case "other":
		return Identity{Org: "p", Key: "k2"}, nil
	case "public":
		return Identity{Org: "o", Key: "k3", Public: true}, nil
	case "visitor":
		return Identity{Org: "o", Key: "k3", Public: true, User: "ann"}, nil
	case "brief":
		return Identity{Org: "o", Key: "k1", ExpiresAt: 60_000}, nil
	case "fleeting": // ends while the first round lasts
		return Identity{Org: "o", Key: "k1", ExpiresAt: 2*roundMS - 1}, nil
	case "narrow": // the same user, fewer boards
		return Identity{Org: "o", Key: "k3", Public: true, User: "ann", Board: func(rule, _ string) bool { return rule == "standard" }}, nil
	case "soon": // the same user, until 60 s
		return Identity{Org: "o", Key: "k3", Public: true, User: "ann", ExpiresAt: 60_000}, nil
	case "bob":
		return Identity{Org: "o", Key: "k3", Public: true, User: "bob"}, nil
	case "bound":
		if c.Origin != "https://shop.example" || c.Org != "o" {
			return Identity{}, fmt.Errorf("key k4: %w", ErrForbidden)
		}
		return Identity{Org: "o", Key: "k4"}, nil
	case "down":
		return Identity{}, fmt.Errorf("store: connection refused")
	}
	return Identity{}, ErrUnauthorized
}

func newFixture(t testing.TB, change func(*Options)) *fixture {
	f := &fixture{t: t, clock: new(clock.Clock), live: map[string]int{}}
	f.at(roundMS)
	f.source = newFakeSource(f.clock)
	f.source.asOf = roundMS
	gauge := func(name string) func(int) {
		return func(n int) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.live[name] += n
		}
	}
	o := Options{
		Source: f.source, Authenticate: authenticate, Clock: f.clock, Tick: 5 * time.Millisecond,
		Metrics: Metrics{
			Connections: gauge("connections"), Subscriptions: gauge("subscriptions"), Frames: gauge("frames"),
			Push: func(time.Duration) { gauge("pushes")(1) },
			Closed: func(c CloseCode) {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.codes = append(f.codes, c)
			},
		},
	}
	if change != nil {
		change(&o)
	}
	f.hub = New(o)
	return f
}

func (f *fixture) at(now calendar.Instant) { f.clock.Set(&now) }

// run runs the hub, and returns what stops it and waits.
func (f *fixture) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- f.hub.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			f.t.Error(err)
		}
	}
}

// patience bounds every wait for something that must come.
const patience = 2 * time.Minute

// unhurried keeps the time that a busy machine takes from ending connections. Tests of what time ends run in fake time.
func (f *fixture) unhurried() {
	l := &f.hub.o.Limits
	l.Hello, l.Ping, l.Write = time.Hour, time.Hour, patience
}

// serve runs the hub behind a real server.
func (f *fixture) serve() *httptest.Server {
	f.unhurried()
	server := httptest.NewServer(f.hub)
	f.t.Cleanup(server.Close)
	f.t.Cleanup(f.run())
	return server
}

// client is one connection of a test that reads message by message.
type client struct {
	t  testing.TB
	ws *websocket.Conn
	// waiting are the messages of an array that were not asked for yet.
	waiting []jsontext.Value
}

func dial(t testing.TB, server *httptest.Server, header http.Header) *client {
	t.Helper()
	return dialURL(t, server.URL, header)
}

func dialURL(t testing.TB, server string, header http.Header) *client {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{Subprotocol}}
	ws, response, err := d.Dial("ws"+strings.TrimPrefix(server, "http"), header)
	if err != nil {
		t.Fatal(err, response)
	}
	t.Cleanup(func() { _ = ws.Close() })
	return &client{t: t, ws: ws}
}

// greet dials and says hello.
func greet(t testing.TB, server *httptest.Server, token string) *client {
	t.Helper()
	c := dial(t, server, nil)
	c.send(`{"type":"hello","token":"` + token + `"}`)
	c.expect("welcome")
	return c
}

func (c *client) send(message string) {
	c.t.Helper()
	if err := c.ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next message that is no ping.
func (c *client) next() string {
	c.t.Helper()
	for {
		if len(c.waiting) == 0 {
			_ = c.ws.SetReadDeadline(time.Now().Add(patience))
			_, b, err := c.ws.ReadMessage()
			if err != nil {
				c.t.Fatal(err)
			}
			c.waiting = split(c.t, b)
		}
		m := string(c.waiting[0])
		c.waiting = c.waiting[1:]
		if kindOf(c.t, m) != "ping" {
			return m
		}
	}
}

func split(t testing.TB, b []byte) []jsontext.Value {
	if b[0] != '[' {
		return []jsontext.Value{b}
	}
	var list []jsontext.Value
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	if len(list) < 2 {
		t.Fatalf("an array of %d messages: %s", len(list), b)
	}
	return list
}

func kindOf(t testing.TB, message string) string {
	var head struct{ Type string }
	if err := json.Unmarshal([]byte(message), &head, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("%v in %s", err, message)
	}
	return head.Type
}

func (c *client) expect(kind string) string {
	c.t.Helper()
	m := c.next()
	if kindOf(c.t, m) != kind {
		c.t.Fatalf("got %s, want a message of type %q", m, kind)
	}
	return m
}

// want compares the next message byte by byte.
func (c *client) want(message string) {
	c.t.Helper()
	if got := c.next(); got != message {
		c.t.Fatalf("got\n%s, want\n%s", got, message)
	}
}

// wantError expects an error message with a code and, if given, an id.
func (c *client) wantError(code, id string) {
	c.t.Helper()
	var m struct {
		Type, ID, Code, Detail string
	}
	b := c.expect("error")
	if err := json.Unmarshal([]byte(b), &m, json.MatchCaseInsensitiveNames(true)); err != nil {
		c.t.Fatal(err)
	}
	if m.Code != code || m.ID != id || m.Detail == "" {
		c.t.Fatalf("got %s, want code %q for id %q", b, code, id)
	}
}

// wantClose reads on to the close frame.
func (c *client) wantClose(code CloseCode) {
	c.t.Helper()
	for {
		_ = c.ws.SetReadDeadline(time.Now().Add(patience))
		_, _, err := c.ws.ReadMessage()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, int(code)) || !strings.Contains(err.Error(), code.String()) {
			c.t.Fatalf("ended by %v, want close %d %v", err, code, code)
		}
		return
	}
}

// pipeDial connects over a net.Pipe, for tests with fake time: nothing is buffered in between, so a client that does not read
// stalls the server at once.
func pipeDial(t testing.TB, h *Hub) *websocket.Conn {
	near, far := net.Pipe()
	go func() {
		br := bufio.NewReader(far)
		r, err := http.ReadRequest(br)
		if err != nil {
			t.Error(err)
			return
		}
		r.RemoteAddr = "192.0.2.1:1"
		h.ServeHTTP(&pipeResponse{conn: far, br: br}, r)
	}()
	d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return near, nil }}
	ws, _, err := d.Dial("ws://laurel.example/v1/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

type pipeResponse struct {
	http.ResponseWriter // not used: the handshake succeeds
	conn                net.Conn
	br                  *bufio.Reader
}

func (p *pipeResponse) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return p.conn, bufio.NewReadWriter(p.br, bufio.NewWriter(p.conn)), nil
}

func (f *fixture) gauge(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.live[name]
}

func (f *fixture) closedWith() []CloseCode {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.codes)
}
