package ws

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// streamID is the id of a stream's one subscription, so that its messages are those of a WebSocket to the byte.
const streamID = "sse"

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
	limitStream(r.Context())
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

// attend waits until the client leaves or the stream is over.
func (c *conn) attend(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return errLeft
	case <-c.stream.done:
		return errors.New("stream is over")
	}
}
