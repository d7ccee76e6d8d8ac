package ingest_test

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// chance decides, for all goroutines of a test, what they do and which of the services' steps fail.
type chance struct {
	mu     sync.Mutex
	random *rand.Rand
	faults int // of 100 steps
	failed int
}

// newChance has a seed of its own, and prints it.
func newChance(t *testing.T) *chance {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return &chance{random: rand.New(rand.NewPCG(seed, 0))}
}

func (c *chance) draw(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.IntN(n)
}

// fail has so many of 100 steps fail from here on.
func (c *chance) fail(faults int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = faults
}

// stops is how many steps have failed.
func (c *chance) stops() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

func (c *chance) onStep(string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.random.IntN(100) >= c.faults {
		return nil
	}
	c.failed++
	return errStep
}
