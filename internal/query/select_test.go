package query

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"laurel/internal/activity"
)

// model is a board as a list of rows, with ranks counted over it one by one.
type model struct {
	ascending bool
	ties      string
	rows      []Row
}

// modelOf takes users, scores and times from the board and nothing else: order and ranks are its own.
func (g *rig) modelOf(rule, period string) *model {
	l := g.page(rule, period, Page{Limit: 1000})
	m := &model{ascending: l.Order == "asc", ties: l.Ties, rows: slices.Clone(l.Rows)}
	slices.SortFunc(m.rows, func(a, b Row) int {
		switch {
		case a.Score.Scaled != b.Score.Scaled && (a.Score.Scaled < b.Score.Scaled) == m.ascending:
			return -1
		case a.Score.Scaled != b.Score.Scaled:
			return 1
		case a.ReachedAt != b.ReachedAt:
			return int(a.ReachedAt - b.ReachedAt)
		}
		return strings.Compare(string(a.User), string(b.User))
	})
	for i := range m.rows {
		m.rows[i].Rank = m.rank(m.rows[i].Score.Scaled, i)
	}
	return m
}

// rank is that of a score with so many rows before it.
func (m *model) rank(score int64, before int) int {
	better, distinct := 0, map[int64]bool{}
	for _, row := range m.rows {
		if v := row.Score.Scaled; v != score && (v < score) == m.ascending {
			better++
			distinct[v] = true
		}
	}
	switch m.ties {
	case "standard":
		return better + 1
	case "dense":
		return len(distinct) + 1
	}
	return before + 1
}

// newcomer is where one with this score would stand, behind all that have it.
func (m *model) newcomer(score int64) (place int) {
	for place < len(m.rows) && (m.rows[place].Score.Scaled == score || (m.rows[place].Score.Scaled < score) == m.ascending) {
		place++
	}
	return place
}

func (m *model) around(place, limit int) []Row {
	var rows []Row
	for i, row := range m.rows {
		if i >= place-limit/2 && i < place+(limit-limit/2) {
			rows = append(rows, row)
		}
	}
	return rows
}

// percentile is the one shown: the exact quotient rounded half up to hundredths, in hundredths.
func (m *model) percentile(row Row) int64 {
	n := int64(len(m.rows))
	if n == 1 {
		return 10000
	}
	q := new(big.Rat).SetFrac64(10000*(n-int64(row.Rank)), n-1)
	q.Add(q, big.NewRat(1, 2))
	return new(big.Int).Quo(q.Num(), q.Denom()).Int64()
}

// selectRig has boards of every numbering and both orders, one with decimals, with many ties; and an empty one.
func selectRig(t *testing.T, random *rand.Rand) (*rig, [][2]string) {
	g := newRig(t)
	for user := range 45 {
		at := fmt.Sprintf("2026-11-21T10:%02d:00Z", random.IntN(20))
		g.send(fmt.Sprintf("u%d %d %s", user, random.IntN(12)-4, at), fmt.Sprintf("lap u%d %d.%02d %s", user, random.IntN(4), random.IntN(4)*25, at))
	}
	return g, [][2]string{{"ordinal", "day"}, {"standard", "day"}, {"dense", "day"}, {"least", "week"}, {"ordinal", "2027-01-01"}}
}

func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func plain(rows []Row) []string {
	out := []string{}
	for _, r := range rows {
		out = append(out, fmt.Sprint(r.Rank, " ", r.User, " ", string(r.Score.AppendJSON(nil)), " ", r.ReachedAt))
	}
	return out
}

// drawScore is one that may be on the board, between two, or beyond them, as it is written and scaled.
func drawScore(random *rand.Rand, decimals int) (string, int64) {
	s := Score{Scaled: int64(random.IntN(16) - 6), Decimals: decimals}
	if decimals > 0 {
		s.Scaled = int64(random.IntN(500) - 50)
	}
	return string(s.AppendJSON(nil)), s.Scaled
}

