package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"laurel/internal/feed"
)

// embedded is the driver for a Redis in this process with a file beside it. This process is the only writer.
//
// One commit after the other passes through turn, in batches: the checks of all, one write and one fsync for all, then memory. What is in memory
// is therefore always in the file. mu guards the queue; everything else of the writing side belongs to whoever has the turn.
type embedded struct {
	mem    *memory
	client redis.UniversalClient
	log    zerolog.Logger
	now    func() time.Time
	sizes  *entrySizes

	turn chan struct{} // holds a value while someone writes
	file *appendFile
	ids  map[Key]feed.Position // the last id of each stream
	// deleted is the first change that deleted a user, of those whose traces the file may still have; zero for none.
	deleted feed.Position
	forgot  feed.Position // what was before it had gone when the file was last written anew for that
	mu      sync.Mutex
	queue   []*waiting
	dead    error         // set once, with died closed: nothing can be written any more
	died    chan struct{} // closed when dead is set

	historiesMu sync.Mutex
	histories   map[Partition]*history
}

// waiting is a commit on its way.
type waiting struct {
	c      *prepared // nil: block is written as it is
	block  [][]string
	entry  *entry // of the change stream, nil if no group applied
	keep   int    // its MAXLEN
	answer answer
	err    error
	done   chan struct{}
}

func openEmbedded(o Options) (*embedded, error) {
	e := &embedded{
		log: o.Log, now: o.Clock, turn: make(chan struct{}, 1), ids: map[Key]feed.Position{}, died: make(chan struct{}),
		histories: map[Partition]*history{},
	}
	if e.now == nil {
		e.now = time.Now
	}
	limit := o.ChangesBytes
	if limit <= 0 {
		limit = embeddedChangesBytes
	}
	e.sizes = newEntrySizes(limit)
	var err error
	if e.mem, err = newMemory(); err != nil {
		return nil, err
	}
	if e.file, err = openAppendFile(o.DataDir, o.Fsync, o.Log, e.replay); err != nil {
		e.mem.close()
		return nil, fmt.Errorf("open embedded store: %w", err)
	}
	if err := e.restoreEnds(); err != nil {
		e.mem.close()
		return nil, errors.Join(fmt.Errorf("open embedded store: %w", err), e.file.close())
	}
	e.client = redis.NewClient(&redis.Options{
		Dialer:     func(context.Context, string, string) (net.Conn, error) { return e.mem.mini.Dial() },
		MaxRetries: -1, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout, ContextTimeoutEnabled: true,
		Protocol: 2, DisableIdentity: true,
	})
	return e, nil
}

