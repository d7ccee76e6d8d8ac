package ws

import (
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"

	"laurel/internal/calendar"
)

// errLeft says that the client of a stream went away.
var errLeft = errors.New("the client left")

// conn is a client's connection: a WebSocket, or a stream of events that only sends. One goroutine reads it, or waits for its end, and takes it down (read,
// attend); another writes while there is something to write (write).
type conn struct {
	hub        *Hub
	ws         *websocket.Conn // only read from; out sends; nil of a stream
	hushed     *hushed         // what ws reads from; nil of a stream
	stream     *stream         // nil of a WebSocket
	out        sink
	session    string
	ip, origin string
	org        string // that the Laurel-Org header named
	opened     time.Time
	seen       atomic.Int64 // when the client was last heard of, in ns since opened
	bucket     bucket       // used by the reader only
	writers    sync.WaitGroup

	mu       sync.Mutex
	identity *Identity // nil before hello
	subs     map[string]*subscription
	aside    []byte          // goes out beside the messages, nil for nothing: the frame that answers the client's last ping frame, or a stream's sign of life
	control  [][]byte        // answers and notices, in order; at most maxControl
	ready    []*subscription // marked: something newer than was sent
	marked   bool            // since the last wake
	awake    bool            // the writer shall look
	writing  bool            // there is a writer
	dead     bool            // no writer shall start any more
	closing  CloseCode       // 0: open
	last     []byte          // message behind which the close frame comes, nil for none
	retry    int64           // ms after which the client is asked to come back, with last; 0: not said
	pinged   time.Time       // of the ping that is not answered yet, zero: none
	nextPing time.Time

	// Used by the writer only.
	taken   []*subscription // out of ready, and are being written
	wakeAt  time.Duration   // the pacer wakes the connection then; 0: it does not
	wakeFor time.Duration   // what that is for may be written from then on
}

func newConn(h *Hub, by *admission, every time.Duration) *conn {
	now := time.Now()
	return &conn{
		hub: h, session: rand.Text(), ip: by.ip, origin: by.origin, org: by.org, opened: now, identity: by.identity,
		bucket:   newBucket(h.o.Limits.MessageBurst),
		nextPing: now.Add(mathrand.N(every) + 1), // spread, so that clients that came together are not pinged together
	}
}

func newSocketConn(h *Hub, ws *websocket.Conn, by *admission) *conn {
	c := newConn(h, by, h.o.Limits.Ping)
	c.hushed = ws.NetConn().(*hushed) // from hijackable
	c.hushed.reads = true
	c.ws, c.out = ws, &frames{newSocket(c.hushed.Conn), ws}
	control := func(string) error {
		c.heard()
		if !c.bucket.take(h.o.Limits.MessageBurst, h.o.Limits.MessageRate) {
			c.fail(CloseLimit, "too many control frames")
		}
		return nil
	}
	ws.SetPongHandler(control)
	ws.SetPingHandler(func(data string) error {
		_ = control(data)
		c.mu.Lock()
		c.aside = appendFrame(nil, websocket.PongMessage, []byte(data)) // the latest is the one to answer (RFC 6455, section 5.5.3)
		c.mu.Unlock()
		c.wake()
		return nil
	})
	ws.SetCloseHandler(func(int, string) error { return nil }) // answered when the reader ends, behind what is being written
	return c
}

func (c *conn) heard() { c.seen.Store(int64(time.Since(c.opened))) }

// read handles what the client sends until the connection ends, and then takes it down. After a close frame was sent it
// still reads for a moment: a socket closed with unread data would be reset, and the client would miss the code.
func (c *conn) read() {
	for {
		kind, r, err := c.ws.NextReader()
		if err == nil {
			c.heard()
			err = c.message(kind, r)
		}
		if err != nil {
			c.finish(err)
			return
		}
	}
}

// message reads one message and handles it. The buffer is borrowed for as long as that takes: most connections say nothing most
// of the time.
func (c *conn) message(kind int, r io.Reader) error {
	scratch := c.hub.scratch.Get().(*[]byte)
	defer c.hub.scratch.Put(scratch)
	most := c.hub.o.Limits.MessageBytes
	message, err := readAll(io.LimitReader(r, int64(most)+1), (*scratch)[:0])
	*scratch = message[:0]
	switch {
	case err != nil:
		return err
	case c.isClosing(): // read on only for the answer to the close frame
	case kind != websocket.TextMessage:
		c.fail(CloseUnsupported, "messages are JSON text")
	case len(message) > most:
		c.fail(CloseLimit, "a message has at most "+strconv.Itoa(most)+" bytes")
	case !utf8.Valid(message): // RFC 6455, section 8.1
		c.fail(closeNoText, "messages are UTF-8")
	default:
		c.handle(message)
	}
	return nil
}

