package ws

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
)

// clockJump is how far the clock may run ahead of or behind the machine's between two ticks before all views are looked at.
const clockJump = 500 * time.Millisecond

// settleTicks is how many ticks user views may lag behind the writes of others while these go on.
const settleTicks = 10

// lane is the views that tick together: those of boards, or those of users.
type lane struct {
	timeout time.Duration // of the renderings of one step: how long a view that waits, for a board to load, holds up the others
	poke    chan struct{} // something fresh; capacity 1
	flushes chan chan<- struct{}

	// Guarded by Hub.mu.
	views     map[*view]struct{}
	dirty     []*topic
	fresh     []*view // joined by someone while they were not kept up to date
	eventful  map[*view]struct{}
	orgs      map[activity.Org]time.Time // orgs of which anything may have changed, and since when
	wrote     map[activity.Org]struct{}  // orgs with writes since the last tick
	unsettled map[activity.Org]uint64    // orgs with writes since their user views were all rendered, and the tick of the first
	profiled  map[*view]struct{}         // those of views whose rows show profiles
	renamed   renamed
	outage    outage // that views were marked for and are not mended of

	// Used by the goroutine that steps only.
	tick    uint64
	nextDue calendar.Instant
	now     calendar.Instant // at the last step, and the machine's time then
	real    time.Time
	jumped  bool   // the clock was set since the last full step
	mending uint64 // number of the outage after which all views were rendered
}

func newLane(timeout time.Duration) *lane {
	return &lane{
		timeout: timeout, poke: make(chan struct{}, 1), flushes: make(chan chan<- struct{}), nextDue: never,
		views: make(map[*view]struct{}), eventful: make(map[*view]struct{}),
		orgs: make(map[activity.Org]time.Time), wrote: make(map[activity.Org]struct{}), unsettled: make(map[activity.Org]uint64),
		profiled: make(map[*view]struct{}), renamed: make(renamed),
	}
}

// touchOrgLocked has all views of the org rendered.
func (l *lane) touchOrgLocked(org activity.Org, now time.Time) { l.orgs[org] = now }

// hurry asks for a step that renders fresh views, before the next tick.
func (l *lane) hurry() {
	select {
	case l.poke <- struct{}{}:
	default: // asked already
	}
}

// loop steps until ctx is done. A tick that comes late puts off those after it: they are never closer together.
func (h *Hub) loop(ctx context.Context, l *lane) {
	timer := time.NewTimer(spaced(h.o.Tick))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.poke:
			h.step(ctx, l, l.takeFresh)
		case <-timer.C:
			began := time.Now()
			l.tick++
			h.round(ctx, l)
			timer.Reset(spaced(h.o.Tick) - time.Since(began))
		case done := <-l.flushes:
			l.tick++
			h.round(ctx, l)
			close(done)
		}
	}
}

