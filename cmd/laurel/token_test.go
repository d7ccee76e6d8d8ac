package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"laurel/internal/config"
	"laurel/internal/testenv"
)

// command runs a command line and returns what it printed.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), args, &out, &errs)
	return code, strings.TrimSpace(out.String()), errs.String()
}

// token makes one over REST.
func (n *testNode) token(body string) string {
	n.t.Helper()
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(n.post("/v1/tokens", body)), &made); err != nil {
		n.t.Fatal(err)
	}
	return made.Token
}

// wantClosed reads to the end, which is the close code.
func (s *socket) wantClosed(code int) {
	s.t.Helper()
	for {
		_, err := s.next()
		if err == nil {
			continue
		}
		if closed := new(websocket.CloseError); !errors.As(err, &closed) || closed.Code != code {
			s.t.Errorf("the connection ended with %v, want %d", err, code)
		}
		return
	}
}

func TestToken_Command(t *testing.T) {
	n := startNode(t, testConfig(t))
	n.post("/v1/activities", `[{"user":"ada","name":"commit"},{"user":"bob","name":"commit"}]`)
	code, token, stderr := command(t, "token", "--server", n.base, "--key", testKey, "--user", "ada", "--boards", "commits/week,commits/day", "--ttl", "90s")
	if code != 0 || strings.Count(token, ".") != 2 || stderr != "" {
		t.Fatalf("%d %q %q", code, token, stderr)
	}
	s := n.dial(token, nil)
	s.expect("welcome")
	watch := func(view string) frame {
		s.send(map[string]any{"type": "subscribe", "id": view, "view": json.RawMessage(view)})
		f, err := s.next()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for view, want := range map[string]string{`{"kind":"user","user":"ada"}`: "", `{"kind":"top","rule":"commits","period":"week"}`: "",
		`{"kind":"user","user":"bob"}`: "forbidden", `{"kind":"top","rule":"commits","period":"month"}`: "forbidden"} {
		if f := watch(view); f.Code != want {
			t.Errorf("%s: %+v", view, f)
		}
	}
	for _, args := range [][]string{{"--key", "sk_wrong"}, {"--key", testKey, "--ttl", "25h"}, {"--key", testKey, "--ttl", "1ms"}, {"--key", testKey, "--org", "other"},
		{"--key", testKey, "--origins", "shop.example"}} {
		if code, out, stderr := command(t, append([]string{"token", "--server", n.base}, args...)...); code != 1 || out != "" || strings.Contains(stderr, "sk_") {
			t.Errorf("%v: %d %q %q", args, code, out, stderr)
		}
	}
}

// TestToken_RevocationReachesEveryNode: a key that is revoked on one node closes its sockets, and those of its tokens, on every node.
func TestToken_RevocationReachesEveryNode(t *testing.T) {
	redis := testenv.StartRedis(t)
	var nodes []*testNode
	for range 2 {
		cfg := testConfig(t)
		cfg.Redis = config.Secret(redis.URL())
		nodes = append(nodes, startNode(t, cfg))
	}
	var made struct{ ID, Key string }
	if err := json.Unmarshal([]byte(nodes[0].post("/v1/keys", `{"name":"backend","kind":"sk","scopes":["tokens:write","boards:read","users:read"]}`)), &made); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { status, _, _ := do(t, "GET", nodes[1].base+"/v1/keys/"+made.ID, ""); return status == 200 })
	code, token, stderr := command(t, "token", "--server", nodes[0].base, "--key", made.Key, "--user", "ada")
	if code != 0 {
		t.Fatal(stderr)
	}
	var ending, staying []*socket
	for _, n := range nodes {
		ending = append(ending, n.dial(made.Key, nil), n.dial(token, nil))
		staying = append(staying, n.dial(testKey, nil))
	}
	for _, s := range append(ending, staying...) {
		s.expect("welcome")
		s.send(map[string]any{"type": "subscribe", "id": "a", "view": map[string]any{"kind": "top", "rule": "commits", "period": "week"}})
		s.expect("snapshot")
	}
	if status, text, _ := do(t, "DELETE", nodes[0].base+"/v1/keys/"+made.ID, ""); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	for _, s := range ending {
		s.wantClosed(4501)
	}
	nodes[1].post("/v1/activities", `{"user":"ada","name":"commit"}`)
	for _, s := range staying {
		s.expect("delta")
	}
	for _, n := range nodes {
		again := n.dial(token, nil)
		again.wantClosed(4501)
	}
}

