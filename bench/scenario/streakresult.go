package scenario

import (
	"fmt"
	"io"

	"laurel/bench/measure"
)

// StreakBar is how much CPU time of Laurel and Redis an activity may cost with a streak rule, over the same without one.
const StreakBar = 1.15

// StreakIngest is what streak rules cost where activities come in.
type StreakIngest struct {
	Redis string `json:"redis"`
	// Any: users at random, as in Ingest; all have come today already. First: each user comes once, on a new day.
	Any   StreakCost `json:"any"`
	First StreakCost `json:"first_of_the_day"`
}

// StreakCost compares ingest with and without streak rules.
type StreakCost struct {
	Median StreakRound   `json:"median"` // of each number by itself
	Rounds []StreakRound `json:"rounds"`
}

// StreakRound is a slice of each side.
type StreakRound struct {
	None  IngestSide `json:"none"`
	One   IngestSide `json:"one"`
	Three IngestSide `json:"three"`
	// CPU time of Laurel and Redis an activity with one rule, and with three, over that without.
	RatioOne   float64 `json:"cpu_ratio_one"`
	RatioThree float64 `json:"cpu_ratio_three"`
}

func (r *StreakRound) side(n int) *IngestSide { return []*IngestSide{&r.None, &r.One, &r.Three}[n] }

func (r *StreakRound) conclude() {
	r.RatioOne = measure.Ratio(r.One.cpu(), r.None.cpu())
	r.RatioThree = measure.Ratio(r.Three.cpu(), r.None.cpu())
}

func (c *StreakCost) conclude() {
	pairs := make([]IngestPair, len(c.Rounds))
	for i := range streakSides {
		for j := range c.Rounds {
			pairs[j].A = *c.Rounds[j].side(i)
		}
		*c.Median.side(i) = medianIngest(pairs, func(p *IngestPair) *IngestSide { return &p.A })
	}
	c.Median.RatioOne = measure.MedianOf(c.Rounds, func(r *StreakRound) float64 { return r.RatioOne })
	c.Median.RatioThree = measure.MedianOf(c.Rounds, func(r *StreakRound) float64 { return r.RatioThree })
}

// Met says whether the bar is.
func (s *StreakIngest) Met() bool { return s.Any.Median.RatioOne <= StreakBar }

// Print writes the medians.
func (s *StreakIngest) Print(w io.Writer) {
	for _, c := range []struct {
		name string
		*StreakCost
	}{{"any activity", &s.Any}, {"first of the day", &s.First}} {
		fmt.Fprintf(w, "%s\tactivities/s\tRedis µs\tLaurel µs\tCPU ratio\t\n", c.name)
		m := &c.Median
		for i, ratio := range []float64{1, m.RatioOne, m.RatioThree} {
			side := m.side(i)
			fmt.Fprintf(w, "%d streak rules\t%.0f\t%.2f\t%.2f\t%.3f\t\n", streakSides[i], side.PerSecond, side.RedisMicros, side.LaurelMicros, ratio)
		}
		fmt.Fprintf(w, "\t\t\t\t\t\n")
	}
}
