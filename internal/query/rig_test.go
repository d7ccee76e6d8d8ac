package query

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/ingest"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/internal/testenv"
	"laurel/ranking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	org = activity.Org("o")
	// noon of a Saturday in week 47; the last listed period of seasons is a day old.
	noon = "2026-11-21T12:00:00.000Z"
)

// definitions: whoever sends a "score" is on the first three boards, which differ in nothing but their numbering.
const definitions = `
orgs:
  - id: o
    limits: {max_past: 3d, close_grace: 1d, log_days: 3}
    rules:
      - {id: ordinal, when: {name: score}, value: {sum: value}, cycles: [day, week, all], keep: {day: 5}}
      - {id: standard, when: {name: score}, value: {sum: value}, cycles: [day], ties: standard}
      - {id: dense, when: {name: score}, value: {sum: value}, cycles: [day], ties: dense}
      - {id: least, when: {name: lap}, value: {min: value}, decimals: 2, order: asc, cycles: [week, {every: 14d, from: 2026-01-05}]}
      - {id: debts, when: {name: debt}, value: {sum: value}, cycles: [all]}
      - id: seasons
        when: {name: score}
        value: count
        keep: {season: 2}
        cycles:
          - list:
              id: season
              periods:
                - {id: spring, start: 2026-03-01, end: 2026-05-01}
                - {id: summer, start: 2026-06-01, end: 2026-09-01}
                - {id: autumn, start: 2026-09-01, end: 2026-11-01}
                - {id: finals, start: 2026-11-20, end: 2026-12-01}
    streaks:
      - {id: daily, when: {name: score}, unit: day, timezone: org}
      - {id: both, unit: week, all: [{when: {name: score}, value: count, at_least: 2}, {when: {name: score}, value: {sum: value}, decimals: 1, at_least: 2.5}]}
`

// rig is a Reader over an embedded store that tests can write to.
type rig struct {
	*Reader
	t        *testing.T
	registry *registry.Registry
	clock    *clock.Clock
	sent     int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir(), Fsync: store.FsyncNo, Log: zerolog.Nop()})
	must(t, err)
	g := &rig{t: t, registry: registry.New(s, zerolog.Nop()), clock: &clock.Clock{}}
	boards := ranking.NewBoards(ranking.Options{Source: testenv.BoardSource{Store: s}, LoadWait: time.Minute})
	writes := ingest.New(ingest.Options{Store: s, Registry: g.registry, Boards: boards, Clock: g.clock})
	g.Reader = New(writes, boards, g.clock, func() []byte { return []byte("secret") })
	g.set(noon)
	g.publish(definitions)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{s.Run, boards.Run, writes.Run} {
		running.Go(func() { _ = run(ctx) })
	}
	t.Cleanup(func() { cancel(); running.Wait(); _ = s.Close() })
	return g
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func instant(t *testing.T, s string) calendar.Instant {
	t.Helper()
	i, _, err := calendar.ParseInstant(s)
	must(t, err)
	return i
}

func (g *rig) set(now string) {
	i := instant(g.t, now)
	g.clock.Set(&i)
}

func (g *rig) publish(definition string) {
	g.t.Helper()
	all, err := catalog.Parse([]byte(definition))
	must(g.t, err)
	_, err = g.registry.Publish(g.t.Context(), all[0], "", true)
	must(g.t, err)
}

// send stores activities, which must be accepted, each written "user value instant": a score, or with another name before it ("lap ann 3 …") that.
func (g *rig) send(lines ...string) {
	g.t.Helper()
	items := make([]ingest.Item, len(lines))
	for i, line := range lines {
		f := strings.Split(line, " ")
		name := "score"
		if len(f) == 4 {
			name, f = f[0], f[1:]
		}
		g.sent++
		a := activity.Activity{ID: activity.ID(fmt.Sprint("a", g.sent)), User: activity.User(f[0]), Name: name, HasValue: true, AtGiven: true, At: instant(g.t, f[2])}
		_, err := fmt.Sscan(f[1], &a.Value)
		must(g.t, err)
		items[i].Activity = a
	}
	r, err := g.ingest.Submit(g.t.Context(), org, items, ingest.SubmitOptions{})
	must(g.t, err)
	if r.Accepted != len(lines) {
		g.t.Fatalf("not all accepted: %+v", r)
	}
}

func (g *rig) page(rule, period string, p Page) *Leaderboard {
	g.t.Helper()
	l, err := g.Leaderboard(g.t.Context(), org, rule, period, p, nil)
	must(g.t, err)
	return l
}

func (g *rig) rank(rule, period string, user activity.User, around int) *UserRank {
	g.t.Helper()
	u, err := g.UserRank(g.t.Context(), org, rule, period, user, around, nil)
	must(g.t, err)
	return u
}

// brief writes rows as "rank user score", with "<previous" where there is a rank in the period before.
func brief(rows []Row) []string {
	out := []string{}
	for _, r := range rows {
		s := fmt.Sprint(r.Rank, " ", r.User, " ", string(r.Score.AppendJSON(nil)))
		if r.PreviousRank != 0 {
			s += fmt.Sprint(" <", r.PreviousRank)
		}
		out = append(out, s)
	}
	return out
}
