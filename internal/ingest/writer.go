package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/progress"
	"laurel/internal/registry"
	"laurel/internal/store"
)

// maxBatch is how many activities go into one commit: enough to spread its fixed costs, few enough that the store serves others in between.
const maxBatch = 256

// maxRounds is how often in a row a group is decided without success before its activities are given back.
const maxRounds = 12

// lanes is how many batches of a partition are on their way at once: while the store works on one, the next one waits at its door and a third is decided.
// They are of different users, so their order does not matter.
const lanes = 3

// writer is the one writer of a partition.
type writer struct {
	*Service
	partition store.Partition
	queue     *queue
	cache     *cache
}

// run writes until ctx ends, and finishes what is in the queue.
func (w *writer) run(ctx context.Context) error {
	defer context.AfterFunc(ctx, w.queue.close)()
	work := context.WithoutCancel(ctx)
	var g sync.WaitGroup
	for range lanes {
		g.Go(func() {
			for us := w.queue.take(); len(us) > 0; us = w.queue.take() {
				w.write(work, us)
				w.queue.done(us)
			}
		})
	}
	g.Wait()
	return nil
}

// task is what one user has to have decided in a batch.
type task struct {
	partition store.Partition
	key       userKey
	doc       store.Key // of the state
	units     []*unit   // not settled yet, in order
	left      int       // how many they were after the round before
	lost      int       // rounds in a row that settled none of them
	// Below: of the current round.
	plan    *progress.Plan
	entry   *registry.Entry
	version store.Version // of the state that attempt begins with; "" for a user who is not there
	size    int           // of that state, encoded
	loaded  bool          // a conflict brought the state along, and no attempt has used it up yet
	cached  bool          // the state is this node's memory of it, which only a commit can prove right
	now     calendar.Instant
	attempt attempt
}

// write decides and commits units until each is settled.
func (w *writer) write(ctx context.Context, units []*unit) {
	tasks := w.group(units)
	for len(tasks) > 0 {
		if err := w.round(ctx, tasks); err != nil {
			w.failAll(tasks, err)
			return
		}
		tasks = unsettled(tasks)
		if n := w.countLost(tasks); n > 0 && w.Metrics.Conflicts != nil {
			w.Metrics.Conflicts(n)
		}
		tasks = unsettled(tasks)
	}
}

// countLost counts the tasks of which the last round settled nothing, and gives up those that never get on. Commands and repetitions take a round
// each, so that many rounds alone are no sign of trouble.
func (w *writer) countLost(tasks []*task) (lost int) {
	for _, t := range tasks {
		if len(t.units) < t.left {
			t.left, t.lost = len(t.units), 0
			continue
		}
		lost++
		if t.lost++; t.lost == maxRounds {
			w.failAll([]*task{t}, ErrConflict)
		}
	}
	return lost
}

// group puts the units of each user together, in order of arrival.
func (w *writer) group(units []*unit) []*task {
	tasks := make([]*task, 0, len(units))
	room := make([]task, len(units))
	of := make(map[userKey]*task, len(units))
	for i, u := range units {
		key := u.key()
		t := of[key]
		if t == nil {
			t = &room[i]
			*t = task{partition: w.partition, key: key, doc: store.StateKey(w.partition, key.org, key.user), units: units[i : i+1 : i+1], left: 1}
			of[key] = t
			tasks = append(tasks, t)
			continue
		}
		t.units = append(t.units, u)
		t.left++
	}
	return tasks
}

func unsettled(tasks []*task) []*task {
	rest := tasks[:0]
	for _, t := range tasks {
		if len(t.units) > 0 {
			rest = append(rest, t)
		}
	}
	return rest
}

func (w *writer) failAll(tasks []*task, err error) {
	w.Log.Error().Err(err).Int("partition", int(w.partition)).Msg("batch failed")
	for _, t := range tasks {
		w.fail(t, err)
	}
}

// fail gives the task's units back without an outcome. One user's damage does not fail the others of the batch.
func (w *writer) fail(t *task, err error) {
	for _, u := range t.units {
		u.fail(err)
	}
	t.units = nil
}

// round reads what is needed, decides each task on it, commits, and settles what was applied.
func (w *writer) round(ctx context.Context, tasks []*task) error {
	if err := w.load(ctx, tasks); err != nil {
		return err
	}
	groups := make([]store.Group, 0, len(tasks))
	committed := make([]*task, 0, len(tasks))
	for _, t := range tasks {
		if len(t.units) == 0 {
			continue // failed while loading
		}
		switch err := w.decideAll(ctx, t); {
		case errors.Is(err, errChanged):
			w.cache.remove(t.doc)
			continue
		case err != nil:
			w.Log.Error().Err(err).Str("org", string(t.key.org)).Str("user", string(t.key.user)).Msg("activities could not be decided")
			w.fail(t, err)
			continue
		}
		if t.attempt.forwarded {
			continue
		}
		if !t.attempt.commits {
			if t.cached { // another node may have written the user: what writes nothing is decided on what is there now
				w.cache.remove(t.doc)
				continue
			}
			t.settle(nil)
			continue
		}
		groups = append(groups, t.attempt.group)
		committed = append(committed, t)
	}
	if len(groups) == 0 {
		return nil
	}
	result, err := w.commit(ctx, groups)
	if err != nil {
		return err
	}
	for i, t := range committed {
		if err := w.conclude(ctx, t, &result, &result.Outcomes[i]); err != nil {
			return err
		}
	}
	return nil
}

