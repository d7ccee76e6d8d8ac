package ws

import (
	"errors"
	"math"
	"net"
	"runtime"
	"strconv"
	"sync"
	"time"
)

// batch is what a writer found to be written.
type batch struct {
	aside   []byte // written as it is, nil for nothing
	control [][]byte
	ready   []*subscription
	events  []pendingEvents // of those in ready that have any
	closing CloseCode
	last    []byte
	retry   int64
}

type pendingEvents struct {
	sub  *subscription
	list [][]byte
	lost int
}

// wakeAll wakes connections, those of a large view on all processors.
func wakeAll(conns []*conn) {
	const worthAWorker = 64
	workers := min(runtime.GOMAXPROCS(0), len(conns)/worthAWorker)
	if workers < 2 {
		for _, c := range conns {
			c.wake()
		}
		return
	}
	var wg sync.WaitGroup
	for i := range workers {
		some := conns[len(conns)*i/workers : len(conns)*(i+1)/workers]
		wg.Go(func() {
			for _, c := range some {
				c.wake()
			}
		})
	}
	wg.Wait()
}

// wake lets the connection's writer look. Where there is none, the caller is it for a moment: it writes what the socket takes without waiting, and leaves
// the rest to a goroutine.
func (c *conn) wake() {
	if !c.claim() {
		return
	}
	b, ok := c.take()
	switch {
	case !ok:
		c.writers.Done()
	case !b.small():
		go c.write(b, unsent{})
	default:
		c.writeHere(b)
	}
}

// claim makes the caller the connection's writer, unless there is one: that one will look again.
func (c *conn) claim() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marked, c.awake = false, true
	if c.writing || c.dead {
		return false
	}
	c.writing = true
	c.writers.Add(1)
	return true
}

// small says whether the batch may be written where it was found: then all of it is in memory at once if the socket does not take it.
func (b *batch) small() bool {
	const few = 8
	return b.closing == 0 && len(b.control)+len(b.ready)+len(b.events) <= few
}

// writeHere writes a batch as far as the socket takes it now.
func (c *conn) writeHere(b batch) {
	scratch := c.hub.scratch.Get().(*[]byte)
	m := messages{conn: c, here: true, b: (*scratch)[:0]}
	m.batch(&b)
	m.flush()
	*scratch = m.b[:0]
	c.hub.scratch.Put(scratch)
	if m.err != nil {
		c.writeFailed(m.err)
		c.writers.Done()
		return
	}
	if len(m.left.b) > 0 {
		go c.write(batch{}, m.left)
		return
	}
	c.wrote()
	if b, more := c.take(); more { // it came meanwhile
		go c.write(b, unsent{})
		return
	}
	c.writers.Done()
}

// take hands the writer what may be written now; ok is false where nothing may, and the writer's time is over. The pacer wakes the connection for what must wait.
func (c *conn) take() (b batch, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.taken) // holds no subscription longer than needed
	c.taken = c.taken[:0]
	if !c.awake || c.dead {
		c.writing = false
		return batch{}, false
	}
	c.awake = false
	b.control, c.control = c.control, nil
	b.aside, c.aside = c.aside, nil
	b.closing, b.last, b.retry = c.closing, c.last, c.retry
	c.pickLocked()
	b.ready = c.taken
	for _, s := range b.ready {
		s.queued = false
		if len(s.events) > 0 {
			b.events = append(b.events, pendingEvents{s, s.events, s.lost})
			s.events, s.lost = nil, 0
		}
	}
	if b.closing == 0 && b.aside == nil && len(b.control)+len(b.ready) == 0 {
		c.writing = false
		return batch{}, false
	}
	return b, true
}

