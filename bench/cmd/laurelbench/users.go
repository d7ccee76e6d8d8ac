package main

import (
	"context"
	"os"
	"strings"

	"laurel/bench/scenario"
)

type usersCommand struct {
	Users   int     `default:"100000" help:"Users."`
	Pairs   int     `default:"5" help:"A/B pairs. A bar wants at least 5."`
	Seconds float64 `default:"3" help:"Length of one side of a pair."`
	Batch   int     `default:"1000" help:"Activities a request."`
	Clients int     `default:"4" help:"Connections that send activities."`
	Readers int     `default:"4" help:"Connections that read users, in the closed loop."`
	output
	Laurel   string `type:"existingfile" placeholder:"FILE" help:"A laurel program to measure; without it one is built from this tree."`
	Profiles string `type:"existingdir" placeholder:"DIR" help:"Also take CPU profiles of the server, in a slice more of each kind."`
}

// Run measures, prints and records.
func (c *usersCommand) Run(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := scenario.RunUsers(ctx, scenario.Options{
		Settings: scenario.Settings{Users: c.Users, Pairs: c.Pairs, Seconds: c.Seconds, Batch: c.Batch, Clients: c.Clients, Readers: c.Readers},
		Root:     root, Program: c.Laurel, Ceiling: []string{self, "ceiling"}, Profiles: c.Profiles, Progress: os.Stderr,
		Command: strings.TrimSpace("go run ./bench/cmd/laurelbench " + strings.Join(os.Args[1:], " ")),
	})
	if err != nil {
		return err
	}
	c.suffix = "-users"
	return c.record(root, result)
}
