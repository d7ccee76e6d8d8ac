//go:build linux

package live

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Settings say what is watched, and what goes on. They are part of the result.
type Settings struct {
	Connections int           `json:"connections"`
	View        string        `json:"view"`            // top, around, users, user
	PerView     int           `json:"conns_per_view"`  // of other kinds than top
	Limit       int           `json:"limit,omitempty"` // of a top view
	Span        int           `json:"span,omitempty"`  // of an around view
	Rule        string        `json:"rule"`
	Period      string        `json:"period"`
	MaxHz       float64       `json:"max_hz,omitempty"`
	Slow        int           `json:"slow,omitempty"` // of the connections
	Members     int           `json:"members"`
	Rate        float64       `json:"updates_per_second"`
	Duration    time.Duration `json:"duration_ns"`
	Storm       time.Duration `json:"storm_ns,omitempty"`
}

// Result is what a run found out.
type Result struct {
	Commit   string   `json:"commit"`
	Dirty    bool     `json:"dirty"`
	Date     string   `json:"date"`
	CPU      string   `json:"cpu"`
	Cores    int      `json:"cores"`
	Load1    float64  `json:"load_average"`
	Go       string   `json:"go"`
	Redis    string   `json:"redis,omitempty"`
	Command  string   `json:"command"`
	Settings Settings `json:"settings"`
	Idle     Idle     `json:"idle"`
	Push     *Push    `json:"push,omitempty"`
	Storm    *Storm   `json:"storm,omitempty"`
	Final    Final    `json:"final"`
}

// Idle is what connections cost that are subscribed and are told nothing.
type Idle struct {
	Settled       Quantiles `json:"first_state_ms"` // from dialling to the first state
	Before        int64     `json:"server_rss_before"`
	After         int64     `json:"server_rss_after"`
	PerConnection float64   `json:"server_rss_bytes_per_connection"`
}

// Push is what happened while updates came.
type Push struct {
	Updates         int       `json:"updates"`
	PerSecond       float64   `json:"updates_per_second"`
	FromSent        Quantiles `json:"latency_from_request_ms"`           // of each update at each client that watches it: from before its request, an upper bound
	FromAcked       Quantiles `json:"latency_from_answer_ms"`            // from the answer to its request, a lower bound
	ToSocket        Quantiles `json:"latency_from_request_to_socket_ms"` // as from_request, to when it was in the client's socket
	GeneratorLag    Quantiles `json:"generator_lag_ms"`                  // from there until this program read it
	Learned         int64     `json:"updates_learned"`                   // by clients
	Missed          int64     `json:"updates_missed"`                    // by clients, in the end
	Frames          int       `json:"frames"`
	FramesPerSecond float64   `json:"frames_per_second"`
	FramesP99       float64   `json:"frames_per_second_of_a_client_p99"`
	FramesMax       float64   `json:"frames_per_second_of_a_client_max"`
	MostInASecond   int       `json:"most_frames_of_a_client_in_any_second"`
	MostReadApart   int       `json:"most_frames_of_a_client_in_any_second_read_apart"`
	BytesP99        float64   `json:"bytes_per_second_of_a_client_p99"`
	BytesMax        float64   `json:"bytes_per_second_of_a_client_max"`
	ServerCPU       float64   `json:"server_cpu_cores"`
	ServerMicros    float64   `json:"server_cpu_us_per_frame"`
	RedisCPU        float64   `json:"redis_cpu_cores,omitempty"`
	GeneratorCPU    float64   `json:"generator_cpu_cores"`
	ServerRSS       int64     `json:"server_rss"`
	GeneratorRSS    int64     `json:"generator_rss"`
	Renders         int       `json:"renders"`
	SlowLag         Quantiles `json:"slow_clients_behind_ms"` // how old what slow clients hold is at the end of the updates
}

// Storm is what a reconnection of all took.
type Storm struct {
	Settled   Quantiles `json:"first_state_ms"`
	Seconds   float64   `json:"seconds"` // from the cut until all hold a state again
	ServerCPU float64   `json:"server_cpu_seconds"`
	Views     int       `json:"views"`
	Renders   int       `json:"renders"`
}

