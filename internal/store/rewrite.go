package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/alicebob/miniredis/v2"

	"laurel/internal/feed"
)

// When a rewrite is worth it, and how much goes into one block of the new file.
const (
	rewriteMin    = 16 << 20
	rewriteGrowth = 2
	rewriteBlock  = 256 << 10
	rewriteCheck  = time.Second
)

// run forces the file to disk each second where that is the policy, and rewrites it when it has grown.
func (e *embedded) run(ctx context.Context) error {
	t := time.NewTicker(rewriteCheck)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.died:
			e.mu.Lock()
			defer e.mu.Unlock()
			return e.dead
		case <-t.C:
			if err := e.tend(rewriteMin); err != nil && ctx.Err() == nil {
				return e.die(err)
			}
		}
	}
}

// tend is one turn of run.
func (e *embedded) tend(smallest int64) error {
	e.turn <- struct{}{}
	f, grown := e.file.f, e.file.size > smallest && e.file.size > rewriteGrowth*e.file.base
	<-e.turn
	if e.file.policy == FsyncEverySec {
		// Not in turn: commits go on meanwhile. Only this goroutine puts another file in its place.
		if err := e.file.sync(f); err != nil {
			return err
		}
	}
	if !grown {
		return nil
	}
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	return e.rewrite()
}

// rewrite puts a file in place that holds what memory holds. Commits wait for it: a second or two for each 100 MB. A failure before the new
// file has the old one's name costs nothing but the next try, when the file has doubled.
func (e *embedded) rewrite() error {
	path := filepath.Join(e.file.dir, rewriteName)
	f, size, err := e.writeCopy(path)
	if err != nil {
		e.log.Warn().Err(err).Msg("rewrite of the append-only file failed; the file stays as it is")
		e.file.base = e.file.size
		return removeIfThere(path)
	}
	if err := os.Rename(path, filepath.Join(e.file.dir, fileName)); err != nil {
		return errors.Join(fmt.Errorf("rewrite: %w", err), f.Close())
	}
	if err := syncDir(e.file.dir); err != nil {
		return errors.Join(fmt.Errorf("rewrite: %w", err), f.Close())
	}
	old := e.file.f
	e.log.Info().Int64("before", e.file.size).Int64("after", size).Msg("rewrote the append-only file")
	e.file.f, e.file.size, e.file.base = f, size, size
	e.file.dirty.Store(false)
	return old.Close()
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// writeCopy writes all keys to a new file, and forces it to disk. The file stays open for appending.
func (e *embedded) writeCopy(path string) (f *os.File, size int64, err error) {
	if err := removeIfThere(path); err != nil {
		return nil, 0, err
	}
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return nil, 0, err
	}
	w := copyWriter{w: bufio.NewWriterSize(f, 1<<20)}
	for _, key := range e.mem.mini.Keys() {
		if err := e.copyKey(&w, key); err != nil {
			return nil, 0, errors.Join(err, f.Close())
		}
	}
	if err := errors.Join(w.flush(), w.w.Flush(), f.Sync()); err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, w.size, nil
}

// copyWriter gathers commands to blocks.
type copyWriter struct {
	w       *bufio.Writer
	block   [][]string
	pending int
	size    int64
}

func (c *copyWriter) add(words ...string) error {
	c.block = append(c.block, words)
	for _, w := range words {
		c.pending += len(w)
	}
	if c.pending < rewriteBlock {
		return nil
	}
	return c.flush()
}

func (c *copyWriter) flush() error {
	if len(c.block) == 0 {
		return nil
	}
	b := appendBlock(nil, c.block)
	c.block, c.pending = nil, 0
	n, err := c.w.Write(b)
	c.size += int64(n)
	return err
}

// chunks adds a command for at most maxUnpack values each.
func (c *copyWriter) chunks(name, key string, values []string) error {
	for len(values) > 0 {
		n := min(len(values), maxUnpack)
		if err := c.add(append([]string{name, key}, values[:n]...)...); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

func (e *embedded) copyKey(w *copyWriter, key string) error {
	switch kind := e.mem.mini.Type(key); kind {
	case "string":
		value, err := e.mem.mini.Get(key)
		if err != nil {
			return err
		}
		return w.add("SET", key, value)
	case "hash":
		return e.copyHash(w, key)
	case "zset":
		rows, err := e.rows(Key(key))
		if err != nil {
			return err
		}
		pairs := make([]string, 0, 2*len(rows))
		for _, r := range rows {
			pairs = append(pairs, strconv.FormatFloat(r.score, 'f', -1, 64), r.member)
		}
		return w.chunks("ZADD", key, pairs)
	case "stream":
		entries, err := e.mem.mini.Stream(key)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			if err := w.add(append([]string{"XADD", key, entry.ID}, entry.Values...)...); err != nil {
				return err
			}
		}
		return e.copyEnd(w, key, entries)
	default:
		return fmt.Errorf("key %q is of type %q, which this store does not write", key, kind)
	}
}

// copyEnd keeps the id that a stream gave last, where that entry was taken out: none may come again. The end of a change stream stands beside it.
func (e *embedded) copyEnd(w *copyWriter, key string, entries []miniredis.StreamEntry) error {
	last := e.ids[Key(key)].String()
	_, isChanges := changesPartition(Key(key))
	if isChanges || last == (feed.Position{}).String() || len(entries) > 0 && entries[len(entries)-1].ID == last {
		return nil
	}
	return errors.Join(w.add("XADD", key, last, transferBody, ""), w.add("XDEL", key, last))
}

func (e *embedded) copyHash(w *copyWriter, key string) error {
	fields, err := e.mem.mini.HKeys(key)
	if err != nil {
		return err
	}
	pairs := make([]string, 0, 2*len(fields))
	for _, f := range fields {
		if key != string(MetaKey(0)) || f != metaSum {
			pairs = append(pairs, f, e.mem.mini.HGet(key, f))
		}
	}
	return w.chunks("HSET", key, pairs)
}
