package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"laurel/bench/measure"
	"laurel/bench/process"
	"laurel/bench/wire"
)

const clusterMasters = 3

// ClusterResult compares the same ingest on one Redis and on a cluster, on one machine: what the store costs in all, and how it divides.
type ClusterResult struct {
	Commit     string        `json:"commit"`
	Dirty      bool          `json:"dirty"`
	Date       string        `json:"date"`
	CPU        string        `json:"cpu"`
	Cores      int           `json:"cores"`
	Load1      float64       `json:"load_average"`
	Go         string        `json:"go"`
	Redis      string        `json:"redis"`
	Command    string        `json:"command"`
	Settings   Settings      `json:"settings"`
	Partitions int           `json:"partitions"` // on either side
	Median     ClusterPair   `json:"median"`
	Pairs      []ClusterPair `json:"pairs"`
	// Idle is the CPU time that one node which follows all partitions takes of all servers together while nothing is written, in µs a second.
	Idle struct {
		One     float64 `json:"one_us_per_second"`
		Cluster float64 `json:"cluster_us_per_second"`
	} `json:"idle"`
}

// ClusterPair is a slice on one Redis and one on the cluster right after it.
type ClusterPair struct {
	One     ClusterSide `json:"one"`
	Cluster ClusterSide `json:"cluster"`
	Ratio   float64     `json:"ratio"`         // throughput, cluster/one
	Total   float64     `json:"total_ratio"`   // CPU time of all servers an activity, cluster/one
	Busiest float64     `json:"busiest_ratio"` // CPU time of the busiest master an activity, cluster/one: a third of one would be perfect
}

// ClusterSide is one slice.
type ClusterSide struct {
	PerSecond       float64   `json:"activities_per_second"`
	RedisMicros     []float64 `json:"redis_cpu_us_per_activity"` // of each server
	LaurelMicros    float64   `json:"laurel_cpu_us_per_activity"`
	GeneratorMicros float64   `json:"generator_cpu_us_per_activity"`
}

func (s *ClusterSide) total() (sum float64) {
	for _, m := range s.RedisMicros {
		sum += m
	}
	return sum
}

// Met: nothing is demanded of it.
func (r *ClusterResult) Met() bool { return true }

// Identity is what a record of the result is named by.
func (r *ClusterResult) Identity() (date, commit string) { return r.Date, r.Commit }

// side is one of the two stores with a node on it.
type side struct {
	o         *Options
	store     *process.Cluster // one master, or several
	laurel    *process.Laurel
	items     *activities
	perSecond float64
}

// RunCluster measures once. Its processes and files are gone when it returns.
func RunCluster(ctx context.Context, o Options, partitions int) (_ *ClusterResult, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "laurelbench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	host := Describe(ctx, o.Root)
	r := &ClusterResult{Commit: host.Commit, Dirty: host.Dirty, Date: host.Date, CPU: host.CPU, Cores: host.Cores, Load1: host.Load1, Go: host.Go,
		Command: o.Command, Settings: o.Settings, Partitions: partitions}
	if o.Program == "" {
		fmt.Fprintln(o.Progress, "building laurel")
		if o.Program, err = process.BuildLaurel(ctx, o.Root, dir); err != nil {
			return nil, err
		}
	}
	one, err := startOne(ctx, &o, filepath.Join(dir, "one"), partitions)
	if err != nil {
		return nil, err
	}
	defer one.stop()
	many, err := startMany(ctx, &o, filepath.Join(dir, "cluster"), partitions)
	if err != nil {
		return nil, err
	}
	defer many.stop()
	if r.Redis, err = one.store.Masters[0].Version(ctx); err != nil {
		return nil, err
	}
	for i := range o.Pairs {
		fmt.Fprintf(o.Progress, "cluster: pair %d of %d\n", i+1, o.Pairs)
		p, err := clusterPair(ctx, one, many)
		if err != nil {
			return nil, err
		}
		r.Pairs = append(r.Pairs, p)
	}
	r.conclude()
	if r.Idle.One, err = one.idle(ctx); err == nil {
		r.Idle.Cluster, err = many.idle(ctx)
	}
	return r, err
}

