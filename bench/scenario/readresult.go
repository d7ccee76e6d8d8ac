package scenario

import (
	"fmt"
	"io"
	"text/tabwriter"

	"laurel/bench/measure"
)

// LargeBoardBar is what reads of a large board have to reach of the ceiling's throughput.
const LargeBoardBar = 0.7

// ReadsResult is what RunReads found out.
type ReadsResult struct {
	Commit      string       `json:"commit"`
	Dirty       bool         `json:"dirty"`
	Date        string       `json:"date"`
	CPU         string       `json:"cpu"`
	Cores       int          `json:"cores"`
	Load1       float64      `json:"load_average"`
	Go          string       `json:"go"`
	Command     string       `json:"command"`
	Members     int          `json:"members"`
	Connections int          `json:"connections"` // of the closed loop
	Kinds       []KindResult `json:"kinds"`
}

// KindResult is one kind of request.
type KindResult struct {
	Name        string     `json:"name"`
	AnswerBytes int        `json:"answer_bytes"`
	Bar         float64    `json:"bar"` // of ratio
	Met         bool       `json:"met"`
	Median      KindPair   `json:"median"`
	Pairs       []KindPair `json:"pairs"`
	OpenLoops   []OpenLoop `json:"open_loops"`
}

// KindPair is a slice of each side in a closed loop.
type KindPair struct {
	Laurel   KindSide `json:"laurel"`
	Ceiling  KindSide `json:"ceiling"`
	Ratio    float64  `json:"ratio"`     // throughput, Laurel over ceiling
	CPURatio float64  `json:"cpu_ratio"` // the server's CPU time a read, Laurel over ceiling
}

// KindSide is one slice.
type KindSide struct {
	PerSecond    float64 `json:"reads_per_second"`
	ServerMicros float64 `json:"server_cpu_us_per_read"`
}

// OpenLoop is latencies at one rate of arrivals, the same for both.
type OpenLoop struct {
	Part      float64 `json:"part"` // of what Laurel managed in the closed loop
	PerSecond float64 `json:"arrivals_per_second"`
	Laurel    Latency `json:"laurel"`
	Ceiling   Latency `json:"ceiling"`
}

// Latency is in µs, from when a request was due to the end of its answer.
type Latency struct {
	P50  int64 `json:"p50_us"`
	P99  int64 `json:"p99_us"`
	P999 int64 `json:"p999_us"`
	Max  int64 `json:"max_us"`
}

func (p *KindPair) side(n int) *KindSide {
	if n == 0 {
		return &p.Laurel
	}
	return &p.Ceiling
}

func (p *KindPair) conclude() {
	p.Ratio = measure.Ratio(p.Laurel.PerSecond, p.Ceiling.PerSecond)
	p.CPURatio = measure.Ratio(p.Laurel.ServerMicros, p.Ceiling.ServerMicros)
}

func (k *KindResult) conclude() {
	of := func(number func(*KindPair) float64) float64 { return measure.MedianOf(k.Pairs, number) }
	k.Median = KindPair{
		Laurel: KindSide{of(func(p *KindPair) float64 { return p.Laurel.PerSecond }), of(func(p *KindPair) float64 { return p.Laurel.ServerMicros })},
		Ceiling: KindSide{of(func(p *KindPair) float64 { return p.Ceiling.PerSecond }),
			of(func(p *KindPair) float64 { return p.Ceiling.ServerMicros })},
		Ratio:    of(func(p *KindPair) float64 { return p.Ratio }),
		CPURatio: of(func(p *KindPair) float64 { return p.CPURatio }),
	}
	k.Met = k.Median.Ratio >= k.Bar
}

// Met says whether every kind reaches the bar.
func (r *ReadsResult) Met() bool {
	for i := range r.Kinds {
		if !r.Kinds[i].Met {
			return false
		}
	}
	return true
}

// Identity is what a record of the result is named by.
func (r *ReadsResult) Identity() (date, commit string) { return r.Date, r.Commit }

// Print writes the result for people.
func (r *ReadsResult) Print(out io.Writer) error {
	fmt.Fprintf(out, "commit %.12s  %s  %d × %s  load %.1f  %s\n%d members, %d connections\n\n", r.Commit, r.Date, r.Cores, r.CPU, r.Load1, r.Go, r.Members,
		r.Connections)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	printKinds(w, r.Kinds)
	return w.Flush()
}

func printKinds(w io.Writer, kinds []KindResult) {
	fmt.Fprintf(w, "\tbytes\tLaurel/s\tceiling/s\tratio\tbar\t\tµs CPU\tceiling\tratio\t\n")
	for i := range kinds {
		k := &kinds[i]
		m := &k.Median
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%.3f\t%.2f\t%s\t%.1f\t%.1f\t%.2f\t\n", k.Name, k.AnswerBytes, m.Laurel.PerSecond, m.Ceiling.PerSecond, m.Ratio, k.Bar,
			verdict(k.Met), m.Laurel.ServerMicros, m.Ceiling.ServerMicros, m.CPURatio)
	}
	fmt.Fprintf(w, "\t\t\t\t\t\t\t\t\t\t\nopen loop, µs\tarrivals/s\tp50\tceiling\tp99\tceiling\tp99.9\tceiling\t\t\t\n")
	for i := range kinds {
		for _, l := range kinds[i].OpenLoops {
			fmt.Fprintf(w, "%s, %.0f %%\t%.0f\t%d\t%d\t%d\t%d\t%d\t%d\t\t\t\n", kinds[i].Name, 100*l.Part, l.PerSecond, l.Laurel.P50, l.Ceiling.P50,
				l.Laurel.P99, l.Ceiling.P99, l.Laurel.P999, l.Ceiling.P999)
		}
	}
}
