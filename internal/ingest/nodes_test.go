package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/ranking"
)

// blind is another write path on the node's store, which hears nothing of what others write.
func blind(t *testing.T, n *node) *ingest.Service {
	t.Helper()
	boards := ranking.NewBoards(ranking.Options{Source: testenv.BoardSource{Store: n.store}, LoadWait: time.Minute})
	s := ingest.New(ingest.Options{Store: n.store, Registry: n.registry, Boards: boards, Clock: n.clock})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestSetUser_NothingToChangeIsNotBelievedFromMemory: a command that seems to change nothing is decided on what the store has.
func TestSetUser_NothingToChangeIsNotBelievedFromMemory(t *testing.T) {
	n, org := startOrg(t, embedded(t, 1))
	other := blind(t, n)
	n.set(noon)
	n.submit(t, org, ingest.SubmitOptions{}, record("ada", "1", noon))
	for _, step := range []struct {
		on   *ingest.Service
		zone string
	}{{other, "Europe/Vienna"}, {n.Service, "Asia/Tokyo"}, {other, "Europe/Vienna"}} {
		if err := step.on.SetUser(t.Context(), org, "ada", ingest.UserChange{Zone: &step.zone}); err != nil {
			t.Fatal(err)
		}
		s, err := n.State(t.Context(), org, "ada")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Zones[len(s.Zones)-1].Name; got != step.zone {
			t.Errorf("after a change to %s the store has %s", step.zone, got)
		}
	}
}

// TestSubmit_WipedStore: nobody is told that an org does not exist because the store was wiped, and an org that is unknown fails alone.
func TestSubmit_WipedStore(t *testing.T) {
	server := testenv.StartRedis(t)
	n := startNode(t, store.Options{URL: server.URL()})
	org := n.publish(t, fmt.Sprintf(definitions, "org"))
	n.set(noon)
	n.submit(t, org, ingest.SubmitOptions{}, record("ada", "1", noon))
	server.Flush()
	_, err := n.Submit(t.Context(), org, items([]oracle.Record{record("ada", "2", noon)}...), ingest.SubmitOptions{})
	if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, registry.ErrOrgNotFound) {
		t.Errorf("an activity for a store without definitions: %v", err)
	}
	if _, err := n.registry.Reload(t.Context(), org); !errors.Is(err, registry.ErrOrgNotFound) {
		t.Errorf("reload: %v", err)
	}
	if _, ok := n.registry.Get(org); !ok {
		t.Error("the org is forgotten before anybody noticed that all was lost")
	}
	// Again, as the node would, after it has noticed.
	n.publish(t, fmt.Sprintf(definitions, "org"))
	if r := n.submit(t, org, ingest.SubmitOptions{}, record("ada", "1", noon)); r.Accepted != 1 {
		t.Errorf("in the new history %v", statuses(r))
	}
	if s, err := n.State(t.Context(), org, activity.User("ada")); err != nil || s == nil {
		t.Errorf("state: %v", err)
	}
}
