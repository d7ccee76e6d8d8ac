package index

import (
	"time"

	"laurel/bench/measure"
	"laurel/bench/scenario"
)

// Bars: how many times Redis's figure the index has to reach, or may take. Updates and ranks are compared by CPU time, which is the steadier of the
// two on a machine that does other things as well; throughput stands beside it.
const (
	UpdatesBar = 5.0
	RanksBar   = 8.0
	LoadBar    = 3.0  // of the time of the raw ZRANGE
	MemoryBar  = 64.0 // bytes a member beside its id
	barMembers = 1_000_000
)

// Result is all that a run found out; it becomes a file.
type Result struct {
	Commit   string   `json:"commit"`
	Dirty    bool     `json:"dirty"`
	Date     string   `json:"date"`
	CPU      string   `json:"cpu"`
	Cores    int      `json:"cores"`
	Load1    float64  `json:"load_average"`
	Go       string   `json:"go"`
	Redis    string   `json:"redis"`
	Command  string   `json:"command"`
	Settings Settings `json:"settings"`
	Sizes    []Size   `json:"sizes"`
}

func newResult(host *scenario.Result, o Options) *Result {
	return &Result{Commit: host.Commit, Dirty: host.Dirty, Date: host.Date, CPU: host.CPU, Cores: host.Cores, Load1: host.Load1, Go: host.Go,
		Command: o.Command, Settings: o.Settings}
}

// Identity is what a record of the result is named by.
func (r *Result) Identity() (date, commit string) { return r.Date, r.Commit }

// Met says whether every bar is met at the sizes that have bars: a million members and more for memory and the load, a million for speed.
func (r *Result) Met() bool {
	for i := range r.Sizes {
		s := &r.Sizes[i]
		if s.Members < barMembers {
			continue
		}
		if !s.Memory.Met || !s.Load.Met || s.Members == barMembers && (!s.Updates.Met || !s.Ranks.Met) {
			return false
		}
	}
	return true
}

// Size is what was found of a board of one size.
type Size struct {
	Members int     `json:"members"`
	Updates Speed   `json:"updates"`
	Ranks   Speed   `json:"ranks"`
	Load    Loading `json:"load"`
	Memory  Memory  `json:"bytes_per_member_beside_id"`
	Pauses  Pauses  `json:"pauses_us"`
}

func (s *Size) conclude() {
	s.Updates.conclude(UpdatesBar)
	s.Ranks.conclude(RanksBar)
	s.Load.conclude()
	m := &s.Memory
	m.Bar = MemoryBar
	m.Met = max(m.Heap, m.Resident, m.HeapAfter, m.SaysAfter) <= m.Bar // large arrays are not on the heap
}

// Speed compares the index with Redis in one thing.
type Speed struct {
	Bar    float64 `json:"bar"` // of cpu_ratio
	Met    bool    `json:"met"`
	Median Pair    `json:"median"` // of each number by itself
	Pairs  []Pair  `json:"pairs"`
}

// Pair is a slice of each side, one after the other.
type Pair struct {
	Board  Side `json:"board"`  // a hundred at a time, through a Board: for updates a change, applied and followed
	Batch  Side `json:"batch"`  // a hundred at a time, of a bare index
	Single Side `json:"single"` // one by one; updates of a bare index, ranks through a Board
	Redis  Side `json:"redis"`  // pipelines of a hundred

	Ratio          float64 `json:"ratio"`     // throughput, board/redis
	CPURatio       float64 `json:"cpu_ratio"` // Redis's CPU time of one, over the board's
	SingleCPURatio float64 `json:"single_cpu_ratio"`
}

// run does the sides, beginning with another one each time.
func (p *Pair) run(turn int, sides []func()) {
	for i := range sides {
		sides[(turn+i)%len(sides)]()
	}
	p.Ratio = measure.Ratio(p.Board.PerSecond, p.Redis.PerSecond)
	p.CPURatio = measure.Ratio(p.Redis.CPUNanos, p.Board.CPUNanos)
	p.SingleCPURatio = measure.Ratio(p.Redis.CPUNanos, p.Single.CPUNanos)
}

// Side is one slice. CPU time is that of the whole process which does the work; Redis's does not have the client's.
type Side struct {
	N         int     `json:"n"`
	PerSecond float64 `json:"per_second"`
	CPUNanos  float64 `json:"cpu_ns"`
}

func newSide(n int, elapsed, cpu time.Duration) Side {
	return Side{N: n, PerSecond: measure.Ratio(float64(n), elapsed.Seconds()), CPUNanos: measure.Ratio(float64(cpu), float64(n))}
}

