package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/config"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// TestServe_EventsReachEveryNode: what one node commits for users comes once and in order to who watches them on any node, and from GET /v1/events of any.
func TestServe_EventsReachEveryNode(t *testing.T) {
	cfg := testConfig(t)
	cfg.Redis, cfg.Partitions = config.Secret(testenv.StartRedis(t).URL()), 4
	nodes := []*testNode{startNode(t, cfg)}
	org := onlyOrg(t, nodes[0])
	second := testConfig(t)
	second.Redis = cfg.Redis
	nodes = append(nodes, startNode(t, second))
	users := []activity.User{"ada", "bob", "cid"}
	for i, u := range users {
		nodes[0].post("/v1/activities", fmt.Sprintf(`{"id":"%d","user":%q,"name":"commit","meta":{"added":1}}`, i, u))
	}
	var sockets []*socket
	for _, n := range nodes {
		s := n.dial(testKey, nil)
		s.expect("welcome")
		for _, u := range users {
			s.send(map[string]any{"type": "subscribe", "id": u, "view": map[string]any{"kind": "user", "user": u}})
		}
		for range users {
			s.until("snapshot")
		}
		sockets = append(sockets, s)
	}
	const each = 5
	want := tellAll(t, cfg, org, users, each)
	for i, s := range sockets {
		got := map[string][]string{}
		for range each * len(users) {
			f := s.until("event")
			got[f.ID] = append(got[f.ID], string(f.Event))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("node %d (-want +got):\n%s", i, diff)
		}
	}
	for i, n := range nodes {
		got := map[string][]string{}
		for after := ""; ; {
			_, text, _ := do(t, "GET", n.base+"/v1/events?type=test.&limit=4&after="+after, "")
			var page struct {
				Events []struct {
					ID, User string
					N        int
				}
				Next string
			}
			if err := json.Unmarshal([]byte(text), &page); err != nil {
				t.Fatal(err, text)
			}
			for _, e := range page.Events {
				if !strings.Contains(e.ID, ".") {
					t.Errorf("id %q of several partitions", e.ID)
				}
				got[e.User] = append(got[e.User], testEvent(activity.User(e.User), e.N))
			}
			if after = page.Next; len(page.Events) == 0 {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events of node %d (-want +got):\n%s", i, diff)
		}
	}
}

func testEvent(u activity.User, n int) string {
	return fmt.Sprintf(`{"type":"test.happened","user":%q,"n":%d}`, u, n)
}

// onlyOrg is the org that a server without a catalog begins with.
func onlyOrg(t *testing.T, n *testNode) activity.Org {
	t.Helper()
	_, text, _ := do(t, "GET", n.base+"/v1/catalog", "")
	var c struct{ ID activity.Org }
	if err := json.Unmarshal([]byte(text), &c); err != nil || c.ID == "" {
		t.Fatal(err, text)
	}
	return c.ID
}

// tellAll commits events of users in turn, as another node would.
func tellAll(t *testing.T, cfg config.Serve, org activity.Org, users []activity.User, each int) map[string][]string {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: cfg.Redis.Reveal(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := map[string][]string{}
	for n := range each {
		for _, u := range users {
			for !tellOne(t, s, org, u, testEvent(u, n)) { // a node wrote the user meanwhile
			}
			want[string(u)] = append(want[string(u)], testEvent(u, n))
		}
	}
	return want
}

// tellOne commits an event of a user, unless another commit came in between.
func tellOne(t *testing.T, s *store.Store, org activity.Org, u activity.User, event string) bool {
	t.Helper()
	p := s.PartitionOf(org, u)
	docs, err := s.Docs(t.Context(), []store.Key{store.StateKey(p, org, u)})
	if err != nil {
		t.Fatal(err)
	}
	g := store.Group{Org: org, User: u, Doc: docs[0].Key, Expect: docs[0].Version, Content: docs[0].Content, Events: [][]byte{[]byte(event)}}
	r, err := s.Commit(context.WithoutCancel(t.Context()), p, []store.Group{g})
	if err != nil {
		t.Fatal(err)
	}
	return r.Outcomes[0].Status == store.Applied
}

// until passes over messages of other types.
func (s *socket) until(kind string) frame {
	s.t.Helper()
	var passed []string
	for {
		f, err := s.next()
		if err != nil {
			s.t.Fatalf("waiting for %s after %q: %v", kind, passed, err)
		}
		if f.Type == kind {
			return f
		}
		if passed = append(passed, f.Type); slices.Contains(passed, "error") {
			s.t.Fatalf("waiting for %s: %+v", kind, f)
		}
	}
}
