package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"laurel/internal/config"
)

const testKey = "sk_test_0123456789"

// patience bounds every wait for something that must come, however busy the machine is.
const patience = 2 * time.Minute

// testNode is a whole program that was started by its own run; tests know no more of it than its documentation says.
type testNode struct {
	t      *testing.T
	base   string // of the REST API
	admin  string
	log    *safeBuffer
	cancel context.CancelFunc
	ended  chan error
	once   sync.Once
	err    error
}

// safeBuffer is a log that a node writes while a test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// testConfig is a server with its data in a directory of the test, on free ports.
func testConfig(t *testing.T) config.Serve {
	return config.Serve{
		Store:  config.Store{DataDir: t.TempDir(), Fsync: "no"},
		Log:    config.Log{LogLevel: "debug", LogFormat: "json"},
		Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", BootstrapKey: testKey, Drain: patience,
	}
}

func startNode(t *testing.T, cfg config.Serve) *testNode {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	n := &testNode{t: t, log: &safeBuffer{}, cancel: cancel, ended: make(chan error, 1)}
	up := make(chan addresses, 1)
	go func() { n.ended <- run(ctx, cfg, n.log, func(a addresses) { up <- a }) }()
	t.Cleanup(func() { n.stop() })
	select {
	case a := <-up:
		n.base, n.admin = "http://"+a.Public, "http://"+a.Admin
	case err := <-n.ended:
		n.ended <- err
		t.Fatalf("the node did not start: %v\n%s", err, n.log)
	}
	if err := ready(t.Context(), n.client(testKey), n.admin); err != nil {
		t.Fatal(err)
	}
	return n
}

// stop ends the node as SIGTERM does, and returns what run returned.
func (n *testNode) stop() error {
	n.once.Do(func() {
		n.cancel()
		n.err = <-n.ended
		if n.err != nil {
			n.t.Logf("log of the node:\n%s", n.log)
		}
	})
	return n.err
}

func (n *testNode) client(key string) *client {
	c, err := newClient(n.base, key)
	if err != nil {
		n.t.Fatal(err)
	}
	return c
}

// do sends a request and returns the answer's status and body.
func do(t *testing.T, method, url, body string) (status int, text string, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testKey)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b), answer.Header
}

func (n *testNode) post(path, body string) string {
	n.t.Helper()
	status, text, _ := do(n.t, "POST", n.base+path, body)
	if status >= 300 {
		n.t.Fatalf("POST %s: %d %s", path, status, text)
	}
	return text
}

// boardRow is a row of a board.
type boardRow struct {
	Rank      int     `json:"rank"`
	User      string  `json:"user"`
	Score     float64 `json:"score"`
	ReachedAt string  `json:"reached_at"`
}

// boardAnswer is the answer of a leaderboard.
type boardAnswer struct {
	Total  int `json:"total"`
	Period struct {
		Label string `json:"label"`
	} `json:"period"`
	Rows []boardRow `json:"rows"`
}

func (n *testNode) board(path string) boardAnswer {
	n.t.Helper()
	status, text, _ := do(n.t, "GET", n.base+"/v1/leaderboards/"+path, "")
	if status != 200 {
		n.t.Fatalf("GET %s: %d %s", path, status, text)
	}
	var b boardAnswer
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		n.t.Fatal(err)
	}
	return b
}

// frame is any message of the WebSocket protocol.
type frame struct {
	Type     string          `json:"type"`
	ID       string          `json:"id"`
	Seq      int             `json:"seq"`
	Prev     int             `json:"prev"`
	Total    int             `json:"total"`
	Rows     []boardRow      `json:"rows"`
	Upsert   []boardRow      `json:"upsert"`
	Remove   []string        `json:"remove"`
	Code     string          `json:"code"`
	Detail   string          `json:"detail"`
	InMillis int             `json:"reconnect_in_ms"`
	Event    json.RawMessage `json:"event"`
}

// socket is a WebSocket client.
type socket struct {
	t       *testing.T
	conn    *websocket.Conn
	pending []frame
}

func (n *testNode) dial(key string, header http.Header) *socket {
	n.t.Helper()
	s := n.connect(header)
	s.send(map[string]any{"type": "hello", "token": key})
	return s
}

// connect leaves the hello to the caller.
func (n *testNode) connect(header http.Header) *socket {
	n.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"laurel.v1"}, HandshakeTimeout: patience}
	conn, _, err := dialer.DialContext(n.t.Context(), "ws"+strings.TrimPrefix(n.base, "http")+"/v1/ws", header)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { conn.Close() })
	return &socket{t: n.t, conn: conn}
}

func (s *socket) send(message any) {
	s.t.Helper()
	if err := s.conn.WriteJSON(message); err != nil {
		s.t.Fatal(err)
	}
}

// next returns the next message, or the error that ended the connection. Pings are answered and passed over.
func (s *socket) next() (frame, error) {
	for {
		f, err := s.read()
		if err != nil || f.Type != "ping" {
			return f, err
		}
		if err := s.conn.WriteJSON(map[string]any{"type": "pong"}); err != nil {
			return frame{}, err
		}
	}
}

func (s *socket) read() (frame, error) {
	for len(s.pending) == 0 {
		if err := s.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return frame{}, err
		}
		_, text, err := s.conn.ReadMessage()
		if err != nil {
			return frame{}, err
		}
		if text[0] != '[' {
			text = append(append([]byte{'['}, text...), ']')
		}
		if err := json.Unmarshal(text, &s.pending); err != nil {
			return frame{}, err
		}
	}
	f := s.pending[0]
	s.pending = s.pending[1:]
	return f, nil
}

// expect returns the next message, which is of this type.
func (s *socket) expect(kind string) frame {
	s.t.Helper()
	f, err := s.next()
	if err != nil {
		s.t.Fatalf("waiting for %s: %v", kind, err)
	}
	if f.Type != kind {
		s.t.Fatalf("got %+v instead of %s", f, kind)
	}
	return f
}

// fakeServer answers as the test says.
func fakeServer(t *testing.T, answer http.HandlerFunc) *client {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	c, err := newClient(s.URL, "sk_x")
	if err != nil {
		t.Fatal(err)
	}
	return c
}
