package ws

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"laurel/internal/calendar"
)

// ageing is a fixture's source whose age grows from a moment on, until it is current again.
type ageing struct{ since atomic.Pointer[time.Time] }

func (a *ageing) age() time.Duration {
	if since := a.since.Load(); since != nil {
		return time.Since(*since)
	}
	return 0
}

func (a *ageing) cut() {
	now := time.Now()
	a.since.Store(&now)
}

func (a *ageing) heal() { a.since.Store(nil) }

// tape is what a connection was sent, read piece by piece.
type tape struct {
	t        *testing.T
	messages func() []string
	seen     int
}

// next lets time pass and returns what came, a message each.
func (p *tape) next(d time.Duration) (list []wireMessage) {
	p.t.Helper()
	pass(d)
	all := p.messages()
	for _, raw := range all[p.seen:] {
		if m := decodeLoose(p.t, []byte(raw)); m.Type != "ping" {
			list = append(list, m)
		}
	}
	p.seen = len(all)
	return list
}

// kinds are the types and ids of what came.
func (p *tape) kinds(d time.Duration) (list []string) {
	p.t.Helper()
	for _, m := range p.next(d) {
		list = append(list, m.Type+" "+m.ID)
	}
	slices.Sort(list)
	return list
}

var nothing []string

// outageFixture is a hub whose source may be cut off, with a client that has said hello.
func outageFixture(t *testing.T) (f *fixture, a *ageing, ws *websocket.Conn, p *tape, stop func()) {
	a = new(ageing)
	f = newFixture(t, func(o *Options) { // a ping that is answered would write beside the test: one that comes is not answered, and need not be
		o.Tick, o.Age, o.Limits.Ping, o.Limits.Pong = 100*time.Millisecond, a.age, 2*time.Hour, 2*time.Hour
	})
	halt := f.run()
	ws = pipeDial(t, f.hub)
	messages, end := listen(t, ws, "")
	say(t, ws, `{"type":"hello","token":"secret"}`)
	p = &tape{t: t, messages: messages}
	wantEqual(t, p.kinds(time.Second), []string{"welcome "})
	return f, a, ws, p, func() {
		_ = ws.Close()
		_ = end()
		halt()
	}
}

const staleTop = `{"type":"subscribe","id":"a","max_hz":0.001,"view":{"kind":"top","rule":"ordinal","period":"round"}}`

func TestStale_AnOutageAndItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a, ws, p, stop := outageFixture(t)
		defer stop()
		w := &watcher{t: t, hub: f.hub, ask: "kind=top&rule=ordinal&period=round&limit=3"}
		w.connect()
		w.letAll()
		defer w.disconnect()
		say(t, ws, staleTop)
		say(t, ws, `{"type":"subscribe","id":"u","view":{"kind":"user","user":"ann"}}`)
		wantEqual(t, p.kinds(time.Second), []string{"snapshot a", "snapshot u"})

		a.cut()
		wantEqual(t, p.kinds(1900*time.Millisecond), nothing)
		for _, m := range p.next(300 * time.Millisecond) {
			at, _, err := calendar.ParseInstant(m.AsOf)
			if behind := f.clock.Now() - at; m.Type != "stale" || err != nil || behind < 2_000 || behind > 2_100 {
				t.Errorf("got %+v, %v: %d ms behind", m, err, behind)
			}
		}
		say(t, ws, `{"type":"subscribe","id":"late","view":{"kind":"top","rule":"ordinal","period":"round"}}`)
		say(t, ws, `{"type":"subscribe","id":"new","view":{"kind":"top","rule":"standard","period":"round"}}`)
		wantEqual(t, p.kinds(time.Second), []string{"snapshot late", "snapshot new", "stale late", "stale new"})

		f.hub.Wake(f.source.set("ordinal", "ann", 5))
		a.heal()
		order := map[string]int{}
		for i, m := range p.next(200 * time.Millisecond) {
			order[m.Type+" "+m.ID] = i + 1
		}
		for _, id := range []string{"a", "late", "u"} {
			if order["delta "+id] == 0 || order["fresh "+id] < order["delta "+id] {
				t.Errorf("%q is fresh before its delta, or never: %v", id, order)
			}
		}
		wantEqual(t, order["fresh new"] > 0, true)
		wantEqual(t, w.kinds, []string{"snapshot", "stale", "delta", "fresh"})
		wantEqual(t, p.kinds(time.Minute), nothing)
		wantEqual(t, f.closedWith(), []CloseCode(nil))
	})
}

