package ws

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// onePipe is a listener that has one connection.
type onePipe struct {
	conns chan net.Conn
	once  sync.Once
	gone  chan struct{}
}

func (o *onePipe) Accept() (net.Conn, error) {
	select {
	case c := <-o.conns:
		return c, nil
	case <-o.gone:
		return nil, net.ErrClosed
	}
}

func (o *onePipe) Close() error {
	o.once.Do(func() { close(o.gone) })
	return nil
}

func (o *onePipe) Addr() net.Addr { return &net.TCPAddr{} }

// watcher is a client of one stream over a net.Pipe, which holds nothing in between, that reads when it is let, and comes back with the last id.
type watcher struct {
	t      testing.TB
	hub    *Hub
	ask    string
	near   net.Conn
	server *http.Server
	gate   chan struct{}
	all    bool
	events *events
	held   shown
	kinds  []string
	err    error
	done   chan struct{}
	served chan struct{}
}

func (w *watcher) connect() {
	near, far := net.Pipe()
	l := &onePipe{conns: make(chan net.Conn, 1), gone: make(chan struct{})}
	l.conns <- far
	w.near, w.server = near, &http.Server{Handler: w.hub.Streams(), ReadTimeout: 30 * time.Second}
	w.gate, w.done, w.served, w.all, w.held.live = make(chan struct{}, 1000), make(chan struct{}), make(chan struct{}), false, false
	go func() { defer close(w.served); _ = w.server.Serve(l) }()
	last := ""
	if w.events != nil && w.events.last != "" {
		last = "Last-Event-ID: " + w.events.last + "\r\n"
	}
	_, err := io.WriteString(near, "GET /v1/stream?"+w.ask+" HTTP/1.1\r\nHost: laurel.example\r\nAuthorization: Bearer secret\r\n"+last+"\r\n")
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(near, 16), nil)
	if err != nil || response.StatusCode != 200 {
		w.t.Fatal(err, response)
	}
	held := w.events
	w.events = &events{t: w.t, body: bufio.NewReaderSize(response.Body, 16)}
	if held != nil {
		w.events.last = held.last
	}
	go w.read(w.gate)
	synctest.Wait()
}

func (w *watcher) read(gate chan struct{}) {
	defer close(w.done)
	for {
		<-gate
		ev, ok := w.events.next()
		if !ok {
			return
		}
		w.kinds = append(w.kinds, ev.kind)
		m := decodeLoose(w.t.(*testing.T), []byte(ev.data))
		if err := w.held.apply(&m); err != nil && w.err == nil {
			w.err = fmt.Errorf("%w by %+v", err, ev)
		}
	}
}

func (w *watcher) letOne() {
	if !w.all && len(w.gate) < cap(w.gate) {
		w.gate <- struct{}{}
	}
	synctest.Wait()
}

func (w *watcher) letAll() {
	if !w.all {
		w.all = true
		close(w.gate)
	}
}

func (w *watcher) disconnect() {
	_ = w.near.Close()
	w.letAll()
	<-w.done
	_ = w.server.Close()
	<-w.served
	synctest.Wait()
}

// TestStream_SlowReader: what comes while the client does not read is one merged delta; a client that takes nothing at all is cut off.
func TestStream_SlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		w := &watcher{t: t, hub: f.hub, ask: "kind=top&rule=ordinal&period=round&limit=3"}
		w.connect()
		defer w.disconnect()
		w.letOne()
		for i := range 20 {
			f.hub.Wake(f.source.set("ordinal", "ann", int64(i)))
			pass(200 * time.Millisecond)
		}
		for range 2 {
			w.letOne()
			pass(200 * time.Millisecond)
		}
		wantEqual(t, w.kinds, []string{"snapshot", "delta", "delta"})
		wantEqual(t, w.err, nil)
		var rows []string
		for _, r := range w.held.rows {
			rows = append(rows, r.User+string(r.Score))
		}
		wantEqual(t, rows, []string{"ann19"})
		f.hub.Wake(f.source.set("ordinal", "ann", 100))
		pass(11 * time.Second)
		wantEqual(t, f.closedWith(), []CloseCode{CloseSlow})
		wantEqual(t, f.gauge("connections"), 0)
	})
}

// TestStream_Heartbeat: a quiet stream says that it lives, also past the server's deadline for reading a request.
func TestStream_Heartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		w := &watcher{t: t, hub: f.hub, ask: "kind=top&rule=ordinal&period=round~1"}
		w.connect()
		defer w.disconnect()
		w.letAll()
		pass(65 * time.Second)
		if n := w.events.comments; n < 4 || n > 5 {
			t.Errorf("%d signs of life in 65 s", n)
		}
		wantEqual(t, f.closedWith(), []CloseCode(nil))
		wantEqual(t, f.gauge("connections"), 1)
	})
}
