package ws

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/query"
)

// simStep is something that happens; a, b and c say to whom, and how.
type simStep struct {
	kind    string
	a, b, c int
}

// The lives of a simulation, by how often what happens.
var (
	simCalm = []string{"write", "write", "write", "write", "member", "name", "event", "hide", "block", "renumber", "pass", "pass", "pass", "longer",
		"subscribe", "subscribe", "unsubscribe", "move", "stall", "some", "resume"}
	simWild = append([]string{"kill", "drain", "cut", "cut", "heal", "heal", "loading", "reload", "lag", "long", "longer", "move"}, simCalm...)
)

func drawSimSteps(t *rapid.T, kinds []string) []simStep {
	number := rapid.IntRange(0, 1000)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) simStep {
		return simStep{rapid.SampledFrom(kinds).Draw(t, "kind"), number.Draw(t, "a"), number.Draw(t, "b"), number.Draw(t, "c")}
	}), 10, 60).Draw(t, "steps")
}

// TestSimulation: whatever happens to writes, clocks, nodes, connections and readers, a client is shown only what its node showed at some moment, in order, by
// deltas that fit; is told when that may be old, and no longer; is sent no more than it asked for; and in the end holds what a read answers, within two
// ticks (law 6). A goroutine of a bubble may run before or after another, so a found case may need several runs to show again.
//
//	go test ./ws -run Simulation -rapid.checks=3000
func TestSimulation(t *testing.T) {
	for name, kinds := range map[string][]string{"calm": simCalm, "wild": simWild} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				steps, seed := drawSimSteps(rt, kinds), rapid.Uint64().Draw(rt, "seed")
				var fault error
				synctest.Test(t, func(t *testing.T) { fault = simulate(t, steps, seed) })
				if fault != nil {
					rt.Fatal(fault)
				}
			})
		})
	}
}

// world is the truth, the nodes that follow it, and their clients.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	truth   content
	logs    logbook
	nodes   []*simNode
	clients []*simClient
	serial  int
	fault   error
}

func simulate(t *testing.T, steps []simStep, seed uint64) error {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 1)), truth: newContent()}
	for range 3 {
		w.nodes = append(w.nodes, w.newNode())
	}
	for i := range 4 {
		c := &simClient{t: t, sse: i == 3, subs: map[string]*simSub{}}
		if c.sse {
			c.subs["s0"] = &simSub{ask: askOf(int(seed%13), int(seed%5))}
		}
		w.clients = append(w.clients, c)
		w.reconnect(c)
		for range 2 {
			c.subscribe(askOf(w.rng.IntN(100), w.rng.IntN(100)))
		}
	}
	for _, s := range steps {
		w.do(&s)
		if w.failed() {
			break
		}
	}
	if !w.failed() {
		w.settle()
	}
	w.stop()
	return w.fault
}

// newNode starts a node a little after the world's own moments, so that its ticks fall between them.
func (w *world) newNode() *simNode {
	pass(7 * time.Millisecond)
	n := newSimNode(&w.truth, &w.logs, time.Duration(w.rng.IntN(300))*time.Millisecond)
	pass(43 * time.Millisecond)
	return n
}

func (w *world) failed() bool {
	for i, c := range w.clients {
		if c.fault != nil && w.fault == nil {
			w.fault = fmt.Errorf("client %d at %v: %w", i, time.Now(), c.fault)
		}
	}
	return w.fault != nil
}

// reconnect connects to any node that takes clients.
func (w *world) reconnect(c *simClient) {
	for range 20 {
		if n := w.nodes[w.rng.IntN(len(w.nodes))]; !n.gone {
			c.connect(n)
			return
		}
	}
}

// commit makes an op true, and has the nodes hear of it in time.
func (w *world) commit(partition int, change feed.Change, do func(*content)) {
	do(&w.truth)
	w.logs.add(partition, op{time.Now(), change, do})
}

func simUser(n int) (activity.User, int) { return activity.User("u" + strconv.Itoa(n%6)), n % 2 }

