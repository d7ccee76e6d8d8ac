package ws

import (
	"laurel/internal/feed"
	"laurel/internal/query"
)

// tellLocked keeps an event for those who watch its user, to be sent with the next tick that max_hz allows, behind the view's own change.
func (h *Hub) tellLocked(e *feed.Event) {
	v := h.views[viewKey{org: e.Org, kind: query.ViewUser, user: e.User}]
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.subs {
		s.conn.keepEvent(s, e.Body)
	}
	if len(v.subs) > 0 {
		v.lane.eventful[v] = struct{}{}
	}
}

// keepEvent keeps an event for a subscription until it is written: Limits.Events of them. Beyond, the oldest are dropped, and the client is told how many.
func (c *conn) keepEvent(s *subscription, event []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(s.events) >= c.hub.o.Limits.Events {
		over := len(s.events) + 1 - c.hub.o.Limits.Events
		s.events = append(s.events[:0], s.events[over:]...)
		s.lost += over
	}
	s.events = append(s.events, event)
}

// holdsEvents says whether the subscription has events that nothing will take along yet.
func (c *conn) holdsEvents(s *subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(s.events) > 0 && !s.queued
}

// offerEvents marks the subscriptions that hold events.
func (v *view) offerEvents(awake []*conn) []*conn {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range v.subs {
		if s.started && s.conn.holdsEvents(s) {
			awake = s.offer(false, awake)
		}
	}
	return awake
}
