package ws

import (
	"context"
	"math"
	"sync"
	"time"
)

// Nobody is written the messages of a subscription less than Options.Tick apart, or less than its max_hz asks for: that is decided by who writes (conn.take), from when
// the last message had been written, so that no late tick, full socket or busy machine can bunch them. Ticks are a twentieth further apart than that (spaced), for two
// reasons: a connection that was written late in one tick and early in the next need not wait, as a rule, and messages that are unlike long on their way are still not
// more than the client asked for when they come.

// spaced is the usual distance of what may not be closer than d.
func spaced(d time.Duration) time.Duration { return d + d/20 }

const (
	slotsPerTick = 16
	paceSlots    = 256 // a little over 16 ticks: whatever has to wait longer is looked at then, and waits again
	leastShare   = 64  // of a slot
)

// pacer wakes connections when what waits there may be sent. It is a wheel of slots in time: who waits costs nothing until then.
//
// Subscriptions with max_hz may be sent something at many moments. Each slot takes its even share of them and leaves the rest to the next ones, so that ten thousand
// that were all waiting for one change do not fall due together from then on.
type pacer struct {
	slot  time.Duration
	start time.Time
	poke  chan struct{} // something waits; capacity 1

	mu      sync.Mutex
	next    int64 // the first slot that was not taken yet; what waits is in [next, next+paceSlots)
	slots   [paceSlots]paceSlot
	waiting int
	armed   int64   // the slot that loop waits for
	rate    float64 // messages a second that subscriptions with max_hz may be sent
}

type paceSlot struct {
	conns []*conn
	even  int // of conns, those that may be put off
}

func newPacer(tick time.Duration) *pacer {
	return &pacer{slot: max(spaced(tick)/slotsPerTick, 1), start: time.Now(), poke: make(chan struct{}, 1), armed: math.MaxInt64}
}

// now is the time of everything here: since the hub was made.
func (p *pacer) now() time.Duration { return time.Since(p.start) }

// add has the connection woken at due, or as soon after it as it returns; where that may be put off, within the even share of a slot. What is due beyond the last slot is
// woken with that.
func (p *pacer) add(c *conn, due time.Duration, even bool) (at time.Duration) {
	p.mu.Lock()
	if p.waiting == 0 {
		p.next = max(p.next, int64(p.now()/p.slot)+1)
	}
	n, last := max(p.next, int64((due+p.slot-1)/p.slot)), p.next+paceSlots-1
	n = min(n, last)
	if even {
		for share := p.share(); n < last && p.slots[n%paceSlots].even >= share; {
			n++
		}
		p.slots[n%paceSlots].even++
	}
	s := &p.slots[n%paceSlots]
	s.conns = append(s.conns, c)
	p.waiting++
	sooner := n < p.armed
	p.armed = min(p.armed, n)
	p.mu.Unlock()
	if sooner {
		select {
		case p.poke <- struct{}{}:
		default: // poked already
		}
	}
	return time.Duration(n) * p.slot
}

// share is how many a slot takes of those that may be put off: a quarter more than all of them need.
func (p *pacer) share() int { return max(leastShare, int(math.Ceil(1.25*p.rate*p.slot.Seconds()))) }

// load notes that a subscription with max_hz came, or went.
func (p *pacer) load(perSecond float64) {
	p.mu.Lock()
	p.rate += perSecond
	p.mu.Unlock()
}

// take returns the connections whose time has come, and when the next slot ends in which any waits; ok is false where none does.
func (p *pacer) take(conns []*conn) (_ []*conn, next time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	upTo := int64(p.now() / p.slot)
	for n := p.next; p.waiting > 0; n++ {
		s := &p.slots[n%paceSlots]
		if n > upTo && len(s.conns) > 0 {
			p.next, p.armed = upTo+1, n
			return conns, time.Duration(n) * p.slot, true
		}
		conns = append(conns, s.conns...)
		p.waiting -= len(s.conns)
		clear(s.conns) // holds no connection longer than needed
		s.conns, s.even = s.conns[:0], 0
	}
	p.next, p.armed = max(p.next, upTo+1), math.MaxInt64
	return conns, 0, false
}

// wake wakes those whose time has come.
func (p *pacer) wake() (next time.Duration, ok bool) {
	conns, next, ok := p.take(nil)
	wakeAll(conns)
	return next, ok
}

// loop wakes until ctx is done.
func (p *pacer) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.poke:
		case <-timer.C:
		}
		if next, ok := p.wake(); ok {
			timer.Reset(next - p.now())
		}
	}
}
