package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"laurel/bench/live"
	"laurel/internal/config"
)

// measuring is the subcommands that measure a server. They need Linux's epoll and /proc.
type measuring struct {
	Bench benchCommand `cmd:"" help:"Load a server, and measure what becomes of it."`
}

type benchCommand struct {
	WS benchWSCommand `cmd:"" name:"ws" help:"Live views: thousands of clients, updates, and when each client learned of each."`
}

type benchWSCommand struct {
	URL      string        `name:"url" placeholder:"URL" help:"A running server. Without it this program is started as one, with a redis-server of its own."`
	AdminURL string        `name:"admin-url" placeholder:"URL" help:"Where the running server's metrics are."`
	Key      config.Secret `placeholder:"KEY" help:"A key of the running server that may write activities and read boards and users."`

	Connections int           `default:"1000" help:"Clients; each watches one view."`
	View        string        `enum:"top,around,users,user" default:"top" help:"What they watch: top (all the same view), or around, users or user of one user each."`
	PerView     int           `name:"conns-per-view" default:"1" help:"Clients that watch the same user."`
	Limit       int           `default:"10" help:"Rows of a top view."`
	Span        int           `default:"5" help:"Rows above and below of an around view."`
	Rule        string        `default:"points" help:"Rule of the watched board: a sum of meta.points of activities named play."`
	Period      string        `default:"week" help:"Period of the watched board."`
	MaxHz       float64       `name:"max-hz" help:"The max_hz that clients ask for (0: none)."`
	Slow        int           `help:"So many of the clients read 1 KB a second."`
	Members     int           `default:"20000" help:"Users on the board. Those beyond 20,000 never act, and are put onto a board of a server that is started here."`
	Rate        float64       `default:"0" help:"Updates a second: of users in the top view, or one in ten of users that are watched (0: none, connections stay idle)."`
	Duration    time.Duration `default:"15s" help:"How long updates come."`
	Storm       time.Duration `help:"Then cut all connections, and have them come back within this time (0: no storm)."`

	Profile string `type:"path" placeholder:"FILE" help:"Take a CPU profile of the server while updates come."`
	Out     string `type:"path" placeholder:"FILE" help:"Add the result to the list in this file."`
	JSON    bool   `name:"json" help:"Print the result as JSON instead of a table."`
}

// Run measures, prints and records.
func (c *benchWSCommand) Run(ctx context.Context, stdout io.Writer) error {
	if (c.URL == "") != (c.AdminURL == "") || (c.URL == "") != (c.Key.Reveal() == "") {
		return errors.New("--url, --admin-url and --key go together")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	result, err := live.Run(ctx, live.Options{
		Settings: live.Settings{
			Connections: c.Connections, View: c.View, PerView: c.PerView, Limit: c.Limit, Span: c.Span, Rule: c.Rule, Period: c.Period,
			MaxHz: c.MaxHz, Slow: c.Slow, Members: c.Members, Rate: c.Rate, Duration: c.Duration, Storm: c.Storm,
		},
		URL: strings.TrimSuffix(c.URL, "/"), Admin: strings.TrimSuffix(c.AdminURL, "/"), Key: c.Key.Reveal(),
		Program: self, Profile: c.Profile, Command: "laurel " + strings.Join(os.Args[1:], " "), Progress: os.Stderr,
	})
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := addResult(c.Out, result); err != nil {
			return err
		}
	}
	if !c.JSON {
		return result.Print(stdout)
	}
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s\n", text)
	return err
}

// addResult adds a result to the list that a file holds.
func addResult(file string, result *live.Result) error {
	var list []json.RawMessage // as they are, whichever version wrote them
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", file, err)
	}
	one, err := json.Marshal(result)
	if err != nil {
		return err
	}
	if text, err = json.MarshalIndent(append(list, one), "", "  "); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
