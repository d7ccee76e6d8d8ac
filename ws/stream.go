package ws

import (
	"context"
	"errors"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// streamID is the id of a stream's one subscription, so that its messages are those of a WebSocket to the byte.
const streamID = "sse"

// signOfLife is a comment: no event to the client, and traffic to the proxies between.
var signOfLife = []byte(":\n\n")

// stream is the sink of an answer in Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html): an event for each message, named by its type.
// It never hijacks, so it works wherever http.Server and the handlers before it can flush.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	done    chan struct{} // closed: nothing more is written
	left    chan struct{} // closed: the handler has taken the connection down

	mu    sync.Mutex
	ended bool // done is closed
	cut   bool // severed: the deadline has passed for good
}

func newStream(w http.ResponseWriter) *stream {
	return &stream{w: w, control: http.NewResponseController(w), done: make(chan struct{}), left: make(chan struct{})}
}

// begin writes the fields before the data. A message is one line, as JSON of this package has no line ends.
func (s *stream) begin(b []byte, n int, h head) []byte {
	if n > 0 {
		b = append(b, "\n\n"...)
	}
	if h.retry > 0 {
		b = append(strconv.AppendInt(append(b, "retry: "...), h.retry, 10), '\n')
	}
	if h.at.Epoch != "" {
		b = append(append(append(b, "id: "...), h.at.Epoch...), '.')
		b = append(strconv.AppendUint(b, h.at.Seq, 10), '\n')
	}
	b = append(append(b, "event: "...), h.kind...)
	return append(b, "\ndata: "...)
}

func (s *stream) seal(b []byte, _ int) []byte { return append(b, "\n\n"...) }

// farewell is an event in place of the close frame that streams lack.
func (s *stream) farewell(code CloseCode) []byte {
	b := strconv.AppendInt([]byte("event: close\ndata: {\"type\":\"close\",\"code\":"), int64(code), 10)
	return append(append(append(b, `,"reason":"`...), code.String()...), "\"}\n\n"...)
}

// offer takes nothing: http.ResponseWriter cannot write a part without waiting.
func (s *stream) offer(b []byte) ([]byte, error) { return b, nil }

func (s *stream) write(b []byte, patience time.Duration) error {
	s.mu.Lock()
	err := os.ErrClosed
	if !s.cut {
		err = s.control.SetWriteDeadline(time.Now().Add(patience))
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}

func (s *stream) direct() bool { return false }

func (s *stream) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked()
}

func (s *stream) endLocked() {
	if !s.ended {
		s.ended = true
		close(s.done)
	}
}

// sever ends a write that waits. Behind a farewell there is none, and the answer may end well.
func (s *stream) sever() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.cut = true
		_ = s.control.SetWriteDeadline(time.Unix(1, 0)) // fails only where the connection is gone
		s.endLocked()
	}
}

// Streams serves live views as Server-Sent Events: one view for each request, named by its parameters. It answers for as long as the client stays.
func (h *Hub) Streams() http.Handler { return http.HandlerFunc(h.serveStream) }

func (h *Hub) serveStream(w http.ResponseWriter, r *http.Request) {
	by, m, p := h.admitStream(r)
	if p == nil {
		p = h.reserve(by)
	}
	if p != nil {
		p.write(w)
		return
	}
	key, view, refused := h.vet(by.identity, m.View)
	if refused != nil {
		h.vacate(by)
		refused.problem().write(w)
		return
	}
	c := newConn(h, by, h.o.Limits.Heartbeat)
	c.stream = newStream(w)
	c.out = c.stream
	defer close(c.stream.left)
	if err := c.stream.open(h.o.Limits.Write); err != nil { // the client is gone, or what stands before cannot flush
		h.vacate(by)
		panic(http.ErrAbortHandler)
	}
	h.start(c)
	c.add(m, key, view)
	c.finish(c.attend(r.Context()))
}

