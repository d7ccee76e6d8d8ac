package main

import (
	"context"
	"os"
	"strings"

	"laurel/bench/scenario"
	"laurel/bench/sweep"
)

type streaksCommand struct {
	Users    int     `default:"100000" help:"Users of the ingest part."`
	Pairs    int     `default:"5" help:"Rounds of the ingest part. A bar wants at least 5."`
	Seconds  float64 `default:"3" help:"Length of one side of a round."`
	Batch    int     `default:"1000" help:"Activities a request."`
	Clients  int     `default:"4" help:"Connections that send activities."`
	Streaks  int     `default:"1000000" help:"Users with a running streak, of the sweep part."`
	Steps    int     `default:"600" help:"Instants over which the deadlines of the sweep part are spread."`
	Span     float64 `default:"60" help:"Seconds over which they are spread."`
	Alone    float64 `default:"8" help:"Seconds of ingest without a sweep, before one and after it."`
	NoIngest bool    `help:"Leave the ingest part out."`
	NoSweep  bool    `help:"Leave the sweep part out."`
	output
	Laurel   string `type:"existingfile" placeholder:"FILE" help:"A laurel program to measure; without it one is built from this tree."`
	Profiles string `type:"existingdir" placeholder:"DIR" help:"Also take CPU profiles."`
}

// Run measures, prints and records.
func (c *streaksCommand) Run(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	result := sweep.NewResult(scenario.Describe(ctx, root))
	result.Command = strings.TrimSpace("go run ./bench/cmd/laurelbench " + strings.Join(os.Args[1:], " "))
	if !c.NoIngest {
		result.Ingest, err = scenario.RunStreakIngest(ctx, scenario.Options{
			Settings: scenario.Settings{Users: c.Users, Pairs: c.Pairs, Seconds: c.Seconds, Batch: c.Batch, Clients: c.Clients, Readers: 1},
			Root:     root, Program: c.Laurel, Profiles: c.Profiles, Progress: os.Stderr,
		})
		if err != nil {
			return err
		}
	}
	if !c.NoSweep {
		result.Sweep, err = sweep.Run(ctx, sweep.Options{
			Settings: sweep.Settings{Users: c.Streaks, Steps: c.Steps, Span: c.Span, Alone: c.Alone}, Profiles: c.Profiles, Progress: os.Stderr,
		})
		if err != nil {
			return err
		}
	}
	c.suffix = "-streaks"
	return c.record(root, result)
}
