package grants_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/grants"
)

// world is a stock and its users as a store has them: documents with versions, of which each commit writes one.
type world struct {
	limit   int64
	stock   []byte
	version int
	holds   map[string]int64
	users   map[activity.User]*person
	now     calendar.Instant
	tokens  int
}

type person struct {
	version int
	has     map[string]bool
}

// actor gives a user a grant, or takes it away, in steps between which others act. It may stop after any of them, and go on at any time.
type actor struct {
	world   *world
	user    activity.User
	grant   string
	issue   bool
	step    int
	version int    // of the user
	token   string // of the hold
	done    bool
}

const oldAfter = calendar.Instant(10)

var errStale = errors.New("stale")

// writeStock is a commit that expects the stock as it was read.
func (w *world) writeStock(read int, s *grants.Stock, write func()) error {
	if w.version != read {
		return errStale
	}
	content, err := s.Content()
	if err != nil {
		return err
	}
	w.stock = content
	w.version++
	write()
	return nil
}

func (a *actor) act() {
	u := a.world.users[a.user]
	switch a.step {
	case 0: // read the user
		a.version = u.version
		if a.done = u.has[a.grant] == a.issue; !a.done {
			a.step = 1
		}
	case 1:
		a.open()
	case 2: // commit the user
		if u.version != a.version {
			a.step = 0
			return
		}
		u.version++
		u.has[a.grant] = a.issue
		a.step = 3
	case 3:
		a.settle()
		a.done = true
	}
}

func (a *actor) open() {
	w := a.world
	s, read := must(grants.ParseStock(w.stock)), w.version
	w.tokens++
	a.token = fmt.Sprint(w.tokens)
	h := grants.Hold{Key: grants.HoldOf(a.user, a.grant), Pieces: 1, User: a.user, Grant: a.grant, Token: a.token, At: w.now}
	if !a.issue {
		if s.Give(h, w.holds[h.Key]) && w.writeStock(read, &s, func() {}) != nil {
			panic("nobody was between")
		}
		a.step = 2
		return
	}
	added, ok := s.Take(h, w.holds[h.Key], w.limit)
	if !ok {
		a.done = true
		return
	}
	if w.writeStock(read, &s, func() {
		if added {
			w.holds[h.Key] = h.Pieces
		}
	}) != nil {
		panic("nobody was between")
	}
	a.step = 2
}

func (a *actor) settle() {
	w := a.world
	s, read := must(grants.ParseStock(w.stock)), w.version
	key := grants.HoldOf(a.user, a.grant)
	removed, changed := s.Settle(key, a.token, a.issue)
	if changed && w.writeStock(read, &s, func() {
		if removed {
			delete(w.holds, key)
		}
	}) != nil {
		panic("nobody was between")
	}
}

// keeper settles an old hold, in steps as well.
type keeper struct {
	world *world
	step  int
	read  int
	stock grants.Stock
	hold  grants.Hold
	had   bool
}

func (k *keeper) act() {
	w := k.world
	switch k.step {
	case 0:
		k.stock, k.read = must(grants.ParseStock(w.stock)), w.version
		if old := k.stock.OpenSince(w.now - oldAfter); len(old) > 0 {
			k.hold, k.step = old[0], 1
		}
	case 1: // ask the user, whose version moves
		u := w.users[k.hold.User]
		u.version++
		k.had, k.step = u.has[k.hold.Grant], 2
	case 2:
		k.step = 0
		removed, _ := k.stock.Settle(k.hold.Key, k.hold.Token, k.had)
		_ = w.writeStock(k.read, &k.stock, func() { // stale: another time
			if removed {
				delete(w.holds, k.hold.Key)
			}
		})
	}
}

func (w *world) had() (pieces int64) {
	for _, u := range w.users {
		for _, has := range u.has {
			if has {
				pieces++
			}
		}
	}
	return pieces
}

// Whoever acts in between, stops, or comes late: never is more given than there is, and in the end the stock has what users have.
func TestStock_Interleavings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{limit: rapid.Int64Range(0, 3).Draw(t, "limit"), holds: map[string]int64{}, now: 1,
			users: map[activity.User]*person{"ann": {has: map[string]bool{}}, "bob": {has: map[string]bool{}}}}
		var actors []*actor
		keepers := []*keeper{{world: w}, {world: w}}
		for range rapid.IntRange(0, 80).Draw(t, "steps") {
			switch n := rapid.IntRange(0, 9).Draw(t, "who"); {
			case n < 2 || len(actors) == 0:
				actors = append(actors, &actor{world: w, user: rapid.SampledFrom([]activity.User{"ann", "bob"}).Draw(t, "user"),
					grant: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "grant"), issue: rapid.Bool().Draw(t, "issue")})
			case n < 8:
				if a := rapid.SampledFrom(actors).Draw(t, "actor"); !a.done {
					a.act()
				}
			case n == 8:
				rapid.SampledFrom(keepers).Draw(t, "keeper").act()
			default:
				w.now += calendar.Instant(rapid.Int64Range(1, 12).Draw(t, "later"))
			}
			w.check(t)
		}
		if rapid.Bool().Draw(t, "all go on") {
			for _, a := range actors {
				for !a.done {
					a.act()
					w.check(t)
				}
			}
		}
		w.now += oldAfter
		for range 60 {
			for _, k := range keepers[:1] {
				k.act()
			}
		}
		s := must(grants.ParseStock(w.stock))
		if diff := cmp.Diff(grants.Stock{Held: w.had()}, s); diff != "" {
			t.Fatalf("in the end (-users +stock)\n%s", diff)
		}
		if int64(len(w.holds)) != w.had() {
			t.Fatalf("holds %v, users have %d", w.holds, w.had())
		}
	})
}

func (w *world) check(t *rapid.T) {
	s := must(grants.ParseStock(w.stock))
	sum := int64(0)
	for n := range maps.Values(w.holds) {
		sum += n
	}
	if s.Held != sum || s.Held > w.limit || w.had() > s.Held {
		t.Fatalf("of %d pieces %d are held, %d by the hash; users have %d", w.limit, s.Held, sum, w.had())
	}
}
