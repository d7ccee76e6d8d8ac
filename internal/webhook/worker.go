package webhook

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/closing"
	"laurel/internal/registry"
	"laurel/internal/store"
)

const (
	// leaseFor is how long a node has a webhook to itself, unless it asks again, which it does when a third of that is over.
	leaseFor = time.Minute
	// saveEvery is how soon a cursor is stored that moved over events that nobody wants.
	saveEvery = 5 * time.Second
	// recheck is how soon a webhook is looked at again that is another node's, or disabled.
	recheck = 5 * time.Second
	// pageSize is how many events are taken up, and may be sent again after a crash, at once.
	pageSize = 100
	// lanes is how many users' events are sent to a webhook side by side.
	lanes = 8
	// Pauses between attempts: doubled each time, with a fifth of jitter.
	firstPause, longestPause = 5 * time.Second, time.Hour
	// giveUpAfter is how long a webhook may fail without any success.
	giveUpAfter = 5 * 24 * time.Hour
)

// worker sends to one webhook. It is for one goroutine.
type worker struct {
	*Service
	name
	record   record
	version  store.Version
	mine     bool // record is as it is stored, and this node's
	saved    calendar.Instant
	arrived  map[string]bool // of the page behind the cursor: what need not be sent again
	secrets  []string
	readFrom store.Version // of the catalog: what secrets is of
}

// step does what is due now, and says after which time to come back.
func (w *worker) step(ctx context.Context) time.Duration {
	e, ok := w.Registry.Get(w.org)
	if !ok || e.Catalog.Webhook(w.id) == nil {
		return recheck
	}
	wait, err := w.try(ctx, e, e.Catalog.Webhook(w.id))
	if err != nil && ctx.Err() == nil {
		w.mine = false // whatever was committed or not, it is read again
		w.Log.Warn().Err(err).Str("org", string(w.org)).Str("webhook", w.id).Msg("webhook could not go on; trying again")
		return time.Second
	}
	return wait
}

func (w *worker) try(ctx context.Context, e *registry.Entry, def *catalog.Webhook) (time.Duration, error) {
	now := w.Clock.Now()
	if wait, err := w.hold(ctx, e, def, now); err != nil || !w.mine {
		return wait, err
	}
	if wait := w.record.Retry - now; wait > 0 {
		return min(time.Duration(wait)*time.Millisecond, lookEvery), nil
	}
	asked := time.Now()
	page, err := w.Events.Events(ctx, closing.EventQuery{Org: w.org, After: w.record.Cursor, Types: def.Types, Users: true, Limit: pageSize}, w.Wait)
	switch {
	case errors.Is(err, store.ErrEventsGone), errors.Is(err, closing.ErrBadCursor):
		return 0, w.skip(ctx)
	case err != nil:
		return 0, err
	case len(page.Events) == 0:
		return w.pass(ctx, page.Next, time.Since(asked) > w.Wait/2)
	}
	return 0, w.deliver(ctx, def, &page)
}

// hold makes sure that the webhook is this node's for a while, or says how long to leave it to another one.
func (w *worker) hold(ctx context.Context, e *registry.Entry, def *catalog.Webhook, now calendar.Instant) (time.Duration, error) {
	full := calendar.Instant(leaseFor.Milliseconds())
	left := w.record.Until - now
	current := w.mine && w.readFrom == e.Version
	if w.record.Attempts > 0 && now-w.saved >= calendar.Instant(recheck.Milliseconds()) { // somebody may have enabled it
		current = false
	}
	if current && left > full*2/3 && left <= full {
		return 0, nil
	}
	if !current || left <= 0 {
		w.mine = false
		hooks, err := w.Registry.HookState(ctx, w.org)
		if err != nil {
			return 0, err
		}
		var known bool
		if w.record, w.version, known, err = w.read(ctx, w.org, w.id, def.URL.String(), &hooks); err != nil || !known {
			return recheck, err
		}
		w.secrets, w.readFrom = w.Service.secrets(&hooks, def.Secrets, def.SecretEnv), e.Version
		// A lease that lasts longer than one can is of before the clock was set back.
		if left = w.record.Until - now; w.record.Disabled != "" || w.record.Node != w.node && left > 0 && left <= full {
			w.note(w.name, 0)
			return recheck, nil
		}
		if w.saved = now; w.record.Node == w.node && left > full*2/3 {
			w.mine = true
			return 0, nil
		}
	}
	w.record.Node, w.record.Until = w.node, now+full
	return recheck, w.save(ctx)
}

