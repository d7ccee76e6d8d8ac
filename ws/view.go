package ws

import (
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/query"
)

// never is later than every instant.
const never calendar.Instant = math.MaxInt64

// viewKey is equal for views that show the same.
type viewKey struct {
	org          activity.Org
	kind         query.ViewKind
	rule, period string
	limit, span  int
	from, to     int
	user         activity.User
	users        string // sorted, joined by \n, which no user id holds
	segment      string
	profiles     bool
}

// view is a live view, shared by all who watch it.
type view struct {
	key   viewKey
	org   activity.Org
	query query.View
	topic *topic
	lane  *lane
	epoch string

	current atomic.Pointer[edition] // nil before the first rendering
	outage  atomic.Pointer[outage]  // never nil; what it points to does not change

	mu sync.Mutex
	// subs is changed with Hub.mu held too, so that either lock is enough to read it.
	// Their order is that in which they are written to, at each tick the same: so each is at about the same distance.
	subs    []*subscription
	waiting bool // some of subs were not offered anything yet

	// Used by the lane's goroutine (and the workers that it waits for) only.
	rendered  *query.Frame // the last that Source gave: shows the same as current, perhaps under a newer stamp
	woken     time.Time    // of the first change that the next rendering will show; zero: none announced
	due       calendar.Instant
	collected bool
	changed   bool
	failed    *refusal
	failing   bool // the last rendering failed, for a reason that passes
}

func newView(key viewKey, v query.View, l *lane) *view {
	made := &view{
		key: key, org: key.org, query: v, lane: l, epoch: rand.Text(), due: never,
	}
	made.outage.Store(new(outage))
	return made
}

// subscription is one client's interest in a view: its slot is queued (in conn.ready) or nothing.
type subscription struct {
	id     string
	quoted []byte // id as JSON
	conn   *conn
	view   *view
	gap    time.Duration // at least so long from one message to the next
	since  position

	gone atomic.Bool // unsubscribed; nothing more is sent

	// Guarded by view.mu.
	started bool // was offered the first edition
	place   int  // in view.subs

	// Guarded by conn.mu.
	queued bool
	events [][]byte
	lost   int // events dropped since the last that was sent

	// Used by the connection's writer only.
	sent struct {
		seq    uint64
		frame  *query.Frame // nil: nothing was sent yet
		outage uint64       // number of the one it was told of, 0: it is fresh
	}

	mayAt atomic.Int64 // when the next message may be written, in ns of pacer.now; set by the writer
}

// paced says whether the subscription asked for less than every tick.
func (s *subscription) paced() bool { return s.gap > s.conn.hub.o.Tick }

// addLocked adds a subscription.
func (v *view) addLocked(s *subscription) {
	s.place = len(v.subs)
	v.subs = append(v.subs, s)
}

// removeLocked takes a subscription out, and says whether it was there.
func (v *view) removeLocked(s *subscription) (there bool) {
	last := len(v.subs) - 1
	if s.place > last || v.subs[s.place] != s {
		return false
	}
	v.subs[s.place] = v.subs[last]
	v.subs[s.place].place = s.place
	v.subs[last] = nil
	v.subs = v.subs[:last]
	return true
}

// position is a place in a view's history: what a client holds.
type position struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

