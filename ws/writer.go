package ws

import (
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// batch is what a writer found to be written.
type batch struct {
	control [][]byte
	ready   []*subscription
	events  []pendingEvents // of those in ready that have any
	closing CloseCode
	last    []byte
}

type pendingEvents struct {
	sub  *subscription
	list [][]byte
	lost int
}

// wake lets the connection's writer look, and starts one if there is none.
func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.marked, c.awake = false, true
	if c.writing || c.dead {
		return
	}
	c.writing = true
	c.writers.Add(1)
	go c.write()
}

// take hands the writer what waits; ok is false where nothing does, and the writer's time is over.
func (c *conn) take() (b batch, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.taken) // holds no subscription longer than needed
	if !c.awake || c.dead {
		c.writing = false
		return batch{}, false
	}
	c.awake = false
	b.control, c.control = c.control, nil
	c.ready, c.taken = c.taken[:0], c.ready
	b.ready, b.closing, b.last = c.taken, c.closing, c.last
	for _, s := range b.ready {
		s.queued = false
		if len(s.events) > 0 {
			b.events = append(b.events, pendingEvents{s, s.events, s.lost})
			s.events, s.lost = nil, 0
		}
	}
	return b, true
}

// write writes until nothing is left. What it sends for a subscription is decided here, at the time of writing: the way
// from the frame that was sent last to the one that is current now.
func (c *conn) write() {
	defer c.writers.Done()
	scratch := c.hub.scratch.Get().(*[]byte)
	defer c.hub.scratch.Put(scratch)
	for {
		b, ok := c.take()
		if !ok {
			return
		}
		m := messages{conn: c, b: (*scratch)[:0]}
		m.batch(&b)
		m.flush()
		*scratch = m.b[:0]
		if m.err == nil && b.closing == 0 {
			continue
		}
		if m.err != nil {
			c.writeFailed(m.err)
		} else {
			c.writeClose(b.closing)
		}
		return
	}
}

// writeClose sends the close frame and leaves the rest to the reader, which waits for the client's answer.
func (c *conn) writeClose(code CloseCode) {
	reason := websocket.FormatCloseMessage(int(code), code.String())
	err := c.ws.WriteControl(websocket.CloseMessage, reason, time.Now().Add(c.hub.o.Limits.Write))
	c.mu.Lock()
	c.dead, c.writing = true, false
	c.mu.Unlock()
	if err != nil {
		c.sever()
		return
	}
	_ = c.ws.SetReadDeadline(time.Now().Add(closeWait)) // fails only on a closed socket, which the reader notices
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

// messages gathers messages and writes them as one WebSocket message: the message itself, or an array of several.
type messages struct {
	conn   *conn
	b      []byte // '[' and the messages, separated by commas
	n      int
	pushed []time.Time // when what these messages show was announced
	err    error
}

func (m *messages) batch(b *batch) {
	for _, message := range b.control {
		m.next()
		m.b = append(m.b, message...)
	}
	for _, s := range b.ready {
		if !s.gone.Load() {
			m.update(s)
		}
	}
	for _, e := range b.events {
		if !e.sub.gone.Load() {
			m.eventsOf(&e)
		}
	}
	if b.last != nil {
		m.next()
		m.b = append(m.b, b.last...)
	}
}

// next begins a message.
func (m *messages) next() {
	if len(m.b) > splitBytes {
		m.flush()
	}
	if m.n == 0 {
		m.b = append(m.b[:0], '[')
	} else {
		m.b = append(m.b, ',')
	}
	m.n++
}

// typed begins a message of a subscription, up to its id.
func (m *messages) typed(kind string, s *subscription) {
	m.next()
	m.b = append(m.b, `{"type":"`...)
	m.b = append(m.b, kind...)
	m.b = append(m.b, `","id":`...)
	m.b = append(m.b, s.quoted...)
}

// flush writes what was gathered.
func (m *messages) flush() {
	if m.n > 0 && m.err == nil {
		m.err = m.send()
	}
	m.b, m.n, m.pushed = m.b[:0], 0, m.pushed[:0]
}

func (m *messages) send() error {
	whole := m.b[1:]
	if m.n > 1 {
		m.b = append(m.b, ']')
		whole = m.b
	}
	c := m.conn
	if err := c.ws.SetWriteDeadline(time.Now().Add(c.hub.o.Limits.Write)); err != nil {
		return err
	}
	if err := c.ws.WriteMessage(websocket.TextMessage, whole); err != nil {
		return err
	}
	c.hub.o.Metrics.Frames(1)
	for _, woken := range m.pushed {
		c.hub.o.Metrics.Push(time.Since(woken))
	}
	return nil
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
		m.typed("resumed", s)
		m.b = append(m.b, `,"seq":`...)
		m.b = append(strconv.AppendUint(m.b, e.seq, 10), '}')
		return
	}
	if last.frame != nil && samePeriod(last.frame.Period, e.frame.Period) {
		if delta, ok := e.encodedDelta(last.seq, last.frame); ok {
			m.typed("delta", s)
			m.b = append(m.b, delta...)
			return
		}
	} else if last.frame != nil && last.frame.Period.Label != e.frame.Period.Label {
		m.typed("period", s)
		m.b = append(m.b, `,"ended":`...)
		m.b = last.frame.Period.AppendJSON(m.b)
		m.b = append(m.b, `,"started":`...)
		m.b = append(e.frame.Period.AppendJSON(m.b), '}')
	}
	m.typed("snapshot", s)
	m.b = append(m.b, e.encodedSnapshot()...)
}

func (m *messages) eventsOf(e *pendingEvents) {
	if e.lost > 0 {
		m.next()
		m.b = appendError(m.b, e.sub.quoted, &refusal{codeEventsLost, strconv.Itoa(e.lost) + " events before the next were dropped, as they could not be sent in time"})
	}
	for _, event := range e.list {
		m.typed("event", e.sub)
		m.b = append(m.b, `,"event":`...)
		m.b = append(append(m.b, event...), '}')
	}
}
