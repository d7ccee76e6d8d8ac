package ws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/query"
)

// ask is what a client may subscribe to, as a WebSocket and a stream ask for it.
type ask struct {
	view query.View
	hz   float64
}

var simViews = []query.View{
	{Kind: query.ViewTop, Rule: "ordinal", Period: "round", Limit: 3},
	{Kind: query.ViewTop, Rule: "standard", Period: "round", Limit: 4},
	{Kind: query.ViewTop, Rule: "ordinal", Period: "round~1", Limit: 50},
	{Kind: query.ViewTop, Rule: "ordinal", Period: "round", Limit: 3, Fields: []string{"profile"}},
	{Kind: query.ViewRange, Rule: "standard", Period: "round", From: 2, To: 4},
	{Kind: query.ViewRange, Rule: "ordinal", Period: "round", From: 1, To: 2},
	{Kind: query.ViewRange, Rule: "ordinal", Period: "round", From: 3, To: 9, Segment: "AT"},
	{Kind: query.ViewAround, Rule: "standard", Period: "round", User: "u1", Span: 1},
	{Kind: query.ViewAround, Rule: "ordinal", Period: "round", User: "u2", Span: 1, Segment: "AT"},
	{Kind: query.ViewUsers, Rule: "ordinal", Period: "round", Users: []activity.User{"u3", "u0"}},
	{Kind: query.ViewUsers, Rule: "ordinal", Period: "round~1", Users: []activity.User{"u3", "u1"}, Fields: []string{"profile"}},
	{Kind: query.ViewUser, User: "u1"},
	{Kind: query.ViewUser, User: "u2"},
}

func askOf(a, b int) ask {
	return ask{simViews[a%len(simViews)], []float64{0, 0, 0, 3, 0.7}[b%5]}
}

