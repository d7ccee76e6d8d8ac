package query

import (
	"context"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/catalog"
	"laurel/ranking"
)

// Leaderboard is a part of a board.
type Leaderboard struct {
	Rule     string           `json:"rule"`
	Segment  string           `json:"segment,omitempty"` // whose board it is; "": everyone's
	Cycle    string           `json:"cycle"`
	Period   *Period          `json:"period"`
	Order    string           `json:"order"`
	Ties     string           `json:"ties"`
	Pending  bool             `json:"pending,omitzero"` // being filled from the logs
	Total    int              `json:"total"`
	AsOf     calendar.Instant `json:"as_of"`
	Revision string           `json:"revision"`
	Count    *int             `json:"count,omitempty"` // rows that a selection leaves, where there is one
	Place    *Place           `json:"place,omitempty"` // what the rows are around
	Rows     []Row            `json:"rows"`
	Next     string           `json:"next,omitempty"`
	// User is the place of the user that was asked about, nil if there is none.
	User      *UserRank `json:"user,omitempty"`
	userAsked bool
	Freshness `json:"-"`
	*room     `json:"-"`
}

// AppendJSON appends the leaderboard as a JSON object.
func (l *Leaderboard) AppendJSON(b []byte) []byte {
	b = append(b, `{"rule":"`...) // rule ids, cycles, orders, ties, revisions and cursors need no escaping
	b = append(b, l.Rule...)
	b = append(b, '"')
	b = appendSegment(b, l.Segment)
	b = append(b, `,"cycle":"`...)
	b = append(b, l.Cycle...)
	b = append(b, `","period":`...)
	b = l.Period.AppendJSON(b)
	b = append(b, `,"order":"`...)
	b = append(b, l.Order...)
	b = append(b, `","ties":"`...)
	b = append(b, l.Ties...)
	b = append(b, '"')
	if l.Pending {
		b = append(b, `,"pending":true`...)
	}
	b = append(b, `,"total":`...)
	b = strconv.AppendInt(b, int64(l.Total), 10)
	if l.Count != nil {
		b = append(b, `,"count":`...)
		b = strconv.AppendInt(b, int64(*l.Count), 10)
	}
	if l.Place != nil {
		b = append(b, `,"place":`...)
		b = l.Place.appendJSON(b)
	}
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
	if l.userAsked {
		b = append(b, `,"user":`...)
		b = l.User.appendOrNull(b)
	}
	return append(b, '}')
}

var tiesNames = [...]string{catalog.Ordinal: "ordinal", catalog.Standard: "standard", catalog.Dense: "dense"}

// Leaderboard reads a page of a board. held is as in Freshness. ErrRuleNotFound, ErrBadPeriod, ErrPeriodGone, ErrBadParam, ErrBadCursor,
// ranking.ErrLoading.
func (r *Reader) Leaderboard(ctx context.Context, org activity.Org, rule, period string, p Page, held Held) (*Leaderboard, error) {
	b, err := r.openPage(ctx, org, &BoardQuery{Rule: rule, Period: period, Page: p})
	if err != nil {
		return nil, err
	}
	fresh := freshness(b.tag("page", b.pageText()), held)
	if fresh.Unchanged {
		return &Leaderboard{Freshness: fresh}, nil
	}
	l := b.read(r, r.edition())
	l.Freshness = fresh
	return l, r.addBoardProfiles(ctx, org, l.Rows, l.User)
}

// boards are the board of a target and, for ranks in the period before, that period's.
type boards struct {
	*target
	board  *ranking.Board
	before *target        // nil if there is no period before
	prev   *ranking.Board // of before
	now    calendar.Instant
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
	both := &boards{target: t, board: b, before: t.periodBefore(now), now: now}
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
	w, m := &window{}, &room{} // the frame keeps it
	t.board.View(func(x *ranking.Index, _ uint64) {
		w.Total = x.Len()
		offset, limit := pick(x)
		w.offset = offset
		if limit > 0 {
			m.expect(min(limit, max(x.Len()-offset, 0)))
			m.found = x.Range(m.found, offset, limit, ranking.Ties(t.ties))
		}
	})
	w.Rows = t.asRows(m)
	t.addPrevious(m)
	return w
}

// addPrevious gives the rows that were found their users' ranks in the period before.
func (t *boards) addPrevious(m *room) {
	for i, before := range t.findBefore(m) {
		m.rows[i].PreviousRank = before.Rank
	}
}