func (w *world) do(s *simStep) {
	user, partition := simUser(s.a)
	client, node := w.clients[s.a%len(w.clients)], w.nodes[s.b%len(w.nodes)]
	version := []feed.UserVersion{{Org: "o", User: user}}
	switch s.kind {
	case "write":
		w.write(user, partition, []string{"ordinal", "standard", "ordinal@AT"}[s.b%3], int64(s.c%6)-1)
	case "member":
		w.member(user, partition, []string{"coins", "level"}[s.b%2], s.c%5-1)
	case "block":
		w.member(user, partition, "blocked", s.c%2*2-1)
	case "event":
		w.event(user, partition)
	case "name":
		name := []string{"", "Ann", "Bob"}[s.b%3]
		w.commit(partition, feed.Change{Users: version, Profiles: []feed.UserKey{{Org: "o", User: user}}}, func(c *content) { c.names[user] = name })
	case "hide":
		w.hide(user, partition)
	case "renumber":
		w.commit(0, feed.Change{Orgs: []activity.Org{"o"}}, func(c *content) { c.plain = s.b%2 == 0 })
	case "pass":
		w.pass(time.Duration(s.a%6) * 50 * time.Millisecond)
	case "longer":
		w.pass(time.Duration(s.a%25) * 50 * time.Millisecond)
	case "long":
		w.pass(time.Duration(s.a%80) * 50 * time.Millisecond)
	case "subscribe":
		client.subscribe(askOf(s.b, s.c))
	case "unsubscribe":
		client.unsubscribe(s.b)
	case "move":
		client.cut()
		w.reconnect(client)
	case "stall":
		client.hold(0)
	case "some":
		client.hold(s.b % 3)
	case "resume":
		client.resume()
	case "kill":
		w.kill(s.b % len(w.nodes))
	case "drain":
		w.drain(s.b % len(w.nodes))
	case "cut":
		node.cut()
	case "heal":
		node.heal()
	case "loading":
		node.fail(s.c % 20)
	case "reload":
		node.reload(&w.truth)
	case "lag":
		node.lag = time.Duration(s.c) * time.Millisecond
	}
}

func (w *world) write(user activity.User, partition int, rule string, value int64) {
	if w.truth.users[user]["blocked"] > 0 {
		return
	}
	w.serial++
	e := entry{value, calendar.Instant(w.serial)}
	b := feed.Board{Org: "o", Rule: rule, Label: label(calendar.InstantOf(time.Now()))}
	change := feed.Change{Users: []feed.UserVersion{{Org: "o", User: user}}}
	if !w.truth.hidden[user] {
		change.Writes = []feed.Write{{Board: b, User: user, Removed: value < 0, Value: value, Reached: e.reached}}
	}
	w.commit(partition, change, func(c *content) {
		if c.boards[b] == nil {
			c.boards[b] = map[activity.User]entry{}
		}
		if delete(c.boards[b], user); value >= 0 {
			c.boards[b][user] = e
		}
	})
}

func (w *world) member(user activity.User, partition int, name string, value int) {
	w.commit(partition, feed.Change{Users: []feed.UserVersion{{Org: "o", User: user}}}, func(c *content) {
		if c.users[user] == nil {
			c.users[user] = map[string]int{}
		}
		if delete(c.users[user], name); value >= 0 {
			c.users[user][name] = value
		}
	})
}

func (w *world) event(user activity.User, partition int) {
	w.serial++
	body := fmt.Sprintf(`{"n":%d,"user":%q}`, w.serial, user)
	w.commit(partition, feed.Change{Events: []feed.Event{{Org: "o", User: user, Body: []byte(body)}}}, func(*content) {})
}

// hide takes a user off every board, or puts the user back.
func (w *world) hide(user activity.User, partition int) {
	hidden := !w.truth.hidden[user]
	change := feed.Change{Users: []feed.UserVersion{{Org: "o", User: user}}}
	for b, rows := range w.truth.boards {
		if e, there := rows[user]; there {
			change.Writes = append(change.Writes, feed.Write{Board: b, User: user, Removed: hidden, Value: e.value, Reached: e.reached})
		}
	}
	w.commit(partition, change, func(c *content) { c.hidden[user] = hidden })
}

func (n *simNode) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cutAt.IsZero() {
		n.cutAt = time.Now()
	}
}

func (n *simNode) heal() {
	n.noteAge()
	n.mu.Lock()
	n.cutAt = time.Time{}
	n.mu.Unlock()
	n.noteAge()
}

func (n *simNode) fail(renderings int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fails = renderings
}

// pass lets time pass, and all that it brings.
func (w *world) pass(d time.Duration) {
	for end := time.Now().Add(d); ; {
		for _, n := range w.nodes {
			if !n.gone {
				n.follow(1 + w.rng.IntN(6))
			}
		}
		synctest.Wait()
		for _, c := range w.clients {
			c.process()
			if c.link == nil {
				w.reconnect(c)
			}
			w.mustKnow(c)
		}
		if w.failed() || !time.Now().Before(end) {
			return
		}
		pass(50 * time.Millisecond)
	}
}

