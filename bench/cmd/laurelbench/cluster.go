package main

import (
	"context"
	"os"
	"strings"

	"laurel/bench/scenario"
)

type clusterCommand struct {
	Users      int     `default:"100000" help:"Users on the boards."`
	Partitions int     `default:"16" help:"Partitions, on either side."`
	Pairs      int     `default:"5" help:"A/B pairs. A number that counts wants at least 5."`
	Seconds    float64 `default:"3" help:"Length of one side of a pair."`
	Batch      int     `default:"1000" help:"Activities a request."`
	Clients    int     `default:"4" help:"Connections that send activities."`
	output
	Laurel string `type:"existingfile" placeholder:"FILE" help:"A laurel program to measure; without it one is built from this tree."`
}

// Run measures, prints and records.
func (c *clusterCommand) Run(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	result, err := scenario.RunCluster(ctx, scenario.Options{
		Settings: scenario.Settings{Users: c.Users, Pairs: c.Pairs, Seconds: c.Seconds, Batch: c.Batch, Clients: c.Clients, Readers: 1},
		Root:     root, Program: c.Laurel, Progress: os.Stderr,
		Command: strings.TrimSpace("go run ./bench/cmd/laurelbench " + strings.Join(os.Args[1:], " ")),
	}, c.Partitions)
	if err != nil {
		return err
	}
	c.suffix = "-cluster"
	return c.record(root, result)
}
