package query

import (
	"context"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/ranking"
)

// Page says which rows of a board are asked for: Offset rows are passed over, or a cursor names the last row that was seen.
type Page struct {
	Limit, Offset int
	Cursor        string
}

// Leaderboard is a part of a board.
type Leaderboard struct {
	Rule     string           `json:"rule"`
	Cycle    string           `json:"cycle"`
	Period   *Period          `json:"period"`
	Order    string           `json:"order"`
	Ties     string           `json:"ties"`
	Total    int              `json:"total"`
	AsOf     calendar.Instant `json:"as_of"`
	Revision string           `json:"revision"`
	Rows     []Row            `json:"rows"`
	Next     string           `json:"next,omitempty"`
}

// AppendJSON appends the leaderboard as a JSON object.
func (l *Leaderboard) AppendJSON(b []byte) []byte {
	b = append(b, `{"rule":"`...) // rule ids, cycles, orders, ties, revisions and cursors need no escaping
	b = append(b, l.Rule...)
	b = append(b, `","cycle":"`...)
	b = append(b, l.Cycle...)
	b = append(b, `","period":`...)
	b = l.Period.AppendJSON(b)
	b = append(b, `,"order":"`...)
	b = append(b, l.Order...)
	b = append(b, `","ties":"`...)
	b = append(b, l.Ties...)
	b = append(b, `","total":`...)
	b = strconv.AppendInt(b, int64(l.Total), 10)
	b = append(b, `,"as_of":"`...)
	b = l.AsOf.AppendFormat(b)
	b = append(b, `","revision":"`...)
	b = append(b, l.Revision...)
	b = append(b, `","rows":`...)
	b = AppendRows(b, l.Rows)
	if l.Next != "" {
		b = append(b, `,"next":"`...)
		b = append(b, l.Next...)
		b = append(b, '"')
	}
	return append(b, '}')
}

var tiesNames = [...]string{catalog.Ordinal: "ordinal", catalog.Standard: "standard", catalog.Dense: "dense"}

// Leaderboard reads a page of a board. ErrRuleNotFound, ErrBadPeriod, ErrPeriodGone, ErrBadCursor, ranking.ErrLoading.
func (r *Reader) Leaderboard(ctx context.Context, org activity.Org, rule, period string, p Page) (*Leaderboard, error) {
	now := r.clock.Now()
	t, err := r.locate(org, rule, period, now)
	if err != nil {
		return nil, err
	}
	l := &Leaderboard{Rule: rule, Cycle: t.cycle.String(), Period: t.period(now), Order: t.orderName(), Ties: tiesNames[t.ties],
		Revision: r.boards.Revision().String(), AsOf: r.boards.AsOf()}
	var after *ranking.Entry
	if p.Cursor != "" {
		if after, err = t.parseCursor(r.sealer, "", p.Cursor); err != nil {
			return nil, err
		}
	}
	both, err := r.openBoth(ctx, t, now)
	if err != nil {
		return nil, err
	}
	f := both.rows(func(x *ranking.Index) (offset, limit int) {
		if after != nil {
			return x.After(*after), p.Limit
		}
		return p.Offset, p.Limit
	})
	l.Total, l.Rows = f.Total, f.Rows
	if n := len(f.Rows); n > 0 && f.offset+n < f.Total {
		last := &f.Rows[n-1]
		l.Next = t.cursor(r.sealer, "", ranking.Entry{User: last.User, Value: last.Score.Scaled, Reached: last.ReachedAt})
	}
	return l, nil
}

// boards are the board of a target and, for ranks in the period before, that period's.
type boards struct {
	*target
	board  *ranking.Board
	before *target        // nil if there is no period before
	prev   *ranking.Board // of before
}

func (r *Reader) openBoth(ctx context.Context, t *target, now calendar.Instant) (*boards, error) {
	b, err := r.open(ctx, t)
	if err != nil {
		return nil, err
	}
	return r.withBefore(ctx, t, b, now)
}

// withBefore opens the board of the period before an open one.
func (r *Reader) withBefore(ctx context.Context, t *target, b *ranking.Board, now calendar.Instant) (*boards, error) {
	both := &boards{target: t, board: b, before: t.periodBefore(now)}
	if both.before == nil {
		return both, nil
	}
	var err error
	both.prev, err = r.open(ctx, both.before)
	return both, err
}

// window is a range of rows.
type window struct {
	Total  int
	Rows   []Row
	offset int
}

// rows reads the rows at the place that pick chooses, with each user's rank in the period before.
func (t *boards) rows(pick func(*ranking.Index) (offset, limit int)) *window {
	w := &window{}
	var found []ranking.Row
	t.board.View(func(x *ranking.Index, _ uint64) {
		w.Total = x.Len()
		offset, limit := pick(x)
		w.offset = offset
		if limit > 0 {
			found = x.Range(make([]ranking.Row, 0, min(limit, max(x.Len()-offset, 0))), offset, limit, ranking.Ties(t.ties))
		}
	})
	w.Rows = t.asRows(found)
	t.addPrevious(w.Rows)
	return w
}

