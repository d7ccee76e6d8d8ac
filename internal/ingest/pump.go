package ingest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// Each partition has a pump on every node, which delivers the partition's transfers: those of the node's own commits at once, and, looking once in a while, what others left. It reads
// them from the first on, in their order, and takes out what has arrived; what could not be delivered stays for the next pass, and holds up nothing behind it.
const (
	pumpEvery = time.Second      // looks, at least
	pumpCalm  = 30 * time.Second // between looks, while something cannot be delivered, at most
	pumpPage  = 256              // transfers at a time
	drainFor  = 5 * time.Second  // at the end of a node
)

// pump delivers what is in the transfers of one partition.
type pump struct {
	*Service
	partition store.Partition
	woken     chan struct{} // holds one while there is something new
	open      atomic.Int64  // transfers, as of the last look and with what this node appended since
}

func newPump(s *Service, p store.Partition) *pump {
	return &pump{Service: s, partition: p, woken: make(chan struct{}, 1)}
}

// wake says that a commit of this node appended n transfers.
func (p *pump) wake(n int) {
	if n == 0 {
		return
	}
	p.open.Add(int64(n))
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

// full says that more are open than may be.
func (p *pump) full() bool { return p.open.Load() >= int64(p.QueueLimit) }

func (p *pump) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	pause := pumpEvery
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.woken:
		case <-timer.C:
		}
		switch err := p.pass(ctx); {
		case err == nil:
			pause = pumpEvery
		case ctx.Err() == nil:
			p.Log.Warn().Err(err).Int("partition", int(p.partition)).Msg("transfers could not be delivered; trying again")
			pause = min(2*pause, pumpCalm)
		}
		timer.Reset(pause)
	}
}

// pass delivers all that is there. The error is that of the first transfer that could not be delivered, or of the store.
func (p *pump) pass(ctx context.Context) error {
	open, err := p.Store.OpenTransfers(ctx, p.partition)
	if err != nil {
		return err
	}
	if p.open.Store(open); open == 0 {
		return nil
	}
	var first error
	for after := (feed.Position{}); ; {
		page, err := p.Store.Transfers(ctx, p.partition, after, pumpPage)
		if err != nil {
			return err
		}
		arrived, failed := p.deliver(ctx, page)
		if err := p.remove(ctx, arrived); err != nil {
			return err
		}
		if first == nil {
			first = failed
		}
		if len(page) < pumpPage || ctx.Err() != nil {
			return first
		}
		after = page[len(page)-1].ID
	}
}

// remove takes out what has arrived.
func (p *pump) remove(ctx context.Context, ids []feed.Position) error {
	if len(ids) == 0 {
		return nil
	}
	return p.step("remove", func() error {
		_, err := p.Store.Commit(ctx, p.partition, []store.Group{{Writes: []store.Op{store.RemoveTransfers(p.partition, ids)}}})
		if err == nil {
			p.open.Add(-int64(len(ids)))
		}
		return err
	})
}

// parcel is what one user is to have of a transfer.
type parcel struct {
	place    int // of the transfer in its page
	transfer *activity.Transfer
	to       activity.User
	command  command
	unit     unit
}

// deliver brings transfers to all of their receivers, and gives the ids of those that have arrived. The error is that of the first that has not.
func (p *pump) deliver(ctx context.Context, page []store.Transfer) (arrived []feed.Position, err error) {
	missing := make([]int, len(page)) // who have not had it yet, by place
	var parcels []*parcel
	for i := range page {
		t, err := activity.ParseTransfer(string(page[i].Body))
		if err != nil {
			p.Log.Error().Err(err).Int("partition", int(p.partition)).Str("transfer", page[i].ID.String()).Msg("transfer cannot be read and stays where it is")
			missing[i]++
			continue
		}
		missing[i] = len(t.To)
		for _, u := range t.To {
			parcels = append(parcels, &parcel{place: i, transfer: &t, to: u})
		}
	}
	for len(parcels) > 0 {
		failed := p.step("deliver", func() error { return p.hand(ctx, parcels) })
		if err == nil {
			err = failed
		}
		if ctx.Err() != nil {
			return nil, err // writers may still be at it
		}
		var again []*parcel
		for _, c := range parcels {
			switch moved, done := p.look(ctx, c); {
			case done:
				missing[c.place]--
			case moved != nil:
				again = append(again, moved)
			}
		}
		parcels = again
	}
	for i := range page {
		if missing[i] == 0 {
			arrived = append(arrived, page[i].ID)
		}
	}
	return arrived, err
}

