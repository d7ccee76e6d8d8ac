package ws

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/query"
)

// lateSource answers after a while, so that ticks come late and then early.
type lateSource struct {
	*fakeSource
	delay func() time.Duration
}

func (l lateSource) Render(ctx context.Context, org activity.Org, v query.View, previous *query.Frame) (*query.Frame, error) {
	<-time.After(l.delay())
	return l.fakeSource.Render(ctx, org, v, previous)
}

// dice are safe for use by several goroutines.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) under(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

// timed is when a connection was written the messages of each subscription.
type timed struct{ of map[string][]time.Duration }

// watch reads until the connection ends, and rests after each message.
func (w *timed) watch(t *testing.T, ws *websocket.Conn, start time.Time, rest func() time.Duration) {
	for {
		_, b, err := ws.ReadMessage()
		if err != nil {
			return
		}
		now := time.Since(start)
		for _, raw := range split(t, b) {
			m := decodeLoose(t, raw)
			if m.ID == "" {
				continue
			}
			w.of[m.ID] = append(w.of[m.ID], now)
		}
		<-time.After(rest())
	}
}

// mostIn is the most of these moments that lie in any span of this length, its end left out.
func mostIn(moments []time.Duration, d time.Duration) (most int) {
	for _, from := range moments {
		n := 0
		for _, at := range moments {
			if at >= from && at < from+d {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

const watchAt = `"view":{"kind":"top","rule":"ordinal","period":"round","limit":3}}`

// TestPace_NoMoreInAnySecond: whatever ticks, sources and sockets do, no subscription is written more than ten messages in any second, and none of max_hz more than that.
func TestPace_NoMoreInAnySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		d := &dice{r: rand.New(rand.NewPCG(seed, 1))}
		late, slow := false, make([]bool, 5)
		var mu sync.Mutex
		pause := func(on *bool, most int) func() time.Duration {
			return func() time.Duration {
				mu.Lock()
				defer mu.Unlock()
				if !*on {
					return 0
				}
				return time.Duration(d.under(most)) * time.Millisecond
			}
		}
		f := newFixture(t, func(o *Options) { slowTick(o); o.Limits.Ping, o.Limits.Pong = 2*time.Hour, 2*time.Hour }) // a client that is dropped is told everything once more
		f.hub.o.Source = lateSource{f.source, pause(&late, 150)}
		stop := f.run()
		defer stop()
		start, ends := time.Now(), []func(){}
		seen := make([]timed, len(slow))
		for i := range slow {
			ws, done := pipeDial(t, f.hub), make(chan struct{})
			seen[i].of = map[string][]time.Duration{}
			go func() {
				defer close(done)
				seen[i].watch(t, ws, start, pause(&slow[i], 700))
			}()
			ends = append(ends, func() { _ = ws.Close(); <-done })
			say(t, ws, `{"type":"hello","token":"secret"}`)
			for id, hz := range map[string]string{"10": "", "1": `"max_hz":1,`, "4": `"max_hz":4,`, "7": `"max_hz":7,`, "1000": `"max_hz":1000,`} {
				if i == 0 || d.under(2) == 0 {
					say(t, ws, `{"type":"subscribe","id":"`+id+`",`+hz+watchAt)
					pass(time.Duration(d.under(300)) * time.Millisecond)
				}
			}
		}
		for n := range int64(1500) {
			if n%100 == 0 {
				mu.Lock()
				late = d.under(2) == 0
				for i := range slow {
					slow[i] = d.under(3) == 0
				}
				mu.Unlock()
			}
			f.hub.Wake(f.source.set("ordinal", "ann", n))
			pass(time.Duration(d.under(40)) * time.Millisecond)
		}
		for _, end := range ends {
			end()
		}
		for i := range seen {
			for id, moments := range seen[i].of {
				allowed, _ := strconv.Atoi(id)
				if most := mostIn(moments, time.Second); most > min(allowed, 10) {
					t.Errorf("seed %d: subscription %q of connection %d got %d within a second", seed, id, i, most)
				}
			}
		}
	})
}

// TestPace_Keeps: who reads at once gets nearly as much as may be, and one change after a pause with the next tick.
func TestPace_Keeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, func(o *Options) { slowTick(o); o.Limits.Ping, o.Limits.Pong = 2*time.Hour, 2*time.Hour })
		stop := f.run()
		defer stop()
		start := time.Now()
		seen, ends := map[string]*timed{}, []func(){}
		for id, hz := range map[string]string{"10": "", "4": `"max_hz":4,`, "hour": `"max_hz":0.0003,`} {
			ws, w, done := pipeDial(t, f.hub), &timed{of: map[string][]time.Duration{}}, make(chan struct{})
			seen[id] = w
			go func() {
				defer close(done)
				w.watch(t, ws, start, func() time.Duration { return 0 })
			}()
			ends = append(ends, func() { _ = ws.Close(); <-done })
			say(t, ws, `{"type":"hello","token":"secret"}`)
			say(t, ws, `{"type":"subscribe","id":"`+id+`",`+hz+watchAt)
		}
		pass(time.Hour)
		for n := range int64(1000) {
			f.hub.Wake(f.source.set("ordinal", "ann", n))
			pass(10 * time.Millisecond)
		}
		for _, end := range ends {
			end()
		}
		if n := len(seen["10"].of["10"]); n < 95 {
			t.Errorf("%d messages in ten seconds", n)
		}
		if n := len(seen["4"].of["4"]); n < 37 || n > 41 {
			t.Errorf("%d messages of max_hz 4 in ten seconds", n)
		}
		if got := seen["hour"].of["hour"]; len(got) != 2 || got[1] > time.Hour+120*time.Millisecond {
			t.Errorf("one message an hour: they came at %v", got)
		}
	})
}

