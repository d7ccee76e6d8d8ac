package query

import (
	"context"
	"slices"

	"laurel/internal/activity"
	"laurel/internal/feed"
	"laurel/internal/progress"
)

// Show says which of a rule's boards are read, and what their rows show.
type Show struct {
	Segment  string // the value of the rule's segment_by whose boards are meant; "": those of everyone
	Profiles bool   // each row has its user's profile
}

// With returns a Reader of the same boards that shows that.
func (r *Reader) With(s Show) *Reader {
	with := *r
	with.show = s
	return &with
}

// nobody is a segment that no user is in: it is no value of an attribute (progress.ValidSegment).
const nobody = "@"

// segmented makes the target one of the segment that is asked for. *ParamError for a rule that has none.
func (r *Reader) segmented(t *target) error {
	if r.show.Segment == "" {
		return nil
	}
	rule := t.catalog.Rule(t.rule)
	if rule == nil || rule.SegmentBy == "" {
		return &ParamError{"segment", "The rule " + t.rule + " is not segmented: it has no segment_by."}
	}
	t.segment, t.segmentBy = r.show.Segment, rule.SegmentBy
	return nil
}

// boardOf names the target's board. All values that no user ever had share one, which is empty: naming such values must not take memory.
func (r *Reader) boardOf(ctx context.Context, t *target) (feed.Board, error) {
	b := t.board()
	if t.segment == "" {
		return b, nil
	}
	known, err := r.ingest.HasSegment(ctx, t.org, t.segmentBy, t.segment)
	if err == nil && !known {
		b.Rule = progress.SegmentBoard(t.rule, nobody)
	}
	return b, err
}

// addProfiles gives rows their users' profiles, if they are to show them.
func (r *Reader) addProfiles(ctx context.Context, org activity.Org, lists ...[]Row) error {
	if !r.show.Profiles {
		return nil
	}
	var users []activity.User
	for _, rows := range lists {
		for i := range rows {
			users = append(users, rows[i].User)
		}
	}
	profiles, err := r.ingest.Profiles(ctx, org, users)
	if err != nil {
		return err
	}
	for _, rows := range lists {
		for i := range rows {
			rows[i].Profile = profiles[i]
		}
		profiles = profiles[len(rows):]
	}
	return nil
}

// addBoardProfiles is addProfiles for the rows of an answer and a user's place in it, nil for none.
func (r *Reader) addBoardProfiles(ctx context.Context, org activity.Org, rows []Row, u *UserRank) error {
	if u == nil || !r.show.Profiles {
		return r.addProfiles(ctx, org, rows)
	}
	own := []Row{u.Row}
	err := r.addProfiles(ctx, org, rows, own, u.Around)
	u.Row = own[0]
	return err
}

// profileRevision tells what rows show of profiles apart: rows with profiles that were read at one revision are equal as far as that goes. 0 for rows
// without.
func (r *Reader) profileRevision() uint64 {
	if !r.show.Profiles {
		return 0
	}
	return r.ingest.ProfileRevision()
}

// segmentsIn are the segments of each segmented rule in which a user has a value, none where no rule is segmented.
func segmentsIn(plan *progress.Plan, s *progress.State) map[string][]string {
	if len(plan.Attributes()) == 0 {
		return nil
	}
	of := map[string][]string{}
	for i := range s.Rules {
		if rule, segment := progress.CutSegment(s.Rules[i].ID); segment != "" && plan.Catalog.Rule(rule) != nil && plan.Catalog.Rule(rule).SegmentBy != "" {
			of[rule] = append(of[rule], segment)
		}
	}
	for _, list := range of {
		slices.Sort(list)
	}
	return of
}