// save stores the record. Where another node was faster, the webhook is no longer this one's.
func (w *worker) save(ctx context.Context) error {
	v, ok, err := w.write(ctx, w.org, w.id, &w.record, w.version)
	w.mine = ok && w.record.Node == w.node
	if err == nil && ok {
		w.version, w.saved = v, w.Clock.Now()
	}
	if !w.mine {
		w.arrived = nil
	}
	w.note(w.name, w.record.Waiting)
	return err
}

// skip goes on with the oldest events that are kept.
func (w *worker) skip(ctx context.Context) error {
	next, partitions, err := w.Events.SkipGone(ctx, w.record.Cursor)
	if errors.Is(err, closing.ErrBadCursor) { // of a store with another number of partitions
		next, partitions, err = "", 1, nil
	}
	if err != nil {
		return err
	}
	w.record.Cursor, w.arrived = next, nil
	if partitions > 0 {
		w.record.Gaps++
		w.record.LastGap = w.Clock.Now()
		w.Log.Warn().Str("org", string(w.org)).Str("webhook", w.id).Int("partitions", partitions).Msg("events were trimmed before they could be sent")
		if w.Metrics.Gap != nil {
			w.Metrics.Gap()
		}
	}
	return w.save(ctx)
}

// pass notes that nothing up to a cursor is wanted. Who has not waited for that, because the reader ends, pauses.
func (w *worker) pass(ctx context.Context, next string, waited bool) (time.Duration, error) {
	now, moved := w.Clock.Now(), w.record.Cursor != next
	w.record.Cursor, w.arrived = next, nil
	if w.record.Waiting != 0 || moved && now-w.saved > calendar.Instant(saveEvery.Milliseconds()) {
		w.record.Waiting = 0
		return 0, w.save(ctx)
	}
	if !moved && !waited {
		return lookEvery, nil
	}
	return 0, nil
}

// deliver sends a page as far as that goes, and stores how far it went.
func (w *worker) deliver(ctx context.Context, def *catalog.Webhook, page *closing.EventPage) error {
	w.note(w.name, page.Events[0].At.UnixMilli())
	r := &round{worker: w, def: def}
	if w.record.Attempts > 0 { // one is enough to see whether it goes again
		for i := range page.Events {
			if !w.arrived[page.Events[i].ID] {
				r.lane(ctx, page.Events[i:i+1])
				break
			}
		}
	}
	if r.failure == nil {
		r.all(ctx, page.Events)
	}
	now := w.Clock.Now()
	w.record.Delivered += uint64(r.sent)
	if r.sent > 0 {
		w.record.LastSuccess = now
	}
	switch {
	case r.failure != nil:
		w.record.Waiting = w.oldest(page).UnixMilli()
		w.record.failed(now, r.failure, r.sent > 0, pauseAfter(w.record.Attempts, r.sent > 0))
	case r.stopped:
		return nil // the lease is asked for again, or the node stops
	default:
		w.record.heal()
		w.record.Cursor, w.arrived, w.record.Waiting = page.Next, nil, 0
		if len(page.Events) == pageSize { // more wait, about as old
			w.record.Waiting = page.Events[pageSize-1].At.UnixMilli()
		}
	}
	return w.save(ctx)
}

// oldest is when the first event of a page was appended that has not arrived.
func (w *worker) oldest(page *closing.EventPage) time.Time {
	for i := range page.Events {
		if !w.arrived[page.Events[i].ID] {
			return page.Events[i].At
		}
	}
	return page.Events[0].At
}

