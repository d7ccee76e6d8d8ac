package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"laurel/internal/config"
)

type doctorCommand struct {
	config.File
	config.Store

	JSON    bool          `name:"json" help:"Print the checks as JSON."`
	Timeout time.Duration `default:"10s" help:"Give up after this long."`
}

// verdict is the outcome of a check.
type verdict string

// Only failed makes the command fail: warn is for what works, but not as well or as safely as it could.
const (
	passed verdict = "ok"
	warned verdict = "warn"
	failed verdict = "fail"
)

// check is one line of the doctor's answer.
type check struct {
	Name    string  `json:"name"`
	Verdict verdict `json:"verdict"`
	Value   string  `json:"value"`            // what was found
	Advice  string  `json:"advice,omitempty"` // what to do about it
}

var errUnhealthy = errors.New("a check failed")

// Run prints the checks of the store that a server with the same flags would use.
func (c *doctorCommand) Run(ctx context.Context, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	checks := c.examine(ctx)
	if err := c.print(stdout, checks); err != nil {
		return err
	}
	for _, k := range checks {
		if k.Verdict == failed {
			return fmt.Errorf("%w: %s", errUnhealthy, k.Name)
		}
	}
	return nil
}

func (c *doctorCommand) examine(ctx context.Context) []check {
	if c.Redis == "" {
		return examineDirectory(c.DataDir, c.Fsync)
	}
	return examineServer(ctx, c.Redis.Reveal())
}

func (c *doctorCommand) print(w io.Writer, checks []check) error {
	if c.JSON {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(map[string]any{"store": c.Where(), "checks": checks})
	}
	fmt.Fprintf(w, "store: %s\n", c.Where())
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", strings.ToUpper(string(k.Verdict)), k.Name, k.Value)
		if k.Advice != "" {
			fmt.Fprintf(table, "\t\t→ %s\n", k.Advice)
		}
	}
	return table.Flush()
}
