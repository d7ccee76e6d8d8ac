package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

func texts(pairs ...string) ingest.UserChange {
	c := ingest.UserChange{Create: true, Profile: profile.Change{Texts: map[string]string{}}}
	for i := 0; i < len(pairs); i += 2 {
		c.Profile.Texts[pairs[i]] = pairs[i+1]
	}
	return c
}

// two are two nodes on one store, which know the org.
func two(t *testing.T, o store.Options) ([]*node, activity.Org) {
	t.Helper()
	a, b := startNode(t, o), startNode(t, o)
	org := a.publish(t, fmt.Sprintf(definitions, "org"))
	if _, err := b.registry.Reload(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	a.set(noon)
	b.set(noon)
	return []*node{a, b}, org
}

func TestSetUser_UniqueValues(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		n, org := startOrg(t, o)
		set := func(user activity.User, want error, pairs ...string) {
			t.Helper()
			if err := n.SetUser(t.Context(), org, user, texts(pairs...)); !errors.Is(err, want) {
				t.Errorf("%s %v: %v, want %v", user, pairs, err, want)
			}
		}
		find := func(field, text string, want activity.User) {
			t.Helper()
			got, err := n.Find(t.Context(), org, field, text)
			if got != want || (err == nil) != (want != "") {
				t.Errorf("%s %q: %q, %v; want %q", field, text, got, err, want)
			}
		}
		set("ann", nil, "email", "Ann@X.org", "number", "7", "username", "ann", "external_id", "1")
		set("bob", ingest.ErrTaken, "email", "ann@x.ORG", "username", "bob")
		find("username", "bob", "")
		if _, err := n.State(t.Context(), org, "bob"); !errors.Is(err, ingest.ErrUserNotFound) {
			t.Errorf("a refused change made a user: %v", err)
		}
		set("bob", nil, "email", "bob@x.org", "username", "Ann")
		set("ann", nil, "email", "ANN@x.org") // the same one
		find("email", "aNN@x.org", "ann")
		find("number", "07", "ann")
		find("username", "Ann", "bob")
		find("external_id", "1", "ann")
		set("ann", nil, "email", "new@x.org", "number", "")
		find("email", "ann@x.org", "")
		find("number", "7", "")
		set("bob", nil, "email", "ann@x.org", "number", "7")
		find("email", "ann@x.org", "bob")
		if err := n.Merge(t.Context(), org, "bob", "ann"); err != nil {
			t.Fatal(err)
		}
		find("email", "ann@x.org", "")
		set("eve", nil, "email", "ann@x.org", "number", "7")
		for _, u := range []activity.User{"eve", "ann"} {
			if err := n.Delete(t.Context(), org, u); err != nil {
				t.Fatal(err)
			}
		}
		if left := claims(t, n, org); len(left) > 0 {
			t.Errorf("claims are left: %v", left)
		}
	})
}

// A user whose commit was decided while the value was its own, and comes late, must not have it beside the one who took it over.
func TestSetUser_ALateCommitTakesNothing(t *testing.T) {
	t.Parallel()
	nodes, org := two(t, store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 2})
	slow, fast := nodes[0], nodes[1]
	decided, goOn := make(chan struct{}), make(chan struct{})
	var noted, once sync.Once
	slow.OnStep(func(name string) error {
		if name != "decided" { // of the note first, then of the profile
			return nil
		}
		first := false
		if noted.Do(func() { first = true }); first {
			return nil
		}
		once.Do(func() {
			close(decided)
			<-goOn
		})
		return nil
	})
	result := make(chan error, 1)
	go func() {
		result <- slow.SetUser(context.WithoutCancel(t.Context()), org, "bob", texts("email", "a@x.org"))
	}()
	<-decided
	if err := fast.SetUser(t.Context(), org, "ann", texts("email", "a@x.org")); !errors.Is(err, ingest.ErrTaken) {
		t.Errorf("at once: %v, want ErrTaken", err)
	}
	fast.set(noon.Add(time.Minute))
	if err := fast.SetUser(t.Context(), org, "ann", texts("email", "a@x.org")); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	if err := <-result; !errors.Is(err, ingest.ErrTaken) {
		t.Errorf("the late one: %v, want ErrTaken", err)
	}
	if got := shown(t, fast, org, "email", "ann", "bob"); !slices.Equal(got["a@x.org"], []activity.User{"ann"}) {
		t.Errorf("shown by %v", got)
	}
}

// claims are the claim documents of an org as stored.
func claims(t *testing.T, n *node, org activity.Org) map[string]string {
	t.Helper()
	all := map[string]string{}
	for p := range n.store.Partitions() {
		prefix := fmt.Sprintf("{%d}:x:%s:", p, org)
		keys, err := n.store.Client().Keys(t.Context(), prefix+"*").Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			doc, err := n.store.Client().Get(t.Context(), k).Result()
			if err != nil {
				t.Fatal(err)
			}
			all[strings.TrimPrefix(k, prefix)] = doc[store.VersionLen:]
		}
	}
	return all
}

// shown is who shows each value of a field, of users who are there and were not merged.
func shown(t *testing.T, n *node, org activity.Org, field string, users ...activity.User) map[string][]activity.User {
	t.Helper()
	by := map[string][]activity.User{}
	for _, u := range users {
		if _, err := n.State(t.Context(), org, u); err != nil {
			continue
		}
		hash, err := n.store.Hash(t.Context(), store.ProfileKey(n.store.PartitionOf(org, u), org, u))
		if err != nil {
			t.Fatal(err)
		}
		if v := hash[field]; v != "" {
			by[v] = append(by[v], u)
		}
	}
	return by
}