// pauseAfter is how long to wait after so many attempts, of which none succeeded, and one more.
func pauseAfter(attempts int, progress bool) time.Duration {
	if progress {
		attempts = 0
	}
	pause := longestPause
	if attempts < 16 {
		pause = min(firstPause<<attempts, longestPause)
	}
	return pause*4/5 + rand.N(pause*2/5)
}

// leave gives the lease back, so that another node need not wait for its end. ctx has ended, or the webhook is not to be sent to.
func (w *worker) leave(ctx context.Context) {
	w.note(w.name, 0)
	if !w.mine {
		return
	}
	w.record.release()
	if _, _, err := w.write(ctx, w.org, w.id, &w.record, w.version); err != nil {
		w.Log.Warn().Err(err).Str("org", string(w.org)).Str("webhook", w.id).Msg("webhook could not be given back; its lease lapses")
	}
}

// round is one attempt at what is left of a page.
type round struct {
	*worker
	def *catalog.Webhook

	mu       sync.Mutex
	sent     int
	failures int
	stopped  bool    // before the end, and not by failures
	failure  *answer // the first, or the one that asks for the longest pause
}

// all sends what is left, the events of a user in order.
func (r *round) all(ctx context.Context, events []closing.Event) {
	var order []string
	of := map[string][]closing.Event{}
	for _, e := range events {
		user := string(e.User)
		if of[user] == nil {
			order = append(order, user)
		}
		of[user] = append(of[user], e)
	}
	var g errgroup.Group
	g.SetLimit(lanes)
	for _, user := range order {
		g.Go(func() error {
			r.lane(ctx, of[user])
			return nil
		})
	}
	_ = g.Wait() // no lane fails: what failed is in the round
}

// lane sends events one after the other until one does not arrive.
func (r *round) lane(ctx context.Context, events []closing.Event) {
	for i := range events {
		e := &events[i]
		if r.has(e.ID) {
			continue
		}
		if !r.one(ctx, e) {
			return
		}
	}
}

// one sends an event, once there is a slot, and says whether it arrived.
func (r *round) one(ctx context.Context, e *closing.Event) bool {
	if err := r.slots.Acquire(ctx, 1); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.stopped = true
		return false
	}
	defer r.slots.Release(1)
	if !r.goesOn(ctx) { // asked only now: the lease may have run out while others had the slots
		return false
	}
	a := r.send(ctx, r.def, r.secrets, message{messageID(e.ID), e.AppendJSON(nil)})
	return r.took(ctx, e.ID, &a)
}

func (r *round) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.arrived[id]
}

// goesOn says whether another request may begin: while the lease outlasts it, and as long as it is single events that fail and not the receiver.
func (r *round) goesOn(ctx context.Context) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := time.Duration(r.record.Until-r.Clock.Now()) * time.Millisecond
	if r.stopped = r.stopped || ctx.Err() != nil || left <= r.Timeout; r.stopped {
		return false
	}
	return r.failures < lanes && (r.failure == nil || !r.failure.gone)
}

// took notes what became of an event.
func (r *round) took(ctx context.Context, id string, a *answer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case a.ok:
		if r.arrived == nil {
			r.arrived = map[string]bool{}
		}
		r.arrived[id] = true
		r.sent++
	case ctx.Err() != nil && a.status == 0: // it is this node that broke it off
		r.stopped = true
		return false
	default:
		r.failures++
	}
	if !a.ok && (r.failure == nil || a.gone || a.retryAfter > r.failure.retryAfter && !r.failure.gone) {
		r.failure = a
	}
	return a.ok
}

// messageID names a message. Standard Webhooks has no dots in ids, as one ends the id in what is signed.
func messageID(event string) string { return "evt_" + strings.ReplaceAll(event, ".", "_") }

// fieldsOf are the secrets that a variable holds.
func fieldsOf(text string) []string { return strings.Fields(text) }
