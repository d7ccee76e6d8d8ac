package ranking

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// maxOwn is how many own board writes of a partition may be ahead of the follower. Past it the node's own changes wait for
// the follower as everybody else's do: a stuck stream costs read-your-writes, not memory.
const maxOwn = 1 << 17

// partition is how far one change stream has been followed. Two locks, taken in this order: applying is held while a change is applied, however
// large it is, and only those wait for it who have one to apply; mu is held for some hundred nanoseconds. Readers take neither: they look at status.
//
// Invariants while following: last ≤ applied; last ≤ through; every change up to through is in the boards;
// own ascends and lies beyond last.
type partition struct {
	n int

	applying sync.Mutex // serialises what applies changes of this partition, and what ends or begins a history
	groups   map[*Board]chain
	next     []int32
	updates  [together]Update

	status  atomic.Pointer[status] // what readers see of the rest; never nil
	current atomic.Int64           // as of when the boards have all, in ns since Boards.began

	mu        sync.Mutex
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
	// early counts those of own that came early. While there are any no other one is direct: the stream brings them again, to a board registered since
	// too, and only the stream can then bring it what came after them.
	early int
	lag   time.Duration // from commit to application, of the change applied last
	moved chan struct{} // closed when any of the above has changed; nil while nobody waits
}

// status is what a reader may want to know of a partition.
type status struct {
	mark
	ready bool // it is followed and the store answers
}

// ahead is an own change that was applied before the follower came to it.
type ahead struct {
	id, prev feed.Position
	writes   int
	from     origin
}

func newPartition(n int) *partition {
	p := &partition{n: n, groups: make(map[*Board]chain)}
	p.status.Store(&status{})
	return p
}

// apply applies a change to the boards that are in memory. p.applying is held.
func (p *partition) apply(c *feed.Change, boards func(feed.Board) *Board, from origin) {
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
		b.apply(c, g, p, from)
	}
	clear(p.groups)
	clear(p.updates[:]) // they hold users' ids
}

// announceLocked shows readers where the partition is, and wakes those who wait for it to move.
func (p *partition) announceLocked() {
	if now := (status{mark: p.markLocked(), ready: p.following && p.connected}); now != *p.status.Load() {
		p.status.Store(&now)
	}
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

// admitOwn says whether a change of this node is to be applied, and what is known before it.
func (p *partition) admitOwn(c *feed.Change) (from origin, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.following && c.ID.Compare(p.applied) <= 0 {
		return 0, false // it is in the boards already
	}
	if !p.following || p.ownWrites+len(c.Writes) > maxOwn {
		p.noteOwnLocked(c) // what is read after it must have it, here or elsewhere: a revision says so also while no board is whole
		return 0, false
	}
	if c.Prev == p.through && p.early == 0 {
		return direct, true
	}
	return early, true
}

// bookOwn notes an own change that the boards have now.
func (p *partition) bookOwn(c *feed.Change, from origin) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.aheadLocked(c, from)
	p.noteOwnLocked(c)
}

// noteOwnLocked notes that there is an own change, in the boards or not.
func (p *partition) noteOwnLocked(c *feed.Change) {
	if p.ownTop.Compare(c.ID) < 0 {
		p.ownTop = c.ID
	}
	p.announceLocked()
}

// admitStreamed says whether the change that the follower has come to is to be applied. It is not if it came directly: then all boards that were in
// memory have it, and a board that was registered later was so after the commit, which its load therefore finds in the store.
// errForked says that the change does not continue what is known.
func (p *partition) admitStreamed(c *feed.Change) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Prev != p.last || c.ID.Compare(p.last) <= 0 || p.skippedLocked(c.ID) {
		return false, errForked
	}
	return len(p.own) == 0 || p.own[0].id != c.ID || p.own[0].from != direct, nil
}

// noteStreamed notes that the boards have what the follower read up to and with c.
func (p *partition) noteStreamed(c *feed.Change, lag time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.applied, p.lag = c.ID, lag
	p.announceLocked()
}

// aheadLocked books an own change.
func (p *partition) aheadLocked(c *feed.Change, from origin) {
	a := ahead{c.ID, c.Prev, len(c.Writes), from}
	i, _ := slices.BinarySearchFunc(p.own, a.id, func(x ahead, id feed.Position) int { return x.id.Compare(id) })
	p.own = slices.Insert(p.own, i, a)
	p.ownWrites += a.writes
	if from == early {
		p.early++
	}
	p.extendLocked()
}

// passLocked notes that the follower is done with the change at id.
func (p *partition) passLocked(id feed.Position) {
	p.last = id
	n := 0
	for n < len(p.own) && p.own[n].id.Compare(id) <= 0 {
		p.ownWrites -= p.own[n].writes
		if p.own[n].from == early {
			p.early--
		}
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

// disconnect notes that following ended, with lost for good. It tells the follower's read before the last.
func (p *partition) disconnect(lost bool) (read int64) {
	p.applying.Lock() // no own change is half applied, and booked after this
	defer p.applying.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.connected = false
	if lost {
		p.following, p.ownTop = false, feed.Position{} // what it was may have been lost; own changes to come are not
	}
	p.announceLocked()
	return p.reads - 1
}

// restart forgets the history and goes on from tail. Own changes that came meanwhile lie beyond it, unless the epoch is another.
func (p *partition) restart(epoch string, tail feed.Position) {
	p.applying.Lock()
	defer p.applying.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.epoch != "" && p.epoch != epoch {
		p.ownTop = feed.Position{}
	}
	p.epoch, p.applied, p.last, p.through = epoch, tail, tail, tail
	p.own, p.ownWrites, p.early = nil, 0, 0
	p.following, p.connected = true, true
	p.announceLocked()
}

// mark is the partition's part of a revision.
func (p *partition) mark() mark { return p.status.Load().mark }

func (p *partition) markLocked() mark {
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
