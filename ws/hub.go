package ws

import (
	"context"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/query"
)

// Hub holds the connections and the views of a node. Make one by New; it pushes while Run runs.
type Hub struct {
	o        Options
	upgrader websocket.Upgrader
	scratch  sync.Pool // *[]byte, to read and to write messages

	// ctx bounds what connections ask of Source and Authenticate; it ends when Run does.
	ctx  context.Context
	stop context.CancelFunc

	boards, users *lane
	pacer         *pacer
	ended         sync.WaitGroup // connections

	mu     sync.Mutex
	conns  map[*conn]struct{}
	places int // taken: conns, and those in their handshake
	perIP  map[string]int
	perKey map[string]int
	// arrivals limit the handshakes of each address that had any lately.
	arrivals map[string]bucket
	views    map[viewKey]*view
	topics   map[topicKey]*topic
	idle     map[*view]time.Time // views without subscribers, and since when
	cut      bool                // there is an outage now
	outages  uint64              // so far
	closed   bool                // draining or stopped: no new connections
	// noStreams: no new streams, though WebSockets may come still.
	noStreams bool
	empty     chan struct{} // made with closed; closed when no place is taken any more
}

// topicKey names what views depend on: the boards of a rule or of one of its segments, or a user.
type topicKey struct {
	org  activity.Org
	rule string        // query.View.Board
	user activity.User // "" for boards
}

// topic is the views that depend on one thing. Guarded by Hub.mu.
type topic struct {
	key   topicKey
	lane  *lane
	views map[*view]struct{}
	woken time.Time // zero: nothing happened since the last tick
}

// New returns a hub that accepts connections at once, and sends views while Run runs.
func New(o Options) *Hub {
	o = o.withDefaults()
	h := &Hub{
		o: o, boards: newLane(o.Tick), users: newLane(sourceTimeout), pacer: newPacer(o.Tick),
		conns: make(map[*conn]struct{}), perIP: make(map[string]int), perKey: make(map[string]int), arrivals: make(map[string]bucket),
		views: make(map[viewKey]*view), topics: make(map[topicKey]*topic), idle: make(map[*view]time.Time),
	}
	h.scratch.New = func() any { return new([]byte) }
	h.upgrader = newUpgrader()
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

// Wake says that a commit was applied to the boards that Source reads. The views that it touches are sent with the next
// tick, and behind them its events to those who watch their users. It does not block, and costs a map look-up for each write and event. It is called once
// for each commit, for those of one user in their order; events' bodies, JSON objects, must not be changed any more.
func (h *Hub) Wake(c feed.Change) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range c.Writes {
		w := &c.Writes[i]
		h.touchLocked(topicKey{org: w.Board.Org, rule: w.Board.Rule}, now)
		h.touchLocked(topicKey{org: w.Board.Org, user: w.User}, now)
		h.users.wrote[w.Board.Org] = struct{}{}
	}
	for i := range c.Users {
		h.touchLocked(topicKey{org: c.Users[i].Org, user: c.Users[i].User}, now)
	}
	for i := range c.Events {
		h.tellLocked(&c.Events[i])
	}
	h.boards.renameLocked(c.Profiles, now)
	for _, org := range c.Orgs {
		h.boards.touchOrgLocked(org, now)
		h.users.touchOrgLocked(org, now)
	}
}

func (h *Hub) touchLocked(key topicKey, now time.Time) {
	t := h.topics[key]
	if t == nil || !t.woken.IsZero() {
		return
	}
	t.woken = now
	t.lane.dirty = append(t.lane.dirty, t)
}

// join adds a subscription to the view with the key, which it makes if need be.
func (h *Hub) join(s *subscription, key viewKey, q query.View) {
	h.mu.Lock()
	v := h.views[key]
	if v == nil {
		v = h.addViewLocked(key, q)
	}
	delete(h.idle, v)
	s.view = v

	v.mu.Lock()
	v.addLocked(s)
	fresh := len(v.subs) == 1 || v.current.Load() == nil // without subscribers it was not kept up to date
	s.started = !fresh
	if fresh {
		v.waiting = true
		v.lane.fresh = append(v.lane.fresh, v)
	}
	v.mu.Unlock()
	h.mu.Unlock()

	h.o.Metrics.Subscriptions(1)
	if s.paced() {
		h.pacer.load(1 / s.gap.Seconds())
	}
	if fresh {
		v.lane.hurry()
	} else if s.conn.mark(s, true) {
		s.conn.wake()
	}
}

func (h *Hub) addViewLocked(key viewKey, q query.View) *view {
	tk, l := topicKey{org: key.org, rule: q.Board()}, h.boards
	if key.kind == query.ViewUser {
		tk, l = topicKey{org: key.org, user: key.user}, h.users
	}
	t := h.topics[tk]
	if t == nil {
		t = &topic{key: tk, lane: l, views: make(map[*view]struct{})}
		h.topics[tk] = t
	}
	v := newView(key, q, l)
	v.topic = t
	if h.cut {
		o := l.outage
		v.outage.Store(&o)
	}
	t.views[v] = struct{}{}
	h.views[key] = v
	l.views[v] = struct{}{}
	if key.profiles {
		l.profiled[v] = struct{}{}
	}
	return v
}

// leave removes a subscription from its view. A view that nobody watches any more lingers, so that a client that comes back
// soon finds its epoch.
func (h *Hub) leave(s *subscription) {
	h.mu.Lock()
	v := s.view
	v.mu.Lock()
	there := v.removeLocked(s)
	left := len(v.subs)
	v.mu.Unlock()
	if there && left == 0 {
		if len(h.idle) < maxIdleViews {
			h.idle[v] = time.Now()
		} else {
			h.dropLocked(v)
		}
	}
	h.mu.Unlock()
	if there {
		h.left(s)
	}
}

// left counts a subscription that is in its view no more.
func (h *Hub) left(s *subscription) {
	h.o.Metrics.Subscriptions(-1)
	if s.paced() {
		h.pacer.load(-1 / s.gap.Seconds())
	}
}

// dropLocked forgets a view. Whoever subscribes to the same again gets a new one.
func (h *Hub) dropLocked(v *view) {
	if h.views[v.key] != v {
		return // dropped already; another may have its place
	}
	delete(h.idle, v)
	delete(h.views, v.key)
	delete(v.lane.views, v)
	delete(v.lane.profiled, v)
	delete(v.topic.views, v)
	if len(v.topic.views) == 0 {
		delete(h.topics, v.topic.key)
	}
}

// end drops a view that Source says is no more, and tells those who watch it why.
func (h *Hub) end(v *view, why *refusal) {
	h.mu.Lock()
	h.dropLocked(v)
	v.mu.Lock()
	subs := v.subs
	v.subs = nil
	v.mu.Unlock()
	h.mu.Unlock()
	for _, s := range subs {
		h.left(s) // before its client is told
		s.conn.endSubscription(s, why)
	}
}
