package store

import (
	"context"
	"strconv"
	"time"

	"laurel/internal/feed"
)

// A deleted user's keys go with the commit. What names the user then is the change stream, the deletion's own entry last of all, and the embedded
// store's file, to which commits are only ever added. So change entries go at a certain age, however quiet the store is, and the file is written anew
// when those of a deletion have gone, at most once in that time: twice the age after it nothing is left. (A server's own append-only file,
// its snapshots and backups are the operator's.)

// trimEvery is how often old entries are looked for: a part of their age, and often enough that a page of an hour is no surprise.
const trimEvery = time.Minute

func (s *Store) trim(ctx context.Context) {
	t := time.NewTicker(max(min(trimEvery, s.age/4), time.Millisecond))
	defer t.Stop()
	for {
		if err := s.driver.trim(ctx, s.partitions, s.age); err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("old change entries could not be removed; trying again")
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (e *embedded) trim(ctx context.Context, partitions int, age time.Duration) error {
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-e.turn }()
	first := feed.Position{Ms: uint64(max(e.now().Add(-age).UnixMilli(), 0))}
	for p := range partitions {
		key := ChangesKey(Partition(p))
		left := e.history(Partition(p)).dropBefore(first)
		if !e.mem.mini.Exists(string(key)) {
			continue
		}
		// By number: the server looks each entry up that it removes by its id.
		if _, err := e.mem.do("XTRIM", string(key), "MAXLEN", strconv.Itoa(left)); err != nil {
			return err
		}
	}
	if e.deleted == (feed.Position{}) || e.deleted.Compare(first) >= 0 || first.Ms < e.forgot.Ms+uint64(age.Milliseconds()) && e.forgot.Ms <= first.Ms {
		return nil
	}
	return e.forget(first, partitions)
}

// forget writes the file anew, from which users then are gone whose deletions lie before first.
func (e *embedded) forget(first feed.Position, partitions int) error {
	e.mu.Lock()
	dead := e.dead
	e.mu.Unlock()
	if dead != nil {
		return dead
	}
	was := e.file.f
	if err := e.rewrite(); err != nil {
		return e.die(err)
	}
	if e.file.f == was {
		return nil // it failed, and is tried again
	}
	e.deleted, e.forgot = feed.Position{}, first
	for p := range partitions {
		if err := e.findDeleted(Partition(p)); err != nil {
			return err
		}
	}
	return nil
}

func (e *embedded) noteDeleted(at feed.Position) {
	if e.deleted == (feed.Position{}) || at.Compare(e.deleted) < 0 {
		e.deleted = at
	}
}

// deletedUser says whether a command deletes a user's state.
func deletedUser(words []string) (Partition, bool) {
	if words[0] != "DEL" {
		return 0, false
	}
	n := parseKey(words[1])
	return n.Partition, n.Kind == StateOf
}

// findDeleted looks for deletions in a history: a file that was rewritten has the entries, but not the commands.
func (e *embedded) findDeleted(p Partition) error {
	h := e.history(p)
	for i := range h.entries {
		c, err := h.entries[i].decode(p)
		if err != nil {
			return err
		}
		for _, u := range c.Users {
			if u.Version == "" {
				e.noteDeleted(c.ID)
			}
		}
	}
	return nil
}