// pickLocked takes out of ready what may be written now: what is the first of its subscription, what is far enough from the message before, and everything once the
// connection is closing. For the rest the pacer wakes it.
func (c *conn) pickLocked() {
	if len(c.ready) == 0 {
		return
	}
	p := c.hub.pacer
	now, early := p.now(), c.ready[:0]
	next, even := time.Duration(math.MaxInt64), false
	for _, s := range c.ready {
		if s.gone.Load() {
			continue
		}
		first := s.sent.frame == nil
		due := time.Duration(s.mayAt.Load())
		if c.closing != 0 || first || due <= now || s.outdated() {
			c.taken = append(c.taken, s)
			continue
		}
		early = append(early, s)
		if due < next {
			next, even = due, s.paced()
		}
	}
	clear(c.ready[len(early):])
	c.ready = early
	if c.wakeAt <= now {
		c.wakeAt = 0
	}
	if len(early) > 0 && (c.wakeAt == 0 || next < c.wakeFor) {
		c.wakeFor, c.wakeAt = next, p.add(c, next, even)
	}
}

// wrote notes that all that was taken has been written.
func (c *conn) wrote() {
	if len(c.taken) == 0 {
		return
	}
	now := c.hub.pacer.now()
	for _, s := range c.taken {
		s.mayAt.Store(int64(now + s.gap))
	}
}

// write writes what is left of a batch, another batch, and then until nothing is left. What it sends for a subscription is decided
// here, at the time of writing: the way from the frame that was sent last to the one that is current now.
func (c *conn) write(b batch, left unsent) {
	defer c.writers.Done()
	if len(left.b) > 0 {
		if err := c.out.write(left.b, c.hub.o.Limits.Write); err != nil {
			c.writeFailed(err)
			return
		}
		if c.out.direct() {
			c.heard() // the socket was full, and has taken something: the client reads, though a ping may still be on its way to it
		}
		c.hub.sent(&left)
		c.wrote()
	}
	scratch := c.hub.scratch.Get().(*[]byte)
	defer c.hub.scratch.Put(scratch)
	for ok := true; ok; b, ok = c.take() {
		m := messages{conn: c, b: (*scratch)[:0]}
		m.batch(&b)
		m.flush()
		*scratch = m.b[:0]
		if m.err != nil {
			c.writeFailed(m.err)
			return
		}
		c.wrote()
		if b.closing != 0 {
			c.writeClose(b.closing)
			return
		}
	}
}

// writeClose says why it ends, and leaves the rest to who takes the connection down.
func (c *conn) writeClose(code CloseCode) {
	err := c.out.write(c.out.farewell(code), c.hub.o.Limits.Write)
	c.mu.Lock()
	c.dead, c.writing = true, false
	c.mu.Unlock()
	if err != nil {
		c.sever()
		return
	}
	c.out.over()
}

// writeFailed gives the connection up. No close frame can follow a message that was cut off.
func (c *conn) writeFailed(err error) {
	code := closeLost
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		code = CloseSlow
	}
	c.mu.Lock()
	if c.closing == 0 {
		c.closing = code
	}
	c.dead, c.writing = true, false
	c.mu.Unlock()
	c.sever()
}

// messages gathers messages and writes them at once, in the form of the connection's sink.
type messages struct {
	conn   *conn
	b      []byte // as the sink begins them
	n      int
	pushed []time.Time // when what these messages show was announced
	err    error
	here   bool   // the writer must not wait
	left   unsent // what the socket did not take, then
}

// unsent is frames, or what is left of them.
type unsent struct {
	b      []byte
	frames int
	pushed []time.Time
}

// sent counts frames that the socket took.
func (h *Hub) sent(u *unsent) {
	h.o.Metrics.Frames(u.frames)
	for _, woken := range u.pushed {
		h.o.Metrics.Push(time.Since(woken))
	}
}

