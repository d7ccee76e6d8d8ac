package query

import (
	"context"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/feed"
	"laurel/internal/progress"
	"laurel/ranking"
)

// Standing is a user's place on one board. Rank is 0 for none; Total counts everyone on it.
type Standing struct {
	Rank      int
	Score     Score
	ReachedAt calendar.Instant
	Total     int
}

// Standing reads a user's place on a board, named as in Leaderboard; one who is not on it, and one who is not there at all, has rank 0. Errors as Leaderboard.
func (r *Reader) Standing(ctx context.Context, org activity.Org, rule, period string, user activity.User) (Standing, error) {
	t, err := r.locate(org, rule, period, r.clock.Now())
	if err != nil {
		return Standing{}, err
	}
	b, err := r.open(ctx, t)
	if err != nil {
		return Standing{}, err
	}
	ranks := t.ranksOf(b, []activity.User{user}, &room{})
	if len(ranks.Rows) == 0 {
		return Standing{Total: ranks.Total}, nil
	}
	row := &ranks.Rows[0]
	return Standing{Rank: row.Rank, Score: row.Score, ReachedAt: row.ReachedAt, Total: ranks.Total}, nil
}

// EnrolledSuffix makes the name of a target group's board of those who are enrolled, of the cycle all.
const EnrolledSuffix = progress.EnrolledSuffix

// Enrolled is how many users are enrolled in a target group. ranking.ErrLoading.
func (r *Reader) Enrolled(ctx context.Context, org activity.Org, group string) (int, error) {
	b, err := r.boards.Open(ctx, feed.Board{Org: org, Rule: group + EnrolledSuffix, Label: calendar.All.String()}, ranking.Descending)
	if err != nil {
		return 0, err
	}
	total := 0
	b.View(func(x *ranking.Index, _ uint64) { total = x.Len() })
	return total, nil
}

// LastChange is the instant of the last change that this node has applied, 0 before any.
func (r *Reader) LastChange() calendar.Instant { return r.boards.AsOf() }

// Now is the server's time.
func (r *Reader) Now() calendar.Instant { return r.clock.Now() }
