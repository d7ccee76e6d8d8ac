package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/oracle"
	"laurel/internal/store"
)

// drawRecord makes an activity of few users, ids and instants, so that repetitions, conflicts and ties are common.
func drawRecord(t *rapid.T, begin time.Time) oracle.Record {
	at := begin.Add(time.Duration(rapid.IntRange(0, 14*8-1).Draw(t, "slot")) * 3 * time.Hour)
	r := oracle.Record{
		ID: fmt.Sprint("i", rapid.IntRange(0, 60).Draw(t, "id")), User: rapid.SampledFrom([]string{"ann", "bob", "eve"}).Draw(t, "user"),
		Name: rapid.SampledFrom([]string{"a", "a", "b", "c"}).Draw(t, "name"),
		At:   at.In(time.FixedZone("", 3600*rapid.SampledFrom([]int{0, -8, 10}).Draw(t, "offset"))),
		Meta: map[string]any{"n": float64(rapid.IntRange(-2, 4).Draw(t, "n"))},
	}
	if r.HasValue = rapid.Bool().Draw(t, "has value"); r.HasValue {
		r.Value = rapid.SampledFrom([]float64{0, 1, -1.005, 7.25}).Draw(t, "value")
	}
	if tag := rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "tag"); tag != "" {
		r.Meta["tag"] = tag
	}
	return r
}

// journal is what the nodes answered: the records that were accepted, by user and id.
type journal struct {
	mu       sync.Mutex
	accepted map[[2]string]oracle.Record
	lands    map[string]string // of users, now
	faults   []string
}

func (j *journal) note(batch []oracle.Record, r ingest.Report, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, o := range r.Outcomes {
		key := [2]string{batch[i].User, batch[i].ID}
		switch {
		case o.Status == ingest.StatusAccepted:
			if _, twice := j.accepted[key]; twice {
				j.faults = append(j.faults, fmt.Sprintf("%v accepted twice", key))
			}
			rec := batch[i]
			rec.Received = now
			rec.Attributes = map[string]string{"land": j.lands[rec.User]}
			j.accepted[key] = rec
		case o.Status == ingest.StatusDuplicate, o.Err != nil && o.Err.Code == "id_conflict":
		default:
			j.faults = append(j.faults, fmt.Sprintf("%v: %q %v", batch[i], o.Status, o.Err))
		}
	}
}

// scenario is everything that one check does, drawn before it runs: waves of batches that are submitted at once, and commands after each.
type scenario struct {
	waves [][][]oracle.Record
	flips [][]int // which of the accepted are rejected or restored
	zones []string
	lands []map[string]string // where users have moved before each wave; "": they say it no more
}

func drawScenario(t *rapid.T, begin time.Time) *scenario {
	s := &scenario{}
	for range rapid.IntRange(1, 3).Draw(t, "waves") {
		var wave [][]oracle.Record
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			batch := make([]oracle.Record, rapid.IntRange(1, 12).Draw(t, "size"))
			for i := range batch {
				if i > 0 && rapid.IntRange(0, 4).Draw(t, "again") == 0 {
					batch[i] = batch[i-1]
					continue
				}
				batch[i] = drawRecord(t, begin)
			}
			wave = append(wave, batch)
		}
		s.waves = append(s.waves, wave)
		lands := rapid.SampledFrom([]string{"", "AT", "DE", "nowhere at all"})
		s.lands = append(s.lands, rapid.MapOfN(rapid.SampledFrom([]string{"ann", "bob", "eve"}), lands, 0, 3).Draw(t, "lands"))
		s.flips = append(s.flips, rapid.SliceOfN(rapid.IntRange(0, 1000), 0, 6).Draw(t, "flips"))
		s.zones = append(s.zones, rapid.SampledFrom([]string{"", "", "America/New_York", "Pacific/Auckland"}).Draw(t, "zone"))
	}
	return s
}

// run plays a scenario on nodes that share a store, and compares what each of them has with the model.
func (s *scenario) run(t *rapid.T, nodes []*node, org activity.Org, begin time.Time) {
	ctx := context.Background()
	j := &journal{accepted: map[[2]string]oracle.Record{}, lands: map[string]string{}}
	m := newModel(t)
	now := begin.Add(14 * 24 * time.Hour)
	for w, wave := range s.waves {
		now = now.Add(13 * time.Hour)
		for _, n := range nodes {
			n.set(now)
		}
		j.move(t, nodes[w%len(nodes)], org, s.lands[w])
		var g sync.WaitGroup
		for i, batch := range wave {
			g.Go(func() {
				r, err := nodes[i%len(nodes)].Submit(ctx, org, items(batch...), ingest.SubmitOptions{Effects: i == 0})
				if err != nil {
					r.Outcomes = nil
					j.mu.Lock()
					j.faults = append(j.faults, err.Error())
					j.mu.Unlock()
				}
				j.note(batch, r, now)
			})
		}
		g.Wait()
		j.flip(t, nodes, org, s.flips[w])
		if zone := s.zones[w]; zone != "" && len(j.accepted) > 0 {
			user := slices.MinFunc(slices.Collect(maps.Keys(j.accepted)), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })[0]
			loc, err := time.LoadLocation(zone)
			if err == nil {
				err = nodes[len(nodes)-1].SetUser(ctx, org, activity.User(user), ingest.UserChange{Zone: &zone, Create: true})
			}
			if err != nil {
				t.Fatal(err)
			}
			if have := m.Zones[user]; len(have) == 0 || have[len(have)-1].Zone.String() != zone {
				m.Zones[user] = append(have, oracle.ZoneChange{At: now, Zone: loc})
			}
		}
		if len(j.faults) > 0 {
			t.Fatal(j.faults)
		}
		m.Records = slices.Collect(maps.Values(j.accepted))
	}
	s.compare(t, nodes, org, m, now)
}

