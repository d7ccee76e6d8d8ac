package ws

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"
)

// Subprotocol is what clients offer in Sec-WebSocket-Protocol.
const Subprotocol = "laurel.v1"

// admission is what is known of a connection before it is one.
type admission struct {
	ip, origin, org string
	identity        *Identity // nil: hello will tell
	stream          bool      // it sends events, and is no WebSocket
}

// problem is an answer to a request that does not become a connection (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func newProblem(status int, code, detail string) *problem {
	return &problem{"about:blank", http.StatusText(status), status, code, detail}
}

func (p *problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a number; details hold no invalid UTF-8
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusUpgradeRequired:
		h.Set("Upgrade", "websocket")
		h.Set("Connection", "Upgrade")
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h.Set("Retry-After", "5")
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone if this fails
}

// newUpgrader returns the handshake. Compression stays off: it costs a deflate window for each connection, deltas save
// more, and compressing a secret beside what others chose leaks it (CRIME).
func newUpgrader() websocket.Upgrader {
	return websocket.Upgrader{
		HandshakeTimeout: 5 * time.Second,
		ReadBufferSize:   1 << 10,
		WriteBufferSize:  1 << 10,
		WriteBufferPool:  new(sync.Pool),
		Subprotocols:     []string{Subprotocol},
		CheckOrigin:      func(*http.Request) bool { return true }, // refuse has checked
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			w.Header().Set("Sec-WebSocket-Version", "13")
			newProblem(status, codeBadRequest, strings.TrimPrefix(reason.Error(), "websocket: ")).write(w)
		},
	}
}

// ServeHTTP makes the request a connection, or answers with a problem. It returns once the connection stands, so that the
// server's own buffers and goroutine are free again.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p := h.refuse(r); p != nil {
		p.write(w)
		return
	}
	ip := h.o.ClientIP(r)
	if !h.arrives(ip) {
		newProblem(http.StatusTooManyRequests, codeLimit, "too many handshakes from this address").write(w)
		return
	}
	by, p := h.admit(r, ip)
	if p != nil {
		p.write(w)
		return
	}
	if p := h.reserve(by); p != nil {
		p.write(w)
		return
	}
	ws, err := h.upgrader.Upgrade(hijackable{w}, r, nil)
	if err != nil { // answered by the upgrader, where it could
		h.vacate(by)
		return
	}
	c := newSocketConn(h, ws, by)
	if by.identity != nil {
		c.welcome(by.identity)
	}
	h.start(c)
	go c.read()
}

// refuse checks what can be told from the request alone.
func (h *Hub) refuse(r *http.Request) *problem {
	if r.Method != http.MethodGet {
		return newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "use GET")
	}
	if !websocket.IsWebSocketUpgrade(r) {
		return newProblem(http.StatusUpgradeRequired, "upgrade_required", "this is a WebSocket endpoint")
	}
	if !h.originAllowed(r) {
		return newProblem(http.StatusForbidden, codeForbidden, "this Origin may not connect")
	}
	if offered := websocket.Subprotocols(r); len(offered) > 0 && !slices.Contains(offered, Subprotocol) {
		return newProblem(http.StatusBadRequest, codeUnsupported, "the subprotocol must be "+Subprotocol)
	}
	return nil
}

// originAllowed compares whole origins: a prefix or suffix match is how such lists are got around.
func (h *Hub) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(h.o.Origins, origin) || slices.Contains(h.o.Origins, "*") {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// admit finds the identity, if the request names one.
func (h *Hub) admit(r *http.Request, ip string) (*admission, *problem) {
	by := &admission{ip: ip, origin: r.Header.Get("Origin"), org: r.Header.Get("Laurel-Org")}
	shown, p := credentials(r)
	if p != nil || shown.Token == "" {
		return by, p
	}
	ctx, cancel := context.WithTimeout(r.Context(), sourceTimeout)
	defer cancel()
	identity, err := h.o.Authenticate(ctx, shown)
	switch {
	case errors.Is(err, ErrUnauthorized) && shown.InURL:
		return nil, newProblem(http.StatusUnauthorized, codeUnauthorized, "only a signed token may stand in a URL, and this is none that is valid")
	case errors.Is(err, ErrUnauthorized):
		return nil, newProblem(http.StatusUnauthorized, codeUnauthorized, ErrUnauthorized.Error())
	case errors.Is(err, ErrForbidden):
		return nil, newProblem(http.StatusForbidden, codeForbidden, ErrForbidden.Error())
	case err != nil:
		h.o.Log.Warn().Err(err).Msg("token of a live connection could not be checked")
		return nil, newProblem(http.StatusServiceUnavailable, codeUnavailable, authDetail(closeInternal))
	}
	by.identity = &identity
	return by, nil
}

// credentials reads what a request shows: a header, or in the URL, for clients that cannot set one, a signed token. Token is empty where it shows nothing.
func credentials(r *http.Request) (Credentials, *problem) {
	shown := Credentials{Origin: r.Header.Get("Origin"), Org: r.Header.Get("Laurel-Org")}
	values, err := url.ParseQuery(r.URL.RawQuery)
	header, inURL := r.Header.Get("Authorization"), values["token"]
	switch {
	case err != nil:
		return shown, newProblem(http.StatusBadRequest, codeBadRequest, "the query is malformed")
	case len(inURL) > 1 || len(inURL) == 1 && (header != "" || inURL[0] == ""):
		return shown, newProblem(http.StatusBadRequest, codeBadRequest, "give one token, in the header or as ?token=")
	case len(inURL) == 1:
		shown.Token, shown.InURL = inURL[0], true
		return shown, nil
	case header == "":
		return shown, nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if shown.Token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || shown.Token == "" {
		return shown, newProblem(http.StatusUnauthorized, codeUnauthorized, "Authorization must be Bearer and a token")
	}
	return shown, nil
}

// hijackable finds the hijacker behind wrapped response writers, which the upgrader does not look for.
type hijackable struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (w hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	return &hushed{Conn: c}, buffered, err
}

// hushed is the connection as the library has it, which answers the handshake and from then on only reads. What it would write when a client breaks the rules of
// frames, a close frame, would come between what the connection's writer is writing, and after a reason that stands already: it is kept for finish.
type hushed struct {
	net.Conn
	reads bool // set before the reader starts, and used by it only
	word  []byte
}

// Write implements net.Conn.
func (h *hushed) Write(b []byte) (int, error) {
	if !h.reads {
		return h.Conn.Write(b)
	}
	h.word = append(h.word[:0], b...)
	return len(b), nil
}

// linger hears out what the client is still sending, for a moment: a socket that is closed with unread data is reset, and the client would miss the close frame.
func (h *hushed) linger() {
	half, ok := h.Conn.(interface{ CloseWrite() error })
	if ok && half.CloseWrite() == nil && h.SetReadDeadline(time.Now().Add(closeWait)) == nil {
		_, _ = io.Copy(io.Discard, h.Conn) // ends with the client, or then
	}
}
