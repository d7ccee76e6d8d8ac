package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"laurel/internal/catalog"
	"laurel/internal/config"
	"laurel/internal/testenv"
)

// onBothStores runs a test on the embedded store and on a real server.
func onBothStores(t *testing.T, test func(t *testing.T, cfg config.Serve)) {
	t.Run("embedded", func(t *testing.T) { test(t, testConfig(t)) })
	t.Run("redis", func(t *testing.T) {
		cfg := testConfig(t)
		cfg.Redis, cfg.Partitions = config.Secret(testenv.StartRedis(t, "--appendonly", "yes").URL()), 4
		test(t, cfg)
	})
}

// TestServe_LiveEqualsRead follows a board over WebSocket while activities come in over HTTP, and starts the node again.
func TestServe_LiveEqualsRead(t *testing.T) {
	onBothStores(t, func(t *testing.T, cfg config.Serve) {
		n := startNode(t, cfg)
		s := n.dial(testKey, nil)
		s.expect("welcome")
		n.post("/v1/activities", `{"id":"1","user":"ada","name":"commit","meta":{"added":10}}`)
		s.send(map[string]any{"type": "subscribe", "id": "a", "view": map[string]any{"kind": "top", "rule": "lines", "period": "all", "limit": 3}})
		first := s.expect("snapshot")
		rows, seq := first.Rows, first.Seq

		for i, added := range []int{5, 40, 10, 1, 40, 7} {
			n.post("/v1/activities", fmt.Sprintf(`{"id":"x%d","user":"user %d","name":"commit","meta":{"added":%d}}`, i, i%4, added))
		}
		n.post("/v1/activities/ada/1/reject", `{"reason":"a mistake"}`)
		want := n.board("lines/all?limit=3")
		if len(want.Rows) != 3 || want.Rows[0].User != "user 1" || want.Rows[0].Score != 47 {
			t.Fatalf("board %+v", want)
		}
		total := first.Total
		for !cmp.Equal(want.Rows, rows) || total != want.Total {
			d := s.expect("delta") // the read deadline bounds this
			if d.Prev != seq {
				t.Fatalf("delta on %d after %d", d.Prev, seq)
			}
			rows = slices.DeleteFunc(rows, func(r boardRow) bool {
				return slices.Contains(d.Remove, r.User) || slices.ContainsFunc(d.Upsert, func(u boardRow) bool { return u.User == r.User })
			})
			rows = append(rows, d.Upsert...)
			slices.SortFunc(rows, func(a, b boardRow) int { return a.Rank - b.Rank })
			seq, total = d.Seq, d.Total
		}

		if err := n.stop(); err != nil {
			t.Fatal(err)
		}
		again := startNode(t, cfg)
		if diff := cmp.Diff(want, again.board("lines/all?limit=3")); diff != "" {
			t.Errorf("after a restart: %s", diff)
		}
	})
}

