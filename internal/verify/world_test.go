package verify_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"laurel/internal/activity"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/internal/verify"
	"laurel/ranking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(shared.Main(m)) }

// shared is the cluster of all tests of this package.
var shared testenv.Shared

const org = testenv.WorldOrg

// world is a server's write path, and what it is verified with.
type world struct {
	*testenv.World
	indexes *ranking.Boards
}

// eachStore runs a test on the embedded store, on a real server and on a cluster.
func eachStore(t *testing.T, test func(t *testing.T, w *world)) {
	t.Run("embedded", func(t *testing.T) {
		test(t, newWorld(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo, Partitions: 3}))
	})
	t.Run("redis", func(t *testing.T) {
		test(t, newWorld(t, store.Options{URL: testenv.StartRedis(t).URL(), Partitions: 2}))
	})
	t.Run("cluster", func(t *testing.T) {
		test(t, newWorld(t, store.Options{URL: shared.Cluster(t).URL()}))
	})
}

func newWorld(t *testing.T, o store.Options) *world {
	t.Helper()
	w := &world{World: testenv.NewWorld(t, o)}
	w.Publish(testenv.WorldCatalog)
	return w
}

func (w *world) options() verify.Options {
	return verify.Options{Store: w.Store, Registry: w.Registry, Clock: w.Clock, Boards: w.indexes}
}

func (w *world) check() *verify.Report {
	w.T.Helper()
	r, err := verify.Check(w.T.Context(), w.options())
	if err != nil {
		w.T.Fatal(err)
	}
	return r
}

// withIndexes lets f verify with indexes of its own, as the command does.
func (w *world) withIndexes(source ranking.Source, f func()) {
	w.T.Helper()
	ctx, stop := context.WithCancel(w.T.Context())
	w.indexes = ranking.NewBoards(ranking.Options{Source: source, LoadWait: time.Minute})
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.indexes.Run(ctx); err != nil {
			w.T.Error(err)
		}
	})
	f()
	stop()
	running.Wait()
	w.indexes = nil
}

func (w *world) mustBeClean() *verify.Report {
	w.T.Helper()
	r := w.check()
	for _, d := range r.Differences {
		w.T.Error(d)
	}
	if r.Total() > 0 || r.Unsettled > 0 {
		w.T.Fatalf("not clean: %+v", r)
	}
	return r
}

// commit writes something that no server would.
func (w *world) commit(user activity.User, ops ...store.Op) {
	w.T.Helper()
	if _, err := w.Store.Commit(w.T.Context(), w.Store.PartitionOf(org, user), []store.Group{{Org: org, Writes: ops}}); err != nil {
		w.T.Fatal(err)
	}
}

// commitTo is commit in a partition that is no user's.
func (w *world) commitTo(p store.Partition, ops ...store.Op) {
	w.T.Helper()
	if _, err := w.Store.Commit(w.T.Context(), p, []store.Group{{Org: org, Writes: ops}}); err != nil {
		w.T.Fatal(err)
	}
}
