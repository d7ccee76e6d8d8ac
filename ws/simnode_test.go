package ws

import (
	"context"
	"maps"
	"sync"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/query"
)

const (
	simTick  = 100 * time.Millisecond
	simStale = 2 * time.Second
	// simCoarse divides all instants at which content that nobody writes shows something else.
	simCoarse = time.Second
)

// op is a commit: what it does to content, and what nodes are told of it.
type op struct {
	at     time.Time
	change feed.Change
	do     func(*content)
}

// logbook is a log of commits for each partition. Only the simulation itself writes, and it reads without the lock.
type logbook struct {
	mu    sync.Mutex
	parts [2][]op
}

func (l *logbook) add(partition int, o op) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts[partition] = append(l.parts[partition], o)
}

func (l *logbook) ends() [2]int { return [2]int{len(l.parts[0]), len(l.parts[1])} }

// moment is what a node showed from an instant on.
type moment struct {
	content
	from time.Time
}

func (c *content) clone() content {
	d := content{maps.Clone(c.boards), maps.Clone(c.users), maps.Clone(c.names), maps.Clone(c.hidden), c.plain}
	for b, rows := range d.boards {
		d.boards[b] = maps.Clone(rows)
	}
	for u, members := range d.users {
		d.users[u] = maps.Clone(members)
	}
	return d
}

// simNode is a node: a hub over a copy of the truth, which follows a log of commits for each partition, late and in pieces. It remembers all that it ever showed.
type simNode struct {
	hub    *Hub
	ended  chan struct{} // the hub has stopped
	cancel context.CancelFunc
	lag    time.Duration
	gone   bool // it takes no clients and follows nothing

	mu     sync.Mutex
	past   []moment // by version, which is also what AsOf says
	logs   *logbook
	at     [2]int
	cutAt  time.Time // since when it follows nothing; zero: it follows
	fails  int       // so many renderings fail
	failed time.Time // when the last one did
	old    bool
	heals  []time.Time // when it was current again
}

func newSimNode(truth *content, logs *logbook, lag time.Duration) *simNode {
	n := &simNode{lag: lag, logs: logs, at: logs.ends(), ended: make(chan struct{}), past: []moment{{truth.clone(), time.Now()}}}
	n.hub = New(Options{
		Source: n, Authenticate: authenticate, Tick: simTick, Age: n.age, StaleAfter: simStale,
		Limits: Limits{HandshakeBurst: 1 << 20, MessageBurst: 1 << 20, Linger: 3 * time.Second},
	})
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() {
		defer close(n.ended)
		_ = n.hub.Run(ctx) // returns nil
	}()
	return n
}

// Check implements Source.
func (n *simNode) Check(context.Context, activity.Org, query.View) error { return nil }

// Render implements Source.
func (n *simNode) Render(_ context.Context, _ activity.Org, v query.View, previous *query.Frame) (*query.Frame, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.fails > 0 {
		n.fails--
		n.failed = time.Now()
		return nil, errLoading
	}
	version := len(n.past) - 1
	f := n.past[version].frame(v, calendar.InstantOf(time.Now()))
	f.AsOf = calendar.Instant(version)
	if previous != nil && version%2 == 0 && sameShown(previous, f) { // odd: as a source that cannot tell cheaply
		return previous, nil
	}
	return f, nil
}

func (n *simNode) lastFailure() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.failed
}

// age is ws.Options.Age: since the first commit that is not here, or since the node was cut off.
func (n *simNode) age() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	since := now
	if !n.cutAt.IsZero() {
		since = n.cutAt
	}
	n.logs.mu.Lock()
	defer n.logs.mu.Unlock()
	for p, log := range n.logs.parts {
		if n.at[p] < len(log) && log[n.at[p]].at.Before(since) {
			since = log[n.at[p]].at
		}
	}
	return now.Sub(since)
}

// follow applies the commits of a partition that have come by now, a few of them.
func (n *simNode) follow(most int) {
	n.noteAge()
	now := time.Now()
	for p, log := range n.logs.parts {
		for range most {
			n.mu.Lock()
			due := n.cutAt.IsZero() && n.at[p] < len(log) && !log[n.at[p]].at.Add(n.lag).After(now)
			var next op
			if due {
				next = log[n.at[p]]
				c := n.past[len(n.past)-1].clone()
				next.do(&c)
				n.past = append(n.past, moment{c, now})
			}
			n.mu.Unlock()
			if !due {
				break
			}
			n.hub.Wake(next.change)
			n.mu.Lock()
			n.at[p]++ // only now: what the age says has been told
			n.mu.Unlock()
		}
	}
	n.noteAge()
}

// noteAge notes when the node is current again. It is called before whatever lowers its age, and after.
func (n *simNode) noteAge() {
	old := n.age() > simStale
	if n.old && !old {
		n.heals = append(n.heals, time.Now())
	}
	n.old = old
}

// reload is a node that lost its place in the log and reads everything anew.
func (n *simNode) reload(truth *content) {
	n.noteAge()
	n.mu.Lock()
	n.past = append(n.past, moment{truth.clone(), time.Now()})
	n.mu.Unlock()
	n.hub.Wake(feed.Change{Orgs: []activity.Org{"o"}})
	n.mu.Lock()
	n.at = n.logs.ends()
	n.mu.Unlock()
	n.noteAge()
}

// end is when a version was shown the last time.
func (n *simNode) end(version int) time.Time {
	if version+1 < len(n.past) {
		return n.past[version+1].from
	}
	return time.Now()
}

// showed says whether a version of the node showed this at an instant not before since.
func (n *simNode) showed(v query.View, version int, text string, since time.Time) bool {
	if version < 0 || version >= len(n.past) {
		return false
	}
	from, end := n.past[version].from, n.end(version)
	if from.Before(since) {
		from = since
	}
	for at := from; !at.After(end); at = at.Truncate(simCoarse).Add(simCoarse) {
		if textOf(n.past[version].frame(v, calendar.InstantOf(at))) == text {
			return true
		}
	}
	return false
}

// showedSince says whether the node showed this at an instant not before since.
func (n *simNode) showedSince(v query.View, text string, since time.Time) bool {
	for version := len(n.past) - 1; version >= 0; version-- {
		if n.end(version).After(since) || version == len(n.past)-1 {
			if n.showed(v, version, text, since) {
				return true
			}
			continue
		}
		return false
	}
	return false
}

// healedAfter is when the node was current again after an instant.
func (n *simNode) healedAfter(at time.Time) (time.Time, bool) {
	for _, h := range n.heals {
		if h.After(at) {
			return h, true
		}
	}
	return time.Time{}, false
}
