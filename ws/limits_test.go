package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gorilla/websocket"
)

func TestServeHTTP_Problems(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Origins = []string{"https://board.example"}
		o.Limits.ConnectionsPerKey = 1
	})
	server := f.serve()
	keep := dial(t, server, http.Header{"Authorization": {"Bearer public"}})
	keep.expect("welcome")
	upgrade := map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	for name, tt := range map[string]struct {
		method string
		plain  bool
		header map[string]string
		status int
		code   string
	}{
		"plain GET":         {method: "GET", plain: true, status: 426, code: "upgrade_required"},
		"POST":              {method: "POST", status: 405, code: "method_not_allowed"},
		"version":           {method: "GET", header: map[string]string{"Sec-WebSocket-Version": "8"}, status: 400, code: "bad_request"},
		"key":               {method: "GET", header: map[string]string{"Sec-WebSocket-Key": "x"}, status: 400, code: "bad_request"},
		"subprotocol":       {method: "GET", header: map[string]string{"Sec-WebSocket-Protocol": "laurel.v9"}, status: 400, code: "unsupported"},
		"foreign origin":    {method: "GET", header: map[string]string{"Origin": "https://evil.example"}, status: 403, code: "forbidden"},
		"longer origin":     {method: "GET", header: map[string]string{"Origin": "https://board.example.evil"}, status: 403, code: "forbidden"},
		"null origin":       {method: "GET", header: map[string]string{"Origin": "null"}, status: 403, code: "forbidden"},
		"unknown token":     {method: "GET", header: map[string]string{"Authorization": "Bearer x"}, status: 401, code: "unauthorized"},
		"other scheme":      {method: "GET", header: map[string]string{"Authorization": "Basic x"}, status: 401, code: "unauthorized"},
		"key's origin":      {method: "GET", header: map[string]string{"Authorization": "Bearer bound"}, status: 403, code: "forbidden"},
		"store away":        {method: "GET", header: map[string]string{"Authorization": "Bearer down"}, status: 503, code: "unavailable"},
		"too many of a key": {method: "GET", header: map[string]string{"Authorization": "Bearer visitor"}, status: 429, code: "limit"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(tt.method, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.plain {
				for k, v := range upgrade {
					r.Header.Set(k, v)
				}
			}
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			wantProblem(t, r, tt.status, tt.code)
		})
	}
}

func wantProblem(t *testing.T, r *http.Request, status int, code string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	var p problem
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	detail := p.Detail
	p.Detail = ""
	wantEqual(t, p, problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code})
	if detail == "" || response.StatusCode != status || response.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%d %v %s", response.StatusCode, response.Header, b)
	}
}

func TestServeHTTP_Admits(t *testing.T) {
	for name, tt := range map[string]struct {
		header  http.Header
		origins []string
	}{
		"no origin":     {header: http.Header{"Authorization": {"Bearer secret"}}},
		"listed origin": {http.Header{"Authorization": {"bearer secret"}, "Origin": {"https://board.example"}}, []string{"https://board.example"}},
		"any origin":    {http.Header{"Authorization": {"Bearer bound"}, "Origin": {"https://shop.example"}, "Laurel-Org": {"o"}}, []string{"*"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(o *Options) { o.Origins = tt.origins })
			c := dial(t, f.serve(), tt.header)
			if got := c.ws.Subprotocol(); got != Subprotocol {
				t.Errorf("subprotocol %q", got)
			}
			c.expect("welcome")
		})
	}
	t.Run("own host, org in hello", func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Origins = []string{"https://shop.example"} })
		server := f.serve()
		own := dial(t, server, http.Header{"Origin": {server.URL}})
		own.send(`{"type":"hello","token":"secret"}`)
		own.expect("welcome")
		shop := dial(t, server, http.Header{"Origin": {"https://shop.example"}})
		shop.send(`{"type":"hello","token":"bound","org":"o"}`)
		shop.expect("welcome")
	})
}