// Final is how it ended, after the updates.
type Final struct {
	QuietMillis float64 `json:"quiet_after_ms"` // when the last message came, after the end of the updates
	Wrong       int     `json:"wrong"`          // clients that hold something else than a read answers
	Lost        int     `json:"lost"`           // connections that ended
	Error       string  `json:"error,omitempty"`
}

// Quantiles are of milliseconds.
type Quantiles struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)
}

func quantiles(h *hdrhistogram.Histogram) Quantiles {
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return Quantiles{at(50), at(99), at(99.9), float64(h.Max()) / 1000}
}

func quantilesOf(ds []time.Duration) Quantiles {
	h := newHistogram()
	for _, d := range ds {
		_ = h.RecordValue(max(d.Microseconds(), 1))
	}
	return quantiles(h)
}

// Print writes the result for people.
func (r *Result) Print(out io.Writer) error {
	s := &r.Settings
	fmt.Fprintf(out, "commit %.12s  %s  %d × %s  load %.1f  %s\n%s\n\n", r.Commit, r.Date, r.Cores, r.CPU, r.Load1, r.Go, r.Command)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	ms := func(name string, q Quantiles) {
		fmt.Fprintf(w, "%s\tp50 %.1f ms\tp99 %.1f\tp99.9 %.1f\tmax %.1f\n", name, q.P50, q.P99, q.P999, q.Max)
	}
	fmt.Fprintf(w, "%d connections\t%s, board of %d\t%d slow\tmax_hz %g\n", s.Connections, s.View, s.Members, s.Slow, s.MaxHz)
	ms("first state", r.Idle.Settled)
	fmt.Fprintf(w, "server's memory\t%.1f MB\tto %.1f\t%.1f KB a connection\n", mega(r.Idle.Before), mega(r.Idle.After), r.Idle.PerConnection/1000)
	if p := r.Push; p != nil {
		fmt.Fprintf(w, "updates\t%d\t%.0f a second\tlearned %d times\tmissed %d\n", p.Updates, p.PerSecond, p.Learned, p.Missed)
		ms("request → receipt", p.FromSent)
		ms("answer → receipt", p.FromAcked)
		ms("request → socket", p.ToSocket)
		ms("generator's lag", p.GeneratorLag)
		fmt.Fprintf(w, "frames a second\t%.0f\ta client: p99 %.2f\tmax %.2f\tat most %d in any second\t%d read apart\n",
			p.FramesPerSecond, p.FramesP99, p.FramesMax, p.MostInASecond, p.MostReadApart)
		fmt.Fprintf(w, "bytes a second\t\ta client: p99 %.0f\tmax %.0f\n", p.BytesP99, p.BytesMax)
		fmt.Fprintf(w, "CPU, cores\tserver %.2f\tredis %.2f\tgenerator %.2f\t%.1f µs of the server a frame\n", p.ServerCPU, p.RedisCPU, p.GeneratorCPU, p.ServerMicros)
		fmt.Fprintf(w, "memory\tserver %.1f MB\tgenerator %.1f\trenders %d\n", mega(p.ServerRSS), mega(p.GeneratorRSS), p.Renders)
		if s.Slow > 0 {
			ms("slow clients behind", p.SlowLag)
		}
	}
	if t := r.Storm; t != nil {
		ms("storm: first state", t.Settled)
		fmt.Fprintf(w, "storm\tall back after %.2f s\tserver %.2f s CPU\t%d views\t%d renders\n", t.Seconds, t.ServerCPU, t.Views, t.Renders)
	}
	fmt.Fprintf(w, "in the end\tquiet after %.0f ms\twrong %d\tlost %d\t%s\n", r.Final.QuietMillis, r.Final.Wrong, r.Final.Lost, r.Final.Error)
	return w.Flush()
}

func mega(bytes int64) float64 { return float64(bytes) / 1e6 }
