package ws

import (
	"context"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// beatEvery is how often connections and idle views are looked at for what time brings.
const beatEvery = time.Second

// Run sends views, and pings, until ctx is done. Then it closes the connections that are left with CloseShutdown, refuses new ones, and
// returns nil when all have ended. It is called once.
func (h *Hub) Run(ctx context.Context) error {
	var loops sync.WaitGroup
	for _, l := range []*lane{h.boards, h.users} {
		loops.Go(func() { h.loop(ctx, l) })
	}
	loops.Go(func() { h.pacer.loop(ctx) })
	beats := time.NewTicker(beatEvery)
	defer beats.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-beats.C:
			h.beat(time.Now())
		}
	}
	loops.Wait()
	h.shut()
	return nil
}

// shut ends what is left when Run ends.
func (h *Hub) shut() {
	h.stop()
	conns, empty := h.closeDoor()
	for _, c := range conns {
		c.close(CloseShutdown, nil)
	}
	patience := time.NewTimer(closeWait)
	defer patience.Stop()
	select {
	case <-empty:
	case <-patience.C:
		h.sever()
	}
	h.ended.Wait()
}

// Clients of a node that stops are told to come back at random moments, so many a second, within these bounds: a handshake with its subscriptions costs the nodes that
// take them over far more than an open connection.
const (
	returnsPerSecond = 500
	shortestSpread   = time.Second
	longestSpread    = time.Minute
)

// spread is the time over which so many clients are told to come back.
func spread(clients int) time.Duration {
	return min(max(time.Duration(clients)*time.Second/returnsPerSecond, shortestSpread), longestSpread)
}

// Drain hands the clients over to other nodes: it refuses new connections, sends every view as it is now, tells each client to reconnect at a moment of its own (within
// 1 s to 1 min, by how many there are), closes with CloseDrain, and returns when all have ended. When ctx is done it cuts off those that are left. Run must
// be running.
func (h *Hub) Drain(ctx context.Context) {
	conns, empty := h.closeDoor()
	h.handOver(ctx, conns)
	select {
	case <-empty:
	case <-ctx.Done():
		h.sever()
		<-empty
	}
}

// DrainStreams is Drain for the streams alone, which hold up http.Server.Shutdown as any request does: it is called before that.
func (h *Hub) DrainStreams(ctx context.Context) {
	h.mu.Lock()
	h.noStreams = true
	var streams []*conn
	for c := range h.conns {
		if c.stream != nil {
			streams = append(streams, c)
		}
	}
	h.mu.Unlock()
	h.handOver(ctx, streams)
	for _, c := range streams {
		select {
		case <-c.stream.left:
		case <-ctx.Done():
			c.sever()
			<-c.stream.left
		}
	}
}

// handOver sends every view as it is now, and tells each of the clients to come back at a moment of its own.
func (h *Hub) handOver(ctx context.Context, conns []*conn) {
	for _, l := range []*lane{h.boards, h.users} {
		l.flush(ctx)
	}
	within := spread(len(conns)).Milliseconds()
	for _, c := range conns {
		c.retreat(mathrand.Int64N(within))
	}
}

// closeDoor refuses connections from now on. It returns those there are, and a channel that is closed when all of them have ended.
func (h *Hub) closeDoor() ([]*conn, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.empty == nil {
		h.empty = make(chan struct{})
		if h.places == 0 {
			close(h.empty)
		}
	}
	return slices.Collect(maps.Keys(h.conns)), h.empty
}

// sever cuts all connections off.
func (h *Hub) sever() {
	h.mu.Lock()
	conns := slices.Collect(maps.Keys(h.conns))
	h.mu.Unlock()
	for _, c := range conns {
		c.sever()
	}
}

