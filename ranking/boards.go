package ranking

import (
	"context"
	"fmt"
	"sync"
	"time"

	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// Boards holds the boards that are in memory, loads them on first use and keeps them as the store is. It is safe for
// concurrent use; the package comment says what it guarantees.
//
// Locks, in the order in which they may be held together: partition.applying, Boards.mu, Board.mu; partition.mu is held alone or under the
// first. None is held across a call to the Source or a callback, and each but partition.applying for a bounded time; see the package comment.
type Boards struct {
	o     Options
	parts []*partition
	wake  chan struct{}
	began time.Time

	mu     sync.RWMutex
	boards map[feed.Board]*Board
	list   []*Board // the same ones, to be walked in pieces
	hand   int      // where makeRoomLocked goes on in list
	queue  []load   // at most as many as there are boards × partitions, dropped ones aside
}

// NewBoards returns a Boards that holds none. It starts nothing; see Run.
func NewBoards(o Options) *Boards {
	b := &Boards{o: o.withDefaults(), wake: make(chan struct{}, loaders), boards: make(map[feed.Board]*Board)}
	b.began = b.o.Now()
	for n := range o.Source.Partitions() {
		b.parts = append(b.parts, newPartition(n))
	}
	return b
}

// Run follows the change streams, loads boards and drops idle ones until ctx ends. It returns nil after all of its goroutines have
// ended. Errors of the store are logged and tried again with bounded backoff.
func (b *Boards) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, p := range b.parts {
		wg.Go(func() { (&follower{b: b, p: p}).run(ctx) })
	}
	for range loaders {
		wg.Go(func() { b.loadLoop(ctx) })
	}
	wg.Go(func() { b.evictLoop(ctx) })
	wg.Wait()
	return nil
}

