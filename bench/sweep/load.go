package sweep

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"laurel/bench/scenario"
	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/internal/feed"
	"laurel/internal/ingest"
	"laurel/ranking"
)

// definition is an org whose day begins so many seconds after midnight: its users' streaks end then.
const definition = `orgs:
  - id: %s
    timezone: UTC
    streaks:
      - id: daily
        when: {name: play}
        unit: day
        target: 1
        day_start: %ds
        freezes: {initial: 0, earn_every: 7, max: 2}
        milestones: [{at: 7}, {every: 30, once: run}]
`

// orgID is the org of a step.
func orgID(step int) activity.Org { return activity.Org(fmt.Sprintf("o%04d", step)) }

// beside is the org whose activities come in while others' streaks end.
const beside = activity.Org("beside")

const (
	besideUsers = 50_000
	batch       = 500 // activities of one Submit
	clients     = 4   // Submits at a time
)

// publish makes the orgs and reads their boards once, so that they are kept in memory.
func (r *run) publish(ctx context.Context) error {
	r.say("making %d orgs", r.Steps)
	if err := r.define(ctx, strings.Replace(scenario.Catalog, "id: bench", "id: "+string(beside), 1)); err != nil {
		return err
	}
	for step := range r.Steps {
		if err := r.define(ctx, fmt.Sprintf(definition, orgID(step), step)); err != nil {
			return err
		}
		if _, err := r.node.boards.Open(ctx, feed.Board{Org: orgID(step), Rule: "daily.current", Label: "all"}, ranking.Descending); err != nil {
			return err
		}
	}
	return r.filled(ctx)
}

// filled waits until the orgs' users, of whom there are none yet, follow their definitions: walking them would cost what is none of a sweep's.
func (r *run) filled(ctx context.Context) error {
	for step := 0; step < r.Steps; {
		_, running, err := r.node.Backfill(ctx, orgID(step))
		if err != nil {
			return err
		}
		if !running {
			step++
		} else if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) define(ctx context.Context, source string) error {
	all, err := catalog.Parse([]byte(source))
	if err != nil {
		return err
	}
	_, err = r.node.registry.Publish(ctx, all[0], "", true)
	return err
}

// userID names the n-th user of all orgs.
func userID(n int) activity.User { return activity.User(fmt.Sprintf("user-%07d", n)) }

// userNumber is n again.
func userNumber(u activity.User) (int, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(string(u), "user-"))
	return n, err == nil
}

// item is a user's next activity.
func (r *run) item(user int) ingest.Item {
	id := activity.ID("a" + strconv.FormatInt(r.made.Add(1), 36))
	return ingest.Item{Activity: activity.Activity{ID: id, User: userID(user), Name: "play", Meta: []byte(`{"points":7}`)}}
}

// everyone gives each user one activity now.
func (r *run) everyone(ctx context.Context) error {
	r.say("%d users do something", r.Users)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(clients)
	for step := range r.Steps {
		for from := step * r.Users / r.Steps; from < (step+1)*r.Users/r.Steps; from += batch {
			g.Go(func() error {
				var items []ingest.Item
				for n := from; n < min(from+batch, (step+1)*r.Users/r.Steps); n++ {
					items = append(items, r.item(n))
				}
				return r.submit(ctx, orgID(step), items)
			})
		}
	}
	return g.Wait()
}

func (r *run) submit(ctx context.Context, org activity.Org, items []ingest.Item) error {
	report, err := r.node.Submit(ctx, org, items, ingest.SubmitOptions{})
	if err == nil && report.Accepted != len(items) {
		err = fmt.Errorf("%d of %d activities were accepted", report.Accepted, len(items))
	}
	return err
}

// traffic sends activities of the other org's users until ctx ends, and counts them.
func (r *run) traffic(ctx context.Context, done *atomic.Int64) error {
	work := context.WithoutCancel(ctx)
	var g errgroup.Group
	for client := range clients {
		g.Go(func() error {
			for at := client; ctx.Err() == nil; at += clients {
				items := make([]ingest.Item, batch)
				for i := range items {
					items[i] = r.item((at*batch + i) * 7919 % besideUsers)
				}
				if err := r.submit(work, beside, items); err != nil {
					return err
				}
				done.Add(batch)
			}
			return nil
		})
	}
	return g.Wait()
}
