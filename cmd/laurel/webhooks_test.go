package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"laurel/internal/activity"
	"laurel/internal/config"
	"laurel/internal/testenv"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// inbox is a receiver that knows nothing of Laurel but its documents.
type inbox struct {
	t    *testing.T
	mu   sync.Mutex
	seen map[string]bool
	got  map[string][]string // by user, without ids
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	hook, err2 := standardwebhooks.NewWebhook(webhookSecret)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil || err2 != nil || hook.Verify(body, r.Header) != nil {
		b.t.Errorf("does not verify: %s", body)
	}
	if id := r.Header.Get("webhook-id"); !b.seen[id] {
		b.seen[id] = true
		var e struct{ User string }
		_ = json.Unmarshal(body, &e)
		_, rest, _ := strings.Cut(string(body), ",")
		b.got[e.User] = append(b.got[e.User], "{"+rest)
	}
}

func (b *inbox) of() map[string][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string][]string{}
	for user, list := range b.got {
		out[user] = append([]string(nil), list...)
	}
	return out
}

// TestServe_WebhooksOutliveNodes: two nodes, of which the first is stopped midway and comes back, send every event of an activity and of the store once a receiver takes it.
func TestServe_WebhooksOutliveNodes(t *testing.T) {
	in := &inbox{t: t, seen: map[string]bool{}, got: map[string][]string{}}
	receiver := httptest.NewServer(in)
	defer receiver.Close()
	cfg := testConfig(t)
	cfg.Redis, cfg.Partitions, cfg.WebhookPrivate = config.Secret(testenv.StartRedis(t).URL()), 3, true
	first := startNode(t, cfg)
	org := onlyOrg(t, first)
	second := testConfig(t)
	second.Redis, second.WebhookPrivate = cfg.Redis, true
	other := startNode(t, second)
	first.put("/v1/catalog/webhooks/all", `{"url":"`+receiver.URL+`","secret":"`+webhookSecret+`","events":["test.*"]}`)
	users := []activity.User{"ada", "bob", "cid"}
	for i, u := range users {
		first.post("/v1/activities", fmt.Sprintf(`{"id":"%d","user":%q,"name":"commit","meta":{"added":1}}`, i, u))
	}
	want := tellAll(t, cfg, org, users, 10)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	for u, more := range tellAll(t, cfg, org, users, 10) {
		want[u] = append(want[u], more...)
	}
	deadline := time.After(patience)
	for !cmp.Equal(want, in.of()) {
		select {
		case <-deadline:
			t.Fatalf("(-want +got):\n%s", cmp.Diff(want, in.of()))
		case <-time.After(10 * time.Millisecond):
		}
	}
	_, text, _ := do(t, "GET", other.base+"/v1/webhooks/all", "")
	if !strings.Contains(text, `"state":"active"`) {
		t.Error(text)
	}
	for _, n := range []*testNode{first, other} {
		if strings.Contains(n.log.String(), webhookSecret) {
			t.Error("a log has the secret")
		}
	}
}

// TestServe_KeysInURLsAreNotLogged: a node at the level debug says nothing of a key that a sender has in its URL.
func TestServe_KeysInURLsAreNotLogged(t *testing.T) {
	n := startNode(t, testConfig(t))
	n.put("/v1/catalog/hooks/in", `{"activity":{"user":"query.u","name":"'commit'","meta":{"added":"body.added"}}}`)
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(n.post("/v1/keys", `{"name":"h","kind":"sk","scopes":["hooks:write"]}`)), &made); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/v1/hooks/in?u=ada&key=": 201, "/v1/hooks/none?key=": 404, "/v1/hooks/in?key=": 422} {
		answer, err := http.Post(n.base+path+made.Key, "application/json", strings.NewReader(`{"added":1}`))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != want || strings.Contains(string(text), made.Key) {
			t.Errorf("%s: %d %s", path, answer.StatusCode, text)
		}
	}
	if strings.Contains(n.log.String(), made.Key) {
		t.Error("the log has the key")
	}
}