// TestServe_PeriodsCloseAndGo: with the clock's coming to it a period closes with an event, and past its retention reads and live views say that it is gone.
func TestServe_PeriodsCloseAndGo(t *testing.T) {
	onBothStores(t, func(t *testing.T, cfg config.Serve) {
		cfg.TestClock, cfg.Catalog = true, filepath.Join(t.TempDir(), "catalog.yaml")
		definition := "orgs:\n  - id: git\n    limits: {max_past: 1d, close_grace: 1h}\n    rules:\n" +
			"      - {id: commits, when: {name: commit}, value: count, cycles: [day], keep: {day: 2}}\n"
		if err := os.WriteFile(cfg.Catalog, []byte(definition), 0o600); err != nil {
			t.Fatal(err)
		}
		n := startNode(t, cfg)
		day := time.Date(2030, 3, 1, 12, 0, 0, 0, time.UTC)
		label := func(days int) string { return day.AddDate(0, 0, days).Format(time.DateOnly) }
		setClock := func(days int) {
			day = day.AddDate(0, 0, days)
			if status, text, _ := do(t, "PUT", n.admin+"/clock", `{"now":"`+day.Format(time.RFC3339)+`"}`); status != 204 {
				t.Fatalf("clock: %d %s", status, text)
			}
		}
		setClock(0)
		text := ""
		for days := 1; days <= 3 && !strings.Contains(text, "period.closed"); days++ { // what closed before the closer's first look has no event
			n.post("/v1/activities", fmt.Sprintf(`{"id":"%d","user":"ada","name":"commit"}`, days))
			setClock(1)
			_, text, _ = do(t, "GET", n.base+"/v1/events?wait=20", "")
		}
		closed := label(-1)
		for _, want := range []string{`"type":"period.closed","at":"` + label(0) + `T01:00:00.000Z","rule":"commits"`, `"label":"` + closed + `"`, `"total":1}],"next":"`} {
			if !strings.Contains(text, want) {
				t.Errorf("events are %s", text)
			}
		}
		s := n.dial(testKey, nil)
		s.expect("welcome")
		s.send(map[string]any{"type": "subscribe", "id": "a", "view": map[string]any{"kind": "top", "rule": "commits", "period": closed, "limit": 3}})
		if first := s.expect("snapshot"); first.Total != 1 {
			t.Errorf("%+v", first)
		}
		setClock(3)
		if status, text, _ := do(t, "GET", n.base+"/v1/leaderboards/commits/"+closed, ""); status != 410 || !strings.Contains(text, "period_gone") {
			t.Errorf("a day that is gone: %d %s", status, text)
		}
		if f := s.expect("error"); f.Code != "period_gone" || f.ID != "a" {
			t.Errorf("the view of it: %+v", f)
		}
	})
}

// TestServe_OutageReachesOtherNodes: an outage that was declared on one node is told of, and taken back, on another.
func TestServe_OutageReachesOtherNodes(t *testing.T) {
	cfg := testConfig(t)
	cfg.Redis, cfg.Partitions = config.Secret(testenv.StartRedis(t).URL()), 4
	one := startNode(t, cfg)
	cfg.DataDir = t.TempDir()
	other := startNode(t, cfg)
	lists := func(n *testNode, what string) bool {
		_, text, _ := do(t, "GET", n.base+"/v1/pauses", "")
		return strings.Contains(text, what)
	}
	now := time.Now()
	body, err := json.Marshal(map[string]time.Time{"from": now.Add(-3 * time.Hour), "to": now.Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(one.post("/v1/pauses", string(body))), &made); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return lists(other, made.ID) })
	if status, text, _ := do(t, "DELETE", other.base+"/v1/pauses/"+made.ID, ""); status != 204 {
		t.Errorf("taking it back: %d %s", status, text)
	}
	waitFor(t, func() bool { return lists(one, `"removed_at":"`) })
}

