package ingest

import (
	"context"
	"errors"

	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"laurel/internal/activity"
	"laurel/internal/profile"
	"laurel/internal/store"
)

// userLanes is of how many users rows are decided at once.
const userLanes = 16

// decideUsers applies rows, those of different users side by side unless they want the same value, and counts what became of them.
func (j *job) decideUsers(ctx context.Context, text string) error {
	var rows []UserRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return err
	}
	of := map[activity.User][]int{}
	var users []Person
	for n, r := range rows {
		if len(of[r.User]) == 0 {
			users = append(users, Person{User: r.User})
		}
		of[r.User] = append(of[r.User], n)
	}
	there, err := j.states(ctx, j.org, users)
	if err != nil {
		return err
	}
	faults := make([]*RowError, len(rows))
	var g errgroup.Group
	g.SetLimit(userLanes)
	for _, lane := range lanesOf(rows) {
		g.Go(func() error {
			for _, n := range lane {
				var err error
				if faults[n], err = j.apply(ctx, &rows[n]); err != nil {
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
			if faults[n], err = j.apply(ctx, &rows[n]); err != nil {
				return err
			}
		}
	}
	for i, u := range users {
		j.count(there[i] != nil, of[u.User], faults)
	}
	j.note(faults)
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
func (j *job) count(there bool, rows []int, faults []*RowError) {
	for _, n := range rows {
		switch {
		case faults[n] != nil:
			j.doc.Rejected++
		case there:
			j.doc.Updated++
		default:
			j.doc.Created++
			there = true
		}
	}
}

// apply applies one row. An error is none of the row.
func (j *job) apply(ctx context.Context, r *UserRow) (*RowError, error) {
	if r.Err != nil {
		return &RowError{Line: r.Line, Code: r.Err.Code, Field: r.Err.Field, Detail: r.Err.Detail}, nil
	}
	r.Change.Create = true
	for round := 1; ; round++ {
		err := j.SetUser(ctx, j.org, r.User, r.Change)
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
