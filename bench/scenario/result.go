package scenario

import (
	"laurel/bench/measure"
	"laurel/bench/process"
)

// Bars: what Laurel has to reach of the other side's throughput.
const (
	IngestBar = 0.45
	ReadsBar  = 0.5
)

// Result is all that a run found out; it becomes a file.
type Result struct {
	Commit   string    `json:"commit"`
	Dirty    bool      `json:"dirty"` // there were changes that the commit does not have
	Date     string    `json:"date"`
	CPU      string    `json:"cpu"`
	Cores    int       `json:"cores"`
	Load1    float64   `json:"load_average"` // of the machine in the minute before: what else went on
	Go       string    `json:"go"`
	Redis    string    `json:"redis"`
	Command  string    `json:"command"`
	Settings Settings  `json:"settings"`
	Load     Load      `json:"load"`
	Ingest   Ingest    `json:"ingest"`
	Memory   Memory    `json:"memory"`
	Reads    RankReads `json:"rank_reads"`
}

// Met says whether every bar is met.
func (r *Result) Met() bool { return r.Ingest.Met && r.Reads.Met }

// Identity is what a record of the result is named by.
func (r *Result) Identity() (date, commit string) { return r.Date, r.Commit }

// Load is how the users came in. It is no measurement: nothing is compared.
type Load struct {
	Activities int     `json:"activities"`
	Seconds    float64 `json:"seconds"`
	PerSecond  float64 `json:"activities_per_second"`
}

// Ingest compares A, Laurel through HTTP, with B, pipelined ZINCRBY on the same Redis.
type Ingest struct {
	Bar    float64      `json:"bar"`
	Met    bool         `json:"met"`
	Median IngestPair   `json:"median"` // of each number by itself; ratio is the median of the pairs' ratios
	Floor  Floor        `json:"floor"`
	Pairs  []IngestPair `json:"pairs"`
}

// Floor tells how many connections were best for B, by ZINCRBY a second with one and with two.
type Floor struct {
	Connections int     `json:"connections"`
	One         float64 `json:"updates_per_second_1"`
	Two         float64 `json:"updates_per_second_2"`
}

// IngestPair is a slice of A and one of B right after it.
type IngestPair struct {
	A             IngestSide `json:"a"`
	B             IngestSide `json:"b"`
	Ratio         float64    `json:"ratio"`           // throughput, A/B
	RedisCPURatio float64    `json:"redis_cpu_ratio"` // Redis's CPU time an activity, A/B
}

// IngestSide is one slice. For B an activity is as many updates as it was in A.
type IngestSide struct {
	Activities         float64                        `json:"activities"`
	Updates            int                            `json:"board_updates"` // rows of boards, really written
	UpdatesPerActivity float64                        `json:"board_updates_per_activity"`
	Seconds            float64                        `json:"seconds"`
	PerSecond          float64                        `json:"activities_per_second"`
	RedisMicros        float64                        `json:"redis_cpu_us_per_activity"`
	LaurelMicros       float64                        `json:"laurel_cpu_us_per_activity"`
	GeneratorMicros    float64                        `json:"generator_cpu_us_per_activity"`
	Commits            int                            `json:"commits,omitempty"`
	Commands           map[string]process.CommandCost `json:"redis_commands,omitempty"` // of the slice; a script's commands count at the script too
}

func (i *Ingest) conclude() {
	i.Median = IngestPair{
		A:             medianIngest(i.Pairs, func(p *IngestPair) *IngestSide { return &p.A }),
		B:             medianIngest(i.Pairs, func(p *IngestPair) *IngestSide { return &p.B }),
		Ratio:         measure.MedianOf(i.Pairs, func(p *IngestPair) float64 { return p.Ratio }),
		RedisCPURatio: measure.MedianOf(i.Pairs, func(p *IngestPair) float64 { return p.RedisCPURatio }),
	}
	i.Met = i.Median.Ratio >= i.Bar
}

