package testenv

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/clock"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/store"
	"laurel/ranking"
)

// WorldOrg is the org of a World.
const WorldOrg = activity.Org("org")

// WorldCatalog is what a World's org begins with: all that makes rows, and logs that are folded soon.
const WorldCatalog = `
orgs:
  - id: org
    timezone: Europe/Berlin
    limits: {max_past: 10d, close_grace: 5d, log_days: 10}
    behaviours: [{name: a, cap: {per: day, count: 20}, meta: {n: integer, tag: string}}, {name: b, meta: {n: integer, tag: string}}]
    rules:
      - {id: count, when: {name: a}, value: count, cycles: [day, week, all], keep: {day: 15}}
      - {id: sum, when: {}, value: {sum: meta.n}, cycles: [month, all], segment_by: user.team}
      - {id: least, when: {name: a}, value: {min: meta.n}, order: asc, cycles: [week, all]}
      - {id: tags, when: {}, value: {unique: meta.tag}, cycles: [month]}
    streaks:
      - {id: daily, when: {name: a}, unit: day, grace: 3h, freezes: {initial: 1, earn_every: 3, max: 3}, restore_window: 5d}
      - {id: weekly, when: {}, unit: week, target: 2, user_target: {max: 4}, timezone: org}
    rewards:
      - {id: mug, stock: 3, code: "MUG-########"}
      - {id: pin, expires: 4d}
    achievements:
      - {id: some, when: {name: a}, at_least: 5, grants: [mug, pin]}
      - {id: busy, when: {}, at_least: 2, per: day, grants: [pin]}
`

// World is a server's write path in a test, at a time that the test sets: what tools are tried on.
type World struct {
	Store    *store.Store
	Registry *registry.Registry
	Boards   *ranking.Boards
	Writes   *ingest.Service
	Clock    *clock.Clock
	Now      time.Time

	T *testing.T
}