// beat looks at every connection, and drops views that nobody came back to.
func (h *Hub) beat(now time.Time) {
	h.mu.Lock()
	conns := slices.Collect(maps.Keys(h.conns))
	for v, since := range h.idle {
		if now.Sub(since) >= h.o.Limits.Linger {
			h.dropLocked(v)
		}
	}
	h.forgetArrivalsLocked()
	h.mu.Unlock()
	at := h.o.Clock.Now()
	for _, c := range conns {
		c.beat(now, at)
	}
}

// reserve takes a place for a connection, before the handshake, so that what is over the limit costs little.
func (h *Hub) reserve(by *admission) *problem {
	key := keyOf(by.identity)
	l := &h.o.Limits
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed, h.noStreams && by.stream:
		return newProblem(http.StatusServiceUnavailable, codeUnavailable, "this node is going down")
	case h.places >= l.Connections:
		return newProblem(http.StatusServiceUnavailable, codeLimit, "too many connections on this node")
	case by.ip != "" && h.perIP[by.ip] >= l.ConnectionsPerIP:
		return newProblem(http.StatusTooManyRequests, codeLimit, "too many connections from this address")
	case key != "" && h.perKey[key] >= l.ConnectionsPerKey:
		return newProblem(http.StatusTooManyRequests, codeLimit, "too many connections with this key")
	}
	h.places++
	if by.ip != "" {
		h.perIP[by.ip]++
	}
	if key != "" {
		h.perKey[key]++
	}
	h.ended.Add(1)
	return nil
}

// vacate gives back the place of what did not become a connection.
func (h *Hub) vacate(by *admission) {
	h.release(by.ip, keyOf(by.identity))
	h.ended.Done()
}

// release gives a place back.
func (h *Hub) release(ip, key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	decrement(h.perIP, ip)
	decrement(h.perKey, key)
	h.places--
	if h.empty != nil && h.places == 0 {
		close(h.empty) // once: with the door closed, places are only given back
	}
}

// decrement counts down, and forgets what reaches 0: addresses and keys come and go without end.
func decrement(counts map[string]int, key string) {
	if counts[key] > 1 {
		counts[key]--
	} else {
		delete(counts, key)
	}
}

// rekey moves a connection's place to another key. It returns false where that has too many.
func (h *Hub) rekey(from, to string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if from == to {
		return true
	}
	if h.perKey[to] >= h.o.Limits.ConnectionsPerKey {
		return false
	}
	decrement(h.perKey, from)
	h.perKey[to]++
	return true
}

// start makes a connection known. Who called it then reads it or waits for its end.
func (h *Hub) start(c *conn) {
	h.mu.Lock()
	h.conns[c] = struct{}{}
	closed := h.closed || h.noStreams && c.stream != nil
	h.mu.Unlock()
	h.o.Metrics.Connections(1)
	if closed { // the door closed during the handshake
		c.close(CloseShutdown, nil)
	}
	c.recheck() // the key may have gone while it was being looked at
}

// Recheck closes, with CloseUnauthorized, the connections whose key Options.Good does not know any more. It is called whenever keys have changed, on every node.
func (h *Hub) Recheck() {
	h.mu.Lock()
	conns := slices.Collect(maps.Keys(h.conns))
	h.mu.Unlock()
	for _, c := range conns {
		c.recheck()
	}
}

// recheck closes the connection if its key has gone. Whoever gives a connection its identity calls it after that, so that a key that goes between being looked up and
// being noted here is not missed by both.
func (c *conn) recheck() {
	c.mu.Lock()
	identity := c.identity
	c.mu.Unlock()
	if good := c.hub.o.Good; identity != nil && good != nil && !good(identity) {
		c.fail(CloseUnauthorized, "the key, or the key that made the token, was revoked")
	}
}

// remove forgets a connection that has ended.
func (h *Hub) remove(c *conn, identity *Identity) {
	h.mu.Lock()
	delete(h.conns, c)
	h.mu.Unlock()
	h.o.Metrics.Connections(-1) // before the place is given back: Drain returns with the last one
	h.release(c.ip, keyOf(identity))
	h.ended.Done()
}