func decimalsOf(rule string) int {
	if rule == "least" {
		return 2
	}
	return 0
}

func TestSelect_AroundScore(t *testing.T) {
	random := seeded(t)
	g, boards := selectRig(t, random)
	for _, b := range boards {
		m := g.modelOf(b[0], b[1])
		for range 60 {
			text, score := drawScore(random, decimalsOf(b[0]))
			limit := 1 + random.IntN(12)
			l := g.page(b[0], b[1], Page{Limit: limit, AroundScore: text})
			place := m.newcomer(score)
			if diff := cmp.Diff(plain(m.around(place, limit)), plain(l.Rows)); diff != "" {
				t.Fatalf("%v, %d rows around %s (-want +got)\n%s", b, limit, text, diff)
			}
			if want := m.rank(score, place); l.Place.Rank != want || l.Place.Score.Scaled != score || l.Place.User != "" || l.Next != "" {
				t.Fatalf("%v, around %s: place %+v, want rank %d; next %q", b, text, l.Place, want, l.Next)
			}
		}
	}
}

func TestSelect_Percentile(t *testing.T) {
	random := seeded(t)
	g, boards := selectRig(t, random)
	for _, b := range boards {
		m := g.modelOf(b[0], b[1])
		for try := range 60 {
			p := int64(random.IntN(1_000_001)) // in 10^-4 of a percent
			if try < 3 {
				p = []int64{0, 1_000_000, m.percentileOfRandom(random) * 100}[try]
			}
			text, limit := string(Score{p, 4}.AppendJSON(nil)), 1+random.IntN(12)
			l := g.page(b[0], b[1], Page{Limit: limit, Percentile: text})
			if len(m.rows) == 0 {
				if l.Place != nil || len(l.Rows) != 0 {
					t.Fatalf("of an empty board: %+v", l)
				}
				continue
			}
			place := 0
			for i, row := range m.rows {
				if m.percentile(row)*100 >= p {
					place = i
				}
			}
			want := m.rows[place]
			if diff := cmp.Diff(plain(m.around(place, limit)), plain(l.Rows)); diff != "" {
				t.Fatalf("%v, %d rows around percentile %s (-want +got)\n%s", b, limit, text, diff)
			}
			shown := g.rank(b[0], b[1], want.User, -1)
			if got := l.Place; got.User != want.User || got.Rank != want.Rank || got.Score != want.Score || got.Percentile != shown.Percentile ||
				int64(math.Round(got.Percentile*100)) != m.percentile(want) {
				t.Fatalf("%v, percentile %s: place %+v, want %+v", b, text, got, want)
			}
		}
	}
}

func (m *model) percentileOfRandom(random *rand.Rand) int64 {
	if len(m.rows) == 0 {
		return 0
	}
	return m.percentile(m.rows[random.IntN(len(m.rows))])
}

// walk reads all pages of a selection and checks what they say of the whole.
func (g *rig) walk(b [2]string, p Page, want []Row) {
	g.t.Helper()
	rows := []Row{}
	for p.Limit = 5; ; {
		l := g.page(b[0], b[1], p)
		if l.Count == nil || *l.Count != len(want) {
			g.t.Fatalf("%v %+v: count is %v, want %d", b, p, l.Count, len(want))
		}
		rows = append(rows, l.Rows...)
		if p.Cursor = l.Next; p.Cursor == "" {
			break
		}
	}
	if diff := cmp.Diff(plain(want), plain(rows)); diff != "" {
		g.t.Fatalf("%v %+v (-want +got)\n%s", b, p, diff)
	}
	for _, offset := range []int{0, 3, len(want), len(want) + 7} {
		p.Offset = offset
		from := min(offset, len(want))
		if diff := cmp.Diff(plain(want[from:min(from+5, len(want))]), plain(g.page(b[0], b[1], p).Rows)); diff != "" {
			g.t.Fatalf("%v %+v (-want +got)\n%s", b, p, diff)
		}
	}
}