// hand gives parcels to the writers of their receivers, and waits until these have decided. The error is that of the first that could not be.
func (s *Service) hand(ctx context.Context, parcels []*parcel) error {
	r := &request{outcomes: make([]Outcome, len(parcels)), done: make(chan struct{})}
	r.waiting.Store(int64(len(parcels)))
	byWriter := map[*writer][]*unit{}
	for i, c := range parcels {
		c.command = command{kind: credit, given: c.transfer}
		c.unit = unit{request: r, index: i, org: c.transfer.Org, activity: activity.Activity{ID: c.transfer.ID, User: c.to}, command: &c.command}
		w := s.writer(c.transfer.Org, c.to)
		byWriter[w] = append(byWriter[w], &c.unit)
	}
	for w, us := range byWriter {
		if !w.queue.push(upkeep, us) { // nobody waits for it: it takes turns with what clients ask for
			for _, u := range us {
				u.fail(ErrOverloaded)
			}
		}
	}
	select {
	case <-r.done:
		return r.failed()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// look says what became of a parcel that was handed over: done, or moved to whom its receiver was merged into; neither where it has to be tried again.
func (p *pump) look(ctx context.Context, c *parcel) (moved *parcel, done bool) {
	switch err := c.command.err; {
	case err == nil:
		return nil, c.command.result != nil
	case errors.Is(err, ErrUserMerged):
		// What the user had of it already has to come along first: it would pass for newer.
		if err := p.carryOn(ctx, c.transfer.Org, c.to); err != nil {
			return nil, false
		}
		into, err := p.last(ctx, c.transfer.Org, c.to)
		if err != nil {
			return nil, false
		}
		return &parcel{place: c.place, transfer: c.transfer, to: into}, false
	case errors.Is(err, ErrUserNotFound), errors.Is(err, ErrSealed):
		p.Log.Warn().Err(err).Str("org", string(c.transfer.Org)).Str("user", string(c.to)).Str("credit", string(c.transfer.ID)).Msg("transfer has nobody to go to")
		if f := p.Metrics.Dropped; f != nil {
			f(1)
		}
		return nil, true
	}
	return nil, false
}

// drain delivers what is left when the node's feeding parts have ended and its writers still write; what takes longer others deliver, or the next start.
func (s *Service) drain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	for _, p := range s.pumps {
		if err := p.pass(ctx); err != nil {
			s.Log.Warn().Err(err).Int("partition", int(p.partition)).Msg("transfers are left for other nodes, or the next start")
		}
	}
}

// Transfers is how many transfers are open, and for how long the oldest has been.
func (s *Service) Transfers(ctx context.Context) (open int64, lag time.Duration, err error) {
	for _, p := range s.pumps {
		n, err := s.Store.OpenTransfers(ctx, p.partition)
		if err != nil {
			return 0, 0, err
		}
		if open += n; n == 0 {
			continue
		}
		oldest, err := s.Store.Transfers(ctx, p.partition, feed.Position{}, 1)
		if err != nil {
			return 0, 0, err
		}
		if len(oldest) > 0 {
			lag = max(lag, time.Since(calendar.Instant(oldest[0].ID.Ms).Time()))
		}
	}
	return open, lag, nil
}
