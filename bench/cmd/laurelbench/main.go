// Command laurelbench measures Laurel beside what bounds it, on real servers that it starts itself. See bench/README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"laurel/bench/process"
	"laurel/bench/scenario"
)

type commandLine struct {
	Run     runCommand     `cmd:"" default:"withargs" help:"Measure ingest and rank reads."`
	Reads   readsCommand   `cmd:"" help:"Measure reads of a large board: closed loop, and latencies at fixed rates."`
	Index   indexCommand   `cmd:"" help:"Measure the ranking index beside a sorted set."`
	Users   usersCommand   `cmd:"" help:"Measure users with wallets, achievements and streaks: ingest, and the read of a whole user."`
	Streaks streaksCommand `cmd:"" help:"Measure what streaks cost: in ingest, and a million of them that end."`
	Cluster clusterCommand `cmd:"" help:"Measure the same ingest on one Redis and on a cluster of three masters."`
	Ceiling ceilingCommand `cmd:"" hidden:"" help:"Be the bare HTTP server that rank reads are compared with."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var commands commandLine
	parsed := kong.Parse(&commands, kong.Name("laurelbench"), kong.Description("Measures Laurel beside what bounds it. bench/README.md says what the numbers mean."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	parsed.FatalIfErrorf(parsed.Run())
}

type ceilingCommand struct{}

// Run serves until ctx ends.
func (ceilingCommand) Run(ctx context.Context) error {
	return process.ServeCeiling(ctx, os.Stdin, os.Stdout)
}

type runCommand struct {
	Users   int     `default:"100000" help:"Users on the boards."`
	Pairs   int     `default:"5" help:"A/B pairs. A bar wants at least 5."`
	Seconds float64 `default:"3" help:"Length of one side of a pair."`
	Batch   int     `default:"1000" help:"Activities a request."`
	Clients int     `default:"4" help:"Connections that send activities."`
	Readers int     `default:"4" help:"Connections that read ranks."`
	output
	Laurel   string `type:"existingfile" placeholder:"FILE" help:"A laurel program to measure; without it one is built from this tree."`
	Profiles string `type:"existingdir" placeholder:"DIR" help:"Also take CPU profiles of the server, in a slice more of each kind."`
}

var errMissed = errors.New("a bar is missed")

// Run measures, prints and records.
func (c *runCommand) Run(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := scenario.Run(ctx, scenario.Options{
		Settings: scenario.Settings{Users: c.Users, Pairs: c.Pairs, Seconds: c.Seconds, Batch: c.Batch, Clients: c.Clients, Readers: c.Readers},
		Root:     root, Program: c.Laurel, Ceiling: []string{self, "ceiling"}, Profiles: c.Profiles, Progress: os.Stderr,
		Command: strings.TrimSpace("go run ./bench/cmd/laurelbench " + strings.Join(os.Args[1:], " ")),
	})
	if err != nil {
		return err
	}
	return c.output.record(root, result)
}

type readsCommand struct {
	Members     int     `default:"1000000" help:"Users on the board, put there without activities."`
	Connections int     `default:"4" help:"Connections of the closed loop."`
	Pairs       int     `default:"5" help:"A/B pairs. A bar wants at least 5."`
	Seconds     float64 `default:"3" help:"Length of one side of a pair."`
	output
	Laurel   string `type:"existingfile" placeholder:"FILE" help:"A laurel program to measure; without it one is built from this tree."`
	Profiles string `type:"existingdir" placeholder:"DIR" help:"Also take CPU profiles of the server, in a slice more of each kind."`
}

// Run measures, prints and records.
func (c *readsCommand) Run(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := scenario.RunReads(ctx, scenario.Options{
		Settings: scenario.Settings{Users: c.Members, Pairs: c.Pairs, Seconds: c.Seconds, Batch: 1, Clients: 1, Readers: c.Connections},
		Root:     root, Program: c.Laurel, Ceiling: []string{self, "ceiling"}, Profiles: c.Profiles, Progress: os.Stderr,
		Command: strings.TrimSpace("go run ./bench/cmd/laurelbench " + strings.Join(os.Args[1:], " ")),
	})
	if err != nil {
		return err
	}
	c.suffix = "-reads"
	return c.output.record(root, result)
}

// moduleRoot finds the tree that is measured from the working directory, as the go command does.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	file := strings.TrimSpace(string(out))
	if err != nil || file == "" || file == os.DevNull {
		return "", errors.Join(errors.New("this has to run inside Laurel's source tree"), err)
	}
	return filepath.Dir(file), nil
}

// recordPath is a new file's name: a second result of the same day and commit does not replace the first.
func recordPath(root string, r outcome, suffix string) string {
	date, commit := r.Identity()
	base := filepath.Join(root, "bench", "results", fmt.Sprintf("%.10s-%.7s%s", date, commit, suffix))
	path := base + ".json"
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return path
		}
		path = fmt.Sprintf("%s-%d.json", base, n)
	}
}
