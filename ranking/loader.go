package ranking

import (
	"context"
	"fmt"

	"laurel/internal/feed"
)

const (
	loaders   = 4   // loads at a time
	loadBatch = 512 // rows that are handed to a board at once
)

// load is the part of a board that one partition has, to be loaded.
type load struct {
	board     *Board
	partition *partition
}

// loadLoop loads what is queued until ctx ends.
func (b *Boards) loadLoop(ctx context.Context) {
	for {
		j, ok := b.nextLoad()
		if !ok {
			select {
			case <-ctx.Done():
				return
			case <-b.wake:
			}
			continue
		}
		if err := b.load(ctx, j); err != nil {
			b.failLoad(j.board, err)
			continue
		}
		j.board.loaded()
	}
}

// load loads one partition's rows and waits until the follower has passed the stream's end as it was when they were read.
//
// Why the board is right then: it was registered before the scan began, so the changes that the follower applies from there on reach
// it. A row that the scan shows is the outcome of commits up to the end that is noted after it. For a user that no such
// commit touched since the registration, every state that the scan can have seen is the present one. For any other user the
// follower has applied, and marked as touched, the last of those commits by the time it has passed that end, and the
// scan's row, whether it came before (overwritten) or after (refused), does not matter.
//
// That holds while the store keeps its history. If it loses a commit that the scan has shown and the follower has not read,
// the stream shows no trace of it. Source promises that the follower then gets an error; see follower.fail.
func (b *Boards) load(ctx context.Context, j load) error {
	p, bd := j.partition, j.board
	if bd.Dropped() {
		return errGone
	}
	// While history is lost there is no position, and changes would pass the board by.
	err := p.await(ctx, bd.gone, func() (bool, error) { return p.following, nil })
	if err != nil {
		return err
	}
	rows := make([]Entry, 0, loadBatch)
	err = b.o.Source.LoadBoard(ctx, p.n, bd.id, bd.order, func(e Entry) error {
		rows = append(rows, e)
		if len(rows) < loadBatch {
			return nil
		}
		err := bd.fill(rows)
		rows = rows[:0]
		return err
	})
	if err != nil {
		return fmt.Errorf("load partition %d: %w", p.n, err)
	}
	if err := bd.fill(rows); err != nil {
		return err
	}
	end, err := b.o.Source.Tail(ctx, p.n)
	if err != nil {
		return fmt.Errorf("load partition %d: %w", p.n, err)
	}
	return p.await(ctx, bd.gone, func() (bool, error) {
		if !p.following || p.last.Compare(end) < 0 {
			return false, nil
		}
		bd.since[p.n].Store(p.reads)
		return true, nil
	})
}

// failLoad drops a board that cannot be loaded; those who wait for it hear why, and who asks again starts again.
func (b *Boards) failLoad(bd *Board, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.boards[bd.id] == bd {
		bd.failure = err
		b.dropLocked(bd)
	}
}

// enqueueLocked queues the loads of a board.
func (b *Boards) enqueueLocked(bd *Board) {
	for _, p := range b.parts {
		b.queue = append(b.queue, load{bd, p})
		select {
		case b.wake <- struct{}{}:
		default: // as many wake-ups as loaders are on their way already
		}
	}
}

func (b *Boards) nextLoad() (load, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) > 0 {
		j := b.queue[0]
		b.queue[0] = load{}
		b.queue = b.queue[1:]
		if !j.board.Dropped() {
			return j, true
		}
	}
	b.queue = nil
	return load{}, false
}

// lookup finds a board in memory, loading or ready.
func (b *Boards) lookup(id feed.Board) *Board {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.boards[id]
}