func TestServeHTTP_ConnectionLimits(t *testing.T) {
	for name, tt := range map[string]struct {
		limits Limits
		status int
	}{
		"node":    {Limits{Connections: 1}, 503},
		"address": {Limits{ConnectionsPerIP: 1}, 429},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(o *Options) { o.Limits = tt.limits })
			server := f.serve()
			first := greet(t, server, "secret")
			d := websocket.Dialer{}
			_, response, err := d.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
			if err == nil || response.StatusCode != tt.status || response.Header.Get("Retry-After") == "" {
				t.Fatalf("%v %v", err, response)
			}
			first.send(`binary is not sent here`)
			first.wantError("bad_json", "")
		})
	}
	t.Run("key in hello", func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Limits.ConnectionsPerKey = 1 })
		server := f.serve()
		greet(t, server, "public")
		second := dial(t, server, nil)
		second.send(`{"type":"hello","token":"visitor"}`)
		second.wantClose(CloseLimit)
	})
}

func TestClose_WhatClientsDo(t *testing.T) {
	for name, tt := range map[string]struct {
		kind    int
		hello   string
		message string
		code    CloseCode
	}{
		"unknown token":  {websocket.TextMessage, `{"type":"hello","token":"x"}`, ``, CloseUnauthorized},
		"foreign origin": {websocket.TextMessage, `{"type":"hello","token":"bound"}`, ``, CloseForbidden},
		"store away":     {websocket.TextMessage, `{"type":"hello","token":"down"}`, ``, closeInternal},
		"no hello first": {websocket.TextMessage, ``, `{"type":"pong"}`, CloseUnauthorized},
		"broken hello":   {websocket.TextMessage, ``, `{"type":"hello"`, CloseBadRequest},
		"binary":         {websocket.BinaryMessage, `{"type":"hello","token":"secret"}`, `{}`, CloseUnsupported},
		"too long":       {websocket.TextMessage, `{"type":"hello","token":"secret"}`, `{"type":"pong","at":"` + strings.Repeat("x", 16<<10) + `"}`, CloseLimit},
		"too many":       {websocket.TextMessage, `{"type":"hello","token":"secret"}`, `[` + strings.Repeat(`{"type":"pong"},`, 300) + `{"type":"pong"}]`, CloseLimit},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			c := dial(t, f.serve(), nil)
			if tt.hello != "" {
				c.send(tt.hello)
			}
			if tt.message != "" {
				if err := c.ws.WriteMessage(tt.kind, []byte(tt.message)); err != nil {
					t.Fatal(err)
				}
			}
			c.wantClose(tt.code)
		})
	}
}

func TestClose_TooManySubscriptions(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Limits.Subscriptions = 2 })
	c := greet(t, f.serve(), "secret")
	for _, id := range []string{"a", "b", "c"} {
		c.send(`{"type":"subscribe","id":"` + id + `","view":{"kind":"user","user":"ann"}}`)
		if id == "c" {
			c.wantError("limit", "c")
		} else {
			c.expect("snapshot")
		}
	}
}

func TestCloseCode_Reconnect(t *testing.T) {
	for code := CloseCode(1000); code < 5000; code++ {
		if got, want := code.Reconnect(), code < 4500; got != want {
			t.Fatalf("%d: reconnect %v", code, got)
		}
	}
}

// pass lets d of the bubble's time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// listen reads a connection to its end, and returns what came: pings only if it is to answer them.
func listen(t *testing.T, ws *websocket.Conn, answer string) (messages func() []string, end func() error) {
	var mu sync.Mutex // time that passes in a bubble orders nothing
	var got []string
	done := make(chan error, 1)
	go func() {
		for {
			_, b, err := ws.ReadMessage()
			if err != nil {
				_ = ws.Close()
				done <- err
				return
			}
			mu.Lock()
			for _, m := range split(t, b) {
				ping := kindOf(t, string(m)) == "ping"
				if !ping || answer != "" {
					got = append(got, string(m))
				}
				if ping && answer != "" {
					_ = ws.WriteMessage(websocket.TextMessage, []byte(answer))
				}
			}
			mu.Unlock()
		}
	}()
	messages = func() []string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(got)
	}
	return messages, func() error { return <-done }
}

func say(t *testing.T, ws *websocket.Conn, message string) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

func slowTick(o *Options) { o.Tick = 100 * time.Millisecond }