// move gives users the attribute that a rule segments by.
func (j *journal) move(t *rapid.T, n *node, org activity.Org, lands map[string]string) {
	for user, land := range lands {
		attributes := map[string]*string{"land": &land, "other": &land}
		if land == "" {
			attributes["land"] = nil
		}
		if err := n.SetUser(context.Background(), org, activity.User(user), ingest.UserChange{Create: true, Attributes: attributes}); err != nil {
			t.Fatal(err)
		}
		j.lands[user] = land
	}
}

// flip rejects and restores some of what was accepted, all at once.
func (j *journal) flip(t *rapid.T, nodes []*node, org activity.Org, which []int) {
	keys := slices.SortedFunc(maps.Keys(j.accepted), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	chosen := map[[2]string]bool{}
	for _, i := range which {
		if len(keys) > 0 {
			chosen[keys[i%len(keys)]] = true
		}
	}
	var g sync.WaitGroup
	for key := range chosen {
		r := j.accepted[key]
		r.Rejected = !r.Rejected
		j.accepted[key] = r
		g.Go(func() {
			n := nodes[len(key[1])%len(nodes)]
			var err error
			if r.Rejected {
				_, err = n.Reject(context.Background(), org, activity.User(key[0]), activity.ID(key[1]), "test")
			} else {
				_, err = n.Restore(context.Background(), org, activity.User(key[0]), activity.ID(key[1]))
			}
			if err != nil {
				j.mu.Lock()
				j.faults = append(j.faults, fmt.Sprintf("%v rejected %v: %v", key, r.Rejected, err))
				j.mu.Unlock()
			}
		})
	}
	g.Wait()
	if len(j.faults) > 0 {
		t.Fatal(j.faults)
	}
}

// compare touches every user once more, so that the boards of streaks are as of now, and compares all boards.
func (s *scenario) compare(t *rapid.T, nodes []*node, org activity.Org, m *oracle.Model, now time.Time) {
	touched := map[string]bool{}
	var last []oracle.Record
	for _, r := range m.Records {
		if !touched[r.User] {
			touched[r.User] = true
			last = append(last, oracle.Record{ID: "last", User: r.User, Name: "z", At: now.UTC(), Received: now})
		}
	}
	r, err := nodes[0].Submit(context.Background(), org, items(last...), ingest.SubmitOptions{})
	if err != nil || r.Accepted != len(last) {
		t.Fatalf("%+v, %v", r, err)
	}
	m.Records = append(m.Records, last...)
	for _, n := range nodes {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		err := n.boards.WaitFor(ctx, nodes[0].boards.Revision())
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		n.check(t, m, org, now)
	}
}

// TestSubmit_EqualsTheModel is the set law, once, and exact undo, through the whole write path: requests at once, with repetitions and conflicts, on
// one node with the embedded store and on two nodes that share a server.
func TestSubmit_EqualsTheModel(t *testing.T) {
	begin := time.Date(2026, 3, 22, 0, 0, 0, 0, time.UTC)
	var orgs atomic.Int64
	play := func(t *testing.T, nodes ...*node) {
		rapid.Check(t, func(t *rapid.T) {
			s := drawScenario(t, begin)
			definition := fmt.Sprintf(definitions, fmt.Sprint("org", orgs.Add(1)))
			org := nodes[0].publish(t, definition)
			for _, n := range nodes[1:] {
				if _, err := n.registry.Reload(context.Background(), org); err != nil {
					t.Fatal(err)
				}
			}
			s.run(t, nodes, org, begin)
		})
	}
	t.Run("embedded", func(t *testing.T) { play(t, startNode(t, embedded(t, 3))) })
	eachServer(t, 2, func(t *testing.T, o store.Options) {
		play(t, startNode(t, o), startNode(t, o))
	})
}

func TestSubmit_UnknownOrg(t *testing.T) {
	n := startNode(t, embedded(t, 1))
	if _, err := n.Submit(t.Context(), "nobody", nil, ingest.SubmitOptions{}); err == nil || errors.Is(err, ingest.ErrOverloaded) {
		t.Errorf("%v", err)
	}
}
