package transfer_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/transfer"
)

// still is a deployment in which nothing moves by itself.
type still struct {
	*store.Store
	registry *registry.Registry
	clock    *clock.Clock
}

func openStill(t *testing.T, o store.Options) *still {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &still{s, registry.New(s, zerolog.Nop()), new(clock.Clock)}
}

func (s *still) commit(t *testing.T, p store.Partition, g store.Group) {
	t.Helper()
	r, err := s.Commit(t.Context(), p, []store.Group{g})
	if err != nil || r.Outcomes[0].Status != store.Applied {
		t.Fatalf("%v, %+v", err, r.Outcomes)
	}
}

// transfers are those of all partitions, in order.
func (s *still) transfers(t *testing.T) (all []activity.Transfer) {
	t.Helper()
	for p := range s.Partitions() {
		list, err := s.Transfers(context.WithoutCancel(t.Context()), store.Partition(p), feed.Position{}, 1_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			tr, err := activity.ParseTransfer(string(e.Body))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, tr)
		}
	}
	return all
}

// TestTransfers_AreCarried: what is on its way is so in the other store too, once, also where the import was broken off and taken up again.
func TestTransfers_AreCarried(t *testing.T) {
	from := openStill(t, embedded(t, 2))
	all, err := catalog.Parse([]byte("orgs: [{id: one, wallets: [{id: coins}]}, {id: two}]"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if _, err := from.registry.Publish(t.Context(), c, "", true); err != nil {
			t.Fatal(err)
		}
	}
	effect := activity.Effect{Rows: []activity.Row{{Wallet: "coins", Decimals: 2, Category: 3, Amount: 300}}, Rewards: []string{"mug"}, Achieved: "champion:2026-W47"}
	at := calendar.InstantOf(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	want := []activity.Transfer{
		{Org: "one", To: []activity.User{"ann", "b:ob"}, ID: "prize:p:2026-W47", Name: "p", Meta: []byte(`{"period":"2026-W47"}`), At: at, Effect: effect},
		{Org: "two", To: []activity.User{"eve"}, ID: "gift:x:1", Name: "smile", At: at, Imported: true, Turn: 7},
		{Org: "one", To: []activity.User{"ann"}, ID: "gift:x:1", Name: "smile", At: at, Turn: 1},
	}
	for i, tr := range want {
		user, p := activity.User([]string{"u0", "u1", "u2"}[i]), store.Partition(i/2)
		for from.PartitionOf(tr.Org, user) != p {
			user += "'"
		}
		from.commit(t, p, store.Group{Org: tr.Org, User: user, Doc: store.StateKey(p, tr.Org, user), Content: (&progress.State{}).Append(nil),
			Writes: []store.Op{store.AppendTransfer(p, tr.Append(nil))}})
	}
	var dump bytes.Buffer
	counts, err := transfer.Export(t.Context(), transfer.ExportOptions{Store: from.Store, Registry: from.registry, Clock: from.clock}, &dump)
	if err != nil || counts.Transfers != 3 {
		t.Fatalf("%+v, %v", counts, err)
	}
	for name, o := range map[string]store.Options{"embedded": embedded(t, 3), "redis": redis(t, 1)} {
		t.Run(name, func(t *testing.T) {
			to := openStill(t, o)
			load := func() {
				t.Helper()
				got, err := transfer.Import(t.Context(), transfer.ImportOptions{Store: to.Store, Registry: to.registry, Clock: to.clock}, bytes.NewReader(dump.Bytes()))
				if err != nil || got != counts {
					t.Fatalf("%+v, %v", got, err)
				}
				if diff := cmp.Diff(want, to.transfers(t)); diff != "" {
					t.Errorf("transfers (-exported +imported)\n%s", diff)
				}
			}
			load()
			meta, err := to.Hash(t.Context(), store.MetaKey(0))
			if err != nil {
				t.Fatal(err)
			}
			// As it was before the last commit.
			to.commit(t, 0, store.Group{Writes: []store.Op{{Kind: store.OpHDel, Key: store.MetaKey(0), Args: []string{"imported"}},
				{Kind: store.OpHSet, Key: store.MetaKey(0), Args: []string{"importing", meta["imported"], "importing_transfers:0", meta["imported"]}}}})
			load()
			if meta, err = to.Hash(t.Context(), store.MetaKey(0)); err != nil || meta["importing"] != "" || meta["importing_transfers:0"] != "" {
				t.Errorf("left behind: %v, %v", meta, err)
			}
		})
	}
}

func TestTransfers_OfOneOrg(t *testing.T) {
	from := openStill(t, embedded(t, 1))
	all, err := catalog.Parse([]byte("orgs: [{id: one}, {id: two}]"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if _, err := from.registry.Publish(t.Context(), c, "", true); err != nil {
			t.Fatal(err)
		}
		tr := activity.Transfer{Org: c.Org, To: []activity.User{"eve"}, ID: "gift:x:1", Name: "smile"}
		from.commit(t, 0, store.Group{Org: c.Org, User: "u", Doc: store.StateKey(0, c.Org, "u"), Content: (&progress.State{}).Append(nil),
			Writes: []store.Op{store.AppendTransfer(0, tr.Append(nil))}})
	}
	var dump bytes.Buffer
	counts, err := transfer.Export(t.Context(), transfer.ExportOptions{Store: from.Store, Registry: from.registry, Clock: from.clock, Orgs: []activity.Org{"two"}}, &dump)
	if err != nil || counts.Transfers != 1 || counts.Orgs != 1 || !bytes.Contains(dump.Bytes(), []byte(`{"type":"transfer","org":"two","to":["eve"],"id":"gift:x:1","name":"smile","at":"1970-01-01T00:00:00.000Z"}`)) {
		t.Errorf("%+v, %v\n%s", counts, err, dump.Bytes())
	}
}
