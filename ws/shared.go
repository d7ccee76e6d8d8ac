package ws

import (
	"slices"
	"sync/atomic"
)

// sharedFrame is a change of a view as the whole frame of a WebSocket. Clients that run the same program choose the same ids, so that one frame, made for the first of them,
// is right to the byte for thousands.
type sharedFrame struct {
	from  uint64 // seq
	id    string
	bytes []byte
}

// sharedFrames are those of an edition, by how far it is from the one that they start from: subscribers with max_hz start from several before.
type sharedFrames [4]atomic.Pointer[sharedFrame]

func (f *sharedFrames) of(distance uint64) *atomic.Pointer[sharedFrame] {
	return &f[distance%uint64(len(f))]
}

// alone returns the subscription of a batch that is nothing but a change of its view, on a WebSocket, and what the view shows now.
func (c *conn) alone(b *batch) (*subscription, *edition) {
	if c.stream != nil || len(b.ready) != 1 || b.aside != nil || len(b.control)+len(b.events) > 0 || b.last != nil {
		return nil, nil
	}
	s := b.ready[0]
	e, last := s.view.current.Load(), s.sent
	if s.gone.Load() || last.frame == nil || last.seq == e.seq || !samePeriod(last.frame.Period, e.frame.Period) {
		return nil, nil
	}
	return s, e
}

// send writes a batch: as the frame that was made for another connection, where that is all there is to it.
func (m *messages) send(b *batch) {
	s, e := m.conn.alone(b)
	if s == nil {
		m.batch(b)
		m.flush()
		return
	}
	kept, from := e.shared.of(e.seq-s.sent.seq), s.sent.seq
	f := kept.Load()
	if f != nil && f.from == from && f.id == s.id {
		m.advance(s, e)
		m.write(unsent{f.bytes, 1, m.pushed})
		return
	}
	m.show(s, e)
	if f == nil {
		kept.CompareAndSwap(nil, &sharedFrame{from, s.id, slices.Clone(m.conn.out.seal(m.b, m.n))})
	}
	m.flush()
}