// NewWorld starts a write path on a store, at noon of a Monday. It ends with the test.
func NewWorld(t *testing.T, o store.Options) *World {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s, err := store.Open(ctx, o)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	w := &World{T: t, Store: s, Registry: registry.New(s, zerolog.Nop()), Clock: new(clock.Clock)}
	w.Boards = ranking.NewBoards(ranking.Options{Source: BoardSource{Store: s}, LoadWait: time.Minute,
		OnChange: func(c feed.Change) { w.Writes.Follow(c) }, OnReset: func(p int) { w.Writes.Forget(p) }})
	w.Writes = ingest.New(ingest.Options{Store: s, Registry: w.Registry, Boards: w.Boards, Clock: w.Clock})
	w.Set(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	if err := w.Registry.Load(ctx); err != nil {
		t.Error(err)
	}
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{s.Run, w.Boards.Run, w.Writes.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// Set sets the time.
func (w *World) Set(at time.Time) {
	w.Now = at
	i := calendar.InstantOf(at)
	w.Clock.Set(&i)
}

// Publish publishes the first org of a catalog.
func (w *World) Publish(definition string) {
	w.T.Helper()
	all, err := catalog.Parse([]byte(definition))
	if err == nil {
		_, err = w.Registry.Publish(w.T.Context(), all[0], "", true)
	}
	if err != nil {
		w.T.Fatal(err)
	}
}

// CloseAll says in the fences which periods are closed by now, and which are gone. The boards of those stay until somebody drops them.
func (w *World) CloseAll() {
	w.T.Helper()
	e, _ := w.Registry.Get(WorldOrg)
	through := calendar.InstantOf(w.Now)
	if _, err := w.Registry.Close(w.T.Context(), WorldOrg, through, e.Catalog.Kept(through)); err != nil {
		w.T.Fatal(err)
	}
}

// WorldActivity makes an activity of few users, values and times, so that ties and late ones are common.
func WorldActivity(r *rand.Rand, now time.Time, i int) ingest.Item {
	at := now.Add(-time.Duration(r.IntN(9*24)) * time.Hour)
	a := activity.Activity{ID: activity.ID(fmt.Sprint("i", i)), User: activity.User(fmt.Sprint("u:", r.IntN(12))), Name: []string{"a", "a", "b"}[r.IntN(3)],
		At: calendar.InstantOf(at), AtGiven: true, Meta: fmt.Appendf(nil, `{"n":%d,"tag":"%c"}`, r.IntN(5)-1, 'x'+r.IntN(3))}
	return ingest.Item{Activity: a}
}

// Live plays days of a random history: activities, late ones, undo, changes of zone and team, commands for streaks, users hidden and blocked; a month of it is long enough for logs to be folded.
func (w *World) Live(r *rand.Rand, days int) {
	w.T.Helper()
	for day := range days {
		items := make([]ingest.Item, 20)
		for i := range items {
			items[i] = WorldActivity(r, w.Now, w.Now.YearDay()*1000+day*100+i)
		}
		report, err := w.Writes.Submit(w.T.Context(), WorldOrg, items, ingest.SubmitOptions{})
		if err != nil {
			w.T.Fatal(err)
		}
		for i, o := range report.Outcomes {
			if o.Status == ingest.StatusAccepted && r.IntN(6) == 0 {
				if _, err := w.Writes.Reject(w.T.Context(), WorldOrg, items[i].Activity.User, o.ID, "test"); err != nil {
					w.T.Fatal(err)
				}
			}
		}
		if day%7 == 3 {
			zone := []string{"America/New_York", "Asia/Tokyo"}[r.IntN(2)]
			if err := w.Writes.SetUser(w.T.Context(), WorldOrg, items[0].Activity.User, ingest.UserChange{Zone: &zone}); err != nil {
				w.T.Fatal(err)
			}
		}
		if day%3 == 0 {
			team := []string{"red", "blue", "no team"}[r.IntN(3)] // the last has no board
			change := ingest.UserChange{Attributes: map[string]*string{"team": &team}}
			if err := w.Writes.SetUser(w.T.Context(), WorldOrg, items[2].Activity.User, change); err != nil {
				w.T.Fatal(err)
			}
		}
		if day%7 == 5 {
			change := []func(context.Context, activity.Org, activity.User) error{w.Writes.Hide, w.Writes.Unhide, w.Writes.Block, w.Writes.Unblock}[r.IntN(4)]
			if err := change(w.T.Context(), WorldOrg, items[1].Activity.User); err != nil {
				w.T.Fatal(err)
			}
		}
		w.order(r, items[4].Activity.User)
		w.Set(w.Now.Add(26 * time.Hour))
	}
}

// order gives a command for a user's streaks, which may be refused.
func (w *World) order(r *rand.Rand, u activity.User) {
	w.T.Helper()
	today, ctx := calendar.DateOf(w.Now.Date()), w.T.Context()
	var err error
	switch r.IntN(6) {
	case 0:
		_, err = w.Writes.GrantFreezes(ctx, WorldOrg, u, "daily", 1+r.IntN(3))
	case 1:
		from := today + calendar.Date(1+r.IntN(3)) // the user's date may be another one
		_, err = w.Writes.Pause(ctx, WorldOrg, u, from, from+calendar.Date(r.IntN(3)))
	case 2:
		err = w.Writes.Unpause(ctx, WorldOrg, u, 1)
	case 3:
		err = w.Writes.RestoreStreak(ctx, WorldOrg, u, "daily", "support case")
	case 4:
		n := int64(2 + r.IntN(3))
		err = w.Writes.SetStreak(ctx, WorldOrg, u, "weekly", ingest.StreakChange{SetTarget: true, Target: &n})
	case 5:
		out := r.IntN(3) == 0
		err = w.Writes.SetStreak(ctx, WorldOrg, u, "daily", ingest.StreakChange{OptedOut: &out})
	}
	for _, refused := range []error{progress.ErrPauseOverlaps, progress.ErrPauseNotFound, progress.ErrPauseOver, progress.ErrNothingToRestore, progress.ErrRestoreExpired} {
		if errors.Is(err, refused) {
			return
		}
	}
	if err != nil {
		w.T.Fatal(err)
	}
}

// Snapshot is every row of every board and every deadline, by key.
func (w *World) Snapshot() map[string]map[string]string {
	w.T.Helper()
	keys := map[store.Key]bool{}
	err := w.Store.Walk(w.T.Context(), func(n store.Named) error {
		if n.Kind == store.BoardOf {
			keys[store.BoardKey(n.Partition, n.Board)] = true
		}
		keys[store.DueKey(n.Partition)] = true
		return nil
	})
	out := map[string]map[string]string{}
	for k := range keys {
		rows := map[string]string{}
		if err == nil {
			err = w.Store.Members(w.T.Context(), k, func(member string, score float64) error {
				rows[member] = strconv.FormatFloat(score, 'g', -1, 64)
				return nil
			})
		}
		if len(rows) > 0 {
			out[string(k)] = rows
		}
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return out
}