func readAll(r io.Reader, b []byte) ([]byte, error) {
	const least = 512
	for {
		if cap(b)-len(b) < least {
			b = append(b, make([]byte, least)...)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// finish takes the connection down: its subscriptions, its writer, its socket, its place.
func (c *conn) finish(cause error) {
	var byClient *websocket.CloseError
	closed := errors.As(cause, &byClient) && byClient.Code != websocket.CloseAbnormalClosure
	broken := c.hushed != nil && c.hushed.word != nil || errors.Is(cause, websocket.ErrReadLimit)
	if (closed || broken) && c.isClosing() {
		c.writers.Wait() // the client is there, and the reason that stands goes out to it
	}
	c.mu.Lock()
	c.dead = true
	c.mu.Unlock()
	if errors.Is(cause, errLeft) {
		c.writers.Wait() // net/http says that the client left also where a write failed, and before who wrote learns why: that reason stands
	}
	c.mu.Lock()
	code := c.closing
	var farewell []byte
	switch {
	case code != 0:
	case byClient != nil, errors.Is(cause, errLeft):
		code = closeByClient
		if byClient != nil {
			farewell = closeFrame(websocket.CloseNormalClosure, "") // the client knows already that it closed
		}
	case errors.Is(cause, websocket.ErrReadLimit): // a length past 2^63
		code = CloseLimit
		farewell = c.out.farewell(code)
	case broken:
		code = closeLost
		farewell = c.hushed.word
	default:
		code = closeLost
	}
	c.closing = code
	subs := c.subs
	c.subs = nil
	identity := c.identity
	c.mu.Unlock()

	for _, s := range subs {
		s.gone.Store(true)
		c.hub.leave(s)
	}
	if farewell != nil {
		_ = c.ws.NetConn().SetWriteDeadline(time.Now().Add(time.Second)) // for a writer that is in the middle of a message
		c.writers.Wait()
		_ = c.out.write(farewell, time.Second) // whether it comes or not, this is the end
	}
	if broken {
		c.hushed.linger()
	}
	c.out.sever() // ends a write that is stuck
	c.writers.Wait()
	c.hub.o.Metrics.Closed(code)
	c.hub.remove(c, identity)
	c.hub.o.Log.Debug().Str("session", c.session).Str("ip", c.ip).Str("key", keyOf(identity)).Int("code", int(code)).Stringer("reason", code).Msg("live connection ended")
}

func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing != 0
}

// say queues an answer or a notice. Where too many wait already, the client sends commands without reading the answers:
// it is closed as slow.
func (c *conn) say(message []byte) {
	c.mu.Lock()
	if c.closing == 0 {
		if len(c.control) < maxControl {
			c.control = append(c.control, message)
		} else {
			c.closing = CloseSlow
		}
	}
	c.mu.Unlock()
	c.wake()
}

// close sends what waits and then a close frame. The first reason stands.
func (c *conn) close(code CloseCode, last []byte) {
	c.mu.Lock()
	if c.closing == 0 {
		c.closing = code
		c.last = last
	}
	c.mu.Unlock()
	c.wake()
}

// fail closes with an error message that says why.
func (c *conn) fail(code CloseCode, detail string) {
	c.close(code, appendError(nil, nil, &refusal{code.String(), detail}))
}

// retreat closes as the node drains, and asks the client to come back after so many milliseconds.
func (c *conn) retreat(in int64) {
	c.mu.Lock()
	c.retry = in
	c.mu.Unlock()
	c.close(CloseDrain, append(strconv.AppendInt([]byte(`{"type":"drain","reconnect_in_ms":`), in, 10), '}'))
}

// sever cuts the connection off without a word.
func (c *conn) sever() { c.out.sever() }

// mark says that the subscription has something to be sent. It returns whether the connection is to be woken for it: not where it is going to
// look anyhow. Several that are marked now are woken for once.
func (c *conn) mark(s *subscription, now bool) (wake bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead || c.closing != 0 || s.queued {
		return false
	}
	s.queued = true
	c.ready = append(c.ready, s)
	if !now {
		return true
	}
	wake = !c.marked
	c.marked = true
	return wake
}

// endSubscription ends a subscription from the server's side, and a stream with its only one.
func (c *conn) endSubscription(s *subscription, why *refusal) {
	s.gone.Store(true)
	c.mu.Lock()
	if c.subs[s.id] == s {
		delete(c.subs, s.id)
	}
	c.mu.Unlock()
	if notice := appendError(nil, s.quoted, why); c.stream != nil {
		c.close(CloseBadRequest, notice)
	} else {
		c.say(notice)
	}
}

// beat looks after what time brings: the hello that did not come, the token that ended, the pong that is missing, the next ping.
func (c *conn) beat(now time.Time, at calendar.Instant) {
	l := &c.hub.o.Limits
	c.mu.Lock()
	identity := c.identity
	heard := c.opened.Add(time.Duration(c.seen.Load()))
	if !c.pinged.IsZero() && !heard.Before(c.pinged) {
		c.pinged = time.Time{}
	}
	noPong := !c.pinged.IsZero() && now.Sub(c.pinged) >= l.Pong
	ping := c.pinged.IsZero() && identity != nil && !now.Before(c.nextPing)
	switch {
	case !ping:
	case c.stream != nil:
		c.aside, c.nextPing = signOfLife, now.Add(l.Heartbeat)
	default:
		c.pinged, c.nextPing = now, now.Add(l.Ping)
	}
	c.mu.Unlock()

	switch {
	case identity == nil && now.Sub(c.opened) >= l.Hello:
		c.fail(CloseUnauthorized, "no hello came")
	case identity != nil && identity.ExpiresAt != 0 && at >= identity.ExpiresAt:
		c.close(CloseTokenExpired, nil)
	case noPong:
		c.close(CloseNoPong, nil)
	case ping && c.stream != nil:
		c.wake()
	case ping:
		b := append(at.AppendFormat([]byte(`{"type":"ping","at":"`)), `"}`...)
		c.say(b)
	}
}

// appendError appends an error message; id is the subscription's as JSON, nil for none.
func appendError(b, id []byte, r *refusal) []byte {
	b = append(b, `{"type":"error"`...)
	if id != nil {
		b = append(append(b, `,"id":`...), id...)
	}
	b = append(append(b, `,"code":"`...), r.code...)
	b = append(b, `","detail":`...)
	b, _ = jsontext.AppendQuote(b, r.detail) // on an error it still appends a valid string, with U+FFFD for what was invalid
	return append(b, '}')
}

func keyOf(i *Identity) string {
	if i == nil {
		return ""
	}
	return i.Key
}
