package main

import (
	"strings"
	"testing"

	"laurel/internal/config"
	"laurel/internal/testenv"
)

// TestTokenRotate_ReachesEveryNode: with --now each node ends what the old secret signed, and its sockets, and goes on with the new one. Sockets of keys stay.
func TestTokenRotate_ReachesEveryNode(t *testing.T) {
	redis := testenv.StartRedis(t)
	var nodes []*testNode
	for range 2 {
		cfg := testConfig(t)
		cfg.Redis = config.Secret(redis.URL())
		nodes = append(nodes, startNode(t, cfg))
	}
	nodes[0].post("/v1/activities", `{"user":"ada","name":"commit"}`)
	top := map[string]any{"type": "subscribe", "id": "a", "view": map[string]any{"kind": "top", "rule": "commits", "period": "week"}}
	watch := func(n *testNode, token string) *socket {
		s := n.dial(token, nil)
		s.expect("welcome")
		s.send(top)
		s.expect("snapshot")
		return s
	}
	old := nodes[0].token(`{"user":"ada"}`)
	var ending, staying []*socket
	for _, n := range nodes {
		ending, staying = append(ending, watch(n, old)), append(staying, watch(n, testKey))
	}
	code, out, stderr := command(t, "token", "rotate", "--redis", redis.URL())
	if code != 0 || !strings.HasPrefix(out, "tokens.2 signs tokens from ") {
		t.Fatalf("%d %q %q", code, out, stderr)
	}
	for _, n := range nodes {
		waitFor(t, func() bool { return strings.Contains(n.log.String(), `"secret":"tokens.2"`) })
	}
	nodes[0].post("/v1/activities", `{"user":"ada","name":"commit"}`)
	for _, s := range append(ending, staying...) {
		s.expect("delta")
	}

	if code, out, stderr = command(t, "token", "rotate", "--redis", redis.URL(), "--now"); code != 0 || !strings.HasPrefix(out, "tokens.3 signs tokens from now on") {
		t.Fatalf("%d %q %q", code, out, stderr)
	}
	for _, s := range ending {
		s.wantClosed(4501)
	}
	fresh := nodes[1].token(`{"user":"ada"}`)
	for _, n := range nodes {
		n.dial(old, nil).wantClosed(4501)
		watch(n, fresh)
	}
	nodes[0].post("/v1/activities", `{"user":"ada","name":"commit"}`)
	for _, s := range staying {
		s.expect("delta")
	}
	for _, n := range nodes {
		if log := n.log.String(); !strings.Contains(log, `"secret":"tokens.3"`) {
			t.Errorf("a node did not tell: %s", log)
		}
	}
}

func TestTokenRotate_DataDirectory(t *testing.T) {
	cfg := testConfig(t)
	n := startNode(t, cfg)
	if code, _, stderr := command(t, "token", "rotate", "--data-dir", cfg.DataDir); code != 1 || !strings.Contains(stderr, "stop the server first") {
		t.Errorf("%d %q", code, stderr)
	}
	old := n.token(`{"user":"ada"}`)
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := command(t, "token", "rotate", "--data-dir", cfg.DataDir, "--now"); code != 0 || !strings.HasPrefix(out, "tokens.2 ") {
		t.Fatalf("%d %q %q", code, out, stderr)
	}
	again := startNode(t, cfg)
	again.dial(old, nil).wantClosed(4501)
	again.dial(again.token(`{}`), nil).expect("welcome")
}