func startOne(ctx context.Context, o *Options, dir string, partitions int) (*side, error) {
	if err := os.Mkdir(dir, 0o750); err != nil {
		return nil, err
	}
	r, err := process.StartRedis(ctx, dir)
	if err != nil {
		return nil, err
	}
	return startSide(ctx, o, &process.Cluster{Masters: []*process.Redis{r}}, r.Address, dir, partitions)
}

func startMany(ctx context.Context, o *Options, dir string, partitions int) (*side, error) {
	if err := os.Mkdir(dir, 0o750); err != nil {
		return nil, err
	}
	c, err := process.StartCluster(ctx, dir, clusterMasters)
	if err != nil {
		return nil, err
	}
	return startSide(ctx, o, c, c.URL(), dir, partitions)
}

// startSide starts a node on a store and brings every user onto the boards.
func startSide(ctx context.Context, o *Options, c *process.Cluster, address, dir string, partitions int) (s *side, err error) {
	s = &side{o: o, store: c, items: newActivities(o.Users)}
	if s.laurel, err = process.StartLaurel(ctx, o.Program, address, dir, []byte(Catalog), "--partitions", fmt.Sprint(partitions)); err != nil {
		c.Stop()
		return nil, err
	}
	bodies := s.items.everyone(o.Batch)
	loaded, err := s.slice(ctx, bodies, len(bodies), 0)
	for _, cycle := range cycles() {
		if err == nil { // only boards that are read are kept in memory
			err = s.open(ctx, cycle)
		}
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("load: %w", err)
	}
	s.perSecond = loaded.PerSecond
	return s, nil
}

func (s *side) stop() {
	s.laurel.Stop()
	s.store.Stop()
}

func (s *side) clients() *wire.Target {
	return &wire.Target{Address: s.laurel.Address, Connections: s.o.Clients, As: wire.NewHTTP}
}

func (s *side) open(ctx context.Context, cycle string) (err error) {
	request := wire.Get(boardsPath+cycle+"?limit=1", s.laurel.Key)
	for range loadTries {
		var conns []wire.Exchanger
		if conns, err = s.clients().Dial(ctx); err != nil {
			return err
		}
		_, err = wire.Drive(ctx, conns, wire.Work{Requests: [][]byte{request}, Times: 1})
		wire.CloseAll(conns)
		if err == nil {
			return nil
		}
	}
	return err
}

// ingest is a slice of random users' activities.
func (s *side) ingest(ctx context.Context) (ClusterSide, error) {
	n := int(math.Ceil(s.perSecond*s.o.Seconds*spare/float64(s.o.Batch))) + 2*s.o.Clients
	got, err := s.slice(ctx, s.items.anyone(n, s.o.Batch), n, s.o.slice())
	if err == nil {
		s.perSecond = got.PerSecond
	}
	return got, err
}

// slice sends bodies and tells who used what CPU time.
func (s *side) slice(ctx context.Context, bodies [][]byte, times int, length time.Duration) (ClusterSide, error) {
	requests := make([][]byte, len(bodies))
	sizes := make([]int, len(bodies))
	for i, body := range bodies {
		requests[i] = wire.Post("/v1/activities", s.laurel.Key, "application/x-ndjson", body)
		sizes[i] = strings.Count(string(body), "\n")
	}
	conns, err := s.clients().Dial(ctx)
	if err != nil {
		return ClusterSide{}, err
	}
	defer wire.CloseAll(conns)
	runtime.GC()
	before, err := s.cpu(ctx)
	if err != nil {
		return ClusterSide{}, err
	}
	count, err := wire.Drive(ctx, conns, wire.Work{Requests: requests, Times: times, For: length, Check: allAccepted})
	if err != nil {
		return ClusterSide{}, err
	}
	after, err := s.cpu(ctx)
	if err != nil {
		return ClusterSide{}, err
	}
	sent := 0
	for i := range count.Exchanges {
		sent += sizes[i%len(sizes)]
	}
	used := ClusterSide{PerSecond: measure.Ratio(float64(sent), count.Elapsed.Seconds())}
	for i, a := range after {
		share := micros(a-before[i], float64(sent))
		switch i - len(s.store.Masters) {
		case 0:
			used.LaurelMicros = share
		case 1:
			used.GeneratorMicros = share
		default:
			used.RedisMicros = append(used.RedisMicros, share)
		}
	}
	return used, nil
}