// commit commits and brings the boards along.
func (w *writer) commit(ctx context.Context, groups []store.Group) (store.Result, error) {
	began := time.Now()
	result, err := w.Store.Commit(ctx, w.partition, groups)
	if err != nil {
		return result, err
	}
	if f := w.Metrics.Commit; f != nil {
		f(time.Since(began))
	}
	if f := w.Metrics.Partition; f != nil {
		f(int(w.partition), len(groups))
	}
	// Before the boards' revision says that it is there, nothing older is remembered.
	w.tell(result.Change.Users)
	w.profiles.Drop(result.Change.Profiles)
	w.Boards.ApplyOwn(result.Change)
	return result, nil
}

// load gets the plan of every task and the state documents that are not cached, in one read.
func (w *writer) load(ctx context.Context, tasks []*task) error {
	var keys []store.Key
	var missing []*task
	for _, t := range tasks {
		var err error
		if t.plan, t.entry, err = w.Plan(t.key.org); err != nil {
			w.fail(t, err)
			continue
		}
		if t.loaded {
			t.cached = false
			continue
		}
		c, ok := w.cache.get(t.doc)
		if t.cached = ok; ok {
			w.parse(t, c.version, c.content)
			continue
		}
		keys = append(keys, t.doc)
		missing = append(missing, t)
	}
	if len(keys) == 0 {
		return nil
	}
	docs, err := w.Store.Docs(ctx, keys)
	if err != nil {
		return err
	}
	for i, t := range missing {
		w.parse(t, docs[i].Version, string(docs[i].Content))
	}
	return nil
}

// parse takes a document as the task's; a task whose document is damaged fails.
func (w *writer) parse(t *task, v store.Version, content string) {
	state, err := progress.Parse(content)
	if err != nil {
		w.Log.Error().Err(err).Str("org", string(t.key.org)).Str("user", string(t.key.user)).Msg("user's state cannot be read")
		w.fail(t, err)
		return
	}
	t.version, t.size, t.attempt.state = v, len(content), state
}

// conclude deals with what became of a task's group.
func (w *writer) conclude(ctx context.Context, t *task, r *store.Result, o *store.Outcome) error {
	switch o.Status {
	case store.Applied:
		w.pumps[w.partition].wake(t.attempt.gives)
		w.settleHolds(ctx, t.key.org, t.attempt.granting.held)
		switch {
		case t.attempt.group.Delete:
			w.cache.remove(t.doc)
		case !t.cached && t.units[0].command.isUpkeep():
			// A million users whom only time has passed by must not drive out those who are there.
		default:
			w.cache.add(t.doc, cached{r.Version, string(t.attempt.group.Content)})
		}
		t.settle(r)
	case store.Stale:
		w.cache.remove(t.doc)
		t.loaded = true
		w.parse(t, o.Doc.Version, string(o.Doc.Content))
	case store.Exists:
		return t.settleExisting(o.Found)
	case store.Fenced:
		_, err := w.Registry.Reload(ctx, t.key.org)
		if errors.Is(err, registry.ErrOrgNotFound) {
			// It was there: the store was wiped, and what it is to have again is not decided here. Nobody is told that the org does not exist.
			w.fail(t, fmt.Errorf("%w: the definitions of org %s are gone", store.ErrUnavailable, t.key.org))
			return nil
		}
		return err
	}
	return nil
}

// settleExisting settles the units whose ids the log has; the others are decided anew.
func (t *task) settleExisting(found map[string]string) error {
	rest := t.units[:0]
	for _, u := range t.units {
		record, ok := found[string(u.activity.ID)]
		if !ok || u.command != nil {
			rest = append(rest, u)
			continue
		}
		was, err := activity.ParseRecord(u.activity.User, u.activity.ID, record)
		if err != nil {
			return fmt.Errorf("log of user %q of org %s, activity %q: %w", t.key.user, t.key.org, u.activity.ID, err)
		}
		u.settle(repeated(&was, &u.activity))
	}
	t.units = rest
	return nil
}

// repeated is the outcome of an activity whose id was there before.
func repeated(was, again *activity.Activity) Outcome {
	if !was.SamePayload(again) {
		return Outcome{Status: StatusRejected,
			Err: &ItemError{"id_conflict", "this id was used for another activity of the user", "id"}}
	}
	return Outcome{Status: StatusDuplicate, Activity: was}
}
