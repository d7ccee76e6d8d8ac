package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"laurel/internal/feed"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// TestChanges_WipedBeforeTheFirstCommit: a stream without entries shows by its epoch alone that it is another one.
func TestChanges_WipedBeforeTheFirstCommit(t *testing.T) {
	server := testenv.StartRedis(t)
	s := open(t, store.Options{URL: server.URL()})
	ctx := context.Background()
	first := epoch(t, s)
	if cs, err := s.Changes(ctx, 0, feed.Position{}, 10, time.Millisecond); cs != nil || err != nil {
		t.Fatalf("%v, %v", cs, err)
	}
	server.Flush()
	if _, err := s.Changes(ctx, 0, feed.Position{}, 10, time.Millisecond); !errors.Is(err, feed.ErrTrimmed) {
		t.Errorf("after a wipe: %v", err)
	}
	if second := epoch(t, s); second == first {
		t.Error("the epoch outlived the wipe")
	}
	if cs, err := s.Changes(ctx, 0, feed.Position{}, 10, time.Millisecond); cs != nil || err != nil {
		t.Errorf("in the new history: %v, %v", cs, err)
	}
}

func epoch(t *testing.T, h *harness) string {
	t.Helper()
	e, err := h.Epoch(context.Background(), 0)
	if err != nil || e == "" {
		t.Fatalf("epoch %q, %v", e, err)
	}
	return e
}

// TestRenew ends an epoch once, however many nodes ask for it, and all followers hear of it.
func TestRenew(t *testing.T) {
	onBoth(t, func(t *testing.T, h *harness) {
		ctx := context.Background()
		h.commit(write("ada", "", ""))
		first, at := epoch(t, h), h.tail()
		for range 2 {
			if err := h.Renew(ctx, 0, first); err != nil {
				t.Fatal(err)
			}
		}
		if h.options.URL != "" {
			if _, err := h.Changes(ctx, 0, at, 10, 0); !errors.Is(err, feed.ErrTrimmed) {
				t.Errorf("a follower of the epoch that ended: %v", err)
			}
		}
		second := epoch(t, h)
		if second == first {
			t.Error("the epoch is the same")
		}
		if err := h.Renew(ctx, 0, first); err != nil || epoch(t, h) != second {
			t.Errorf("an epoch that had ended was ended again: %v", err)
		}
		if _, err := h.Changes(ctx, 0, at, 10, 0); err != nil {
			t.Errorf("a follower of the new one: %v", err)
		}
	})
}

// TestEpoch_OfAnotherDeployment: a server that was given other data is not taken for ours.
func TestEpoch_OfAnotherDeployment(t *testing.T) {
	server := testenv.StartRedis(t)
	s := open(t, store.Options{URL: server.URL(), Partitions: 2})
	server.Flush()
	open(t, store.Options{URL: server.URL(), Partitions: 3})
	if e, err := s.Epoch(context.Background(), 0); err == nil {
		t.Errorf("epoch %q of a deployment with another number of partitions", e)
	}
}