// cpu is the CPU time used so far by each server, then the node, then this process.
func (s *side) cpu(ctx context.Context) ([]time.Duration, error) {
	used, err := s.store.CPU(ctx)
	if err != nil {
		return nil, err
	}
	node, err := s.laurel.CPU()
	if err != nil {
		return nil, err
	}
	own, err := measure.OwnCPU()
	return append(used, node, own), err
}

// idle is what the store's servers use while nothing is written, in µs a second.
func (s *side) idle(ctx context.Context) (float64, error) {
	before, err := s.store.CPU(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	timer := time.NewTimer(s.o.slice())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	after, err := s.store.CPU(ctx)
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for i := range after {
		sum += after[i] - before[i]
	}
	return micros(sum, time.Since(began).Seconds()), nil
}

func clusterPair(ctx context.Context, one, many *side) (p ClusterPair, err error) {
	if p.One, err = one.ingest(ctx); err != nil {
		return p, fmt.Errorf("one Redis: %w", err)
	}
	if p.Cluster, err = many.ingest(ctx); err != nil {
		return p, fmt.Errorf("cluster: %w", err)
	}
	p.Ratio = measure.Ratio(p.Cluster.PerSecond, p.One.PerSecond)
	p.Total = measure.Ratio(p.Cluster.total(), p.One.total())
	p.Busiest = measure.Ratio(slices.Max(p.Cluster.RedisMicros), p.One.total())
	return p, nil
}

func (r *ClusterResult) conclude() {
	of := func(number func(*ClusterPair) float64) float64 { return measure.MedianOf(r.Pairs, number) }
	r.Median = ClusterPair{
		One:     medianCluster(r.Pairs, func(p *ClusterPair) *ClusterSide { return &p.One }),
		Cluster: medianCluster(r.Pairs, func(p *ClusterPair) *ClusterSide { return &p.Cluster }),
		Ratio:   of(func(p *ClusterPair) float64 { return p.Ratio }),
		Total:   of(func(p *ClusterPair) float64 { return p.Total }),
		Busiest: of(func(p *ClusterPair) float64 { return p.Busiest }),
	}
}

func medianCluster(pairs []ClusterPair, which func(*ClusterPair) *ClusterSide) (m ClusterSide) {
	of := func(number func(*ClusterSide) float64) float64 {
		return measure.MedianOf(pairs, func(p *ClusterPair) float64 { return number(which(p)) })
	}
	m.PerSecond = of(func(s *ClusterSide) float64 { return s.PerSecond })
	m.LaurelMicros = of(func(s *ClusterSide) float64 { return s.LaurelMicros })
	m.GeneratorMicros = of(func(s *ClusterSide) float64 { return s.GeneratorMicros })
	for i := range which(&pairs[0]).RedisMicros {
		m.RedisMicros = append(m.RedisMicros, of(func(s *ClusterSide) float64 { return s.RedisMicros[i] }))
	}
	return m
}

// Print writes the medians as a table.
func (r *ClusterResult) Print(out io.Writer) error {
	fmt.Fprintf(out, "commit %.12s  %s  %d × %s  load %.1f  %s  redis %s\n%d users, %d partitions, medians of %d pairs of %g s\n\n", r.Commit, r.Date, r.Cores, r.CPU, r.Load1, r.Go,
		r.Redis, r.Settings.Users, r.Partitions, r.Settings.Pairs, r.Settings.Seconds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tactivities/s\tRedis µs\tof each server\tLaurel µs\tgenerator µs\t")
	for _, row := range []struct {
		name string
		side *ClusterSide
	}{{"one Redis", &r.Median.One}, {"three masters", &r.Median.Cluster}} {
		fmt.Fprintf(w, "%s\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", row.name, row.side.PerSecond, row.side.total(), row.side.RedisMicros, row.side.LaurelMicros, row.side.GeneratorMicros)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nthroughput %.2f, CPU of all servers %.2f, of the busiest %.2f times that of one Redis\nidle, with one node that follows: %.0f µs a second of one Redis, %.0f of the three\n",
		r.Median.Ratio, r.Median.Total, r.Median.Busiest, r.Idle.One, r.Idle.Cluster)
	return err
}
