package ws

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// streamed is one event, read as the standard says.
type streamed struct{ id, kind, data, retry string }

// events reads a stream.
type events struct {
	t        testing.TB
	body     *bufio.Reader
	last     string // Last-Event-ID
	comments int
	close    func() error
}

// next returns the next event; comments and lone retry fields are none. ok is false at the end of the stream.
func (e *events) next() (ev streamed, ok bool) {
	for {
		line, err := e.body.ReadString('\n')
		if err != nil {
			return ev, false
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "":
			if ev.data != "" {
				return ev, true
			}
		case "id":
			ev.id, e.last = value, value
		case "event":
			ev.kind = value
		case "data":
			ev.data = value
		case "retry":
			ev.retry = value
		case ":":
			e.comments++
		default:
			e.t.Errorf("line %q", line)
		}
	}
}

func (e *events) expect(kind string) streamed {
	e.t.Helper()
	ev, ok := e.next()
	if !ok || ev.kind != kind || kindOf(e.t, ev.data) != kind {
		e.t.Fatalf("got %+v, want a %s", ev, kind)
	}
	return ev
}

// wantEnd expects the farewell, and behind it a stream that ends well.
func (e *events) wantEnd(code CloseCode) {
	e.t.Helper()
	wantEqual(e.t, e.expect("close").data, fmt.Sprintf(`{"type":"close","code":%d,"reason":"%s"}`, code, code))
	if rest, err := io.ReadAll(e.body); err != nil || len(rest) > 0 {
		e.t.Fatalf("then %q, %v", rest, err)
	}
}

const watchTopURL = "?kind=top&rule=ordinal&period=round"

// stream runs the hub behind a real server. That streams outlive its deadline for requests is tested in fake time.
func (f *fixture) stream() *streamServer {
	f.unhurried()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/stream", f.hub.Streams())
	mux.Handle("/", f.hub)
	server := &http.Server{Handler: mux, ReadTimeout: patience}
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	f.t.Cleanup(func() { _ = server.Close(); <-done })
	f.t.Cleanup(f.run())
	return &streamServer{f.t, "http://" + l.Addr().String()}
}

type streamServer struct {
	t   testing.TB
	url string
}

func (s *streamServer) request(target string, header map[string]string) *http.Request {
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/v1/stream"+target, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer secret")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	return r
}

func (s *streamServer) open(target string, header map[string]string) *events {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(s.request(target, header))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() })
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || kind != "text/event-stream" {
		s.t.Fatalf("%d %s", response.StatusCode, kind)
	}
	return &events{t: s.t, body: bufio.NewReader(response.Body), close: response.Body.Close}
}

// TestStream_SameAsSocket: what a stream sends is what a WebSocket sends, to the byte, and its rows are those of a read.
func TestStream_SameAsSocket(t *testing.T) {
	f := newFixture(t, nil)
	server := f.stream()
	f.hub.Wake(f.source.set("ordinal", "ann", 5))
	e := server.open(watchTopURL+"&limit=3", nil)
	got := []streamed{e.expect("snapshot")}
	c := dialURL(t, server.url, nil)
	c.send(`{"type":"hello","token":"secret"}`)
	c.expect("welcome")
	c.send(`{"type":"subscribe","id":"sse","view":{"kind":"top","rule":"ordinal","period":"round","limit":3}}`)
	wantEqual(t, got[0].data, c.expect("snapshot"))
	for i, user := range []string{"bob", "ann", "cyd"} {
		f.hub.Wake(f.source.set("ordinal", activity.User(user), int64(7+i)))
		ev := e.expect("delta")
		wantEqual(t, ev.data, c.expect("delta"))
		m := decode(t, ev.data)
		wantEqual(t, ev.id, decode(t, got[0].data).Epoch+"."+strconv.FormatUint(m.Seq, 10))
	}
	view := query.View{Kind: query.ViewTop, Rule: "ordinal", Period: "round", Limit: 3}
	frame, err := f.source.Render(t.Context(), "o", view, nil)
	if err != nil {
		t.Fatal(err)
	}
	again := server.open(watchTopURL+"&limit=3", nil).expect("snapshot").data
	if rows := string(query.AppendRows(nil, frame.Rows)); !strings.Contains(again, `"rows":`+rows) {
		t.Errorf("a read has %s\nthe stream %s", rows, again)
	}
}

