package ws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// viewer is a client that follows docs/PROTOCOL.md, over connections that come and go, read or stall.
type viewer struct {
	t    *testing.T
	hub  *Hub
	ws   *websocket.Conn
	gate chan struct{} // each token lets it read one message; closed: all
	all  bool          // gate is closed
	held map[string]*shown
	asks map[string]string // view and max_hz of each subscription
	made int
	err  error
	done chan struct{}
}

func newViewer(t *testing.T, h *Hub) *viewer {
	v := &viewer{t: t, hub: h, held: map[string]*shown{}, asks: map[string]string{}}
	v.connect()
	return v
}

// connect opens a connection and subscribes to everything anew, from where it was.
func (v *viewer) connect() {
	v.ws, v.gate, v.done = pipeDial(v.t, v.hub), make(chan struct{}, 1000), make(chan struct{})
	v.all = false
	go v.read()
	v.send(`{"type":"hello","token":"secret"}`)
	for id, ask := range v.asks {
		held := v.held[id]
		held.live = false
		since := ""
		if held.epoch != "" {
			since = fmt.Sprintf(`,"since":{"epoch":%q,"seq":%d}`, held.epoch, held.seq)
		}
		v.send(`{"type":"subscribe","id":"` + id + `",` + ask + since + `}`)
	}
}

func (v *viewer) send(message string) {
	if err := v.ws.WriteMessage(websocket.TextMessage, []byte(message)); err != nil && v.err == nil {
		v.err = err
	}
	synctest.Wait()
}

func (v *viewer) read() {
	defer close(v.done)
	ws, gate := v.ws, v.gate
	for range gate {
		if !v.readOne(ws) {
			return
		}
	}
	for v.readOne(ws) {
	}
}

func (v *viewer) readOne(ws *websocket.Conn) bool {
	_, b, err := ws.ReadMessage()
	if err != nil {
		return false
	}
	for _, raw := range split(v.t, b) {
		m := decodeLoose(v.t, raw)
		held := v.held[m.ID]
		if held == nil {
			continue // unsubscribed
		}
		if m.Type == "error" && v.err == nil {
			v.err = fmt.Errorf("got %s", raw)
		}
		if err := held.apply(&m); err != nil && v.err == nil {
			v.err = fmt.Errorf("%w by %s", err, raw)
		}
	}
	return true
}

func decodeLoose(t *testing.T, raw jsontext.Value) (m wireMessage) {
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Errorf("%v in %s", err, raw)
	}
	return m
}

func (v *viewer) disconnect() {
	_ = v.ws.Close()
	v.letAll()
	<-v.done
	synctest.Wait()
}

func (v *viewer) letOne() {
	if !v.all && len(v.gate) < cap(v.gate) {
		v.gate <- struct{}{}
	}
	synctest.Wait()
}

func (v *viewer) letAll() {
	if !v.all {
		v.all = true
		close(v.gate)
	}
}

// subscribe takes a new id each time, as the protocol page asks: messages for an old one may still be under way.
func (v *viewer) subscribe(ask string) {
	if len(v.asks) > 4 {
		return
	}
	v.made++
	id := "s" + strconv.Itoa(v.made)
	v.asks[id], v.held[id] = ask, &shown{}
	v.send(`{"type":"subscribe","id":"` + id + `",` + ask + `}`)
}

func (v *viewer) unsubscribe(id string) {
	delete(v.asks, id)
	delete(v.held, id)
	v.send(`{"type":"unsubscribe","id":"` + id + `"}`)
}

func drawAsk(t *rapid.T) string {
	view := rapid.SampledFrom([]string{
		`{"kind":"top","rule":"ordinal","period":"round","limit":3}`,
		`{"kind":"top","rule":"standard","period":"round","limit":4}`,
		`{"kind":"top","rule":"ordinal","period":"round~1"}`,
		`{"kind":"range","rule":"standard","period":"round","from":2,"to":4}`,
		`{"kind":"range","rule":"ordinal","period":"round","from":1,"to":2}`,
		`{"kind":"around","rule":"standard","period":"round","user":"u1","span":1}`,
		`{"kind":"around","rule":"ordinal","period":"round","user":"u2","span":1}`,
		`{"kind":"users","rule":"ordinal","period":"round","users":["u3","u0"]}`,
		`{"kind":"user","user":"u1"}`,
		`{"kind":"top","rule":"ordinal","period":"round","limit":3,"fields":["profile"]}`,
		`{"kind":"around","rule":"ordinal","period":"round","user":"u2","span":1,"segment":"AT"}`,
		`{"kind":"users","rule":"ordinal","period":"round","users":["u3","u0"],"segment":"AT","fields":["profile"]}`,
	}).Draw(t, "view")
	return `"view":` + view + rapid.SampledFrom([]string{``, ``, `,"max_hz":3`}).Draw(t, "max_hz")
}

// run of the property: what happened so far.
type show struct {
	f       *fixture
	viewers []*viewer
}

func (s *show) tick() {
	pass(spaced(s.f.hub.o.Tick))
	s.f.hub.pacer.wake()
	for _, l := range []*lane{s.f.hub.boards, s.f.hub.users} {
		l.tick++
		s.f.hub.step(context.Background(), l, l.takeAll)
	}
	synctest.Wait()
}

