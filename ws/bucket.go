package ws

import "time"

// bucket limits how often something may happen: burst times at once, and then rate times a second.
type bucket struct {
	tokens float64
	last   time.Time
}

func newBucket(burst int) bucket { return bucket{tokens: float64(burst), last: time.Now()} }

func (b *bucket) take(burst, rate int) bool {
	now := time.Now()
	b.tokens = min(float64(burst), b.tokens+now.Sub(b.last).Seconds()*float64(rate))
	b.last = now
	b.tokens--
	return b.tokens >= 0
}

// full says whether the bucket is as good as a new one.
func (b *bucket) full(burst, rate int) bool {
	return b.tokens+time.Since(b.last).Seconds()*float64(rate) >= float64(burst)
}

// maxArrivals bounds the addresses whose handshakes are counted at a time. An address beyond is let through: what it may hold is bounded by the
// limits of connections, and to refuse it would let the others keep it out.
const maxArrivals = 65_536

// arrives counts a handshake, whatever comes of it, and says whether the address may have one now.
func (h *Hub) arrives(ip string) bool {
	if ip == "" {
		return true
	}
	l := &h.o.Limits
	h.mu.Lock()
	defer h.mu.Unlock()
	b, known := h.arrivals[ip]
	if !known {
		if len(h.arrivals) >= maxArrivals {
			return true
		}
		b = newBucket(l.HandshakeBurst)
	}
	ok := b.take(l.HandshakeBurst, l.HandshakeRate)
	if !ok {
		b.tokens++ // what is refused does not count: of many behind one address, so many a second get through
	}
	h.arrivals[ip] = b
	return ok
}

// forgetArrivalsLocked forgets the addresses that would start afresh.
func (h *Hub) forgetArrivalsLocked() {
	for ip, b := range h.arrivals {
		if b.full(h.o.Limits.HandshakeBurst, h.o.Limits.HandshakeRate) {
			delete(h.arrivals, ip)
		}
	}
}