func TestStream_Resumes(t *testing.T) {
	f := newFixture(t, nil)
	server := f.stream()
	f.hub.Wake(f.source.set("ordinal", "ann", 5))
	first := server.open(watchTopURL, nil)
	first.expect("snapshot")
	f.hub.Wake(f.source.set("ordinal", "ann", 6))
	first.expect("delta")
	for name, open := range map[string]func(id string) *events{
		"header": func(id string) *events { return server.open(watchTopURL, map[string]string{"Last-Event-ID": id}) },
		"URL":    func(id string) *events { return server.open(watchTopURL+"&last_event_id="+id, nil) },
		"header before URL": func(id string) *events {
			return server.open(watchTopURL+"&last_event_id=old.1", map[string]string{"Last-Event-ID": id})
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantEqual(t, open(first.last).expect("resumed").id, first.last)
			for _, other := range []string{"x.2", strings.TrimSuffix(first.last, "2") + "1", "2", "."} {
				open(other).expect("snapshot")
			}
		})
	}
}

func TestStream_Ends(t *testing.T) {
	keys := &revocable{gone: map[string]bool{}}
	f := newFixture(t, func(o *Options) { o.Good = keys.good })
	server := f.stream()
	open := func(token string) *events {
		e := server.open(watchTopURL, map[string]string{"Authorization": "Bearer " + token})
		e.expect("snapshot")
		return e
	}
	revoked, fleeting, stays := open("public"), open("fleeting"), open("other")
	keys.revoke("k3")
	f.hub.Recheck()
	wantEqual(t, decode(t, revoked.expect("error").data).Code, "unauthorized")
	revoked.wantEnd(CloseUnauthorized)
	late := server.open(watchTopURL, map[string]string{"Authorization": "Bearer public"})
	wantEqual(t, decode(t, late.expect("error").data).Code, "unauthorized")
	f.at(2*roundMS - 1)
	fleeting.wantEnd(CloseTokenExpired)
	f.at(60_000)
	stays.expect("period")
	stays.expect("snapshot")
	f.source.failWith(query.ErrRuleNotFound)
	f.hub.Wake(f.source.set("ordinal", "ann", 1))
	f.at(70_000)
	wantEqual(t, decode(t, stays.expect("error").data).Code, "rule_not_found")
	stays.wantEnd(CloseBadRequest)
	wantEqual(t, f.gauge("subscriptions"), 0)
}

func TestStream_Refuses(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Limits.ConnectionsPerKey = 1
		o.Origins = []string{"https://board.example"}
	})
	server := f.stream()
	server.open(watchTopURL, map[string]string{"Authorization": "Bearer public"}).expect("snapshot")
	for name, tt := range map[string]struct {
		target string
		header map[string]string
		status int
		code   string
	}{
		"no token":          {watchTopURL, map[string]string{"Authorization": ""}, 401, "unauthorized"},
		"unknown token":     {watchTopURL, map[string]string{"Authorization": "Bearer x"}, 401, "unauthorized"},
		"key in URL":        {watchTopURL + "&token=secret", map[string]string{"Authorization": ""}, 401, "unauthorized"},
		"two tokens":        {watchTopURL + "&token=visitor", nil, 400, "bad_request"},
		"foreign origin":    {watchTopURL, map[string]string{"Origin": "https://evil.example"}, 403, "forbidden"},
		"too many of a key": {watchTopURL + "&token=visitor", map[string]string{"Authorization": ""}, 429, "limit"},
		"no kind":           {"", nil, 400, "bad_request"},
		"unknown parameter": {watchTopURL + "&x=1", nil, 400, "bad_request"},
		"twice":             {watchTopURL + "&rule=standard", nil, 400, "bad_request"},
		"no number":         {watchTopURL + "&limit=x", nil, 400, "bad_request"},
		"too many rows":     {watchTopURL + "&limit=1001", nil, 400, "bad_request"},
		"range of too many": {"?kind=range&rule=ordinal&period=round&from=2&to=1002", nil, 400, "bad_request"},
		"range without to":  {"?kind=range&rule=ordinal&period=round&from=2", nil, 400, "bad_request"},
		"another kind's":    {watchTopURL + "&span=1", nil, 400, "bad_request"},
		"max_hz NaN":        {watchTopURL + "&max_hz=NaN", nil, 400, "bad_request"},
		"max_hz 0":          {watchTopURL + "&max_hz=0", nil, 400, "bad_request"},
		"not UTF-8":         {watchTopURL + "&segment=%FF", nil, 400, "bad_request"},
		"rule":              {"?kind=top&rule=none&period=round", nil, 404, "rule_not_found"},
		"period":            {"?kind=top&rule=ordinal&period=gone", nil, 410, "period_gone"},
		"user":              {"?kind=user&user=nobody", nil, 404, "user_not_found"},
		"store away":        {"?kind=top&rule=ordinal&period=down", nil, 503, "unavailable"},
		"tokens store away": {watchTopURL, map[string]string{"Authorization": "Bearer down"}, 503, "unavailable"},
		"bound, elsewhere":  {watchTopURL, map[string]string{"Authorization": "Bearer bound"}, 403, "forbidden"},
		"malformed":         {"?kind=%zz", nil, 400, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, server.request(tt.target, tt.header), tt.status, tt.code)
		})
	}
}