func (s *show) actions() map[string]func(*rapid.T) {
	viewer := func(t *rapid.T) *viewer { return rapid.SampledFrom(s.viewers).Draw(t, "viewer") }
	user := func(t *rapid.T) activity.User {
		return activity.User("u" + strconv.Itoa(rapid.IntRange(0, 5).Draw(t, "user")))
	}
	write := func(t *rapid.T) {
		rule := rapid.SampledFrom([]string{"ordinal", "standard", "ordinal@AT"}).Draw(t, "rule")
		s.f.hub.Wake(s.f.source.set(rule, user(t), rapid.Int64Range(-1, 4).Draw(t, "value")))
	}
	tick := func(*rapid.T) { s.tick() }
	return map[string]func(*rapid.T){
		"write": write, "write again": write, "tick": tick, "tick again": tick,
		"member": func(t *rapid.T) {
			name := rapid.SampledFrom([]string{"coins", "level"}).Draw(t, "name")
			s.f.hub.Wake(s.f.source.setMember(user(t), name, rapid.IntRange(-1, 3).Draw(t, "value")))
		},
		"name": func(t *rapid.T) {
			s.f.hub.Wake(s.f.source.setName(user(t), rapid.SampledFrom([]string{"", "Ann", "Bob"}).Draw(t, "name")))
		},
		"fresh": func(*rapid.T) {
			for _, l := range []*lane{s.f.hub.boards, s.f.hub.users} {
				s.f.hub.step(context.Background(), l, l.takeFresh)
			}
			synctest.Wait()
		},
		"read":      func(t *rapid.T) { viewer(t).letOne() },
		"subscribe": func(t *rapid.T) { viewer(t).subscribe(drawAsk(t)) },
		"unsubscribe": func(t *rapid.T) {
			v := viewer(t)
			if ids := slices.Sorted(maps.Keys(v.asks)); len(ids) > 0 {
				v.unsubscribe(rapid.SampledFrom(ids).Draw(t, "id"))
			}
		},
		"reconnect": func(t *rapid.T) {
			v := viewer(t)
			v.disconnect()
			v.connect()
		},
		"rollover": func(*rapid.T) { s.f.at(s.f.clock.Now() + roundMS) },
	}
}

// settle lets every client read on and ticks until all that max_hz holds back is out.
func (s *show) settle() {
	for _, v := range s.viewers {
		v.letAll()
	}
	for range 2 + 4 { // two ticks by law 6; max_hz 3 is once in 4
		s.tick()
	}
}

// check compares what a client holds with what a read answers.
func (s *show) check(t *rapid.T, v *viewer) {
	if v.err != nil {
		t.Fatal(v.err)
	}
	for id, ask := range v.asks {
		var m struct {
			View  query.View `json:"view"`
			MaxHz float64    `json:"max_hz"`
		}
		if err := json.Unmarshal([]byte("{"+ask+"}"), &m); err != nil {
			t.Fatal(err)
		}
		if m.View.Limit == 0 && m.View.Kind == query.ViewTop {
			m.View.Limit = 50
		}
		frame, err := s.f.source.Render(context.Background(), "o", m.View, nil)
		if err != nil {
			t.Fatal(err)
		}
		held := v.held[id]
		held.sort()
		if got, want := held.text(), textOf(frame); got != want {
			t.Fatalf("%s of %s shows\n%s\na read answers\n%s", id, ask, got, want)
		}
	}
}

func (s *shown) text() string {
	if s.user != nil {
		b, _ := json.Marshal(s.user, json.Deterministic(true))
		return string(b)
	}
	return fmt.Sprintf("%s closed=%v total=%d %+v", s.period.Label, s.period.Closed, s.total, s.rows)
}

func textOf(f *query.Frame) string {
	if f.User != nil {
		return string(f.User)
	}
	want := shown{period: wirePeriod{Label: f.Period.Label, Closed: f.Period.Closed}, total: f.Total}
	for _, r := range f.Rows {
		want.rows = append(want.rows, wireRow{Rank: r.Rank, User: string(r.User), Score: jsontext.Value(strconv.FormatInt(r.Score.Scaled, 10)), Reached: r.ReachedAt.String(),
			Profile: wireProfile{Name: r.Profile.Name}})
	}
	want.sort()
	return want.text()
}

// hideDeadline keeps rapid from asking for the test's deadline, which may not be asked for inside a bubble.
type hideDeadline struct{ testing.TB }

// Law 6: after writes stop, every live view equals the read, whatever was lost, reconnected or too slow in between; and
// every delta that came did fit.
func TestLiveEqualsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(hideDeadline{t}, func(rt *rapid.T) {
			f := newFixture(t, func(o *Options) { o.Tick = 100 * time.Millisecond })
			s := &show{f: f}
			for range 3 {
				s.viewers = append(s.viewers, newViewer(t, f.hub))
			}
			defer func() {
				for _, v := range s.viewers {
					v.disconnect()
				}
				f.hub.shut()
			}()
			rt.Repeat(s.actions())
			s.settle()
			for _, v := range s.viewers {
				s.check(rt, v)
			}
		})
	})
}
