package closing

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/ranking"
)

const (
	// wakeEvery bounds how long a close can go unnoticed whose instant was not foreseen: the clock was set, the catalog changed.
	wakeEvery = 250 * time.Millisecond
	// batch bounds how many periods one commit closes.
	batch = 256
)

// Options of a Closer. Store, Registry, Boards and Clock are needed.
type Options struct {
	Store    *store.Store
	Registry *registry.Registry
	Boards   *ranking.Boards
	Clock    *clock.Clock
	// Pending says that a rule is not whole yet (it was added or changed, and is being filled): its periods get their events when it is. nil: none ever is.
	Pending func(org activity.Org, rule string) bool
	// PollEvery is how long a wait for events goes on without being woken; 0: 5 s.
	PollEvery time.Duration
	Log       zerolog.Logger
}

// Closer closes the periods of every org, and answers reads of events. Run and Close are for one goroutine, the rest is safe for concurrent use.
type Closer struct {
	Options
	orgs   map[activity.Org]settled
	losses atomic.Uint64 // of history
	news   *news
}

// settled says that an org has nothing left to be done until next, under the same catalog and in the same history.
type settled struct {
	catalog string
	losses  uint64
	next    calendar.Instant
}

// New returns a Closer; nothing is closed until Run.
func New(o Options) *Closer {
	o.PollEvery = cmp.Or(o.PollEvery, 5*time.Second)
	return &Closer{Options: o, orgs: map[activity.Org]settled{}, news: newNews()}
}

// Run closes what is due until ctx ends. What fails is logged and tried again. At its end whoever waits for events is answered.
func (c *Closer) Run(ctx context.Context) error {
	defer c.news.end()
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		pause := wakeEvery
		if left := c.closeAll(ctx) - c.Clock.Now(); left > 0 {
			pause = min(pause, time.Duration(left)*time.Millisecond)
		}
		wait.Reset(pause)
	}
}

// closeAll closes what is due in every org, and says when the next period of any closes.
func (c *Closer) closeAll(ctx context.Context) calendar.Instant {
	next := c.Clock.Now() + calendar.Instant(wakeEvery.Milliseconds())
	for _, org := range c.Registry.Orgs() {
		if err := c.Close(ctx, org); err != nil && ctx.Err() == nil {
			c.Log.Warn().Err(err).Str("org", string(org)).Msg("periods could not be closed; trying again")
			continue
		}
		if s, ok := c.orgs[org]; ok && s.next > c.Clock.Now() {
			next = min(next, s.next)
		}
	}
	return next
}

// rounds bounds how many batches of an org are closed in a row: others have their turn in between.
const rounds = 16

// Close closes what is due in an org, and drops what is gone. What another node does at the same time is left for the next call.
func (c *Closer) Close(ctx context.Context, org activity.Org) error {
	for range rounds {
		e, ok := c.Registry.Get(org)
		losses := c.losses.Load()
		if s, known := c.orgs[org]; !ok || known && s.catalog == e.Catalog.Hash && s.losses == losses && c.Clock.Now() < s.next {
			return nil
		}
		next, done, err := c.step(ctx, e, c.Clock.Now())
		if err != nil {
			return err
		}
		if done {
			c.orgs[org] = settled{e.Catalog.Hash, losses, next}
			return nil
		}
	}
	return nil
}

// step closes one batch. done says that nothing is left to be done before next.
func (c *Closer) step(ctx context.Context, e *registry.Entry, now calendar.Instant) (next calendar.Instant, done bool, err error) {
	org := e.Catalog.Org
	r, err := c.read(ctx, org)
	if err != nil {
		return 0, false, err
	}
	changed := r.Ends.begin(e.Catalog, max(now, e.ClosedThrough))
	list, next, more := r.Ends.due(e.Catalog, now, batch, func(rule string) bool { return c.Pending != nil && c.Pending(org, rule) })
	through := closedBy(e.Catalog, now)
	if more {
		through = list[len(list)-1].at
	}
	fenced, err := c.fence(ctx, e, through)
	if err != nil || fenced.Catalog.Hash != e.Catalog.Hash {
		return 0, false, err // what is due may be something else by now
	}
	if changed || len(list) > 0 {
		writes, n, err := c.writes(ctx, fenced.Catalog, list)
		if err != nil {
			return 0, false, err
		}
		more, list = more || n < len(list), list[:n]
		for _, p := range list {
			r.Ends.set(p.rule, p.cycle, p.period.End)
		}
		if ok, err := c.commit(ctx, fenced, r, writes); err != nil || !ok {
			return 0, false, err
		}
	}
	if more {
		return 0, false, nil
	}
	if fenced.Kept.Within(r.Dropped) {
		return next, true, nil
	}
	if err := c.drop(ctx, fenced, r.Dropped); err != nil {
		return 0, false, err
	}
	r.Dropped = r.Dropped.Join(fenced.Kept)
	done, err = c.commit(ctx, fenced, r, nil)
	return next, done, err
}

