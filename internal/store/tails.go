package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"laurel/internal/feed"
)

// How often the change streams of a server are looked at: often enough that the wait is lost in a live view's tick, and seldom enough that it costs the server
// little: a look at six streams is 50 to 125 µs of it, so that each node that follows takes 0.25 to 0.6 % of a core of every master.
const (
	lookEvery = 20 * time.Millisecond
	lookAgain = 5 * time.Millisecond // where somebody has just come
)

// tails reads the ends of the change streams for all followers. A server of a cluster refuses an XREAD of streams in different slots, so a read that blocks takes a
// connection for each partition. Instead those who wait for streams of one server take turns in looking at all of them, in one round trip on one connection.
type tails struct {
	cluster *cluster

	mu     sync.Mutex
	served map[Partition]*redis.Client // by whom the partition was served last
	desks  map[*redis.Client]*desk
}

// desk is where the followers of one server's streams wait.
type desk struct {
	server *redis.Client
	turn   chan struct{} // held by who looks for all
	wake   chan struct{} // somebody new waits

	mu      sync.Mutex
	waiting []*glance
	last    time.Time // of the last look
}

// glance is one follower's wait.
type glance struct {
	p     Partition
	epoch string
	after feed.Position
	limit int
	until time.Time
	fresh bool // not looked for yet: then epoch and end are compared too

	done    chan struct{} // closed when entries and err are set
	entries []entry
	err     error
}

func (g *glance) finish(entries []entry, err error) {
	g.entries, g.err = entries, err
	close(g.done)
}

// wait waits until there is something to say. An error, also where another server has the partition than the last time: what the one before had, this one may lack,
// and the follower must look where it stands.
func (t *tails) wait(ctx context.Context, g *glance) ([]entry, error) {
	d, err := t.desk(ctx, g.p)
	if err != nil {
		return nil, unavailable("read changes", err)
	}
	d.add(g)
	for {
		select {
		case <-g.done:
			return g.entries, g.err
		case <-ctx.Done():
			d.remove(g)
			return nil, ctx.Err()
		case d.turn <- struct{}{}:
			if d.pace(ctx, g) {
				t.look(ctx, d)
			}
			<-d.turn
		}
	}
}

// desk is where to wait for a partition's changes.
func (t *tails) desk(ctx context.Context, p Partition) (*desk, error) {
	server, err := t.cluster.master(ctx, p)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.served[p]
	t.served[p] = server
	if before != nil && before != server {
		t.forgetLocked(before)
		return nil, errMoved
	}
	d := t.desks[server]
	if d == nil {
		d = &desk{server: server, turn: make(chan struct{}, 1), wake: make(chan struct{}, 1)}
		t.desks[server] = d
	}
	return d, nil
}

// forgetLocked drops the desk of a server that serves no partition any more. Those who wait there still get their answers.
func (t *tails) forgetLocked(server *redis.Client) {
	for _, s := range t.served {
		if s == server {
			return
		}
	}
	delete(t.desks, server)
}

func (d *desk) add(g *glance) {
	d.mu.Lock()
	d.waiting = append(d.waiting, g)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *desk) remove(g *glance) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = slices.DeleteFunc(d.waiting, func(w *glance) bool { return w == g })
}

// pace waits until it is time to look. It returns false where the one who looks needs not any more.
func (d *desk) pace(ctx context.Context, g *glance) bool {
	d.mu.Lock()
	last := d.last
	d.mu.Unlock()
	every := lookEvery
	for {
		for _, w := range d.all() {
			if w.fresh {
				every = lookAgain
			}
		}
		timer := time.NewTimer(time.Until(last.Add(every)))
		select {
		case <-timer.C:
			return true
		case <-d.wake:
			timer.Stop()
		case <-g.done:
			timer.Stop()
			return false
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

func (d *desk) all() []*glance {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.waiting)
}

// look reads for all who wait. Only who has the turn does.
func (t *tails) look(ctx context.Context, d *desk) {
	d.mu.Lock()
	batch := d.waiting
	d.waiting, d.last = nil, time.Now()
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ioTimeout) // it is not for one follower alone
	defer cancel()
	pipe := d.server.Pipeline()
	looks := make([]look, len(batch))
	for i, g := range batch {
		if g.fresh {
			looks[i] = newLook(ctx, pipe, g.p, g.after, g.limit)
		} else {
			looks[i].stream = pipe.XRead(ctx, readArgs(g.p, g.after, g.limit, -1))
		}
	}
	_, _ = pipe.Exec(ctx) // each reply has its own error
	var left []*glance
	for i, g := range batch {
		if !t.settle(ctx, g, &looks[i]) {
			left = append(left, g)
		}
	}
	d.mu.Lock()
	d.waiting = append(d.waiting, left...)
	d.mu.Unlock()
}

// settle says whether the look was the last one for a follower.
func (t *tails) settle(ctx context.Context, g *glance, l *look) bool {
	entries, err := g.read(l)
	if err != nil && redis.HasErrorPrefix(err, "ASK") {
		entries, err = t.moving(ctx, g)
	}
	switch {
	case err != nil && !isTrimmed(err):
		t.mu.Lock()
		delete(t.served, g.p) // it is told once
		t.mu.Unlock()
		t.cluster.client.ReloadState(ctx)
	case err == nil && len(entries) == 0 && time.Now().Before(g.until):
		g.fresh = false
		return false
	}
	g.finish(entries, err)
	return true
}

func (g *glance) read(l *look) ([]entry, error) {
	if g.fresh {
		return l.entries(g.epoch, g.after)
	}
	return readEntries(l.stream)
}

// moving reads the changes of a partition that is on its way to another server: the library finds each key where it is. What the two servers say may be of different
// moments, the end of a commit that came between the two; so nothing is taken for lost before it is so twice.
func (t *tails) moving(ctx context.Context, g *glance) (entries []entry, err error) {
	for range 2 {
		entries, err = t.cluster.readNow(ctx, g.p, g.epoch, g.after, g.limit)
		if !isTrimmed(err) {
			break
		}
	}
	return entries, err
}

func isTrimmed(err error) bool { return errors.Is(err, feed.ErrTrimmed) }
