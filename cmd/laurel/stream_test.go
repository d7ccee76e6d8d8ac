package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// stream is an answer of GET /v1/stream.
type stream struct {
	t    *testing.T
	body *bufio.Reader
}

func (n *testNode) stream(query string) *stream {
	n.t.Helper()
	r, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, n.base+"/v1/stream?"+query, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	if !strings.Contains(query, "token=") {
		r.Header.Set("Authorization", "Bearer "+testKey)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != 200 {
		n.t.Fatalf("%s: %d", query, answer.StatusCode)
	}
	return &stream{n.t, bufio.NewReader(answer.Body)}
}

// expect returns the data of the next event, which is of this type.
func (s *stream) expect(kind string) string {
	s.t.Helper()
	event := ""
	for {
		line, err := s.body.ReadString('\n')
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", kind, err)
		}
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			event = strings.TrimSpace(name)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if event != kind {
				s.t.Fatalf("got %s %s instead of %s", event, data, kind)
			}
			return strings.TrimSpace(data)
		}
	}
}

// shown is what reads, WebSockets and streams have in common, as it was sent.
type shown struct {
	Period, Rows json.RawMessage
	Total        int
}

func (s *shown) read(t *testing.T, text string) string {
	t.Helper()
	if err := json.Unmarshal([]byte(text), s); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestStream_ShowsWhatOthersShow: a read, a WebSocket and a stream show the same of one revision.
func TestStream_ShowsWhatOthersShow(t *testing.T) {
	n := startNode(t, testConfig(t))
	for i, user := range []string{"ada", "bob", "cyd", "dan", "eve"} {
		n.post("/v1/activities", "["+strings.TrimSuffix(strings.Repeat(`{"user":"`+user+`","name":"commit"},`, 5-i), ",")+"]")
	}
	e := n.stream("kind=range&rule=commits&period=week&from=2&to=4")
	streamed := e.expect("snapshot")
	s := n.dial(testKey, nil)
	s.expect("welcome")
	s.send(map[string]any{"type": "subscribe", "id": "sse", "view": map[string]any{"kind": "range", "rule": "commits", "period": "week", "from": 2, "to": 4}})
	if _, socket, err := s.conn.ReadMessage(); err != nil || string(socket) != streamed {
		t.Errorf("the socket has %s\nthe stream %s", socket, streamed)
	}
	_, board, _ := do(t, "GET", n.base+"/v1/leaderboards/commits/week?offset=1&limit=3", "")
	if got, want := new(shown).read(t, streamed), new(shown).read(t, board); got != want || !strings.Contains(got, `"user":"dan"`) {
		t.Errorf("a read has %s\nthe stream %s", want, got)
	}
	_, user, _ := do(t, "GET", n.base+"/v1/users/ada", "")
	mine := n.stream("kind=user&user=ada&token=" + n.token(`{"user":"ada"}`)).expect("snapshot")
	if !strings.Contains(mine, `"user":`+strings.TrimSpace(user)+"}") {
		t.Errorf("a read has %s\nthe stream %s", user, mine)
	}

	n.post("/v1/activities", `{"user":"cyd","name":"commit"}`)
	if _, socket, err := s.conn.ReadMessage(); err != nil || e.expect("delta") != string(socket) {
		t.Errorf("the delta of the socket is another: %s", socket)
	}
}

// TestStream_EndsBeforeTheNode: a node that stops hands its streams over, and does not wait for them until it cuts them off.
func TestStream_EndsBeforeTheNode(t *testing.T) {
	cfg := testConfig(t)
	cfg.Drain = 2 * patience
	n := startNode(t, cfg)
	e := n.stream("kind=top&rule=commits&period=week")
	e.expect("snapshot")
	n.post("/v1/activities", `{"user":"ada","name":"commit"}`)
	began := time.Now()
	if err := n.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > cfg.Drain/2 || strings.Contains(n.log.String(), "requests were cut off") {
		t.Errorf("the stop took %v", took)
	}
	e.expect("delta")
	e.expect("drain")
	if got := e.expect("close"); got != `{"type":"close","code":4001,"reason":"drain"}` {
		t.Errorf("ended with %s", got)
	}
}