func TestStale_AMomentIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, ws, p, stop := outageFixture(t)
		defer stop()
		say(t, ws, staleTop)
		wantEqual(t, p.kinds(time.Second), []string{"snapshot a"})
		for range 3 {
			a.cut()
			pass(1900 * time.Millisecond)
			a.heal()
			pass(100 * time.Millisecond)
		}
		wantEqual(t, p.kinds(0), nothing)
	})
}

// TestStale_UntilItCanBeRendered: a node that is current again says so of no view that it cannot show yet; and of another outage it tells anew.
func TestStale_UntilItCanBeRendered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a, ws, p, stop := outageFixture(t)
		defer stop()
		say(t, ws, staleTop)
		say(t, ws, `{"type":"subscribe","id":"u","view":{"kind":"user","user":"ann"}}`)
		wantEqual(t, p.kinds(time.Second), []string{"snapshot a", "snapshot u"})
		a.cut()
		wantEqual(t, p.kinds(3*time.Second), []string{"stale a", "stale u"})
		f.source.failWith(errLoading)
		a.heal()
		wantEqual(t, p.kinds(3*time.Second), nothing)
		a.cut()
		wantEqual(t, p.kinds(3*time.Second), []string{"stale a", "stale u"})
		a.heal()
		wantEqual(t, p.kinds(3*time.Second), nothing)
		f.hub.Wake(f.source.set("ordinal", "ann", 5))
		f.source.failWith(nil)
		wantEqual(t, p.kinds(3*time.Second), []string{"delta a", "delta u", "fresh a", "fresh u"})
	})
}

// TestStale_ToldWhileTheStoreIsWaitedFor: user views that wait for a store that does not answer are marked in time all the same.
func TestStale_ToldWhileTheStoreIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a, ws, p, stop := outageFixture(t)
		defer stop()
		say(t, ws, `{"type":"subscribe","id":"u","view":{"kind":"user","user":"ann"}}`)
		wantEqual(t, p.kinds(time.Second), []string{"snapshot u"})
		f.source.stall(make(chan struct{}))
		f.hub.Wake(f.source.setMember("ann", "coins", 3))
		a.cut()
		wantEqual(t, p.kinds(2200*time.Millisecond), []string{"stale u"})
		f.source.stall(nil)
		a.heal()
		wantEqual(t, p.kinds(6*time.Second), []string{"delta u", "fresh u"})
	})
}

// TestStale_ForgottenViewsAreGivenAnew: a view that nobody watched during an outage is not taken up as it was.
func TestStale_ForgottenViewsAreGivenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, a, ws, p, stop := outageFixture(t)
		defer stop()
		say(t, ws, staleTop)
		say(t, ws, `{"type":"subscribe","id":"u","view":{"kind":"user","user":"ann"}}`)
		first := p.next(time.Second)
		say(t, ws, `{"type":"unsubscribe","id":"a"}`)
		a.cut()
		wantEqual(t, p.kinds(3*time.Second), []string{"stale u"})
		say(t, ws, `{"type":"unsubscribe","id":"u"}`)
		a.heal()
		f.hub.Wake(f.source.set("ordinal", "ann", 5))
		wantEqual(t, p.kinds(time.Second), nothing)
		f.hub.mu.Lock()
		wantEqual(t, len(f.hub.views), 0)
		f.hub.mu.Unlock()
		since := ""
		for _, m := range first {
			if m.ID == "a" {
				since = `,"since":{"epoch":"` + m.Epoch + `","seq":1}`
			}
		}
		say(t, ws, strings.Replace(staleTop, `,"view"`, since+`,"view"`, 1))
		wantEqual(t, p.kinds(time.Second), []string{"snapshot a"})
	})
}
