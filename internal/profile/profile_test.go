package profile

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
)

// source is where profiles are stored; during, if set, happens after it has been read and before the reader has the answer.
type source struct {
	names  map[activity.User]string
	reads  [][]activity.User
	during func()
	err    error
}

func (s *source) read(_ context.Context, _ activity.Org, users []activity.User) ([]Profile, error) {
	s.reads = append(s.reads, users)
	out := make([]Profile, len(users))
	for i, u := range users {
		out[i].Name = s.names[u]
	}
	if s.during != nil {
		s.during()
	}
	return out, s.err
}

func names(t *testing.T, c *Cache, users ...activity.User) []string {
	t.Helper()
	ps, err := c.Get(t.Context(), "o", users)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.Name
	}
	return out
}

func ada() []feed.UserKey { return []feed.UserKey{{Org: "o", User: "ada"}} }

func TestCache_ReadsTheMissingTogether(t *testing.T) {
	s := &source{names: map[activity.User]string{"ada": "Ada", "bob": "Bob", "eve": "Eve"}}
	c := NewCache(10, s.read)
	names(t, c, "bob")
	if diff := cmp.Diff([]string{"Ada", "Bob", "", "Eve"}, names(t, c, "ada", "bob", "nobody", "eve")); diff != "" {
		t.Error(diff)
	}
	names(t, c, "eve", "nobody")
	if diff := cmp.Diff([][]activity.User{{"bob"}, {"ada", "nobody", "eve"}}, s.reads); diff != "" {
		t.Error(diff)
	}
}

func TestCache_DropForgets(t *testing.T) {
	s := &source{names: map[activity.User]string{"ada": "Ada"}}
	c := NewCache(10, s.read)
	names(t, c, "ada")
	s.names["ada"] = "Countess"
	before := c.Revision()
	c.Drop(ada())
	if got := names(t, c, "ada"); got[0] != "Countess" || c.Revision() == before {
		t.Errorf("%q at revision %d, %d before", got, c.Revision(), before)
	}
	s.names["ada"] = "Lovelace"
	c.Reset()
	if got := names(t, c, "ada"); got[0] != "Lovelace" {
		t.Error(got)
	}
}

// What was read before a change must not be kept after it, however long the answer took.
func TestCache_ChangeDuringARead(t *testing.T) {
	for name, forget := range map[string]func(*Cache){"drop": func(c *Cache) { c.Drop(ada()) }, "reset": (*Cache).Reset} {
		t.Run(name, func(t *testing.T) {
			s := &source{names: map[activity.User]string{"ada": "Ada", "bob": "Bob"}}
			c := NewCache(10, s.read)
			s.during = func() {
				s.during = nil
				s.names["ada"] = "Countess"
				forget(c)
			}
			names(t, c, "ada", "bob")
			if got := names(t, c, "ada"); got[0] != "Countess" {
				t.Errorf("%q was kept", got)
			}
		})
	}
}

func TestCache_IsBounded(t *testing.T) {
	s := &source{}
	c := NewCache(3, s.read)
	for i := range 10 {
		names(t, c, activity.User(fmt.Sprint(i)))
	}
	if n := c.known.Len(); n != 3 || len(c.loads) != 0 {
		t.Errorf("%d users, %d loads", n, len(c.loads))
	}
}

func TestCache_FailedRead(t *testing.T) {
	s := &source{err: errors.New("down")}
	c := NewCache(3, s.read)
	if _, err := c.Get(t.Context(), "o", []activity.User{"ada"}); !errors.Is(err, s.err) {
		t.Error(err)
	}
	s.err, s.names = nil, map[activity.User]string{"ada": "Ada"}
	if got := names(t, c, "ada"); got[0] != "Ada" || len(c.loads) != 0 {
		t.Errorf("%q, %d loads", got, len(c.loads))
	}
}
