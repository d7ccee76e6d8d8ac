// Package oracle is a deliberately naive model of what Laurel promises: boards and streaks, computed from the whole list of activities every
// time it is asked, with the standard library only. Tests compare the product with it. It shares no code with what it judges, and
// never may: it must not import any other package of this module. It prefers searching and counting over formulas, so that the two cannot
// be wrong in the same way.
//
// A Model is for one goroutine.
package oracle

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"
)

// Record is one activity. At keeps the offset that it was written with.
type Record struct {
	ID, User, Name string
	At             time.Time
	Value          float64
	HasValue       bool
	Meta           map[string]any
	Received       time.Time
	// Imported records count in periods that were closed when they arrived.
	Imported bool
	// Rejected records, and ignored ones, have no effect.
	Rejected, Ignored bool
	// Attributes are those of the user when the record came.
	Attributes map[string]string
	// Kind is "" for a behaviour. Of the others Def is the place of the definition that Name names (past the end: there is none), Action, Of and To what meta says, Moves what was
	// decided. A "credit" is selected by nothing; with Achieved it completes the achievement Def by rank, in the period of that label.
	Kind, Action, Of, To, Achieved string
	Def                            int
	Moves                          []Move
}

// Org is what all rules of an org share.
type Org struct {
	Zone       *time.Location
	WeekStart  time.Weekday
	CloseGrace time.Duration
}

// Selector says which records count and what each gives.
type Selector struct {
	Match    func(*Record) bool // nil: all
	Fold     string             // count, sum, max, min, last, unique
	Number   func(*Record) (float64, bool)
	Text     func(*Record) (string, bool)
	Decimals int
}

// Cycle cuts time into periods: "day", "week", "month", "quarter", "year", "all", "days" (N of them, one beginning on the date From), or "listed".
type Cycle struct {
	Unit    string
	N       int
	From    time.Time
	Windows []Window
}

// Window is a listed period: [Start, End).
type Window struct {
	ID         string
	Start, End time.Time
}

// Rule is a board for each period of its cycles.
type Rule struct {
	ID string
	Selector
	Cycles    []Cycle
	Ascending bool
}

// Segment is the rule over the records whose user had a value of an attribute when they came.
func (r Rule) Segment(attribute, value string) Rule {
	all := r.Match
	r.ID += "@" + value
	r.Match = func(rec *Record) bool { return rec.Attributes[attribute] == value && (all == nil || all(rec)) }
	return r
}

// Row is a place on a board, with its rank in each way to number ties.
type Row struct {
	User                     string
	Value                    int64
	Reached                  time.Time
	Ordinal, Standard, Dense int
}

// Model is an org and what happened in it.
type Model struct {
	Org     Org
	Records []Record
	// Zones are the users' own zones, in order of the instants from which they were wanted.
	Zones map[string][]ZoneChange
	// Hidden users are on no board.
	Hidden map[string]bool
	// Pauses are those of each user, Outages those of the org; what is ordered for one streak is in Commands.
	Pauses  map[string][]Pause
	Outages []Outage

	commands map[commanded]*Commands
	starts   map[startKey]time.Time
}

// item is a record that counts, with the number or text that it gives.
type item struct {
	*Record
	n int64
	s string
}

// eval is what a record gives to a selector.
func (s *Selector) eval(r *Record) (item, bool) {
	it := item{Record: r}
	if r.Rejected || r.Ignored || r.Kind == "credit" || s.Match != nil && !s.Match(r) {
		return it, false
	}
	switch s.Fold {
	case "count":
		return it, true
	case "unique":
		var ok bool
		it.s, ok = s.Text(r)
		return it, ok
	}
	f, ok := s.Number(r)
	if ok {
		it.n = Scale(f, s.Decimals)
	}
	return it, ok
}

