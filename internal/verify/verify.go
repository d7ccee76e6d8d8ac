// Package verify compares what a store shows with what its logs say, and mends what differs.
//
// # What is compared
//
//   - Each user's state with the one that progress.Rebuild makes of the user's base and log under the published catalog.
//   - Each board's rows with those that the users' states amount to, both ways: missing, wrong and surplus rows, and rows of users who do not exist.
//   - Each board as a server's index loads it with its rows, in content and order.
//   - The list of users, a board of everyone, and the claims of unique values with the users' profiles.
//   - Each user's grants of limited rewards with what the stock holds for them, and each stock's count with its holds.
//   - Each deadline with the one that the user's streaks have.
//
// # What is not
//
// Rows of periods that are gone (catalog.Kept), whose boards are removed or will be; rows of rules and cycles that the catalog does not define, which nobody can read; users whom the server
// has not brought under the present catalog yet (Pending), whose rows are compared with their states as they are. A streak whose deadline has passed and that no server has swept yet
// is compared as of its deadline (Overdue). What was said of a user and stands in the state alone (zone, hidden, blocked, merged, attributes) has nothing
// to be compared with.
//
// # Beside a running server
//
// What seems to differ is read again, with the version of the user's state before and after: a commit writes the state and the rows at once, so that what was
// read between two equal versions is of one moment. Only what differs then counts. A user who never holds still is counted as Unsettled.
//
// # Cost
//
// Two passes: every user's state, base, log and profile once, and every row once. Memory: the list of users (about 70 bytes each, three times that while it is made), 16 bytes a
// board and partition, and about 100 bytes for each row that is missing. Boards whose rows sum up to what the users' states sum up to are not looked at row by row.
package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"laurel/internal/account"
	"laurel/internal/activity"
	"laurel/internal/clock"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/ranking"
)

// Kind says what differs.
type Kind string

// The kinds of differences.
const (
	StateLost     Kind = "state_lost"     // there is a log or a base, and no state
	StateDamaged  Kind = "state_damaged"  // the state cannot be read
	StateWrong    Kind = "state_wrong"    // it is not what base and log amount to
	Unreadable    Kind = "log_unreadable" // the base or a record of the log cannot be read: nothing can mend that
	RowMissing    Kind = "row_missing"
	RowWrong      Kind = "row_wrong"     // another value or time
	RowSurplus    Kind = "row_surplus"   // the user ought to have none, or has two
	RowForeign    Kind = "row_foreign"   // of a user who does not exist
	RowMalformed  Kind = "row_malformed" // no server can read it, nor the board that it is on
	DeadlineWrong Kind = "deadline_wrong"
	// What follows from profiles, the list of users aside, whose rows are as those of boards.
	GrantsDamaged  Kind = "grants_damaged"  // they cannot be read: nothing can mend that
	StockWrong     Kind = "stock_wrong"     // what is held of a limited reward is not what its users have, or what is counted: nothing can mend that
	ProfileDamaged Kind = "profile_damaged" // it cannot be read: nothing can mend that
	ClaimWrong     Kind = "claim_wrong"     // a unique value that the user shows is not claimed for the user

	IndexWrong Kind = "index_wrong" // the index has loaded the board otherwise than it is stored
)

// Difference is one thing that is not as it ought to be.
type Difference struct {
	Kind     Kind          `json:"kind"`
	Org      activity.Org  `json:"org"`
	Rule     string        `json:"rule,omitempty"`
	Label    string        `json:"label,omitempty"`
	User     activity.User `json:"user,omitempty"`
	Expected string        `json:"expected,omitempty"`
	Found    string        `json:"found,omitempty"`
}

// String is the difference in a line.
func (d Difference) String() string {
	where := string(d.Org)
	if d.Rule != "" {
		where += " " + d.Rule + "/" + d.Label
	}
	if d.User != "" {
		where += fmt.Sprintf(" user %q", string(d.User))
	}
	return fmt.Sprintf("%s: %s: expected %s, found %s", d.Kind, where, d.Expected, d.Found)
}

