package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/fold"
	"laurel/internal/grants"
	"laurel/internal/progress"
	"laurel/internal/rewards"
	"laurel/internal/store"
)

// attempt is one try at deciding a task.
type attempt struct {
	state   *progress.State // as it will be
	commits bool            // there is something to write
	// forwarded: the activities were handed to another user's writer.
	forwarded bool
	group     store.Group
	boards    []progress.BoardChange
	events    []progress.Event
	strays    []store.BoardWrite // rows that go from boards which nobody defines any more
	units     []*unit            // decided in this attempt
	verdicts  []progress.Verdict // of units
	// known are the refused units whose ids the log has: they were accepted once, and stay so however old they have become.
	known map[*unit]activity.Activity
	// wallets is what was in them before, if somebody asks for effects.
	wallets *rewards.View
	granted []grants.Grant // as they are written
	done    Outcome        // of a command
	gives   int            // transfers that the group appends
	// received is the event that the user was given something, nil for none: it comes after all others.
	received []byte
	err      error // of a command that is refused
	granting granting
}

// foldSlack keeps folding rare: a log is folded when its oldest activity is this much past the horizon.
const foldSlack = calendar.Instant(24 * 60 * 60 * 1000)

// decide computes what the task's activities amount to and the group that would make it so. Commands are decided alone.
func (w *writer) decide(ctx context.Context, t *task) error {
	t.attempt = attempt{state: t.attempt.state}
	t.loaded = false // what follows changes the state in place, also where nothing of it is written in the end
	if t.units[0].command != nil {
		return w.decideCommand(ctx, t)
	}
	a := &t.attempt
	if into := a.state.Merged; into != "" {
		a.forwarded = true
		return w.forward(ctx, t, into)
	}
	a.units = t.unitsOfRound()
	now := w.Clock.Now()
	t.now = now
	if t.version == "" && !t.entry.Catalog.AutoCreate {
		a.verdicts = make([]progress.Verdict, len(a.units))
		for i := range a.verdicts {
			a.verdicts[i].Err = ErrUserNotFound
		}
		return nil
	}
	attributes, err := w.segmentAttributes(ctx, t)
	if err != nil {
		return err
	}
	acts := make([]activity.Activity, len(a.units))
	for i, u := range a.units {
		acts[i] = u.activity
		acts[i].Attributes = attributes
		// What arrived before a close and is committed after it came after it: standings that were read after the fence are final.
		acts[i].Received = max(acts[i].Received, t.entry.ClosedThrough)
	}
	was := a.state.Oldest
	refused, err := w.decideKind(ctx, t, &acts[0], now)
	if err != nil {
		return err
	}
	update := progress.Update{Verdicts: []progress.Verdict{{Err: refused}}}
	if refused == nil {
		a.noteWallets(t)
		update = progress.Apply(t.plan, a.state, acts, now)
	}
	a.verdicts = update.Verdicts
	a.take(&update)
	if err := w.recall(ctx, t); err != nil {
		return err
	}
	stored := a.stored(acts)
	if len(stored) == 0 {
		return nil
	}
	a.commits = true
	a.group = w.emptyGroup(t)
	horizon, sealing := t.entry.Catalog.SealHorizon()
	foldDue := sealing && !hasImported(stored) && was != 0 && was < now-calendar.Instant(horizon.Milliseconds())-foldSlack
	if foldDue {
		awaited, err := w.awaited(ctx, t)
		if err != nil {
			return err
		}
		foldDue = !awaited
	}
	if update.NeedLog || foldDue {
		seal := calendar.Instant(0)
		if foldDue {
			seal = now - calendar.Instant(horizon.Milliseconds())
		}
		if err := w.decideByLog(ctx, t, stored, seal, now); err != nil {
			return err
		}
	}
	a.finishGroup(t, stored)
	w.noteCreation(t)
	return nil
}

// decideAll computes what the task's activities or command amount to, and what becomes of the user's grants by that.
func (w *writer) decideAll(ctx context.Context, t *task) error {
	if err := w.decide(ctx, t); err != nil {
		return err
	}
	if err := w.decideGrants(ctx, t); err != nil || t.attempt.received == nil {
		return err
	}
	t.attempt.group.Events = append(t.attempt.group.Events, t.attempt.received)
	return nil
}

// take makes what was found out the attempt's.
func (a *attempt) take(u *progress.Update) {
	a.boards, a.events, a.granting.due = u.Boards, u.Events, u.Grants
}

