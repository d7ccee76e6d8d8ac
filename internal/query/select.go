package query

import (
	"context"
	"fmt"
	"sort"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/ranking"
)

// Page says which rows of a board are asked for. Scores and percentages are decimal numbers as text, exact; "" is none. Of MinScore with MaxScore,
// AroundScore, Percentile and TopPercent one goes with a page, and with the first and the last an Offset or a Cursor; who calls sees to that.
type Page struct {
	Limit, Offset int
	Cursor        string // the Next of an earlier page, instead of Offset
	// MinScore and MaxScore leave only the rows with these scores and between, numbered as on the whole board.
	MinScore, MaxScore string
	// AroundScore asks for the Limit rows around the place that one who came to this score now would take: half of them above.
	AroundScore string
	// Percentile (0 to 100) asks for the Limit rows around the last one that is at this percentile or above.
	Percentile string
	// TopPercent (above 0, to 100) leaves the first ⌈total·p/100⌉ rows.
	TopPercent string
}

// ParamError says which parameter cannot be taken, in words for the client. It is an ErrBadParam.
type ParamError struct{ Field, Detail string }

func (e *ParamError) Error() string { return e.Field + ": " + e.Detail }

// Unwrap makes it an ErrBadParam.
func (e *ParamError) Unwrap() error { return ErrBadParam }

// Place is a place that was asked for: the one that a score would have (then it is nobody's), or the row at a percentile.
type Place struct {
	Rank       int
	Score      Score
	User       activity.User // "": nobody's
	Percentile float64       // of User
}

func (p *Place) appendJSON(b []byte) []byte {
	b = append(b, `{"rank":`...)
	b = strconv.AppendInt(b, int64(p.Rank), 10)
	b = append(b, `,"score":`...)
	b = p.Score.AppendJSON(b)
	if p.User != "" {
		b = append(b, `,"user":`...)
		b, _ = jsontext.AppendQuote(b, string(p.User))
		b = append(b, `,"percentile":`...)
		b = strconv.AppendFloat(b, p.Percentile, 'f', -1, 64)
	}
	return append(b, '}')
}

// percentScale is the resolution of percentages: 100 % is 100 · 10^4.
const (
	percentDecimals = 4
	wholePercent    = 1_000_000
)

// selection is a Page in the terms of one board.
type selection struct {
	kind          selectionKind
	limit, offset int
	after         *ranking.Entry // of the cursor
	bounds        [2]*int64      // of the better and of the worse end, both inclusive
	score         int64
	percent       int64  // in 10^-percentDecimals of a percent
	filter        string // names what narrows a walk, for cursors
}

type selectionKind uint8

const (
	wholeBoard selectionKind = iota
	betweenScores
	topPercent
	aroundScore // this one and the next are not walked, but looked at around a place
	atPercentile
)

// selection reads a page. ErrBadParam, ErrBadCursor.
func (t *target) selection(s sealer, p *Page) (*selection, error) {
	sel := &selection{limit: p.Limit, offset: p.Offset}
	var err error
	switch {
	case p.MinScore != "" || p.MaxScore != "":
		sel.kind = betweenScores
		sel.bounds, err = t.bounds(p.MinScore, p.MaxScore)
		sel.filter = "scores" + boundText(sel.bounds[0]) + boundText(sel.bounds[1])
	case p.AroundScore != "":
		sel.kind = aroundScore
		sel.score, err = t.parseScore("around_score", p.AroundScore)
	case p.Percentile != "":
		sel.kind = atPercentile
		sel.percent, err = parsePercent("percentile", p.Percentile, 0)
	case p.TopPercent != "":
		sel.kind = topPercent
		sel.percent, err = parsePercent("top_percent", p.TopPercent, 1)
		sel.filter = "top_percent " + strconv.FormatInt(sel.percent, 10)
	}
	if err == nil && p.Cursor != "" {
		sel.after, err = t.parseCursor(s, sel.filter, p.Cursor)
	}
	return sel, err
}

// bounds reads the scores between which rows are asked for, the better end first.
func (t *target) bounds(low, high string) (b [2]*int64, err error) {
	for i, bound := range []struct{ name, text string }{{"max_score", high}, {"min_score", low}} {
		if t.ascending {
			i = 1 - i
		}
		if bound.text == "" {
			continue
		}
		n, err := t.parseScore(bound.name, bound.text)
		if err != nil {
			return b, err
		}
		b[i] = &n
	}
	return b, nil
}

