package sweep

import (
	"fmt"
	"io"
	"text/tabwriter"

	"laurel/bench/process"
	"laurel/bench/scenario"
)

// Bars.
const (
	LagBar    = 1000 // ms, of the 99th percentile
	DoneBar   = 60   // s, for all that end at one instant
	IngestBar = 0.5  // of the activities a second without the sweep
)

// Result is all that was found out about the cost of streaks; it becomes a file. A part that was left out is nil.
type Result struct {
	Commit  string                 `json:"commit"`
	Dirty   bool                   `json:"dirty"`
	Date    string                 `json:"date"`
	CPU     string                 `json:"cpu"`
	Cores   int                    `json:"cores"`
	Load1   float64                `json:"load_average"`
	Go      string                 `json:"go"`
	Command string                 `json:"command"`
	Ingest  *scenario.StreakIngest `json:"ingest,omitempty"`
	Sweep   *Sweep                 `json:"sweep,omitempty"`
}

// NewResult is an empty result of what and where host says.
func NewResult(host *scenario.Result) *Result {
	return &Result{Commit: host.Commit, Dirty: host.Dirty, Date: host.Date, CPU: host.CPU, Cores: host.Cores, Load1: host.Load1, Go: host.Go}
}

// Identity is what a record of the result is named by.
func (r *Result) Identity() (date, commit string) { return r.Date, r.Commit }

// Met says whether every bar of what was measured is.
func (r *Result) Met() bool {
	return (r.Ingest == nil || r.Ingest.Met()) && (r.Sweep == nil || r.Sweep.Spread.Met && r.Sweep.AtOnce.Met)
}

// Sweep is what it takes to end the streaks of many users.
type Sweep struct {
	Redis    string   `json:"redis"`
	Settings Settings `json:"settings"`
	Spread   Spread   `json:"spread"`
	AtOnce   AtOnce   `json:"at_once"`
}

// Spread is streaks that end one after the other. Lag is from a deadline to when a follower of the change stream has read that the streak is lost.
type Spread struct {
	Met      bool                           `json:"met"`
	P50      int64                          `json:"lag_p50_ms"`
	P99      int64                          `json:"lag_p99_ms"`
	Max      int64                          `json:"lag_max_ms"`
	Lost     int                            `json:"lost"`
	Redis    float64                        `json:"redis_cpu_us_per_user"`
	Laurel   float64                        `json:"laurel_cpu_us_per_user"` // with the clock and the follower of the benchmark
	Commands map[string]process.CommandCost `json:"redis_commands"`
}

// AtOnce is streaks that end all together, while activities come in. Rates are activities/s: Without before and after, With during the sweep.
type AtOnce struct {
	Met      bool       `json:"met"`
	Seconds  float64    `json:"seconds"` // to the last of them
	Lost     int        `json:"lost"`
	Without  [2]float64 `json:"ingest_without"`
	With     float64    `json:"ingest_with"`
	Ratio    float64    `json:"ratio"`
	Twice    int        `json:"told_twice"` // streaks that were told lost more than once
	Leftover int64      `json:"deadlines_left"`
}

// Print writes the result for people.
func (r *Result) Print(out io.Writer) error {
	fmt.Fprintf(out, "commit %.12s  %s  %d × %s  load %.1f  %s\n\n", r.Commit, r.Date, r.Cores, r.CPU, r.Load1, r.Go)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if r.Ingest != nil {
		r.Ingest.Print(w)
	}
	if err := w.Flush(); err != nil || r.Sweep == nil {
		return err
	}
	s := r.Sweep
	_, err := fmt.Fprintf(out, "%d streaks end within %.0f s: lag p50 %d ms, p99 %d ms (bar %d), max %d ms; CPU a user %.1f µs Redis, %.1f µs Laurel\n"+
		"%d streaks end at once: done after %.1f s (bar %d), ingest beside it %.0f/s, without %.0f and %.0f: %.2f (bar %.2f); told twice %d, deadlines left %d\n",
		s.Spread.Lost, s.Settings.Span, s.Spread.P50, s.Spread.P99, LagBar, s.Spread.Max, s.Spread.Redis, s.Spread.Laurel,
		s.AtOnce.Lost, s.AtOnce.Seconds, DoneBar, s.AtOnce.With, s.AtOnce.Without[0], s.AtOnce.Without[1], s.AtOnce.Ratio, IngestBar, s.AtOnce.Twice, s.AtOnce.Leftover)
	return err
}
