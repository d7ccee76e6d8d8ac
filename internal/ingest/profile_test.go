package ingest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/profile"
	"laurel/internal/progress"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

func (n *node) setUser(t *testing.T, org activity.Org, user activity.User, c ingest.UserChange) {
	t.Helper()
	c.Create = true
	if err := n.SetUser(t.Context(), org, user, c); err != nil {
		t.Fatal(err)
	}
}

// catchUp waits until a node has been told all that another one knows.
func (n *node) catchUp(t failer, with *node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := n.boards.WaitFor(ctx, with.boards.Revision()); err != nil {
		t.Fatal(err)
	}
}

func (n *node) profileOf(t *testing.T, org activity.Org, user activity.User) profile.Profile {
	t.Helper()
	ps, err := n.Profiles(t.Context(), org, []activity.User{user})
	if err != nil {
		t.Fatal(err)
	}
	return ps[0]
}

// A node sees its own change at once, another one when it has followed.
func TestSetUser_ProfileReachesOtherNodes(t *testing.T) {
	t.Parallel()
	o := store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 2}
	a, b := startNode(t, o), startNode(t, o)
	org := a.publish(t, fmt.Sprintf(definitions, "org"))
	if _, err := b.registry.Reload(t.Context(), org); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"Ada", "Countess", "", "Lovelace"} {
		nodes := []*node{a, b}
		writer, other := nodes[i%2], nodes[1-i%2]
		writer.profileOf(t, org, "ada") // now both nodes keep it
		other.profileOf(t, org, "ada")
		writer.setUser(t, org, "ada", ingest.UserChange{Name: &name})
		if got := writer.profileOf(t, org, "ada"); got.Name != name {
			t.Errorf("the writing node shows %q, want %q", got.Name, name)
		}
		other.catchUp(t, writer)
		if got := other.profileOf(t, org, "ada"); got.Name != name {
			t.Errorf("the other node shows %q, want %q", got.Name, name)
		}
	}
}

// What changes nothing writes nothing, and attributes outlive what rebuilds a state.
func TestSetUser_Attributes(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, o store.Options) {
		n := startNode(t, o)
		org := n.publish(t, fmt.Sprintf(definitions, "org"))
		at, zone, name := "AT", "Europe/Vienna", "Ada"
		change := ingest.UserChange{Name: &name, Attributes: map[string]*string{"country": &at, "a": &name}}
		n.setUser(t, org, "ada", change)
		before := n.version(t, org, "ada")
		n.setUser(t, org, "ada", change)
		if got := n.version(t, org, "ada"); got != before {
			t.Errorf("the same again was written: version %s, then %s", before, got)
		}
		n.setUser(t, org, "ada", ingest.UserChange{Zone: &zone, Attributes: map[string]*string{"a": nil, "b": &at}})
		n.setUser(t, org, "ada", ingest.UserChange{Zone: &zone})
		s, err := n.State(t.Context(), org, "ada")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]progress.Attribute{{Name: "b", Value: "AT"}, {Name: "country", Value: "AT"}}, s.Attributes); diff != "" {
			t.Error(diff)
		}
	})
}

// version is that of a user's state as stored.
func (n *node) version(t *testing.T, org activity.Org, user activity.User) store.Version {
	t.Helper()
	docs, err := n.store.Docs(t.Context(), []store.Key{store.StateKey(n.store.PartitionOf(org, user), org, user)})
	if err != nil {
		t.Fatal(err)
	}
	return docs[0].Version
}
