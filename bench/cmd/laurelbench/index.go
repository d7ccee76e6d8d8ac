package main

import (
	"context"
	"os"
	"runtime/pprof"
	"strings"

	"laurel/bench/index"
)

type indexCommand struct {
	Members []int   `default:"100000,1000000" help:"Sizes of the board. Ten million need some 4 GB."`
	Pairs   int     `default:"5" help:"Pairs of each kind. A bar wants at least 5."`
	Seconds float64 `default:"1" help:"Length of one side of a pair."`
	output
	Profile string `type:"path" placeholder:"FILE" help:"Also take a CPU profile of the benchmark, which is where the index works."`
}

// Run measures, prints and records.
func (c *indexCommand) Run(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	if c.Profile != "" {
		f, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	result, err := index.Run(ctx, index.Options{
		Settings: index.Settings{Members: c.Members, Pairs: c.Pairs, Seconds: c.Seconds}, Root: root, Progress: os.Stderr,
		Command: strings.TrimSpace("go run ./bench/cmd/laurelbench " + strings.Join(os.Args[1:], " ")),
	})
	if err != nil {
		return err
	}
	c.suffix = "-index"
	return c.record(root, result)
}