// hideDeadline keeps rapid from asking for the test's deadline, which may not be asked for inside a bubble.
type hideDeadline struct{ testing.TB }

// TestPacer_Model: who is added is woken once for it, never early, and where nobody may be put off in the very slot.
func TestPacer_Model(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(hideDeadline{t}, func(rt *rapid.T) {
			p := newPacer(100 * time.Millisecond)
			type wait struct{ due, at time.Duration }
			waits := map[*conn]wait{}
			for range rapid.IntRange(1, 60).Draw(rt, "steps") {
				for range rapid.IntRange(0, 100).Draw(rt, "added") {
					c, even := new(conn), rapid.Bool().Draw(rt, "even")
					due := p.now() + time.Duration(rapid.IntRange(-50, 2500).Draw(rt, "in"))*time.Millisecond
					at := p.add(c, due, even)
					if prompt := max(due, p.now()) + p.slot; !even && at > prompt {
						rt.Fatalf("due %v, woken %v", due, at)
					}
					waits[c] = wait{due, at}
				}
				pass(time.Duration(rapid.IntRange(0, 400).Draw(rt, "ms")) * time.Millisecond)
				conns, next, ok := p.take(nil)
				for _, c := range conns {
					w, there := waits[c]
					if horizon := w.at + paceSlots*p.slot; !there || w.at > p.now() || w.due > p.now() && w.due < horizon-paceSlots*p.slot {
						rt.Fatalf("woken %v: %+v, %v", p.now(), w, there)
					}
					delete(waits, c)
				}
				earliest := time.Duration(1 << 62)
				for _, w := range waits {
					earliest = min(earliest, w.at)
				}
				if ok != (len(waits) > 0) || ok && next != earliest {
					rt.Fatalf("next %v, %v; %d wait, from %v", next, ok, len(waits), earliest)
				}
			}
		})
	})
}

// TestPacer_SpreadsEvenly: ten thousand that fall due together are woken evenly over their period.
func TestPacer_SpreadsEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, gap = 10_000, 262 * time.Millisecond
		p := newPacer(100 * time.Millisecond)
		p.load(clients / gap.Seconds())
		slots := map[time.Duration]int{}
		for range clients {
			slots[p.add(new(conn), 0, true)]++
		}
		var most int
		var last time.Duration
		for at, n := range slots {
			most, last = max(most, n), max(last, at)
		}
		if even := clients * int(p.slot) / int(gap); most > even*4/3 || last > gap {
			t.Errorf("%d in one slot of %v, where %d are even; the last after %v", most, p.slot, even, last)
		}
		if p.waiting != clients {
			t.Errorf("%d wait", p.waiting)
		}
	})
}