// fence makes sure that the fences say what is closed through an instant, and what is gone then.
func (c *Closer) fence(ctx context.Context, e *registry.Entry, through calendar.Instant) (*registry.Entry, error) {
	through = max(through, e.ClosedThrough)
	kept := e.Catalog.Kept(through)
	if through == e.ClosedThrough && kept.Within(e.Kept) {
		return e, nil
	}
	return c.Registry.Close(ctx, e.Catalog.Org, through, kept)
}

// record is the content of the org's document of closed periods.
type record struct {
	Ends    ends         `json:"ends,omitempty"`
	Dropped catalog.Kept `json:"dropped,omitempty"` // of what is gone, that of which the boards were dropped

	version store.Version
}

func (c *Closer) read(ctx context.Context, org activity.Org) (*record, error) {
	docs, err := c.Store.Docs(ctx, []store.Key{store.ClosedKey(org)})
	if err != nil {
		return nil, err
	}
	r := &record{version: docs[0].Version}
	if r.version != "" {
		if err := json.Unmarshal(docs[0].Content, r); err != nil {
			return nil, fmt.Errorf("closed periods of org %s: %w", org, err)
		}
	}
	if r.Ends == nil {
		r.Ends = ends{}
	}
	return r, nil
}

// commit stores the record with more writes, if it is still as it was read and the fence is e's. ok is false where it is not.
func (c *Closer) commit(ctx context.Context, e *registry.Entry, r *record, writes []store.Op) (ok bool, err error) {
	content, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return false, err
	}
	org := e.Catalog.Org
	group := store.Group{Org: org, Fence: e.Fence(0), Doc: store.ClosedKey(org), Expect: r.version, Content: content, Writes: writes, OrgChanged: true}
	result, err := c.Store.Commit(ctx, 0, []store.Group{group})
	if err != nil {
		return false, err
	}
	c.Boards.ApplyOwn(result.Change)
	switch result.Outcomes[0].Status {
	case store.Applied:
		r.version = result.Version
		c.news.tell()
		return true, nil
	case store.Fenced:
		_, err = c.Registry.Reload(ctx, org)
	}
	return false, err
}

// event is what the outbox says of a period that was closed.
type event struct {
	Type   string           `json:"type"`
	At     calendar.Instant `json:"at"` // when it was closed: end + close_grace
	Rule   string           `json:"rule"`
	Cycle  string           `json:"cycle"`
	Period eventPeriod      `json:"period"`
	Total  int              `json:"total"` // how many users are on its board
}

type eventPeriod struct {
	Label string           `json:"label"`
	Start calendar.Instant `json:"start"`
	End   calendar.Instant `json:"end"`
}

// TypeClosed is the type of the events that this package appends.
const TypeClosed = "period.closed"

// maxWrites bounds what one commit closes: about how many bytes, past which the next period is for the next one.
const maxWrites = 8 << 20

// writes is what the closing of the first n periods writes beside the record: their events, and what they give. It is called when they are closed in every fence, and so reads what
// is final.
func (c *Closer) writes(ctx context.Context, cat *catalog.Catalog, list []ending) (ops []store.Op, n int, err error) {
	size := 0
	for n < len(list) && size < maxWrites {
		p := &list[n]
		n++
		total, err := c.total(ctx, feed.Board{Org: cat.Org, Rule: p.rule.ID, Label: p.period.Label})
		if err != nil {
			return nil, 0, err
		}
		if total == 0 {
			continue // nobody did anything in it
		}
		given, err := c.prizes(ctx, cat, p)
		if err != nil {
			return nil, 0, err
		}
		body, err := json.Marshal(event{Type: TypeClosed, At: p.at, Rule: p.rule.ID, Cycle: p.cycle.String(),
			Period: eventPeriod{p.period.Label, p.period.Start, p.period.End}, Total: total})
		if err != nil {
			return nil, 0, err
		}
		ops = append(append(ops, store.AppendEvent(cat.Org, body)), given...)
		for i := range given {
			size += len(given[i].Args[1])
		}
		c.Log.Info().Str("org", string(cat.Org)).Str("rule", p.rule.ID).Str("period", p.period.Label).Int("total", total).Msg("period closed")
	}
	return ops, n, nil
}

// total is how many rows a board has in all partitions.
func (c *Closer) total(ctx context.Context, b feed.Board) (total int, err error) {
	for p := range c.Store.Partitions() {
		n, err := c.Store.BoardSize(ctx, store.Partition(p), b)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}