var errStep = errors.New("the node stopped here")

// contest is some users who want the same few values, on two nodes that stop in the middle of what they do.
type contest struct {
	t      *testing.T
	nodes  []*node
	org    activity.Org
	users  []activity.User
	values []string
	*chance
}

func (c *contest) onStep(name string) error {
	for range c.draw(4) {
		runtime.Gosched()
	}
	return c.chance.onStep(name)
}

// act does something to somebody, and says what.
func (c *contest) act() (what string, err error) {
	n, user, ctx := c.nodes[c.draw(len(c.nodes))], c.users[c.draw(len(c.users))], context.Background()
	switch c.draw(16) {
	case 0:
		return "delete " + string(user), n.Delete(ctx, c.org, user)
	case 1:
		into := c.users[c.draw(len(c.users))]
		return fmt.Sprint("merge ", user, " into ", into), n.Merge(ctx, c.org, user, into)
	case 2:
		return "take from " + string(user), n.SetUser(ctx, c.org, user, texts("email", "", "username", ""))
	case 3:
		change := texts("email", c.values[c.draw(len(c.values))], "username", c.values[c.draw(len(c.values))])
		return fmt.Sprint(user, change.Profile.Texts), n.SetUser(ctx, c.org, user, change)
	}
	change := texts([]string{"email", "username"}[c.draw(2)], c.values[c.draw(len(c.values))])
	return fmt.Sprint(user, change.Profile.Texts), n.SetUser(ctx, c.org, user, change)
}

// check compares what users show with what is found.
func (c *contest) check(round int) {
	c.t.Helper()
	for _, field := range []string{"email", "username"} {
		by := shown(c.t, c.nodes[0], c.org, field, c.users...)
		for _, v := range c.values {
			if len(by[v]) > 1 {
				c.t.Fatalf("round %d: %s %s is shown by %v", round, field, v, by[v])
			}
			want := append(by[v], "")[0]
			for _, n := range c.nodes {
				got, err := n.Find(c.t.Context(), c.org, field, v)
				if got != want || err != nil && !errors.Is(err, ingest.ErrUserNotFound) {
					c.t.Fatalf("round %d: %s %s is shown by %q and found with %q, %v", round, field, v, want, got, err)
				}
			}
		}
	}
}

// later lets time pass. The second node's clock is a minute fast: what the first one does just now looks abandoned to it.
func (c *contest) later(d time.Duration) {
	now := time.UnixMilli(int64(c.nodes[0].clock.Now())).Add(d)
	for i, n := range c.nodes {
		n.set(now.Add(time.Duration(i) * time.Minute))
	}
}

func TestSetUser_ContestedValues(t *testing.T) {
	t.Parallel()
	eachServer(t, 3, contestedValues)
}

func contestedValues(t *testing.T, o store.Options) {
	c := &contest{t: t, chance: newChance(t), users: []activity.User{"ann", "bob", "eve", "zoë:1"}, values: []string{"a@x.org", "b@x.org", "c@x.org"}}
	c.nodes, c.org = two(t, o)
	for _, n := range c.nodes {
		n.OnStep(c.onStep)
	}
	c.later(0)
	done := map[string]int{}
	for round := range 300 {
		c.fail([]int{0, 5, 20}[c.draw(3)])
		var acting sync.WaitGroup
		for range 1 + c.draw(6) {
			acting.Go(func() {
				what, err := c.act()
				for _, known := range []error{errStep, ingest.ErrTaken, ingest.ErrConflict, ingest.ErrUserNotFound, ingest.ErrUserMerged, ingest.ErrSameUser} {
					if errors.Is(err, known) {
						c.mu.Lock()
						done[known.Error()]++
						c.mu.Unlock()
						return
					}
				}
				if err != nil {
					t.Errorf("round %d: %s: %v", round, what, err)
				}
			})
		}
		acting.Wait()
		c.check(round)
		c.later([]time.Duration{0, time.Second, 40 * time.Second, 6 * time.Minute}[c.draw(4)])
	}
	t.Logf("%d steps failed; answers %v", c.stops(), done)
	c.fail(0)
	c.settle()
}

// settle ends what stopped, and sees that no claim blocks a value that nobody shows, and that none is left of who is deleted.
func (c *contest) settle() {
	n := c.nodes[1]
	c.later(10 * time.Minute)
	if err := n.SweepNow(c.t.Context()); err != nil { // merges that stopped
		c.t.Fatal(err)
	}
	for _, field := range []string{"email", "username"} {
		by := shown(c.t, n, c.org, field, c.users...)
		for i, v := range c.values {
			user := activity.User(fmt.Sprint("new", i))
			want := error(nil)
			if len(by[v]) > 0 {
				want = ingest.ErrTaken
			}
			if err := n.SetUser(c.t.Context(), c.org, user, texts(field, v)); !errors.Is(err, want) {
				c.t.Errorf("%s %s, shown by %v: %v, want %v", field, v, by[v], err, want)
			}
			c.users = append(c.users, user)
		}
	}
	for _, u := range c.users {
		var err error
		for range 100 {
			if err = n.Delete(c.t.Context(), c.org, u); !errors.Is(err, ingest.ErrConflict) {
				break
			}
			c.later(10 * time.Minute)
		}
		if err != nil && !errors.Is(err, ingest.ErrUserNotFound) && !errors.Is(err, ingest.ErrUserMerged) {
			c.t.Errorf("delete %s: %v", u, err)
		}
	}
	if diff := cmp.Diff(map[string]string{}, claims(c.t, n, c.org)); diff != "" {
		c.t.Errorf("claims are left (-want +got)\n%s", diff)
	}
}
