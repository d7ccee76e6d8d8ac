package closing_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
	"laurel/internal/ingest"
	"laurel/internal/store"
)

// won has prizes by day, and an achievement by rank that gives points too. Ties are numbered as its argument says.
const won = `
orgs:
  - id: org
    limits: {max_past: 2d, close_grace: 1h, log_days: 30}
    wallets: [{id: coins}, {id: gems, decimals: 1}]
    rules:
      - {id: count, when: {name: a}, value: count, cycles: [day, week], ties: %s}
    achievements:
      - {id: champion, rank: {rule: count, cycle: day, at_most: 2}, points: [{wallet: gems, points: 0.5}]}
    prizes:
      - {id: daily, rule: count, cycle: day, ranks: [{from: 1, points: [{wallet: coins, points: 100}, {wallet: gems, points: 2}]}, {from: 2, to: 3, points: [{wallet: coins, points: 10}]}]}
      - {id: weekly, rule: count, cycle: week, ranks: [{from: 2, to: 10000, points: [{wallet: coins, points: 1000}]}]}
`

// purse is what a user has in the two wallets, and how often the user was champion.
type purse struct{ Coins, Gems, Champion int64 }

// add gives what a day's rank gives.
func (p *purse) addDay(rank int) {
	switch {
	case rank == 1:
		p.Coins += 100
		p.Gems += 20
	case rank <= 3:
		p.Coins += 10
	}
	if rank <= 2 {
		p.Gems += 5
		p.Champion++
	}
}

func (p *purse) addWeek(rank int) {
	if rank >= 2 {
		p.Coins += 1000
	}
}

// stand is how often a user did it in a period, and when lastly.
type stand struct {
	n    int
	last time.Time
}

// ranksOf numbers users as the ties say: by how many are before, or greater, or how many different counts are greater.
func ranksOf(counts map[activity.User]stand, ties string) map[activity.User]int {
	ranks := map[activity.User]int{}
	for u, own := range counts {
		greater, different := 0, map[int]bool{}
		for _, other := range counts {
			if other.n > own.n {
				different[other.n] = true
			}
			if other.n > own.n || ties == "ordinal" && other.n == own.n && other.last.Before(own.last) {
				greater++
			}
		}
		if ranks[u] = greater + 1; ties == "dense" {
			ranks[u] = len(different) + 1
		}
	}
	return ranks
}

// perform has each user do as much as the counts say.
func perform(t *testing.T, ids *sent, n *node, counts map[activity.User]stand) {
	t.Helper()
	var items []ingest.Item
	for u, own := range counts {
		for range own.n {
			items = append(items, ids.item(string(u), "a", 1, own.last))
		}
	}
	if r := n.submit(t, ingest.SubmitOptions{}, items...); r.Accepted != len(items) {
		t.Fatalf("%+v", r.Outcomes)
	}
}

// delivered waits until nothing is on its way.
func (n *node) delivered(t *testing.T) {
	t.Helper()
	waitFor(t, func() bool {
		open, _, err := n.Transfers(context.WithoutCancel(t.Context()))
		return open == 0 && err == nil
	})
}

func (n *node) purses(t *testing.T, users int) map[activity.User]purse {
	t.Helper()
	plan, _, err := n.Plan(org)
	if err != nil {
		t.Fatal(err)
	}
	all := map[activity.User]purse{}
	for i := range users {
		u := activity.User(fmt.Sprint("u", i))
		s, err := n.State(t.Context(), org, u)
		if errors.Is(err, ingest.ErrUserNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		v := s.DeriveEarned(plan, n.clock.Now())
		all[u] = purse{v.Wallets[0].Balance, v.Wallets[1].Balance, int64(v.Achievements[0].Times)}
	}
	return all
}

// TestPrizes_ByFinalStandings: what a close gives goes to who stands there by the rule's own numbers, once, however many nodes close at once and also where none did at the boundary.
func TestPrizes_ByFinalStandings(t *testing.T) {
	for _, ties := range []string{"ordinal", "standard", "dense"} {
		t.Run(ties, func(t *testing.T) {
			eachStore(t, func(t *testing.T, nodes []*node) {
				const users = 6
				seed := uint64(time.Now().UnixNano())
				t.Logf("seed %d", seed)
				rng := rand.New(rand.NewPCG(seed, 1))
				monday := time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)
				set := func(at time.Time) { nodes[0].set(at); nodes[1].set(at) }
				set(monday)
				publish(t, fmt.Sprintf(won, ties), nodes...)
				nodes[0].close(t)
				var ids sent
				want, week := map[activity.User]purse{}, map[activity.User]stand{}
				give := func(ranks map[activity.User]int, add func(*purse, int)) {
					for u, rank := range ranks {
						p := want[u]
						add(&p, rank)
						want[u] = p
					}
				}
				for d := range 7 {
					at, counts := monday.Add(time.Duration(d)*24*time.Hour), map[activity.User]stand{}
					set(at)
					for i := range users {
						if u, n := activity.User(fmt.Sprint("u", i)), rng.IntN(4); n > 0 {
							counts[u] = stand{n, at.Add(-time.Duration(i) * time.Second)}
							week[u] = stand{week[u].n + n, counts[u].last}
						}
					}
					perform(t, &ids, nodes[d%2], counts)
					give(ranksOf(counts, ties), (*purse).addDay)
					if d == 2 || d == 3 {
						continue // nobody closes for two days
					}
					set(at.Add(14 * time.Hour))
					closeTogether(t, nodes)
				}
				set(monday.Add(8 * 24 * time.Hour))
				closeTogether(t, nodes)
				give(ranksOf(week, ties), (*purse).addWeek)
				for _, n := range nodes {
					n.restartCloser()
					n.close(t)
					n.delivered(t)
					if diff := cmp.Diff(want, n.purses(t, users)); diff != "" {
						t.Errorf("purses (-want +got)\n%s", diff)
					}
				}
			})
		})
	}
}

func closeTogether(t *testing.T, nodes []*node) {
	t.Helper()
	var g sync.WaitGroup
	for _, n := range nodes {
		g.Go(func() {
			if err := n.closer.Close(context.WithoutCancel(t.Context()), org); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
}

// TestPrizes_ManyAtOneRank: of each transfer some are the receivers.
func TestPrizes_ManyAtOneRank(t *testing.T) {
	s := openStore(t, store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	n := newNode(ctx, t, s)
	t.Cleanup(cancel)
	n.set(noon)
	publish(t, fmt.Sprintf(won, "dense"), n)
	n.close(t)
	const users = 250
	var ids sent
	counts, want := map[activity.User]stand{}, map[activity.User]purse{}
	for i := range users {
		u := activity.User(fmt.Sprint("u", i))
		counts[u], want[u] = stand{1, noon}, purse{100, 25, 1}
	}
	perform(t, &ids, n, counts)
	n.set(noon.Add(14 * time.Hour))
	n.close(t)
	n.delivered(t)
	if diff := cmp.Diff(want, n.purses(t, users)); diff != "" {
		t.Error(diff)
	}
}