func TestSelect_TopPercent(t *testing.T) {
	random := seeded(t)
	g, boards := selectRig(t, random)
	for _, b := range boards {
		m := g.modelOf(b[0], b[1])
		for _, p := range []int64{1, 1_000_000, 20_000, 1 + random.Int64N(1_000_000), 1 + random.Int64N(1_000_000), 1 + random.Int64N(1_000_000)} {
			part := new(big.Rat).SetFrac64(p*int64(len(m.rows)), 1_000_000)
			n := 0
			for new(big.Rat).SetInt64(int64(n)).Cmp(part) < 0 {
				n++
			}
			g.walk(b, Page{TopPercent: string(Score{p, 4}.AppendJSON(nil))}, m.rows[:n])
		}
	}
}

func TestSelect_ScoresAndCount(t *testing.T) {
	random := seeded(t)
	g, boards := selectRig(t, random)
	for _, b := range boards {
		m := g.modelOf(b[0], b[1])
		for range 25 {
			low, lowest := drawScore(random, decimalsOf(b[0]))
			high, highest := drawScore(random, decimalsOf(b[0]))
			switch random.IntN(3) {
			case 0:
				low, lowest = "", math.MinInt64
			case 1:
				high, highest = "", math.MaxInt64
			}
			want := []Row{}
			for _, row := range m.rows {
				if row.Score.Scaled >= lowest && row.Score.Scaled <= highest {
					want = append(want, row)
				}
			}
			g.walk(b, Page{MinScore: low, MaxScore: high}, want)
			c, err := g.Count(t.Context(), org, b[0], b[1], low, high)
			if must(t, err); c.Count != len(want) || c.Total != len(m.rows) {
				t.Fatalf("%v from %q to %q: %+v, want %d of %d", b, low, high, c, len(want), len(m.rows))
			}
		}
		if c, err := g.Count(t.Context(), org, b[0], b[1], "", ""); err != nil || c.Count != len(m.rows) {
			t.Fatalf("%v without bounds: %+v, %v", b, c, err)
		}
	}
}

func TestSelect_Refused(t *testing.T) {
	g, _ := selectRig(t, seeded(t))
	for field, pages := range map[string][]Page{
		"around_score": {{AroundScore: "x"}, {AroundScore: "1.5"}, {AroundScore: "1e3"}, {AroundScore: "9007199254740993"}},
		"min_score":    {{MinScore: "1.5"}, {MinScore: "-"}},
		"max_score":    {{MaxScore: "2", MinScore: "1"}, {MaxScore: ".5"}},
		"percentile":   {{Percentile: "-1"}, {Percentile: "100.0001"}, {Percentile: "1.00001"}, {Percentile: "x"}},
		"top_percent":  {{TopPercent: "0"}, {TopPercent: "0.00001"}, {TopPercent: "101"}},
	} {
		for _, p := range pages {
			p.Limit = 1
			_, err := g.Leaderboard(t.Context(), org, "ordinal", "day", p, nil)
			var bad *ParamError
			if p.MinScore == "1" { // a good range
				must(t, err)
			} else if !errors.As(err, &bad) || bad.Field != field || !errors.Is(err, ErrBadParam) {
				t.Errorf("%+v: %v", p, err)
			}
		}
	}
	of := g.page("ordinal", "day", Page{Limit: 1, TopPercent: "50"}).Next
	for what, p := range map[string]Page{"the board": {}, "another part": {TopPercent: "51"}, "a range": {MinScore: "0"}} {
		p.Limit, p.Cursor = 1, of
		if _, err := g.Leaderboard(t.Context(), org, "ordinal", "day", p, nil); !errors.Is(err, ErrBadCursor) {
			t.Errorf("the cursor of a part, for %s: %v", what, err)
		}
	}
	same := g.page("ordinal", "day", Page{Limit: 3, TopPercent: "50.0", Cursor: of})
	if same.Rows[0].User != g.page("ordinal", "day", Page{Limit: 1, Offset: 1}).Rows[0].User {
		t.Errorf("the cursor of a part, for the same written otherwise: %v", brief(same.Rows))
	}
}

