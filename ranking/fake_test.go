package ranking

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
)

// standing is what a user has on a board; the zero value is nothing.
type standing struct {
	on      bool
	value   int64
	reached calendar.Instant
}

type cell struct {
	board feed.Board
	user  activity.User
}

// fakeStore is a store in a few maps. It answers late, in pieces and out of step, but within the contract of Source; and it can lose what
// a real one can lose.
type fakeStore struct {
	mu      sync.Mutex
	rng     *rand.Rand
	parts   []*fakePart
	commits uint64
	slow    time.Duration // the longest delay of an answer
}

type fakePart struct {
	epoch   string
	stream  []feed.Change
	trimmed int // stream[:trimmed] is gone
	history map[cell][]version
	fail    int           // so many calls fail
	broken  bool          // the follower's connection is; its next answer is an error
	news    chan struct{} // closed at each commit
}

// version is a state of a cell and the length of the stream when it was written.
type version struct {
	standing
	at int
}

var errFake = errors.New("the store is away")

func newFakeStore(partitions int, seed uint64, slow time.Duration) *fakeStore {
	s := &fakeStore{rng: rand.New(rand.NewPCG(seed, 1)), slow: slow}
	for range partitions {
		s.parts = append(s.parts, &fakePart{epoch: "first", history: map[cell][]version{}, news: make(chan struct{})})
	}
	return s
}

// commit writes one change and returns it.
func (s *fakeStore) commit(partition int, writes []feed.Write) feed.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[partition]
	prev := p.tail()
	s.commits++ // in the id, so that another history never comes to the same ids
	id := feed.Position{Ms: uint64(time.Now().UnixMilli()), Seq: s.commits}
	c := feed.Change{Partition: partition, ID: id, Prev: prev, Writes: writes}
	p.stream = append(p.stream, c)
	for _, w := range writes {
		at := cell{w.Board, w.User}
		p.history[at] = append(p.history[at], version{standing{!w.Removed, w.Value, w.Reached}, len(p.stream)})
	}
	close(p.news)
	p.news = make(chan struct{})
	return c
}

func (p *fakePart) tail() feed.Position {
	if len(p.stream) == 0 {
		return feed.Position{}
	}
	return p.stream[len(p.stream)-1].ID
}

func (p *fakePart) now(at cell) standing {
	if h := p.history[at]; len(h) > 0 {
		return h[len(h)-1].standing
	}
	return standing{}
}

// lose takes the last n commits back, as a failover to a replica that lagged does.
func (s *fakeStore) lose(partition, n int, epoch string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[partition]
	keep := max(len(p.stream)-n, 0)
	p.stream = slices.Clip(p.stream[:keep])
	p.trimmed = min(p.trimmed, keep)
	for at, h := range p.history {
		for len(h) > 0 && h[len(h)-1].at > keep {
			h = h[:len(h)-1]
		}
		p.history[at] = slices.Clip(h)
	}
	p.broken = true
	if epoch != "" {
		p.epoch = epoch
	}
}

func (s *fakeStore) trim(partition, keep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[partition]
	p.trimmed = max(p.trimmed, len(p.stream)-keep)
}

// heal ends the failures that are still to come.
func (s *fakeStore) heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		p.fail = 0
	}
}

func (s *fakeStore) outage(partition, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts[partition].fail += calls
}

// answer delays an answer and says whether the call fails.
func (s *fakeStore) answer(ctx context.Context, p *fakePart) error {
	s.mu.Lock()
	late := time.Duration(s.rng.Int64N(int64(s.slow) + 1))
	failed := p.fail > 0
	if failed {
		p.fail--
	}
	s.mu.Unlock()
	if err := pause(ctx, late); err != nil {
		return err
	}
	if failed {
		return errFake
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (s *fakeStore) Partitions() int { return len(s.parts) }

func (s *fakeStore) Epoch(ctx context.Context, partition int) (string, error) {
	p := s.parts[partition]
	if err := s.answer(ctx, p); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.epoch, nil
}

func (s *fakeStore) Tail(ctx context.Context, partition int) (feed.Position, error) {
	p := s.parts[partition]
	if err := s.answer(ctx, p); err != nil {
		return feed.Position{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.tail(), nil
}

func (s *fakeStore) Changes(ctx context.Context, partition int, after feed.Position, most int, block time.Duration) ([]feed.Change, error) {
	p := s.parts[partition]
	if err := s.answer(ctx, p); err != nil {
		return nil, err
	}
	timer := time.NewTimer(block)
	defer timer.Stop()
	for {
		cs, news, err := s.read(p, after, most)
		if err != nil || len(cs) > 0 {
			return cs, err
		}
		select {
		case <-news:
		case <-timer.C:
			cs, _, err := s.read(p, after, most)
			return cs, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if err := s.answer(ctx, p); err != nil { // what is read is delivered late, and more may have come by then
			return nil, err
		}
	}
}

func (s *fakeStore) read(p *fakePart, after feed.Position, most int) ([]feed.Change, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.broken {
		p.broken = false
		return nil, nil, errFake
	}
	if after.Compare(p.tail()) > 0 {
		return nil, nil, feed.ErrTrimmed
	}
	if p.trimmed > 0 && after.Compare(p.stream[p.trimmed-1].ID) < 0 {
		return nil, nil, feed.ErrTrimmed
	}
	i := slices.IndexFunc(p.stream, func(c feed.Change) bool { return c.ID.Compare(after) > 0 })
	if i < 0 {
		return nil, p.news, nil
	}
	n := min(most, len(p.stream)-i)
	return slices.Clone(p.stream[i : i+n]), nil, nil
}

// LoadBoard yields rows in any order, some of them twice, each as it was when the load began or as it is when its turn comes.
func (s *fakeStore) LoadBoard(ctx context.Context, partition int, b feed.Board, _ Order, yield func(Entry) error) error {
	p := s.parts[partition]
	if err := s.answer(ctx, p); err != nil {
		return err
	}
	s.mu.Lock()
	begin := map[activity.User]standing{}
	for at := range p.history {
		if at.board == b {
			begin[at.user] = p.now(at)
		}
	}
	users := slices.Sorted(maps.Keys(begin))
	users = append(users, users[:s.rng.IntN(len(users)+1)]...)
	s.rng.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
	s.mu.Unlock()
	for _, u := range users {
		if err := s.answer(ctx, p); err != nil {
			return err
		}
		s.mu.Lock()
		row := p.now(cell{b, u})
		if s.rng.IntN(2) == 0 {
			row = begin[u]
		}
		s.mu.Unlock()
		if !row.on {
			continue
		}
		if err := yield(Entry{u, row.value, row.reached}); err != nil {
			return err
		}
	}
	return nil
}
