// Command laurelbench measures Laurel beside what bounds it, on real servers that it starts itself. See bench/README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Users    int     `default:"100000" help:"Users on the boards."`
	Pairs    int     `default:"5" help:"A/B pairs. A bar wants at least 5."`
	Seconds  float64 `default:"3" help:"Length of one side of a pair."`
	Batch    int     `default:"1000" help:"Activities a request."`
	Clients  int     `default:"4" help:"Connections that send activities."`
	Readers  int     `default:"4" help:"Connections that read ranks."`
	Out      string  `type:"path" placeholder:"FILE" help:"Where the result goes (bench/results/DATE-COMMIT.json of the module)."`
	JSON     bool    `name:"json" help:"Print the result as JSON instead of a table."`
	Check    bool    `help:"Fail if a bar is missed. Without it a missed bar is a result as any other."`
	Laurel   string  `type:"existingfile" placeholder:"FILE" help:"A laurel program to measure; without it one is built from this tree."`
	Profiles string  `type:"existingdir" placeholder:"DIR" help:"Also take CPU profiles of the server, in a slice more of each kind."`
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
	file := c.Out
	if file == "" {
		file = recordPath(root, result)
	}
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	if err := c.print(os.Stdout, result, text); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "recorded in", file)
	if c.Check && !result.Met() {
		return errMissed
	}
	return nil
}

func (c *runCommand) print(out io.Writer, result *scenario.Result, text []byte) error {
	if c.JSON {
		_, err := out.Write(text)
		return err
	}
	return result.Print(out)
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
func recordPath(root string, r *scenario.Result) string {
	base := filepath.Join(root, "bench", "results", fmt.Sprintf("%.10s-%.7s", r.Date, r.Commit))
	path := base + ".json"
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return path
		}
		path = fmt.Sprintf("%s-%d.json", base, n)
	}
}
