package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"laurel/internal/clock"
	"laurel/internal/config"
	"laurel/internal/verify"
	"laurel/ranking"
)

type verifyCommand struct {
	config.File
	config.Store

	Org    []string `placeholder:"ORG" help:"Only this org (repeatable)."`
	Repair bool     `help:"Mend what differs, then verify again."`
	JSON   bool     `name:"json" help:"Print the report as JSON."`
	List   int      `default:"100" placeholder:"N" help:"How many differences to list; all are counted."`
}

// Help implements kong.HelpProvider.
func (*verifyCommand) Help() string {
	return `Computes every user's state, rows and deadline from the log and compares them with what is stored and what a server would load. Exits with 0 if all is well
and 1 if something differs. With --redis a server may run meanwhile; a data directory must not be in use by one.`
}

// outcome is what verify prints as JSON.
type outcome struct {
	Store  string         `json:"store"`
	Clean  bool           `json:"clean"` // in the end
	Found  *verify.Report `json:"found"`
	Mended *int           `json:"mended,omitempty"`
	After  *verify.Report `json:"after,omitempty"` // mending
}

var errDiffers = errors.New("what is stored differs from what the logs say")

// Run verifies and, if asked for, mends.
func (c *verifyCommand) Run(ctx context.Context, stdout io.Writer) (err error) {
	t, err := openTool(ctx, &c.Store, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.data.Close()) }()
	orgs, err := t.orgs(c.Org)
	if err != nil {
		return err
	}
	began := time.Now()
	o := verify.Options{Store: t.data, Registry: t.catalogs, Clock: new(clock.Clock), Orgs: orgs, List: c.List}
	result := outcome{Store: c.Where()}
	if result.Found, err = checkWithIndexes(ctx, o); err != nil {
		return err
	}
	last := result.Found
	if c.Repair && last.Total() > 0 {
		mended, err := verify.Mend(ctx, o)
		if err != nil {
			return fmt.Errorf("repair: %w", err)
		}
		if last, err = checkWithIndexes(ctx, o); err != nil {
			return err
		}
		result.Mended, result.After = &mended.Mended, last
	}
	result.Clean = last.Total() == 0
	if err := c.print(stdout, &result, time.Since(began)); err != nil {
		return err
	}
	if !result.Clean {
		return errDiffers
	}
	return nil
}

// indexLoad is how long an index may take to load a board.
const indexLoad = 5 * time.Minute

// checkWithIndexes verifies with indexes that load boards as those of a server do.
func checkWithIndexes(ctx context.Context, o verify.Options) (*verify.Report, error) {
	ctx, stop := context.WithCancel(ctx)
	o.Boards = ranking.NewBoards(ranking.Options{Source: boardSource{o.Store}, LoadWait: indexLoad, MaxBoards: 8})
	var running sync.WaitGroup
	var followed error
	running.Go(func() { followed = o.Boards.Run(ctx) })
	report, err := verify.Check(ctx, o)
	stop()
	running.Wait()
	return report, errors.Join(err, followed)
}

func (c *verifyCommand) print(w io.Writer, r *outcome, took time.Duration) error {
	if c.JSON {
		out := json.NewEncoder(w)
		out.SetIndent("", "  ")
		return out.Encode(r)
	}
	fmt.Fprintf(w, "store: %s\n", r.Store)
	printReport(w, r.Found)
	if r.After != nil {
		fmt.Fprintf(w, "mended %d; after that:\n", *r.Mended)
		printReport(w, r.After)
	}
	_, err := fmt.Fprintf(w, "took %s\n", took.Round(time.Millisecond))
	return err
}

func printReport(w io.Writer, r *verify.Report) {
	fmt.Fprintf(w, "compared %d orgs, %d users, %d activities, %d boards, %d rows, %d deadlines, %d indexes\n",
		r.Orgs, r.Users, r.Activities, r.Boards, r.Rows, r.Deadlines, r.Indexes)
	for _, note := range []struct {
		n    int
		what string
	}{
		{r.Pending, "users whom a server has yet to bring under the present catalog"},
		{r.Overdue, "users with a streak that ended and that a server has yet to sweep"},
		{r.Undefined, "boards that the catalog does not define, not compared"},
		{r.Unsettled, "users who never held still, not compared"},
	} {
		if note.n > 0 {
			fmt.Fprintf(w, "note: %d %s\n", note.n, note.what)
		}
	}
	if r.Total() == 0 {
		fmt.Fprintln(w, "all is well")
		return
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Counts)) {
		fmt.Fprintf(w, "%d × %s\n", r.Counts[kind], kind)
	}
	for _, d := range r.Differences {
		fmt.Fprintf(w, "  %s\n", d)
	}
	if more := r.Total() - len(r.Differences); more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
}