// Open returns a board that is whole: every commit that ended before the call, and was of this node or has been followed, is in
// it. The first call loads it and concurrent ones share the load. ErrLoading (wrapped) comes where the load takes longer than LoadWait
// (it goes on) or failed (the cause is wrapped too). A board that the store does not have is empty.
func (b *Boards) Open(ctx context.Context, id feed.Board, o Order) (*Board, error) {
	now := b.o.Now()
	if bd := b.lookup(id); bd != nil && bd.order == o && bd.isReady() {
		bd.used.Store(now.UnixNano())
		return bd, nil
	}
	timer := time.NewTimer(b.o.LoadWait)
	defer timer.Stop()
	for {
		bd := b.register(id, o, now)
		select {
		case <-bd.ready:
			if !bd.Dropped() {
				return bd, nil
			}
		case <-bd.gone:
			if bd.failure != nil {
				return nil, fmt.Errorf("board %s/%s/%s: %w: %w", id.Org, id.Rule, id.Label, ErrLoading, bd.failure)
			}
		case <-timer.C:
			return nil, fmt.Errorf("board %s/%s/%s: %w", id.Org, id.Rule, id.Label, ErrLoading)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// register finds a board or begins to load it.
func (b *Boards) register(id feed.Board, o Order, now time.Time) *Board {
	b.mu.Lock()
	defer b.mu.Unlock()
	if bd := b.boards[id]; bd != nil {
		if bd.order == o {
			bd.used.Store(now.UnixNano())
			return bd
		}
		b.dropLocked(bd) // the rule's order was changed
	}
	if len(b.boards) >= b.o.MaxBoards {
		b.makeRoomLocked()
	}
	bd := newBoard(id, o, len(b.parts), now)
	b.addLocked(bd)
	b.enqueueLocked(bd)
	return bd
}

// ApplyOwn applies a commit of this node at once, so that whoever was told of the commit finds it in every board. Call it once for
// each commit; commits that share a user in their order, others in any. The follower skips what the stream has of the same users up to that commit.
func (b *Boards) ApplyOwn(c feed.Change) {
	p := b.parts[c.Partition]
	p.applying.Lock()
	defer p.applying.Unlock()
	from, ok := p.admitOwn(&c)
	if !ok {
		return
	}
	b.dropNamed(c.Dropped)
	p.apply(&c, b.lookup, from)
	p.bookOwn(&c, from)
}

// Revision is what the boards have now. It takes no lock.
func (b *Boards) Revision() Revision {
	r := Revision{marks: make([]mark, len(b.parts))}
	for i, p := range b.parts {
		r.marks[i] = p.mark()
	}
	return r
}

// WaitFor waits until everything that r covers is in the boards and has been told to OnChange (own changes aside, which are
// told when the follower comes to them). ErrEpochChanged says that r is of another history; ctx bounds the wait.
func (b *Boards) WaitFor(ctx context.Context, r Revision) error {
	if len(r.marks) > 0 && len(r.marks) != len(b.parts) {
		return ErrEpochChanged // of a deployment with another number of partitions
	}
	for i, m := range r.marks {
		p := b.parts[i]
		err := p.await(ctx, nil, func() (bool, error) {
			if p.following && m.epoch != "" && m.epoch != p.epoch { // "": from before the first position, so of the history that came with it
				return false, ErrEpochChanged
			}
			return p.following && p.through.Compare(m.top) >= 0, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// AsOf is the instant of the last change that is in, 0 before any.
func (b *Boards) AsOf() calendar.Instant { return b.Revision().AsOf() }

// Ready says that every partition's follower has reached the stream's end and is connected. Before it was true for the first time no
// OnReset comes, so derive nothing from the store before.
func (b *Boards) Ready() bool {
	for _, p := range b.parts {
		if !p.status.Load().ready {
			return false
		}
	}
	return true
}

// Following waits until every partition has a position to go on from: whatever is derived from the store after it, and told of by OnChange and
// OnReset, misses nothing. ctx bounds the wait.
func (b *Boards) Following(ctx context.Context) error {
	for _, p := range b.parts {
		if err := p.await(ctx, nil, func() (bool, error) { return p.following, nil }); err != nil {
			return err
		}
	}
	return nil
}

// Stats are figures for metrics.
type Stats struct {
	Boards, Loading int
	Members         int
	Bytes           int           // what the indexes take, roughly
	OwnAhead        int           // own board writes that followers have not come to
	Lag             time.Duration // from commit to application of each partition's last change: the greatest
}

// Stats reads every board's size; it is meant for a scrape, not for a request.
func (b *Boards) Stats() Stats {
	var s Stats
	var boards []*Board
	b.walk(func(bd *Board) { boards = append(boards, bd) })
	for _, bd := range boards {
		s.Boards++
		if !bd.isReady() {
			s.Loading++
		}
		s.Members += int(bd.members.Load())
		bd.View(func(x *Index, _ uint64) { s.Bytes += x.MemoryBytes() })
	}
	for _, p := range b.parts {
		p.mu.Lock()
		s.OwnAhead += p.ownWrites
		s.Lag = max(s.Lag, p.lag)
		p.mu.Unlock()
	}
	return s
}

// evictLoop drops boards that nobody asked for in IdleAfter.
func (b *Boards) evictLoop(ctx context.Context) {
	tick := time.NewTicker(max(b.o.IdleAfter/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.evict(b.o.Now().Add(-b.o.IdleAfter).UnixNano())
		}
	}
}

// evict drops the boards that were last asked for before an instant.
func (b *Boards) evict(before int64) {
	b.walk(func(bd *Board) {
		if bd.used.Load() < before {
			b.dropLocked(bd)
		}
	})
}

// walkPiece is how many boards are looked at under one lock.
const walkPiece = 256

// walk calls f for every board with b.mu held, which it releases between pieces of them. f may drop the board. Boards that are registered
// meanwhile may be left out.
func (b *Boards) walk(f func(*Board)) {
	b.mu.RLock()
	i := len(b.list)
	b.mu.RUnlock()
	for i > 0 {
		i = b.walkSome(i, f)
	}
}

// walkSome walks down from place i: what is dropped is replaced by the last of the list, which was seen or is new.
func (b *Boards) walkSome(i int, f func(*Board)) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	i = min(i, len(b.list))
	for end := max(i-walkPiece, 0); i > end; {
		i--
		f(b.list[i])
	}
	return i
}

// roomSample is how many boards are looked at to make room for one.
const roomSample = 64

// makeRoomLocked drops, of the next few boards of the list, the one that went unasked the longest. (The one of all boards would have to be looked for, or
// every Open would have to move its board in a list that all share.)
func (b *Boards) makeRoomLocked() {
	var oldest *Board
	var asked int64
	for range min(roomSample, len(b.list)) {
		b.hand = (b.hand + 1) % len(b.list)
		bd := b.list[b.hand]
		if at := bd.used.Load(); oldest == nil || at < asked {
			oldest, asked = bd, at
		}
	}
	b.dropLocked(oldest)
}

func (b *Boards) addLocked(bd *Board) {
	bd.place = len(b.list)
	b.list = append(b.list, bd)
	b.boards[bd.id] = bd
}

func (b *Boards) dropLocked(bd *Board) {
	delete(b.boards, bd.id)
	n := len(b.list) - 1
	last := b.list[n]
	b.list[bd.place], last.place = last, bd.place
	b.list[n] = nil
	b.list = b.list[:n]
	close(bd.gone)
}

// dropNamed drops boards that were removed from the store. Who opens one again loads what the store has then: nothing.
func (b *Boards) dropNamed(ids []feed.Board) {
	if len(ids) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if bd := b.boards[id]; bd != nil {
			b.dropLocked(bd)
		}
	}
}

// dropLoadedSince drops the boards whose load of a partition ended in the follower's given read or later, or goes on; with
// read 0 all boards.
func (b *Boards) dropLoadedSince(partition int, read int64) {
	b.walk(func(bd *Board) {
		if bd.since[partition].Load() >= read {
			b.dropLocked(bd)
		}
	})
}