// mustKnow: who reads has heard of an outage by now.
func (w *world) mustKnow(c *simClient) {
	if c.link == nil || !c.slowed.IsZero() || c.node.age() <= simStale+2*simTick {
		return
	}
	for id, s := range c.subs {
		if s.live && time.Since(s.since) > 2*simTick && s.staleAsOf.IsZero() {
			c.fail("%s was not told that its node is %v behind", id, c.node.age())
		}
	}
}

// kill ends a node as kill -9 does, and starts another in its place.
func (w *world) kill(i int) {
	n := w.nodes[i]
	n.gone = true
	for _, c := range w.clients {
		if c.node == n {
			c.cut()
		}
	}
	w.replace(i)
}

// drain hands a node's clients over. Who reads misses nothing that the node had.
func (w *world) drain(i int) {
	n := w.nodes[i]
	n.fail(0)
	n.gone = true
	began := time.Now()
	done := make(chan struct{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	go func() {
		defer close(done)
		n.hub.Drain(ctx)
	}()
	synctest.Wait()
	for _, c := range w.clients {
		if c.node != n || c.link == nil {
			continue
		}
		reads := !c.stall
		c.process()
		if !reads {
			continue
		}
		if c.link != nil || !c.drains {
			c.fail("it was not handed over")
		}
		for id, s := range c.subs {
			last := len(n.past) - 1
			if !n.showedSince(s.view, s.now(), began) && (s.view.Kind != query.ViewUser || !n.showed(s.view, last, s.now(), time.Time{})) { // what time does to users comes once a minute
				c.fail("%s (%+v) was not brought up to date before the drain: %s", id, s.ask, s.now())
			}
		}
	}
	for over := false; !over; {
		select {
		case <-done:
			over = true
		default:
			w.pass(50 * time.Millisecond)
		}
		if w.failed() {
			<-done
			over = true
		}
	}
	cancel()
	w.replace(i)
}

func (w *world) replace(i int) {
	w.nodes[i].cancel()
	<-w.nodes[i].ended
	w.nodes[i] = w.newNode()
}

// settle ends all that keeps clients from being right, and compares them with a read.
func (w *world) settle() {
	for _, n := range w.nodes {
		n.heal()
		n.fail(0)
		n.lag = 0
	}
	for _, c := range w.clients {
		c.resume()
	}
	w.pass(simStale + 100*time.Millisecond)
	w.pass(time.Duration((roundMS+5_000-time.Now().UnixMilli()%roundMS)%roundMS) * time.Millisecond) // to where no period begins or closes soon
	w.compare(0.7, -1)                                                                               // before anything is written that would have boards rendered once more; what time does to users comes once a minute
	if w.failed() {
		return
	}
	events := w.serial
	for n := range 6 {
		user, partition := simUser(n)
		w.write(user, partition, "ordinal", int64(n%3))
		w.event(user, partition)
	}
	for range 3 { // in pieces
		w.pass(0)
	}
	for _, n := range w.nodes {
		n.follow(100)
	}
	w.pass(2*spaced(simTick) + 5*time.Millisecond) // two ticks as they are
	w.compare(0, events)
	w.pass(1600 * time.Millisecond) // for the slowest max_hz
	w.compare(0.7, events)
}

// compare compares what clients hold with what a read answers, for subscriptions of at least this rate; 0: those without max_hz. Those that follow a user have
// been told of an event after this one; negative: they are left out.
func (w *world) compare(hz float64, events int) {
	for i, c := range w.clients {
		if w.failed() {
			return
		}
		for _, id := range slices.Sorted(maps.Keys(c.subs)) {
			s := c.subs[id]
			ofUser := s.view.Kind == query.ViewUser
			if hz == 0 && s.hz != 0 || events < 0 && ofUser {
				continue
			}
			want := textOf(w.truth.frame(s.view, calendar.InstantOf(time.Now())))
			switch got := s.now(); {
			case !s.live || got != want:
				w.fault = fmt.Errorf("client %d: %s (%+v, live %v) shows\n%s\na read answers\n%s", i, id, s.view, s.live, got, want)
			case !s.staleAsOf.IsZero():
				w.fault = fmt.Errorf("client %d: %s is stale", i, id)
			case ofUser && s.event <= events:
				w.fault = fmt.Errorf("client %d: %s was not told the last event", i, id)
			}
		}
	}
}

// stop ends everything, and finds that no node held anything back.
func (w *world) stop() {
	for _, c := range w.clients {
		c.cut()
	}
	for _, n := range w.nodes {
		n.cancel()
		<-n.ended
	}
	synctest.Wait()
}
