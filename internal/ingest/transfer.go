package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/fold"
	"laurel/internal/progress"
	"laurel/internal/store"
)

// What one user gives to another is decided with the giver's activity, and goes to the other by a transfer: appended to the stream of the giver's partition by the commit that
// decides it, delivered to the receiver's writer by a pump (pump.go), and taken out of the stream when it has arrived. It arrives as a record of kind credit in the receiver's log,
// whose turn says what of the giver's record it has seen: rejecting that one, and restoring it, makes its next turn, and sends that too. So it does not matter how often a transfer is
// delivered, by how many nodes, or in which order: what is not newer than the record changes nothing.
//
// A receiver's record that is sealed can neither be turned nor known again. So a giver's record is not turned once a receiver may have sealed what came of it (undoable).

// transferOf is what an activity, as it stands in its user's log, is for another user; false where it gives nobody anything.
func transferOf(org activity.Org, a *activity.Activity) (t activity.Transfer, gives bool) {
	if a.Decided == nil || a.Status == activity.Ignored || a.Kind != activity.Gift && a.Kind != activity.Bounty {
		return t, false
	}
	m, err := progress.ReadMeta(a)
	if err != nil || m.To == "" {
		return t, false
	}
	from := cmp.Or(a.Decided.From, a.User)
	meta, _ := jsontext.AppendQuote([]byte(`{"from":`), from) // ids are valid UTF-8
	return activity.Transfer{
		Org: org, To: []activity.User{m.To}, ID: creditID(a.Kind, from, a.ID), Name: a.Name, Meta: append(meta, '}'), At: a.At, Imported: a.Imported,
		Turn: a.Decided.Turn, Effect: a.Decided.Other,
	}, true
}

// creditID names a credit by what it comes from. A user's colons are written otherwise, so that no two are named alike.
func creditID(kind activity.Kind, from activity.User, id activity.ID) activity.ID {
	user := strings.NewReplacer("%", "%25", ":", "%3A").Replace(string(from))
	return activity.ID(kind.String() + ":" + user + ":" + string(id))
}

// send has the attempt's commit append a transfer.
func (a *attempt) send(t *task, given *activity.Transfer) {
	a.gives++
	a.group.Writes = append(a.group.Writes, store.AppendTransfer(t.partition, given.Append(nil)))
}

// turn makes the next turn of a record that was rejected or restored, if it gives something to somebody. ErrSealed.
func (t *task) turn(r *activity.Activity, now calendar.Instant) error {
	given, gives := transferOf(t.key.org, r)
	if !gives {
		return nil
	}
	if !t.undoable(r.At, now) {
		return refuse(ErrSealed, "What %q has received of it may be sealed: it is too old to be taken back or given again.", given.To[0])
	}
	given.Turn++
	r.Turn(given.Turn)
	t.attempt.send(t, &given)
	return nil
}

// undoable says whether nobody's seal has come as far as an instant, or will within a day.
func (t *task) undoable(at, now calendar.Instant) bool {
	horizon, sealing := t.entry.Catalog.SealHorizon()
	return !sealing || at >= now-calendar.Instant(horizon.Milliseconds())+foldSlack
}

// named makes records say by whom their credits are named, before they move into another user's log.
func named(records []activity.Activity) {
	for i := range records {
		if _, gives := transferOf("", &records[i]); gives {
			d := *records[i].Decided
			d.From = cmp.Or(d.From, records[i].User)
			records[i].Decided = &d
		}
	}
}

// takeBack sends what becomes of records that go because there is another one of their id: what they gave is taken back.
func (t *task) takeBack(lost []activity.Activity) {
	for i := range lost {
		if given, gives := transferOf(t.key.org, &lost[i]); gives && given.Turn%2 == 0 {
			given.Turn++
			t.attempt.send(t, &given)
		}
	}
}

// decideCredit decides what a transfer is for its receiver. a.done.Activity is the credit as it stands then.
func (w *writer) decideCredit(ctx context.Context, t *task, given *activity.Transfer) error {
	a := &t.attempt
	id, was, err := w.credited(ctx, t, given.ID)
	switch {
	case err != nil:
		return err
	case was == nil && given.Turn > 0 && given.At < a.state.Sealed:
		a.err = ErrSealed // it came, and was sealed since
		return nil
	case was == nil:
		return w.decideGiven(ctx, t, id, given)
	case was.Decided == nil || was.Decided.Turn < given.Turn:
		return w.decideTurned(ctx, t, id, given)
	}
	a.done.Activity = was
	return nil
}