func TestServe_StopDrainsSocketsAndKeepsItsOrder(t *testing.T) {
	n := startNode(t, testConfig(t))
	s := n.dial(testKey, nil)
	s.expect("welcome")
	stopped := make(chan error, 1)
	go func() { stopped <- n.stop() }()
	if drain := s.expect("drain"); drain.InMillis < 0 || drain.InMillis > 5000 {
		t.Errorf("drain %+v", drain)
	}
	_, err := s.next()
	if closed := new(websocket.CloseError); !errors.As(err, &closed) || closed.Code != 4001 {
		t.Errorf("the connection ended with %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	at := -1
	for _, step := range []string{"readiness off", "serve on", "stop closing", "stop accepting", "finish ingest", "drain WebSockets", "stop following", "close the store", "laurel has stopped"} {
		i := strings.Index(n.log.String(), step)
		if i <= at {
			t.Errorf("step %q is out of order in the log", step)
		}
		at = i
	}
	if strings.Contains(n.log.String(), testKey) {
		t.Error("the log shows the bootstrap key")
	}
}

// TestServe_ServesOnUntilBalancersNotice: a stop by SIGTERM first fails the readiness probe alone, for as long as it is told to; an interrupt does not wait.
func TestServe_ServesOnUntilBalancersNotice(t *testing.T) {
	cfg := testConfig(t)
	cfg.DrainDelay = 2 * time.Second
	n := startNode(t, cfg)
	began, stopped := time.Now(), make(chan error, 1)
	go func() { stopped <- n.stop() }()
	waitFor(t, func() bool {
		status, _, _ := do(t, "GET", n.admin+"/readyz", "")
		return status == 503
	})
	n.dial(testKey, nil).expect("welcome")
	n.post("/v1/activities", `{"user":"ada","name":"commit"}`)
	if len(stopped) > 0 {
		t.Error("it stopped at once")
	}
	if err := <-stopped; err != nil || time.Since(began) < cfg.DrainDelay {
		t.Errorf("stopped after %v: %v", time.Since(began), err)
	}

	cfg.DrainDelay = time.Hour
	ctx, interrupt := context.WithCancelCause(context.WithoutCancel(t.Context()))
	if err := run(ctx, cfg, io.Discard, func(addresses) { interrupt(errInterrupted) }); err != nil {
		t.Error(err)
	}
}

func TestServe_PublicPage(t *testing.T) {
	n := startNode(t, testConfig(t))
	status, text, header := do(t, "GET", n.base+"/", "")
	if status != 200 || !strings.Contains(text, "<title>Laurel</title>") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("GET /: %d %v", status, header)
	}
	if status, _, _ := do(t, "GET", n.base+"/nothing", ""); status != 404 {
		t.Errorf("GET /nothing: %d", status)
	}
}

// TestServe_BrowserKeys uses a publishable key as a page would: from its own origin over WebSocket, and not from another one.
func TestServe_BrowserKeys(t *testing.T) {
	n := startNode(t, testConfig(t))
	key, err := boardKey(t.Context(), n.client(testKey), "shop.example:80")
	if err != nil {
		t.Fatal(err)
	}
	s := n.dial(key, http.Header{"Origin": {"http://shop.example:80"}})
	s.expect("welcome")
	s.send(map[string]any{"type": "subscribe", "id": "a", "view": map[string]any{"kind": "top", "rule": "commits", "period": "day"}})
	s.expect("snapshot")
	s.send(map[string]any{"type": "subscribe", "id": "b", "view": map[string]any{"kind": "user", "user": "ada"}})
	if f := s.expect("error"); f.Code != "forbidden" {
		t.Errorf("another user's data: %+v", f)
	}
	foreign := n.dial(key, http.Header{"Origin": {"http://elsewhere.example"}})
	for {
		f, err := foreign.next()
		if err != nil {
			if closed := new(websocket.CloseError); !errors.As(err, &closed) || closed.Code != 4502 {
				t.Errorf("from another origin: %v", err)
			}
			break
		}
		if f.Type != "error" {
			t.Fatalf("from another origin: %+v", f)
		}
	}
}

func TestServe_Admin(t *testing.T) {
	n := startNode(t, testConfig(t))
	n.post("/v1/activities", `{"user":"ada","name":"commit"}`)
	n.board("commits/all")
	for path, want := range map[string]string{
		"/livez": "ok", "/readyz": "ok", "/debug/pprof/": "goroutine",
		"/metrics": `laurel_activities_total{result="accepted"} 1`,
	} {
		if status, text, _ := do(t, "GET", n.admin+path, ""); status != 200 || !strings.Contains(text, want) {
			t.Errorf("GET %s: %d, without %q", path, status, want)
		}
	}
	_, metrics, _ := do(t, "GET", n.admin+"/metrics", "")
	for _, line := range []string{
		"laurel_index_boards 1", "laurel_index_members 1", "laurel_ingest_seconds_count 1", "laurel_build_info{",
		`laurel_http_requests_total{method="POST",route="/v1/activities",status="201"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no metric %s", line)
		}
	}
	if status, _, _ := do(t, "PUT", n.admin+"/clock", `{"now":null}`); status < 400 {
		t.Errorf("PUT /clock without --test-clock: %d", status)
	}
}

func TestServe_TestClock(t *testing.T) {
	cfg := testConfig(t)
	cfg.TestClock = true
	n := startNode(t, cfg)
	for body, want := range map[string]int{
		`{"now":"2031-02-03T04:05:06+02:00"}`: 204, `{}`: 400, `{"now":5}`: 400, `{"now":"yesterday"}`: 400, `{"then":null}`: 400, `nonsense`: 400,
	} {
		if status, text, _ := do(t, "PUT", n.admin+"/clock", body); status != want {
			t.Errorf("PUT /clock %s: %d %s", body, status, text)
		}
	}
	if got := n.board("commits/day").Period.Label; got != "2031-02-03" {
		t.Errorf("today is %s", got)
	}
	if status, _, _ := do(t, "PUT", n.admin+"/clock", `{"now":null}`); status != 204 {
		t.Errorf("back to the machine's time: %d", status)
	}
	if got := n.board("commits/year").Period.Label; got == "2031" {
		t.Error("the clock is still set")
	}
}

func TestServe_Catalog(t *testing.T) {
	cfg := testConfig(t)
	cfg.Catalog = filepath.Join(t.TempDir(), "catalog.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(cfg.Catalog, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.ReplaceAll(string(catalog.Default()), "id: commits", "id: contributions"))
	n := startNode(t, cfg)
	n.board("contributions/day")
	n.stop()

	cfg.Catalog = "" // what the store has stays
	n = startNode(t, cfg)
	n.board("contributions/day")
	n.stop()

	cfg.Catalog = filepath.Join(t.TempDir(), "broken.yaml")
	write("orgs:\n  - id: git\n    rules:\n      - {id: a, value: nonsense, cycles: [day]}\n")
	err := run(t.Context(), cfg, &safeBuffer{}, func(addresses) { t.Error("started") })
	if err == nil || !strings.Contains(err.Error(), "line 4") {
		t.Errorf("broken catalog: %v", err)
	}
	cfg.Catalog = filepath.Join(t.TempDir(), "none.yaml")
	if err := run(t.Context(), cfg, &safeBuffer{}, func(addresses) { t.Error("started") }); err == nil {
		t.Error("a missing catalog file is no error")
	}
}

func TestRun_Refusals(t *testing.T) {
	running := startNode(t, testConfig(t))
	taken := testConfig(t)
	taken.Listen = strings.TrimPrefix(running.base, "http://")
	noRedis := testConfig(t)
	noRedis.Redis = "redis://:hunter2@127.0.0.1:1/0"
	noKey := testConfig(t)
	noKey.BootstrapKey, noKey.BootstrapKeyFile = "", filepath.Join(t.TempDir(), "none")
	for name, cfg := range map[string]config.Serve{"address taken": taken, "no redis": noRedis, "no key file": noKey} {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), cfg, &safeBuffer{}, func(addresses) { t.Error("started") })
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error = %v", err)
			}
		})
	}
}

// TestServe_AcceptedBeforeStopIsKept stops a node while requests are under way: whatever was acknowledged is there afterwards.
func TestServe_AcceptedBeforeStopIsKept(t *testing.T) {
	cfg := testConfig(t)
	n := startNode(t, cfg)
	acked := make(chan int)
	go func() {
		sent := 0
		defer func() { acked <- sent }()
		c := n.client(testKey)
		for i := range 100_000 {
			var got report
			body := fmt.Appendf(nil, `[{"id":"%d","user":"ada","name":"commit"}]`, i)
			if c.once(t.Context(), "POST", "/v1/activities", "application/json", body, &got) != nil {
				return
			}
			sent += got.Accepted
			if sent == 50 {
				go n.cancel()
			}
		}
	}()
	sent := <-acked
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	rows := startNode(t, cfg).board("commits/all").Rows
	if len(rows) != 1 || rows[0].Score < float64(sent) || sent < 50 {
		t.Errorf("%d were acknowledged, the board has %+v", sent, rows)
	}
}
