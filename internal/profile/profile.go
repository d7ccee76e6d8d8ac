// Package profile keeps in memory what is shown of users beside their numbers. A Cache is bounded, and what it answers is never older than the last
// Drop of that user.
package profile

import (
	"context"
	"math/rand/v2"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// Profile is what is shown of a user; the zero value is that of a user of whom nothing is to be shown.
type Profile struct {
	Name    string `json:"name,omitempty"`    // as the user is called: 1 to 128 bytes, "" for none
	Picture string `json:"picture,omitempty"` // http or https URL of up to 1,024 bytes, "" for none
}

// Read reads the profiles of users from where they are stored, in their order.
type Read func(ctx context.Context, org activity.Org, users []activity.User) ([]Profile, error)

// Cache holds the profiles that were asked for last. It is safe for concurrent use.
type Cache struct {
	read Read

	mu       sync.Mutex
	known    *simplelru.LRU[feed.UserKey, Profile]
	loads    map[*load]struct{}
	revision uint64
}

// load is a read on its way. What is dropped meanwhile may have been read before it changed, so it is not kept.
type load struct {
	dropped map[feed.UserKey]struct{}
	all     bool
}

// NewCache returns a Cache of at most size users, at least one.
func NewCache(size int, read Read) *Cache {
	known, err := simplelru.NewLRU[feed.UserKey, Profile](max(size, 1), nil)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Cache{read: read, known: known, loads: map[*load]struct{}{}, revision: rand.Uint64()>>1 + 1}
}

// Get returns the profiles of users in their order; those that are not in memory are read together. Errors are those of the read.
func (c *Cache) Get(ctx context.Context, org activity.Org, users []activity.User) ([]Profile, error) {
	out := make([]Profile, len(users))
	var missing []activity.User
	var places []int
	c.mu.Lock()
	for i, u := range users {
		var ok bool
		if out[i], ok = c.known.Get(feed.UserKey{Org: org, User: u}); !ok {
			missing, places = append(missing, u), append(places, i)
		}
	}
	if len(missing) == 0 {
		c.mu.Unlock()
		return out, nil
	}
	l := &load{}
	c.loads[l] = struct{}{}
	c.mu.Unlock()

	found, err := c.read(ctx, org, missing)

	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.loads, l)
	if err != nil {
		return nil, err
	}
	for i, p := range found {
		out[places[i]] = p
		key := feed.UserKey{Org: org, User: missing[i]}
		if _, dropped := l.dropped[key]; !dropped && !l.all {
			c.known.Add(key, p)
		}
	}
	return out, nil
}

// Drop forgets users whose profiles changed. What Get returns to calls that begin after it was read after it.
func (c *Cache) Drop(users []feed.UserKey) {
	if len(users) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision++
	for _, u := range users {
		c.known.Remove(u)
		for l := range c.loads {
			if l.dropped == nil {
				l.dropped = map[feed.UserKey]struct{}{}
			}
			l.dropped[u] = struct{}{}
		}
	}
}

// Reset forgets everybody.
func (c *Cache) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revision++
	c.known.Purge()
	for l := range c.loads {
		l.all = true
	}
}

// Revision moves with every Drop and Reset: profiles that were read at an equal one are equal. It begins anywhere, so that no two caches have one in
// common, and is never 0.
func (c *Cache) Revision() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.revision
}