// Report is what was compared and what differs.
type Report struct {
	Orgs       int `json:"orgs"`
	Users      int `json:"users"`
	Activities int `json:"activities"`
	Boards     int `json:"boards"`
	Rows       int `json:"rows"`
	Deadlines  int `json:"deadlines"`
	Indexes    int `json:"indexes"`
	// Pending, Overdue, Undefined and Unsettled count what the package comment says of them: users, users, boards, users.
	Pending   int `json:"pending"`
	Overdue   int `json:"overdue"`
	Undefined int `json:"undefined"`
	Unsettled int `json:"unsettled"`
	// Counts has every difference by its kind, Differences the first of them.
	Counts      map[Kind]int `json:"counts"`
	Differences []Difference `json:"differences"`
	// Mended is how many of them were mended, by Mend.
	Mended int `json:"mended,omitempty"`
}

// Total is how many differences there are.
func (r *Report) Total() int {
	n := 0
	for _, c := range r.Counts {
		n += c
	}
	return n
}

// ErrCatalogChanged: another catalog was published meanwhile, so what was compared says nothing. Try again.
var ErrCatalogChanged = errors.New("the catalog was changed meanwhile")

// Options of a verification. Store, Registry and Clock are needed; Registry must be loaded.
type Options struct {
	Store    *store.Store
	Registry *registry.Registry
	Clock    *clock.Clock
	// Boards are a server's indexes, which must be running; nil: indexes are not compared.
	Boards *ranking.Boards
	Orgs   []activity.Org // nil: all
	List   int            // how many differences are listed; 0: 100
}

// Check compares, and changes nothing. ErrCatalogChanged; errors of the store. Differences are in the report.
func Check(ctx context.Context, o Options) (*Report, error) { return run(ctx, o, false) }

// Mend compares states, rows and deadlines and mends what differs as it comes to it. Check says afterwards whether all is well. Errors as
// Check.
func Mend(ctx context.Context, o Options) (*Report, error) { return run(ctx, o, true) }

// checker is one verification.
type checker struct {
	Options
	mends  bool
	report Report
}

func run(ctx context.Context, o Options, mends bool) (*Report, error) {
	if o.List == 0 {
		o.List = 100
	}
	c := &checker{Options: o, mends: mends}
	c.report.Counts = map[Kind]int{}
	c.report.Differences = []Difference{}
	contents, err := account.Survey(ctx, o.Store)
	if err != nil {
		return nil, err
	}
	orgs := map[activity.Org]*orgCheck{}
	for _, org := range o.Registry.Orgs() {
		if o.Orgs != nil && !slices.Contains(o.Orgs, org) {
			continue
		}
		has := contents[org]
		if has == nil {
			has = &account.Contents{}
		}
		check, err := c.newOrg(ctx, org, has)
		if err != nil {
			return nil, err
		}
		orgs[org] = check
		if err := check.run(ctx); err != nil {
			return nil, fmt.Errorf("verify org %s: %w", org, err)
		}
	}
	c.report.Orgs = len(orgs)
	return &c.report, c.deadlines(ctx, orgs)
}

// add counts a difference and lists it if there is room; it gives its place in the list, -1 for none.
func (r *Report) add(d Difference, room int) int {
	r.Counts[d.Kind]++
	if len(r.Differences) == room {
		return -1
	}
	r.Differences = append(r.Differences, d)
	return len(r.Differences) - 1
}

// How often something that seems to differ is read again when it changed meanwhile, and how long the pauses grow.
const (
	tries        = 12
	firstPause   = time.Millisecond
	longestPause = 200 * time.Millisecond
)

// pause waits before try number n; ctx's error if it ends first.
func pause(ctx context.Context, n int) error {
	if n == 0 {
		return ctx.Err()
	}
	t := time.NewTimer(min(firstPause<<n, longestPause))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
