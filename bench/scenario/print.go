package scenario

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Print writes the result for people: medians only.
func (r *Result) Print(out io.Writer) error {
	dirty := ""
	if r.Dirty {
		dirty = " (with changes)"
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "commit %.12s%s  %s  %d × %s  load %.1f  %s  redis %s\n", r.Commit, dirty, r.Date, r.Cores, r.CPU, r.Load1, r.Go, r.Redis)
	fmt.Fprintf(out, "%d users, medians of %d pairs of %g s\n\n", r.Settings.Users, r.Settings.Pairs, r.Settings.Seconds)
	r.Ingest.print(w)
	r.Reads.print(w)
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nRedis memory: %.0f bytes of state a user, %.0f of log an activity, %.0f a member of a board\n", r.Memory.State, r.Memory.Log, r.Memory.Board)
	_, err := fmt.Fprintf(out, "\ningest / floor       %.3f   bar %.2f   %s   (Redis CPU an activity: %.2f times the floor's)\nrank reads / ceiling %.3f   bar %.2f   %s   (CPU a read: %.2f times the ceiling's; %.2f times the reads/s of ZREVRANK)\n",
		r.Ingest.Median.Ratio, r.Ingest.Bar, verdict(r.Ingest.Met), r.Ingest.Median.RedisCPURatio,
		r.Reads.Median.RatioCeiling, r.Reads.Bar, verdict(r.Reads.Met), r.Reads.Median.CPURatioCeiling, r.Reads.Median.RatioRedis)
	return err
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

func (i *Ingest) print(w io.Writer) {
	fmt.Fprintf(w, "ingest\tactivities/s\tboard updates each\tRedis µs\tLaurel µs\tgenerator µs\t\n")
	for _, s := range []struct {
		name string
		*IngestSide
	}{{"A Laurel", &i.Median.A}, {fmt.Sprintf("B ZINCRBY, %d conn.", i.Floor.Connections), &i.Median.B}} {
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t%.2f\t%.2f\t%.2f\t\n", s.name, s.PerSecond, s.UpdatesPerActivity, s.RedisMicros, s.LaurelMicros, s.GeneratorMicros)
	}
}

func (r *RankReads) print(w io.Writer) {
	fmt.Fprintf(w, "\t\t\t\t\t\t\nrank reads\treads/s\tserver µs\tgenerator µs\t\n")
	for _, s := range []struct {
		name string
		*ReadSide
	}{{"A Laurel", &r.Median.A}, {"B1 ZREVRANK", &r.Median.B1}, {"B2 net/http", &r.Median.B2}} {
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.2f\t\n", s.name, s.PerSecond, s.ServerMicros, s.GeneratorMicros)
	}
}
