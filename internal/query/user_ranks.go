package query

import (
	"context"
	"errors"
	"math"
	"strconv"

	"laurel/internal/activity"
	"laurel/internal/calendar"
	"laurel/internal/registry"
	"laurel/ranking"
)

// BoardRank is a user's place on one of the current boards.
type BoardRank struct {
	Rule         string           `json:"rule"`
	Segment      string           `json:"segment,omitempty"` // as Leaderboard.Segment
	Cycle        string           `json:"cycle"`
	Label        string           `json:"label"`
	Rank         int              `json:"rank"`
	Score        Score            `json:"score"`
	ReachedAt    calendar.Instant `json:"reached_at"`
	Total        int              `json:"total"`
	PreviousRank int              `json:"previous_rank,omitzero"`
}

// AppendJSON appends the place as a JSON object.
func (k *BoardRank) AppendJSON(b []byte) []byte {
	b = append(b, `{"rule":"`...) // rule ids and cycles need no escaping
	b = append(b, k.Rule...)
	b = append(b, '"')
	b = appendSegment(b, k.Segment)
	b = append(b, `,"cycle":"`...)
	b = append(b, k.Cycle...)
	b = append(b, `","label":`...)
	b = appendQuoted(b, k.Label)
	b = append(b, `,"rank":`...)
	b = strconv.AppendInt(b, int64(k.Rank), 10)
	b = append(b, `,"score":`...)
	b = k.Score.AppendJSON(b)
	b = append(b, `,"reached_at":"`...)
	b = k.ReachedAt.AppendFormat(b)
	b = append(b, `","total":`...)
	b = strconv.AppendInt(b, int64(k.Total), 10)
	if k.PreviousRank != 0 {
		b = append(b, `,"previous_rank":`...)
		b = strconv.AppendInt(b, int64(k.PreviousRank), 10)
	}
	return append(b, '}')
}

// ranked is a board that a user may be on, and the one of the period before; nil if there is none.
type ranked struct {
	*target
	cycleName string
	earlier   *target // may be gone
}

// currentBoards are the boards of an org's current periods: of every cycle of every rule, and the streak boards. They are made anew when a period begins or ends, and
// with each edition of the definitions.
type currentBoards struct {
	entry       *registry.Entry
	from, until calendar.Instant
	list        []ranked
}

// currentBoards are those of now.
func (r *Reader) currentBoards(org activity.Org, now calendar.Instant) (*currentBoards, error) {
	plan, entry, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	if known, ok := r.nows.Load(org); ok {
		if c := known.(*currentBoards); c.entry == entry && c.from <= now && now < c.until {
			return c, nil
		}
	}
	c := &currentBoards{entry: entry, from: now, until: math.MaxInt64}
	for _, rule := range boardRules(entry.Catalog) {
		t, cycles, err := r.describeIn(plan, entry, org, rule)
		if err != nil {
			return nil, err
		}
		for _, cy := range cycles {
			c.add(t, cy)
		}
	}
	r.nows.Store(org, c)
	return c, nil
}

// add adds the current period of a cycle of a rule, if there is one.
func (c *currentBoards) add(of *target, cy calendar.Cycle) {
	c.until = min(c.until, nextPeriod(of.cal, cy, c.from))
	t := *of
	var runs bool
	if t.ordinal, runs = t.cal.OrdinalAt(cy, c.from); !runs { // between listed periods
		return
	}
	t.cycle, t.span = cy, t.spans.of(t.cal, cy, t.ordinal)
	t.label = t.span.Label
	if t.gone(c.from) { // by the fence: by the clock only what ended is
		return
	}
	c.list = append(c.list, ranked{&t, cy.String(), t.earlier()})
}

// nextPeriod is the first instant after now that is in another period of a cycle, or in none, or in one at last.
func nextPeriod(cal *calendar.Calendar, cy calendar.Cycle, now calendar.Instant) calendar.Instant {
	if p, runs := cal.PeriodAt(cy, now); runs && p.Bounded {
		return p.End
	}
	for _, w := range cy.Windows {
		if w.Start > now {
			return w.Start
		}
	}
	return math.MaxInt64
}

// boardsOf are the boards of a period of every rule that has it; ErrBadPeriod where none does.
func (r *Reader) boardsOf(org activity.Org, period string, now calendar.Instant) (list []ranked, err error) {
	_, entry, err := r.ingest.Plan(org)
	if err != nil {
		return nil, err
	}
	known := false
	for _, rule := range boardRules(entry.Catalog) {
		t, err := r.locate(org, rule, period, now)
		switch {
		case errors.Is(err, ErrBadPeriod): // of this rule, or between its listed periods
			continue
		case err == nil:
			list = append(list, ranked{t, t.cycle.String(), t.earlier()})
		case !errors.Is(err, ErrPeriodGone):
			return nil, err
		}
		known = true
	}
	if !known {
		return nil, detailed(ErrBadPeriod, "%q is no period of any rule: a cycle, cycle~N (N periods before), or a label", period)
	}
	return list, nil
}

// appendRanks appends a user's places as a JSON array: on everyone's boards and on those of the segments that the user is in, by rule. Boards that the user is not on are left out.
func (r *Reader) appendRanks(ctx context.Context, b []byte, list []ranked, user activity.User, segments map[string][]string, now calendar.Instant) ([]byte, error) {
	m := r.rooms.get()
	defer m.Release()
	b = append(b, '[')
	for i := range list {
		t := &list[i]
		var err error
		if b, err = r.appendRank(ctx, b, t, m, user, now); err != nil {
			return nil, err
		}
		for _, segment := range segments[t.rule] {
			if b, err = r.appendRank(ctx, b, t.in(segment), m, user, now); err != nil {
				return nil, err
			}
		}
	}
	return append(b, ']'), nil
}

// in is the board of a segment.
func (k *ranked) in(segment string) *ranked {
	own := ranked{k.target.in(segment), k.cycleName, nil}
	if k.earlier != nil {
		own.earlier = k.earlier.in(segment)
	}
	return &own
}

func (t *target) in(segment string) *target {
	own := *t
	own.segment, own.segmentBy = segment, t.catalog.Rule(t.rule).SegmentBy
	return &own
}

// appendRank appends the user's place on one board, nothing where there is none.
func (r *Reader) appendRank(ctx context.Context, b []byte, k *ranked, m *room, user activity.User, now calendar.Instant) ([]byte, error) {
	board, err := r.open(ctx, k.target)
	if err != nil {
		return nil, err
	}
	place := BoardRank{Rule: k.rule, Segment: k.segment, Cycle: k.cycleName, Label: k.label}
	m.user[0] = user
	m.found, place.Total = board.Find(m.found[:0], m.user[:], ranking.Ties(k.ties))
	found := &m.found[0]
	if found.Rank == 0 {
		return b, nil
	}
	place.Rank, place.Score, place.ReachedAt = found.Rank, k.score(found.Value), found.Reached
	if k.earlier != nil && !k.earlier.gone(now) {
		before, err := r.open(ctx, k.earlier)
		if err != nil {
			return nil, err
		}
		place.PreviousRank = m.before.Find(board, before, m.found, ranking.Ties(k.ties))[0].Rank
	}
	if b[len(b)-1] != '[' {
		b = append(b, ',')
	}
	return place.AppendJSON(b), nil
}
