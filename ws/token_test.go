package ws

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

const watchTop = `{"type":"subscribe","id":"t","view":{"kind":"top","rule":"ordinal","period":"round"}}`

// TestToken_Refresh: a connection outlives its token if another of the same user comes in time; what the new one may not watch ends.
func TestToken_Refresh(t *testing.T) {
	f := newFixture(t, nil)
	server := f.serve()
	c := dial(t, server, nil)
	c.send(`{"type":"hello","token":"soon"}`)
	if m := c.expect("welcome"); !strings.Contains(m, `"expires_at":"1970-01-01T00:01:00.000Z"`) {
		t.Errorf("the end is not told: %s", m)
	}
	c.send(watchTop)
	c.expect("snapshot")
	for _, other := range []string{"bob", "public", "secret", "other"} {
		c.send(`{"type":"token","token":"` + other + `"}`)
		c.wantError("forbidden", "")
	}
	c.send(`{"type":"token","token":"x"}`)
	c.wantError("unauthorized", "")
	c.send(`{"type":"token","token":"visitor"}`)
	if m := c.expect("welcome"); strings.Contains(m, "expires_at") {
		t.Errorf("it ends still: %s", m)
	}
	c.send(`{"type":"token","token":"narrow"}`)
	c.expect("welcome")
	c.wantError("forbidden", "t")
	c.send(watchTop)
	c.wantError("forbidden", "t")
	c.send(strings.Replace(watchTop, "ordinal", "standard", 1))
	c.expect("snapshot")

	early := dial(t, server, nil)
	early.send(`{"type":"token","token":"secret"}`)
	early.wantClose(CloseUnauthorized)
}

func TestToken_EndsUnlessRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		var ends []func() error
		for range 2 {
			ws := pipeDial(t, f.hub)
			_, end := listen(t, ws, `{"type":"pong"}`)
			say(t, ws, `{"type":"hello","token":"soon"}`)
			if len(ends) == 0 {
				say(t, ws, `{"type":"token","token":"visitor"}`)
			}
			ends = append(ends, end)
		}
		f.at(59_999)
		pass(2 * time.Second)
		wantEqual(t, f.closedWith(), []CloseCode(nil))
		f.at(60_000)
		pass(2 * time.Second)
		if err := ends[1](); !websocket.IsCloseError(err, int(CloseTokenExpired)) {
			t.Errorf("ended by %v", err)
		}
		wantEqual(t, f.gauge("connections"), 1)
	})
}

// revocable makes identities bad by their keys.
type revocable struct {
	mu   sync.Mutex
	gone map[string]bool
}

func (r *revocable) revoke(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone[key] = true
}

func (r *revocable) good(i *Identity) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.gone[i.Key]
}

func TestRecheck_RevokedKeyClosesItsConnections(t *testing.T) {
	keys := &revocable{gone: map[string]bool{}}
	f := newFixture(t, func(o *Options) { o.Good = keys.good })
	server := f.serve()
	key, token, other := greet(t, server, "public"), greet(t, server, "visitor"), greet(t, server, "secret")
	waiting := dial(t, server, nil) // nobody yet
	f.hub.Recheck()
	for _, c := range []*client{key, token, other} {
		c.send(watchTop)
		c.expect("snapshot")
	}
	keys.revoke("k3")
	f.hub.Recheck()
	for _, c := range []*client{key, token} {
		c.wantError("unauthorized", "")
		c.wantClose(CloseUnauthorized)
	}
	f.hub.Wake(f.source.set("ordinal", "ann", 7))
	other.expect("delta")

	// The key goes between being looked up and being noted: the connection does not slip through.
	waiting.send(`{"type":"hello","token":"visitor"}`)
	waiting.wantClose(CloseUnauthorized)
	late := dial(t, server, http.Header{"Authorization": {"Bearer public"}})
	late.wantClose(CloseUnauthorized)
	keys.revoke("k1")
	other.send(`{"type":"token","token":"brief"}`)
	other.wantClose(CloseUnauthorized)
}

