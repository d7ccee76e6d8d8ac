package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"laurel/internal/config"
	"laurel/internal/testenv"
	"laurel/ws"
)

const asyncCatalog = `
orgs:
  - id: git
    rules:
      - {id: commits, when: {name: commit}, value: count, cycles: [day, week, all], segment_by: user.country}
      - {id: lines, when: {name: commit}, value: {sum: value}, cycles: [week]}
    streaks:
      - {id: daily, when: {name: commit}, unit: day}
`

// asyncNode is a node with a week behind it, whose users are those of the document's examples.
func asyncNode(t *testing.T, redis string) *testNode {
	cfg := testConfig(t)
	cfg.Redis = config.Secret(redis)
	cfg.TestClock, cfg.Catalog = true, filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(cfg.Catalog, []byte(asyncCatalog), 0o600); err != nil {
		t.Fatal(err)
	}
	n := startNode(t, cfg)
	n.setClock("2026-11-13T10:00:00Z")
	n.put("/v1/users/ada", `{"name":"Ada L.","picture":"https://shop.example/ada.png","attributes":{"country":"AT"}}`)
	n.post("/v1/activities", `[{"user":"bob","name":"commit"},{"user":"bob","name":"commit"},{"user":"ada","name":"commit"}]`)
	n.setClock("2026-11-20T10:00:00Z")
	n.post("/v1/activities", `[{"user":"ada","name":"commit"},{"user":"ada","name":"commit"},{"user":"bob","name":"commit"}]`)
	n.setClock("2026-11-21T19:40:00Z")
	return n
}

func (n *testNode) setClock(now string) {
	n.t.Helper()
	if status, text, _ := do(n.t, "PUT", n.admin+"/clock", fmt.Sprintf(`{"now":%q}`, now)); status != 204 {
		n.t.Fatalf("clock: %d %s", status, text)
	}
}

func (n *testNode) put(path, body string) {
	n.t.Helper()
	if status, text, _ := do(n.t, "PUT", n.base+path, body); status >= 300 {
		n.t.Fatalf("PUT %s: %d %s", path, status, text)
	}
}

// probe is a command whose answer shows that those before it were done.
const probe = "the test's own"

// TestAsyncAPI_ClientExamples sends every example of a client's message to a node: it is answered as its operation says, and not by an error. Without a
// member that is required, or with one that is not described, schema and node refuse it.
func TestAsyncAPI_ClientExamples(t *testing.T) {
	n := asyncNode(t, "")
	p := readProtocol(t, n.base)
	for name, operation := range p.at("operations").(map[string]any) {
		operation := operation.(map[string]any)
		if operation["action"] != "receive" {
			continue
		}
		message := referred(operation["messages"])[0]
		reply, _ := operation["reply"].(map[string]any)
		for _, e := range p.examples(message) {
			t.Run(name+"/"+e.name, func(t *testing.T) {
				p.t = t
				if err := p.fits(message, e.payload); err != nil {
					t.Error(err)
				}
				c := exchange{p: p, n: n, message: message, replies: referred(reply["messages"])}
				if got := c.send(e.payload); slices.Contains(got, "error") {
					t.Errorf("it is answered by %q", got)
				}
				for what, spoilt := range spoil(p, message, e.payload) {
					if p.fits(message, spoilt) == nil {
						t.Errorf("the schema takes it %s", what)
					}
					if got := c.send(spoilt); !slices.Contains(got, "error") {
						t.Errorf("%s it is answered by %q", what, got)
					}
				}
			})
		}
	}
}

// spoil makes messages that are to be refused.
func spoil(p *protocol, message string, payload map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	more := maps.Clone(payload)
	more["more"] = true
	out["with another member"] = more
	for _, name := range p.at("components", "messages", message, "payload", "required").([]any) {
		less := maps.Clone(payload)
		delete(less, name.(string))
		out["without "+name.(string)] = less
	}
	if view, ok := payload["view"].(map[string]any); ok {
		wrong := maps.Clone(payload)
		wrong["view"] = map[string]any{"kind": view["kind"], "more": true}
		out["with another view"] = wrong
	}
	return out
}

