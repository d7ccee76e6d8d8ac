package deployment

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"laurel/internal/oracle"
	"laurel/internal/store"
	"laurel/internal/testenv"
)

// weak are records that may be lost: their answers did not say replicated, because the replica did not confirm them in time.
type weak struct {
	mu      sync.Mutex
	records map[string]oracle.Record
}

// note looks at the answer to a record that is new. On one server there is nothing to lose.
func (w *weak) note(d *deployment, a *answer, r oracle.Record) {
	var got struct{ Durability string }
	if d.cluster == nil || a.into(&got) == nil && got.Durability == string(store.Replicated) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.records == nil {
		w.records = map[string]oracle.Record{}
	}
	w.records[r.ID] = r
}

func (w *weak) has(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, has := w.records[id]
	return has
}

func (w *weak) some() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.records) > 0
}

// resolve finds out which of the weak records are lost: the world never had them. All operations are at rest.
func (s *stage) resolve() {
	s.t.Helper()
	w := &s.l.weak
	w.mu.Lock()
	defer w.mu.Unlock()
	lost := 0
	for id, r := range w.records {
		path := "/v1/activities/" + url.PathEscape(r.User) + "/" + id
		a, err := send(context.Background(), func() *process { return s.d.nodes[s.rng.IntN(nodeCount)] }, "GET", path, "")
		if err != nil {
			s.t.Fatal(err)
		}
		switch a.Status {
		case 200:
		case 404:
			lost++
			s.l.w.change(s.l.w.now(), func(k known) { delete(k.records, id) })
		default:
			s.t.Fatalf("GET %s: %d %s", path, a.Status, a.Body)
		}
	}
	if len(w.records) > 0 {
		s.t.Logf("of %d activities that no replica had confirmed %d were lost", len(w.records), lost)
	}
	clear(w.records)
}

// clusterFaults are those of a cluster. What its answers said was replicated is there after each.
func clusterFaults() []fault {
	return []fault{
		{"a master is killed, and its replica takes over", (*stage).killMaster, false},
		{"a master is frozen until its replica has taken over", (*stage).freezeMaster, false},
		{"slots move under load", (*stage).migrate, false},
		{"a node is frozen for a while", (*stage).freezeNode, false},
		{"everything is restarted", (*stage).restartAll, false},
		{"a replica takes over that has not everything", (*stage).loseHistory, false},
	}
}

// TestCluster: on a cluster, whatever happens, all nodes come to show what the model says, and nothing that was acknowledged as replicated is lost.
func TestCluster(t *testing.T) {
	binary := build(t)
	for _, program := range testenv.Servers() {
		t.Run(program, func(t *testing.T) {
			s := newClusterStage(t, binary, program)
			s.playCluster(3)
			s.move()
		})
	}
}

func newClusterStage(t *testing.T, binary, program string) *stage {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	d := &deployment{t: t}
	d.cluster = testenv.StartCluster(t, testenv.ClusterOptions{Program: program, Replicas: 1, Args: []string{"--appendonly", "yes", "--appendfsync", "everysec",
		"--cluster-require-full-coverage", "no", "--cluster-replica-validity-factor", "0"}})
	d.launch(binary, d.cluster.URL(), "--ack", "replicated")
	s := &stage{t: t, rng: rand.New(rand.NewPCG(seed, 99)), d: d}
	s.l = newLoad(d)
	s.views = append(s.views, watch(t, d.nodes[0], "visits", "all"), watch(t, d.nodes[1], "points", "week"))
	t.Cleanup(s.l.start(t, seed))
	return s
}

// playCluster has some of the faults happen in random order.
func (s *stage) playCluster(n int) {
	s.work(150)
	s.converge("before any fault")
	s.report()
	all := clusterFaults()
	s.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, f := range all[:n] {
		if s.t.Failed() {
			return
		}
		began := time.Now()
		s.l.settled.Store(false) // a history may end where a commit was lost that nobody was told of
		s.l.outages.Add(1)
		f.do(s)
		s.d.cluster.Await()
		s.l.outages.Add(1)
		s.converge(f.name)
		s.t.Logf("%s: all agree after %v", f.name, time.Since(began).Round(time.Millisecond))
		s.work(50)
	}
	s.converge("in the end")
}

// aMaster is the server of a random partition.
func (s *stage) aMaster() (slot int, m *testenv.Member) {
	slot = s.d.cluster.Slot(string(store.MetaKey(store.Partition(s.rng.IntN(16)))))
	return slot, s.d.cluster.Owner(slot)
}

// awaitOther waits until another server than the one that had it has a slot.
func (s *stage) awaitOther(slot int, than *testenv.Member) {
	s.t.Helper()
	eventually(s.t, "nobody takes over", func() error {
		if s.d.cluster.Owner(slot) == than {
			return fmt.Errorf("slot %d is still with %s", slot, than.Addr)
		}
		return nil
	})
}

func (s *stage) killMaster() {
	slot, m := s.aMaster()
	s.quietly(m.Kill)
	s.awaitOther(slot, m)
	s.work(50)
	m.Restart()
}

func (s *stage) freezeMaster() {
	slot, m := s.aMaster()
	s.quietly(m.Pause)
	s.awaitOther(slot, m)
	s.work(50)
	m.Resume()
	eventually(s.t, "the old master does not step down", func() error {
		if m.IsMaster() {
			return fmt.Errorf("%s is a master", m.Addr)
		}
		return nil
	})
}

func (s *stage) migrate() {
	for range 2 {
		slot, from := s.aMaster()
		_, to := s.aMaster()
		if to == from {
			continue
		}
		g := s.d.cluster.Migrate(slot, to)
		g.Move(1 + s.rng.IntN(20))
		s.workIfPossible(20)
		g.Finish()
		s.work(20)
	}
}

// workIfPossible waits until the clients have done so many more operations, or none for a second: all of them may want what nobody can write now.
func (s *stage) workIfPossible(n int64) {
	s.t.Helper()
	until, last, since := s.l.done.Load()+n, int64(0), time.Now()
	eventually(s.t, "the clients do not get on", func() error {
		done := s.l.done.Load()
		if done != last {
			last, since = done, time.Now()
		}
		if done < until && time.Since(since) < time.Second {
			return fmt.Errorf("%d operations of %d are missing", until-done, n)
		}
		return nil
	})
}

func (s *stage) freezeNode() {
	p := s.d.nodes[s.rng.IntN(nodeCount)]
	s.quietly(p.pause)
	s.work(150)
	p.resume()
}

func (s *stage) restartAll() {
	s.quietly(func() {
		for _, p := range s.d.nodes {
			p.kill()
		}
		for _, m := range s.d.cluster.Nodes {
			m.Stop()
		}
		for _, m := range s.d.cluster.Nodes {
			m.Restart()
		}
		s.d.cluster.Await()
		for _, p := range s.d.nodes {
			p.start()
		}
	})
	s.work(30)
}

// loseHistory has a replica take over that was cut off, so that what its master answered meanwhile is gone; answers did not call it replicated.
func (s *stage) loseHistory() {
	slot, m := s.aMaster()
	replica := s.d.cluster.Replica(m)
	s.quietly(func() {
		s.d.cluster.Cut(replica)
		s.work(60)
		m.Kill()
		s.d.cluster.TakeOver(replica)
		s.awaitOther(slot, m)
	})
	s.d.cluster.Heal(replica)
	m.Restart()
}