func TestServeHTTP_TokenInURL(t *testing.T) {
	f := newFixture(t, nil)
	server := f.serve()
	for query, want := range map[string]int{
		"token=visitor": 101, "token=visitor&x=1": 101, "token=secret": 401, "token=public": 401, "token=x": 401, "token=": 400, "token=visitor&token=visitor": 400,
		"token=%zz": 400, "token=visitor;x": 400,
	} {
		ws, response, err := new(websocket.Dialer).Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/v1/ws?"+query, nil)
		if response == nil || response.StatusCode != want {
			t.Errorf("%s: %v %v", query, response, err)
		}
		if err == nil {
			c := &client{t: t, ws: ws}
			c.expect("welcome")
			_ = ws.Close()
		}
	}
	both := http.Header{"Authorization": {"Bearer secret"}}
	if _, response, err := new(websocket.Dialer).Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/?token=visitor", both); err == nil || response.StatusCode != 400 {
		t.Errorf("two tokens: %v %v", response, err)
	}
}

func TestServeHTTP_Handshakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) {
			o.Limits.HandshakeBurst, o.Limits.HandshakeRate = 3, 2
			o.ClientIP = func(r *http.Request) string { return r.Header.Get("X-Client") }
		})
		knock := func(ip string) int {
			r := httptest.NewRequest("GET", "/v1/ws", nil)
			for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Authorization": "Bearer x", "X-Client": ip} {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			f.hub.ServeHTTP(w, r)
			return w.Code
		}
		for i, want := range []int{401, 401, 401, 429, 429, 429} { // those that fail count as well
			if got := knock("a"); got != want {
				t.Errorf("handshake %d: %d, want %d", i, got, want)
			}
		}
		wantEqual(t, []int{knock("b"), knock(""), knock(""), knock(""), knock("")}, []int{401, 401, 401, 401, 401})
		pass(600 * time.Millisecond)
		wantEqual(t, []int{knock("a"), knock("a")}, []int{401, 429})
		stop := f.run()
		defer stop()
		pass(5 * time.Second)
		f.hub.mu.Lock()
		defer f.hub.mu.Unlock()
		wantEqual(t, len(f.hub.arrivals), 0)
	})
}

// TestFrames_Hostile: what the protocol forbids ends the connection, and costs no more than the limit.
func TestFrames_Hostile(t *testing.T) {
	f := newFixture(t, nil)
	server := f.serve()
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	mask := []byte{0, 0, 0, 0}
	for name, tt := range map[string]struct {
		frame []byte
		code  int
	}{
		"compressed":       {append([]byte{0xC1, 0x80 | 2}, append(mask, 0x4b, 0x04)...), websocket.CloseProtocolError},
		"not masked":       {[]byte{0x81, 2, '{', '}'}, websocket.CloseProtocolError},
		"2^62 bytes":       {append([]byte{0x81, 0x80 | 127, 0x40, 0, 0, 0, 0, 0, 0, 0}, append(mask, make([]byte, 17<<10)...)...), int(CloseLimit)},
		"endless fragment": {append([]byte{0x01, 0x80 | 126, 0x48, 0x00}, append(mask, make([]byte, 0x4800)...)...), int(CloseLimit)},
		"long ping":        {append([]byte{0x89, 0x80 | 126, 0x01, 0x00}, append(mask, make([]byte, 256)...)...), websocket.CloseProtocolError},
		"unknown opcode":   {append([]byte{0x83, 0x80}, mask...), websocket.CloseProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			d := websocket.Dialer{EnableCompression: true}
			ws, response, err := d.Dial("ws://"+target.Host, http.Header{"Authorization": {"Bearer secret"}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ws.Close() }()
			if e := response.Header.Get("Sec-WebSocket-Extensions"); e != "" {
				t.Errorf("agreed on %s", e)
			}
			if _, err := ws.NetConn().Write(tt.frame); err != nil {
				t.Fatal(err)
			}
			for err = nil; err == nil; {
				_ = ws.SetReadDeadline(time.Now().Add(patience))
				_, _, err = ws.ReadMessage()
			}
			if !websocket.IsCloseError(err, tt.code) {
				t.Errorf("ended by %v, want %d", err, tt.code)
			}
		})
	}
}