// credited finds a credit in the log by its id, or by that with as many + behind it as there are records of the customer's by the same id. Without a record it is the id to be used.
func (w *writer) credited(ctx context.Context, t *task, id activity.ID) (activity.ID, *activity.Activity, error) {
	for {
		records, err := w.Store.LogRecords(ctx, w.partition, t.key.org, t.key.user, []string{string(id)})
		if err != nil || records[0] == "" {
			return id, nil, err
		}
		was, err := activity.ParseRecord(t.key.user, id, records[0])
		if err != nil {
			return id, nil, fmt.Errorf("log of user %q of org %s, activity %q: %w", t.key.user, t.key.org, id, err)
		}
		if was.Kind == activity.Credit {
			return id, &was, nil
		}
		id += "+"
	}
}

// decideGiven takes a credit into the log.
func (w *writer) decideGiven(ctx context.Context, t *task, id activity.ID, given *activity.Transfer) error {
	a, now := &t.attempt, w.Clock.Now()
	credit := given.Credit(t.key.user)
	credit.ID, credit.Received = id, max(now, t.entry.ClosedThrough)
	if credit.At < a.state.Sealed {
		credit.At = now
	}
	stored := []activity.Activity{credit}
	needLog := !credit.Counts()
	if !needLog {
		update := progress.Apply(t.plan, a.state, stored, now)
		if err := update.Verdicts[0].Err; err != nil {
			return err
		}
		a.take(&update)
		needLog = update.NeedLog
	}
	if needLog {
		if err := w.decideByLog(ctx, t, stored, 0, now); err != nil {
			return err
		}
	}
	a.commits, a.done.Activity = true, &stored[0]
	a.finishGroup(t, stored)
	if credit.Counts() && !credit.Imported {
		a.received = receivedEvent(t, &credit, now)
	}
	return nil
}

// decideTurned brings a credit to another turn.
func (w *writer) decideTurned(ctx context.Context, t *task, id activity.ID, given *activity.Transfer) error {
	a, now := &t.attempt, w.Clock.Now()
	old, base, records, err := w.history(ctx, t)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(records, func(r activity.Activity) bool { return r.ID == id })
	if i < 0 {
		return errChanged
	}
	r := &records[i]
	if r.Decided == nil {
		r.Decided = &activity.Decided{Own: given.Effect}
	}
	r.Turn(given.Turn)
	next, err := progress.Rebuild(t.plan, old, base, records, now)
	if err != nil && !errors.Is(err, fold.ErrRange) { // nobody is there who could be told
		return err
	}
	update := progress.Diff(t.plan, old, next, now, progress.CauseOf(records[i:i+1]))
	a.take(&update)
	a.state, a.commits, a.done.Activity = next, true, r
	a.granting.note(r)
	a.finishGroup(t, nil)
	a.group.Writes = append(a.group.Writes, store.Op{Kind: store.OpHSet, Key: a.group.AbsentIn, Args: []string{string(id), string(r.AppendRecord(nil))}})
	return nil
}

// receivedEvent says that a gift or a bounty was received; nil where it was not, as closes make other events.
func receivedEvent(t *task, credit *activity.Activity, now calendar.Instant) (body []byte) {
	g := progress.ReadGiver(credit)
	if g.From == "" {
		return nil
	}
	text := func(name, value string) {
		body = append(append(append(body, `,"`...), name...), `":`...)
		body, _ = jsontext.AppendQuote(body, value)
	}
	body = append(append(body, `{"type":"`...), g.Kind+`.received","at":"`...)
	body = append(now.AppendFormat(body), '"')
	text("user", string(t.key.user))
	text(g.Kind, credit.Name)
	text("activity", string(credit.ID))
	text("from", string(g.From))
	for _, row := range credit.Decided.Own.Rows {
		text("wallet", row.Wallet)
		body = catalog.FormatScaled(append(body, `,"amount":`...), row.Amount, int(row.Decimals))
	}
	for _, id := range credit.Decided.Own.Rewards {
		text("reward", id)
	}
	return append(body, '}')
}
