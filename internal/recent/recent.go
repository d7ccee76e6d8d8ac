// Package recent keeps in memory what was made lately of what the store has of users. Users is bounded in bytes, and what it gives is never older than the last Drop of
// that user.
package recent

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"laurel/internal/feed"
)

// Users keeps a value of each user that was asked for last. Values are shared by readers and must not be changed. It is safe for concurrent use.
//
// Who makes a value says before the first read of the store that it begins, and what is dropped before the value is there is not kept: it may have been
// read before it changed.
type Users[V comparable] struct {
	limit int

	mu     sync.Mutex
	known  *simplelru.LRU[feed.UserKey, item[V]]
	bytes  int // of all in known
	visits map[feed.UserKey]*Visit
}

type item[V comparable] struct {
	value   V
	version string
	bytes   int
}

// Visit is that values of a user are being made, by one or more readers. It is good until the user is dropped.
type Visit struct {
	key     feed.UserKey
	readers int
	dropped bool
}

// overhead is what an entry takes beside its value, roughly.
const overhead = 256

// New returns a Users of at most limit bytes.
func New[V comparable](limit int) *Users[V] {
	u := &Users[V]{limit: limit, visits: map[feed.UserKey]*Visit{}}
	var err error
	u.known, err = simplelru.NewLRU(math.MaxInt32, func(_ feed.UserKey, i item[V]) { u.bytes -= i.bytes })
	if err != nil {
		panic(err) // only for a size below 1
	}
	return u
}

// Get returns what is kept of a user.
func (u *Users[V]) Get(key feed.UserKey) (V, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i, ok := u.known.Get(key)
	return i.value, ok
}

// Begin is called before the first read of the store for a value of the user, and End after the last use of the visit.
func (u *Users[V]) Begin(key feed.UserKey) *Visit {
	u.mu.Lock()
	defer u.mu.Unlock()
	v := u.visits[key]
	if v == nil {
		v = &Visit{key: key}
		u.visits[key] = v
	}
	v.readers++
	return v
}

// End is documented at Begin.
func (u *Users[V]) End(v *Visit) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if v.readers--; v.readers == 0 && !v.dropped {
		delete(u.visits, v.key)
	}
}

// Keep keeps a value of so many bytes that was made of the user at a version, in place of any other; not if the user was dropped since the visit began.
func (u *Users[V]) Keep(v *Visit, version string, value V, bytes int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !v.dropped {
		u.putLocked(v.key, item[V]{value, version, bytes + overhead})
	}
}

// Replace puts another value that was made of the same as was in its place, if that is still what is kept.
func (u *Users[V]) Replace(key feed.UserKey, was, is V, bytes int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if i, ok := u.known.Peek(key); ok && i.value == was {
		u.putLocked(key, item[V]{is, i.version, bytes + overhead})
	}
}

func (u *Users[V]) putLocked(key feed.UserKey, i item[V]) {
	u.known.Remove(key)
	u.known.Add(key, i)
	for u.bytes += i.bytes; u.bytes > u.limit; {
		u.known.RemoveOldest()
	}
}

// Drop forgets users who were written, but for what was made of them as written. What Get returns to calls that begin after it was read after it.
func (u *Users[V]) Drop(users []feed.UserVersion) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known.Len() == 0 && len(u.visits) == 0 {
		return
	}
	for i := range users {
		key := feed.UserKey{Org: users[i].Org, User: users[i].User}
		if have, ok := u.known.Peek(key); ok && have.version != users[i].Version {
			u.known.Remove(key)
		}
		if v := u.visits[key]; v != nil {
			u.dropLocked(v)
		}
	}
}

// Reset forgets everybody.
func (u *Users[V]) Reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.known.Purge()
	for _, v := range u.visits {
		u.dropLocked(v)
	}
}

func (u *Users[V]) dropLocked(v *Visit) {
	v.dropped = true
	delete(u.visits, v.key)
}
