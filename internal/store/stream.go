package store

import (
	"context"
	"fmt"
	"sort"

	"laurel/internal/feed"
)

// streamEntry is an entry of a stream, valid as long as nothing else is read.
type streamEntry struct {
	id    feed.Position
	field func(name string) string // "" for one that it does not have
}

func (r *remote) stream(ctx context.Context, k Key, after feed.Position, limit int, yield func(streamEntry) error) error {
	entries, err := r.client.XRangeN(ctx, string(k), "("+after.String(), "+", int64(limit)).Result()
	if err != nil {
		return unavailable("read "+string(k), err)
	}
	for i := range entries {
		field := func(name string) string { s, _ := entries[i].Values[name].(string); return s }
		if err := giveEntry(entries[i].ID, field, yield); err != nil {
			return err
		}
	}
	return nil
}

// stream reads the server's own list, while only this goroutine may write: its XRANGE would walk the whole stream.
func (e *embedded) stream(ctx context.Context, k Key, after feed.Position, limit int, yield func(streamEntry) error) error {
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-e.turn }()
	if !e.mem.mini.Exists(string(k)) {
		return nil
	}
	entries, err := e.mem.mini.Stream(string(k))
	if err != nil {
		return fmt.Errorf("read %q: %w", k, err)
	}
	from := sort.Search(len(entries), func(i int) bool {
		id, err := feed.ParsePosition(entries[i].ID)
		return err == nil && id.Compare(after) > 0
	})
	for _, entry := range entries[from:min(from+limit, len(entries))] {
		field := func(name string) string {
			for j := 0; j+1 < len(entry.Values); j += 2 { // field, value pairs
				if entry.Values[j] == name {
					return entry.Values[j+1]
				}
			}
			return ""
		}
		if err := giveEntry(entry.ID, field, yield); err != nil {
			return err
		}
	}
	return nil
}

func giveEntry(id string, field func(string) string, yield func(streamEntry) error) error {
	at, err := feed.ParsePosition(id)
	if err != nil {
		return err
	}
	return yield(streamEntry{at, field})
}