// Scale is v·10^decimals, rounded half away from zero on the shortest decimal text of v.
func Scale(v float64, decimals int) int64 {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(v, 'f', -1, 64))
	r.Mul(r, new(big.Rat).SetInt64(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil).Int64()))
	half := big.NewRat(1, 2)
	if r.Sign() < 0 {
		half.Neg(half)
	}
	r.Add(r, half)
	return new(big.Int).Quo(r.Num(), r.Denom()).Int64() // Quo cuts off towards zero
}

// earlier orders records by (at, id).
func earlier(a, b item) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }

// folded is the value of a list of records and when it was reached.
func folded(fold string, items []item) (value int64, reached time.Time) {
	items = slices.Clone(items)
	slices.SortFunc(items, earlier)
	switch fold {
	case "count":
		return int64(len(items)), items[len(items)-1].At
	case "sum":
		reached = items[0].At
		for _, it := range items {
			value += it.n
			if it.n != 0 {
				reached = it.At
			}
		}
		return value, reached
	case "last":
		last := items[len(items)-1]
		return last.n, last.At
	case "unique":
		seen := map[string]bool{}
		for _, it := range items {
			if !seen[it.s] {
				seen[it.s] = true
				reached = it.At
			}
		}
		return int64(len(seen)), reached
	}
	value, reached = items[0].n, items[0].At
	for _, it := range items {
		if fold == "max" && it.n > value || fold == "min" && it.n < value {
			value, reached = it.n, it.At
		}
	}
	return value, reached
}

// Board is the ranked users of a rule in the period of a cycle with the given label.
func (m *Model) Board(r *Rule, c Cycle, label string) []Row { return m.Boards(r, c)[label] }

// Boards is every board of a rule in one cycle, by label.
func (m *Model) Boards(r *Rule, c Cycle) map[string][]Row {
	type place struct{ label, user string }
	items := map[place][]item{}
	for i := range m.Records {
		it, ok := r.eval(&m.Records[i])
		if !ok || m.Hidden[it.User] {
			continue
		}
		label, ok := m.Label(c, it.At)
		if !ok || m.closedFor(c, it.Record) {
			continue
		}
		p := place{label, it.User}
		items[p] = append(items[p], it)
	}
	boards := map[string][]Row{}
	for p, list := range items {
		row := Row{User: p.user}
		row.Value, row.Reached = folded(r.Fold, list)
		boards[p.label] = append(boards[p.label], row)
	}
	for _, rows := range boards {
		Rank(rows, r.Ascending)
	}
	return boards
}

// Rank sorts rows and numbers them.
func Rank(rows []Row, ascending bool) {
	slices.SortFunc(rows, func(a, b Row) int {
		byValue := cmp.Compare(b.Value, a.Value)
		if ascending {
			byValue = -byValue
		}
		return cmp.Or(byValue, a.Reached.Compare(b.Reached), cmp.Compare(a.User, b.User))
	})
	for i := range rows {
		better := map[int64]bool{}
		ahead := 0
		for _, other := range rows[:i] {
			if other.Value != rows[i].Value {
				ahead++
				better[other.Value] = true
			}
		}
		rows[i].Ordinal, rows[i].Standard, rows[i].Dense = i+1, ahead+1, len(better)+1
	}
}

// closedFor says that the period had been closed when the record arrived.
func (m *Model) closedFor(c Cycle, r *Record) bool {
	if r.Imported || c.Unit == "all" {
		return false
	}
	end := m.periodEnd(c, r.At)
	return !r.Received.Before(end.Add(m.Org.CloseGrace))
}

// String describes a record for failure messages.
func (r Record) String() string {
	return fmt.Sprintf("%s/%s %s %s value=%v meta=%v received=%s imported=%v rejected=%v ignored=%v of %v", r.User, r.ID, r.Name,
		r.At.Format(time.RFC3339Nano), r.Value, r.Meta, r.Received.UTC().Format(time.RFC3339Nano), r.Imported, r.Rejected, r.Ignored, r.Attributes)
}