// addPrevious gives rows their users' ranks in the period before.
func (t *boards) addPrevious(rows []Row) {
	if t.prev == nil {
		return
	}
	t.prev.View(func(x *ranking.Index, _ uint64) {
		for i := range rows {
			rows[i].PreviousRank, _ = x.Rank(rows[i].User, ranking.Ties(t.ties))
		}
	})
}

// previous is a user's place in the period before, nil for none.
func (t *boards) previous(user activity.User) (p *Previous) {
	if t.prev == nil {
		return nil
	}
	t.prev.View(func(x *ranking.Index, _ uint64) {
		if e, ok := x.Get(user); ok {
			rank, _ := x.Rank(user, ranking.Ties(t.ties))
			p = &Previous{Label: t.before.label, Rank: rank, Score: t.score(e.Value)}
		}
	})
	return p
}

func (t *target) row(f *ranking.Row) Row {
	return Row{Rank: f.Rank, User: f.User, Score: t.score(f.Value), ReachedAt: f.Reached}
}

func (t *target) asRows(found []ranking.Row) []Row {
	rows := make([]Row, len(found))
	for i := range found {
		rows[i] = t.row(&found[i])
	}
	return rows
}

// UserRank is one user's place on a board.
type UserRank struct {
	Row
	Total      int       `json:"total"`
	Percentile float64   `json:"percentile"`
	Previous   *Previous `json:"previous,omitempty"`
	Around     []Row     `json:"around,omitempty"`
}

// Previous is a user's place in the period before.
type Previous struct {
	Label string `json:"label"`
	Rank  int    `json:"rank"`
	Score Score  `json:"score"`
}

// AppendJSON appends the place as a JSON object.
func (u *UserRank) AppendJSON(b []byte) []byte {
	b = u.Row.AppendJSON(b)
	b = append(b[:len(b)-1], `,"total":`...)
	b = strconv.AppendInt(b, int64(u.Total), 10)
	b = append(b, `,"percentile":`...)
	b = strconv.AppendFloat(b, u.Percentile, 'f', -1, 64)
	if p := u.Previous; p != nil {
		b = append(b, `,"previous":{"label":`...)
		b, _ = jsontext.AppendQuote(b, p.Label)
		b = append(b, `,"rank":`...)
		b = strconv.AppendInt(b, int64(p.Rank), 10)
		b = append(b, `,"score":`...)
		b = p.Score.AppendJSON(b)
		b = append(b, '}')
	}
	if u.Around != nil {
		b = append(b, `,"around":`...)
		b = AppendRows(b, u.Around)
	}
	return append(b, '}')
}

// percentile is 100·(total − rank)/(total − 1) to two decimals, 100 for a user who is alone.
func percentile(rank, total int) float64 {
	if total <= 1 {
		return 100
	}
	hundredths := (20_000*int64(total-rank)/int64(total-1) + 1) / 2 // rounded half up, in integers
	return float64(hundredths) / 100
}

// UserRank reads a user's place, with around rows above and below and the user's own (negative: none). ErrNotRanked, ErrUserNotFound, and as
// Leaderboard.
func (r *Reader) UserRank(ctx context.Context, org activity.Org, rule, period string, user activity.User, around int) (*UserRank, error) {
	now := r.clock.Now()
	t, err := r.locate(org, rule, period, now)
	if err != nil {
		return nil, err
	}
	b, err := r.open(ctx, t)
	if err != nil {
		return nil, err
	}
	u := &UserRank{}
	ranked := false
	var rows []ranking.Row
	b.View(func(x *ranking.Index, _ uint64) {
		var e ranking.Entry
		if e, ranked = x.Get(user); !ranked {
			return
		}
		rank, _ := x.Rank(user, ranking.Ties(t.ties))
		u.Row = t.row(&ranking.Row{Rank: rank, Entry: e})
		u.Total = x.Len()
		if around >= 0 {
			rows = rangeAround(x, user, around, t.ties)
		}
	})
	if !ranked {
		return nil, r.absent(ctx, org, user)
	}
	both, err := r.withBefore(ctx, t, b, now)
	if err != nil {
		return nil, err
	}
	u.Percentile = percentile(u.Rank, u.Total)
	u.Previous = both.previous(user)
	if around >= 0 {
		u.Around = t.asRows(rows)
		both.addPrevious(u.Around)
	}
	return u, nil
}

func rangeAround(x *ranking.Index, user activity.User, around int, ties catalog.Ties) []ranking.Row {
	at, _ := x.Position(user)
	first := max(at-around, 0)
	return x.Range(nil, first, at+around+1-first, ranking.Ties(ties))
}

// absent tells a user that the org does not know from one without a value.
func (r *Reader) absent(ctx context.Context, org activity.Org, user activity.User) error {
	if _, err := r.state(ctx, org, user); err != nil {
		return err
	}
	return ErrNotRanked
}
