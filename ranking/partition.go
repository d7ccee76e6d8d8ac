package ranking

import (
	"context"
	"slices"
	"sync"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// maxOwn is how many own board writes of a partition may be ahead of the follower. Past it the node's own changes wait for
// the follower as everybody else's do: a stuck stream costs read-your-writes, not memory.
const maxOwn = 1 << 17

// partition is how far one change stream has been followed.
//
// Invariants while following: last ≤ applied; last ≤ through; every change up to through is in the boards;
// own ascends and lies beyond last.
type partition struct {
	n int

	mu        sync.Mutex // serialises everything that applies changes of this partition
	epoch     string
	following bool          // there is a position to go on from; false before the first connection and while history is lost
	connected bool          // the last call to the store succeeded
	applied   feed.Position // the boards have what the follower read up to here
	last      feed.Position // OnChange has been called up to here
	through   feed.Position // last, and the own changes that follow it without a gap
	reads     int64         // how many reads of changes the follower has begun
	ownTop    feed.Position // the greatest change that came to ApplyOwn
	own       []ahead
	ownWrites int
	lag       time.Duration // from commit to application, of the change applied last
	moved     chan struct{} // closed when any of the above has changed; nil while nobody waits

	groups map[*Board]chain // scratch of apply
	next   []int32
}

// ahead is an own change that was applied before the follower came to it.
type ahead struct {
	id, prev feed.Position
	writes   int
}

// chain is the list of one board's writes in a change.
type chain struct{ first, last int32 }

// applyLocked applies a change to the boards that are in memory, each under one lock.
func (p *partition) applyLocked(c *feed.Change, boards func(feed.Board) *Board, own bool) {
	if p.groups == nil {
		p.groups = make(map[*Board]chain)
	}
	clear(p.groups)
	p.next = slices.Grow(p.next[:0], len(c.Writes))[:len(c.Writes)]
	var b *Board
	for i := range c.Writes {
		if i == 0 || c.Writes[i].Board != c.Writes[i-1].Board {
			b = boards(c.Writes[i].Board)
		}
		if b == nil {
			continue
		}
		p.next[i] = -1
		g, ok := p.groups[b]
		if !ok {
			g.first = int32(i)
		} else {
			p.next[g.last] = int32(i)
		}
		g.last = int32(i)
		p.groups[b] = g
	}
	for b, g := range p.groups {
		b.apply(c, g.first, p.next, own)
	}
	clear(p.groups)
}

// announceLocked wakes those who wait for the partition to move.
func (p *partition) announceLocked() {
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

// await waits until done says so. done runs with p.mu held, so that no move is missed. stop may be nil.
func (p *partition) await(ctx context.Context, stop <-chan struct{}, done func() (bool, error)) error {
	for {
		p.mu.Lock()
		ok, err := done()
		if ok || err != nil {
			p.mu.Unlock()
			return err
		}
		if p.moved == nil {
			p.moved = make(chan struct{})
		}
		moved := p.moved
		p.mu.Unlock()
		select {
		case <-moved:
		case <-stop:
			return errGone
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// aheadLocked books an own change.
func (p *partition) aheadLocked(c *feed.Change) {
	a := ahead{c.ID, c.Prev, len(c.Writes)}
	i, _ := slices.BinarySearchFunc(p.own, a.id, func(x ahead, id feed.Position) int { return x.id.Compare(id) })
	p.own = slices.Insert(p.own, i, a)
	p.ownWrites += a.writes
	p.extendLocked()
}

// passLocked notes that the follower is done with the change at id.
func (p *partition) passLocked(id feed.Position) {
	p.last = id
	n := 0
	for n < len(p.own) && p.own[n].id.Compare(id) <= 0 {
		p.ownWrites -= p.own[n].writes
		n++
	}
	p.own = slices.Delete(p.own, 0, n)
	if p.through.Compare(id) < 0 {
		p.through = id
	}
	p.extendLocked()
}

// extendLocked moves through over the own changes that follow it directly.
func (p *partition) extendLocked() {
	for _, a := range p.own {
		if a.prev == p.through {
			p.through = a.id
		}
	}
	p.announceLocked()
}

// skippedLocked says that the stream goes on at id without an own change that was committed before: it is another history.
func (p *partition) skippedLocked(id feed.Position) bool {
	return len(p.own) > 0 && p.own[0].id.Compare(id) < 0
}

// restartLocked forgets the history and goes on from tail.
func (p *partition) restartLocked(epoch string, tail feed.Position) {
	p.epoch, p.applied, p.last, p.through, p.ownTop = epoch, tail, tail, tail, feed.Position{}
	p.own, p.ownWrites = nil, 0
	p.following, p.connected = true, true
	p.announceLocked()
}

// mark is the partition's part of a revision.
func (p *partition) mark() mark {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := mark{epoch: p.epoch, through: p.through, top: p.through}
	for _, q := range [...]feed.Position{p.applied, p.ownTop} {
		if m.top.Compare(q) < 0 {
			m.top = q
		}
	}
	return m
}

// asOf is the instant of the last change that is in.
func (m mark) asOf() calendar.Instant { return calendar.Instant(m.top.Ms) }
