// Command laurel is the leaderboard and streak server, with the tools around it: an importer of git histories, checks of
// the store and of what is in it, backup and restore, and a demonstration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"laurel/internal/config"
)

// commandLine is every subcommand; each has a file of its own.
type commandLine struct {
	Serve  serveCommand  `cmd:"" help:"Run the server."`
	Demo   demoCommand   `cmd:"" help:"Run a server with a live board of the git repository in this directory."`
	Import importCommand `cmd:"" help:"Restore an export, or send a history to a running server."`
	Export exportCommand `cmd:"" help:"Write everything to standard output: backup, or move to another store."`
	Doctor doctorCommand `cmd:"" help:"Check the store that a server would use. Changes nothing."`
	Token  tokenCommands `cmd:"" help:"Make a short-lived token for a page, or rotate what signs them."`
	Verify verifyCommand `cmd:"" help:"Compare what is stored with what the logs say, and mend it if asked to."`
	measuring

	OpenAPI openAPICommand `cmd:"" name:"openapi" help:"Print the description of the REST API."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

func main() {
	os.Exit(execute(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// errInterrupted is why a context ended that a person at a terminal ended, for whom nothing is to be awaited.
var errInterrupted = errors.New("interrupted")

// untilSignal returns a context that the first SIGTERM or interrupt ends. The second ends the process at once.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // as long as the process
		s := <-signals
		signal.Stop(signals)
		if s == os.Interrupt {
			cancel(errInterrupted)
		}
		cancel(nil)
	}()
	return ctx
}

// execute runs a command line and returns the process's exit code: 0, 1 for a failure, 2 for a command line that cannot be understood.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	exited := -1
	var commands commandLine
	parser, err := kong.New(&commands, append(config.Options(),
		kong.Name("laurel"),
		kong.Description("Real-time leaderboards and streaks. Every flag is also a LAUREL_… variable and, for the server, a key of the --config file."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
	)...)
	if err != nil {
		fmt.Fprintln(stderr, "laurel:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help has been printed
		return exited
	}
	if err != nil {
		fmt.Fprintln(stderr, "laurel:", err)
		return 2
	}
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(stderr, "laurel:", err)
		return 1
	}
	return 0
}