func boundText(n *int64) string {
	if n == nil {
		return " -"
	}
	return " " + strconv.FormatInt(*n, 10)
}

func (t *target) parseScore(field, text string) (int64, error) {
	n, ok := catalog.ParseScaled(text, t.decimals)
	if !ok {
		return 0, &ParamError{field, fmt.Sprintf("This must be a number within ±2^53 in the rule's decimals, of which %s has %d.", t.rule, t.decimals)}
	}
	return n, nil
}

func parsePercent(field, text string, least int64) (int64, error) {
	n, ok := catalog.ParseScaled(text, percentDecimals)
	if !ok || n < least || n > wholePercent {
		return 0, &ParamError{field, [...]string{"This must be a number from 0 to 100, of at most 4 decimals.",
			"This must be a number above 0 and up to 100, of at most 4 decimals."}[least]}
	}
	return n, nil
}

// span is the part of the board that is walked: the places [first, end).
func (s *selection) span(x *ranking.Index) (first, end int) {
	end = x.Len()
	switch s.kind {
	case betweenScores:
		if better := s.bounds[0]; better != nil {
			first = x.Ahead(*better)
		}
		if worse := s.bounds[1]; worse != nil {
			end = x.Through(*worse)
		}
	case topPercent:
		end = int((int64(end)*s.percent + wholePercent - 1) / wholePercent) // rounded up
	}
	return first, max(first, end) // a range that is the wrong way round is empty
}

// selected is what a selection finds on a board.
type selected struct {
	total  int
	count  int  // rows of the span
	more   bool // rows of the span follow
	place  int  // what the rows are around
	rank   int  // at place
	placed *ranking.Row
}

// read finds the rows.
func (s *selection) read(x *ranking.Index, m *room, ties ranking.Ties) selected {
	out := selected{total: x.Len()}
	m.expect(0)
	if s.kind == aroundScore || s.kind == atPercentile {
		s.readAround(x, m, ties, &out)
		return out
	}
	first, end := s.span(x)
	out.count = end - first
	from := first + s.offset
	if s.after != nil {
		from = max(first, x.After(*s.after))
	}
	n := min(s.limit, end-from)
	if n > 0 {
		m.expect(n)
		m.found = x.Range(m.found, from, n, ties)
		out.more = from+n < end
	}
	return out
}

// readAround finds the rows around a place, half of them above it.
func (s *selection) readAround(x *ranking.Index, m *room, ties ranking.Ties, out *selected) {
	if s.kind == aroundScore {
		out.place, out.rank = x.Through(s.score), x.RankOf(s.score, ties)
	} else if out.total > 0 {
		out.place = lastAtPercentile(x, s.percent, ties)
		out.placed = &x.Range(nil, out.place, 1, ties)[0]
		out.rank = out.placed.Rank
	}
	from, to := max(out.place-s.limit/2, 0), min(out.place+s.limit-s.limit/2, out.total)
	if from < to {
		m.expect(to - from)
		m.found = x.Range(m.found, from, to-from, ties)
	}
}

// lastAtPercentile is the last place whose percentile, as shown, is p or above. The first always is: it has 100.
func lastAtPercentile(x *ranking.Index, p int64, ties ranking.Ties) int {
	n := x.Len()
	below := sort.Search(n, func(place int) bool { return hundredths(x.RankAt(place, ties), n)*100 < p })
	return max(below-1, 0)
}

// Count is how many users have a score in a range.
type Count struct {
	Count, Total int
}

// AppendJSON appends the count as a JSON object.
func (c *Count) AppendJSON(b []byte) []byte {
	b = append(b, `{"count":`...)
	b = strconv.AppendInt(b, int64(c.Count), 10)
	b = append(b, `,"total":`...)
	return append(strconv.AppendInt(b, int64(c.Total), 10), '}')
}

// Count counts the users between two scores, inclusive; "" is no bound. Errors as Leaderboard.
func (r *Reader) Count(ctx context.Context, org activity.Org, rule, period, low, high string) (*Count, error) {
	t, err := r.locate(org, rule, period, r.clock.Now())
	if err != nil {
		return nil, err
	}
	s, err := t.selection(r.sealer, &Page{MinScore: low, MaxScore: high})
	if err != nil {
		return nil, err
	}
	b, err := r.open(ctx, t)
	if err != nil {
		return nil, err
	}
	c := &Count{}
	b.View(func(x *ranking.Index, _ uint64) {
		first, end := s.span(x)
		c.Count, c.Total = end-first, x.Len()
	})
	return c, nil
}
