package closing_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"laurel/internal/activity"
	"laurel/internal/closing"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// teller commits events of users.
type teller struct {
	s        *store.Store
	mu       sync.Mutex
	versions map[activity.User]store.Version
	told     map[activity.User][]string // the bodies, in order
}

func newTeller(s *store.Store) *teller {
	return &teller{s: s, versions: map[activity.User]store.Version{}, told: map[activity.User][]string{}}
}

// tell commits n events of a type. One goroutine tells of a user.
func (e *teller) tell(t *testing.T, user activity.User, kind string, n int) store.Result {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.s.PartitionOf(org, user)
	g := store.Group{Org: org, User: user, Doc: store.ColdKey(p, org, user), Expect: e.versions[user], Content: []byte("x")}
	for range n {
		body := fmt.Sprintf(`{"type":%q,"user":%q,"n":%d}`, kind, user, len(e.told[user]))
		g.Events = append(g.Events, []byte(body))
		e.told[user] = append(e.told[user], body)
	}
	r, err := e.s.Commit(context.WithoutCancel(t.Context()), p, []store.Group{g})
	if err != nil || r.Outcomes[0].Status != store.Applied {
		t.Fatal(r.Outcomes, err)
	}
	e.versions[user] = r.Version
	return r
}

// fill appends n entries to the outbox of a user, of an event each.
func (e *teller) fill(t *testing.T, user activity.User, n int) {
	t.Helper()
	p := e.s.PartitionOf(org, user)
	g := store.Group{Org: org, Doc: store.ColdKey(p, org, user), Expect: e.versions[user], Content: []byte("x")}
	for i := range n {
		body := fmt.Sprintf(`{"type":"streak.started","n":%d}`, i)
		g.Writes = append(g.Writes, store.Op{Kind: store.OpAppend, Key: store.OutboxKey(p), Args: []string{"o", string(org), "u", string(user), "e", body}, Keep: store.OutboxKeep})
	}
	r, err := e.s.Commit(context.WithoutCancel(t.Context()), p, []store.Group{g})
	if err != nil || r.Outcomes[0].Status != store.Applied {
		t.Fatal(r.Outcomes, err)
	}
	e.versions[user] = r.Version
}

func mustRead(t *testing.T, c *closing.Closer, q closing.EventQuery) closing.EventPage {
	t.Helper()
	page, err := c.Events(context.WithoutCancel(t.Context()), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// bodies are those of all events from a cursor on, read by limit.
func bodies(t *testing.T, c *closing.Closer, q closing.EventQuery) (out []string) {
	t.Helper()
	for {
		page := mustRead(t, c, q)
		for _, e := range page.Events {
			out = append(out, string(e.Body))
		}
		if len(page.Events) == 0 {
			return out
		}
		q.After = page.Next
	}
}

func numberOf(t *testing.T, s *store.Store, like store.Partition) activity.User {
	t.Helper()
	for i := range 1000 {
		if u := activity.User(fmt.Sprint("p", i)); s.PartitionOf(org, u) == like {
			return u
		}
	}
	t.Fatal("no user of the partition")
	return ""
}

// TestEvents_EachOnceAcrossPartitions: readers walk in steps of their own while events are appended to all partitions.
func TestEvents_EachOnceAcrossPartitions(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		all := newTeller(nodes[0].store)
		ctx, cancel := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		got := make([]map[activity.User][]string, 3)
		for i := range got {
			got[i] = map[activity.User][]string{}
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			read := func(q closing.EventQuery) closing.EventPage {
				page, err := nodes[i%2].closer.Events(context.WithoutCancel(ctx), q, 0)
				if err != nil {
					t.Error(err)
				}
				for _, e := range page.Events {
					got[i][e.User] = append(got[i][e.User], string(e.Body))
				}
				return page
			}
			readers.Go(func() {
				q := closing.EventQuery{Org: org, Users: true}
				for ended := false; ; {
					q.Limit = 1 + rng.IntN(40)
					page := read(q)
					q.After = page.Next
					if len(page.Events) == 0 && ended {
						return
					}
					ended = ctx.Err() != nil // and then to the end
				}
			})
		}
		rng := rand.New(rand.NewPCG(seed, 99))
		for range 300 {
			all.tell(t, activity.User(fmt.Sprint("u", rng.IntN(12))), "streak.extended", 1+rng.IntN(3))
		}
		cancel()
		readers.Wait()
		for i := range got {
			if diff := cmp.Diff(all.told, got[i]); diff != "" {
				t.Errorf("reader %d (-told +read):\n%s", i, diff)
			}
		}
	})
}

