package closing

import (
	"context"

	"golang.org/x/sync/errgroup"

	"laurel/internal/feed"
	"laurel/internal/store"
)

const (
	// eventPage is how many events of all orgs are read at once, and eventPages how many such pages for one answer.
	eventPage  = 1000
	eventPages = 20
	// leastPage is how many a partition gives at least at once, where there are so many partitions that a share of eventPage would be less.
	leastPage = 32
	// readers is how many partitions are read at the same time.
	readers = 8
)

// merge reads the outboxes of several partitions as one list: by time, then by partition. What has come to an outbox since it was read to its end comes with
// the next merge, so no event is passed over, whatever the clocks of the partitions say.
type merge struct {
	store  *store.Store
	parts  []part
	limit  int // of one read
	budget int // events that may still be read
	spent  bool
}

// part is one partition's outbox. Its head is the first of page.
type part struct {
	number store.Partition
	at     feed.Position // of the last event that was taken
	page   []store.Event
	ended  bool // nothing was left when it was read last
}

func newMerge(s *store.Store, partitions []store.Partition, from cursor) *merge {
	m := &merge{store: s, limit: max(eventPage/len(partitions), leastPage), budget: eventPage * eventPages}
	for _, p := range partitions {
		m.parts = append(m.parts, part{number: p, at: from[p]})
	}
	return m
}

// next takes the next event; nil if there is none, or if enough was read for one answer: then spent is set.
func (m *merge) next(ctx context.Context) (*store.Event, error) {
	if err := m.fill(ctx); err != nil {
		return nil, err
	}
	var first *part
	for i := range m.parts {
		p := &m.parts[i]
		if len(p.page) == 0 && !p.ended {
			m.spent = true // what is first is not known
			return nil, nil
		}
		if len(p.page) > 0 && (first == nil || p.page[0].ID.Ms < first.page[0].ID.Ms) {
			first = p
		}
	}
	if first == nil {
		return nil, nil
	}
	e := &first.page[0]
	first.at, first.page = e.ID, first.page[1:]
	return e, nil
}

// fill reads on where nothing is left of the page before.
func (m *merge) fill(ctx context.Context) error {
	var empty []*part
	for i := range m.parts {
		if p := &m.parts[i]; len(p.page) == 0 && !p.ended {
			empty = append(empty, p)
		}
	}
	if len(empty) == 0 || m.budget <= 0 {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for _, p := range empty {
		g.Go(func() error { return p.read(ctx, m.store, m.limit) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, p := range empty {
		m.budget -= max(len(p.page), 1)
	}
	return nil
}

func (p *part) read(ctx context.Context, s *store.Store, limit int) (err error) {
	if p.page, err = s.Events(ctx, p.number, p.at, limit); err != nil {
		return err
	}
	p.ended = len(p.page) < limit
	return nil
}