func (m *messages) batch(b *batch) {
	if b.aside != nil {
		m.write(unsent{b: b.aside})
	}
	for _, message := range b.control {
		m.next(head{kind: typeOf(message)})
		m.b = append(m.b, message...)
	}
	for _, s := range b.ready {
		if !s.gone.Load() {
			o := s.view.outage.Load()
			m.update(s)
			m.outage(s, o)
		}
	}
	for _, e := range b.events {
		if !e.sub.gone.Load() {
			m.eventsOf(&e)
		}
	}
	if b.last != nil {
		m.next(head{kind: typeOf(b.last), retry: b.retry})
		m.b = append(m.b, b.last...)
	}
}

// next begins a message.
func (m *messages) next(h head) {
	if len(m.b) > splitBytes {
		m.flush()
	}
	m.b = m.conn.out.begin(m.b, m.n, h)
	m.n++
}

// typed begins a message of a subscription, up to its id.
func (m *messages) typed(h head, s *subscription) {
	m.next(h)
	m.b = append(m.b, `{"type":"`...)
	m.b = append(m.b, h.kind...)
	m.b = append(m.b, `","id":`...)
	m.b = append(m.b, s.quoted...)
}

// flush writes what was gathered.
func (m *messages) flush() {
	if m.n == 0 {
		return
	}
	m.write(unsent{m.conn.out.seal(m.b, m.n), 1, m.pushed})
	m.b, m.n, m.pushed = m.b[:0], 0, m.pushed[:0]
}

// write writes a frame. Where the writer must not wait it keeps a copy of what the socket does not take.
func (m *messages) write(u unsent) {
	if m.err != nil {
		return
	}
	rest := u.b
	if !m.here {
		m.err = m.conn.out.write(u.b, m.conn.hub.o.Limits.Write)
		rest = nil
	} else if len(m.left.b) == 0 {
		rest, m.err = m.conn.out.offer(u.b)
	}
	if len(rest) == 0 {
		if m.err == nil {
			m.conn.hub.sent(&u)
		}
		return
	}
	m.left.b = append(m.left.b, rest...)
	m.left.frames += u.frames
	m.left.pushed = append(m.left.pushed, u.pushed...)
}

// update appends what brings the client from what it was sent last to what the view shows now.
func (m *messages) update(s *subscription) {
	e := s.view.current.Load()
	last := s.sent
	if e == nil || last.frame != nil && last.seq == e.seq {
		return
	}
	s.sent.seq, s.sent.frame = e.seq, e.frame
	if !e.woken.IsZero() && last.frame != nil {
		m.pushed = append(m.pushed, e.woken)
	}
	if last.frame == nil && s.since == (position{e.epoch, e.seq}) {
		m.typed(e.head("resumed"), s)
		m.b = append(m.b, `,"seq":`...)
		m.b = append(strconv.AppendUint(m.b, e.seq, 10), '}')
		return
	}
	if last.frame != nil && samePeriod(last.frame.Period, e.frame.Period) {
		if delta, ok := e.encodedDelta(last.seq, last.frame); ok {
			m.typed(e.head("delta"), s)
			m.b = append(m.b, delta...)
			return
		}
	} else if last.frame != nil && last.frame.Period.Label != e.frame.Period.Label {
		m.typed(head{kind: "period"}, s)
		m.b = append(m.b, `,"ended":`...)
		m.b = last.frame.Period.AppendJSON(m.b)
		m.b = append(m.b, `,"started":`...)
		m.b = append(e.frame.Period.AppendJSON(m.b), '}')
	}
	m.typed(e.head("snapshot"), s)
	m.b = append(m.b, e.encodedSnapshot()...)
}

func (m *messages) eventsOf(e *pendingEvents) {
	if e.lost > 0 {
		m.next(head{kind: "error"})
		m.b = appendError(m.b, e.sub.quoted, &refusal{codeEventsLost, strconv.Itoa(e.lost) + " events before the next were dropped, as they could not be sent in time"})
	}
	for _, event := range e.list {
		m.typed(head{kind: "event"}, e.sub)
		m.b = append(m.b, `,"event":`...)
		m.b = append(append(m.b, event...), '}')
	}
}
