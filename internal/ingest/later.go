package ingest

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/store"
)

// laterRow is an item that its sender does not wait for, as stored. It has its id, so that it is recorded once however often it is decided.
type laterRow struct {
	Line   int           `json:"line"` // of the items, from 1
	ID     activity.ID   `json:"id,omitempty"`
	User   activity.User `json:"user,omitempty"`
	Record []byte        `json:"record,omitempty"`
	Err    *ItemError    `json:"err,omitempty"`
}

// SubmitLater stores items and returns; each is then submitted as Submit does, in order, as of now. Items without an id are given one. With single, the one item's report, with effects, is kept in the job. ErrOverloaded
// where too many jobs wait; registry.ErrOrgNotFound; store.ErrTooLarge.
func (s *Service) SubmitLater(ctx context.Context, org activity.Org, items []Item, single bool) (Import, error) {
	now := s.Clock.Now()
	rows := make([]laterRow, len(items))
	for n := range items {
		a := &items[n].Activity
		if a.ID == "" && items[n].Err == nil {
			a.ID = activity.ID(rand.Text())
		}
		if a.Received = now; !a.AtGiven {
			a.At = now
		}
		rows[n] = laterRow{Line: n + 1, ID: a.ID, User: a.User, Record: a.AppendRecord(nil), Err: items[n].Err}
	}
	i := Import{ID: rand.Text(), Kind: ImportActivities, State: ImportWaiting, CreatedAt: now, Rows: len(rows), Single: single}
	if err := putJob(ctx, s, org, i, rows); err != nil {
		return Import{}, err
	}
	return i, nil
}

// decideActivities submits items, and counts what became of them. One that was recorded by a node which then crashed counts as a duplicate.
func (j *job) decideActivities(ctx context.Context, text string) error {
	var rows []laterRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return err
	}
	items := make([]Item, len(rows))
	for n, r := range rows {
		a, err := activity.ParseRecord(r.User, r.ID, string(r.Record))
		if err != nil {
			return err
		}
		items[n] = Item{Activity: a, Err: r.Err}
	}
	report, err := j.submit(ctx, items)
	if err != nil {
		return err
	}
	j.doc.Accepted += report.Accepted
	j.doc.Duplicates += report.Duplicates
	j.doc.Rejected += report.Rejected
	j.doc.Ignored += report.Ignored
	faults := make([]*RowError, len(rows))
	for n := range rows {
		if e := report.Outcomes[n].Err; e != nil {
			faults[n] = &RowError{Line: rows[n].Line, Code: e.Code, Field: e.Field, Detail: e.Detail}
		}
	}
	j.note(faults)
	if j.doc.Single {
		j.doc.Report = &report
	}
	return nil
}

// submit has every item decided: what the store or a full queue left open is submitted again. An error says that not all are.
func (j *job) submit(ctx context.Context, items []Item) (Report, error) {
	all := Report{Outcomes: make([]Outcome, len(items))}
	open := make([]int, len(items)) // places of those that are not decided
	for n := range items {
		open[n] = n
	}
	for round := 1; ; round++ {
		some := make([]Item, len(open))
		for k, n := range open {
			some[k] = items[n]
		}
		r, err := j.Submit(ctx, j.org, some, SubmitOptions{Effects: j.doc.Single})
		left := open[:0]
		for k, n := range open {
			if k >= len(r.Outcomes) || r.Outcomes[k].Status == "" {
				left = append(left, n)
				continue
			}
			all.Outcomes[n] = r.Outcomes[k]
		}
		all.add(&r)
		if open = left; len(open) == 0 {
			return all, nil
		}
		passing := errors.Is(err, ErrOverloaded) || errors.Is(err, ErrConflict) || errors.Is(err, store.ErrUnavailable)
		if !passing || round == maxRounds || !giveWay(ctx, 8*round) {
			return Report{}, err
		}
	}
}

// add counts what r counts too; where and how durably it was written is r's.
func (all *Report) add(r *Report) {
	all.Accepted += r.Accepted
	all.Duplicates += r.Duplicates
	all.Rejected += r.Rejected
	all.Ignored += r.Ignored
	all.Durability, all.Revision = r.Durability, r.Revision
}