// recall looks up the refused units in the log: an id that is there is a repetition, and not what the refusal says.
func (w *writer) recall(ctx context.Context, t *task) error {
	a := &t.attempt
	var refused []*unit
	var ids []string
	for i, u := range a.units {
		if a.verdicts[i].Err != nil {
			refused, ids = append(refused, u), append(ids, string(u.activity.ID))
		}
	}
	if len(ids) == 0 || t.version == "" {
		return nil
	}
	records, err := w.Store.LogRecords(ctx, w.partition, t.key.org, t.key.user, ids)
	if err != nil {
		return err
	}
	a.known = map[*unit]activity.Activity{}
	for i, u := range refused {
		if records[i] == "" {
			continue
		}
		was, err := activity.ParseRecord(t.key.user, u.activity.ID, records[i])
		if err != nil {
			return fmt.Errorf("log of user %q of org %s, activity %q: %w", t.key.user, t.key.org, u.activity.ID, err)
		}
		a.known[u] = was
	}
	return nil
}

// hasImported: a batch of history is not folded as it comes in. (Live activities of the same user may fold what an import has brought so far; what it brings
// from before that seal is then too old.)
func hasImported(acts []activity.Activity) bool {
	return slices.ContainsFunc(acts, func(a activity.Activity) bool { return a.Imported })
}

// unitsOfRound are the activities before the next command that are imported as the first one is, or live as it is: what became true is told of live ones only. Of each
// id it is the first one: a repetition within a batch is decided when that has been. One that is decided alone is a round, and ends the one before.
func (t *task) unitsOfRound() []*unit {
	if len(t.units) == 1 || t.units[0].alone() {
		return t.units[:1:1]
	}
	seen := make(map[activity.ID]bool, len(t.units))
	var us []*unit
	for _, u := range t.units {
		if u.command != nil || u.alone() {
			break
		}
		if !seen[u.activity.ID] {
			seen[u.activity.ID] = true
			if u.activity.Imported == t.units[0].activity.Imported {
				us = append(us, u)
			}
		}
	}
	return us
}

// stored writes the verdicts on the activities and returns those that go into the log.
func (a *attempt) stored(acts []activity.Activity) []activity.Activity {
	kept := acts[:0]
	for i := range acts {
		v := &a.verdicts[i]
		if v.Err != nil {
			continue
		}
		acts[i].Status, acts[i].Reason = v.Status, v.Reason
		acts[i].WasIgnored = v.Status == activity.Ignored
		a.units[i].activity = acts[i]
		kept = append(kept, acts[i])
	}
	return kept
}

// emptyGroup is a group for the task's user without writes.
func (w *writer) emptyGroup(t *task) store.Group {
	return store.Group{
		Org: t.key.org, User: t.key.user, Fence: t.entry.Fence(w.partition),
		Doc: t.doc, Expect: t.version,
		AbsentIn: store.LogKey(w.partition, t.key.org, t.key.user),
	}
}

// finishGroup fills in the log records, the boards, the events and the state.
func (a *attempt) finishGroup(t *task, stored []activity.Activity) {
	g := &a.group
	args := make([]string, 0, 2*len(stored))
	var record [256]byte // most fit
	g.Absent = make([]string, 0, len(stored))
	for i := range stored {
		g.Absent = append(g.Absent, string(stored[i].ID))
		a.granting.note(&stored[i])
		args = append(args, string(stored[i].ID), string(stored[i].AppendRecord(record[:0])))
		if given, gives := transferOf(t.key.org, &stored[i]); gives {
			a.send(t, &given)
		}
	}
	if len(args) > 0 {
		g.Writes = append(g.Writes, store.Op{Kind: store.OpHSet, Key: g.AbsentIn, Args: args})
	}
	g.Boards = append(boardWrites(t.key, a.boards), a.strays...)
	if op, ok := t.schedule(a.state); ok {
		g.Writes = append(g.Writes, op)
	}
	for i := range a.events {
		g.Events = append(g.Events, a.events[i].AppendJSON(nil, t.key.user))
	}
	g.Content = a.state.Append(make([]byte, 0, t.size+stateGrowth))
}

// stateGrowth is by how many bytes an activity makes a state longer, at most of the time.
const stateGrowth = 48

func boardWrites(key userKey, changes []progress.BoardChange) []store.BoardWrite {
	writes := make([]store.BoardWrite, len(changes))
	room := make([]store.Standing, 2*len(changes))
	for i := range changes {
		c := &changes[i]
		writes[i] = store.BoardWrite{
			Board: feed.Board{Org: key.org, Rule: c.Rule, Label: c.Label}, User: key.user, Ascending: c.Ascending,
			Old: putStanding(&room[2*i], c.Old), New: putStanding(&room[2*i+1], c.New),
		}
	}
	return writes
}

func storeStanding(s progress.Standing) *store.Standing { return putStanding(new(store.Standing), s) }

// putStanding puts s, if there is one, where the store is to find it.
func putStanding(to *store.Standing, s progress.Standing) *store.Standing {
	if !s.Some {
		return nil
	}
	*to = store.Standing{Value: s.Value, Reached: int64(s.Reached)}
	return to
}