// flush makes a tick of its own, so that what was announced before is on its way to clients when it returns. It gives up when ctx is done.
func (l *lane) flush(ctx context.Context) {
	done := make(chan struct{})
	select {
	case l.flushes <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// step renders the views that take chooses, and wakes the connections that have something to be sent then. Steps of one
// lane do not overlap.
func (h *Hub) step(ctx context.Context, l *lane, take func(now calendar.Instant) []*view) {
	now := h.o.Clock.Now()
	h.mu.Lock()
	views := take(now)
	var eventful map[*view]struct{}
	if len(l.eventful) > 0 {
		eventful, l.eventful = l.eventful, make(map[*view]struct{})
	}
	h.mu.Unlock()

	h.render(ctx, l.timeout, views, now)
	var awake []*conn
	for _, v := range views {
		v.collected = false
		l.nextDue = min(l.nextDue, v.due)
		if v.failed != nil {
			h.end(v, v.failed)
			continue
		}
		awake = v.offerAll(awake)
	}
	for v := range eventful {
		awake = v.offerEvents(awake)
	}
	wakeAll(awake) // only now, so that all that the tick brings a connection goes out together
}

// takeFresh takes the views that someone has just joined. Called with Hub.mu held.
func (l *lane) takeFresh(now calendar.Instant) []*view {
	l.watchClock(now)
	var views []*view
	for _, v := range l.fresh {
		views = v.collect(views, time.Time{})
	}
	l.fresh = nil
	return views
}

// takeAll takes all views that may show something new. Called with Hub.mu held.
func (l *lane) takeAll(now calendar.Instant) []*view {
	views := l.takeFresh(now)
	for _, t := range l.dirty {
		for v := range t.views {
			views = v.collect(views, t.woken)
		}
		t.woken = time.Time{}
	}
	l.dirty = l.dirty[:0]
	views = l.takeRenamed(views)
	l.settle()
	if len(l.orgs) == 0 && now < l.nextDue && !l.jumped {
		return views
	}
	l.nextDue = never
	for v := range l.views {
		woken, touched := l.orgs[v.org]
		if touched || l.jumped || v.due <= now {
			views = v.collect(views, woken)
		} else {
			l.nextDue = min(l.nextDue, v.due)
		}
	}
	clear(l.orgs)
	l.jumped = false
	return views
}

// settle marks orgs whose writes have paused. A user's object shows the user's ranks, which move with everyone's writes; to
// render all user views at every tick for that would cost more than it tells. So they follow the writes of others once a tick
// passes without any, and every settleTicks while there is none such. Board lanes have no wrote.
func (l *lane) settle() {
	for org, since := range l.unsettled {
		if _, busy := l.wrote[org]; busy && l.tick-since < settleTicks {
			continue
		}
		delete(l.unsettled, org)
		if _, touched := l.orgs[org]; !touched {
			l.orgs[org] = time.Time{}
		}
	}
	for org := range l.wrote {
		if _, waiting := l.unsettled[org]; !waiting {
			l.unsettled[org] = l.tick
		}
	}
	clear(l.wrote)
}

// watchClock notices when the clock was set since the last step: every period may be another then.
func (l *lane) watchClock(now calendar.Instant) {
	machine := time.Now()
	passed := machine.Sub(l.real)
	shown := time.Duration(now-l.now) * time.Millisecond
	if !l.real.IsZero() && (shown-passed).Abs() > clockJump {
		l.jumped = true
	}
	l.real, l.now = machine, now
}

// collect adds the view to the list unless it is there or nobody watches it. Called with Hub.mu held.
func (v *view) collect(list []*view, woken time.Time) []*view {
	if len(v.subs) == 0 {
		v.due = never // rendered again when someone joins
		return list
	}
	if v.woken.IsZero() {
		v.woken = woken
	}
	if v.collected {
		return list
	}
	v.collected = true
	return append(list, v)
}

// render renders views on a few workers and waits for them.
func (h *Hub) render(ctx context.Context, timeout time.Duration, views []*view, now calendar.Instant) {
	if len(views) == 0 {
		return
	}
	h.o.Metrics.Renders(len(views))
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	const worthAWorker = 16
	workers := min(runtime.GOMAXPROCS(0), (len(views)+worthAWorker-1)/worthAWorker)
	var next atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(len(views)); i = next.Add(1) - 1 {
			h.renderOne(ctx, views[i], now)
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

func (h *Hub) renderOne(ctx context.Context, v *view, now calendar.Instant) {
	v.changed, v.failed, v.failing = false, nil, false
	f, err := h.o.Source.Render(ctx, v.org, v.query, v.rendered)
	if err != nil {
		if v.failed = viewRefusal(err); v.failed == nil {
			v.due, v.failing = now, true // passes: try again at the next tick
			h.o.Log.Debug().Err(err).Str("org", string(v.org)).Str("rule", v.query.Rule).Msg("live view was not rendered")
		}
		return
	}
	v.due = v.nextDue(f, now)
	if f != v.rendered {
		v.changed = v.publish(f, v.woken)
	}
	v.woken = time.Time{}
}

// offerAll marks the view's subscriptions that have something to be sent, and adds the connections that are to be woken for it to awake.
func (v *view) offerAll(awake []*conn) []*conn {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.current.Load() == nil || !v.changed && !v.waiting {
		return awake
	}
	for _, s := range v.subs {
		first := !s.started
		if first || v.changed {
			s.started = true
			awake = s.offer(first, awake)
		}
	}
	v.waiting = false
	return awake
}

// offer marks a subscription. One with max_hz is left to the pacer, but for its first message.
func (s *subscription) offer(first bool, awake []*conn) []*conn {
	c := s.conn
	switch paced := s.paced() && !first; {
	case !c.mark(s, !paced):
	case paced:
		p := c.hub.pacer
		p.add(c, max(p.now(), time.Duration(s.mayAt.Load())), true)
	default:
		awake = append(awake, c)
	}
	return awake
}