func medianIngest(pairs []IngestPair, side func(*IngestPair) *IngestSide) IngestSide {
	of := func(number func(*IngestSide) float64) float64 {
		return measure.MedianOf(pairs, func(p *IngestPair) float64 { return number(side(p)) })
	}
	return IngestSide{
		Activities:         of(func(s *IngestSide) float64 { return s.Activities }),
		Updates:            int(of(func(s *IngestSide) float64 { return float64(s.Updates) })),
		UpdatesPerActivity: of(func(s *IngestSide) float64 { return s.UpdatesPerActivity }),
		Seconds:            of(func(s *IngestSide) float64 { return s.Seconds }),
		PerSecond:          of(func(s *IngestSide) float64 { return s.PerSecond }),
		RedisMicros:        of(func(s *IngestSide) float64 { return s.RedisMicros }),
		LaurelMicros:       of(func(s *IngestSide) float64 { return s.LaurelMicros }),
		GeneratorMicros:    of(func(s *IngestSide) float64 { return s.GeneratorMicros }),
		Commits:            int(of(func(s *IngestSide) float64 { return float64(s.Commits) })),
	}
}

// RankReads compares A, a user's rank from Laurel, with B1, ZREVRANK, and B2, a bare net/http server.
type RankReads struct {
	Bar         float64    `json:"bar"` // of ratio_ceiling
	Met         bool       `json:"met"`
	Period      string     `json:"period"`
	AnswerBytes int        `json:"answer_bytes"` // of the ceiling's body
	Median      ReadPair   `json:"median"`
	Pairs       []ReadPair `json:"pairs"`
}

// ReadPair is a slice of each side.
type ReadPair struct {
	A               ReadSide `json:"a"`
	B1              ReadSide `json:"b1_zrevrank"`
	B2              ReadSide `json:"b2_ceiling"`
	RatioCeiling    float64  `json:"ratio_ceiling"`     // throughput, A/B2
	RatioRedis      float64  `json:"ratio_redis"`       // throughput, A/B1
	CPURatioCeiling float64  `json:"cpu_ratio_ceiling"` // the server's CPU time a read, A/B2
}

// ReadSide is one slice.
type ReadSide struct {
	Reads           int     `json:"reads"`
	Seconds         float64 `json:"seconds"`
	PerSecond       float64 `json:"reads_per_second"`
	ServerMicros    float64 `json:"server_cpu_us_per_read"`
	GeneratorMicros float64 `json:"generator_cpu_us_per_read"`
}

func (p *ReadPair) conclude() {
	p.RatioCeiling = measure.Ratio(p.A.PerSecond, p.B2.PerSecond)
	p.RatioRedis = measure.Ratio(p.A.PerSecond, p.B1.PerSecond)
	p.CPURatioCeiling = measure.Ratio(p.A.ServerMicros, p.B2.ServerMicros)
}

func (r *RankReads) conclude() {
	r.Bar = ReadsBar
	of := func(number func(*ReadPair) float64) float64 { return measure.MedianOf(r.Pairs, number) }
	r.Median = ReadPair{
		A:               medianReads(r.Pairs, func(p *ReadPair) *ReadSide { return &p.A }),
		B1:              medianReads(r.Pairs, func(p *ReadPair) *ReadSide { return &p.B1 }),
		B2:              medianReads(r.Pairs, func(p *ReadPair) *ReadSide { return &p.B2 }),
		RatioCeiling:    of(func(p *ReadPair) float64 { return p.RatioCeiling }),
		RatioRedis:      of(func(p *ReadPair) float64 { return p.RatioRedis }),
		CPURatioCeiling: of(func(p *ReadPair) float64 { return p.CPURatioCeiling }),
	}
	r.Met = r.Median.RatioCeiling >= r.Bar
}

func medianReads(pairs []ReadPair, side func(*ReadPair) *ReadSide) ReadSide {
	of := func(number func(*ReadSide) float64) float64 {
		return measure.MedianOf(pairs, func(p *ReadPair) float64 { return number(side(p)) })
	}
	return ReadSide{
		Reads:           int(of(func(s *ReadSide) float64 { return float64(s.Reads) })),
		Seconds:         of(func(s *ReadSide) float64 { return s.Seconds }),
		PerSecond:       of(func(s *ReadSide) float64 { return s.PerSecond }),
		ServerMicros:    of(func(s *ReadSide) float64 { return s.ServerMicros }),
		GeneratorMicros: of(func(s *ReadSide) float64 { return s.GeneratorMicros }),
	}
}