// replay applies one block of the file. Nobody reads yet, so it needs no transaction.
func (e *embedded) replay(commands [][]string) error {
	for _, words := range commands {
		reply, err := e.mem.do(words...)
		if err != nil {
			return err
		}
		if p, ok := deletedUser(words); ok {
			e.noteDeleted(e.ids[ChangesKey(p)]) // the block's own: documents come last
		}
		if words[0] == "XADD" {
			id, _ := reply.(string)
			if err := e.replayed(words, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// replayed remembers a stream entry's id, and the entry itself if it is a change.
func (e *embedded) replayed(words []string, id string) error {
	pos, err := feed.ParsePosition(id)
	if err != nil {
		return err
	}
	key := Key(words[1])
	e.ids[key] = pos
	p, ok := changesPartition(key)
	if !ok {
		return nil
	}
	// XADD key MAXLEN n id v … p … k … g …; a rewritten file has no MAXLEN.
	keep, fields := int(^uint(0)>>1), words[3:]
	if words[2] == "MAXLEN" {
		if keep, err = strconv.Atoi(words[3]); err != nil {
			return err
		}
		fields = words[5:]
	}
	if len(fields) != 8 {
		return fmt.Errorf("%w: %s", errEntry, id)
	}
	e.history(p).add(entry{id: pos, version: fields[1], prev: fields[3], boards: fields[5], groups: fields[7]}, keep)
	return nil
}

// restoreEnds sets the ends of the change streams, whose entries may all be trimmed.
func (e *embedded) restoreEnds() error {
	for p := Partition(0); e.mem.mini.Exists(string(MetaKey(p))); p++ {
		last := e.mem.mini.HGet(string(MetaKey(p)), metaLast)
		if last == "" {
			continue
		}
		end, err := feed.ParsePosition(last)
		if err != nil {
			return err
		}
		e.history(p).setEnd(end)
		e.ids[ChangesKey(p)] = end
		if err := e.findDeleted(p); err != nil {
			return err
		}
	}
	return nil
}

func (e *embedded) history(p Partition) *history {
	e.historiesMu.Lock()
	defer e.historiesMu.Unlock()
	h := e.histories[p]
	if h == nil {
		h = newHistory()
		e.histories[p] = h
	}
	return h
}

func (e *embedded) commit(ctx context.Context, c *prepared) (answer, error) {
	w := &waiting{c: c}
	err := e.write(ctx, w)
	return w.answer, err
}

func (e *embedded) create(ctx context.Context, k Key, fields map[string]string) error {
	words := []string{"HSET", string(k)}
	for f, v := range fields {
		words = append(words, f, v)
	}
	return e.write(ctx, &waiting{block: [][]string{words}})
}

// write queues w, and writes batches of the queue whenever the turn is free, until w is done.
func (e *embedded) write(ctx context.Context, w *waiting) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	w.done = make(chan struct{})
	e.mu.Lock()
	if e.dead != nil {
		defer e.mu.Unlock()
		return e.dead
	}
	e.queue = append(e.queue, w)
	e.mu.Unlock()
	// From here on w is written whatever becomes of ctx: the wait is that for a disk.
	for {
		select {
		case <-w.done:
			return w.err
		case e.turn <- struct{}{}:
			e.writeBatch()
			<-e.turn
		}
	}
}

// takeAll empties the queue.
func (e *embedded) takeAll() ([]*waiting, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	batch := e.queue
	e.queue = nil
	return batch, e.dead
}

// writeBatch writes what is queued: file before memory, one write and one fsync for as many commits as do not depend on each other.
func (e *embedded) writeBatch() {
	batch, dead := e.takeAll()
	for len(batch) > 0 {
		n := 0
		if dead == nil {
			n, dead = e.writeSome(batch)
		} else {
			n = len(batch)
		}
		for _, w := range batch[:n] {
			if w.err == nil {
				w.err = dead
			}
			close(w.done)
		}
		batch = batch[n:]
	}
}

// writeSome writes the first n of batch: up to the first that checks what one before it writes.
func (e *embedded) writeSome(batch []*waiting) (n int, dead error) {
	kinds := map[string]string{}
	var out []byte
	for ; n < len(batch); n++ {
		w := batch[n]
		if n > 0 && w.dependsOn(kinds) {
			break
		}
		if w.c != nil {
			e.decide(w, kinds)
		}
		if w.err == nil && len(w.block) > 0 {
			out = appendBlock(out, w.block)
		}
	}
	if len(out) > 0 {
		if err := e.file.append(out); err != nil {
			return n, e.die(err)
		}
	}
	for _, w := range batch[:n] {
		if err := e.apply(w); err != nil {
			return n, e.die(err)
		}
	}
	return n, nil
}

// die makes the store refuse everything from now on.
func (e *embedded) die(err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead == nil {
		e.dead = fmt.Errorf("%w: embedded store stopped: %w", ErrUnavailable, err)
		close(e.died)
	}
	return e.dead
}

// apply brings memory to where the file is.
func (e *embedded) apply(w *waiting) error {
	if w.err != nil || len(w.block) == 0 {
		return nil
	}
	if err := e.mem.exec(w.block); err != nil {
		return fmt.Errorf("apply to memory: %w", err)
	}
	if w.entry != nil {
		e.history(w.c.p).add(*w.entry, w.keep)
	}
	for _, words := range w.block {
		if _, ok := deletedUser(words); ok {
			e.noteDeleted(w.answer.id)
		}
	}
	return nil
}

// dependsOn says whether a check of w reads a key that is written (has a kind) but not yet in memory.
func (w *waiting) dependsOn(kinds map[string]string) bool {
	if w.c == nil {
		return true
	}
	for i := range w.c.groups {
		g := &w.c.groups[i]
		for _, k := range []Key{g.Doc, g.AbsentIn, FenceKey(w.c.p, g.Org)} {
			if _, written := kinds[string(k)]; written {
				return true
			}
		}
	}
	return false
}

func (e *embedded) entryOf(_ context.Context, c *prepared) (id, prev feed.Position, err error) {
	return id, prev, fmt.Errorf("no change of version %q: the embedded store has no lost replies", c.version)
}

func (e *embedded) changes(ctx context.Context, p Partition, _ string, after feed.Position, limit int, block time.Duration) ([]entry, error) {
	return e.history(p).wait(ctx, after, limit, block)
}

// board copies the set while it has the turn, so that all rows are of one moment, in no order; the server's own ZRANGE would sort them too.
func (e *embedded) board(ctx context.Context, k Key, _ bool, yield func(member string, score float64) error) error {
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	rows, err := e.rows(k)
	<-e.turn
	for i := 0; i < len(rows) && err == nil; i++ {
		err = yield(rows[i].member, rows[i].score)
	}
	return err
}

func (e *embedded) rows(k Key) ([]row, error) {
	if !e.mem.mini.Exists(string(k)) {
		return nil, nil
	}
	// The server's own map: only the writer, whose turn it is, changes it.
	set, err := e.mem.mini.SortedSet(string(k))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", k, err)
	}
	rows := make([]row, 0, len(set))
	for member, score := range set {
		rows = append(rows, row{member, score})
	}
	return rows, nil
}

func (e *embedded) durability(context.Context) Durability { return e.file.level() }

func (e *embedded) close() error {
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	e.mu.Lock()
	if e.dead == nil {
		e.dead = fmt.Errorf("%w: store is closed", ErrUnavailable)
		close(e.died)
	}
	e.mu.Unlock()
	err := errors.Join(e.client.Close(), e.file.close())
	e.mem.close()
	return err
}