func TestClose_WhatTimeBrings(t *testing.T) {
	for name, tt := range map[string]struct {
		hello, pong string
		advance     bool // the clock, to the token's end
		code        CloseCode
		within      time.Duration
	}{
		"no hello":      {code: CloseUnauthorized, within: 6 * time.Second},
		"no pong":       {hello: "secret", code: CloseNoPong, within: 37 * time.Second},
		"token expired": {hello: "brief", pong: `{"type":"pong"}`, advance: true, code: CloseTokenExpired, within: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, slowTick)
				stop := f.run()
				defer stop()
				ws := pipeDial(t, f.hub)
				_, end := listen(t, ws, tt.pong)
				if tt.hello != "" {
					say(t, ws, `{"type":"hello","token":"`+tt.hello+`"}`)
				}
				if tt.advance {
					f.at(60_000)
				}
				began := time.Now()
				if err := end(); !websocket.IsCloseError(err, int(tt.code)) {
					t.Fatalf("ended by %v, want %d", err, tt.code)
				}
				if took := time.Since(began); took > tt.within {
					t.Errorf("took %v", took)
				}
				synctest.Wait()
				wantEqual(t, f.closedWith(), []CloseCode{tt.code})
			})
		})
	}
}

func TestPing_IsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		ws := pipeDial(t, f.hub)
		messages, end := listen(t, ws, `{"type":"pong"}`)
		say(t, ws, `{"type":"hello","token":"brief"}`)
		f.at(59_999)
		say(t, ws, `{"type":"hello","token":"secret"}`) // a new token in time
		f.at(60_000)
		pass(10 * time.Minute)
		pings := 0
		for _, m := range messages() {
			if kindOf(t, m) == "ping" {
				pings++
			}
		}
		if pings < 22 || pings > 25 {
			t.Errorf("%d pings in 10 minutes", pings)
		}
		stop()
		if err := end(); !websocket.IsCloseError(err, int(CloseShutdown)) {
			t.Errorf("ended by %v", err)
		}
		wantEqual(t, f.gauge("connections"), 0)
	})
}

func TestClose_StalledClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		say(t, ws, `{"type":"hello","token":"secret"}`) // and never reads the welcome
		pass(9 * time.Second)
		wantEqual(t, f.closedWith(), []CloseCode(nil))
		pass(2 * time.Second)
		wantEqual(t, f.closedWith(), []CloseCode{CloseSlow})
		_ = ws.Close()
	})
}

func TestClose_CommandsWithoutReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Limits.MessageBurst = 1_000 })
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		say(t, ws, `{"type":"hello","token":"secret"}`)
		for range maxControl + 2 {
			say(t, ws, `{"type":"unsubscribe","id":"x"}`)
		}
		_, end := listen(t, ws, "")
		if err := end(); !websocket.IsCloseError(err, int(CloseSlow)) {
			t.Fatalf("ended by %v", err)
		}
	})
}

func TestEvents_OverflowIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { o.Limits.Events = 3 })
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		messages, end := listen(t, ws, "")
		say(t, ws, `{"type":"hello","token":"visitor"}`)
		say(t, ws, `{"type":"subscribe","id":"a","view":{"kind":"user","user":"ann"}}`)
		before := len(messages())
		for n := range 5 {
			f.tell("ann", fmt.Sprintf(`{"n":%d}`, n))
		}
		pass(time.Second)
		wantEqual(t, messages()[before:], []string{
			`{"type":"error","id":"a","code":"events_lost","detail":"2 events before the next were dropped, as they could not be sent in time"}`,
			`{"type":"event","id":"a","event":{"n":2}}`, `{"type":"event","id":"a","event":{"n":3}}`, `{"type":"event","id":"a","event":{"n":4}}`,
		})
		_ = ws.Close()
		_ = end()
	})
}