// exchange sends messages of one operation.
type exchange struct {
	p       *protocol
	n       *testNode
	message string
	replies []string
}

// send sends a message on a connection of its own and returns which messages answer it, each of which is one of the operation's replies.
func (c *exchange) send(payload map[string]any) (got []string) {
	c.p.t.Helper()
	w := c.p.open(c.n, nil)
	token := c.n.token(`{"user":"ada"}`)
	fill := strings.NewReplacer("KEY", testKey, "TOKEN", token)
	if c.message != "hello" {
		w.send(map[string]any{"type": "hello", "token": token})
		w.until("welcome")
	}
	if c.message == "unsubscribe" {
		w.send(map[string]any{"type": "subscribe", "id": c.p.examples("unsubscribe")[0].payload["id"], "view": map[string]any{"kind": "user", "user": "ada"}})
		w.until("userSnapshot")
	}
	payload = maps.Clone(payload)
	if text, ok := payload["token"].(string); ok {
		payload["token"] = fill.Replace(text)
	}
	w.send(payload)
	w.send(map[string]any{"type": "unsubscribe", "id": probe})
	awaited := slices.ContainsFunc(c.replies, func(r string) bool { return r != "error" })
	for probed := false; !probed || awaited && len(got) == 0; {
		name, payload := w.read()
		switch {
		case name == "": // refused before the hello
			return got
		case payload["id"] == probe:
			probed = true
		case name != "error" && !slices.Contains(c.replies, name), name == "error" && payload["code"] == "unavailable":
			c.p.t.Fatalf("%s is answered by %v", c.message, payload)
		default:
			got = append(got, name)
		}
	}
	return got
}

