package query

import (
	"context"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/internal/progress"
	"laurel/ranking"
)

// groupObject is a target group and how many there are in it.
type groupObject struct {
	Group  string `json:"target_group"`
	Number int64  `json:"number,omitzero"`
	shownObject
	Cycle       string        `json:"cycle,omitempty"` // of the rules; none where there are streaks only
	Enrolment   string        `json:"enrolment"`
	Leaderboard bool          `json:"leaderboard"`
	Active      bool          `json:"active"`
	Enrolled    int           `json:"enrolled"`
	Pending     bool          `json:"pending,omitzero"` // users are still being enrolled
	Rules       []groupMember `json:"rules"`
}

// groupMember is a rule of a group, or a streak, and the board of it that is of now.
type groupMember struct {
	Rule        string `json:"rule"`
	Streak      bool   `json:"streak,omitzero"`
	Leaderboard string `json:"leaderboard"`
	Label       string `json:"label,omitempty"` // none between listed periods
	Total       int    `json:"total"`           // users on that board
}

// TargetGroup reads a target group, as a JSON object: how many users are enrolled, and how many stand on the board of each of its rules in the current period; streaks rank by
// their current length. ErrGroupNotFound, ranking.ErrLoading.
func (r *Reader) TargetGroup(ctx context.Context, org activity.Org, id string) ([]byte, error) {
	_, entry, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	i, some := entry.Catalog.Find(catalog.TargetGroups, id)
	if !some {
		return nil, ErrGroupNotFound
	}
	g := entry.Catalog.TargetGroups[i]
	o := groupObject{Group: g.ID, Number: g.Number, shownObject: shownObject{g.Name, g.Description, g.Banner}, Enrolment: "auto", Leaderboard: g.Leaderboard,
		Active: g.Active, Pending: r.ingest.Pending(org, g.ID+progress.EnrolledSuffix), Rules: []groupMember{}}
	if g.Explicit {
		o.Enrolment = "explicit"
	}
	if g.Cycle.Unit != 0 {
		o.Cycle = g.Cycle.String()
	}
	if o.Enrolled, err = r.Enrolled(ctx, org, id); err != nil {
		return nil, err
	}
	for _, m := range g.Rules {
		member, err := r.groupMember(ctx, org, g, m, entry.Catalog)
		if err != nil {
			return nil, err
		}
		o.Rules = append(o.Rules, member)
	}
	return json.Marshal(o)
}

// standing is how many users stand on a board.
func (r *Reader) standing(ctx context.Context, t *target) (n int, err error) {
	b, err := r.open(ctx, t)
	if err != nil {
		return 0, err
	}
	b.View(func(x *ranking.Index, _ uint64) { n = x.Len() })
	return n, nil
}

func (r *Reader) groupMember(ctx context.Context, org activity.Org, g *catalog.TargetGroup, m catalog.GroupRule, c *catalog.Catalog) (groupMember, error) {
	var o groupMember
	period := calendar.All.String()
	if m.Streak {
		o.Rule, o.Streak = c.Streaks[m.Index].ID, true
		o.Leaderboard = o.Rule + progress.CurrentSuffix
	} else {
		o.Rule = c.Rules[m.Index].ID
		o.Leaderboard, period = o.Rule, g.Cycle.String()
	}
	t, err := r.locate(org, o.Leaderboard, period, r.clock.Now())
	if errors.Is(err, ErrBadPeriod) { // none runs now
		return o, nil
	}
	if err != nil {
		return o, err
	}
	o.Label = t.label
	o.Total, err = r.standing(ctx, t)
	return o, err
}

// enrolments says whether a board is that of who is enrolled in one of the org's target groups.
func enrolments(c *catalog.Catalog, board string) bool {
	id, is := strings.CutSuffix(board, progress.EnrolledSuffix)
	if !is {
		return false
	}
	_, some := c.Find(catalog.TargetGroups, id)
	return some
}
