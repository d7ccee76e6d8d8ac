package deployment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"laurel/internal/feed"
	"laurel/internal/store"
)

// stage is one run: a deployment, its load, its views, and faults.
type stage struct {
	t     *testing.T
	d     *deployment
	l     *load
	views []*live
	rng   *rand.Rand

	revision string // of before the last fault
}

// fault is something that goes wrong while the clients go on. Extend faults to test more.
type fault struct {
	name string
	do   func(*stage)
	// ends says that the history ends, and with it every revision.
	ends bool
}

func faults() []fault {
	return []fault{
		{"a node is frozen until the stream has lost its place", (*stage).freeze, false},
		{"a node is killed and comes back", (*stage).killNode, false},
		{"the server is restarted", (*stage).restartServer, false},
		{"the server is wiped", (*stage).wipe, true},
		{"the server gets an older copy of its data", (*stage).restoreOlder, true},
	}
}

// TestDeployment: whatever happens, all nodes come to show what the model says.
func TestDeployment(t *testing.T) {
	binary := build(t)
	t.Run("definitions, keys and imports", func(t *testing.T) { shared(t, deploy(t, binary, 2)) })
	t.Run("one partition", func(t *testing.T) { newStage(t, binary, 1).play(len(faults())) })
	t.Run("four partitions", func(t *testing.T) { newStage(t, binary, 4).play(3) })
}

func newStage(t *testing.T, binary string, partitions int) *stage {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &stage{t: t, rng: rand.New(rand.NewPCG(seed, 99)), d: deploy(t, binary, partitions)}
	s.l = newLoad(s.d)
	for _, p := range s.d.nodes {
		s.views = append(s.views, watch(t, p, "visits", "all"), watch(t, p, "points", "week"))
	}
	stop := s.l.start(t, seed)
	t.Cleanup(stop)
	return s
}

// play has some of the faults happen in random order.
func (s *stage) play(n int) {
	s.work(300)
	s.converge("before any fault")
	s.report()
	all := faults()
	s.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, f := range all[:n] {
		if s.t.Failed() {
			return
		}
		s.noteRevision()
		began := time.Now()
		f.do(s)
		s.converge(f.name)
		s.t.Logf("%s: all agree after %v", f.name, time.Since(began).Round(time.Millisecond))
		s.checkRevision(&f)
		s.work(100)
	}
	s.converge("in the end")
}

// work waits until the clients have done so many more operations.
func (s *stage) work(n int64) {
	s.t.Helper()
	until := s.l.done.Load() + n
	eventually(s.t, "the clients do not get on", func() error {
		if done := s.l.done.Load(); done < until && !s.t.Failed() {
			return fmt.Errorf("%d operations of %d are missing", until-done, n)
		}
		return nil
	})
}

// quietly does something while no operation is under way that must not meet a fault.
func (s *stage) quietly(do func()) {
	s.l.still.Lock()
	defer s.l.still.Unlock()
	do()
}

func (s *stage) freeze() {
	p := s.d.nodes[s.rng.IntN(nodeCount)]
	before := p.losses()
	s.quietly(p.pause)
	known := s.ends("+", "-")
	for s.work(400); !s.trimmedPast(known); {
		s.work(100) // on a busy machine many operations go into one commit
	}
	p.resume()
	eventually(s.t, p.name+" did not notice that it was away for too long", func() error {
		if p.losses() == before {
			return errors.New("nothing in its log")
		}
		return nil
	})
}

