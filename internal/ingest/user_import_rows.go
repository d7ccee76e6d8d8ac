package ingest

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"laurel/internal/activity"
	"laurel/internal/profile"
	"laurel/internal/store"
)

// decide applies rows, those of different users side by side unless they want the same value, and counts what became of them.
func (w *userImport) decide(ctx context.Context, rows []UserRow) error {
	of := map[activity.User][]int{}
	var users []Person
	for n, r := range rows {
		if len(of[r.User]) == 0 {
			users = append(users, Person{User: r.User})
		}
		of[r.User] = append(of[r.User], n)
	}
	there, err := w.states(ctx, w.org, users)
	if err != nil {
		return err
	}
	faults := make([]*RowError, len(rows))
	var g errgroup.Group
	g.SetLimit(userImportLanes)
	for _, lane := range lanesOf(rows) {
		g.Go(func() error {
			for _, n := range lane {
				var err error
				if faults[n], err = w.apply(ctx, &rows[n]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for n := range rows { // another row may have let go of the value meanwhile
		if faults[n] != nil && faults[n].Code == "taken" {
			if faults[n], err = w.apply(ctx, &rows[n]); err != nil {
				return err
			}
		}
	}
	for i, u := range users {
		w.count(there[i] != nil, of[u.User], faults)
	}
	w.note(faults)
	return nil
}

// lanesOf are the rows that have to be applied one after another: those of one user, and those of all users who want a value that another one of them wants too, so that
// the first in the file has it.
func lanesOf(rows []UserRow) (lanes [][]int) {
	const contested = -1
	lane, wants := map[activity.User]int{}, map[profile.Value]activity.User{}
	for n := range rows {
		user := rows[n].User
		if _, known := lane[user]; !known {
			lane[user] = len(lane)
		}
		for _, field := range profile.Unique() {
			key, err := profile.Lookup(field, rows[n].Change.Profile.Texts[field])
			v := profile.Value{Field: field, Key: key}
			if first, wanted := wants[v]; err == nil && wanted && first != user {
				lane[first], lane[user] = contested, contested
			} else if err == nil {
				wants[v] = user
			}
		}
	}
	lanes = make([][]int, len(lane)+1)
	for n := range rows {
		at := lane[rows[n].User] + 1
		lanes[at] = append(lanes[at], n)
	}
	return lanes
}

// count counts the rows of one user, of which the first that is accepted makes one who was not there.
func (w *userImport) count(there bool, rows []int, faults []*RowError) {
	for _, n := range rows {
		switch {
		case faults[n] != nil:
			w.job.Rejected++
		case there:
			w.job.Updated++
		default:
			w.job.Created++
			there = true
		}
	}
}

// note keeps the first errors of the import, in order of lines.
func (w *userImport) note(faults []*RowError) {
	faults = slices.DeleteFunc(slices.Clone(faults), func(e *RowError) bool { return e == nil })
	slices.SortStableFunc(faults, func(a, b *RowError) int { return cmp.Compare(a.Line, b.Line) })
	for _, e := range faults[:min(len(faults), maxRowErrors-len(w.job.Errors))] {
		w.job.Errors = append(w.job.Errors, *e)
	}
}

// apply applies one row. An error is none of the row.
func (w *userImport) apply(ctx context.Context, r *UserRow) (*RowError, error) {
	if r.Err != nil {
		return &RowError{Line: r.Line, Code: r.Err.Code, Field: r.Err.Field, Detail: r.Err.Detail}, nil
	}
	r.Change.Create = true
	for round := 1; ; round++ {
		err := w.SetUser(ctx, w.org, r.User, r.Change)
		if err == nil {
			return nil, nil
		}
		passing := errors.Is(err, ErrOverloaded) || errors.Is(err, ErrConflict) || errors.Is(err, store.ErrUnavailable)
		if passing && round < maxRounds && giveWay(ctx, 8*round) {
			continue
		}
		if fault := rowError(r.Line, err); fault != nil {
			return fault, nil
		}
		return nil, err
	}
}