// normalise brings a view that a client sent into the one form that all equal views have, and applies the limits. What a
// view's members must be for its kind is checked by Source.
func normalise(org activity.Org, v query.View, l *Limits) (viewKey, query.View, *refusal) {
	switch {
	case v.Limit < 0 || v.Limit > l.Rows:
		return viewKey{}, v, outOfRange("limit", 1, l.Rows)
	case v.Span < 0 || v.Span > l.Span:
		return viewKey{}, v, outOfRange("span", 0, l.Span)
	case v.From < 0 || v.To < v.From || v.To-v.From >= l.Rows:
		return viewKey{}, v, &refusal{codeBadRequest, fmt.Sprintf("view.from, view.to: must be places from 1, in order, at most %d of them", l.Rows)}
	case len(v.Users) > l.Users:
		return viewKey{}, v, &refusal{codeLimit, fmt.Sprintf("view.users: at most %d", l.Users)}
	}
	if r := foreignMember(&v); r != nil {
		return viewKey{}, v, r
	}
	if v.Kind == query.ViewTop && v.Limit == 0 {
		v.Limit = min(defaultRows, l.Rows)
	}
	if v.Kind == query.ViewRange && v.From == 1 { // shows the same as top
		v.Kind, v.Limit, v.From, v.To = query.ViewTop, v.To, 0, 0
	}
	v.Users = slices.Compact(slices.Sorted(slices.Values(v.Users)))
	names := make([]string, len(v.Users))
	for i, u := range v.Users {
		names[i] = string(u)
	}
	v.Fields = slices.Compact(slices.Sorted(slices.Values(v.Fields)))
	return viewKey{org, v.Kind, v.Rule, v.Period, v.Limit, v.Span, v.From, v.To, v.User, strings.Join(names, "\n"), v.Segment, v.Profiles()}, v, nil
}

func outOfRange(field string, low, high int) *refusal {
	return &refusal{codeBadRequest, fmt.Sprintf("view.%s: must be %d to %d", field, low, high)}
}

// foreignMember refuses members that the view's kind has not, and views without those that it needs.
func foreignMember(v *query.View) *refusal {
	board := v.Kind == query.ViewTop || v.Kind == query.ViewRange || v.Kind == query.ViewAround || v.Kind == query.ViewUsers
	if !board && v.Kind != query.ViewUser {
		return &refusal{codeBadRequest, "view.kind: must be top, range, around, users or user"}
	}
	for _, m := range []struct {
		name          string
		given, wanted bool
		optional      bool
	}{
		{"rule", v.Rule != "", board, false},
		{"period", v.Period != "", board, false},
		{"limit", v.Limit != 0, v.Kind == query.ViewTop, true},
		{"from", v.From != 0, v.Kind == query.ViewRange, false},
		{"to", v.To != 0, v.Kind == query.ViewRange, false},
		{"user", v.User != "", v.Kind == query.ViewAround || v.Kind == query.ViewUser, false},
		{"span", v.Span != 0, v.Kind == query.ViewAround, true},
		{"users", len(v.Users) > 0, v.Kind == query.ViewUsers, false},
		{"segment", v.Segment != "", board, true},
		{"fields", len(v.Fields) > 0, board, true},
	} {
		if m.given && !m.wanted {
			return &refusal{codeBadRequest, fmt.Sprintf("view.%s: not a member of %q views", m.name, v.Kind)}
		}
		if !m.given && m.wanted && !m.optional {
			return &refusal{codeBadRequest, fmt.Sprintf("view.%s: missing", m.name)}
		}
	}
	return nil
}

// publish takes a rendered frame. It returns whether subscribers have something to be sent.
func (v *view) publish(f *query.Frame, woken time.Time) (changed bool) {
	v.rendered = f
	last := v.current.Load()
	if last == nil {
		v.current.Store(&edition{epoch: v.epoch, seq: 1, frame: f, woken: woken})
		return true
	}
	if sameShown(last.frame, f) {
		return false
	}
	v.current.Store(&edition{epoch: v.epoch, seq: last.seq + 1, frame: f, woken: woken})
	return true
}

// nextDue returns when the frame, rendered at now, may show something else with no write: at the end of its period, and of a
// user at the next minute, since that is where days, graces and deadlines end.
func (v *view) nextDue(f *query.Frame, now calendar.Instant) calendar.Instant {
	const minute = calendar.Instant(time.Minute / time.Millisecond)
	switch p := f.Period; {
	case v.query.Kind == query.ViewUser:
		return now - now%minute + minute
	case p == nil || p.End == nil:
		return never
	case *p.End > now:
		return *p.End
	case !p.Closed || strings.Contains(v.query.Period, "~"):
		return now // closes, or moves on, at an instant that only Source knows: look at every tick
	}
	return never
}