// TestStream_ConnectionLimits: streams and WebSockets share the places, and a stream whose client leaves gives its own back.
func TestStream_ConnectionLimits(t *testing.T) {
	for name, tt := range map[string]struct {
		limits Limits
		status int
	}{
		"node":       {Limits{Connections: 1}, 503},
		"address":    {Limits{ConnectionsPerIP: 1}, 429},
		"handshakes": {Limits{HandshakeBurst: 2, HandshakeRate: 1}, 429},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(o *Options) { o.Limits = tt.limits })
			f.hub.o.Limits.HandshakeRate = 0 // however long the test takes
			server := f.stream()
			socket := dialURL(t, server.url, nil)
			if name == "handshakes" {
				server.open(watchTopURL, nil).expect("snapshot")
			}
			wantProblem(t, server.request(watchTopURL, nil), tt.status, "limit")
			if name == "handshakes" {
				return
			}
			_ = socket.ws.Close()
			f.emptied()
			e := server.open(watchTopURL, nil)
			e.expect("snapshot")
			wantProblem(t, server.request(watchTopURL, nil), tt.status, "limit")
			_ = e.close()
			f.emptied()
			server.open(watchTopURL, nil).expect("snapshot")
		})
	}
}

// emptied waits until the hub has noticed that its clients left, and has given their places to others.
func (f *fixture) emptied() {
	for f.places() > 0 { // given back behind the gauge
		runtime.Gosched()
	}
}

func (f *fixture) places() int {
	f.hub.mu.Lock()
	defer f.hub.mu.Unlock()
	return f.hub.places
}

// TestStream_Drains: a node that stops sends what is newest, and tells each client a moment of its own; new streams are refused.
func TestStream_Drains(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.Tick = time.Hour })
	server := f.stream()
	c := dialURL(t, server.url, nil)
	c.send(`{"type":"hello","token":"secret"}`)
	c.expect("welcome")
	var streams []*events
	for range 20 {
		e := server.open(watchTopURL, nil)
		e.expect("snapshot")
		streams = append(streams, e)
	}
	f.hub.Wake(f.source.set("ordinal", "ann", 77))
	f.hub.DrainStreams(t.Context())
	moments := map[string]bool{}
	for _, e := range streams {
		if ev := e.expect("delta"); !strings.Contains(ev.data, `"score":77`) {
			t.Errorf("last came %s", ev.data)
		}
		ev := e.expect("drain")
		wantEqual(t, ev.data, `{"type":"drain","reconnect_in_ms":`+ev.retry+`}`)
		moments[ev.retry] = true
		e.wantEnd(CloseDrain)
	}
	if len(moments) < 10 {
		t.Errorf("20 clients come back at %d moments", len(moments))
	}
	wantProblem(t, server.request(watchTopURL, nil), 503, "unavailable")
	wantEqual(t, f.gauge("connections"), 1) // the WebSocket stays
	c.send(watchTop)
	c.expect("snapshot")
}

// TestStream_KernelHoldsLittle: what a reader that reads nothing is written, in full at once, before its socket is full.
func TestStream_KernelHoldsLittle(t *testing.T) {
	const users = 300
	f := newFixture(t, nil)
	server := httptest.NewUnstartedServer(f.hub.Streams())
	server.Config.ConnContext = ConnContext
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(f.run())
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /v1/stream?kind=top&rule=ordinal&period=round&limit=%d HTTP/1.1\r\nHost: laurel.example\r\nAuthorization: Bearer secret\r\n\r\n", users)
	// Every row changes at every step, some 25 KB. The socket is full once steps bring no more frames.
	frames, since := 0, 0
	for step := int64(0); since < 100; step++ {
		for user := range users {
			f.hub.Wake(f.source.set("ordinal", activity.User("u"+strconv.Itoa(user)), step))
		}
		<-time.After(6 * time.Millisecond)
		since++
		if now := f.gauge("frames"); now > frames {
			frames, since = now, 0
		}
	}
	t.Logf("%d frames", frames)
	if held := frames * 25 << 10; held > 512<<10 {
		t.Errorf("the kernel took %d KB for a client that reads nothing", held>>10)
	}
}
