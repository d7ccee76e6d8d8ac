package ws

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// tell wakes the hub with a commit that only has events of a user.
func (f *fixture) tell(user activity.User, bodies ...string) {
	var c feed.Change
	for _, b := range bodies {
		c.Events = append(c.Events, feed.Event{Org: "o", User: user, Body: []byte(b)})
	}
	f.hub.Wake(c)
}

// eventsOf are the bodies of a subscription's events, in order.
func eventsOf(t *testing.T, messages []string, id string) (out []string) {
	t.Helper()
	for _, m := range messages {
		if kindOf(t, m) != "event" {
			continue
		}
		if d := decode(t, m); d.ID == id {
			out = append(out, string(d.Event))
		}
	}
	return out
}

func TestEvents_GoToWhoWatchesTheUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		messages, end := listen(t, ws, "")
		say(t, ws, `{"type":"hello","token":"secret"}`)
		f.tell("ann", `{"n":"before"}`)
		say(t, ws, `{"type":"subscribe","id":"a","view":{"kind":"user","user":"ann"}}`)
		say(t, ws, `{"type":"subscribe","id":"b","view":{"kind":"user","user":"bob"}}`)
		say(t, ws, `{"type":"subscribe","id":"again","view":{"kind":"user","user":"ann"}}`)
		pass(time.Second)
		before := len(messages())
		f.hub.Wake(feed.Change{Events: []feed.Event{{Org: "another", User: "ann", Body: []byte(`{"n":"foreign"}`)}}})
		change := f.source.setMember("ann", "coins", 4)
		change.Events = []feed.Event{{Org: "o", User: "ann", Body: []byte(`{"n":1}`)}, {Org: "o", User: "bob", Body: []byte(`{"n":2}`)},
			{Org: "o", User: "ann", Body: []byte(`{"n":3}`)}}
		f.hub.Wake(change)
		f.tell("ann", `{"n":4}`)
		pass(time.Second)
		say(t, ws, `{"type":"unsubscribe","id":"again"}`)
		f.tell("ann", `{"n":5}`)
		pass(time.Second)
		got := messages()[before:]
		wantEqual(t, eventsOf(t, got, "a"), []string{`{"n":1}`, `{"n":3}`, `{"n":4}`, `{"n":5}`})
		wantEqual(t, eventsOf(t, got, "again"), []string{`{"n":1}`, `{"n":3}`, `{"n":4}`})
		wantEqual(t, eventsOf(t, got, "b"), []string{`{"n":2}`})
		delta := slices.IndexFunc(got, func(m string) bool { return strings.HasPrefix(m, `{"type":"delta","id":"a"`) })
		event := slices.IndexFunc(got, func(m string) bool { return strings.HasPrefix(m, `{"type":"event","id":"a"`) })
		if delta < 0 || event < delta {
			t.Errorf("the event is no. %d, its delta no. %d", event, delta)
		}
		_ = ws.Close()
		_ = end()
	})
}

// TestEvents_ObeyMaxHz: those of a second come together, and take the view's own change along rather than delay it.
func TestEvents_ObeyMaxHz(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, slowTick)
		stop := f.run()
		defer stop()
		ws := pipeDial(t, f.hub)
		messages, end := listen(t, ws, "")
		say(t, ws, `{"type":"hello","token":"secret"}`)
		say(t, ws, `{"type":"subscribe","id":"slow","max_hz":1,"view":{"kind":"user","user":"ann"}}`)
		say(t, ws, `{"type":"subscribe","id":"fast","view":{"kind":"user","user":"ann"}}`)
		pass(1500 * time.Millisecond)
		f.tell("ann", `{"n":0}`) // at once: nothing was sent for a second
		pass(200 * time.Millisecond)
		wantEqual(t, len(eventsOf(t, messages(), "slow")), 1)
		for n := range 5 {
			f.tell("ann", fmt.Sprintf(`{"n":%d}`, n+1))
			pass(spaced(100 * time.Millisecond))
		}
		wantEqual(t, len(eventsOf(t, messages(), "slow")), 1)
		wantEqual(t, len(eventsOf(t, messages(), "fast")), 6)
		before := len(messages())
		change := f.source.setMember("ann", "coins", 4)
		change.Events = []feed.Event{{Org: "o", User: "ann", Body: []byte(`{"n":6}`)}}
		f.hub.Wake(change)
		pass(600 * time.Millisecond)
		wantEqual(t, eventsOf(t, messages(), "slow"), eventsOf(t, messages(), "fast"))
		wantEqual(t, kindOf(t, messages()[before]), "delta")
		before = len(messages())
		f.hub.Wake(f.source.setMember("ann", "coins", 5))
		pass(2500 * time.Millisecond)
		wantEqual(t, len(messages())-before, 2) // a delta for each

		// A change and its event are one turn, not two.
		f.hub.Wake(change)
		f.hub.Wake(f.source.setMember("ann", "coins", 6))
		pass(1100 * time.Millisecond)
		before = len(messages())
		f.hub.Wake(f.source.setMember("ann", "coins", 7))
		pass(200 * time.Millisecond)
		wantEqual(t, len(messages())-before, 2)
		_ = ws.Close()
		_ = end()
	})
}

// TestEvents_OnceAndInOrder tells many events at random times beside changes of the view, of several rates and to several connections: who keeps up gets each
// once, in order; who is slow the newest, and how many are lost.
func TestEvents_OnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit, total = 20, 1_000
		f := newFixture(t, func(o *Options) { slowTick(o); o.Limits.Events = limit })
		stop := f.run()
		defer stop()
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 1))
		var all []string
		type client struct {
			messages func() []string
			end      func() error
		}
		var clients []client
		for _, rate := range []string{"", `"max_hz":5,`, `"max_hz":0.1,`} {
			ws := pipeDial(t, f.hub)
			messages, end := listen(t, ws, `{"type":"pong"}`)
			say(t, ws, `{"type":"hello","token":"secret"}`)
			say(t, ws, `{"type":"subscribe","id":"a",`+rate+`"view":{"kind":"user","user":"ann"}}`)
			clients = append(clients, client{messages, func() error { _ = ws.Close(); return end() }})
		}
		for len(all) < total {
			body := fmt.Sprintf(`{"n":%d}`, len(all))
			all = append(all, body)
			f.tell("ann", body)
			if rng.IntN(3) == 0 {
				f.hub.Wake(f.source.setMember("ann", "coins", rng.IntN(5)))
			}
			pass(time.Duration(rng.IntN(100)+1) * time.Millisecond)
		}
		pass(20 * time.Second)
		for i, c := range clients {
			got, lost := 0, 0
			for _, m := range c.messages() {
				switch kindOf(t, m) {
				case "error":
					d := decode(t, m)
					wantEqual(t, d.Code, "events_lost")
					var n int
					if _, err := fmt.Sscanf(d.Detail, "%d events", &n); err != nil {
						t.Fatal(err)
					}
					lost += n
				case "event":
					d := decode(t, m)
					if want := all[got+lost]; string(d.Event) != want {
						t.Fatalf("seed %d: client %d got %s after %d and %d lost; want %s", seed, i, d.Event, got, lost, want)
					}
					got++
				}
			}
			if got+lost != total || i < 2 && lost > 0 || i == 2 && (lost == 0 || got > limit*(total/100)) {
				t.Errorf("seed %d: client %d got %d, lost %d of %d", seed, i, got, lost, total)
			}
			_ = c.end()
		}
	})
}
