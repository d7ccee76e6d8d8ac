package sweep

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/ranking"
)

// node is the write path of one server with its boards: what sweeps.
type node struct {
	*ingest.Service
	store    *store.Store
	registry *registry.Registry
	boards   *ranking.Boards
	clock    clock.Clock
	end      context.CancelFunc
	running  sync.WaitGroup
}

var errNotReady = errors.New("the boards' follower did not get ready")

// startNode starts a node; seen is told of each change that the follower has read.
func startNode(ctx context.Context, url string, seen func(feed.Change)) (*node, error) {
	s, err := store.Open(ctx, store.Options{URL: url})
	if err != nil {
		return nil, err
	}
	n := &node{store: s, registry: registry.New(s, zerolog.Nop())}
	n.boards = ranking.NewBoards(ranking.Options{Source: testenv.BoardSource{Store: s}, LoadWait: time.Minute, IdleAfter: time.Hour,
		OnChange: func(c feed.Change) { n.Follow(c); seen(c) }, OnReset: func(p int) { n.Forget(p) }})
	n.Service = ingest.New(ingest.Options{Store: s, Registry: n.registry, Boards: n.boards, Clock: &n.clock})
	alive, end := context.WithCancel(ctx)
	n.end = end
	for _, run := range []func(context.Context) error{s.Run, n.boards.Run, n.Service.Run} {
		n.running.Go(func() { _ = run(alive) }) // what fails is seen in what is missing
	}
	for range 1000 {
		if n.boards.Ready() {
			return n, nil
		}
		time.Sleep(time.Millisecond)
	}
	return nil, errors.Join(errNotReady, n.stop())
}

// stop ends the node.
func (n *node) stop() error {
	n.end()
	n.running.Wait()
	return n.store.Close()
}