// TestToken_InURLIsNotKept: a token in a URL is good for a socket, and stands in no log and no metric; a key there is refused, and does not either.
func TestToken_InURLIsNotKept(t *testing.T) {
	n := startNode(t, testConfig(t))
	token := n.token(`{"user":"ada"}`)
	address := "ws" + strings.TrimPrefix(n.base, "http") + "/v1/ws?token="
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), address+token, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{t: t, conn: conn}
	s.expect("welcome")
	for _, bad := range []string{testKey, token + "x"} {
		if conn, answer, err := websocket.DefaultDialer.DialContext(t.Context(), address+bad, nil); err == nil || answer.StatusCode != 401 {
			t.Errorf("%v %v %v", conn, answer, err)
		}
	}
	do(t, "GET", n.base+"/v1/ws?token="+token, "")
	do(t, "GET", n.base+"/v1/leaderboards/none/week?token="+token, "")
	do(t, "GET", n.base+"/nowhere?token="+token, "")
	_ = conn.Close()
	_, metrics, _ := do(t, "GET", n.admin+"/metrics", "")
	if !strings.Contains(metrics, "laurel_http_requests_total") {
		t.Fatal("no metrics")
	}
	if err := n.stop(); err != nil {
		t.Error(err)
	}
	for what, text := range map[string]string{"log": n.log.String(), "metrics": metrics} {
		if strings.Contains(text, token) || strings.Contains(text, "token=") || strings.Contains(text, testKey) {
			t.Errorf("the %s shows a secret", what)
		}
	}
}

func TestSockets_LimitsOfAnAddress(t *testing.T) {
	cfg := testConfig(t)
	cfg.TrustedProxies, cfg.WSConnectionsPerIP, cfg.WSHandshakes = []string{"127.0.0.0/8"}, 1, 100
	n := startNode(t, cfg)
	knock := func(client string) int {
		header := http.Header{"Authorization": {"Bearer " + testKey}}
		if client != "" {
			header.Set("X-Forwarded-For", "198.51.100.77, "+client)
		}
		conn, answer, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(n.base, "http")+"/v1/ws", header)
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		} else if answer == nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	for i, c := range []struct {
		client string
		want   int
	}{{"203.0.113.1", 101}, {"203.0.113.1", 429}, {"203.0.113.2", 101}, {"2001:db8::1", 101}, {"2001:db8::2", 429}, {"", 101}, {"", 101}} {
		if got := knock(c.client); got != c.want {
			t.Errorf("%d, %s: %d, want %d", i, c.client, got, c.want)
		}
	}
}

// TestServe_StopDrainsHundreds: a stop under load loses nothing: everyone has seen the last acknowledged activity before being told when to come back.
func TestServe_StopDrainsHundreds(t *testing.T) {
	const many = 300
	n := startNode(t, testConfig(t))
	n.post("/v1/activities", `{"user":"ada","name":"commit"}`)
	sockets := make([]*socket, many)
	for i := range sockets {
		sockets[i] = n.dial(testKey, nil)
		sockets[i].send(map[string]any{"type": "subscribe", "id": "a", "view": map[string]any{"kind": "top", "rule": "commits", "period": "week"}})
		sockets[i].expect("welcome")
		sockets[i].expect("snapshot")
	}
	const commits = 200
	moments := make([]int, many)
	var reading sync.WaitGroup
	for i, s := range sockets { // at once, so that pings are answered
		reading.Go(func() { moments[i] = s.drained(commits + 1) })
	}
	for range commits / 10 {
		n.post("/v1/activities", "["+strings.TrimSuffix(strings.Repeat(`{"user":"ada","name":"commit"},`, 10), ",")+"]")
	}
	stopped := make(chan error, 1)
	go func() { stopped <- n.stop() }()
	reading.Wait()
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	distinct := map[int]bool{}
	for _, m := range moments {
		if distinct[m] = true; m < 0 || m >= 1000 {
			t.Errorf("told to come back in %d ms", m)
		}
	}
	if len(distinct) < many/2 {
		t.Errorf("%d clients come back at %d moments", many, len(distinct))
	}
}

// drained reads to the end, and says when to come back. The last score seen must be want.
func (s *socket) drained(want float64) (in int) {
	score := 1.0
	for {
		f, err := s.next()
		switch {
		case err != nil:
			if closed := new(websocket.CloseError); !errors.As(err, &closed) || closed.Code != 4001 || score != want {
				s.t.Errorf("ended with %v, having seen %v of %v", err, score, want)
			}
			return in
		case f.Type == "drain":
			in = f.InMillis
		case len(f.Upsert) > 0:
			score = f.Upsert[0].Score
		case len(f.Rows) > 0:
			score = f.Rows[0].Score
		}
	}
}