// findBefore finds the users of the rows that were found in the period before, all at once; nil if there is none.
func (t *boards) findBefore(m *room) []ranking.Place {
	if t.prev == nil || len(m.found) == 0 {
		return nil
	}
	return m.before.Find(t.board, t.prev, m.found, ranking.Ties(t.ties))
}

// previous is a place in the period before as it is shown, nil for none.
func (t *boards) previous(p ranking.Place) *Previous {
	if p.Rank == 0 {
		return nil
	}
	return &Previous{Label: t.before.label, Rank: p.Rank, Score: t.score(p.Value)}
}

func (t *target) row(f *ranking.Row) Row {
	return Row{Rank: f.Rank, User: f.User, Score: t.score(f.Value), ReachedAt: f.Reached}
}

// asRows are the rows that were found last.
func (t *target) asRows(m *room) []Row {
	m.rows = slices.Grow(m.rows[:0], max(len(m.found), 1)) // one: rows that are none are not nil
	for i := range m.found {
		m.rows = append(m.rows, t.row(&m.found[i]))
	}
	return m.rows
}

// UserRank is one user's place on a board.
type UserRank struct {
	Row
	Segment    string    `json:"segment,omitempty"` // as Leaderboard.Segment
	Total      int       `json:"total"`
	Percentile float64   `json:"percentile"`
	Previous   *Previous `json:"previous,omitempty"`
	Around     []Row     `json:"around,omitempty"`
	Freshness  `json:"-"`
	*room      `json:"-"`
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
	b = appendSegment(b[:len(b)-1], u.Segment)
	b = append(b, `,"total":`...)
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

// appendOrNull appends the place, or null for none.
func (u *UserRank) appendOrNull(b []byte) []byte {
	if u == nil {
		return append(b, "null"...)
	}
	return u.AppendJSON(b)
}

// percentile is 100·(total − rank)/(total − 1) to two decimals, 100 for a user who is alone.
func percentile(rank, total int) float64 { return float64(hundredths(rank, total)) / 100 }

func hundredths(rank, total int) int64 {
	if total <= 1 {
		return 10_000
	}
	return (20_000*int64(total-rank)/int64(total-1) + 1) / 2 // rounded half up, in integers
}

// UserRank reads a user's place, with around rows above and below and the user's own (negative: none). held is as in Freshness. ErrNotRanked,
// ErrUserNotFound, and as Leaderboard.
func (r *Reader) UserRank(ctx context.Context, org activity.Org, rule, period string, user activity.User, around int, held Held) (*UserRank, error) {
	now := r.clock.Now()
	t, err := r.locate(org, rule, period, now)
	if err != nil {
		return nil, err
	}
	b, err := r.openBoth(ctx, t, now)
	if err != nil {
		return nil, err
	}
	fresh := freshness(b.tag("rank", string(user), strconv.Itoa(around)), held)
	if fresh.Unchanged {
		return &UserRank{Freshness: fresh}, nil
	}
	m := r.rooms.get()
	var place userPlace
	b.board.View(func(x *ranking.Index, _ uint64) { place = t.placeOf(x, m, user, around) })
	if place.total == 0 {
		m.Release()
		return nil, r.absent(ctx, org, user)
	}
	u := b.userRank(&place, m)
	u.Freshness = fresh
	return u, r.addBoardProfiles(ctx, org, nil, u)
}

// userPlace is a user among the rows around, which were found: the one at own.
type userPlace struct {
	own    int
	total  int  // 0: there is no such user
	window bool // the rows around were asked for
}

// placeOf finds a user's row and so many around it, none for a negative number.
func (t *target) placeOf(x *ranking.Index, m *room, user activity.User, around int) (p userPlace) {
	m.expect(2*max(around, 0) + 1)
	var ok bool
	if m.found, p.own, ok = x.Around(m.found, user, around, ranking.Ties(t.ties)); ok {
		p.total, p.window = x.Len(), around >= 0
	}
	return p
}

// userRank adds what the period before says of the rows.
func (t *boards) userRank(p *userPlace, m *room) *UserRank {
	rows := t.asRows(m)
	u := &UserRank{Segment: t.segment, Row: rows[p.own], Total: p.total, room: m}
	u.Percentile = percentile(u.Rank, u.Total)
	for i, before := range t.findBefore(m) {
		if rows[i].PreviousRank = before.Rank; i == p.own {
			u.Previous = t.previous(before)
		}
	}
	if p.window {
		u.Around = rows
	}
	return u
}

// absent tells a user that the org does not know from one without a value.
func (r *Reader) absent(ctx context.Context, org activity.Org, user activity.User) error {
	if _, err := r.state(ctx, org, user); err != nil {
		return err
	}
	return ErrNotRanked
}
