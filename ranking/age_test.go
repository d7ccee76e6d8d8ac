package ranking

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"laurel/internal/feed"
)

func TestAge_GrowsWhileTheStoreIsAwayAndComesBack(t *testing.T) {
	node(t, Options{}, func(t *testing.T, s *fakeStore, b *Boards) {
		for range 30 { // whatever the phase of the reads
			_ = pause(t.Context(), 70*time.Millisecond)
			if age := b.Age(); age < 0 || age > 3*readBlock/2+10*time.Millisecond {
				t.Fatalf("the age is %v while the store answers", age)
			}
		}
		s.outage(0, 1_000)
		_ = pause(t.Context(), 10*time.Second)
		if age := b.Age(); age < 8*time.Second {
			t.Errorf("the age is %v after 10 s without the store", age)
		}
		s.heal()
		_ = pause(t.Context(), backoffMax+100*time.Millisecond)
		if age := b.Age(); age > 3*readBlock/2+10*time.Millisecond {
			t.Errorf("the age is %v when the store is back", age)
		}
	})
}

// TestAge_TellsTheTruth: whatever the store does, what was committed longer ago than the age has been told to OnChange.
func TestAge_TellsTheTruth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawAging(rt)
		slow := rapid.SampledFrom([]time.Duration{0, 5 * time.Millisecond, 300 * time.Millisecond, 4 * time.Second}).Draw(rt, "slow")
		page := rapid.IntRange(1, 4).Draw(rt, "page")
		seed := rapid.Uint64().Draw(rt, "seed")
		var fault string
		synctest.Test(t, func(*testing.T) { fault = age(steps, slow, page, seed) })
		if fault != "" {
			rt.Fatal(fault)
		}
	})
}

// farStore is a fake store whose answers are on their way for a while: what they say was true earlier.
type farStore struct {
	*fakeStore
	away time.Duration
}

func (s farStore) Changes(ctx context.Context, partition int, after feed.Position, most int, block time.Duration) ([]feed.Change, error) {
	cs, err := s.fakeStore.Changes(ctx, partition, after, most, block)
	if err := pause(ctx, s.away); err != nil {
		return nil, err
	}
	return cs, err
}

// aging is a moment: commits to a partition, or answers that fail, and the time until the next.
type aging struct {
	partition, commits, failures int
	then                         time.Duration
}

func drawAging(t *rapid.T) []aging {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) aging {
		return aging{rapid.IntRange(0, 1).Draw(t, "partition"), rapid.IntRange(0, 6).Draw(t, "commits"), max(0, rapid.IntRange(-5, 5).Draw(t, "failures")),
			time.Duration(rapid.IntRange(0, 900).Draw(t, "ms")) * time.Millisecond}
	}), 5, 40).Draw(t, "steps")
}

func age(steps []aging, slow time.Duration, page int, seed uint64) (fault string) {
	s := newFakeStore(2, seed, slow)
	var mu sync.Mutex
	told := make([]feed.Position, 2)
	b := NewBoards(Options{Source: farStore{s, slow}, page: page, OnChange: func(c feed.Change) {
		mu.Lock()
		defer mu.Unlock()
		told[c.Partition] = c.ID
	}})
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = b.Run(ctx) })
	_ = b.Following(ctx)
	type commit struct {
		feed.Change
		at time.Time
	}
	var all []commit
	for _, st := range steps {
		for range st.commits {
			c := s.commit(st.partition, put("a", 1))
			all = append(all, commit{c, time.Now()})
		}
		s.outage(st.partition, st.failures)
		_ = pause(ctx, st.then)
		synctest.Wait()
		sure := time.Now().Add(-b.Age())
		mu.Lock()
		for _, c := range all {
			if c.at.Before(sure) && told[c.Partition].Compare(c.ID) < 0 {
				fault = "a change of " + c.at.String() + " was not told, though the boards have all until " + sure.String()
			}
		}
		mu.Unlock()
	}
	cancel()
	run.Wait()
	return fault
}