func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		ws := pipeDial(t, f.hub)
		messages, end := listen(t, ws, "")
		say(t, ws, `{"type":"hello","token":"secret"}`)
		say(t, ws, `{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round"}}`)
		stalled := pipeDial(t, f.hub)
		say(t, stalled, `{"type":"hello","token":"secret"}`)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		f.hub.Drain(ctx)
		if err := end(); !websocket.IsCloseError(err, int(CloseDrain)) {
			t.Errorf("ended by %v", err)
		}
		all := messages()
		if last := all[len(all)-1]; kindOf(t, last) != "drain" || !strings.Contains(last, `"reconnect_in_ms":`) {
			t.Errorf("last message %s", last)
		}
		wantEqual(t, f.closedWith(), []CloseCode{CloseDrain, CloseDrain})
		r := httptest.NewRequest("GET", "/v1/ws", nil)
		for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket"} {
			r.Header.Set(k, v)
		}
		w := httptest.NewRecorder()
		f.hub.ServeHTTP(w, r)
		wantEqual(t, w.Code, http.StatusServiceUnavailable)
		stop()
		_ = stalled.Close()
	})
}

func TestUnsubscribe_NothingFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		say(t, ws, `{"type":"hello","token":"secret"}`) // the welcome stays in the way: nothing is read yet
		say(t, ws, `{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round"}}`)
		pass(time.Second)
		say(t, ws, `{"type":"unsubscribe","id":"a"}`)
		messages, end := listen(t, ws, "")
		pass(time.Second)
		if got := messages(); len(got) != 1 || kindOf(t, got[0]) != "welcome" {
			t.Errorf("got %v", got)
		}
		_ = ws.Close()
		_ = end()
	})
}

func TestTick_NothingShownNothingSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		messages, end := listen(t, ws, "")
		say(t, ws, `{"type":"hello","token":"secret"}`)
		say(t, ws, `{"type":"subscribe","id":"a","view":{"kind":"top","rule":"ordinal","period":"round"}}`)
		before := len(messages())
		change := f.source.set("standard", "ann", 5) // a source that cannot tell gives an equal frame at another address
		change.Writes[0].Board.Rule = "ordinal"
		f.hub.Wake(change)
		pass(time.Second)
		wantEqual(t, len(messages()), before)
		wantEqual(t, f.gauge("pushes"), 0)
		f.hub.Wake(f.source.set("ordinal", "ann", 5))
		pass(time.Second)
		if m := decode(t, messages()[before]); m.Prev != 1 || m.Seq != 2 {
			t.Errorf("%+v", m)
		}
		wantEqual(t, f.gauge("pushes"), 1)
		_ = ws.Close()
		_ = end()
	})
}

func TestMaxHz(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		messages, end := listen(t, ws, "")
		say(t, ws, `{"type":"hello","token":"secret"}`)
		say(t, ws, `[{"type":"subscribe","id":"slow","max_hz":1,"view":{"kind":"top","rule":"ordinal","period":"round"}},
			{"type":"subscribe","id":"fast","view":{"kind":"top","rule":"ordinal","period":"round"}}]`)
		pass(time.Second)
		before := len(messages())
		for n := range int64(50) {
			f.hub.Wake(f.source.set("ordinal", "ann", n))
			pass(100 * time.Millisecond)
		}
		pass(time.Second)
		count, last := map[string]int{}, map[string]uint64{}
		for _, b := range messages()[before:] {
			m := decode(t, b)
			count[m.ID]++
			last[m.ID] = m.Seq
		}
		if count["slow"] < 5 || count["slow"] > 7 || count["fast"] < 47 || last["slow"] != last["fast"] {
			t.Errorf("%v messages, up to seq %v", count, last)
		}
		_ = ws.Close()
		_ = end()
	})
}

func TestLinger_ViewsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		_, end := listen(t, ws, "")
		say(t, ws, `{"type":"hello","token":"secret"}`)
		say(t, ws, `{"type":"subscribe","id":"a","view":{"kind":"user","user":"ann"}}`)
		_ = ws.Close()
		_ = end()
		pass(29 * time.Second)
		f.hub.mu.Lock()
		wantEqual(t, len(f.hub.views), 1)
		f.hub.mu.Unlock()
		pass(3 * time.Second)
		f.hub.mu.Lock()
		defer f.hub.mu.Unlock()
		wantEqual(t, []int{len(f.hub.views), len(f.hub.topics), len(f.hub.users.views), len(f.hub.idle), len(f.hub.perIP), len(f.hub.perKey)}, make([]int, 6))
	})
}