// ends are the first entries of the partitions' change streams, read from one end to the other.
func (s *stage) ends(from, to string) (ids []feed.Position) {
	s.t.Helper()
	options, err := redis.ParseURL(s.d.redis.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	for p := range s.d.partitions {
		read := client.XRangeN
		if from == "+" {
			read = client.XRevRangeN
		}
		entries, err := read(s.t.Context(), string(store.ChangesKey(store.Partition(p))), from, to, 1).Result()
		if err != nil || len(entries) == 0 {
			s.t.Fatal("change stream: ", len(entries), err)
		}
		id, err := feed.ParsePosition(entries[0].ID)
		if err != nil {
			s.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// trimmedPast says whether a stream has lost what came right after one of the positions.
func (s *stage) trimmedPast(known []feed.Position) bool {
	for p, first := range s.ends("-", "+") {
		if known[p].Compare(first) < 0 {
			return true
		}
	}
	return false
}

func (s *stage) killNode() {
	p := s.d.nodes[s.rng.IntN(nodeCount)]
	s.quietly(p.kill)
	s.work(100)
	p.start()
}

func (s *stage) restartServer() {
	s.l.outages.Add(1)
	s.d.redis.Stop()
	s.d.redis.Restart()
	s.l.outages.Add(1)
	s.work(50)
}

func (s *stage) wipe() {
	s.l.settled.Store(false)
	s.quietly(func() { s.l.w.lose(newWorld().known, s.d.redis.Flush) })
	s.work(100)
}

func (s *stage) restoreOlder() {
	s.l.hold.Lock()
	backup, then := s.d.redis.Backup(), s.l.w.snapshot()
	s.l.hold.Unlock()
	s.work(120)
	s.noteRevision()
	s.l.settled.Store(false)
	s.quietly(func() { s.l.w.lose(then, func() { s.d.redis.Restore(backup) }) })
	s.work(100)
}

// noteRevision remembers what a read says now.
func (s *stage) noteRevision() {
	s.t.Helper()
	a, err := send(context.Background(), func() *process { return s.d.nodes[s.rng.IntN(nodeCount)] }, "GET", "/v1/leaderboards/visits/all", "")
	var got struct{ Revision string }
	if err == nil {
		err = a.into(&got)
	}
	if err != nil || got.Revision == "" {
		s.t.Fatalf("no revision: %v %+v", err, a)
	}
	s.revision = got.Revision
}

// checkRevision asks every node, on every kind of read, for the revision that was noted: reached, or of a history that has ended.
func (s *stage) checkRevision(f *fault) {
	s.t.Helper()
	const board = "/v1/leaderboards/visits/all"
	who := "/v1/users/" + url.PathEscape("own 0")
	want := 200
	if f.ends {
		want = 409
	}
	for _, p := range s.d.nodes {
		for _, path := range []string{"/v1/leaderboards", board, board + "/users/own%200", who, who + "/ranks", who + "/streaks", who + "/activities"} {
			a, err := send(context.Background(), func() *process { return p }, "GET", path+"?min_revision="+s.revision, "")
			// The client of this user may not have come back since everything was lost.
			if err != nil {
				s.t.Fatal(err)
			}
			if a.Status != want && !(want == 200 && a.Status == 404) || want == 409 && a.code() != "epoch_changed" {
				s.t.Errorf("%s: %s: GET %s with a revision of before: %d %s, want %d", f.name, p.name, path, a.Status, a.code(), want)
			}
			if a, err := once(context.Background(), p, "GET", path+"?min_revision=nonsense", ""); err != nil || a.code() != "bad_revision" {
				s.t.Errorf("GET %s with no revision: %v %+v", path, err, a)
			}
		}
	}
}

// converge holds the clients and compares every board on every node, and every view, with the model.
func (s *stage) converge(after string) {
	s.t.Helper()
	s.d.awaitReady()
	s.l.hold.Lock()
	defer s.l.hold.Unlock()
	s.resolve()
	k := s.l.w.snapshot()
	for _, p := range s.d.nodes {
		eventually(s.t, after+": "+p.name, func() error { return s.compare(p, k.boards(time.Now())) })
	}
	eventually(s.t, after+": wallets", func() error { return balanceDifference(k.balances(), s.anyNode) })
	eventually(s.t, after+": logs", func() error {
		return logDifference(k.logs(), func(user string) (map[string]string, error) { return readLog(user, s.anyNode) })
	})
	for _, v := range s.views {
		eventually(s.t, fmt.Sprintf("%s: live view of %s/%s on %s", after, v.rule, v.label, v.p.name), func() error { return s.compareView(v) })
	}
	s.l.settled.Store(true)
}

func (s *stage) compare(p *process, want map[string][]row) error {
	return difference(want, func(board string) ([]row, error) { return readBoard(p, board) })
}

func readBoard(p *process, board string) ([]row, error) {
	a, err := once(context.Background(), p, "GET", "/v1/leaderboards/"+board+"?limit=1000", "")
	if err != nil {
		return nil, err
	}
	if a.Status != 200 {
		return nil, fmt.Errorf("board %s: %d %s", board, a.Status, a.Body)
	}
	var got struct{ Rows []row }
	err = a.into(&got)
	return got.Rows, err
}

func (s *stage) compareView(v *live) error {
	want, err := readBoard(v.p, v.rule+"/"+url.PathEscape(v.label))
	if err != nil {
		return err
	}
	got, valid, fault := v.now()
	if fault != "" || !valid || !slices.Equal(want, got) {
		return fmt.Errorf("snapshot %v, fault %q (-board +view)\n%s", valid, fault, cmp.Diff(want, got))
	}
	return nil
}

// report logs how soon writes were seen elsewhere. A timing is never a test.
func (s *stage) report() {
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	s.t.Logf("from a write's answer to its visibility on another node, by min_revision: %s", quantiles(s.l.visible))
	for _, v := range s.views[:2] {
		v.mu.Lock()
		s.t.Logf("from the last change to the frame that shows it, on %s: %s", v.p.name, quantiles(v.lag))
		v.mu.Unlock()
	}
}

func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	d = slices.Sorted(slices.Values(d))
	return fmt.Sprintf("p50 %v, p99 %v, n %d", d[len(d)/2], d[len(d)*99/100], len(d))
}
