package index

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/ranking"
)

// node is the boards of one node of Laurel with their follower, on a stream of their own: commits cost nothing here but what the index does with them.
type node struct {
	*ranking.Boards
	*stream
	board *ranking.Board
	end   context.CancelFunc
	done  chan struct{}

	mu       sync.Mutex
	passed   *sync.Cond // the follower has come to followed
	followed feed.Position
}

var errNotReady = errors.New("the boards' follower did not get ready")

// startNode starts boards without any in memory, and waits for the follower.
func startNode(ctx context.Context, s *store.Store) (*node, error) {
	n := &node{stream: &stream{store: s, news: make(chan struct{})}, done: make(chan struct{})}
	n.passed = sync.NewCond(&n.mu)
	n.Boards = ranking.NewBoards(ranking.Options{Source: n.stream, LoadWait: time.Hour, IdleAfter: 24 * time.Hour, OnChange: n.pass})
	alive, end := context.WithCancel(ctx)
	n.end = end
	go func() {
		defer close(n.done)
		_ = n.Run(alive) // it returns nil
	}()
	for range 1000 {
		if n.Ready() {
			return n, nil
		}
		time.Sleep(time.Millisecond)
	}
	n.stop()
	return nil, errNotReady
}

// stop ends the node; nil is one that never began.
func (n *node) stop() {
	if n == nil {
		return
	}
	n.end()
	<-n.done
}

// commit applies writes as the node that committed them does, and puts them into the stream for the follower.
func (n *node) commit(writes []feed.Write) {
	n.ApplyOwn(n.add(writes))
}

func (n *node) pass(c feed.Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.followed = c.ID
	n.passed.Broadcast()
}

// await waits until the follower has come to all commits.
func (n *node) await(ctx context.Context) error {
	tail, err := n.Tail(ctx, 0)
	n.mu.Lock()
	defer n.mu.Unlock()
	for err == nil && n.followed != tail {
		n.passed.Wait()
	}
	return err
}

// stream is a change stream in memory, beside boards that lie in a store. It implements ranking.Source.
type stream struct {
	store *store.Store

	mu      sync.Mutex
	changes []feed.Change // those that the follower has not read
	tail    feed.Position
	news    chan struct{} // closed when there are more
}

func (s *stream) add(writes []feed.Write) feed.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := feed.Change{ID: feed.Position{Ms: s.tail.Ms + 1}, Prev: s.tail, Writes: writes}
	s.changes, s.tail = append(s.changes, c), c.ID
	close(s.news)
	s.news = make(chan struct{})
	return c
}

// Partitions implements ranking.Source.
func (s *stream) Partitions() int { return 1 }

// Epoch implements ranking.Source.
func (s *stream) Epoch(context.Context, int) (string, error) { return "bench", nil }

// Tail implements ranking.Source.
func (s *stream) Tail(context.Context, int) (feed.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tail, nil
}

// Changes implements ranking.Source.
func (s *stream) Changes(ctx context.Context, _ int, after feed.Position, most int, block time.Duration) ([]feed.Change, error) {
	timer := time.NewTimer(block)
	defer timer.Stop()
	for {
		got, news := s.read(after, most)
		if len(got) > 0 {
			return got, nil
		}
		select {
		case <-news:
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *stream) read(after feed.Position, most int) ([]feed.Change, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	read, _ := slices.BinarySearchFunc(s.changes, after, func(c feed.Change, p feed.Position) int {
		if c.ID.Compare(p) <= 0 {
			return -1
		}
		return 1
	})
	if s.changes = s.changes[read:]; len(s.changes) == 0 {
		s.changes = nil
	}
	return slices.Clone(s.changes[:min(most, len(s.changes))]), s.news
}

// LoadBoard implements ranking.Source.
func (s *stream) LoadBoard(ctx context.Context, p int, b feed.Board, order ranking.Order, yield func(ranking.Entry) error) error {
	return s.store.LoadBoard(ctx, store.Partition(p), b, order == ranking.Ascending, func(u activity.User, v int64, at calendar.Instant) error {
		return yield(ranking.Entry{User: u, Value: v, Reached: at})
	})
}
