package ws

import (
	"context"

	"laurel/internal/calendar"
)

// outage is a time in which the node cannot tell whether its Source is current. The zero value is none.
type outage struct {
	number uint64           // of the hub's outages: another one is told anew
	asOf   calendar.Instant // as of when Source was current the last time
}

// round is a tick: a step for all that may show something new, and around it what becomes of the node's knowledge that it is current. That is asked for first: what
// was committed until then has been told to Wake, so that the step sends it, and only behind it are the views said to be fresh.
func (h *Hub) round(ctx context.Context, l *lane) {
	heals := h.watchAge(l)
	h.step(ctx, l, l.takeAll)
	if heals != 0 {
		h.mend(l, heals)
	}
}

// watchAge begins an outage when Source has been of an unknown state for too long, for both lanes: one may be waiting for the very store that does not
// answer. It returns the number of the outage that is over and of which the lane still has to mend its views, 0 for none.
func (h *Hub) watchAge(l *lane) (heals uint64) {
	age := h.o.Age()
	h.mu.Lock()
	if age > h.o.StaleAfter {
		var awake []*conn
		if !h.cut {
			awake = h.beginOutageLocked(h.o.Clock.Now() - calendar.Instant(age.Milliseconds()))
		}
		h.mu.Unlock()
		wakeAll(awake)
		return 0
	}
	healed := h.cut
	h.cut = false
	heals = l.outage.number
	h.mu.Unlock()
	if healed {
		h.o.Log.Info().Msg("this node is current again")
	}
	if heals != 0 && heals != l.mending {
		l.mending, l.jumped = heals, true // all views are rendered once more: those that ticks look at now and then only, too
	}
	return heals
}

// beginOutageLocked marks all views. Those that nobody watches are forgotten: who asks for one again is given it anew.
func (h *Hub) beginOutageLocked(asOf calendar.Instant) (awake []*conn) {
	h.cut = true
	h.outages++
	for _, l := range []*lane{h.boards, h.users} {
		l.outage = outage{h.outages, asOf}
		for v := range l.views {
			awake = h.noteLocked(v, l.outage, awake)
		}
	}
	h.o.Log.Warn().Stringer("as_of", asOf).Msg("this node cannot tell whether its live views are current: they are marked as stale")
	return awake
}

// noteLocked sets what is known of a view, and adds the connections that are to be told. max_hz does not delay it.
func (h *Hub) noteLocked(v *view, o outage, awake []*conn) []*conn {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.subs) == 0 {
		h.dropLocked(v)
		return awake
	}
	v.outage.Store(&o)
	for _, s := range v.subs {
		if s.started {
			s.conn.mark(s, true)
			awake = append(awake, s.conn) // also where it waited already, for the moment that max_hz allows
		}
	}
	return awake
}

// mend says of the lane's views, which were all to be rendered since the outage, that they are fresh, but for those that could not be rendered.
func (h *Hub) mend(l *lane, number uint64) {
	var awake []*conn
	h.mu.Lock()
	if l.outage.number != number { // there is another one
		h.mu.Unlock()
		return
	}
	left := 0
	for v := range l.views {
		switch {
		case v.outage.Load().number == 0:
		case v.behind():
			left++
		default:
			awake = h.noteLocked(v, outage{}, awake)
		}
	}
	if left == 0 {
		l.outage = outage{}
	}
	h.mu.Unlock()
	wakeAll(awake)
}

// behind says whether somebody watches the view, and it could not be rendered or is about to be, for one who has just joined. Called by the goroutine that steps.
func (v *view) behind() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.subs) > 0 && (v.failing || v.waiting)
}

// outdated says whether the subscriber was told otherwise of the view than is known now. Called by the connection's writer.
func (s *subscription) outdated() bool {
	return s.sent.frame != nil && s.sent.outage != s.view.outage.Load().number
}

// outage tells a subscriber what is known of the view, if it was told otherwise, behind what it has been shown. o was read before that, so it says nothing that is not true of it.
func (m *messages) outage(s *subscription, o *outage) {
	if s.sent.frame == nil || s.sent.outage == o.number {
		return
	}
	s.sent.outage = o.number
	if o.number == 0 {
		m.typed(head{kind: "fresh"}, s)
		m.b = append(m.b, '}')
		return
	}
	m.typed(head{kind: "stale"}, s)
	m.b = append(o.asOf.AppendFormat(append(m.b, `,"as_of":"`...)), `"}`...)
}
