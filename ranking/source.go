package ranking

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/feed"
)

// Source is what Boards needs of a store. Calls for different partitions, and loads, come concurrently.
type Source interface {
	// Partitions is the number of partitions; it never changes.
	Partitions() int
	// Tail is the position of the last entry of a partition's change stream, the zero position if there was none.
	Tail(ctx context.Context, partition int) (feed.Position, error)
	// Changes are the entries after a position, oldest first: max of them or, at some moment of the call, all. Where there are none it waits for block for
	// one and then returns none. feed.ErrTrimmed says that the stream does not hold what came after the position, or
	// that the epoch is no longer the one that Epoch gave last. When the
	// store loses commits (failover, restored backup), the call that is under way, or the next one, fails: an
	// implementation must not connect again in silence.
	Changes(ctx context.Context, partition int, after feed.Position, max int, block time.Duration) ([]feed.Change, error)
	// LoadBoard yields the rows that a partition has of a board; a board that does not exist has none. A row that exists
	// throughout is yielded at least once. Commits that happen meanwhile may be seen or not, row by row, but every commit
	// that it shows is in the change stream by the time it returns. An error of yield ends it and is returned.
	LoadBoard(ctx context.Context, partition int, b feed.Board, order Order, yield func(Entry) error) error
	// Epoch names the partition's history: another epoch is another history.
	Epoch(ctx context.Context, partition int) (string, error)
}

// Options configure Boards.
type Options struct {
	Source Source
	// IdleAfter is how long a board may go unasked before it is dropped from memory; 0 is 30 minutes.
	IdleAfter time.Duration
	// LoadWait is how long Open waits for a load; 0 is 2 seconds.
	LoadWait time.Duration
	// MaxBoards is how many boards are held at most; 0 is 65,536. Past it boards that went unasked for long are dropped.
	MaxBoards int
	// OnChange is called once for each change, the node's own too, in stream order per partition (concurrently for different
	// partitions), after the boards have it and before WaitFor answers for it. It must not block. nil is allowed.
	OnChange func(feed.Change)
	// OnReset is called when a partition's history was lost, before the first OnChange of the new one: whatever was derived
	// from the partition is to be dropped. It must not block. nil is allowed.
	OnReset func(partition int)
	// Renew ends an epoch of which commits were found to be gone, if the partition still has it: what follows is to be another history also for those who
	// did not notice. nil: the store sees to it.
	Renew func(ctx context.Context, partition int, epoch string) error
	// Now is the wall clock, for idle times and lag; nil is time.Now.
	Now func() time.Time
	// page is how many changes a read brings at most; 0 is readMax. Tests set few.
	page int
	// Log gets resets and the errors of followers; the zero value is silent.
	Log zerolog.Logger
}

func (o Options) withDefaults() Options {
	if o.IdleAfter == 0 {
		o.IdleAfter = 30 * time.Minute
	}
	if o.LoadWait == 0 {
		o.LoadWait = 2 * time.Second
	}
	if o.MaxBoards == 0 {
		o.MaxBoards = 1 << 16
	}
	if o.page == 0 {
		o.page = readMax
	}
	if o.OnChange == nil {
		o.OnChange = func(feed.Change) {}
	}
	if o.OnReset == nil {
		o.OnReset = func(int) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

var (
	// ErrLoading says that a board is not in memory yet: its load takes longer than the caller may wait, or has failed.
	// Asking again is right.
	ErrLoading = errors.New("board is still loading")
	// ErrEpochChanged says that a revision belongs to another history than the store has now.
	ErrEpochChanged = errors.New("revision is of another epoch")
	// ErrBadRevision says that a text is not a revision.
	ErrBadRevision = errors.New("not a revision")
)
