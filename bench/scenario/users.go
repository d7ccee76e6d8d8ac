package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"

	"laurel/bench/process"
	"laurel/bench/wire"
)

// Bars of users with all that can be earned: of the floor's and of the ceiling's throughput.
const (
	EarningBar  = 0.4
	UserReadBar = 0.4
)

// usersRead is how many different users are read.
const usersRead = 1_000

const (
	earningRules        = 10
	earningStreaks      = 3
	earningAchievements = 20
)

// earningCatalog has ten rules of one board each, three streaks, three wallets with an award each, a level of each, and twenty achievements; each activity touches all of it.
func earningCatalog() string {
	var c strings.Builder
	head, _, _ := strings.Cut(Catalog, "    rules:\n")
	c.WriteString(head + "    rules:\n")
	for i := range earningRules {
		rule, cycle, _ := strings.Cut(earningBoard(i), "/")
		fmt.Fprintf(&c, "      - {id: %s, when: {name: play}, value: {sum: meta.points}, cycles: [%s]}\n", rule, cycle)
	}
	c.WriteString("    streaks:\n")
	for i := range earningStreaks {
		fmt.Fprintf(&c, streakRule, fmt.Sprint("daily", i+1))
	}
	c.WriteString("    wallets: [{id: xp, categories: true}, {id: coins, expires: {months: 12}}, {id: gems}]\n    awards:\n")
	for _, wallet := range []string{"xp", "coins", "gems"} {
		category := ""
		if wallet == "xp" {
			category = ", category: loyalty"
		}
		fmt.Fprintf(&c, "      - {id: %s-each, when: {name: play}, wallet: %s, points: 10%s}\n", wallet, wallet, category)
	}
	c.WriteString("    levels: [{id: tier, wallet: xp, steps: [{at: 100}, {at: 10000}]}]\n    achievements:\n")
	for i := range earningAchievements {
		per := "all"
		if i%5 == 4 {
			per = "month"
		}
		fmt.Fprintf(&c, "      - {id: play%d, when: {name: play}, at_least: %d, per: %s, points: [{wallet: coins, points: 5}]}\n", i, 10*(i+1), per)
	}
	return c.String()
}

// earningBoard is the one of the i-th rule: RULE/CYCLE. That of the first is the board whose memory is measured.
func earningBoard(i int) string {
	if i == 0 {
		return "points/all"
	}
	return fmt.Sprintf("points%d/%s", i, cycles()[i%len(cycles())])
}

// UsersResult is what RunUsers found out.
type UsersResult struct {
	Result
	User KindResult `json:"user"` // GET /v1/users/{user}
}

// RunUsers measures what it costs where activities touch all that a user can have, and the read of a whole user beside a bare net/http server. Its processes and files are gone when
// it returns.
func RunUsers(ctx context.Context, o Options) (_ *UsersResult, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "laurelbench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := &UsersResult{Result: Result{Settings: o.Settings, Command: o.Command, Ingest: Ingest{Bar: EarningBar}}}
	b := &bench{Options: o, items: newActivities(o.Users), result: &out.Result}
	b.result.describeHost(ctx, o.Root)
	if b.Program == "" {
		if b.Program, err = process.BuildLaurel(ctx, o.Root, dir); err != nil {
			return nil, err
		}
	}
	if b.redis, err = process.StartRedis(ctx, dir); err != nil {
		return nil, err
	}
	defer b.redis.Stop()
	if b.result.Redis, err = b.redis.Version(ctx); err != nil {
		return nil, err
	}
	if b.laurel, err = process.StartLaurel(ctx, b.Program, b.redis.Address, dir, []byte(earningCatalog())); err != nil {
		return nil, err
	}
	defer b.laurel.Stop()
	for _, step := range []func(context.Context) error{b.load, b.loadFloor, b.openEarningBoards, b.measureIngest, b.measureMemory} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	out.User, err = b.readKind(ctx, &readKind{"a user", http.MethodGet, UserReadBar, func(r *rand.Rand, n int) (string, string) {
		return "/v1/users/" + userID(r.IntN(min(n, usersRead))), ""
	}})
	return out, err
}

// openEarningBoards reads each board once, those of the streaks too.
func (b *bench) openEarningBoards(ctx context.Context) error {
	var boards []string
	for i := range earningRules {
		boards = append(boards, earningBoard(i))
	}
	for i := range earningStreaks {
		boards = append(boards, fmt.Sprintf("daily%d.current/all", i+1), fmt.Sprintf("daily%d.longest/all", i+1))
	}
	for _, board := range boards {
		if err := b.openBoard(ctx, wire.Get("/v1/leaderboards/"+board+"?limit=1", b.laurel.Key)); err != nil {
			return fmt.Errorf("read board %s: %w", board, err)
		}
	}
	return nil
}

// Met says whether both bars are met.
func (r *UsersResult) Met() bool { return r.Ingest.Met && r.User.Met }

// Print writes the result for people: medians only.
func (r *UsersResult) Print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "commit %.12s  %s  %d × %s  load %.1f  %s  redis %s\n%d users, medians of %d pairs of %g s\n\n", r.Commit, r.Date, r.Cores, r.CPU, r.Load1, r.Go, r.Redis,
		r.Settings.Users, r.Settings.Pairs, r.Settings.Seconds)
	r.Ingest.print(w)
	fmt.Fprintf(w, "\t\t\t\t\t\t\n")
	printKinds(w, []KindResult{r.User})
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nRedis memory: %.0f bytes of state a user, %.0f of log an activity\ningest / floor  %.3f   bar %.2f   %s   (Redis CPU an activity: %.2f times the floor's)\n",
		r.Memory.State, r.Memory.Log, r.Ingest.Median.Ratio, r.Ingest.Bar, verdict(r.Ingest.Met), r.Ingest.Median.RedisCPURatio)
	return err
}
