package query

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"laurel/internal/activity"
	"laurel/internal/catalog"
	"laurel/ranking"
)

// Ranks are the places of several users, in board order.
type Ranks struct {
	Segment string          `json:"segment,omitempty"` // as Leaderboard.Segment
	Rows    []Row           `json:"rows"`
	Missing []activity.User `json:"missing"`
	Total   int             `json:"total"` // users among whom they are ranked
	*room   `json:"-"`
}

// AppendJSON appends the ranks as a JSON object.
func (r *Ranks) AppendJSON(b []byte) []byte {
	b = append(b, `{"rows":`...)
	b = AppendRows(b, r.Rows)
	b = append(b, `,"missing":[`...)
	for i, u := range r.Missing {
		if i > 0 {
			b = append(b, ',')
		}
		b, _ = jsontext.AppendQuote(b, string(u))
	}
	b = strconv.AppendInt(append(b, `],"total":`...), int64(r.Total), 10)
	return append(appendSegment(b, r.Segment), '}')
}

// Ranks reads the places of several users; who has none is in Missing, in the order asked. relative numbers them among themselves, and leaves out
// their ranks in the period before, which would be numbered among others. A user named twice counts once. Errors as Leaderboard.
func (r *Reader) Ranks(ctx context.Context, org activity.Org, rule, period string, users []activity.User, relative bool) (*Ranks, error) {
	now := r.clock.Now()
	t, err := r.locate(org, rule, period, now)
	if err != nil {
		return nil, err
	}
	b, err := r.open(ctx, t)
	if err != nil {
		return nil, err
	}
	ranks := t.ranksOf(b, users, r.rooms.get())
	if relative {
		t.renumber(ranks.Rows)
		ranks.Total = len(ranks.Rows)
		return ranks, r.addProfiles(ctx, org, ranks.Rows)
	}
	both, err := r.withBefore(ctx, t, b, now)
	if err != nil {
		return nil, err
	}
	both.addPrevious(ranks.room)
	return ranks, r.addProfiles(ctx, org, ranks.Rows)
}

// ranksOf reads the places of users on the whole board.
func (t *target) ranksOf(b *ranking.Board, users []activity.User, m *room) *Ranks {
	ranks := &Ranks{Segment: t.segment, Missing: []activity.User{}, room: m}
	m.expect(len(users))
	m.found, ranks.Total = b.Find(m.found, users, ranking.Ties(t.ties))
	var missed map[activity.User]bool
	there := m.found[:0]
	for i := range m.found {
		u := m.found[i].User
		switch {
		case m.found[i].Rank > 0:
			there = append(there, m.found[i])
		case !missed[u]:
			if missed == nil {
				missed = map[activity.User]bool{}
			}
			missed[u] = true
			ranks.Missing = append(ranks.Missing, u)
		}
	}
	m.found = there
	m.sort()
	m.found = slices.CompactFunc(m.found, func(a, b ranking.Row) bool { return a.User == b.User }) // those named twice
	ranks.Rows = t.asRows(m)
	return ranks
}

// boardOrder compares rows of one board: equal ranks, in whatever numbering, are equal scores.
func boardOrder(a, b ranking.Row) int {
	if a.Rank != b.Rank {
		return a.Rank - b.Rank
	}
	if c := cmp.Compare(a.Reached, b.Reached); c != 0 {
		return c
	}
	return cmp.Compare(a.User, b.User)
}

// renumber ranks rows, which are in board order, among themselves.
func (t *target) renumber(rows []Row) {
	for i := range rows {
		switch {
		case i == 0:
			rows[i].Rank = 1
		case t.ties == catalog.Ordinal || rows[i].Score != rows[i-1].Score:
			rows[i].Rank = i + 1
			if t.ties == catalog.Dense {
				rows[i].Rank = rows[i-1].Rank + 1
			}
		default:
			rows[i].Rank = rows[i-1].Rank
		}
	}
}

// LeaderboardList names the rules of an org and their cycles.
type LeaderboardList struct {
	Leaderboards []LeaderboardInfo `json:"leaderboards"`
	Backfill     *Backfill         `json:"backfill,omitempty"` // while it runs
}

// Backfill is how far the users have come to follow a changed catalog.
type Backfill struct {
	UsersDone int `json:"users_done"`
}

// LeaderboardInfo is one rule.
type LeaderboardInfo struct {
	Rule    string      `json:"rule"`
	Order   string      `json:"order"`
	Ties    string      `json:"ties"`
	Cycles  []CycleInfo `json:"cycles"`
	Pending bool        `json:"pending"` // being filled from the logs
	// SegmentBy is what the rule is segmented by, and Segments the values that have boards, in order; absent for other rules.
	SegmentBy string   `json:"segment_by,omitempty"`
	Segments  []string `json:"segments,omitzero"`
}

// CycleInfo is one cycle of a rule and its current period.
type CycleInfo struct {
	Cycle  string  `json:"cycle"`
	Period *Period `json:"period,omitempty"` // none runs now: left out
}

// Leaderboards lists what boards an org has.
func (r *Reader) Leaderboards(ctx context.Context, org activity.Org) (LeaderboardList, error) {
	_, entry, err := r.ingest.Plan(org)
	if err != nil {
		return LeaderboardList{}, err
	}
	list := LeaderboardList{Leaderboards: []LeaderboardInfo{}}
	for _, rule := range boardRules(entry.Catalog) {
		info, err := r.leaderboardInfo(org, rule)
		if err != nil {
			return LeaderboardList{}, err
		}
		if cr := entry.Catalog.Rule(rule); cr != nil && cr.SegmentBy != "" {
			info.SegmentBy = "user." + cr.SegmentBy
			segments, err := r.ingest.Segments(ctx, org, cr.SegmentBy)
			if err != nil {
				return LeaderboardList{}, err
			}
			info.Segments = append([]string{}, segments...)
		}
		list.Leaderboards = append(list.Leaderboards, info)
	}
	done, running, err := r.ingest.Backfill(ctx, org)
	if running {
		list.Backfill = &Backfill{UsersDone: done}
	}
	return list, err
}

func (r *Reader) leaderboardInfo(org activity.Org, rule string) (LeaderboardInfo, error) {
	described, cycles, err := r.describe(org, rule)
	if err != nil {
		return LeaderboardInfo{}, err
	}
	info := LeaderboardInfo{Rule: rule, Order: described.orderName(), Ties: tiesNames[described.ties], Cycles: make([]CycleInfo, len(cycles)),
		Pending: r.ingest.Pending(org, rule)}
	now := r.clock.Now()
	for i, cy := range cycles {
		info.Cycles[i].Cycle = cy.String()
		t, err := r.locate(org, rule, cy.String(), now)
		if errors.Is(err, ErrBadPeriod) { // between listed periods
			continue
		}
		if err != nil {
			return LeaderboardInfo{}, err
		}
		info.Cycles[i].Period = t.period(now)
	}
	return info, nil
}
