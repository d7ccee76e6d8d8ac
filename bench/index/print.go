package index

import (
	"fmt"
	"io"
	"text/tabwriter"

	"laurel/bench/measure"
)

// Print writes the result for people: medians only.
func (r *Result) Print(out io.Writer) error {
	dirty := ""
	if r.Dirty {
		dirty = " (with changes)"
	}
	fmt.Fprintf(out, "commit %.12s%s  %s  %d × %s  load %.1f  %s  redis %s\nmedians of %d pairs of %g s; bars at %d members\n\n",
		r.Commit, dirty, r.Date, r.Cores, r.CPU, r.Load1, r.Go, r.Redis, r.Settings.Pairs, r.Settings.Seconds, barMembers)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "members\t\tindex cpu ns\tsingle cpu ns\tredis cpu ns\tcpu ratio\tsingle\tthroughput\tbar\t\t\n")
	for i := range r.Sizes {
		s := &r.Sizes[i]
		s.Updates.print(w, s.Members, "updates")
		s.Ranks.print(w, s.Members, "ranks")
	}
	fmt.Fprintf(w, "\t\n\t\tboard s\tzrange client s\traw s\t/client\t/raw\t\tbar\t\t\n")
	for i := range r.Sizes {
		l := &r.Sizes[i].Load
		fmt.Fprintf(w, "%d\tload\t%.3f\t%.3f\t%.3f\t%.2f\t%.2f\t\t%g\t%s\t\n", r.Sizes[i].Members, l.Median.Board.Seconds, l.Median.Client.Seconds,
			l.Median.Raw.Seconds, l.Median.RatioClient, l.Median.RatioRaw, l.Bar, verdict(l.Met))
	}
	fmt.Fprintf(w, "\t\n\t\theap B\tresident B\tafter updates\tresident\tredis\tredis board\tbar\t\t\n")
	for i := range r.Sizes {
		m := &r.Sizes[i].Memory
		fmt.Fprintf(w, "%d\tmemory\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%g\t%s\t\n", r.Sizes[i].Members, m.Heap, m.Resident, m.HeapAfter, m.ResidentAfter,
			m.Redis, m.RedisBoard, m.Bar, verdict(m.Met))
	}
	fmt.Fprintf(w, "\t\n\tpauses, µs\tp50\tp99\tp99.9\tmax\tcontrol p99.9\tmax\t\t\t\n")
	for i := range r.Sizes {
		p := &r.Sizes[i].Pauses
		printPauses(w, r.Sizes[i].Members, "reader", p.Reader, p.ReaderControl)
		printPauses(w, r.Sizes[i].Members, "writer", p.Writer, p.WriterControl)
	}
	return w.Flush()
}

func (s *Speed) print(w io.Writer, members int, name string) {
	m := &s.Median
	fmt.Fprintf(w, "%d\t%s\t%.0f\t%.0f\t%.0f\t%.1f\t%.1f\t%.1f\t%g\t%s\t\n", members, name, m.Board.CPUNanos, m.Single.CPUNanos, m.Redis.CPUNanos,
		m.CPURatio, m.SingleCPURatio, m.Ratio, s.Bar, verdict(s.Met))
}

func printPauses(w io.Writer, members int, name string, of, control []Pause) {
	median := func(ps []Pause, number func(*Pause) float64) float64 { return measure.MedianOf(ps, number) }
	p999, longest := func(p *Pause) float64 { return p.P999 }, func(p *Pause) float64 { return p.Max }
	fmt.Fprintf(w, "%d\t%s\t%.1f\t%.1f\t%.1f\t%.0f\t%.1f\t%.0f\t\t\t\n", members, name, median(of, func(p *Pause) float64 { return p.P50 }),
		median(of, func(p *Pause) float64 { return p.P99 }), median(of, p999), median(of, longest), median(control, p999), median(control, longest))
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}