func TestEvents_Filters(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		c, all := nodes[0].closer, newTeller(nodes[0].store)
		all.tell(t, "ann", "streak.started", 1)
		all.tell(t, "bob", "streak.extended", 2)
		all.tell(t, "ann", "level.reached", 1)
		all.tell(t, "bob", "streaks", 1)
		for name, x := range map[string]struct {
			q    closing.EventQuery
			want []string
		}{
			"all":          {closing.EventQuery{Users: true}, slices.Concat(all.told["ann"], all.told["bob"])},
			"of no user":   {closing.EventQuery{}, nil},
			"a user's":     {closing.EventQuery{Users: true, User: "bob"}, all.told["bob"]},
			"a type":       {closing.EventQuery{Users: true, Types: []string{"streak.extended"}}, all.told["bob"][:2]},
			"a prefix":     {closing.EventQuery{Users: true, Types: []string{"streak."}}, slices.Concat(all.told["ann"][:1], all.told["bob"][:2])},
			"several":      {closing.EventQuery{Users: true, Types: []string{"level.", "streak.started"}}, all.told["ann"]},
			"no such type": {closing.EventQuery{Users: true, Types: []string{"level"}}, nil},
			"both":         {closing.EventQuery{Users: true, User: "ann", Types: []string{"streak."}}, all.told["ann"][:1]},
			"a stranger's": {closing.EventQuery{Users: true, User: "dan"}, nil},
		} {
			x.q.Org, x.q.Limit = org, 1
			got := bodies(t, c, x.q)
			slices.Sort(got)
			if diff := cmp.Diff(slices.Sorted(slices.Values(x.want)), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if _, err := c.Events(t.Context(), closing.EventQuery{Org: org, After: "x", Limit: 1}, 0); !errors.Is(err, closing.ErrBadCursor) {
			t.Errorf("by a cursor that is none: %v", err)
		}
	})
}

// TestEvents_ByTimeAndNoneIsPassedOver: an event that another partition's clock has earlier than what was read comes all the same.
func TestEvents_ByTimeAndNoneIsPassedOver(t *testing.T) {
	s := openStore(t, store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 3})
	c := newNode(context.WithoutCancel(t.Context()), t, s).closer
	add := func(p store.Partition, id string) {
		t.Helper()
		args := &redis.XAddArgs{Stream: string(store.OutboxKey(p)), ID: id, Values: []string{"o", string(org), "e", `{"id":"` + id + `"}`}}
		if err := s.Client().XAdd(t.Context(), args).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for p, ids := range [][]string{{"5-0", "9-0", "9-1"}, {"4-7", "9-0"}, {"6-0"}} {
		for _, id := range ids {
			add(store.Partition(p), id)
		}
	}
	q := closing.EventQuery{Org: org, Limit: 10}
	names := func(page closing.EventPage) (out string) {
		for _, e := range page.Events {
			out += e.ID + " "
		}
		return strings.TrimSpace(out)
	}
	first := mustRead(t, c, q)
	if diff := cmp.Diff("1.4-7 0.5-0 2.6-0 0.9-0 0.9-1 1.9-0", names(first)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	add(2, "7-0")
	add(1, "12-0")
	q.After = first.Next
	if got := names(mustRead(t, c, q)); got != "2.7-0 1.12-0" {
		t.Errorf("then %s", got)
	}
	q.After, q.Limit = "", 2
	begun := mustRead(t, c, q)
	q.After, q.Limit = begun.Next, 10
	if got := names(begun) + " | " + names(mustRead(t, c, q)); got != "1.4-7 0.5-0 | 2.6-0 2.7-0 0.9-0 0.9-1 1.9-0 1.12-0" {
		t.Errorf("in two steps: %s", got)
	}
}

// TestEvents_GoneInOnePartition: who had read one of several outboxes when it was empty is told that what came to it was trimmed; who begins anew is not.
func TestEvents_GoneInOnePartition(t *testing.T) {
	s := openStore(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo, Partitions: 2})
	c, all := newNode(context.WithoutCancel(t.Context()), t, s).closer, newTeller(s)
	one, two := numberOf(t, s, 0), numberOf(t, s, 1)
	all.tell(t, one, "streak.started", 1)
	q := closing.EventQuery{Org: org, Users: true, Limit: 1}
	q.After = mustRead(t, c, q).Next
	q.After = mustRead(t, c, q).Next // and to the end
	for range store.OutboxKeep/10_000 + 1 {
		all.fill(t, two, 10_001)
	}
	if _, err := c.Events(t.Context(), q, 0); !errors.Is(err, store.ErrEventsGone) {
		t.Errorf("behind what was trimmed: %v", err)
	}
	q.User = one
	if _, err := c.Events(t.Context(), q, 0); err != nil {
		t.Errorf("of the other partition: %v", err)
	}
	if page := mustRead(t, c, closing.EventQuery{Org: org, Users: true, Limit: 2}); len(page.Events) != 2 {
		t.Errorf("anew: %v", page)
	}
	// What nobody asked for is read in bounded steps, none of which waits.
	q = closing.EventQuery{Org: org, Limit: 1}
	for steps := 0; ; steps++ {
		page, err := c.Events(t.Context(), q, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if q.After = page.Next; steps == 3 {
			break
		}
	}
}

// TestEvents_OfUsersWake: whoever waits is woken by a commit of a user's events, on every node.
func TestEvents_OfUsersWake(t *testing.T) {
	eachStore(t, func(t *testing.T, nodes []*node) {
		all := newTeller(nodes[0].store)
		answered := make(chan closing.EventPage)
		for _, n := range nodes {
			if err := n.boards.Following(t.Context()); err != nil {
				t.Fatal(err)
			}
			go func() {
				page, err := n.closer.Events(t.Context(), closing.EventQuery{Org: org, User: "ann", Users: true, Limit: 10}, time.Minute)
				if err != nil {
					t.Error(err)
				}
				answered <- page
			}()
		}
		all.tell(t, "bob", "streak.started", 1)
		all.tell(t, "ann", "streak.started", 1)
		for range nodes {
			if page := <-answered; len(page.Events) != 1 || string(page.Events[0].Body) != all.told["ann"][0] {
				t.Errorf("%v", page)
			}
		}
	})
}
