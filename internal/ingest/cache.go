package ingest

import (
	"sync"

	"laurel/internal/store"
)

// cached is a state as it stands in the store. It is kept encoded: that takes a fraction of the memory and, without pointers inside, next to nothing of
// the garbage collector's time; taking it apart again is about a microsecond.
type cached struct {
	version store.Version
	content string
}

// cache keeps a bounded number of states. Which one gives way is decided as a clock does: the hand passes over those that were asked for since
// it came by last. That is nearly the order of last use, without a list that every look-up changes. It is safe for concurrent use.
//
// Invariant: at[slots[i].key] == i for each slot in use, and nothing else is in at.
type cache struct {
	limit int

	mu    sync.Mutex
	at    map[store.Key]int32
	slots []slot
	free  []int32 // slots not in use
	hand  int
}

type slot struct {
	key  store.Key
	used bool // since the hand came by
	cached
}

func newCache(limit int) *cache { return &cache{limit: max(limit, 1), at: map[store.Key]int32{}} }

func (c *cache) get(key store.Key) (cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.at[key]
	if !ok {
		return cached{}, false
	}
	c.slots[i].used = true
	return c.slots[i].cached, true
}

func (c *cache) add(key store.Key, s cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.at[key]
	if !ok {
		i = c.roomLocked()
		c.at[key] = i
		c.slots[i].key = key
	}
	c.slots[i].used, c.slots[i].cached = ok, s // a new one has a whole turn of the hand anyway
}

// roomLocked is a slot that is free, if need be because its state gave way.
func (c *cache) roomLocked() int32 {
	if n := len(c.free); n > 0 {
		i := c.free[n-1]
		c.free = c.free[:n-1]
		return i
	}
	if len(c.slots) < c.limit {
		c.slots = append(c.slots, slot{})
		return int32(len(c.slots) - 1)
	}
	for ; c.slots[c.hand].used; c.hand = (c.hand + 1) % len(c.slots) {
		c.slots[c.hand].used = false
	}
	i := c.hand
	c.hand = (c.hand + 1) % len(c.slots)
	delete(c.at, c.slots[i].key)
	return int32(i)
}

func (c *cache) remove(key store.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeLocked(key)
}

// removeOther removes a state unless it has the version.
func (c *cache) removeOther(key store.Key, version store.Version) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.at[key]; ok && c.slots[i].version != version {
		c.removeLocked(key)
	}
}

func (c *cache) removeLocked(key store.Key) {
	i, ok := c.at[key]
	if !ok {
		return
	}
	delete(c.at, key)
	c.slots[i] = slot{}
	c.free = append(c.free, i)
}

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.slots, c.free, c.hand = map[store.Key]int32{}, nil, nil, 0
}
