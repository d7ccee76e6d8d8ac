package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/store"
)

// sends is a write of a user's document that appends transfers.
func sends(u activity.User, expect store.Version, bodies ...string) store.Group {
	g := write(u, expect, "x")
	for _, b := range bodies {
		g.Writes = append(g.Writes, store.AppendTransfer(0, []byte(b)))
	}
	return g
}

func (h *harness) transfers(after feed.Position, limit int) []store.Transfer {
	h.t.Helper()
	list, err := h.Transfers(context.Background(), 0, after, limit)
	if err != nil {
		h.t.Fatalf("transfers: %v", err)
	}
	return list
}

func bodies(list []store.Transfer) (all []string) {
	for _, t := range list {
		all = append(all, string(t.Body))
	}
	return all
}

func (h *harness) open(want int64) {
	h.t.Helper()
	if n, err := h.OpenTransfers(context.Background(), 0); n != want || err != nil {
		h.t.Errorf("%d transfers are open, %v; want %d", n, err, want)
	}
}

func TestTransfers_ComeInOrderUntilTheyAreTakenOut(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		if list := h.transfers(feed.Position{}, 10); len(list) > 0 {
			t.Errorf("of nothing: %v", list)
		}
		h.open(0)
		first := h.commit(sends("ann", "", "1", "2"), sends("eve", "AAAAAAAA", "not"), sends("bob", "", "3"))
		wants(t, first, store.Applied, store.Stale, store.Applied)
		h.commit(sends("ann", first.Version, "\x00{4}"))
		all := h.transfers(feed.Position{}, 10)
		if diff := cmp.Diff([]string{"1", "2", "3", "\x00{4}"}, bodies(all)); diff != "" {
			t.Fatalf("transfers (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(all[1:3], h.transfers(all[0].ID, 2)); diff != "" {
			t.Errorf("two after the first (-want +got):\n%s", diff)
		}
		taken := store.Group{Writes: []store.Op{store.RemoveTransfers(0, []feed.Position{all[0].ID, all[2].ID})}}
		h.commit(taken)
		h.commit(taken) // what is gone is no fault
		if diff := cmp.Diff([]store.Transfer{all[1], all[3]}, h.transfers(feed.Position{}, 10)); diff != "" {
			t.Errorf("what is left (-want +got):\n%s", diff)
		}
		h.open(2)
	})
}

// TestTransfers_AreNeverTrimmed: more of them than an outbox keeps are all there.
func TestTransfers_AreNeverTrimmed(t *testing.T) {
	onBothWith(t, store.Options{Fsync: store.FsyncNo}, func(t *testing.T, h *harness) {
		const n = store.OutboxKeep + 5_000
		v := store.Version("")
		for i := 0; i < n; i += 5_000 {
			g := write("ann", v, "x")
			for j := range 5_000 {
				g.Writes = append(g.Writes, store.AppendTransfer(0, fmt.Appendf(nil, "%d", i+j)))
			}
			v = h.commit(g).Version
		}
		h.open(n)
		if first := h.transfers(feed.Position{}, 1); len(first) != 1 || string(first[0].Body) != "0" {
			t.Errorf("the first is %v", first)
		}
	})
}

func TestTransfers_OutliveAStart(t *testing.T) {
	onBothWith(t, store.Options{}, func(t *testing.T, h *harness) {
		h.commit(sends("ann", "", "1", "2"))
		all := h.transfers(feed.Position{}, 10)
		h.commit(store.Group{Writes: []store.Op{store.RemoveTransfers(0, []feed.Position{all[0].ID})}})
		if h.options.DataDir != "" {
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
		}
		again := open(t, h.options)
		if diff := cmp.Diff(all[1:], again.transfers(feed.Position{}, 10)); diff != "" {
			t.Errorf("after the start (-want +got):\n%s", diff)
		}
	})
}