// TestSeveral: each board is as it is alone, a faulty query fails alone, and a user's place comes along.
func TestSeveral(t *testing.T) {
	g, _ := selectRig(t, seeded(t))
	queries := []BoardQuery{
		{Rule: "ordinal", Period: "day", Page: Page{Limit: 3}, Around: -1},
		{Rule: "none", Period: "day", Page: Page{Limit: 3}},
		{Rule: "least", Period: "week", Page: Page{Limit: 2, TopPercent: "50"}, User: "u7", Around: 2},
		{Rule: "dense", Period: "day", Page: Page{Limit: 1, AroundScore: "x"}},
		{Rule: "dense", Period: "day", User: "nobody", Around: -1},
	}
	set, err := g.Several(t.Context(), org, queries)
	must(t, err)
	for i, want := range []error{nil, ErrRuleNotFound, nil, ErrBadParam, nil} {
		if !errors.Is(set.Boards[i].Err, want) {
			t.Errorf("query %d: %v, want %v", i, set.Boards[i].Err, want)
		}
	}
	for _, i := range []int{0, 2} {
		q, got := &queries[i], *set.Boards[i].Board
		if got.Revision != set.Revision {
			t.Errorf("board %d is of another revision", i)
		}
		if q.User != "" {
			if diff := cmp.Diff(string(g.rank(q.Rule, q.Period, q.User, q.Around).AppendJSON(nil)), string(got.User.AppendJSON(nil))); diff != "" {
				t.Errorf("the user's place (-alone +among several)\n%s", diff)
			}
			got.User, got.userAsked = nil, false
		}
		if diff := cmp.Diff(string(g.page(q.Rule, q.Period, q.Page).AppendJSON(nil)), string(got.AppendJSON(nil))); diff != "" {
			t.Errorf("board %d (-alone +among several)\n%s", i, diff)
		}
	}
	last := set.Boards[4].Board
	if text := string(last.AppendJSON(nil)); last.User != nil || !strings.HasSuffix(text, `"rows":[],"next":"`+last.Next+`","user":null}`) && !strings.HasSuffix(text, `"rows":[],"user":null}`) {
		t.Errorf("nobody's place: %s", text)
	}
}

// TestUserRanks_Period: a period is looked up on every rule that has it.
func TestUserRanks_Period(t *testing.T) {
	g := newRig(t)
	g.send("ann 3 2026-11-20T10:00:00Z", "ann 1 2026-11-21T10:00:00Z", "bob 2 2026-11-20T10:00:00Z", "lap ann 2 2026-11-20T10:00:00Z")
	read := func(user activity.User, period string) string {
		b, err := g.UserRanks(t.Context(), org, user, period)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	for period, want := range map[string][]string{
		"day~1":      {`"ordinal","cycle":"day","label":"2026-11-20","rank":1`, `"dense"`},
		"2026-11-20": {`"standard","cycle":"day","label":"2026-11-20","rank":1`},
		"week":       {`"ordinal","cycle":"week"`, `"least","cycle":"week"`},
	} {
		for _, part := range want {
			if got := read("ann", period); !strings.Contains(got, part) || strings.Contains(got, `"cycle":"all"`) {
				t.Errorf("%s: %s lacks %s", period, got, part)
			}
		}
	}
	if got := read("ann", "hour"); !strings.Contains(got, ErrBadPeriod.Error()) {
		t.Errorf("of no period: %s", got)
	}
	if got := read("bob", "2026-11-19"); got != `{"ranks":[]}` {
		t.Errorf("of a period without bob: %s", got)
	}
}
