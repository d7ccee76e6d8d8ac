package recent

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// world is a store of versions, and what a Users has been told of it.
type world struct {
	*Users[string]
	stored map[feed.UserKey]int // the version of each user in the store
	told   map[feed.UserKey]int // and up to which its change was told
	open   []reading
}

// reading is a value on its way.
type reading struct {
	visit *Visit
	key   feed.UserKey
	read  int // the version that was read; 0: not yet
}

// TestUsers_NothingOlderThanADrop: however reads, writes and the news of them fall together, what is given is as new as what was told, and within the bound.
func TestUsers_NothingOlderThanADrop(t *testing.T) {
	const limit = 3*overhead + 30
	rapid.Check(t, func(t *rapid.T) {
		w := &world{Users: New[string](limit), stored: map[feed.UserKey]int{}, told: map[feed.UserKey]int{}}
		user := rapid.Custom(func(t *rapid.T) feed.UserKey {
			return feed.UserKey{Org: "o", User: activity.User(rapid.StringMatching("[a-e]").Draw(t, "user"))}
		})
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.step(t, user.Draw(t, "of"))
			w.check(t)
		}
	})
}

func (w *world) step(t *rapid.T, key feed.UserKey) {
	switch rapid.IntRange(0, 7).Draw(t, "step") {
	case 0:
		w.stored[key]++
	case 1: // told of one change, of which there may be more
		if w.told[key] < w.stored[key] {
			w.told[key]++
			w.Drop([]feed.UserVersion{{Org: key.Org, User: key.User, Version: fmt.Sprint(w.told[key])}})
		}
	case 2:
		w.open = append(w.open, reading{visit: w.Begin(key), key: key})
	case 3, 4:
		for i := range w.open {
			if w.open[i].key == key {
				w.open[i].read = w.stored[key]
			}
		}
	case 5, 6:
		for i, r := range w.open {
			if r.key == key && r.read > 0 {
				w.Keep(r.visit, fmt.Sprint(r.read), fmt.Sprint(r.read), rapid.IntRange(1, 20).Draw(t, "bytes"))
				w.End(r.visit)
				w.open = append(w.open[:i], w.open[i+1:]...)
				return
			}
		}
	case 7:
		if v, ok := w.Get(key); ok {
			w.Replace(key, v, v, rapid.IntRange(1, 20).Draw(t, "other bytes"))
			w.Replace(key, v+"?", "never", 1)
		}
	}
}

func (w *world) check(t *rapid.T) {
	bytes := 0
	for _, key := range w.known.Keys() {
		i, _ := w.known.Peek(key)
		bytes += i.bytes
		var v int
		if _, err := fmt.Sscan(i.value, &v); err != nil || v < w.told[key] {
			t.Fatalf("%v is kept as of %q; told of %d", key, i.value, w.told[key])
		}
	}
	if bytes != w.bytes || bytes > w.limit {
		t.Fatalf("%d bytes are kept, counted as %d, of at most %d", bytes, w.bytes, w.limit)
	}
	for key, v := range w.visits {
		if v.readers < 1 || v.dropped || v.key != key {
			t.Fatalf("visit %+v of %v", v, key)
		}
	}
	if len(w.open) == 0 && len(w.visits) > 0 {
		t.Fatalf("%d visits are left of no reader", len(w.visits))
	}
}

func TestUsers_Reset(t *testing.T) {
	u, key := New[string](1<<20), feed.UserKey{Org: "o", User: "ann"}
	before := u.Begin(key)
	u.Keep(before, "1", "kept", 1)
	u.Reset()
	if v, ok := u.Get(key); ok {
		t.Errorf("%q is left", v)
	}
	u.Keep(before, "1", "read before", 1)
	u.End(before)
	if v, ok := u.Get(key); ok {
		t.Errorf("%q is kept, which was read before", v)
	}
	after := u.Begin(key)
	u.Keep(after, "2", "after", 1)
	u.End(after)
	if v, ok := u.Get(key); !ok || v != "after" {
		t.Errorf("after it %q, %v is kept", v, ok)
	}
}

// TestUsers_WhatIsWrittenStays: who has made a value of the version that is told of need not make it again.
func TestUsers_WhatIsWrittenStays(t *testing.T) {
	u, key := New[string](1<<20), feed.UserKey{Org: "o", User: "ann"}
	v := u.Begin(key)
	u.Keep(v, "2", "two", 1)
	u.End(v)
	u.Drop([]feed.UserVersion{{Org: "o", User: "ann", Version: "2"}})
	if v, ok := u.Get(key); !ok || v != "two" {
		t.Errorf("%q, %v is kept", v, ok)
	}
	u.Drop([]feed.UserVersion{{Org: "o", User: "ann"}}) // deleted
	if v, ok := u.Get(key); ok {
		t.Errorf("%q is kept of one who was deleted", v)
	}
}