// decideByLog decides by the user's whole log: where the state alone does not tell, and to fold what lies before seal (0: nothing).
func (w *writer) decideByLog(ctx context.Context, t *task, stored []activity.Activity, seal, now calendar.Instant) error {
	a := &t.attempt
	old, base, records, err := w.history(ctx, t)
	if err != nil {
		return err
	}
	old.Behaviours, old.Zones, old.Attributes = a.state.Behaviours, a.state.Zones, a.state.Attributes
	records = append(records, stored...)
	next, err := progress.Rebuild(t.plan, old, base, records, now)
	if err != nil && !errors.Is(err, fold.ErrRange) { // out of range is a rule that came after the activities; nobody is refused for it
		return err
	}
	next.Noticed = a.state.Noticed
	update := progress.Diff(t.plan, old, next, now, progress.CauseOf(stored))
	a.take(&update)
	a.state = next
	if seal > old.Sealed {
		return w.fold(t, base, records, seal, now)
	}
	return nil
}

// fold moves what lies before seal from the log into the base. The boards have been brought up to date before: folding changes nothing on them.
func (w *writer) fold(t *task, base *progress.State, records []activity.Activity, seal, now calendar.Instant) error {
	a := &t.attempt
	base, dropped := progress.Fold(t.plan, a.state, base, records, seal, now)
	sealed := *a.state
	sealed.Sealed = seal
	next, err := progress.Rebuild(t.plan, &sealed, base, without(records, dropped), now)
	if err != nil && !errors.Is(err, fold.ErrRange) {
		return err
	}
	a.boards = append(a.boards, progress.Diff(t.plan, a.state, next, now, progress.History).Boards...)
	a.state = next
	a.group.Writes = append(a.group.Writes, foldWrites(w.partition, t.key, base, dropped)...)
	return nil
}

// foldWrites store the new base and drop the folded records.
func foldWrites(p store.Partition, key userKey, base *progress.State, dropped []activity.ID) []store.Op {
	ops := []store.Op{{Kind: store.OpSet, Key: store.ColdKey(p, key.org, key.user), Args: []string{string(base.Append(nil))}}}
	if len(dropped) > 0 {
		ids := make([]string, len(dropped))
		for i, id := range dropped {
			ids[i] = string(id)
		}
		ops = append(ops, store.Op{Kind: store.OpHDel, Key: store.LogKey(p, key.org, key.user), Args: ids})
	}
	return ops
}

func without(records []activity.Activity, ids []activity.ID) []activity.Activity {
	drop := make(map[activity.ID]bool, len(ids))
	for _, id := range ids {
		drop[id] = true
	}
	kept := make([]activity.Activity, 0, len(records))
	for i := range records {
		if !drop[records[i].ID] {
			kept = append(kept, records[i])
		}
	}
	return kept
}

// errChanged: another node wrote the user between two reads; the task is decided again on what is there now.
var errChanged = errors.New("user changed while being read")

// history reads all that is known of a user: the state as stored, the base, and the log. Should the user be written during or after it, the commit
// that depends on this is stale and decided again.
func (w *writer) history(ctx context.Context, t *task) (old, base *progress.State, records []activity.Activity, err error) {
	docs, err := w.Store.Docs(ctx, []store.Key{t.doc})
	if err != nil {
		return nil, nil, nil, err
	}
	if docs[0].Version != t.version {
		return nil, nil, nil, errChanged
	}
	if old, err = progress.Parse(string(docs[0].Content)); err != nil {
		return nil, nil, nil, fmt.Errorf("state of user %q of org %s: %w", t.key.user, t.key.org, err)
	}
	base, records, err = w.Base(ctx, t.key.org, t.key.user)
	return old, base, records, err
}

// settle reports the units decided in this attempt; r is nil where nothing had to be written.
func (t *task) settle(r *store.Result) {
	a := &t.attempt
	if t.units[0].command != nil {
		u := t.units[0]
		t.units = t.units[1:]
		u.settleCommand(a)
		return
	}
	for i, u := range a.units {
		if r != nil {
			u.request.noteDurability(r.Durability)
		}
		if u.request.effects != nil {
			u.request.effects[u.index] = a.effects(t)
		}
		u.settle(a.outcome(i))
	}
	rest, decided := t.units[:0], a.units // of which those are a part, in the same order
	for _, u := range t.units {
		if len(decided) > 0 && u == decided[0] {
			decided = decided[1:]
		} else {
			rest = append(rest, u)
		}
	}
	t.units = rest
}

func (a *attempt) outcome(i int) Outcome {
	u, v := a.units[i], &a.verdicts[i]
	if was, known := a.known[u]; known {
		return repeated(&was, &u.activity)
	}
	if v.Err != nil {
		return Outcome{Status: StatusRejected, Err: itemError(v.Err, &u.activity)}
	}
	if v.Status == activity.Ignored {
		return Outcome{Status: StatusIgnored, Activity: &u.activity}
	}
	return Outcome{Status: StatusAccepted, Activity: &u.activity, ClosedFor: v.ClosedFor}
}