func (s *Speed) conclude(bar float64) {
	side := func(of func(*Pair) *Side) Side {
		number := func(number func(*Side) float64) float64 {
			return measure.MedianOf(s.Pairs, func(p *Pair) float64 { return number(of(p)) })
		}
		return Side{N: int(number(func(s *Side) float64 { return float64(s.N) })),
			PerSecond: number(func(s *Side) float64 { return s.PerSecond }), CPUNanos: number(func(s *Side) float64 { return s.CPUNanos })}
	}
	s.Median = Pair{
		Board: side(func(p *Pair) *Side { return &p.Board }), Batch: side(func(p *Pair) *Side { return &p.Batch }),
		Single: side(func(p *Pair) *Side { return &p.Single }), Redis: side(func(p *Pair) *Side { return &p.Redis }),
		Ratio:          measure.MedianOf(s.Pairs, func(p *Pair) float64 { return p.Ratio }),
		CPURatio:       measure.MedianOf(s.Pairs, func(p *Pair) float64 { return p.CPURatio }),
		SingleCPURatio: measure.MedianOf(s.Pairs, func(p *Pair) float64 { return p.SingleCPURatio }),
	}
	s.Bar, s.Met = bar, s.Median.CPURatio >= bar
}

// Loading compares the load of a board with one ZRANGE of it.
type Loading struct {
	Bar    float64    `json:"bar"` // of ratio_raw, at most
	Met    bool       `json:"met"`
	Median LoadPair   `json:"median"`
	Pairs  []LoadPair `json:"pairs"`
}

// LoadPair is one load each.
type LoadPair struct {
	Board       LoadSide `json:"board"`         // Boards.Open of a board that is not in memory
	Client      LoadSide `json:"zrange_client"` // ZRANGE 0 -1 WITHSCORES by the client library
	Raw         LoadSide `json:"zrange_raw"`    // the same, its answer only skipped
	RatioClient float64  `json:"ratio_client"`  // time, board/client
	RatioRaw    float64  `json:"ratio_raw"`
}

// LoadSide is one load, in seconds.
type LoadSide struct {
	Seconds  float64 `json:"seconds"`
	RedisCPU float64 `json:"redis_cpu"`
	OwnCPU   float64 `json:"own_cpu"`
}

func (p *LoadPair) conclude() {
	p.RatioClient = measure.Ratio(p.Board.Seconds, p.Client.Seconds)
	p.RatioRaw = measure.Ratio(p.Board.Seconds, p.Raw.Seconds)
}

func (l *Loading) conclude() {
	number := func(of func(*LoadPair) float64) float64 { return measure.MedianOf(l.Pairs, of) }
	side := func(of func(*LoadPair) *LoadSide) LoadSide {
		return LoadSide{Seconds: number(func(p *LoadPair) float64 { return of(p).Seconds }), RedisCPU: number(func(p *LoadPair) float64 { return of(p).RedisCPU }),
			OwnCPU: number(func(p *LoadPair) float64 { return of(p).OwnCPU })}
	}
	l.Median = LoadPair{
		Board: side(func(p *LoadPair) *LoadSide { return &p.Board }), Client: side(func(p *LoadPair) *LoadSide { return &p.Client }),
		Raw:         side(func(p *LoadPair) *LoadSide { return &p.Raw }),
		RatioClient: number(func(p *LoadPair) float64 { return p.RatioClient }), RatioRaw: number(func(p *LoadPair) float64 { return p.RatioRaw }),
	}
	l.Bar, l.Met = LoadBar, l.Median.RatioRaw <= LoadBar
}

// Memory is bytes a member, without those of its id.
type Memory struct {
	Bar           float64 `json:"bar"`
	Met           bool    `json:"met"`
	Heap          float64 `json:"heap"`     // growth of the heap in use while an index was filled at random
	Resident      float64 `json:"resident"` // growth of the resident memory of the process meanwhile
	Says          float64 `json:"says"`     // Index.MemoryBytes
	HeapAfter     float64 `json:"heap_after_updates"`
	ResidentAfter float64 `json:"resident_after_updates"`
	SaysAfter     float64 `json:"says_after_updates"`
	Redis         float64 `json:"redis"`       // MEMORY USAGE of the plain sorted set
	RedisBoard    float64 `json:"redis_board"` // and of the board as Laurel keeps it there, with the times
}

// Pauses are waits in µs, one figure a slice.
type Pauses struct {
	Reader        []Pause `json:"reader_while_writing"`
	ReaderControl []Pause `json:"reader_control"`
	Writer        []Pause `json:"writer_while_ranging"`
	WriterControl []Pause `json:"writer_control"`
}

// Pause is the distribution of one slice.
type Pause struct {
	N    int     `json:"n"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}