// TestAsyncAPI_ServerExamples has a node send every message there is, over both channels.
func TestAsyncAPI_ServerExamples(t *testing.T) {
	redis := testenv.StartRedis(t)
	n := asyncNode(t, redis.URL())
	p := readProtocol(t, n.base)
	token := n.token(`{"user":"ada","expires_in":86400}`)
	page, server := p.open(n, nil), p.open(n, http.Header{"Authorization": {"Bearer " + testKey}})
	page.send(map[string]any{"type": "hello", "token": token})
	page.until("welcome")
	server.until("welcome")

	server.send(map[string]any{"type": "nonsense"})
	server.until("error")
	server.send(map[string]any{"type": "unsubscribe", "id": "top"})
	server.until("error")

	top := map[string]any{"kind": "top", "rule": "commits", "period": "week", "limit": 2}
	server.subscribe("top", top)
	held := server.until("snapshot")
	server.subscribe("at", map[string]any{"kind": "users", "rule": "commits", "period": "all", "users": []string{"ada"}, "fields": []string{"profile"}})
	server.until("snapshot")
	server.subscribe("none", map[string]any{"kind": "top", "rule": "commits", "period": "day"})
	server.until("snapshot")
	server.send(map[string]any{"type": "subscribe", "id": "again", "view": top, "since": map[string]any{"epoch": held["epoch"], "seq": held["seq"]}})
	server.until("resumed")
	page.subscribe("me", map[string]any{"kind": "user", "user": "ada"})
	page.until("userSnapshot")

	board := p.stream(n, "kind=top&rule=commits&period=week&limit=2", "")
	at := board.until("snapshot")
	p.stream(n, "kind=top&rule=commits&period=week&limit=2", at).until("resumed")
	mine := p.stream(n, "kind=user&user=ada", "")
	mine.until("userSnapshot")

	n.post("/v1/activities", `[{"user":"cyd","name":"commit"},{"user":"cyd","name":"commit"},{"user":"cyd","name":"commit"}]`) // bob falls out
	server.untilOf("top", "delta")
	board.until("delta")
	n.post("/v1/activities", `{"user":"dan","name":"commit"}`) // below the view
	server.untilOf("top", "delta")
	n.post("/v1/activities", `{"user":"ada","name":"commit"}`)
	page.until("userDelta")
	page.until("event")
	mine.until("userDelta")
	mine.until("event")
	n.post("/v1/users/ada/hide", "")
	page.until("userDelta")
	n.post("/v1/users/ada/unhide", "")
	page.until("userDelta")

	lost := p.stream(n, "kind=user&user=cyd", "")
	lost.until("userSnapshot")
	if status, text, _ := do(t, "DELETE", n.base+"/v1/users/cyd", ""); status >= 300 {
		t.Fatal(text)
	}
	lost.until("error")
	lost.until("close")

	for _, turn := range []struct {
		signal  syscall.Signal
		message string
	}{{syscall.SIGSTOP, "stale"}, {syscall.SIGCONT, "fresh"}} {
		if err := syscall.Kill(redis.Pid(), turn.signal); err != nil {
			t.Fatal(err)
		}
		server.until(turn.message)
		board.until(turn.message)
	}

	n.setClock("2026-11-22T10:00:00Z") // tokens last a day at most, and the page's is to outlive the week
	page.send(map[string]any{"type": "token", "token": n.token(`{"user":"ada","expires_in":86400}`)})
	page.until("welcome")
	n.setClock("2026-11-23T09:00:00Z")
	server.until("period")
	board.until("period")
	ended := make(chan error, 1)
	go func() { ended <- n.stop() }()
	board.until("drain")
	board.until("close")
	for _, w := range []*watched{page, server} {
		w.until("drain")
		if got, _ := w.read(); got != "" {
			t.Errorf("%s came behind the drain", got)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	p.awaitPing()
	p.end()
}

func (w *watched) subscribe(id string, view any) {
	w.t.Helper()
	w.send(map[string]any{"type": "subscribe", "id": id, "view": view})
}

// awaitPing takes a ping, for which a node would wait 25 s, from a hub that is impatient.
func (p *protocol) awaitPing() {
	hub := ws.New(ws.Options{Limits: ws.Limits{Ping: 10 * time.Millisecond}, Authenticate: func(context.Context, ws.Credentials) (ws.Identity, error) {
		return ws.Identity{Org: "git", Key: "k"}, nil
	}})
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- hub.Run(ctx) }()
	server := httptest.NewServer(hub)
	w := p.open(&testNode{t: p.t, base: server.URL}, http.Header{"Authorization": {"Bearer k"}})
	w.until("ping")
	_ = w.conn.Close()
	cancel()
	if err := <-ended; err != nil {
		p.t.Error(err)
	}
	server.Close()
}

// followed is a stream, each event of which is held against the document.
type followed struct {
	p    *protocol
	body *bufio.Reader
	id   string // of the last event
}

func (p *protocol) stream(n *testNode, query, last string) *followed {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, n.base+"/v1/stream?"+query, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testKey)
	r.Header.Set("Last-Event-ID", last)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != 200 {
		text, _ := io.ReadAll(answer.Body)
		p.t.Fatalf("%s: %s", query, text)
	}
	return &followed{p: p, body: bufio.NewReader(answer.Body)}
}

// until reads up to an event of this name, and returns its id.
func (f *followed) until(message string) string {
	f.p.t.Helper()
	kind := ""
	for {
		line, err := f.body.ReadString('\n')
		if err != nil {
			f.p.t.Fatalf("waiting for %s: %v", message, err)
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			f.id = value
		case "event":
			kind = value
		case "data":
			got, payload := f.p.take("stream", []byte(value))
			if payload["type"] != kind {
				f.p.t.Errorf("event %s has %s", kind, value)
			}
			if got == message {
				return f.id
			}
		}
	}
}