// command is the message that subscribes.
func (a *ask) command(id string, since position) string {
	m := map[string]any{"type": "subscribe", "id": id, "view": a.view}
	if a.hz > 0 {
		m["max_hz"] = a.hz
	}
	if since.Epoch != "" {
		m["since"] = since
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// parameters are those of a stream.
func (a *ask) parameters() string {
	v := a.view
	q := "kind=" + string(v.Kind)
	add := func(name, value string) {
		if value != "" && value != "0" {
			q += "&" + name + "=" + value
		}
	}
	add("rule", v.Rule)
	add("period", v.Period)
	add("user", string(v.User))
	add("segment", v.Segment)
	add("limit", strconv.Itoa(v.Limit))
	add("from", strconv.Itoa(v.From))
	add("to", strconv.Itoa(v.To))
	add("span", strconv.Itoa(v.Span))
	for _, u := range v.Users {
		add("users", string(u))
	}
	for _, f := range v.Fields {
		add("fields", f)
	}
	if a.hz > 0 {
		add("max_hz", strconv.FormatFloat(a.hz, 'g', -1, 64))
	}
	return q
}

// arrival is a message and when it was read.
type arrival struct {
	message string
	at      time.Time
}

// link is a connection of a client. Its goroutine reads messages as far as it has credit.
type link struct {
	near net.Conn
	ws   *websocket.Conn // nil of a stream
	done chan struct{}

	mu     sync.Mutex
	let    *sync.Cond
	credit int // messages that it may read; negative: all
	inbox  []arrival
	ended  bool
	code   CloseCode // of the close frame, 0: the connection was cut
}

func newLink(near net.Conn, ws *websocket.Conn) *link {
	l := &link{near: near, ws: ws, done: make(chan struct{}), credit: -1}
	l.let = sync.NewCond(&l.mu)
	return l
}

func (l *link) allow(credit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.credit = credit
	l.let.Broadcast()
}

// read reads until next fails.
func (l *link) read(next func() ([]string, error)) {
	defer close(l.done)
	for {
		l.mu.Lock()
		for l.credit == 0 {
			l.let.Wait()
		}
		if l.credit > 0 {
			l.credit--
		}
		l.mu.Unlock()
		messages, err := next()
		now := time.Now()
		l.mu.Lock()
		for _, m := range messages {
			l.inbox = append(l.inbox, arrival{m, now})
		}
		if err != nil {
			var frame *websocket.CloseError
			if errors.As(err, &frame) && frame.Code != websocket.CloseAbnormalClosure {
				l.code = CloseCode(frame.Code)
			}
			l.ended = true
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
	}
}

func (l *link) take() (list []arrival, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list, l.inbox = l.inbox, nil
	return list, l.ended
}

// streamWriter is the server's end of a stream over a pipe.
type streamWriter struct {
	net.Conn
	header http.Header
}

func (s *streamWriter) Header() http.Header { return s.header }
func (s *streamWriter) WriteHeader(int)     {}
func (s *streamWriter) FlushError() error   { return nil }

// openStream is what net/http does around a handler, without its cost.
func openStream(t testing.TB, h *Hub, parameters, last string) *link {
	near, far := net.Pipe()
	ctx, leave := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/v1/stream?"+parameters, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.1:1"
	r.Header.Set("Authorization", "Bearer secret")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	go func() {
		_, _ = far.Read(make([]byte, 1)) // a client says nothing: it has left
		leave()
	}()
	go func() {
		defer far.Close()
		defer func() { _ = recover() }() // http.ErrAbortHandler
		h.Streams().ServeHTTP(&streamWriter{far, make(http.Header)}, r)
	}()
	l := newLink(near, nil)
	e := &events{t: t, body: bufio.NewReaderSize(near, 16)}
	go l.read(func() ([]string, error) {
		ev, ok := e.next()
		if !ok {
			return nil, net.ErrClosed
		}
		if ev.kind == "close" {
			code, _ := strconv.Atoi(strings.TrimSuffix(strings.SplitAfter(ev.data, `"code":`)[1], ev.data[strings.LastIndex(ev.data, ","):]))
			return nil, &websocket.CloseError{Code: code}
		}
		return []string{ev.data}, nil
	})
	return l
}

func openSocket(t testing.TB, h *Hub) *link {
	ws := pipeDial(t, h)
	l := newLink(ws.NetConn(), ws)
	go l.read(func() ([]string, error) {
		_, b, err := ws.ReadMessage()
		if err != nil {
			return nil, err
		}
		var list []string
		for _, m := range split(t, b) {
			list = append(list, string(m))
		}
		return list, nil
	})
	return l
}

// simSub is what a client holds of a subscription, and what it was told.
type simSub struct {
	ask
	shown
	since     time.Time // of the subscription on this connection
	staleAsOf time.Time // zero: it is fresh
	frame     time.Time // when the last snapshot or delta came that max_hz counts; zero: the next one is free
	event     int       // number of the last event
	early     string    // a frame that came before max_hz allows, which only news of an outage may take along
}

func (s *simSub) now() string {
	s.sort()
	return s.text()
}

// simClient is a client that does what docs/PROTOCOL.md says, and notes what that page promises and is not so.
type simClient struct {
	t      *testing.T
	sse    bool
	node   *simNode
	link   *link
	subs   map[string]*simSub
	made   int
	slowed time.Time // when it last did not read at once; zero on this connection: never
	stall  bool
	fault  error
	drains bool // drain came
}

func (c *simClient) fail(format string, args ...any) {
	if c.fault == nil {
		c.fault = fmt.Errorf(format, args...)
	}
}

// connect opens a connection to a node and subscribes to everything anew, from where it was.
func (c *simClient) connect(n *simNode) {
	c.node, c.slowed, c.stall, c.drains = n, time.Time{}, false, false
	if !c.sse {
		c.link = openSocket(c.t, n.hub)
		c.send(`{"type":"hello","token":"secret"}`)
	}
	for _, id := range slices.Sorted(maps.Keys(c.subs)) {
		s := c.subs[id]
		s.live, s.since, s.staleAsOf, s.frame, s.event = false, time.Now(), time.Time{}, time.Time{}, 0
		since := position{s.epoch, s.seq}
		if !c.sse {
			c.send(s.command(id, since))
			continue
		}
		last := ""
		if since.Epoch != "" {
			last = since.Epoch + "." + strconv.FormatUint(since.Seq, 10)
		}
		c.link = openStream(c.t, n.hub, s.parameters(), last)
	}
	synctest.Wait()
}

func (c *simClient) send(message string) {
	_ = c.link.ws.WriteMessage(websocket.TextMessage, []byte(message)) // an error means that the link ends, and its reader says so
	synctest.Wait()
}

func (c *simClient) subscribe(a ask) {
	if c.sse || len(c.subs) > 5 {
		return
	}
	c.made++
	id := "s" + strconv.Itoa(c.made)
	c.subs[id] = &simSub{ask: a, since: time.Now()}
	if c.link != nil {
		c.send(a.command(id, position{}))
	}
}

func (c *simClient) unsubscribe(which int) {
	ids := slices.Sorted(maps.Keys(c.subs))
	if c.sse || len(ids) == 0 {
		return
	}
	id := ids[which%len(ids)]
	delete(c.subs, id)
	if c.link != nil {
		c.send(`{"type":"unsubscribe","id":"` + id + `"}`)
	}
}

// hold has the client read nothing, or so many messages, from now on.
func (c *simClient) hold(credit int) {
	if c.link != nil {
		c.slowed, c.stall = time.Now(), true
		c.link.allow(credit)
		synctest.Wait()
	}
}

func (c *simClient) resume() {
	if c.link != nil && c.stall {
		c.slowed, c.stall = time.Now(), false
		c.link.allow(-1)
		synctest.Wait()
	}
}

// cut ends the connection without a word, from either side.
func (c *simClient) cut() {
	if c.link == nil {
		return
	}
	_ = c.link.near.Close()
	c.link.allow(-1)
	<-c.link.done
	synctest.Wait()
	c.process()
	c.link = nil
}

// process takes what has come. Nothing else runs meanwhile.
func (c *simClient) process() {
	if c.link == nil {
		return
	}
	list, ended := c.link.take()
	for _, a := range list {
		c.take(a)
	}
	for _, s := range c.subs {
		if s.early != "" {
			c.fail("%s", s.early)
		}
	}
	if ended {
		switch code := c.link.code; {
		case code == 0, code == CloseDrain && c.drains, (code == CloseSlow || code == CloseNoPong) && !c.slowed.IsZero():
		default:
			c.fail("closed with %d %v, though it read and no node was drained", code, code)
		}
		_ = c.link.near.Close()
		c.link = nil
	}
}

func (c *simClient) take(a arrival) {
	m := decodeLoose(c.t, []byte(a.message))
	if c.drains {
		c.fail("%s came behind drain", a.message)
	}
	switch m.Type {
	case "ping":
		c.send(`{"type":"pong"}`)
		return
	case "drain":
		c.drains = true
		return
	case "welcome":
		return
	}
	id := m.ID
	if c.sse {
		id = "s0"
	}
	s := c.subs[id]
	if s == nil {
		return // unsubscribed
	}
	if why := c.apply(s, &m, a.at); why != "" {
		c.fail("%s, by %s (%+v)", why, a.message, s.view)
	}
}

// apply does what a message says, and says what is wrong with it.
func (c *simClient) apply(s *simSub, m *wireMessage, at time.Time) (wrong string) {
	before := s.asOf
	live := s.live
	if err := s.shown.apply(m); err != nil {
		return err.Error()
	}
	switch m.Type {
	case "snapshot", "delta":
		return c.applyRows(s, m, at, before, live)
	case "resumed":
		return c.applyResumed(s)
	case "stale":
		return s.applyStale(m, at)
	case "fresh":
		return c.applyFresh(s)
	case "event":
		return s.applyEvent(m)
	case "period":
		return ""
	case "error":
		if m.Code == codeEventsLost && !c.slowed.IsZero() {
			return ""
		}
	}
	return "an unexpected " + m.Type
}

// applyRows: what is shown is what the node showed at some moment, no earlier than before; and no more often than was asked for.
func (c *simClient) applyRows(s *simSub, m *wireMessage, at time.Time, before string, live bool) string {
	asOf, _, err := calendar.ParseInstant(m.AsOf)
	if err != nil || !c.node.showed(s.view, int(asOf), s.now(), time.Time{}) {
		return fmt.Sprintf("the node never showed %s as of %d", s.now(), asOf)
	}
	if live && m.AsOf < before {
		return "it goes back from " + before
	}
	if s.hz > 0 && !s.frame.IsZero() && c.slowed.IsZero() && !c.node.gone && at.Sub(s.frame).Seconds() < 1/s.hz-0.001 && at != s.frame {
		s.early = fmt.Sprintf("%s came %v after the last one (%+v)", s.now(), at.Sub(s.frame), s.ask)
	}
	if live { // the first comes at once, between two ticks
		s.frame = at
	}
	return ""
}

// applyResumed: what the client brought is what this node shows, or showed a moment ago.
func (c *simClient) applyResumed(s *simSub) string {
	late := 3 * simTick
	if s.view.Kind == query.ViewUser {
		late = (settleTicks + 3) * simTick
	}
	now := time.Now()
	if now.Sub(c.node.lastFailure()) > time.Second && c.slowed.IsZero() && !c.node.showedSince(s.view, s.now(), now.Add(-late)) {
		return "what it resumes is not what this node shows"
	}
	return ""
}

func (s *simSub) applyStale(m *wireMessage, at time.Time) string {
	asOf, _, err := calendar.ParseInstant(m.AsOf)
	when := time.UnixMilli(int64(asOf))
	if err != nil || at.Sub(when) <= simStale || when.Before(s.staleAsOf) {
		return fmt.Sprintf("stale as of %v before", at.Sub(when))
	}
	s.staleAsOf, s.frame, s.early = when, time.Time{}, ""
	return ""
}

// applyFresh: the rows are already those of a moment at which the node had everything again.
func (c *simClient) applyFresh(s *simSub) string {
	healed, ok := c.node.healedAfter(s.staleAsOf)
	if s.staleAsOf.IsZero() || !ok {
		return "it was not stale, or still is"
	}
	if !c.node.showedSince(s.view, s.now(), healed) {
		return "what it shows is from before"
	}
	s.staleAsOf, s.frame, s.early = time.Time{}, time.Time{}, ""
	return ""
}

// applyEvent: events are the user's own, in the order of their commits, each once.
func (s *simSub) applyEvent(m *wireMessage) string {
	var e struct {
		N    int    `json:"n"`
		User string `json:"user"`
	}
	if err := json.Unmarshal(m.Event, &e); err != nil || e.User != string(s.view.User) || e.N <= s.event {
		return fmt.Sprintf("after event %d", s.event)
	}
	s.event = e.N
	return ""
}
