package query

import (
	"context"
	"strconv"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/ranking"
)

// BoardQuery asks for a part of a board and, if User is set, for that user's place on it.
type BoardQuery struct {
	Rule, Period string
	Page
	User   activity.User // "": nobody's
	Around int           // rows above and below User; negative: none
	Show                 // in Several; Leaderboard shows what its Reader does
}

// openedPage is a board that is open and what is asked of it.
type openedPage struct {
	*boards
	query *BoardQuery
	sel   *selection
}

func (r *Reader) openPage(ctx context.Context, org activity.Org, q *BoardQuery) (*openedPage, error) {
	now := r.clock.Now()
	t, err := r.locate(org, q.Rule, q.Period, now)
	if err != nil {
		return nil, err
	}
	sel, err := t.selection(r.sealer, &q.Page)
	if err != nil {
		return nil, err
	}
	b, err := r.openBoth(ctx, t, now)
	return &openedPage{boards: b, query: q, sel: sel}, err
}

// pageText tells pages of one board apart.
func (o *openedPage) pageText() string {
	s := o.sel
	b := append([]byte(s.filter), byte(s.kind))
	for _, n := range []int64{int64(s.limit), int64(s.offset), s.score, s.percent} {
		b = strconv.AppendInt(append(b, ' '), n, 10)
	}
	return string(append(append(b, ' '), o.query.Cursor...))
}

// edition is how far the boards were when an answer was begun: what it shows may be newer, never older.
type edition struct {
	of       ranking.Revision
	revision string // of, as text
	asOf     calendar.Instant
}

// edition is that of now. Its text is made once for each revision.
func (r *Reader) edition() *edition {
	of := r.boards.Revision()
	if last := r.last.Load(); last != nil && last.of.Equal(of) {
		return last
	}
	e := &edition{of: of, revision: of.String(), asOf: of.AsOf()}
	r.last.Store(e)
	return e
}

// read reads what is asked: rows and the user's place under one lock of the board.
func (o *openedPage) read(r *Reader, e *edition) *Leaderboard {
	m, own := r.rooms.get(), &room{}
	l := &Leaderboard{Rule: o.rule, Segment: o.segment, Cycle: o.cycle.String(), Period: o.period(o.now), Order: o.orderName(), Ties: tiesNames[o.ties],
		Pending: o.pending, Revision: e.revision, AsOf: e.asOf, userAsked: o.query.User != "", room: m}
	var got selected
	var place userPlace
	o.board.View(func(x *ranking.Index, _ uint64) {
		got = o.sel.read(x, m, ranking.Ties(o.ties))
		if l.userAsked {
			place = o.placeOf(x, own, o.query.User, o.query.Around)
		}
	})
	l.Total, l.Rows = got.total, o.asRows(m)
	if got.more {
		l.Next = o.cursor(r.sealer, o.sel.filter, m.found[len(m.found)-1].Entry)
	}
	o.addPrevious(m)
	if place.total > 0 {
		l.User = o.userRank(&place, own)
	}
	if k := o.sel.kind; k == betweenScores || k == topPercent {
		l.Count = &got.count
	}
	l.Place = o.placeShown(&got)
	return l
}

// placeShown is what the rows are around, nil where they are not around anything.
func (o *openedPage) placeShown(got *selected) *Place {
	switch {
	case o.sel.kind == aroundScore:
		return &Place{Rank: got.rank, Score: o.score(o.sel.score)}
	case got.placed != nil:
		return &Place{Rank: got.rank, Score: o.score(got.placed.Value), User: got.placed.User, Percentile: percentile(got.rank, got.total)}
	}
	return nil
}

// BoardSet is several boards.
type BoardSet struct {
	AsOf     calendar.Instant
	Revision string
	Boards   []BoardAnswer // one a query, in order
}

// BoardAnswer is a board, or why there is none.
type BoardAnswer struct {
	Board *Leaderboard
	Err   error
}

// steadyTries is how often several boards are read until no change came between.
const steadyTries = 3

// Several reads parts of several boards as of one revision: each shows all that it covers. While the revision moves they are read again, a few
// times, so that a commit is in some of the boards and not in others only where it came in during that very read, without a pause before it. A
// query that cannot be answered has an error, as of Leaderboard, and its neighbours are not touched.
func (r *Reader) Several(ctx context.Context, org activity.Org, queries []BoardQuery) (*BoardSet, error) {
	set := &BoardSet{Boards: make([]BoardAnswer, len(queries))}
	pages := make([]*openedPage, len(queries))
	for i := range queries {
		pages[i], set.Boards[i].Err = r.With(queries[i].Show).openPage(ctx, org, &queries[i])
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	for try := 1; ; try++ {
		e := r.edition()
		set.Revision, set.AsOf = e.revision, e.asOf
		for i, page := range pages {
			if set.Boards[i].Err == nil {
				set.Boards[i].Board = page.read(r, e)
			}
		}
		if try == steadyTries || r.boards.Revision().Equal(e.of) {
			return set, r.profileSet(ctx, org, queries, set)
		}
	}
}

// profileSet gives the rows of those boards their profiles that were asked for with them.
func (r *Reader) profileSet(ctx context.Context, org activity.Org, queries []BoardQuery, set *BoardSet) error {
	for i := range queries {
		l := set.Boards[i].Board
		if l == nil {
			continue
		}
		if err := r.With(queries[i].Show).addBoardProfiles(ctx, org, l.Rows, l.User); err != nil {
			return err
		}
	}
	return nil
}