// admitStream finds out who asks for what.
func (h *Hub) admitStream(r *http.Request) (*admission, *subscribeCommand, *problem) {
	if r.Method != http.MethodGet {
		return nil, nil, newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "use GET")
	}
	if !h.originAllowed(r) {
		return nil, nil, newProblem(http.StatusForbidden, codeForbidden, "this Origin may not connect")
	}
	ip := h.o.ClientIP(r)
	if !h.arrives(ip) {
		return nil, nil, newProblem(http.StatusTooManyRequests, codeLimit, "too many handshakes from this address")
	}
	by, p := h.admit(r, ip)
	if p != nil {
		return nil, nil, p
	}
	if by.identity == nil {
		return nil, nil, newProblem(http.StatusUnauthorized, codeUnauthorized, "send Authorization: Bearer and a token, or ?token= with a signed one")
	}
	by.stream = true
	m, refused := streamCommand(r)
	if refused != nil {
		return nil, nil, refused.problem()
	}
	return by, m, nil
}

// streamCommand reads the request as the command that subscribes to the same on a WebSocket.
func streamCommand(r *http.Request) (*subscribeCommand, *refusal) {
	m := &subscribeCommand{ID: streamID, View: new(query.View)}
	values := r.URL.Query() // well-formed, as credentials has seen
	for _, name := range slices.Sorted(maps.Keys(values)) {
		given := values[name]
		if len(given) > 1 && name != "users" && name != "fields" {
			return nil, &refusal{codeBadRequest, name + ": given twice"}
		}
		if !utf8.ValidString(name) || !utf8.ValidString(strings.Join(given, "")) {
			return nil, &refusal{codeBadRequest, "parameters must be UTF-8"}
		}
		if problem := m.set(name, given); problem != "" {
			return nil, &refusal{codeBadRequest, name + ": " + problem}
		}
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" { // newer than what stands in the URL, which a browser repeats
		m.Since = parsePosition(last)
	}
	return m, m.check()
}

// set takes one parameter, and says what is wrong with it.
func (m *subscribeCommand) set(name string, given []string) (problem string) {
	v, value := m.View, given[0]
	var err error
	switch name {
	case "kind":
		v.Kind = query.ViewKind(value)
	case "rule":
		v.Rule = value
	case "period":
		v.Period = value
	case "user":
		v.User = activity.User(value)
	case "users":
		for _, user := range given {
			v.Users = append(v.Users, activity.User(user))
		}
	case "segment":
		v.Segment = value
	case "fields":
		v.Fields = given
	case "limit":
		v.Limit, err = strconv.Atoi(value)
	case "span":
		v.Span, err = strconv.Atoi(value)
	case "from":
		v.From, err = strconv.Atoi(value)
	case "to":
		v.To, err = strconv.Atoi(value)
	case "max_hz":
		var hz float64
		hz, err = strconv.ParseFloat(value, 64)
		if !(hz >= 0) { // NaN among them
			return "must be a number"
		}
		m.MaxHz = &hz
	case "last_event_id":
		m.Since = parsePosition(value)
	case "token": // read by credentials
	default:
		return "no such parameter"
	}
	if err != nil {
		return "must be a number"
	}
	return ""
}

// parsePosition reads the id of an event. What is none is no position: the client gets a snapshot.
func parsePosition(id string) position {
	epoch, seq, _ := strings.Cut(id, ".")
	n, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return position{}
	}
	return position{epoch, n}
}

// problem is the answer to a request for a view that is refused.
func (r *refusal) problem() *problem {
	status := http.StatusBadRequest
	switch r.code {
	case codeForbidden:
		status = http.StatusForbidden
	case codeUnavailable:
		status = http.StatusServiceUnavailable
	case "rule_not_found", "user_not_found":
		status = http.StatusNotFound
	case "period_gone", "user_merged":
		status = http.StatusGone
	}
	return newProblem(status, r.code, r.detail)
}

// firstRetry is the least, and half the most, that a browser waits to come back when a stream breaks off. It also undoes what a drain told it.
const firstRetry = time.Second

// open begins the answer. The server's deadline for reading a request must not end one that lasts; the one for writing is left behind by the last write, so the
// TCP connection is not used again.
func (s *stream) open(patience time.Duration) error {
	if err := s.control.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("Connection", "close")
	h.Set("X-Accel-Buffering", "no") // nginx would collect what is sent
	s.w.WriteHeader(http.StatusOK)
	retry := (firstRetry + mathrand.N(firstRetry)).Milliseconds()
	return s.write([]byte("retry: "+strconv.FormatInt(retry, 10)+"\n\n"), patience)
}

// attend waits until the client leaves or the stream is over.
func (c *conn) attend(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return errLeft
	case <-c.stream.done:
		return errors.New("stream is over")
	}
}
