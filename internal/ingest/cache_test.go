package ingest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"laurel/internal/store"
)

// TestCache_NeverGivesAnother: what is asked for is what was put there last, or nothing; never more than the limit; and what was just put there is there.
func TestCache_NeverGivesAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		c := newCache(limit)
		latest := map[store.Key]cached{}
		for step := range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := store.Key(fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "key")))
			v := cached{store.Version(fmt.Sprint(step % 3)), fmt.Sprint(step)}
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				c.remove(key)
				delete(latest, key)
			case 1:
				if c.removeOther(key, v.version); latest[key].version != v.version {
					delete(latest, key)
				}
			case 2:
				c.clear()
				clear(latest)
			case 3, 4, 5, 6:
				c.add(key, v)
				latest[key] = v
				if got, ok := c.get(key); !ok || got != v {
					t.Fatalf("just put there: %v, %v", got, ok)
				}
			}
			held := 0
			for i := range 10 {
				k := store.Key(fmt.Sprint(i))
				at, in := c.at[k]
				if !in {
					continue
				}
				held++
				if want := latest[k]; c.slots[at].key != k || c.slots[at].cached != want {
					t.Fatalf("%s: %+v, want %+v", k, c.slots[at], want)
				}
			}
			if held != len(c.at) || held > limit || held+len(c.free) != len(c.slots) {
				t.Fatalf("%d held of at most %d, %d slots of which %d free", held, limit, len(c.slots), len(c.free))
			}
		}
	})
}

// TestCache_KeepsWhatIsAskedFor: one that is asked for between any two additions never gives way.
func TestCache_KeepsWhatIsAskedFor(t *testing.T) {
	c := newCache(4)
	c.add("kept", cached{"v", "1"})
	for i := range 100 {
		if _, ok := c.get("kept"); !ok {
			t.Fatalf("gone after %d others", i)
		}
		c.add(store.Key(fmt.Sprint(i)), cached{})
	}
	if _, ok := c.get("3"); ok {
		t.Error("what nobody asked for is there after 96 others")
	}
}
